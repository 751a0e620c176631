//! Models that are one file.

use std::fs;
use std::path::Path;

use crate::support::{demo, folder_without_checkpoint, on};

fn ids(model: &Path) -> String {
    let text = "il banco di prova";
    on(model, ["tokenize", "--ids", text]).exit(0).stdout
}

#[test]
fn a_file_with_any_name_is_read_with_the_settings_beside_it() {
    let model = folder_without_checkpoint();
    let expected = demo(["tokenize", "--ids", "il banco di prova"])
        .exit(0)
        .stdout;
    let folder = model.path();
    assert_eq!(ids(&folder.join("spm.model")), expected);
    fs::rename(folder.join("spm.model"), folder.join("my-pieces")).unwrap();
    assert_eq!(ids(&folder.join("my-pieces")), expected);
    let answer = on(&folder.join("my-pieces"), ["info", "--get", "files"])
        .exit(0)
        .stdout;
    assert!(
        answer.contains("my-pieces") && answer.contains("config.json"),
        "{answer}"
    );

    let json = folder.join("converted");
    let to = [
        "convert",
        "--to",
        "tokenizer.json",
        "-o",
        json.to_str().unwrap(),
    ];
    on(&folder.join("my-pieces"), to).exit(0);
    assert_eq!(ids(&json), expected);
    // Its own folder would be read with the SentencePiece file, if that had its usual name.
    fs::remove_file(folder.join("my-pieces")).unwrap();
    assert_eq!(ids(&json), expected);
}

#[test]
fn a_vocab_json_is_read_with_the_merges_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write(
        "tokenizer_config.json",
        r#"{"tokenizer_class": "GPT2Tokenizer"}"#,
    );
    write(
        "m-vocab.json",
        r#"{"a": 0, "b": 1, "ab": 2, "<|endoftext|>": 3}"#,
    );
    write("m-merges.txt", "#version: 0.2\na b\n");
    let answer = on(
        &folder.path().join("m-vocab.json"),
        ["tokenize", "--ids", "abba"],
    )
    .exit(0);
    assert_eq!(answer.stdout, "2 1 0\n");
    let answer = on(&folder.path().join("m-merges.txt"), ["tokenize", "abba"]).exit(4);
    assert!(
        answer.stderr.contains("it is neither a tokenizer nor"),
        "{}",
        answer.stderr
    );
}

#[test]
fn a_checkpoint_that_is_named_is_read_with_the_tokenizer_beside_it() {
    let folder = folder_without_checkpoint();
    let tiny = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tiny");
    fs::copy(
        tiny.join("f32.safetensors"),
        folder.path().join("any.safetensors"),
    )
    .unwrap();
    let named = folder.path().join("any.safetensors");
    let answer = on(&named, ["embed", "--id", "1", "--json"]).exit(0).stdout;
    assert!(answer.contains("\"piece\""), "{answer}");
    let alone = tiny.join("f32.safetensors");
    let answer = on(&alone, ["embed", "--id", "1", "--json"]).exit(0).stdout;
    assert!(!answer.contains("\"piece\""), "{answer}");
}

#[test]
fn a_file_of_no_known_kind_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    for (name, content, problem) in [
        ("x.png", "\u{89}PNG", "it is neither a tokenizer nor"),
        (
            "config.json",
            "{\"model_type\": \"bert\"}",
            "it is neither a tokenizer nor",
        ),
        (
            "x",
            "version https://git-lfs.github.com/spec/v1\n",
            "it is a git-LFS pointer",
        ),
        ("empty", "", "it is empty"),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        let answer = on(&path, ["tokenize", "x"]).exit(4);
        assert!(answer.stderr.contains(problem), "{}", answer.stderr);
        assert!(answer.stderr.contains(name), "{}", answer.stderr);
    }
    let answer = on(&folder.path().join("nowhere.model"), ["tokenize", "x"]).exit(2);
    assert!(
        answer.stderr.contains("there is no such file"),
        "{}",
        answer.stderr
    );
}
