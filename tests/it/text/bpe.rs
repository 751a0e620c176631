//! Compares the engines on real byte-pair encodings: byte-level ones of several pre-tokenizers, and those that take a
//! text for a single word.

use std::collections::HashMap;

use serde_json::json;
use tokscope::tokenizer::EncodeOptions;

use crate::support::{shared, tokenizer};
use crate::text::engines::{Engines, compare_generated, compare_lines, compare_pieces, generated};

/// Compares the engines on the reference texts of a model, on its pieces, and on generated texts.
fn compare(test: &str, model: &str) {
    let Some(shared) = shared(test) else {
        return;
    };
    let engines = Engines::open_folder(&shared.join("models").join(model));
    assert!(engines.native.is_native(), "{model}");
    compare_lines(&engines, &shared.join(format!("golden/{model}.jsonl")));
    compare_lines(
        &engines,
        &shared.join("golden/deberta-v3-xsmall.pairs.jsonl"),
    );
    let step = engines.native.vocabulary().size() / 300;
    compare_pieces(&engines, step.max(1));
    compare_generated(&engines, generated(150));
}

macro_rules! models {
    ($($test:ident: $model:literal,)*) => {$(
        #[test]
        fn $test() {
            compare(stringify!($test), $model);
        }
    )*};
}

models! {
    engines_agree_on_gpt2: "gpt2",
    engines_agree_on_roberta: "roberta-base",
    engines_agree_on_phi_2: "phi-2",
    engines_agree_on_whisper: "whisper-tiny",
    engines_agree_on_modernbert: "modernbert",
    engines_agree_on_clip: "clip-base",
    engines_agree_on_gpt_4o: "gpt-4o",
    engines_agree_on_llama_3: "llama3",
    engines_agree_on_qwen_3: "qwen3",
    engines_agree_on_llama_2: "llama2",
    engines_agree_on_gemma_3: "gemma3",
}

/// Such words are merged with queues; the search in a list would take hours.
#[test]
fn long_words_have_the_tokens_of_the_crate() {
    let Some(shared) = shared("long_words_have_the_tokens_of_the_crate") else {
        return;
    };
    for model in ["gpt2", "llama2"] {
        let engines = Engines::open_folder(&shared.join("models").join(model));
        for part in ["a", "aĠ", "7", "👍🏽", "漢字", "ab", "\n", "▁"] {
            engines.compare(&part.repeat(20_000), None);
        }
    }
}

#[test]
fn a_model_that_leaves_out_merges_at_random_only_decodes() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = json!({
        "version": "1.0", "added_tokens": [], "normalizer": null, "pre_tokenizer": null,
        "post_processor": null, "decoder": null,
        "model": {"type": "BPE", "dropout": 0.5, "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]},
    });
    let open = |file: &serde_json::Value| {
        let path = folder.path().join("tokenizer.json");
        std::fs::write(path, file.to_string()).unwrap();
        tokenizer(folder.path())
    };
    let options = EncodeOptions::default();
    let error = open(&file).ids("ab", &options).unwrap_err().to_string();
    let problem = "leaves out merges at random (`dropout` is 0.5)";
    assert!(error.contains(problem), "{error}");
    assert!(open(&file).prepare().is_err());
    assert_eq!(open(&file).decode(&[2, 1], false).unwrap(), "ab b");
    file["model"]["dropout"] = json!(0.0);
    let tokenizer = open(&file);
    assert!(tokenizer.is_native());
    assert_eq!(tokenizer.ids("abb", &options).unwrap(), [2, 1]);
}

/// Opens the engines of a model of whole texts, with spaces written as `▁`.
fn metaspace(folder: &std::path::Path, scheme: &str, splits: bool) -> Engines {
    let bytes = (0..=u8::MAX).map(|byte| format!("<{byte:#04X}>"));
    let pieces = ["?", "▁", "a", "b", "ab", "▁a"].map(str::to_owned);
    let vocabulary: HashMap<String, usize> = pieces.into_iter().chain(bytes).zip(0..).collect();
    let file = json!({
        "version": "1.0", "normalizer": null, "post_processor": null, "decoder": null,
        "added_tokens": [
            {"id": 300, "content": "<s>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
        ],
        "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": splits},
        "model": {
            "type": "BPE", "unk_token": "?", "byte_fallback": true, "merges": ["a b", "▁ a"],
            "vocab": vocabulary,
        },
    });
    let engines = Engines::open_json(folder, &file);
    assert!(engines.native.is_native());
    engines
}

/// A text that contains `▁` takes other steps than one with spaces.
#[test]
fn a_part_after_an_added_token_is_not_the_start_of_a_text() {
    let folder = tempfile::tempdir().unwrap();
    for scheme in ["always", "first", "never"] {
        for splits in [false, true] {
            let engines = metaspace(folder.path(), scheme, splits);
            for text in [
                "a▁",
                "<s>a▁",
                " <s>a▁b<s>ab<s> a▁",
                "x<s>▁a <s>a b",
                "<s> a▁a",
            ] {
                engines.compare(text, None);
            }
        }
    }
}

/// A long word is cut into parts where no merge joins its characters.
#[test]
fn the_parts_of_a_long_first_word_are_one_word() {
    let folder = tempfile::tempdir().unwrap();
    let engines = metaspace(folder.path(), "always", true);
    let long = "ab".repeat(20);
    for text in [
        &long,
        &format!("{long} {long} a"),
        &format!(" {long} b"),
        &format!("a {long}"),
    ] {
        engines.compare(text, None);
    }
}

/// Opens the engines of a byte-level model without merges, whose pre-tokenizer consists of these steps.
fn byte_level(folder: &std::path::Path, steps: &serde_json::Value) -> Engines {
    let alphabet = (0..0x144).filter_map(char::from_u32);
    let alphabet = alphabet
        .filter(|character| tokscope::tokenizer::native::alphabet::byte(*character).is_some());
    let vocab: serde_json::Map<String, serde_json::Value> = alphabet
        .zip(0..)
        .map(|(character, id)| (character.to_string(), json!(id)))
        .collect();
    let file = json!({
        "version": "1.0", "added_tokens": [], "normalizer": null, "post_processor": null, "decoder": null,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": steps},
        "model": {"type": "BPE", "merges": [], "vocab": vocab},
    });
    Engines::open_json(folder, &file)
}

/// The pre-tokenizer of Falcon splits the characters of mapped bytes, some of which are punctuation.
#[test]
fn words_may_begin_and_end_within_a_character() {
    let folder = tempfile::tempdir().unwrap();
    let engines = byte_level(
        folder.path(),
        &json!([
            {"type": "Punctuation", "behavior": "Contiguous"},
            {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
            {"type": "Digits", "individual_digits": false},
            {"type": "Split", "pattern": {"Regex": "[0-9][0-9][0-9]"}, "behavior": "Isolated", "invert": false},
        ]),
    );
    assert!(engines.native.is_native());
    for text in ["м", "мама мыла раму 12345, 漢字!", "é м\u{37e}м 👍🏽"] {
        engines.compare(text, None);
        engines.compare(&format!("{text} ").repeat(300), None);
    }
}

/// Without an unknown token, characters that no piece spells have no tokens.
#[test]
fn words_without_tokens_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let file = json!({
        "version": "1.0", "normalizer": null, "post_processor": null, "decoder": null,
        "added_tokens": [
            {"id": 1, "content": "<s>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
        ],
        "pre_tokenizer": {"type": "Whitespace"},
        "model": {"type": "BPE", "merges": [], "vocab": {"a": 0}},
    });
    let engines = Engines::open_json(folder.path(), &file);
    assert!(engines.native.is_native());
    for text in [
        "a b a",
        "b a <s> a",
        "a b<s>a b",
        "b",
        "b<s>b<s> a",
        "a b b a",
    ] {
        engines.compare(text, None);
    }
}
