//! Tokenizers without a `tokenizer.json`, converted from the files of their slow class as the reference does.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use tempfile::TempDir;
use tokscope::tokenizer::{EncodeOptions, EngineChoice, OffsetUnit, Tokenizer};

use crate::support::{json_lines, on, shared, tokenizer};

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
