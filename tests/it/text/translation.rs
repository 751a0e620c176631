//! Translation models that have no fast class, against the slow tokenizers of transformers 4.48.3.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;
use tokscope::tokenizer::{EncodeOptions, Side, Tokenizer};

use crate::support::{on, shared, tokenizer};

#[derive(Deserialize)]
struct Golden {
    text: String,
    source: Vec<u32>,
    target: Vec<u32>,
    some: Vec<u32>,
    decoded: [String; 2],
    by_source: Option<String>,
}

/// Returns a folder with the files of a model, and its cases.
fn model(name: &str, copies: &[(&str, &str)]) -> (TempDir, Vec<Golden>) {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sentencepiece");
    let text = fs::read_to_string(fixtures.join(name)).unwrap();
    let (files, cases) = text.split_once('\n').unwrap();
    let folder = tempfile::tempdir().unwrap();
    let files: serde_json::Map<String, Value> = serde_json::from_str(files).unwrap();
    for (name, value) in files {
        fs::write(folder.path().join(name), value.to_string()).unwrap();
    }
    for (from, to) in copies {
        fs::copy(fixtures.join(from), folder.path().join(to)).unwrap();
    }
    let cases = cases
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    (folder, cases.collect())
}

fn marian() -> (TempDir, Vec<Golden>) {
    let copies = [("unigram.model", "source.spm"), ("bpe.model", "target.spm")];
    model("marian.jsonl", &copies)
}

fn m2m100() -> (TempDir, Vec<Golden>) {
    model(
        "m2m100.jsonl",
        &[("unigram-user.model", "sentencepiece.bpe.model")],
    )
}

#[test]
fn translation_models_give_the_ids_and_texts_of_their_slow_classes() {
    for (folder, cases) in [marian(), m2m100()] {
        assert_eq!(cases.len(), 150);
        let open = |side| tokenizer(folder.path()).with_side(side).unwrap();
        let sides = [None, Some(Side::Source), Some(Side::Target)].map(open);
        let ids = |tokenizer: &Tokenizer, text: &str| {
            tokenizer.ids(text, &EncodeOptions::default()).unwrap()
        };
        for case in &cases {
            let text = case.text.as_str();
            assert_eq!(ids(&sides[0], text), case.source, "{text:?}");
            assert_eq!(ids(&sides[1], text), case.source, "{text:?}");
            assert_eq!(ids(&sides[2], text), case.target, "{text:?}");
            for (skip, decoded) in [false, true].into_iter().zip(&case.decoded) {
                assert_eq!(&sides[0].decode(&case.some, skip).unwrap(), decoded);
                assert_eq!(&sides[2].decode(&case.some, skip).unwrap(), decoded);
            }
            if let Some(decoded) = &case.by_source {
                assert_eq!(&sides[1].decode(&case.some, false).unwrap(), decoded);
            }
            let encoding = sides[0].encode(text, None, &EncodeOptions::default());
            for (start, end) in encoding.unwrap().into_first().offsets {
                assert!(text.get(start..end).is_some(), "{text:?} {start} {end}");
            }
        }
    }
}

#[test]
fn a_model_without_sides_or_without_a_target_language_refuses_a_side() {
    let (folder, _) = marian();
    let info = on(folder.path(), ["info"]).exit(0).stdout;
    assert!(
        info.contains("note: MarianTokenizer has no fast version"),
        "{info}"
    );
    let convert = ["convert", "--to", "tokenizer.json", "-o", "-"];
    assert!(on(folder.path(), convert).exit(4).stderr.contains(
        "cannot describe\n\nhint: transformers has no fast version of MarianTokenizer either"
    ));
    let answer = on(Path::new("demo"), ["tokenize", "--side", "target", "a"]).exit(2);
    assert!(
        answer.stderr.contains("`--side` is for translation models"),
        "{}",
        answer.stderr
    );

    let (folder, _) = m2m100();
    let config = folder.path().join("tokenizer_config.json");
    fs::write(&config, r#"{"tokenizer_class": "M2M100Tokenizer"}"#).unwrap();
    let answer = on(folder.path(), ["tokenize", "--side", "target", "a"]).exit(2);
    assert!(
        answer.stderr.contains("needs `tgt_lang`"),
        "{}",
        answer.stderr
    );
    fs::write(
        &config,
        r#"{"tokenizer_class": "M2M100Tokenizer", "language_codes": "x"}"#,
    )
    .unwrap();
    let answer = on(folder.path(), ["tokenize", "a"]).exit(4);
    assert!(
        answer.stderr.contains("\"x\", not m2m100 or wmt21"),
        "{}",
        answer.stderr
    );
}

#[test]
fn a_translation_model_without_a_file_or_a_token_is_refused() {
    for (name, problem) in [
        ("target.spm", "no vocab.json with source.spm and target.spm"),
        ("source.spm", "no vocab.json with source.spm and target.spm"),
        ("vocab.json", "no vocab.json with source.spm and target.spm"),
    ] {
        let (folder, _) = marian();
        fs::remove_file(folder.path().join(name)).unwrap();
        let answer = on(folder.path(), ["tokenize", "a"]).exit(2);
        assert!(answer.stderr.contains(problem), "{}", answer.stderr);
    }
    for (vocabulary, problem) in [
        (r#"{"a": 0, "</s>": 1}"#, "it lacks the unknown token <unk>"),
        (r#"[["a", 0.5]]"#, "it is a list"),
        (r#"{"a": 0"#, "damaged"),
    ] {
        let (folder, _) = marian();
        fs::write(folder.path().join("vocab.json"), vocabulary).unwrap();
        let answer = on(folder.path(), ["tokenize", "a"]).exit(4);
        assert!(answer.stderr.contains(problem), "{}", answer.stderr);
    }
}

#[test]
fn a_published_model_of_marian_is_read() {
    let Some(shared) = shared("a_published_model_of_marian_is_read") else {
        return;
    };
    let tokenizer = tokenizer(&shared.join("models/opus-mt-en-mg"));
    let ids = |text: &str| tokenizer.ids(text, &EncodeOptions::default()).unwrap();
    let expected = [48, 7877, 11, 7, 5597, 4, 28, 52944, 0];
    assert_eq!(ids("The bank of the river. >>mg<< 字"), expected);
    let decoded = tokenizer.decode(&expected, false).unwrap();
    assert_eq!(decoded, "The bank of the river. 字</s>");
}
