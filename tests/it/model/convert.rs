//! `convert` writes the file that transformers writes, and only after it has verified it.

use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};
use tokscope::commands::convert::{cases, prove};
use tokscope::model_ref::ModelRef;
use tokscope::tokenizer::{Fidelity, Tokenizer};

use crate::records::one;
use crate::support::{demo, files, on, repository, shared, tokenizer};

/// The sha256 of the tokenizer.json that `AutoTokenizer.from_pretrained(…).save_pretrained(…)` of transformers 4.48.3
/// writes.
const DEMO: &str = "38b80370cbc47fbcc4c3731ec8f6781d13ecc0617d18cec4537e83f7a708bf25";
const DEBERTA: &str = "5124ef2ead1a10a717703bc436de7f353da76d6340e4587719b42b1693707964";

fn sha256(path: &Path) -> String {
    let digest = Sha256::digest(fs::read(path).unwrap());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_file_equals_that_of_the_reference_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let call = demo(["convert", "--to", "tokenizer.json", "--json"]).current_dir(folder.path());
    let record = one(&call.ok()).convert();
    assert_eq!(sha256(&folder.path().join("tokenizer.json")), DEMO);
    assert_eq!(record.sha256, DEMO);
    assert_eq!(
        (record.to.as_str(), record.path.as_str(), record.size),
        ("tokenizer.json", "tokenizer.json", 443_202)
    );
    assert!(record.texts > 90 && record.tokens > 4000);
    // Standard output gets the same bytes and nothing else.
    let written = fs::read_to_string(folder.path().join("tokenizer.json")).unwrap();
    let stdout = demo(["convert", "--to", "tokenizer.json", "-o", "-"]).ok();
    assert!(stdout == written);
}

#[test]
fn the_file_of_deberta_equals_that_of_the_reference() {
    let Some(shared) = shared("the_file_of_deberta_equals_that_of_the_reference") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let golden = shared.join("golden/deberta-v3-xsmall.jsonl");
    let file = folder.path().join("tokenizer.json");
    let args = ["convert", "--to", "tokenizer.json", "--json", "--texts"];
    let model = shared.join("models/deberta-v3-xsmall");
    let call = on(
        &model,
        args.map(std::ffi::OsStr::new).into_iter().chain([
            golden.as_os_str(),
            "-o".as_ref(),
            file.as_os_str(),
        ]),
    );
    let record = one(&call.ok()).convert();
    assert!(record.texts > 3700, "{record:?}");
    assert_eq!(sha256(&file), DEBERTA);
}

#[test]
fn a_folder_with_the_converted_file_is_a_model_with_the_same_ids() {
    let folder = tempfile::tempdir().unwrap();
    demo(["convert", "--to", "tokenizer.json"])
        .current_dir(folder.path())
        .ok();
    let args = ["tokenize", "río 🙂 [MASK]", " ", "un banco", "--pieces"];
    assert_eq!(on(folder.path(), args).ok(), demo(args).ok());
    let answer = on(folder.path(), ["convert", "--to", "tokenizer.json"]).exit(2);
    assert_eq!(
        answer.stderr,
        "error: the model already has a tokenizer.json, so there is nothing to convert\n\n\
         hint: use `tokscope pull` to fetch it\n"
    );
}

/// Opens the demo model's tokenizer.json with one replacement.
fn changed(from: &str, to: &str) -> Tokenizer {
    let bytes = tokenizer(&repository("demo/model"))
        .to_tokenizer_json(Fidelity::Reference)
        .unwrap();
    let json = String::from_utf8(bytes).unwrap();
    let changed = json.replacen(from, to, 1);
    assert_ne!(json, changed, "{from}");
    Tokenizer::from_tokenizer_json_alone(changed.into_bytes()).unwrap()
}

#[test]
fn verification_finds_every_changed_step() {
    let original = Tokenizer::open(&files(&ModelRef::Demo)).unwrap();
    let texts = cases(&original, Vec::new());
    let differences = |converted: &Tokenizer| prove(&original, converted, &texts).unwrap().1;
    let same = original.to_tokenizer_json(Fidelity::Reference).unwrap();
    let same = Tokenizer::from_tokenizer_json_alone(same).unwrap();
    assert_eq!(differences(&same), []);
    for (from, to) in [
        ("\"▁madera\"", "\"▁madero\""),
        (
            "\"prepend_scheme\": \"always\"",
            "\"prepend_scheme\": \"never\"",
        ),
        ("\"strip_left\": true", "\"strip_left\": false"),
        ("\"content\": \"[MASK]\"", "\"content\": \"[MASC]\""),
        ("\"Regex\": \" {2,}\"", "\"Regex\": \" {3,}\""),
        ("\"type_id\": 1", "\"type_id\": 0"),
    ] {
        assert!(!differences(&changed(from, to)).is_empty(), "{from}");
    }
}

#[test]
fn a_failed_write_or_an_unreadable_text_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no/such/folder/t.json");
    let args = ["convert", "--to", "tokenizer.json", "-o"].map(std::ffi::OsStr::new);
    let answer = demo(args.into_iter().chain([path.as_os_str()])).exit(2);
    assert!(
        answer.stderr.starts_with("error: cannot write "),
        "{}",
        answer.stderr
    );
    // A text that cannot be read is found before anything is written.
    let args = [
        "convert",
        "--to",
        "tokenizer.json",
        "--texts",
        "nowhere.txt",
    ];
    let answer = demo(args).current_dir(folder.path()).exit(2);
    assert_eq!(
        answer.stderr,
        "error: cannot read nowhere.txt: no such file or directory\n"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn without_a_format_the_error_names_the_flag() {
    assert_eq!(
        demo(["convert"]).exit(2).stderr,
        "error: no format to convert to was given\n\n\
         hint: add `--to tokenizer.json`, or `--to tiktoken` for byte-level BPE\n"
    );
}
