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

#[test]
fn sentences_name_the_file_that_the_model_has() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let stderr = |path: &Path, exit: i32| on(path, ["tokenize", "x"]).exit(exit).stderr;
    write("words.txt", "[UNK]\nx\n");
    let answer = stderr(&folder.path().join("words.txt"), 4);
    let sentence = "error: words.txt is not supported: no file names the class of the tokenizer\n";
    assert!(answer.starts_with(sentence), "{answer}");
    write("words.txt", "[UNK]\n[CLS]\n[SEP]\nx\n");
    let path = folder.path().join("words.txt");
    let answer = on(&path, ["tokenize", "--ids", "x"]).exit(0);
    let note =
        "note: words.txt is read as BertTokenizer's, but no file of the model names its class\n";
    assert_eq!(answer.stderr, note);
    let named = on(&path, ["info", "--get", "tokenizer.file"]).ok();
    assert_eq!(named, "words.txt\n");

    write("vocab.json", "{\"a\": 0}");
    let answer = stderr(folder.path(), 2);
    let sentence = format!(
        "error: directory {} has no merges.txt beside its vocab.json\n",
        folder.path().display()
    );
    assert!(answer.starts_with(&sentence), "{answer}");
    write("m-vocab.json", "{\"a\": 0}");
    let path = folder.path().join("m-vocab.json");
    let answer = stderr(&path, 2);
    let sentence = format!(
        "error: {} has no file of merges beside it\n",
        path.display()
    );
    assert!(answer.starts_with(&sentence), "{answer}");
    assert!(
        answer.contains("hint: put m-merges.txt beside it\n"),
        "{answer}"
    );
    fs::remove_file(folder.path().join("vocab.json")).unwrap();
    write("merges.txt", "#version: 0.2\n");
    let answer = stderr(folder.path(), 2);
    assert!(
        answer.contains(" has no vocab.json beside its merges.txt\n"),
        "{answer}"
    );
}

#[test]
fn the_hint_names_a_vocabulary_that_the_directory_has() {
    let model = folder_without_checkpoint();
    let folder = model.path();
    let hinted = |what: &str, name: &str| {
        let answer = on(folder, ["tokenize", "x"]).exit(2).stderr;
        assert!(
            answer.contains(&format!(" has no tokenizer.json and no {what}\n")),
            "{answer}"
        );
        let path = folder.join(name);
        let hint = format!(
            "it has {name}: name that file, as in `--model {}`\n",
            path.display()
        );
        assert!(answer.ends_with(&hint), "{answer}");
        on(&path, ["tokenize", "x"]).exit(0);
    };
    fs::rename(folder.join("spm.model"), folder.join("pieces.model")).unwrap();
    hinted("spm.model", "pieces.model");
    fs::write(
        folder.join("tokenizer_config.json"),
        r#"{"tokenizer_class": "BertTokenizer"}"#,
    )
    .unwrap();
    hinted("vocab.txt", "pieces.model");
}

#[test]
fn an_empty_file_of_any_kind_is_called_empty() {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "tokenizer.json",
        "tekken.json",
        "vocab.json",
        "vocab.txt",
        "x.model",
        "x.tiktoken",
        "x.gguf",
        "x.safetensors",
        "x.npy",
        "x.vec",
    ] {
        let path = folder.path().join(name);
        fs::write(&path, "").unwrap();
        let sentence = format!("error: {} is damaged: it is empty\n", path.display());
        for args in [&["tokenize", "x"][..], &["embed", "--id", "1"]] {
            let answer = on(&path, args).exit(4).stderr;
            assert!(answer.starts_with(&sentence), "{answer}");
        }
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn a_file_in_the_current_folder_is_named_without_one() {
    let model = folder_without_checkpoint();
    let here = |args: &[&str]| {
        demo(args)
            .current_dir(model.path())
            .env("TOKSCOPE_MODEL", "spm.model")
    };
    let files = here(&["info", "--get", "files"]).ok();
    assert!(
        files.contains("config.json") && files.contains("spm.model"),
        "{files}"
    );
    for args in [&["tokenize", "x"][..], &["lock"], &["check"]] {
        here(args).exit(0);
    }
}

#[test]
fn a_file_of_a_directory_is_chosen_by_an_option() {
    let model = folder_without_checkpoint();
    let folder = model.path();
    fs::rename(folder.join("spm.model"), folder.join("a:b.model")).unwrap();
    let ids = |args: &[&str]| on(folder, [args, &["tokenize", "--ids", "x"]].concat());
    let expected = demo(["tokenize", "--ids", "x"]).exit(0).stdout;
    assert_eq!(ids(&["--model-file", "a:b.model"]).exit(0).stdout, expected);
    for (name, problem) in [
        ("nowhere.model", "there is no such file"),
        (
            "/etc/passwd",
            "`--model-file` must be the name of a file in ",
        ),
        ("", "`--model-file` must be the name of a file in "),
    ] {
        let answer = ids(&["--model-file", name]).exit(2).stderr;
        assert!(answer.contains(problem), "{answer}");
    }
    let file = folder.join("a:b.model");
    let answer = on(&file, ["--model-file", "x", "info"]).exit(2).stderr;
    assert!(
        answer.contains("`--model-file` is for directories and repositories"),
        "{answer}"
    );
    let answer = demo(["--model-file", "x", "info"]).exit(2).stderr;
    assert!(answer.contains("not for `demo`"), "{answer}");
}
