//! Added tokens that normalization makes empty, or alike, in a fine-tune of DeBERTa. The expected ids and offsets in
//! characters are those of transformers 4.48.3 with tokenizers 0.21.4, for the built-in model with these tokens added.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{folder_without_checkpoint, on};

type Tokens = &'static [(u32, (usize, usize))];

/// Texts without an added token, and their tokens if any added token is empty after normalization.
const SPLIT: &[(&str, Tokens)] = &[
    ("[", &[(262, (0, 1)), (1954, (0, 1))]),
    (
        "x[",
        &[(262, (0, 1)), (1166, (0, 1)), (262, (1, 2)), (1954, (1, 2))],
    ),
    (
        "fin [\n",
        &[
            (332, (0, 1)),
            (262, (1, 2)),
            (600, (1, 2)),
            (358, (2, 3)),
            (262, (3, 4)),
            (262, (4, 5)),
            (1954, (4, 5)),
        ],
    ),
    ("a  b", &[(275, (0, 1)), (262, (2, 3)), (466, (3, 4))]),
    (
        "[MASK] x[",
        &[
            (2000, (0, 6)),
            (262, (7, 8)),
            (1166, (7, 8)),
            (262, (8, 9)),
            (1954, (8, 9)),
        ],
    ),
];

/// Creates the built-in model with added tokens from id 2001 on.
fn model_with(tokens: &[&str], lower_case: bool) -> TempDir {
    let model = folder_without_checkpoint();
    let token = |content: &str, special: bool| {
        json!({"content": content, "special": special, "normalized": !special,
               "lstrip": false, "rstrip": false, "single_word": false})
    };
    let mut added = serde_json::Map::new();
    added.insert("2000".to_owned(), token("[MASK]", true));
    for (id, content) in (2001..).zip(tokens) {
        added.insert(format!("{id}"), token(content, false));
    }
    let config =
        json!({"do_lower_case": lower_case, "vocab_type": "spm", "added_tokens_decoder": added});
    let path = model.path().join("tokenizer_config.json");
    fs::write(path, config.to_string()).unwrap();
    model
}

/// Tokenizes a text in 1 GB of address space. Returns the ids and offsets of all tokens but the template's.
fn tokens(model: &TempDir, text: &str) -> Vec<(u32, (usize, usize))> {
    let args = [
        "tokenize",
        "--json",
        "--offset-unit",
        "char",
        "--no-special-tokens",
        text,
    ];
    let call = on(model.path(), args);
    #[cfg(target_os = "linux")]
    let answer = call.run_within(1_000_000_000);
    #[cfg(not(target_os = "linux"))]
    let answer = call.run();
    assert_eq!((answer.code, answer.stderr.as_str()), (0, ""), "{text:?}");
    let record: Value = serde_json::from_str(&answer.stdout).unwrap();
    let ids: Vec<u32> = serde_json::from_value(record["ids"].clone()).unwrap();
    let offsets: Vec<(usize, usize)> = serde_json::from_value(record["offsets"].clone()).unwrap();
    ids.into_iter().zip(offsets).collect()
}

#[test]
fn an_added_token_that_normalization_makes_empty_ends_as_in_the_reference() {
    for added in ["\n", " ", "\t", "\r\n", "\u{a0}"] {
        let model = model_with(&[added], false);
        for (text, expected) in SPLIT {
            assert_eq!(tokens(&model, text), *expected, "{added:?} {text:?}");
        }
    }
}

#[test]
fn an_empty_added_token_ends_after_steps_that_are_not_plain_deberta() {
    let model = model_with(&["\n"], true);
    for (text, expected) in SPLIT {
        assert_eq!(tokens(&model, text), *expected, "{text:?}");
    }
}

#[test]
fn an_empty_added_token_cannot_split_a_character_that_is_not_ascii() {
    let model = model_with(&["\n"], false);
    let answer = on(model.path(), ["tokenize", "niño"]).exit(4);
    let message = "the `tokenizers` crate of the reference cannot use it";
    assert!(answer.stderr.contains(message), "{}", answer.stderr);
}

#[test]
fn of_added_tokens_that_normalization_makes_alike_the_first_is_found() {
    let model = model_with(&["Foo", "Ｆoo"], false);
    // The crate chose one of them at random.
    for _ in 0..8 {
        assert_eq!(tokens(&model, "Ｆoo"), [(2001, (0, 3))]);
    }
}

/// Added tokens of white space and invisible characters, alone and with one that begins like the end of a text.
#[test]
fn added_tokens_of_nothing_end_in_any_combination() {
    let contents = ["\n", " ", "\u{a0}", "\u{200b}", "  ", "\u{3000}\n"];
    let texts = "[\nx[\nhola [U\nfin [M\na  b\n\u{a0}\u{200b}\n[MASK]\u{3000}[\n";
    for (index, content) in contents.iter().enumerate() {
        let other = contents[(index * 7 + 3) % contents.len()];
        for tokens in [
            &[*content][..],
            &[*content, "[U", other],
            &["x", other, *content],
        ] {
            let model = model_with(tokens, index % 2 == 1);
            let answer = |engine: &str| {
                let args = ["--engine", engine, "tokenize", "--lines", "--ids", "-"];
                let call = on(model.path(), args).stdin(texts);
                #[cfg(target_os = "linux")]
                let call = call.limited("--cpu=20").limited("--as=1000000000");
                let answer = call.run();
                (answer.code, answer.stdout)
            };
            let reference = answer("reference");
            assert!([0, 4].contains(&reference.0), "{tokens:?} {reference:?}");
            assert_eq!(answer("auto"), reference, "{tokens:?}");
        }
    }
}

#[test]
fn an_added_token_that_normalization_begins_with_a_space_takes_the_space_before_it() {
    for lower_case in [false, true] {
        let model = model_with(&["▁x", "a▁b"], lower_case);
        for text in [" \r\nx", "one\r\nx two  x\u{a0}x", "a \t b", "a\r\nb▁x"] {
            let args = ["tokenize", "--json", "--engine"];
            let answer = |engine| on(model.path(), args.into_iter().chain([engine, text])).ok();
            assert_eq!(answer("auto"), answer("reference"), "{text:?}");
        }
        let space = tokens(&model, "one\r\nx");
        assert_eq!(space.last(), Some(&(2001, (3, 6))), "{space:?}");
    }
}

#[test]
fn the_native_engine_refuses_a_tokenizer_that_it_does_not_run_exactly() {
    let model = model_with(&["xx", "XX"], true);
    let args = ["count", "--text", "xx", "--engine"];
    let refused = on(model.path(), args.into_iter().chain(["native"])).exit(2);
    let expected = format!(
        "error: the native engine cannot run {}/spm.model exactly\n\nhint: use `--engine reference`\n",
        model.path().display()
    );
    assert_eq!(refused.stderr, expected);
    on(model.path(), args.into_iter().chain(["reference"])).ok();
}
