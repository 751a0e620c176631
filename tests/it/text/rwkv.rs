//! The vocabulary of RWKV's World models, against the Python package rwkv 0.8.32.

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;

use serde::Deserialize;
use tokscope::model_ref::ModelRef;
use tokscope::tokenizer::{EncodeOptions, EngineChoice, Tokenizer};

use crate::support::{files, json_lines, on, repository};

/// A line of `golden.jsonl`, which `make_golden.py` describes.
#[derive(Deserialize)]
struct Golden {
    text: String,
    ids: Vec<u32>,
}

const NAME: &str = "rwkv_vocab_small.txt";

fn vocabulary() -> PathBuf {
    repository("tests/fixtures/rwkv").join(NAME)
}

#[test]
fn the_longest_tokens_are_those_of_the_python_package() {
    let native = Tokenizer::open(&files(&ModelRef::File(vocabulary()))).unwrap();
    assert!(native.is_native());
    let reference = Tokenizer::open(&files(&ModelRef::File(vocabulary()))).unwrap();
    let reference = reference.with_engine(EngineChoice::Reference);
    let golden: Vec<Golden> = json_lines(&repository("tests/fixtures/rwkv/golden.jsonl"));
    assert!(golden.len() > 400);
    for Golden { text, ids } in golden {
        let options = EncodeOptions::default();
        let encoding = native.encode(&text, None, &options).unwrap();
        assert_eq!(encoding.into_first().ids, ids, "{text:?}");
        assert_eq!(native.ids(&text, &options).unwrap(), ids, "{text:?}");
        assert_eq!(native.count(&text, &options).unwrap(), ids.len());
        assert_eq!(reference.ids(&text, &options).unwrap(), ids, "{text:?}");
        assert_eq!(native.decode(&ids, false).unwrap(), text);
        assert_eq!(reference.decode(&ids, true).unwrap(), text);
    }
    // A long text is one word.
    let text = "The longest token, again and again. ".repeat(30_000);
    let ids = native.ids(&text, &EncodeOptions::default()).unwrap();
    assert_eq!(native.decode(&ids, false).unwrap(), text);
}

/// Models end a text with the id 0, which is not in the file.
#[test]
fn the_end_of_a_text_has_no_token() {
    let answer = on(&vocabulary(), ["decode", "98", "0"]).exit(2);
    assert!(answer.stderr.contains("error: "), "{}", answer.stderr);
    assert_eq!(on(&vocabulary(), ["decode", "98"]).ok(), "J\n");
    let info = on(&vocabulary(), ["info"]).ok();
    assert!(!info.contains("[UNK]"), "{info}");
    let ids = on(&vocabulary(), ["tokenize", "--ids", "<|endoftext|>"]).ok();
    assert!(ids.split(' ').count() > 3, "{ids}");
}

#[test]
fn a_directory_with_the_vocabulary_names_it() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(vocabulary(), folder.path().join(NAME)).unwrap();
    let config = r#"{"tokenizer_class": "RwkvTokenizer", "auto_map": {"AutoTokenizer": ["x.RwkvTokenizer", null]}}"#;
    fs::write(folder.path().join("tokenizer_config.json"), config).unwrap();
    let answer = on(folder.path(), ["tokenize", "a"]).exit(2);
    let hint = format!("hint: it has {NAME}: name that file, as in `--model ");
    assert!(answer.stderr.contains(&hint), "{}", answer.stderr);
    on(&folder.path().join(NAME), ["tokenize", "a"]).ok();
}

#[test]
fn the_vocabulary_is_converted_to_a_tokenizer_json() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokenizer.json");
    let args = ["convert", "--to", "tokenizer.json", "-o"].map(OsStr::new);
    on(&vocabulary(), args.into_iter().chain([path.as_os_str()])).exit(0);
    let text = ["tokenize", "--ids", "HERE / \"golden.jsonl\"  \n señor 🙂"];
    assert_eq!(on(folder.path(), text).ok(), on(&vocabulary(), text).ok());
    let answer = on(&vocabulary(), ["convert", "--to", "tiktoken", "-o", "-"]).exit(4);
    assert!(
        answer.stderr.contains("not byte-level BPE"),
        "{}",
        answer.stderr
    );
}

#[test]
fn a_vocabulary_of_rwkv_that_is_cut_off_is_refused() {
    let bytes = fs::read(vocabulary()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(NAME);
    for percent in 0..100 {
        let part = &bytes[..bytes.len() * percent / 100];
        fs::write(&path, part).unwrap();
        match Tokenizer::open(&files(&ModelRef::File(path.clone()))) {
            // The lines of all bytes are enough for a vocabulary.
            Ok(_) => assert!(
                part.iter().filter(|byte| **byte == b'\n').count() >= 255,
                "{percent}"
            ),
            Err(error) => assert_eq!(error.exit() as u8, 4, "{percent} {error}"),
        }
    }
    for (more, problem) in [
        ("5000 ' x' 2\n", "it has the rank 5000"),
        ("999 'a' 1\n", "two tokens are equal"),
        (
            "999 eval('a') 1\n",
            "is not an id, a token as a Python literal, and its length",
        ),
    ] {
        fs::write(&path, [&bytes, more.as_bytes()].concat()).unwrap();
        let answer = on(&path, ["tokenize", "a"]).exit(4);
        assert!(answer.stderr.contains(problem), "{}", answer.stderr);
    }
}
