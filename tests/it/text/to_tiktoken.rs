//! Byte-level BPE as the tokens with ranks of tiktoken.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::Digest as _;
use tempfile::TempDir;
use tokscope::model_ref::ENCODINGS;

use super::ranks::{Encoding, fixture};
use crate::support::{Answer, on, shared};

/// Converts to tokens with ranks. Returns the answer, and the file.
fn to_tiktoken(model: &Path, name: &str) -> (Answer, TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    let args = ["convert", "--to", "tiktoken", "-o"].map(OsStr::new);
    let answer = on(model, args.into_iter().chain([path.as_os_str()])).run();
    (answer, folder, path)
}

/// The `tokenizer.json` of a model, made from the fixture, with changes.
fn changed_json(change: impl FnOnce(&mut serde_json::Value)) -> (TempDir, PathBuf) {
    let encoding = Encoding::new("o200k_base");
    let json = on(
        encoding.path(),
        ["convert", "--to", "tokenizer.json", "-o", "-"],
    )
    .ok();
    let mut json: serde_json::Value = serde_json::from_str(&json).unwrap();
    change(&mut json);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokenizer.json");
    fs::write(&path, json.to_string()).unwrap();
    (folder, path)
}

#[test]
fn byte_level_bpe_is_converted_to_tokens_with_ranks() {
    // There and back.
    let (model, _) = changed_json(|_| ());
    let (answer, _folder, path) = to_tiktoken(model.path(), "o200k_base.tiktoken");
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    assert!(
        answer.stderr.contains("pat_str is r\""),
        "{}",
        answer.stderr
    );
    let mut lines: Vec<String> = fs::read_to_string(&path)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    let mut expected: Vec<String> = fs::read_to_string(fixture("tokens.tiktoken"))
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    lines.sort_unstable();
    expected.sort_unstable();
    assert_eq!(lines, expected);
    let text = ["tokenize", "--ids", "aaaaaaa aaaa ab 1234 <|endoftext|> é"];
    assert_eq!(on(&path, text).ok(), on(model.path(), text).ok());
}

/// The published files of OpenAI come out of the `tokenizer.json` files that others made of them.
#[test]
fn the_published_tokens_are_converted_back_byte_for_byte() {
    let Some(shared) = shared("the_published_tokens_are_converted_back_byte_for_byte") else {
        return;
    };
    for (model, encoding) in [("gpt-4o", "o200k_base"), ("gpt2", "r50k_base")] {
        let (answer, _folder, path) = to_tiktoken(&shared.join("models").join(model), "t.tiktoken");
        assert_eq!(answer.code, 0, "{}", answer.stderr);
        let digest = sha2::Sha256::digest(fs::read(path).unwrap());
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let published = ENCODINGS.iter().find(|one| one.name == encoding);
        assert_eq!(digest, published.unwrap().file.sha256, "{model}");
    }
}

#[test]
fn what_tiktoken_would_tokenize_otherwise_is_refused_with_the_reason() {
    type Change = fn(&mut serde_json::Value);
    let changes: [(Change, &str); 8] = [
        (
            |json| json["model"]["merges"].as_array_mut().unwrap().swap(3, 4),
            "does not have the rank of its id",
        ),
        (
            |json| drop(json["model"]["merges"].as_array_mut().unwrap().remove(7)),
            "it has no merge of ",
        ),
        (
            |json| json["normalizer"] = serde_json::json!({"type": "NFC"}),
            "it changes texts before it splits them",
        ),
        (
            |json| json["pre_tokenizer"] = serde_json::json!({"type": "Whitespace"}),
            "it does not split texts by one known regular expression",
        ),
        (
            |json| json["added_tokens"][0]["lstrip"] = true.into(),
            "has rules about the text around it",
        ),
        (
            |json| {
                let mut token = json["added_tokens"][0].clone();
                token["content"] = "<|endoftext|>x".into();
                token["id"] = 200_019.into();
                json["added_tokens"].as_array_mut().unwrap().push(token);
            },
            "its added token \"<|endoftext|>x\" starts with another",
        ),
        (
            |json| json["model"]["end_of_word_suffix"] = "</w>".into(),
            "its pieces tell the parts of a word apart",
        ),
        (
            |json| {
                json["model"]["vocab"]["aqaq"] = 700.into();
                json["model"]["ignore_merges"] = false.into();
            },
            "1 of its pieces are never made of their bytes",
        ),
    ];
    for (change, reason) in changes {
        let (model, _) = changed_json(change);
        let (answer, _folder, path) = to_tiktoken(model.path(), "t.tiktoken");
        assert_eq!(answer.code, 4, "{reason}: {}", answer.stderr);
        assert!(
            answer.stderr.contains(reason),
            "{reason}: {}",
            answer.stderr
        );
        assert!(!path.exists());
    }
    let (answer, ..) = to_tiktoken(Path::new("demo"), "t.tiktoken");
    let reason = "tiktoken would not have its tokens: its algorithm is Unigram, not byte-level BPE\n\nhint: `--to tokenizer.json`";
    assert!(answer.stderr.contains(reason), "{}", answer.stderr);
}
