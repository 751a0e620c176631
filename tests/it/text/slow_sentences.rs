//! What is said of vocabularies that lack something.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::support::{on, repository};

/// Returns a folder with copies of fixtures and other files.
fn folder(copies: &[(&str, &str)], files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let fixtures = repository("tests/fixtures/slow_files");
    for (name, source) in copies {
        fs::copy(fixtures.join(source), folder.path().join(name)).unwrap();
    }
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

fn class(name: &str) -> (&'static str, String) {
    let config = format!(r#"{{"tokenizer_class": "{name}"}}"#);
    ("tokenizer_config.json", config)
}

fn info(folder: &Path) -> String {
    on(folder, ["info"]).ok()
}

#[test]
fn a_class_without_its_file_is_named_with_the_file_that_is_there() {
    for (name, copy, wanted) in [
        (
            "BertTokenizer",
            ("spiece.model", "unigram.model"),
            "vocab.txt",
        ),
        ("T5Tokenizer", ("vocab.txt", "vocab.txt"), "spiece.model"),
        (
            "GPT2Tokenizer",
            ("vocab.txt", "vocab.txt"),
            "vocab.json, merges.txt",
        ),
    ] {
        let (file, config) = class(name);
        let folder = folder(&[copy], &[(file, &config)]);
        let error = on(folder.path(), ["tokenize", "x"]).exit(2).stderr;
        let hint = format!(
            "hint: tokenizer_config.json says that it is a {name}, which is made from {wanted}; it has {}: name that file",
            copy.0
        );
        assert!(error.contains(&hint), "{error}");
    }
    let (file, config) = class("MarianTokenizer");
    let folder = folder(&[("source.spm", "unigram.model")], &[(file, &config)]);
    let error = on(folder.path(), ["tokenize", "x"]).exit(2).stderr;
    let hint =
        "hint: it is a MarianTokenizer, which is made from vocab.json, source.spm, target.spm";
    assert!(error.contains(hint), "{error}");
}

#[test]
fn settings_of_another_type_are_refused_with_the_value() {
    for (file, content, problem) in [
        (
            "added_tokens.json",
            r#"{"a": "b"}"#,
            r#"expected a whole number from 0 to 4294967295, found "b""#,
        ),
        (
            "added_tokens.json",
            "[]",
            "expected a JSON object, found a list",
        ),
        (
            "special_tokens_map.json",
            "[]",
            "expected an object, found a list",
        ),
        (
            "tokenizer_config.json",
            "[]",
            "expected an object, found a list",
        ),
        (
            "tokenizer_config.json",
            r#"{"mask_token": 3}"#,
            "expected a token, or an object with its rules, found 3",
        ),
        (
            "tokenizer_config.json",
            r#"{"model_max_length": "x"}"#,
            r#"expected a number, found "x""#,
        ),
        (
            "special_tokens_map.json",
            r#"{"additional_special_tokens": true}"#,
            "expected a list, found true",
        ),
    ] {
        let folder = folder(&[("vocab.txt", "vocab.txt")], &[(file, content)]);
        let error = on(folder.path(), ["tokenize", "x"]).exit(4).stderr;
        let sentence = format!("{file} is damaged: {problem} at line 1");
        assert!(error.contains(&sentence), "{error}");
    }
}

#[test]
fn a_bad_merge_is_named_by_its_line() {
    for (name, text, line) in [
        ("GPT2Tokenizer", "#version: 0.2\nh e\nbad\nx y\n", 3),
        ("CLIPTokenizer", "\n\n#version: 0.2\nh e\nbad\nx y\n", 5),
        ("Qwen2Tokenizer", "#version: 0.2\n\nh e\n\nbad\n", 5),
    ] {
        let (file, config) = class(name);
        let files = [(file, &*config), ("merges.txt", text)];
        let folder = folder(&[("vocab.json", "vocab.json")], &files);
        let error = on(folder.path(), ["tokenize", "x"]).exit(4).stderr;
        let sentence = format!(r#"merges.txt is damaged: line {line} is "bad""#);
        assert!(error.contains(&sentence), "{error}");
    }
}

#[test]
fn info_names_vocabularies_that_are_not_used() {
    let copies = [
        ("vocab.txt", "vocab.txt"),
        ("spiece.model", "unigram.model"),
    ];
    let sentence = "the tokenizer is made from spiece.model, and not from vocab.txt";
    let answer = info(folder(&copies, &[]).path());
    assert!(
        answer.contains(&format!("warning: {sentence}\n")),
        "{answer}"
    );
    let (file, config) = class("T5Tokenizer");
    let answer = info(folder(&copies, &[(file, &config)]).path());
    assert!(answer.contains(&format!("note: {sentence}\n")), "{answer}");
    let answer = info(folder(&copies[..1], &[]).path());
    assert!(!answer.contains("the tokenizer is made from"), "{answer}");
}

#[test]
fn a_class_that_no_file_names_is_not_said_to_be_named() {
    let copies = [("vocab.json", "vocab.json"), ("merges.txt", "merges.txt")];
    let answer = info(folder(&copies, &[]).path());
    assert!(
        answer.contains("CLIPTokenizerFast, from vocab.json"),
        "{answer}"
    );
    assert!(
        answer.contains("no file of the model names its class"),
        "{answer}"
    );
    assert!(!answer.contains("named in"), "{answer}");
}

#[test]
fn a_vocabulary_without_its_unknown_token_is_reported() {
    let vocabulary = fs::read_to_string(repository("tests/fixtures/slow_files/vocab.txt")).unwrap();
    let (file, config) = class("BertTokenizer");
    let without = vocabulary.replace("[UNK]\n", "");
    let model = folder(&[], &[(file, &config), ("vocab.txt", &without)]);
    let answer = info(model.path());
    let sentence = "warning: vocab.txt lacks the unknown token [UNK]: a text with a word that its pieces cannot spell";
    assert!(answer.contains(sentence), "{answer}");
    on(model.path(), ["tokenize", "hello"]).ok();
    let error = on(model.path(), ["tokenize", "hello %"]).exit(4).stderr;
    let sentence =
        "vocab.txt is damaged: it lacks the unknown token [UNK], which stands for a word";
    assert!(error.contains(sentence), "{error}");
    let whole = folder(&[("vocab.txt", "vocab.txt")], &[(file, &config)]);
    let answer = info(whole.path());
    assert!(!answer.contains("lacks"), "{answer}");
}

#[test]
fn verify_of_a_translation_model_has_nothing_to_compare() {
    let copies = [
        ("source.spm", "unigram.model"),
        ("target.spm", "unigram.model"),
    ];
    let (file, config) = class("MarianTokenizer");
    let pieces = r#"{"</s>": 0, "<unk>": 1, "<pad>": 2}"#;
    let model = folder(&copies, &[(file, &config), ("vocab.json", pieces)]);
    let error = on(model.path(), ["verify", "--", "source.spm"])
        .exit(2)
        .stderr;
    assert!(error.contains("so there is nothing to compare"), "{error}");
    assert!(!error.contains("--engine"), "{error}");
}
