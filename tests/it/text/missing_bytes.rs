//! Compares the engines on byte-level models that lack pieces for some bytes.

use proptest::prelude::*;
use serde_json::{Value, json};
use tokscope::tokenizer::native::alphabet;

use crate::text::engines::{Engines, compare_generated, compare_texts, generated};

/// Returns a model without the pieces of some bytes, with a few merges. `settings` are added to it.
fn model(missing: &[u8], settings: &Value) -> Value {
    let suffix = settings["end_of_word_suffix"].as_str().unwrap_or_default();
    let byte_pieces = settings["byte_fallback"] == true;
    let bytes = (0..=u8::MAX).filter(|byte| !missing.contains(byte));
    let characters = bytes.map(|byte| alphabet::character(byte).to_string());
    let mut pieces = vec!["[UNK]".to_owned()];
    for character in characters {
        if !suffix.is_empty() {
            pieces.push(format!("{character}{suffix}"));
        }
        pieces.push(character);
    }
    if byte_pieces {
        pieces.extend((0..=u8::MAX).map(|byte| format!("<{byte:#04X}>")));
    }
    let mut merges = Vec::new();
    for pair in [
        "b a", "n c", "ba nc", "e r", "Ġ d", "Ġ ba", "[UNK] a", "ð Ł",
    ] {
        let (left, right) = pair.split_once(' ').unwrap();
        let has = |piece: &str| pieces.iter().any(|other| other == piece);
        if has(left) && has(right) {
            merges.push(pair);
            pieces.push(format!("{left}{right}"));
        }
    }
    // Found as a whole if merges are ignored, although a byte of it has no piece.
    pieces.push("dzn".to_owned());
    let vocab: serde_json::Map<String, Value> = (pieces.into_iter().zip(0..))
        .map(|(piece, id)| (piece, json!(id)))
        .collect();
    let mut model = json!({"type": "BPE", "vocab": vocab, "merges": merges});
    let fields = model.as_object_mut().unwrap();
    fields.extend(settings.as_object().unwrap().clone());
    model
}

fn open(folder: &std::path::Path, model: &Value, adds_space: bool, use_regex: bool) -> Engines {
    let file = json!({
        "version": "1.0", "normalizer": null, "decoder": null,
        "added_tokens": [{
            "id": 0, "content": "[UNK]", "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true,
        }],
        "pre_tokenizer": {
            "type": "ByteLevel", "add_prefix_space": adds_space, "trim_offsets": true, "use_regex": use_regex,
        },
        "post_processor": {
            "type": "ByteLevel", "add_prefix_space": adds_space, "trim_offsets": true, "use_regex": true,
        },
        "model": model,
    });
    Engines::open_json(folder, &file)
}

/// Texts in which most characters have a byte without a piece.
fn texts() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "z",
        "zz",
        "azb",
        "banco",
        " ",
        "  ",
        " dzn",
        "!",
        "!!",
        "ñ",
        "é",
        "漢字",
        "👍🏽",
        "\u{f0000}",
        "\u{100000}a",
        "\n",
        "\u{3}",
        "dinero z",
        "[UNK]",
        "12345",
        "z!",
    ]);
    prop::collection::vec(part, 0..14).prop_map(|parts| parts.concat())
}

/// Bytes that no text lacks, those of rare characters, and most of them.
fn missing() -> [Vec<u8>; 4] {
    [
        vec![b'z', b'!'],
        vec![3, 0xc0, 0xf1, 0xf2, 0xf3, 0xf4],
        vec![b' ', b'z', b'\n', 0xa9, 0xbc, 0x9f, 0x8f],
        (0..=u8::MAX)
            .filter(|byte| !b"abncder ".contains(byte))
            .collect(),
    ]
}

#[test]
fn engines_agree_on_bytes_without_a_piece() {
    let folder = tempfile::tempdir().unwrap();
    let settings = [
        json!({}),
        json!({"unk_token": "[UNK]"}),
        json!({"unk_token": "[UNK]", "fuse_unk": true}),
        json!({"unk_token": "[UNK]", "fuse_unk": true, "ignore_merges": true}),
        json!({"ignore_merges": true}),
        json!({"unk_token": "[UNK]", "end_of_word_suffix": "</w>"}),
        json!({"end_of_word_suffix": "</w>"}),
        json!({"byte_fallback": true}),
        json!({"unk_token": "[UNK]", "byte_fallback": true}),
    ];
    for missing in missing() {
        for settings in &settings {
            for (adds_space, use_regex) in [(false, true), (true, true), (false, false)] {
                let model = model(&missing, settings);
                let engines = open(folder.path(), &model, adds_space, use_regex);
                let (engine, reason) = engines.native.engine();
                assert_eq!(engine, "native", "{settings}");
                let is_unknown =
                    settings.get("unk_token").is_some() && settings.get("byte_fallback").is_none();
                let lacks_added_space = adds_space && missing.contains(&b' ') && !is_unknown;
                assert_eq!(reason.ends_with("is known"), !lacks_added_space, "{reason}");
                compare_texts(&engines, &texts(), generated(10));
                compare_generated(&engines, generated(2));
            }
        }
    }
}

/// Long texts are taken in parts, and enough words fill the cache.
#[test]
fn long_texts_with_bytes_without_a_piece_have_the_tokens_of_the_crate() {
    let folder = tempfile::tempdir().unwrap();
    for settings in [json!({}), json!({"unk_token": "[UNK]", "fuse_unk": true})] {
        for missing in missing() {
            let engines = open(folder.path(), &model(&missing, &settings), false, true);
            let words = "banco dinero, zanco 12! \u{f0000}a é ".repeat(150);
            engines.compare(&words, None);
            let rare = format!("{0}z{0}\u{f0000} {0}", "banco dinero ".repeat(320));
            engines.compare(&rare, None);
        }
    }
}
