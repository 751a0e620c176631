//! The readings of a model's files other than that of transformers 4.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use tokscope::model_ref::ModelRef;
use tokscope::source::Reading;
use tokscope::tokenizer::{EncodeOptions, EngineChoice, OffsetUnit, Tokenizer};

use super::classes::compare_classes;
use crate::support::{demo, files, json_lines, on, repository, shared, tokscope};

fn open(folder: &Path, reading: Reading) -> Tokenizer {
    let files = files(&ModelRef::Directory(folder.to_owned())).read_as(reading);
    Tokenizer::open(&files).unwrap()
}

#[derive(Deserialize)]
struct Golden {
    text: String,
    ids: Vec<u32>,
    offsets: Vec<(usize, usize)>,
}

#[test]
fn transformers_5_drops_the_character_map_of_deberta() {
    let Some(shared) = shared("the reading of transformers 5") else {
        return;
    };
    let folder = shared.join("models/deberta-v3-xsmall");
    let golden = shared.join("golden/deberta-v3-xsmall.transformers-5.jsonl");
    let golden: Vec<Golden> = json_lines(&golden);
    let [four, native] =
        [Reading::Transformers4, Reading::Transformers5].map(|reading| open(&folder, reading));
    let reference = open(&folder, Reading::Transformers5).with_engine(EngineChoice::Reference);
    assert!(native.is_native());
    let mut differ = 0;
    for case in &golden {
        for tokenizer in [&native, &reference] {
            let encoded = tokenizer.encode(&case.text, None, &EncodeOptions::default());
            let encoding = encoded.unwrap().into_first();
            assert_eq!(encoding.ids, case.ids, "{:?}", case.text);
            let offsets = encoding.offsets_in(OffsetUnit::Char, &case.text, None);
            assert_eq!(offsets, case.offsets, "{:?}", case.text);
        }
        let ids = four.ids(&case.text, &EncodeOptions::default()).unwrap();
        differ += usize::from(ids != case.ids);
    }
    assert_eq!((golden.len(), differ), (1695, 351));
}

/// Cases with a class that splits a text with a program in Python, which is not followed.
const PROGRAMS: &[&str] = &["markuplm"];

#[test]
fn every_class_of_transformers_5_encodes_as_it_does() {
    if let Some(shared) = shared("every_class_of_transformers_5_encodes_as_it_does") {
        let golden = repository("tests/fixtures/readings/classes.jsonl");
        compare_classes(&shared, &golden, Reading::Transformers5, PROGRAMS);
    }
}

#[test]
fn readings_do_not_share_compiled_vocabularies() {
    let Some(shared) = shared("the cache of readings") else {
        return;
    };
    let cache = tempfile::tempdir().unwrap();
    let folder = shared.join("models/deberta-v3-xsmall");
    let ids = |reading: &str| {
        let call = on(
            &folder,
            ["--reading", reading, "tokenize", "--ids", "ｆｕｌｌ ﬁ"],
        );
        call.env("XDG_CACHE_HOME", cache.path()).ok()
    };
    let readings = Reading::ALL.map(Reading::name);
    let first = readings.map(ids);
    let second = readings.map(ids);
    assert_eq!(first, second);
    let [four, five, own] = first;
    assert!(four != five && five != own && four != own);
}

#[test]
fn a_lock_file_keeps_the_reading() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model");
    fs::create_dir(&model).unwrap();
    let spm = repository("tests/fixtures/sentencepiece/unigram-bytes.model");
    fs::copy(spm, model.join("spm.model")).unwrap();
    let call = |args: &[&str]| on(&model, args).current_dir(folder.path());
    call(&["--reading", "sentencepiece", "lock"]).exit(0);
    let answer = call(&["--locked", "--json", "tokenize", "a"]).exit(0);
    let field = "\"reading\":\"sentencepiece\"";
    assert!(answer.stdout.contains(field), "{}", answer.stdout);
    let answer = call(&["check", "--json"]).exit(0);
    assert!(answer.stdout.contains(field), "{}", answer.stdout);
    let other = ["--locked", "--reading", "transformers-4", "tokenize", "a"];
    let answer = call(&other).exit(2);
    let problem = "transformers-4 is requested, but tokscope.lock locks sentencepiece";
    assert!(answer.stderr.contains(problem), "{}", answer.stderr);
}

#[test]
fn an_unknown_reading_is_refused_and_a_blank_one_is_none() {
    let call = |reading: &str| demo(["tokenize", "a"]).env("TOKSCOPE_READING", reading);
    call(" ").ok();
    let refused = call("transformers-3").exit(2);
    let names = "`TOKSCOPE_READING` must be one of transformers-4, transformers-5, sentencepiece, not `transformers-3`";
    assert!(refused.stderr.contains(names), "{}", refused.stderr);
    let both = demo(["--as-is", "--reading", "sentencepiece", "tokenize", "a"]).exit(2);
    assert!(both.stderr.contains("`--as-is`"), "{}", both.stderr);
}

#[test]
fn a_configuration_file_names_a_reading() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.txt"), "a").unwrap();
    let spm = repository("tests/fixtures/sentencepiece/unigram-bytes.model");
    fs::copy(spm, folder.path().join("spm.model")).unwrap();
    let config = "model = \".\"\nreading = \"sentencepiece\"\n[count]\npaths = \"a.txt\"\n";
    fs::write(folder.path().join("tokscope.toml"), config).unwrap();
    let count = ["--json", "count", "--config", "tokscope.toml"];
    let stdout = tokscope(count).current_dir(folder.path()).ok();
    assert!(stdout.contains("\"reading\":\"sentencepiece\""), "{stdout}");
    fs::write(
        folder.path().join("tokscope.toml"),
        config.replace("sentencepiece", "spm"),
    )
    .unwrap();
    let refused = tokscope(count).current_dir(folder.path()).exit(2);
    assert!(
        refused.stderr.contains("`reading` must be one of"),
        "{}",
        refused.stderr
    );
}
