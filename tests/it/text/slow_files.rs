//! Tokenizers without a `tokenizer.json`, converted from the files of their slow class as the reference does.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use tempfile::TempDir;
use tokscope::commands::convert::prove;
use tokscope::tokenizer::{EncodeOptions, EngineChoice, Fidelity, OffsetUnit, Tokenizer};

use crate::support::{json_lines, on, repository, shared, tokenizer};

/// A golden file, the folder in `models`, the files that the reference read, and the `model_type` of a `config.json`
/// that it had if the folder has none.
const MODELS: [(&str, &str, &[&str], Option<&str>); 6] = [
    ("t5-base", "t5-base", &["spiece.model"], Some("t5")),
    (
        "albert-base",
        "albert-base",
        &["spiece.model"],
        Some("albert"),
    ),
    ("llama2", "llama2", &["tokenizer.model"], Some("llama")),
    (
        "bert-uncased-vocab",
        "bert-uncased-vocab",
        &["vocab.txt"],
        Some("bert"),
    ),
    (
        "chinese-roberta-wwm",
        "chinese-roberta-wwm",
        &["vocab.txt"],
        Some("bert"),
    ),
    (
        "granite-docling",
        "granite-docling",
        &[
            "vocab.json",
            "merges.txt",
            "added_tokens.json",
            "special_tokens_map.json",
            "tokenizer_config.json",
            "config.json",
        ],
        None,
    ),
];

#[derive(Deserialize)]
struct Golden {
    text: String,
    ids: Vec<u32>,
    offsets: Vec<(usize, usize)>,
    special_tokens_mask: Vec<u32>,
    decoded: String,
}

/// Returns a folder with these files of a model.
fn model(source: &Path, names: &[&str], model_type: Option<&str>) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in names {
        fs::copy(source.join(name), folder.path().join(name)).unwrap();
    }
    if let Some(model_type) = model_type {
        let config = format!(r#"{{"model_type": "{model_type}"}}"#);
        fs::write(folder.path().join("config.json"), config).unwrap();
    }
    folder
}

/// Asserts that a tokenizer encodes and decodes as recorded. Returns the number of texts.
fn assert_golden(tokenizer: &Tokenizer, golden: &[Golden], what: &str) -> usize {
    for case in golden {
        let text = &case.text;
        let encoded = tokenizer.encode(text, None, &EncodeOptions::default());
        let encoding = encoded.unwrap().into_first();
        assert_eq!(encoding.ids, case.ids, "{what}: {text:?}");
        let offsets = encoding.offsets_in(OffsetUnit::Char, text, None);
        assert_eq!(offsets, case.offsets, "{what}: {text:?}");
        assert_eq!(
            encoding.special_tokens_mask, case.special_tokens_mask,
            "{what}: {text:?}"
        );
        let decoded = tokenizer.decode(&case.ids, false).unwrap();
        assert_eq!(decoded, case.decoded, "{what}: {text:?}");
    }
    golden.len()
}

#[test]
fn six_models_without_a_tokenizer_json_encode_and_decode_as_the_reference() {
    let Some(shared) =
        shared("six_models_without_a_tokenizer_json_encode_and_decode_as_the_reference")
    else {
        return;
    };
    for (golden, folder, names, model_type) in MODELS {
        let model = model(&shared.join("models").join(folder), names, model_type);
        let golden: Vec<Golden> = json_lines(&shared.join(format!("golden/{golden}.auto.jsonl")));
        for engine in [EngineChoice::Native, EngineChoice::Reference] {
            let tokenizer = tokenizer(model.path()).with_engine(engine);
            let texts = assert_golden(&tokenizer, &golden, folder);
            assert!(texts >= 531, "{folder} has {texts} texts");
        }
    }
}

#[test]
fn converted_models_are_written_as_a_tokenizer_json_that_is_the_same() {
    let Some(shared) = shared("converted_models_are_written_as_a_tokenizer_json_that_is_the_same")
    else {
        return;
    };
    for (_, folder, names, model_type) in MODELS {
        let model = model(&shared.join("models").join(folder), names, model_type);
        let file = model.path().join("converted.json");
        let args = ["convert", "--to", "tokenizer.json", "-o"].map(std::ffi::OsStr::new);
        on(model.path(), args.into_iter().chain([file.as_os_str()])).ok();
        assert!(fs::metadata(&file).unwrap().len() > 100_000, "{folder}");
    }
}

/// A class, its files in the folder of fixtures, and what the reference makes of each text. `None` for a text that it
/// refuses, because the vocabulary lacks the unknown token.
#[derive(Deserialize)]
struct ClassCase {
    files: HashMap<String, String>,
    config: serde_json::Value,
    texts: Vec<Option<EncodedText>>,
    pair: Option<Vec<u32>>,
}

#[derive(Deserialize)]
struct EncodedText {
    ids: Vec<u32>,
    offsets: Vec<(usize, usize)>,
    decoded: String,
    skipped: String,
}

#[derive(Deserialize)]
struct Texts {
    texts: Vec<String>,
    pair: (String, String),
}

impl ClassCase {
    fn open(&self, fixtures: &Path) -> (TempDir, Tokenizer) {
        let folder = tempfile::tempdir().unwrap();
        for (name, source) in &self.files {
            fs::copy(fixtures.join(source), folder.path().join(name)).unwrap();
        }
        let config = folder.path().join("tokenizer_config.json");
        fs::write(config, self.config.to_string()).unwrap();
        let tokenizer = tokenizer(folder.path());
        (folder, tokenizer)
    }

    fn assert_same(&self, tokenizer: &Tokenizer, texts: &Texts) {
        let options = EncodeOptions::default();
        for (text, expected) in texts.texts.iter().zip(&self.texts) {
            let what = format!("{} {:?}: {text:?}", self.config, self.files);
            let encoded = tokenizer.encode(text, None, &options);
            let Some(expected) = expected else {
                assert!(encoded.is_err(), "{what}");
                continue;
            };
            let encoding = encoded.unwrap_or_else(|error| panic!("{what}: {error}"));
            let encoding = encoding.into_first();
            assert_eq!(encoding.ids, expected.ids, "{what}");
            let offsets = encoding.offsets_in(OffsetUnit::Char, text, None);
            assert_eq!(offsets, expected.offsets, "{what}");
            for (skips, decoded) in [(false, &expected.decoded), (true, &expected.skipped)] {
                let ours = tokenizer.decode(&expected.ids, skips);
                assert_eq!(ours.unwrap(), *decoded, "{what}");
            }
        }
        if let Some(pair) = &self.pair {
            let (first, second) = &texts.pair;
            let encoding = tokenizer.encode(first, Some(second), &options).unwrap();
            assert_eq!(encoding.into_first().ids, *pair, "{}: pair", self.config);
        }
    }
}

#[test]
fn every_slow_class_is_converted_as_by_the_reference() {
    let fixtures = repository("tests/fixtures/slow_files");
    let golden = fs::read_to_string(fixtures.join("golden.json")).unwrap();
    let mut lines = golden.lines();
    let texts: Texts = serde_json::from_str(lines.next().unwrap()).unwrap();
    let cases: Vec<ClassCase> = lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(cases.len(), 88);
    for case in &cases {
        let (_folder, tokenizer) = case.open(&fixtures);
        case.assert_same(&tokenizer, &texts);
        case.assert_same(&tokenizer.with_engine(EngineChoice::Reference), &texts);
    }
}

/// The file says what the reference writes; where an added token would be matched otherwise, it says how it is matched.
#[test]
fn every_slow_class_is_written_as_a_tokenizer_json_that_is_the_same() {
    let fixtures = repository("tests/fixtures/slow_files");
    let golden = fs::read_to_string(fixtures.join("golden.json")).unwrap();
    let mut lines = golden.lines();
    let texts: Texts = serde_json::from_str(lines.next().unwrap()).unwrap();
    let cases = texts.texts.into_iter().map(|text| (text, None));
    let cases: Vec<_> = cases.collect();
    let mut exact = Vec::new();
    for line in lines {
        let case: ClassCase = serde_json::from_str(line).unwrap();
        let (_folder, tokenizer) = case.open(&fixtures);
        let is_encoded = |(text, _): &&(String, Option<String>)| {
            tokenizer
                .encode(text, None, &EncodeOptions::default())
                .is_ok()
        };
        let cases: Vec<_> = cases.iter().filter(is_encoded).cloned().collect();
        let differences = |fidelity| {
            let json = tokenizer.to_tokenizer_json(fidelity).unwrap();
            let converted = Tokenizer::from_tokenizer_json_alone(json).unwrap();
            let converted = converted.with_settings_of(&tokenizer);
            prove(&tokenizer, &converted, &cases).unwrap().1
        };
        if !differences(Fidelity::Reference).is_empty() {
            exact.push(case.config["tokenizer_class"].as_str().unwrap().to_owned());
            assert_eq!(differences(Fidelity::Exact), [], "{}", case.config);
        }
    }
    assert!(
        exact.iter().any(|class| class == "BigBirdTokenizer"),
        "{exact:?}"
    );
}

#[test]
fn a_special_token_with_new_rules_is_written_as_it_is_matched() {
    let fixtures = repository("tests/fixtures/slow_files");
    let folder = tempfile::tempdir().unwrap();
    fs::copy(
        fixtures.join("bpe.model"),
        folder.path().join("tokenizer.model"),
    )
    .unwrap();
    let config = r#"{"tokenizer_class": "LlamaTokenizer", "bos_token": {"content": "<s>", "normalized": true},
        "eos_token": {"content": "</s>", "normalized": true}, "unk_token": {"content": "<unk>", "normalized": true}}"#;
    fs::write(folder.path().join("tokenizer_config.json"), config).unwrap();
    let converted = tempfile::tempdir().unwrap();
    let path = converted.path().join("tokenizer.json");
    let args = ["convert", "--to", "tokenizer.json", "-o"].map(std::ffi::OsStr::new);
    on(folder.path(), args.into_iter().chain([path.as_os_str()])).ok();
    let ids = ["tokenize", "--ids", "a <s> b</s> <unk>"];
    assert_eq!(on(converted.path(), ids).ok(), on(folder.path(), ids).ok());
    let file: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(file["added_tokens"][1]["content"], "<s>");
    assert_eq!(file["added_tokens"][1]["normalized"], false);
}

/// A piece that is matched in the text becomes a special token that is matched in the normalized text.
#[test]
fn a_token_that_is_matched_twice_is_not_written_and_named() {
    let fixtures = repository("tests/fixtures/slow_files");
    let folder = tempfile::tempdir().unwrap();
    fs::copy(
        fixtures.join("bpe.model"),
        folder.path().join("tokenizer.model"),
    )
    .unwrap();
    let config = r#"{"tokenizer_class": "LlamaTokenizer",
        "additional_special_tokens": [{"content": "<ent>", "normalized": true, "special": true}]}"#;
    fs::write(folder.path().join("tokenizer_config.json"), config).unwrap();
    let answer = on(
        folder.path(),
        ["convert", "--to", "tokenizer.json", "-o", "-"],
    )
    .exit(1);
    for part in [
        "nothing is written: ",
        "the added token \"<ent>\" is matched both in the text and in the normalized text",
        "the model's own files have its tokens",
    ] {
        assert!(answer.stderr.contains(part), "{}", answer.stderr);
    }
    let lines: Vec<&str> = answer.stdout.lines().collect();
    assert!(
        lines.iter().all(|line| line.chars().count() < 400),
        "{}",
        answer.stdout
    );
    assert!(
        lines.iter().any(|line| line.starts_with("  converted  ")),
        "{}",
        answer.stdout
    );
}

#[test]
fn info_says_that_byte_fallback_is_ignored() {
    let fixtures = repository("tests/fixtures/slow_files");
    for (class, name, is_ignored) in [
        ("T5Tokenizer", "spiece.model", true),
        ("LlamaTokenizer", "tokenizer.model", false),
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::copy(fixtures.join("bpe.model"), folder.path().join(name)).unwrap();
        let config = format!(r#"{{"tokenizer_class": "{class}"}}"#);
        fs::write(folder.path().join("tokenizer_config.json"), config).unwrap();
        let answer = on(folder.path(), ["info"]).ok();
        let finding = format!(
            "note: {name} asks for byte fallback, which the reference tokenizer leaves out"
        );
        assert_eq!(answer.contains(&finding), is_ignored, "{answer}");
        let class =
            format!("{class}Fast, from {name}\nclass            named in tokenizer_config.json\n");
        assert!(answer.contains(&class), "{answer}");
    }
}
