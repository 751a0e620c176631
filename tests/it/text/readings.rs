//! The readings of a model's files other than that of transformers 4.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::json;
use tokscope::model_ref::ModelRef;
use tokscope::source::Reading;
use tokscope::tokenizer::{EncodeOptions, EngineChoice, OffsetUnit, Tokenizer};

use super::classes::compare_classes;
use crate::records::{Info, one, records};
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

/// The texts that transformers 5 reads differently, with the causes.
#[test]
fn each_text_that_differs_has_a_cause() {
    let Some(shared) = shared("causes of other tokens") else {
        return;
    };
    let folder = shared.join("models/deberta-v3-xsmall");
    let golden: Vec<Golden> =
        json_lines(&shared.join("golden/deberta-v3-xsmall.transformers-5.jsonl"));
    let texts: String = golden
        .iter()
        .map(|case| format!("{}\n", json!({"text": case.text})))
        .collect();
    let args = ["--json", "verify", "--jsonl", "--show", "1000", "--against"];
    let against = |reading: &str| {
        let call = on(&folder, [&args[..], &[reading]].concat()).stdin(&*texts);
        let mut found = records(&call.exit(1).stdout);
        let sum = found.pop().unwrap().against();
        let found: Vec<_> = found.into_iter().map(|one| one.divergence()).collect();
        (found, sum)
    };
    let (found, sum) = against("transformers-5");
    assert_eq!((found.len(), sum.differences, sum.texts), (351, 351, 1695));
    for (cause, texts) in &sum.causes {
        let with_it = found.iter().filter(|text| text.causes.contains(cause));
        assert_eq!(with_it.count(), *texts, "{cause}");
    }
    for text in &found {
        let explained = ["character-map", "white-space"];
        let is_explained = text
            .causes
            .iter()
            .any(|cause| explained.contains(&&**cause));
        assert!(is_explained, "{text:?}");
        let line = usize::try_from(text.line.unwrap()).unwrap();
        assert_eq!(text.against_ids, golden[line - 1].ids);
    }
    assert_eq!(
        (sum.causes["character-map"], sum.causes["white-space"]),
        (347, 11)
    );
    let (found, sum) = against("sentencepiece");
    assert_eq!((found.len(), sum.without_special_tokens), (461, Some(true)));
    assert_eq!(sum.causes["byte-fallback"], 444);
}

/// What each of the other readings does to a text, with the cause that it has.
#[test]
fn causes_are_told_apart() {
    let Some(shared) = shared("causes of other tokens") else {
        return;
    };
    let causes = |model: &str, against: &str, text: &str| {
        let args = ["--json", "verify", "--against", against, "--lines"];
        let folder = shared.join("models").join(model);
        let answer = on(&folder, args).stdin(text).exit(1);
        records(&answer.stdout)
            .remove(0)
            .divergence()
            .causes
            .join(" ")
    };
    for (model, against, text, expected) in [
        (
            "deberta-v3-xsmall",
            "transformers-5",
            "a\u{a0}b",
            "character-map",
        ),
        (
            "deberta-v3-xsmall",
            "transformers-5",
            "o\u{302}\u{323}",
            "character-map",
        ),
        (
            "deberta-v3-xsmall",
            "sentencepiece",
            "end\u{2581}",
            "white-space",
        ),
        (
            "deberta-v3-xsmall",
            "sentencepiece",
            "soft\u{ad}hyphen",
            "byte-fallback",
        ),
        ("deberta-v3-xsmall", "sentencepiece", "[CLS]", "added-token"),
        (
            "deberta-v3-xsmall",
            "sentencepiece",
            "[UNK]",
            "unknown-token",
        ),
    ] {
        assert_eq!(causes(model, against, text), expected, "{model} {text:?}");
    }
}

#[test]
fn a_reading_is_compared_with_another_one_and_with_some_text() {
    let same = demo(["verify", "--against", "transformers-4"])
        .stdin("a")
        .exit(2);
    let problem = "`--against transformers-4` is the reading itself";
    assert!(same.stderr.contains(problem), "{}", same.stderr);
    let nothing = demo(["verify", "--against", "transformers-5"])
        .stdin("")
        .exit(2);
    let hint = "the readings were not compared";
    assert!(nothing.stderr.contains(hint), "{}", nothing.stderr);
    let args = ["--json", "verify", "--against", "transformers-5"];
    let sum = one(&demo(args).stdin("el banco").ok()).against();
    assert_eq!((sum.differences, sum.tokens, sum.against_tokens), (0, 4, 4));
    assert!(sum.causes.is_empty());
}

#[test]
fn people_see_the_tokens_around_a_difference() {
    let text = format!("{}ｆ{}", "casa ".repeat(50), " perro".repeat(50));
    let answer = demo(["verify", "--against", "transformers-5"])
        .stdin(&*text)
        .exit(1)
        .stdout;
    let lines: Vec<&str> = answer.lines().collect();
    assert_eq!(lines.len(), 6, "{answer}");
    assert!(lines[0].ends_with("  character-map"), "{answer}");
    assert!(
        lines[1].contains("… casa casa casa ｆ perro") && lines[1].ends_with('…'),
        "{answer}"
    );
    assert!(
        lines.iter().all(|line| line.chars().count() < 200),
        "{answer}"
    );
}

#[test]
fn a_finding_names_the_steps_of_other_readings() {
    let info = one(&demo(["info", "--json"]).ok()).info();
    let differ = |info: &Info| -> Vec<String> {
        let findings = info.findings.iter();
        let findings = findings.filter(|finding| finding.code == "readings-differ");
        findings.map(|finding| finding.message.clone()).collect()
    };
    let found = differ(&info);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].starts_with("transformers-5 has the normalizer without "),
        "{found:?}"
    );
    assert!(found[0].contains("the character map"), "{found:?}");
    assert!(found[1].contains("byte fallback"), "{found:?}");
    let args = ["--reading", "transformers-5", "info", "--json"];
    let found = differ(&one(&demo(args).ok()).info());
    assert!(
        found[0].starts_with("transformers-4 has the normalizer without "),
        "{found:?}"
    );
}

/// `vocab.json` and `merges.txt`, and a `vocab.txt`, without a `tokenizer.json`.
#[test]
fn transformers_5_reads_the_files_of_slow_classes() {
    let Some(shared) = shared("files of slow classes") else {
        return;
    };
    let docling = open(
        &shared.join("models/granite-docling"),
        Reading::Transformers5,
    );
    let ids =
        |tokenizer: &Tokenizer, text: &str| tokenizer.ids(text, &EncodeOptions::default()).unwrap();
    let golden: Vec<Golden> = json_lines(&shared.join("golden/granite-docling.auto.jsonl"));
    for case in &golden {
        assert_eq!(ids(&docling, &case.text), case.ids, "{:?}", case.text);
    }
    let folder = tempfile::tempdir().unwrap();
    let vocabulary = shared.join("models/bert-uncased-vocab/vocab.txt");
    fs::copy(vocabulary, folder.path().join("vocab.txt")).unwrap();
    let config = r#"{"tokenizer_class": "BertTokenizer"}"#;
    fs::write(folder.path().join("tokenizer_config.json"), config).unwrap();
    let bert = open(folder.path(), Reading::Transformers5);
    let expected = [101, 7592, 1010, 2088, 1001, 1001, 13749, 102];
    assert_eq!(ids(&bert, "Hello, Wörld ##ing"), expected);
}

#[test]
fn marian_is_the_same_in_both_versions_of_transformers() {
    let Some(shared) = shared("Marian in transformers 5") else {
        return;
    };
    let folder = shared.join("models/opus-mt-en-mg");
    let [four, five] =
        [Reading::Transformers4, Reading::Transformers5].map(|reading| open(&folder, reading));
    for text in ["Hello, world!", ">>mlg<< a\u{a0}b", "ﬁne <pad> </s>"] {
        let [four, five] =
            [&four, &five].map(|tokenizer| tokenizer.ids(text, &EncodeOptions::default()).unwrap());
        assert_eq!(four, five, "{text:?}");
    }
    assert_eq!(five.reading(), Reading::Transformers5);
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
