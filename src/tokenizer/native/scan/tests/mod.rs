//! The scanners against the pre-tokenizers of the crate.

mod families;
mod oracle;
mod texts;

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::PreTokenizer;
use families::families;
use oracle::{Pair, words};
use texts::{ALPHABET, Random};

/// Returns the number of random texts for each family; `TOKSCOPE_FUZZ` sets it.
fn random_texts() -> usize {
    let given = std::env::var("TOKSCOPE_FUZZ").ok();
    given.map_or(1_000, |number| number.parse().unwrap())
}

/// Returns true if `TOKSCOPE_UNICODE` asks for all texts.
fn all() -> bool {
    std::env::var_os("TOKSCOPE_UNICODE").is_some()
}

/// `TOKSCOPE_UNICODE=1` compares all of them.
#[test]
fn every_character_is_split_as_in_the_crate() {
    let contexts = |c| {
        format!(
            "a{c}b {c} {c}b '{c}'{c}e !{c}!1{c}2\n{c}\n  {c}  漢{c}かA{c}'s{c}{c} x{c}/\r\n.{c}\n{c}"
        )
    };
    let characters = '\0'..=char::MAX;
    let characters = characters.filter(|character| all() || texts::is_various(*character));
    let characters: Vec<char> = characters.collect();
    for pair in families() {
        for character in &characters {
            pair.compare(&character.to_string());
            pair.compare(&contexts(*character));
        }
    }
}

/// Returns the number of characters that longer texts are made of.
fn few() -> usize {
    if all() { 25 } else { 15 }
}

#[test]
fn short_texts_of_all_kinds_are_split_as_in_the_crate() {
    for pair in families() {
        texts::tuples(ALPHABET, if all() { 3 } else { 2 }, &mut |text| {
            pair.compare(text)
        });
        texts::tuples(&ALPHABET[..few()], if all() { 4 } else { 3 }, &mut |text| {
            pair.compare(text)
        });
    }
}

/// `TOKSCOPE_UNICODE=1` compares all of them.
#[test]
fn texts_of_three_ascii_characters_are_split_as_in_the_crate() {
    let ascii: Vec<String> = (0..128_u8)
        .map(|byte| char::from(byte).to_string())
        .collect();
    let ascii: Vec<&str> = ascii.iter().map(String::as_str).collect();
    let mut random = Random::new(3);
    for pair in families() {
        if all() {
            texts::tuples(&ascii, 3, &mut |text| pair.compare(text));
        } else {
            for _ in 0..2_000 {
                let characters = [(); 3].map(|()| char::from(random.below(128) as u8));
                pair.compare(&String::from_iter(characters));
            }
        }
    }
}

#[test]
fn random_texts_are_split_as_in_the_crate() {
    for (number, pair) in families().into_iter().enumerate() {
        let mut random = Random::new(number as u64 + 1);
        for _ in 0..random_texts() {
            pair.compare(&random.text());
        }
    }
}

#[test]
fn white_space_up_to_the_end_of_a_text_is_split_alike_wherever_a_block_ends() {
    for pair in families() {
        for before in 0..70 {
            for end in [
                " \n   ",
                "\n    ",
                "\n \n  \t",
                " \n   \u{3000}",
                "!\n   ",
                "\n   a",
            ] {
                pair.compare(&format!("{}{end}", "a".repeat(before)));
            }
        }
    }
}

#[test]
fn a_text_cut_where_words_always_end_has_the_same_words() {
    let mut cuts = 0;
    for (number, pair) in families().into_iter().enumerate() {
        let mut random = Random::new(number as u64 + 100);
        let mut check = |text: &str| cuts += pair.compare_cuts(text);
        for _ in 0..random_texts() {
            check(&random.text());
        }
        texts::tuples(&ALPHABET[..few()], 3, &mut check);
    }
    assert!(cuts > 50_000, "{cuts}");
}

/// A pattern that starts anew at each character of a long run would take seconds.
#[test]
fn long_runs_take_a_time_that_grows_with_their_length() {
    const RUNS: [&str; 18] = [
        "A",
        "aA",
        " ",
        "\n",
        " \n",
        "\t",
        "1",
        "1a",
        "!",
        "'",
        "'s",
        "\0",
        "漢",
        "・",
        "É\u{301}",
        "м",
        "½",
        "\u{a0}",
    ];
    for pair in families() {
        for run in RUNS {
            let text = run.repeat(200_000 / run.len());
            let start = Instant::now();
            for text in [format!("{text}b"), format!(" {text}"), text] {
                words(&pair.recognized.scanner, &text);
            }
            assert!(
                start.elapsed() < Duration::from_secs(5),
                "{} {run:?}",
                pair.name
            );
        }
    }
}

/// The pre-tokenizers of real tokenizers.
#[test]
fn the_pre_tokenizers_of_real_files_are_recognized() {
    const MODELS: [&str; 11] = [
        "clip-base",
        "gemma3",
        "gpt-4o",
        "gpt2",
        "llama2",
        "llama3",
        "modernbert",
        "phi-2",
        "qwen3",
        "roberta-base",
        "whisper-tiny",
    ];
    let Some(shared) = std::env::var_os("TOKSCOPE_SHARED") else {
        eprintln!("skipped: the_pre_tokenizers_of_real_files_are_recognized");
        return;
    };
    for model in MODELS {
        let path = Path::new(&shared)
            .join("models")
            .join(model)
            .join("tokenizer.json");
        let json: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let step = &json["pre_tokenizer"];
        assert!(PreTokenizer::from_json(step).is_some(), "{model} {step}");
        if !step.is_null() {
            let pair = Pair::new(model, step);
            let mut random = Random::new(1);
            (0..random_texts()).for_each(|_| pair.compare(&random.text()));
        }
    }
}
