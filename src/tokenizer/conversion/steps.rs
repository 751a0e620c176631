//! Steps of a `tokenizer.json`, as the `tokenizers` crate writes them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// The mark of a word's start in SentencePiece vocabularies.
pub const SPACE_MARK: &str = "▁";

pub fn replace(text: &str, content: &str) -> Value {
    json!({"type": "Replace", "pattern": {"String": text}, "content": content})
}

pub fn replace_all(regex: &str, content: &str) -> Value {
    json!({"type": "Replace", "pattern": {"Regex": regex}, "content": content})
}

pub fn normalizers(steps: Vec<Value>) -> Value {
    json!({"type": "Sequence", "normalizers": steps})
}

pub fn pre_tokenizers(steps: &[Value]) -> Value {
    json!({"type": "Sequence", "pretokenizers": steps})
}

pub fn decoders(steps: Vec<Value>) -> Value {
    json!({"type": "Sequence", "decoders": steps})
}

/// A step without settings.
pub fn plain(kind: &str) -> Value {
    json!({"type": kind})
}

pub fn precompiled(charsmap: &[u8]) -> Value {
    json!({"type": "Precompiled", "precompiled_charsmap": STANDARD.encode(charsmap)})
}

pub fn metaspace(prepend_scheme: &str, split: bool) -> Value {
    json!({"type": "Metaspace", "replacement": SPACE_MARK, "prepend_scheme": prepend_scheme, "split": split})
}

pub fn byte_level(add_prefix_space: bool, trim_offsets: bool, use_regex: bool) -> Value {
    json!({
        "type": "ByteLevel",
        "add_prefix_space": add_prefix_space,
        "trim_offsets": trim_offsets,
        "use_regex": use_regex,
    })
}

pub fn split(regex: &str, behavior: &str, invert: bool) -> Value {
    json!({"type": "Split", "pattern": {"Regex": regex}, "behavior": behavior, "invert": invert})
}

pub fn bert_normalizer(chinese: bool, strip_accents: Option<bool>, lowercase: bool) -> Value {
    json!({
        "type": "BertNormalizer",
        "clean_text": true,
        "handle_chinese_chars": chinese,
        "strip_accents": strip_accents,
        "lowercase": lowercase,
    })
}

/// The decoder of byte fallback. If `strip`, the space of the first word is left out.
pub fn byte_fallback_decoder(strip: bool) -> Value {
    let mut steps = vec![
        replace(SPACE_MARK, " "),
        plain("ByteFallback"),
        plain("Fuse"),
    ];
    if strip {
        steps.push(json!({"type": "Strip", "content": " ", "start": 1, "stop": 0}));
    }
    decoders(steps)
}
