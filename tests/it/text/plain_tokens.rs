//! Compares the engines on added tokens of which only some are special, with special ones taken as text.

use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokscope::tokenizer::native::alphabet;
use tokscope::tokenizer::{EncodeOptions, EngineChoice};

use crate::text::engines::{Engines, compare_texts, generated};
use crate::text::families::{self, added};

/// Returns added tokens that overlap: of each kind, one is found in the other or begins in it. The ids follow `first`.
/// Without `normalized`, all are found in the raw text.
fn tokens(first: u32, normalized: bool) -> Vec<Value> {
    let special: [(&str, &[&str]); 5] = [
        ("<x>", &["special"]),
        ("<p>a", &["special", "rstrip"]),
        ("[s]", &["special", "lstrip", "normalized"]),
        ("{n}", &["special", "normalized", "single_word"]),
        ("ban", &["special", "single_word"]),
    ];
    let plain: [(&str, &[&str]); 6] = [
        ("<p>", &["lstrip"]),
        ("x>ba", &[]),
        ("co<x", &["rstrip"]),
        ("s]b", &["normalized"]),
        ("{n}{", &["normalized", "lstrip", "rstrip"]),
        ("din", &["normalized", "single_word"]),
    ];
    let all = (first..).zip(special.into_iter().chain(plain));
    all.map(|(id, (content, rules))| {
        let rules: Vec<&str> = (rules.iter().copied())
            .filter(|rule| normalized || *rule != "normalized")
            .collect();
        added(id, content, &rules)
    })
    .collect()
}

fn texts() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "<x>", "<p>", "<p>a", "[s]", "{n}", "ban", "x>ba", "co<x", "s]b", "{n}{", "din", " ", "  ",
        "\n", "a", "banco", "dinero", "b", "é", "e\u{301}", "▁", ">", "A", "漢字",
    ]);
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

/// Compares the engines, and asserts that the native one does not leave a text to the other.
fn compare(engines: Engines, cases: u32) {
    assert!(engines.native.is_native());
    compare_texts(&engines, &texts(), cases);
    let words = "banco <x>ba din {n}{ dinero [s]b <p>a, ".repeat(200);
    engines.compare(&words, None);
    let native = engines.native.with_engine(EngineChoice::Native);
    let options = EncodeOptions::default().parse_special(false);
    let has_template = native.encode("a", None, &options).is_ok();
    assert!(has_template && native.count(&words, &options).is_ok());
}

#[test]
fn engines_agree_on_plain_tokens_of_unigram_families() {
    for family in families::families() {
        let folder = TempDir::new().unwrap();
        let mut all = families::added_tokens()[0].clone();
        let first = all.iter().filter_map(|token| token["id"].as_u64()).max();
        all.extend(tokens(first.unwrap() as u32 + 1, true));
        println!("{}", family.name);
        compare(families::open(folder.path(), &family, &all), generated(60));
    }
}

/// A byte-level model, one of a whole text, one of words, and steps of the `tokenizers` crate.
fn others() -> [Value; 6] {
    let bytes = (0..=u8::MAX).map(|byte| alphabet::character(byte).to_string());
    let byte_pieces = (0..=u8::MAX).map(|byte| format!("<{byte:#04X}>"));
    let words = [
        "[UNK]", "▁", "a", "ba", "b", "co", "din", "##a", "##n", "##co", "an", "ero",
    ];
    let pieces = bytes.chain(byte_pieces).chain(words.map(str::to_owned));
    let mut vocab = serde_json::Map::new();
    for piece in pieces {
        let id = vocab.len();
        vocab.entry(piece).or_insert(json!(id));
    }
    let bpe = json!({"type": "BPE", "vocab": vocab, "merges": ["b a", "a n", "c o"]});
    let mut spelled = bpe.clone();
    spelled["byte_fallback"] = json!(true);
    let word_piece = json!({
        "type": "WordPiece", "vocab": vocab, "unk_token": "[UNK]", "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 100,
    });
    let file = |normalizer: Value, pre_tokenizer: Value, model: &Value| {
        json!({
            "version": "1.0", "post_processor": null, "decoder": null,
            "normalizer": normalizer, "pre_tokenizer": pre_tokenizer, "model": model,
        })
    };
    let byte_level = json!({
        "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true,
    });
    let metaspace = json!({
        "type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": false,
    });
    let bert = json!({
        "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null,
        "lowercase": true,
    });
    let lowercase = json!({"type": "Lowercase"});
    [
        file(Value::Null, byte_level.clone(), &bpe),
        file(json!({"type": "NFC"}), byte_level.clone(), &bpe),
        file(Value::Null, metaspace, &spelled),
        file(bert, json!({"type": "BertPreTokenizer"}), &word_piece),
        file(lowercase.clone(), byte_level, &bpe),
        file(lowercase, json!({"type": "Whitespace"}), &word_piece),
    ]
}

#[test]
fn engines_agree_on_plain_tokens_of_other_models() {
    for mut file in others() {
        for normalized in [false, true] {
            let folder = TempDir::new().unwrap();
            file["added_tokens"] = tokens(1000, normalized).into();
            let engines = Engines::open_json(folder.path(), &file);
            println!("{:?} {}", engines.native.engine(), file["pre_tokenizer"]);
            compare(engines, generated(150));
        }
    }
}
