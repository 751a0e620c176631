//! Small tokenizers of families that the built-in model is not of, and the real ones of the shared data.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

/// Returns folders with tokenizers of three BPE families, which join white space as the real ones do.
pub fn small_families() -> Vec<(&'static str, TempDir)> {
    let families = [
        ("byte-level", byte_level("")),
        ("end-of-word suffix", byte_level("</w>")),
        ("byte fallback", byte_fallback()),
    ];
    let write = |(name, tokenizer): (&'static str, Value)| {
        let folder = TempDir::new().unwrap();
        let json = serde_json::to_vec(&tokenizer).unwrap();
        fs::write(folder.path().join("tokenizer.json"), json).unwrap();
        (name, folder)
    };
    families.into_iter().map(write).collect()
}

/// Returns the folders of the real tokenizers in the shared data.
pub fn real_families(shared: &Path) -> Vec<PathBuf> {
    let models = fs::read_dir(shared.join("models")).unwrap();
    let mut folders: Vec<PathBuf> = models.map(|entry| entry.unwrap().path()).collect();
    folders.retain(|folder| {
        folder.join("tokenizer.json").exists() || folder.join("spm.model").exists()
    });
    folders.sort();
    assert!(folders.len() > 10);
    folders
}

/// Returns a byte-level BPE tokenizer, whose words end in `suffix`.
fn byte_level(suffix: &str) -> Value {
    let mut pieces: Vec<String> = ["<s>", "</s>", "<mask>"].map(str::to_owned).into();
    let bytes: Vec<String> = (0..=255).map(|byte| visible(byte).to_string()).collect();
    pieces.extend(bytes.iter().cloned());
    let mut merges = Vec::new();
    if suffix.is_empty() {
        for space in ["Ġ", "Ċ"] {
            for length in [1, 2, 4] {
                let half = space.repeat(length);
                merges.push(json!([half, half]));
                pieces.push(half.repeat(2));
            }
        }
    } else {
        pieces.extend(bytes.iter().map(|byte| format!("{byte}{suffix}")));
    }
    json!({
        "version": "1.0",
        "added_tokens": added_tokens(),
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true},
        "post_processor": {
            "type": "RobertaProcessing", "cls": ["<s>", 0], "sep": ["</s>", 1],
            "trim_offsets": true, "add_prefix_space": false,
        },
        "model": {
            "type": "BPE", "vocab": vocabulary(&pieces), "merges": merges,
            "end_of_word_suffix": (!suffix.is_empty()).then_some(suffix),
        },
    })
}

/// Returns a BPE tokenizer of characters, which spells the others in bytes.
fn byte_fallback() -> Value {
    let mut pieces: Vec<String> = ["<s>", "</s>", "<mask>", "<unk>"].map(str::to_owned).into();
    pieces.extend((0..=255).map(|byte| format!("<0x{byte:02X}>")));
    pieces.extend(["▁", "a", "b", ".", "▁▁", "▁▁▁▁"].map(str::to_owned));
    json!({
        "version": "1.0",
        "added_tokens": added_tokens(),
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "Prepend", "prepend": "▁"},
            {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
        ]},
        "model": {
            "type": "BPE", "vocab": vocabulary(&pieces), "unk_token": "<unk>",
            "merges": [["▁", "▁"], ["▁▁", "▁▁"]], "byte_fallback": true, "fuse_unk": true,
        },
    })
}

fn added_tokens() -> Value {
    let token = |id: u32, content: &str, lstrip: bool| {
        json!({
            "id": id, "content": content, "special": true, "normalized": false,
            "lstrip": lstrip, "rstrip": false, "single_word": false,
        })
    };
    json!([
        token(0, "<s>", false),
        token(1, "</s>", false),
        token(2, "<mask>", true),
    ])
}

fn vocabulary(pieces: &[String]) -> BTreeMap<&String, usize> {
    pieces.iter().zip(0..).collect()
}

/// Returns the character that byte-level vocabularies write for a byte: printable ones stand for themselves.
fn visible(byte: u8) -> char {
    let is_printable = |byte: &u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    if is_printable(&byte) {
        return char::from(byte);
    }
    let hidden_before = (0..byte).filter(|byte| !is_printable(byte)).count();
    char::from_u32(0x100 + hidden_before as u32).unwrap()
}
