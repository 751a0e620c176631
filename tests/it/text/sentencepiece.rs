//! SentencePiece files of which no other file names the class: read as SentencePiece 0.2.3 reads them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tokscope::model_ref::ModelRef;
use tokscope::tokenizer::{EncodeOptions, Encoding, Tokenizer};

use crate::support::{files, json_lines, on};

#[derive(Deserialize)]
struct Golden {
    text: String,
    ids: Vec<u32>,
    offsets: Vec<(usize, usize)>,
    decoded: String,
    some: Vec<u32>,
    some_decoded: String,
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sentencepiece")
}

/// Returns the models of the fixtures.
fn models() -> Vec<PathBuf> {
    let entries = fs::read_dir(fixtures()).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|end| end == "model"))
        .collect()
}

#[test]
fn every_kind_of_sentencepiece_file_gives_the_answers_of_sentencepiece() {
    let models = models();
    assert_eq!(models.len(), 13);
    for path in models {
        let name = path.display();
        let tokenizer = Tokenizer::open(&files(&ModelRef::File(path.clone()))).unwrap();
        let golden: Vec<Golden> = json_lines(&path.with_extension("jsonl"));
        assert_eq!(golden.len(), 120, "{name}");
        for case in golden {
            let encoded = tokenizer.encode(&case.text, None, &EncodeOptions::default());
            let encoding = encoded.unwrap().into_first();
            assert_eq!(encoding.ids, case.ids, "{name} {:?}", case.text);
            assert_eq!(encoding.offsets, case.offsets, "{name} {:?}", case.text);
            assert_partial_answers(&tokenizer, &case.text, &encoding);
            for (ids, text) in [(&case.ids, &case.decoded), (&case.some, &case.some_decoded)] {
                assert_eq!(
                    &tokenizer.decode(ids, false).unwrap(),
                    text,
                    "{name} {ids:?}"
                );
                assert_eq!(
                    &tokenizer.decode(ids, true).unwrap(),
                    text,
                    "{name} {ids:?}"
                );
            }
        }
    }
}

/// Checks the answers that take no encoding.
fn assert_partial_answers(tokenizer: &Tokenizer, text: &str, encoding: &Encoding) {
    let options = EncodeOptions::default();
    assert_eq!(tokenizer.ids(text, &options).unwrap(), encoding.ids);
    assert_eq!(tokenizer.count(text, &options).unwrap(), encoding.len());
    let some: Vec<u32> = encoding.ids.iter().copied().take(3).collect();
    let places = encoding.ids.iter().copied().zip(encoding.offsets.clone());
    let expected: Vec<_> = places.filter(|(id, _)| some.contains(id)).collect();
    assert_eq!(tokenizer.find(text, &some, &options).unwrap(), expected);
}

/// A text that is normalized and split in several parts.
#[test]
fn long_texts_have_the_tokens_of_sentencepiece() {
    let long = fs::read(fixtures().join("long.json")).unwrap();
    let long: BTreeMap<String, (usize, u32)> = serde_json::from_slice(&long).unwrap();
    assert_eq!(long.len(), models().len());
    for (name, expected) in long {
        let path = fixtures().join(format!("{name}.model"));
        let golden: Vec<Golden> = json_lines(&path.with_extension("jsonl"));
        let text: String = golden.iter().map(|case| &*case.text).collect();
        let text = text.repeat(40);
        assert!(text.len() > 2 << 15);
        let tokenizer = Tokenizer::open(&files(&ModelRef::File(path))).unwrap();
        let encoded = tokenizer.encode(&text, None, &EncodeOptions::default());
        let encoding = encoded.unwrap().into_first();
        let mut checksum = crc32fast::Hasher::new();
        for (id, (start, end)) in encoding.ids.iter().zip(&encoding.offsets) {
            for number in [*id, *start as u32, *end as u32] {
                checksum.update(&number.to_le_bytes());
            }
        }
        assert_eq!((encoding.len(), checksum.finalize()), expected, "{name}");
        assert_partial_answers(&tokenizer, &text, &encoding);
    }
}

#[test]
fn info_names_the_engine_and_the_special_pieces() {
    let answer = on(&fixtures().join("bpe.model"), ["info"]).exit(0);
    for part in [
        "BPE, from bpe.model",
        "native: a BPE model, run as SentencePiece runs it",
        "bos <s> 1, eos </s> 2, unk <unk> 0",
        "warning: bpe.model is read as SentencePiece itself reads it",
    ] {
        assert!(answer.stdout.contains(part), "{part}: {}", answer.stdout);
    }
    let reference = ["tokenize", "--engine", "reference", "a"];
    let answer = on(&fixtures().join("bpe.model"), reference).exit(2);
    assert!(
        answer
            .stderr
            .contains("cannot run bpe.model as SentencePiece does"),
        "{}",
        answer.stderr
    );
    let convert = ["convert", "--to", "tokenizer.json", "-o", "-"];
    let answer = on(&fixtures().join("bpe.model"), convert).exit(4);
    assert!(
        answer
            .stderr
            .contains("which a tokenizer.json cannot describe\n\nhint: if it is the tokenizer of a known class"),
        "{}",
        answer.stderr
    );
}

#[test]
fn a_truncated_sentencepiece_file_is_refused() {
    let bytes = fs::read(fixtures().join("unigram.model")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.model");
    for percent in 1..100 {
        fs::write(&path, &bytes[..bytes.len() * percent / 100]).unwrap();
        let opened = Tokenizer::open(&files(&ModelRef::File(path.clone())));
        assert!(opened.is_err(), "{percent} %");
    }
}

#[test]
fn the_class_of_the_directory_counts_for_a_file_that_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pieces");
    fs::copy(fixtures().join("unigram.model"), &path).unwrap();
    let ids = |path: &Path| on(path, ["tokenize", "--ids", "banco"]).exit(0).stdout;
    let alone = ids(&path);
    fs::write(folder.path().join("config.json"), r#"{"model_type": "t5"}"#).unwrap();
    assert_eq!(ids(&path), format!("{} 2\n", alone.trim_end()));
    // A class that cannot be followed does not stand in the way of a file that is named.
    let custom = r#"{"tokenizer_class": "MyTokenizer", "auto_map": {"AutoTokenizer": ["x.MyTokenizer", null]}}"#;
    fs::write(folder.path().join("tokenizer_config.json"), custom).unwrap();
    assert_eq!(ids(&path), alone);
    fs::rename(&path, folder.path().join("tokenizer.model")).unwrap();
    let answer = on(folder.path(), ["tokenize", "banco"]).exit(4);
    assert!(
        answer.stderr.contains("is a Python program"),
        "{}",
        answer.stderr
    );
    assert!(
        answer.stderr.contains("tokenizer.model`, to read"),
        "{}",
        answer.stderr
    );
}
