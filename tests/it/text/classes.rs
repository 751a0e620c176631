//! Models whose class changes what their `tokenizer.json` says, against the answers of the reference.
//!
//! `tests/fixtures/classes/make_golden.py` describes the files of the cases and of the answers.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokscope::model_ref::ModelRef;
use tokscope::source::Reading;
use tokscope::tokenizer::{EncodeOptions, Encoding, OffsetUnit, Tokenizer, Truncation};

use crate::support::{files, json_lines, on, repository, shared};

#[derive(Deserialize)]
struct Case {
    name: String,
    base: String,
    patch: Vec<Edit>,
    files: HashMap<String, Value>,
}

/// An operation of a JSON Patch.
#[derive(Deserialize)]
struct Edit {
    op: String,
    path: String,
    #[serde(default)]
    value: Value,
}

#[derive(Deserialize)]
struct Head {
    pairs: Vec<(String, String)>,
    texts: usize,
    truncated: usize,
}

/// The answers for a case.
#[derive(Deserialize)]
struct Golden {
    name: String,
    fails: Option<String>,
    class: Option<String>,
    #[serde(default)]
    first: Vec<First>,
    #[serde(default)]
    pairs: Vec<(Vec<u32>, Vec<u32>)>,
    #[serde(default)]
    decodes: Vec<Decode>,
    #[serde(default)]
    all: HashMap<String, String>,
    #[serde(default)]
    texts: HashMap<String, String>,
}

/// The ids of a text, its offsets, its decoded forms, and its ids under truncation unless they are the same.
type First = (
    Vec<u32>,
    Vec<usize>,
    String,
    Option<String>,
    Option<Vec<u32>>,
);

/// Ids, their text, and their text without special tokens unless it is the same.
type Decode = (Vec<u32>, String, Option<String>);

/// Writes the directory of a case.
fn build(case: &Case, shared: &Path, folder: &Path) {
    let source = shared
        .join("models")
        .join(&case.base)
        .join("tokenizer.json");
    let target = folder.join("tokenizer.json");
    if case.patch.is_empty() {
        fs::copy(source, target).unwrap();
    } else {
        let mut json = serde_json::from_slice(&fs::read(source).unwrap()).unwrap();
        case.patch.iter().for_each(|edit| apply(edit, &mut json));
        fs::write(target, json.to_string()).unwrap();
    }
    for (name, value) in &case.files {
        fs::write(folder.join(name), value.to_string()).unwrap();
    }
}

fn apply(edit: &Edit, json: &mut Value) {
    let (parent, key) = edit.path.rsplit_once('/').unwrap();
    let key = key.replace("~1", "/").replace("~0", "~");
    match json.pointer_mut(parent).unwrap() {
        Value::Array(items) => match (edit.op.as_str(), key.parse()) {
            ("add", Ok(index)) => items.insert(index, edit.value.clone()),
            ("add", Err(_)) => items.push(edit.value.clone()),
            ("remove", index) => drop(items.remove(index.unwrap())),
            (_, index) => items[index.unwrap()] = edit.value.clone(),
        },
        Value::Object(fields) if edit.op == "remove" => drop(fields.remove(&key)),
        Value::Object(fields) => drop(fields.insert(key, edit.value.clone())),
        _ => panic!("{} is in no container", edit.path),
    }
}

fn encode(
    tokenizer: &Tokenizer,
    text: &str,
    pair: Option<&str>,
    max_length: Option<usize>,
) -> Encoding {
    let mut options = EncodeOptions::default();
    if let Some(max_length) = max_length {
        let stride = 0;
        options = options.truncation(Truncation { max_length, stride });
    }
    tokenizer.encode(text, pair, &options).unwrap().into_first()
}

/// Returns the canonical string of one aspect of a text.
fn canonical(aspect: &str, tokenizer: &Tokenizer, text: &str) -> String {
    let encoding = encode(tokenizer, text, None, None);
    let ids = encoding.ids.iter().map(u32::to_string);
    let offsets = || encoding.offsets_in(OffsetUnit::Char, text, None);
    let join = |items: Vec<String>| items.join(",");
    match aspect {
        "ids" => join(ids.collect()),
        "offsets" => join(
            offsets()
                .iter()
                .map(|(start, end)| format!("{start}-{end}"))
                .collect(),
        ),
        "decode" => tokenizer.decode(&encoding.ids, false).unwrap(),
        "skip" => tokenizer.decode(&encoding.ids, true).unwrap(),
        _ => panic!("{aspect} is no aspect"),
    }
}

/// Describes the differences of one aspect.
fn compare(
    aspect: &str,
    tokenizer: &Tokenizer,
    texts: &[String],
    golden: &Golden,
) -> Option<String> {
    let mut all = Sha256::new();
    let digits = golden.texts.get(aspect).map(String::as_bytes);
    let mut digits = digits.map(|digits| digits.chunks(2));
    let mut differences = 0;
    let mut example = None;
    for text in texts {
        let ours = canonical(aspect, tokenizer, text);
        all.update(&ours);
        all.update([0]);
        let digest = format!("{:02x}", Sha256::digest(&ours)[0]);
        if let Some(digits) = &mut digits
            && digits.next() != Some(digest.as_bytes())
        {
            differences += 1;
            example.get_or_insert_with(|| format!("{text:?} -> {ours}"));
        }
    }
    let all: String = all
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    (all != golden.all[aspect]).then(|| {
        format!(
            "{aspect} of {differences} texts: {}",
            example.unwrap_or_default()
        )
    })
}

/// Compares a model with the reference, and describes the differences.
fn check(tokenizer: &Tokenizer, texts: &[String], head: &Head, golden: &Golden) -> Vec<String> {
    let mut wrong = Vec::new();
    if tokenizer.class() != golden.class.as_deref() {
        wrong.push(format!("class {:?}", tokenizer.class()));
    }
    for (text, (ids, offsets, _, _, truncated)) in texts.iter().zip(&golden.first) {
        let encoding = encode(tokenizer, text, None, None);
        let ours: Vec<usize> = (encoding
            .offsets_in(OffsetUnit::Char, text, None)
            .into_iter())
        .flat_map(|(start, end)| [start, end])
        .collect();
        if (&encoding.ids, &ours) != (ids, offsets) {
            wrong.push(format!(
                "{text:?}: {:?} {ours:?} not {ids:?} {offsets:?}",
                encoding.ids
            ));
            break;
        }
        let cut = encode(tokenizer, text, None, Some(head.truncated)).ids;
        let expected = truncated.as_ref().unwrap_or(ids);
        if cut != *expected {
            wrong.push(format!("{text:?} truncated: {cut:?} not {expected:?}"));
            break;
        }
    }
    // The pairs were encoded as a batch, in which this class takes them for pairs and not for the text around a gap, as it
    // does with a single pair (`slow_settings`).
    let is_infilling = golden.class.as_deref() == Some("CodeLlamaTokenizerFast");
    let pairs = head.pairs.iter().zip(&golden.pairs);
    for ((first, second), (ids, type_ids)) in pairs.filter(|_| !is_infilling) {
        let encoding = encode(tokenizer, first, Some(second), None);
        if (&encoding.ids, &encoding.type_ids) != (ids, type_ids) {
            wrong.push(format!(
                "pair {:?} {:?} not {ids:?} {type_ids:?}",
                encoding.ids, encoding.type_ids
            ));
        }
    }
    for (ids, text, without_special) in &golden.decodes {
        let ours = [false, true].map(|skip| tokenizer.decode(ids, skip).unwrap());
        if ours.each_ref() != [text, without_special.as_ref().unwrap_or(text)] {
            wrong.push(format!(
                "{ids:?} decoded: {ours:?} not {text:?} {without_special:?}"
            ));
        }
    }
    let aspects = ["ids", "offsets", "decode", "skip"].into_iter();
    wrong.extend(aspects.filter_map(|aspect| compare(aspect, tokenizer, texts, golden)));
    wrong
}

/// Cases that the reference refuses for a reason that is not looked for: it refuses any setting that has the name of a
/// method.
const NOT_REFUSED: &[&str] = &["class-key-of-a-method"];

fn check_case(
    case: &Case,
    shared: &Path,
    reading: Reading,
    texts: &[String],
    head: &Head,
    golden: &Golden,
) -> Vec<String> {
    let folder = tempfile::Builder::new().prefix("c").tempdir().unwrap();
    build(case, shared, folder.path());
    let model = ModelRef::Directory(folder.path().to_owned());
    let tokenizer = Tokenizer::open(&files(&model).read_as(reading));
    if let Some(fails) = &golden.fails {
        let is_told =
            (tokenizer.as_ref()).map_or(true, |tokenizer| !tokenizer.class_problems().is_empty());
        let fails_on_text = |tokenizer: &Tokenizer| {
            let encode = |text: &String| tokenizer.encode(text, None, &EncodeOptions::default());
            texts.iter().any(|text| encode(text).is_err())
        };
        let is_told = match (&tokenizer, reading) {
            (_, Reading::Transformers4) => is_told,
            (Ok(tokenizer), _) => fails_on_text(tokenizer),
            (Err(_), _) => true,
        };
        return (!is_told && !NOT_REFUSED.contains(&case.name.as_str()))
            .then(|| format!("the reference fails: {fails}"))
            .into_iter()
            .collect();
    }
    match tokenizer {
        Ok(tokenizer) => check(&tokenizer, texts, head, golden),
        Err(error) => vec![error.to_string()],
    }
}

#[test]
fn every_class_encodes_as_the_reference() {
    if let Some(shared) = shared("every_class_encodes_as_the_reference") {
        let golden = repository("tests/fixtures/classes/golden.jsonl");
        compare_classes(&shared, &golden, Reading::Transformers4, &[]);
    }
}

/// Compares every case with the answers of a library in a file, except for the cases `skipped`.
pub fn compare_classes(shared: &Path, golden: &Path, reading: Reading, skipped: &[&str]) {
    let folder = repository("tests/fixtures/classes");
    let cases: Vec<Case> =
        serde_json::from_slice(&fs::read(folder.join("cases.json")).unwrap()).unwrap();
    let texts: Vec<String> = json_lines(&folder.join("texts.jsonl"));
    let lines: Vec<Value> = json_lines(golden);
    let head: Head = serde_json::from_value(lines[0].clone()).unwrap();
    let golden: HashMap<String, Golden> = (lines.into_iter().skip(1))
        .map(|line| serde_json::from_value(line).unwrap())
        .map(|golden: Golden| (golden.name.clone(), golden))
        .collect();
    assert!(texts.len() == head.texts && texts.len() >= 700);
    assert!(
        golden
            .values()
            .filter(|golden| golden.fails.is_none())
            .count()
            >= 40
    );
    let only = std::env::var("TOKSCOPE_CASES").ok();
    let is_wanted = |case: &&Case| {
        only.as_ref()
            .is_none_or(|only| only.split(',').any(|name| case.name.starts_with(name)))
    };
    let is_compared = |case: &&Case| !skipped.contains(&case.name.as_str());
    let cases: Vec<&Case> = cases.iter().filter(is_wanted).filter(is_compared).collect();
    let (next, report) = (AtomicUsize::new(0), Mutex::new(String::new()));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let wrong =
                        check_case(case, shared, reading, &texts, &head, &golden[&case.name]);
                    let mut report = report.lock().unwrap();
                    for line in wrong {
                        let line: String = line.chars().take(400).collect();
                        writeln!(report, "{}: {line}", case.name).unwrap();
                    }
                }
            });
        }
    });
    let report = report.into_inner().unwrap();
    assert!(
        report.is_empty(),
        "differences from the reference:\n{report}"
    );
}

/// Cased BERT, which its class lowercases if only the model's type is known.
#[test]
fn as_is_takes_the_file_without_its_class() {
    let model = tempfile::Builder::new().prefix("c").tempdir().unwrap();
    let json = serde_json::json!({
        "version": "1.0",
        "added_tokens": [],
        "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                       "strip_accents": null, "lowercase": false},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "model": {"type": "WordPiece", "vocab": {"[UNK]": 0, "Hello": 1, "hello": 2}, "unk_token": "[UNK]",
                  "continuing_subword_prefix": "##", "max_input_chars_per_word": 100},
    });
    fs::write(model.path().join("tokenizer.json"), json.to_string()).unwrap();
    fs::write(
        model.path().join("config.json"),
        r#"{"model_type": "bert"}"#,
    )
    .unwrap();
    let run = |args: &[&str]| on(model.path(), args).ok();
    assert_eq!(run(&["tokenize", "--ids", "Hello"]), "2\n");
    assert_eq!(run(&["tokenize", "--ids", "--as-is", "Hello"]), "1\n");
    let info: Value = serde_json::from_str(&run(&["info", "--json"])).unwrap();
    let tokenizer = &info["tokenizer"];
    assert_eq!(tokenizer["class"], "BertTokenizerFast");
    assert_eq!(tokenizer["class_source"], "config.json");
    let changes = serde_json::json!([
        "[UNK] and 4 other tokens added",
        "normalizer.lowercase = true"
    ]);
    assert_eq!(tokenizer["class_changes"], changes);
    let info: Value = serde_json::from_str(&run(&["info", "--json", "--as-is"])).unwrap();
    assert_eq!(info["tokenizer"]["class_source"], Value::Null);
    assert_eq!(info["tokenizer"]["vocabulary_size"], 3);
    // A lock file records it, and does not follow a command line that differs.
    let lock = model.path().join("as-is.lock");
    let lock = lock.to_str().unwrap();
    run(&["lock", "--as-is", "--lock-file", lock]);
    assert_eq!(
        run(&["tokenize", "--ids", "--lock-file", lock, "Hello"]),
        "1\n"
    );
    run(&["check", "--lock-file", lock]);
    run(&["lock", "--lock-file", lock]);
    let refused = on(
        model.path(),
        ["tokenize", "--as-is", "--lock-file", lock, "Hello"],
    )
    .exit(2);
    assert!(
        refused
            .stderr
            .contains("locks the tokenizer as its class makes it")
    );
}

/// A tokenizer with one word, byte-level pre-tokenization and padding, and its class.
fn byte_level(class: &str) -> tempfile::TempDir {
    let model = tempfile::Builder::new().prefix("c").tempdir().unwrap();
    let json = serde_json::json!({
        "version": "1.0",
        "padding": {"strategy": "BatchLongest", "direction": "Right", "pad_to_multiple_of": null, "pad_id": 0,
                    "pad_type_id": 0, "pad_token": "<padding>"},
        "added_tokens": [],
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
        "model": {"type": "WordLevel", "vocab": {"<unk>": 0, "a": 1, "Ġa": 2}, "unk_token": "<unk>"},
    });
    let config = serde_json::json!({"tokenizer_class": class, "add_bos_token": false});
    fs::write(model.path().join("tokenizer.json"), json.to_string()).unwrap();
    fs::write(
        model.path().join("tokenizer_config.json"),
        config.to_string(),
    )
    .unwrap();
    model
}

/// `LlamaTokenizerFast` passes `None` on, which changes nothing; the others pass their default, false.
#[test]
fn a_class_without_a_prefix_space_of_its_own_leaves_that_of_the_file() {
    for (class, ids) in [("LlamaTokenizer", "2\n"), ("GPT2Tokenizer", "1\n")] {
        let model = byte_level(class);
        assert_eq!(on(model.path(), ["tokenize", "--ids", "a"]).ok(), ids);
    }
}

/// The id of the padding token comes after those of the class. `GPTNeoXTokenizerFast` says that there is none.
#[test]
fn the_padding_token_of_the_file_is_a_special_token() {
    for (class, ids) in [
        ("PreTrainedTokenizerFast", "3\n"),
        ("GPT2Tokenizer", "4\n"),
        ("LlamaTokenizer", "5\n"),
        ("GPTNeoXTokenizer", "0 0 0\n"),
    ] {
        let model = byte_level(class);
        let found = on(model.path(), ["tokenize", "--ids", "<padding>"]).ok();
        assert_eq!(found, ids, "{class}");
    }
}
