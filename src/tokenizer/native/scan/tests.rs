//! The scanners against the pre-tokenizers of the crate.

mod families;
mod oracle;
mod texts;

use families::families;

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

#[test]
fn every_character_is_split_as_in_the_crate() {
    const CONTEXTS: [(&str, &str); 12] = [
        ("", ""),
        ("a", "b"),
        (" ", ""),
        (" ", "b"),
        ("'", ""),
        ("'", "e"),
        ("!", "!"),
        ("1", "2"),
        ("\n", "\n"),
        ("  ", "  "),
        ("漢", "か"),
        ("A", "'s"),
    ];
    for pair in families() {
        for character in
            ('\0'..=char::MAX).filter(|character| all() || texts::is_various(*character))
        {
            let contexts = if all() { &CONTEXTS[..] } else { &CONTEXTS[..3] };
            for (before, after) in contexts {
                pair.compare(&format!("{before}{character}{after}"));
            }
        }
    }
}

#[test]
fn short_texts_of_all_kinds_are_split_as_in_the_crate() {
    for pair in families() {
        texts::tuples(ALPHABET, if all() { 3 } else { 2 }, &mut |text| {
            pair.compare(text)
        });
        texts::tuples(
            &ALPHABET[..texts::FEW],
            if all() { 4 } else { 3 },
            &mut |text| pair.compare(text),
        );
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
        texts::tuples(&ascii, 3, &mut |text| {
            if all() || random.below(200) == 0 {
                pair.compare(text);
            }
        });
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
fn a_text_cut_where_words_always_end_has_the_same_words() {
    let mut cuts = 0;
    for (number, pair) in families().into_iter().enumerate() {
        let mut random = Random::new(number as u64 + 100);
        let mut check = |text: &str| cuts += pair.compare_cuts(text);
        for _ in 0..random_texts() {
            check(&random.text());
        }
        texts::tuples(&ALPHABET[..texts::FEW], 3, &mut check);
    }
    assert!(cuts > 100_000, "{cuts}");
}
