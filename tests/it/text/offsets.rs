//! Offsets after post-processors that trim them. The expected values are those of tokenizers 0.21.4 for the same
//! `tokenizer.json`, in characters.

use std::fs;

use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::support::on;

/// Offsets such as `0-1 2-8`.
type Offsets = &'static str;

/// A space of two bytes before a token that includes spaces to its left.
const WIDE_SPACE: &str = "x\u{a0}<mask> y";
const WIDER_SPACE: &str = "é\u{3000}<mask>é";
const PAIR: [&str; 2] = ["é y", "漢 <mask>"];

struct Case {
    add_prefix_space: bool,
    post_processor: Value,
    wide: Offsets,
    wider: Offsets,
    pair: Offsets,
}

/// Reads offsets such as `0-1 2-8`.
fn parsed(offsets: &str) -> Vec<(usize, usize)> {
    let parsed = offsets.split(' ').map(|offset| {
        let (start, end) = offset.split_once('-').unwrap();
        (start.parse().unwrap(), end.parse().unwrap())
    });
    parsed.collect()
}

fn byte_level(add_prefix_space: bool) -> Value {
    json!({"type": "ByteLevel", "add_prefix_space": add_prefix_space, "trim_offsets": true, "use_regex": true})
}

fn template() -> Value {
    let special = json!({"SpecialToken": {"id": "<s>", "type_id": 0}});
    let text = |id: &str, type_id: u32| json!({"Sequence": {"id": id, "type_id": type_id}});
    json!({
        "type": "TemplateProcessing",
        "single": [special, text("A", 0)],
        "pair": [special, text("A", 0), special, text("B", 1)],
        "special_tokens": {"<s>": {"id": "<s>", "ids": [257], "tokens": ["<s>"]}},
    })
}

fn cases() -> [Case; 4] {
    [
        Case {
            add_prefix_space: false,
            post_processor: byte_level(false),
            wide: "0-1 2-8 9-9 9-10",
            wider: "0-1 0-1 2-8 8-9 8-9",
            pair: "0-1 0-1 2-2 2-3 0-1 0-1 0-1 2-8",
        },
        Case {
            add_prefix_space: true,
            post_processor: byte_level(true),
            wide: "0-0 0-1 2-8 9-9 9-10",
            wider: "0-0 0-1 0-1 2-8 9-9 8-9 8-9",
            pair: "0-0 0-1 0-1 2-2 2-3 0-0 0-1 0-1 0-1 2-8",
        },
        Case {
            add_prefix_space: false,
            post_processor: json!({"type": "Sequence", "processors": [template(), byte_level(false)]}),
            wide: "0-0 0-1 2-8 9-9 9-10",
            wider: "0-0 0-1 0-1 2-8 8-9 8-9",
            pair: "0-0 0-1 0-1 2-2 2-3 0-0 0-1 0-1 0-1 2-8",
        },
        Case {
            add_prefix_space: true,
            post_processor: json!({"type": "RobertaProcessing", "sep": ["<s>", 257], "cls": ["<s>", 257],
                                   "trim_offsets": true, "add_prefix_space": true}),
            wide: "0-0 0-0 0-1 2-8 9-9 9-10 0-0",
            wider: "0-0 0-0 0-1 0-1 2-8 9-9 8-9 8-9 0-0",
            pair: "0-0 0-0 0-1 0-1 2-2 2-3 0-0 0-0 0-0 0-1 0-1 0-1 2-8 0-0",
        },
    ]
}

/// Creates a byte-level model whose tokens are the 256 bytes, `<mask>` and `<s>`.
fn bytes_model(add_prefix_space: bool, post_processor: &Value) -> TempDir {
    let mut vocabulary = Map::new();
    let mut unprintable = 256..;
    for byte in 0..=255_u32 {
        let printable = matches!(byte, 33..=126 | 161..=172 | 174..=255);
        let code = if printable {
            byte
        } else {
            unprintable.next().unwrap()
        };
        vocabulary.insert(char::from_u32(code).unwrap().to_string(), json!(byte));
    }
    let mut added = Vec::new();
    for (id, content, lstrip) in [(256, "<mask>", true), (257, "<s>", false)] {
        vocabulary.insert(content.to_owned(), json!(id));
        added.push(
            json!({"id": id, "content": content, "lstrip": lstrip, "rstrip": false,
                          "single_word": false, "normalized": false, "special": true}),
        );
    }
    let tokenizer = json!({
        "version": "1.0",
        "added_tokens": added,
        "pre_tokenizer": byte_level(add_prefix_space),
        "post_processor": post_processor,
        "decoder": byte_level(true),
        "model": {"type": "BPE", "vocab": vocabulary, "merges": []},
    });
    let model = tempfile::tempdir().unwrap();
    fs::write(model.path().join("tokenizer.json"), tokenizer.to_string()).unwrap();
    model
}

fn offsets(model: &TempDir, unit: &str, texts: &[&str]) -> Vec<(usize, usize)> {
    let mut args = vec!["tokenize", "--json", "--offset-unit", unit, texts[0]];
    args.extend(texts[1..].iter().flat_map(|pair| ["--pair", pair]));
    let record: Value = serde_json::from_str(&on(model.path(), args).ok()).unwrap();
    serde_json::from_value(record["offsets"].clone()).unwrap()
}

#[test]
fn offsets_are_trimmed_by_characters() {
    for case in cases() {
        let model = bytes_model(case.add_prefix_space, &case.post_processor);
        for (texts, expected) in [
            (&[WIDE_SPACE][..], case.wide),
            (&[WIDER_SPACE], case.wider),
            (&PAIR, case.pair),
        ] {
            let found = offsets(&model, "char", texts);
            assert_eq!(found, parsed(expected), "{texts:?} {}", case.post_processor);
        }
    }
}

#[test]
fn offsets_in_bytes_and_utf16_are_those_of_the_same_characters() {
    for case in cases() {
        let model = bytes_model(case.add_prefix_space, &case.post_processor);
        for (text, in_chars) in [(WIDE_SPACE, case.wide), (WIDER_SPACE, case.wider)] {
            let in_chars = parsed(in_chars);
            let in_bytes = |char: usize| text.chars().take(char).map(char::len_utf8).sum();
            let expected: Vec<(usize, usize)> = in_chars
                .iter()
                .map(|(start, end)| (in_bytes(*start), in_bytes(*end)))
                .collect();
            assert_eq!(offsets(&model, "byte", &[text]), expected, "{text:?}");
            assert_eq!(offsets(&model, "utf16", &[text]), in_chars, "{text:?}");
        }
    }
}
