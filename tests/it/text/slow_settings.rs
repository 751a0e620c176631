//! Models of slow classes with the other files that such a model has, compared with what the reference made of them.

use std::collections::HashMap;
use std::fs;

use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;
use tokscope::tokenizer::{EncodeOptions, EngineChoice, OffsetUnit, Tokenizer};

use crate::support::{on, repository, tokenizer};

/// The texts of all cases, and the parts of an encoding that each class returns.
#[derive(Deserialize)]
struct Common {
    texts: Vec<String>,
    pair: (String, String),
    names: HashMap<String, Vec<String>>,
}

/// The files of a model, some of them copied from the fixtures, and what the reference makes of them.
#[derive(Deserialize)]
struct Case {
    files: HashMap<String, String>,
    contents: HashMap<String, Value>,
    texts: Vec<Expected>,
    pair: Vec<u32>,
    /// What `json.dumps(dict(tokenizer(text)))` prints for the second text.
    hf: String,
}

#[derive(Deserialize)]
struct Expected {
    ids: Vec<u32>,
    /// `None` for a slow class.
    offsets: Option<Vec<(usize, usize)>>,
    /// `None` if an id has no piece.
    decoded: Option<String>,
    skipped: Option<String>,
}

fn recorded() -> (Common, Vec<Case>) {
    let golden = repository("tests/fixtures/slow_files/settings.jsonl");
    let golden = fs::read_to_string(golden).unwrap();
    let mut lines = golden.lines();
    let common = serde_json::from_str(lines.next().unwrap()).unwrap();
    let cases = lines.map(|line| serde_json::from_str(line).unwrap());
    (common, cases.collect())
}

/// Returns the parts of an encoding that the reference returns by default.
fn names(tokenizer: &Tokenizer) -> Vec<&'static str> {
    let type_ids = tokenizer.names_type_ids().then_some("token_type_ids");
    let mask = tokenizer.names_attention_mask().then_some("attention_mask");
    ["input_ids"]
        .into_iter()
        .chain(type_ids)
        .chain(mask)
        .collect()
}

impl Case {
    fn open(&self) -> (TempDir, Tokenizer) {
        let folder = tempfile::tempdir().unwrap();
        let fixtures = repository("tests/fixtures/slow_files");
        for (name, source) in &self.files {
            fs::copy(fixtures.join(source), folder.path().join(name)).unwrap();
        }
        for (name, content) in &self.contents {
            fs::write(folder.path().join(name), content.to_string()).unwrap();
        }
        let tokenizer = tokenizer(folder.path());
        (folder, tokenizer)
    }

    fn what(&self) -> String {
        let settings = self
            .contents
            .iter()
            .filter(|(name, _)| *name != "vocab.json");
        format!("{:?}", settings.collect::<Vec<_>>())
    }

    fn assert_same(&self, tokenizer: &Tokenizer, common: &Common) {
        let options = EncodeOptions::default();
        for (text, expected) in common.texts.iter().zip(&self.texts) {
            let what = format!("{} {text:?}", self.what());
            let encoding = tokenizer.encode(text, None, &options);
            let encoding = encoding.unwrap_or_else(|error| panic!("{what}: {error}"));
            let encoding = encoding.into_first();
            assert_eq!(encoding.ids, expected.ids, "{what}");
            if let Some(offsets) = &expected.offsets {
                let ours = encoding.offsets_in(OffsetUnit::Char, text, None);
                assert_eq!(ours, *offsets, "{what}");
            }
            for (skips, decoded) in [(false, &expected.decoded), (true, &expected.skipped)] {
                let ours = tokenizer.decode(&expected.ids, skips).ok();
                assert_eq!(ours, *decoded, "{what}");
            }
        }
        let (first, second) = &common.pair;
        let encoding = tokenizer.encode(first, Some(second), &options).unwrap();
        assert_eq!(
            encoding.into_first().ids,
            self.pair,
            "{}: pair",
            self.what()
        );
    }
}

#[test]
fn the_other_files_of_slow_classes_count_as_in_the_reference() {
    let (common, cases) = recorded();
    assert_eq!(cases.len(), 40);
    for case in &cases {
        let (folder, tokenizer) = case.open();
        case.assert_same(&tokenizer, &common);
        let hf = on(folder.path(), ["tokenize", "--as", "hf", &common.texts[1]]).ok();
        assert_eq!(hf.trim_end(), case.hf, "{}", case.what());
        if case.texts.iter().all(|text| text.offsets.is_some()) {
            case.assert_same(&tokenizer.with_engine(EngineChoice::Reference), &common);
        }
    }
}

#[test]
fn every_class_returns_the_parts_of_an_encoding_that_the_reference_returns() {
    let (common, _) = recorded();
    assert_eq!(common.names.len(), 66);
    let json = r#"{"version": "1.0", "model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}}"#;
    for (class, expected) in common.names {
        let folder = tempfile::tempdir().unwrap();
        let file =
            |name: &str, content: &str| fs::write(folder.path().join(name), content).unwrap();
        file("tokenizer.json", json);
        file(
            "tokenizer_config.json",
            &format!(r#"{{"tokenizer_class": "{class}"}}"#),
        );
        let mut expected = expected;
        expected.sort_by_key(|name| name == "attention_mask");
        assert_eq!(names(&tokenizer(folder.path())), expected, "{class}");
    }
}

#[test]
fn a_setting_names_the_parts_of_an_encoding() {
    let json = r#"{"version": "1.0", "model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}}"#;
    for (settings, expected) in [
        (
            r#""tokenizer_class": "CodeGenTokenizer""#,
            &["input_ids", "attention_mask"][..],
        ),
        (
            r#""tokenizer_class": "CodeGenTokenizer", "return_token_type_ids": true"#,
            &["input_ids", "token_type_ids", "attention_mask"],
        ),
        (
            r#""tokenizer_class": "GPT2Tokenizer", "return_token_type_ids": true"#,
            &["input_ids", "attention_mask"],
        ),
        (
            r#""tokenizer_class": "FNetTokenizer", "model_input_names": ["attention_mask"]"#,
            &["input_ids", "attention_mask"],
        ),
        (
            r#""tokenizer_class": "BertTokenizer", "model_input_names": ["input_ids"]"#,
            &["input_ids"],
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("tokenizer.json"), json).unwrap();
        let config = format!("{{{settings}}}");
        fs::write(folder.path().join("tokenizer_config.json"), config).unwrap();
        assert_eq!(names(&tokenizer(folder.path())), expected, "{settings}");
    }
}

#[test]
fn the_offsets_of_a_text_with_a_gap_are_places_in_the_text() {
    let folder = tempfile::tempdir().unwrap();
    let source = repository("tests/fixtures/slow_files/bpe.model");
    fs::copy(source, folder.path().join("tokenizer.model")).unwrap();
    let config = r#"{"tokenizer_class": "CodeLlamaTokenizer"}"#;
    fs::write(folder.path().join("tokenizer_config.json"), config).unwrap();
    let tokenizer = tokenizer(folder.path());
    let options = EncodeOptions::default();
    let text = "é a<FILL_ME> b é";
    let encoding = tokenizer.encode(text, None, &options).unwrap().into_first();
    let parts = encoding.offsets.iter().zip(&encoding.sequence_ids);
    let parts = parts.filter(|(_, sequence)| sequence.is_some());
    let parts: Vec<&str> = parts.map(|((start, end), _)| &text[*start..*end]).collect();
    assert_eq!(parts.concat().replace(' ', ""), "ééabéé", "{parts:?}");
    assert_eq!(tokenizer.count(text, &options).unwrap(), encoding.len());
    assert_eq!(tokenizer.ids(text, &options).unwrap(), encoding.ids);
    for (text, is_refused) in [("a<FILL_ME>b<FILL_ME>c", true), ("a<FILL_ME>", false)] {
        assert_eq!(
            tokenizer.encode(text, None, &options).is_err(),
            is_refused,
            "{text}"
        );
    }
}
