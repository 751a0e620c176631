//! `tokenizer.json` files that are valid JSON but contradict themselves, so that the `tokenizers` crate panics. The
//! program reports an error.

use std::fs;

use crate::support::{make_pipe, on};

/// Fields added to a file with a small WordLevel model, and a command that uses them.
const CONTRADICTIONS: &[(&str, &[&str])] = &[
    (
        r#""post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}},
            {"Sequence": {"id": "A", "type_id": 0}}], "pair": [], "special_tokens": {}}"#,
        &["tokenize", "a"],
    ),
    (
        r#""post_processor": {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "B", "type_id": 0}}],
            "pair": [], "special_tokens": {}}"#,
        &["tokenize", "a"],
    ),
    (
        r#""normalizer": {"type": "Precompiled", "precompiled_charsmap": null}"#,
        &["tokenize", "a"],
    ),
    (
        r#""pre_tokenizer": {"type": "FixedLength", "length": 0}"#,
        &["tokenize", "a"],
    ),
    (
        r#""decoder": {"type": "Strip", "content": "a", "start": 1000000000, "stop": 1000000000}"#,
        &["decode", "0", "1", "2"],
    ),
];

#[test]
fn a_tokenizer_that_contradicts_itself_is_damaged() {
    for (part, args) in CONTRADICTIONS {
        let model = tempfile::tempdir().unwrap();
        let json = format!(
            r#"{{{part}, "model": {{"type": "WordLevel", "vocab": {{"[UNK]": 0, "[CLS]": 1, "a": 2}}, "unk_token": "[UNK]"}}}}"#
        );
        fs::write(model.path().join("tokenizer.json"), json).unwrap();
        let answer = on(model.path(), *args).exit(4);
        let sentence =
            "tokenizer.json is damaged: the `tokenizers` crate of the reference cannot use it\n";
        assert!(
            answer.stderr.ends_with(sentence),
            "{part}: {}",
            answer.stderr
        );
        assert_eq!(answer.stdout, "");
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_in_place_of_a_file_is_refused_without_waiting() {
    let model = tempfile::tempdir().unwrap();
    let pipe = model.path().join("tokenizer.json");
    make_pipe(&pipe);
    let answer = on(model.path(), ["tokenize", "a"]).exit(4);
    assert!(
        answer
            .stderr
            .ends_with("tokenizer.json: not a regular file\n"),
        "{}",
        answer.stderr
    );
}
