//! Damaged model files: each is named with the problem, and nothing panics.

use std::fs;
use std::path::Path;

use crate::cli::bad_input::{fails, failure};
use crate::support::{on, repository, tiny_model};

const POINTER: &str = "version https://git-lfs.github.com/spec/v1\n\
                       oid sha256:0000000000000000000000000000000000000000000000000000000000000000\nsize 241453931\n";
const PAGE: &str = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>\n";

const TOKENIZE: &[&str] = &["tokenize", "dinero"];
const EMBED: &[&str] = &["embed", "--id", "299"];

/// Files of a model, the command that reads each, and the error for random bytes in its place.
const FILES: &[(&str, &[&str], &str)] = &[
    (
        "spm.model",
        TOKENIZE,
        "is damaged: it is not a SentencePiece model: the field at byte 0 has the number 0",
    ),
    ("tokenizer.json", TOKENIZE, NOT_JSON),
    ("config.json", TOKENIZE, NOT_UTF8),
    ("tokenizer_config.json", TOKENIZE, NOT_UTF8),
    ("special_tokens_map.json", TOKENIZE, NOT_UTF8),
    ("added_tokens.json", TOKENIZE, NOT_UTF8),
    ("pytorch_model.bin", EMBED, NO_CHECKPOINT),
    ("model.safetensors", EMBED, NO_CHECKPOINT),
    ("model.safetensors.index.json", EMBED, NOT_UTF8),
    ("pytorch_model.bin.index.json", EMBED, NOT_UTF8),
];
const NOT_JSON: &str = "is damaged: it is not JSON: expected value at line 1 column 1";
const NOT_UTF8: &str = "is damaged: it is not JSON: a byte that is not UTF-8 at line 2 column 17";
const NO_CHECKPOINT: &str = "is not supported: it is not a safetensors, torch or GGUF checkpoint";

/// Creates a model from the built-in tokenizer and a small checkpoint, with one file replaced.
fn model_with(name: &str, content: &[u8]) -> tempfile::TempDir {
    let model = tiny_model("zip_f16.bin");
    if name.contains("index") {
        fs::remove_file(model.path().join("pytorch_model.bin")).unwrap();
    }
    fs::write(model.path().join(name), content).unwrap();
    model
}

fn shown(model: &tempfile::TempDir, name: &str) -> String {
    model.path().join(name).display().to_string()
}

#[test]
fn placeholder_files_are_named() {
    let garbage: Vec<u8> = (0..3000_u32).map(|index| (index * 7 + 3) as u8).collect();
    for (name, args, no_such_format) in FILES {
        for (content, problem, hint) in [
            (&b""[..], "is damaged: it is empty", ""),
            (
                POINTER.as_bytes(),
                "is not supported: it is a git-LFS pointer, not the file itself",
                "run `git lfs pull` in its repository to fetch the file",
            ),
            (
                PAGE.as_bytes(),
                "is damaged: it is an HTML page, which a server sent in place of the file",
                "",
            ),
            (&garbage, no_such_format, ""),
        ] {
            let model = model_with(name, content);
            fails(
                on(model.path(), *args),
                4,
                &format!("{} {problem}", shown(&model, name)),
                hint,
            );
        }
    }
}

/// Truncates a good file to many lengths. Each must be refused with an error message of one line that names the file.
fn assert_truncations_are_refused(
    name: &str,
    good: &[u8],
    args: &[&str],
    cuts: impl Iterator<Item = usize>,
) {
    for cut in cuts.filter(|cut| (1..good.len()).contains(cut)) {
        let model = model_with(name, &good[..cut]);
        let answer = on(model.path(), args).run();
        assert_eq!(
            answer.code, 4,
            "{name} cut to {cut} bytes: {}{}",
            answer.stdout, answer.stderr
        );
        let named = format!("error: {} is ", shown(&model, name));
        assert!(answer.stderr.starts_with(&named), "{}", answer.stderr);
        assert_eq!(
            (answer.stderr.lines().count(), answer.stdout.as_str()),
            (1, ""),
            "{}",
            answer.stderr
        );
    }
}

/// Returns lengths to truncate to: the first bytes, fractions, and the last bytes.
fn lengths(length: usize) -> impl Iterator<Item = usize> {
    let ends = [1, 2, 4, 8, 9, 16, 100].map(|bytes| [bytes, length.saturating_sub(bytes)]);
    let parts = (1..8).map(move |part| length * part / 8);
    ends.into_iter().flatten().chain(parts)
}

#[test]
fn a_truncated_checkpoint_is_refused() {
    for (fixture, name) in [
        ("zip_f16.bin", "pytorch_model.bin"),
        ("legacy_f16.bin", "pytorch_model.bin"),
        ("f16.safetensors", "model.safetensors"),
    ] {
        let good = fs::read(repository("tests/fixtures/tiny").join(fixture)).unwrap();
        assert_truncations_are_refused(name, &good, EMBED, lengths(good.len()));
    }
}

#[test]
fn a_truncated_sentencepiece_model_is_refused() {
    let good = fs::read(repository("demo/model/spm.model")).unwrap();
    assert_truncations_are_refused("spm.model", &good, TOKENIZE, lengths(good.len()));
}

/// Returns the offset of the end of each field in a protobuf message that has only length-delimited fields.
fn ends_of_fields(message: &[u8]) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut at = 0;
    while at < message.len() {
        assert_eq!(message[at] & 7, 2, "a field with a length");
        let (mut length, mut shift) = (0, 0);
        loop {
            at += 1;
            length |= usize::from(message[at] & 0x7f) << shift;
            shift += 7;
            if message[at] < 0x80 {
                break;
            }
        }
        at += 1 + length;
        ends.push(at);
    }
    ends
}

#[test]
fn a_sentencepiece_model_that_ends_between_two_fields_is_refused() {
    let good = fs::read(repository("demo/model/spm.model")).unwrap();
    let ends = ends_of_fields(&good);
    assert_eq!(ends.last(), Some(&good.len()));
    let pieces = 2000;
    let cuts = [0, 1, 2, 3, 300, 1000, pieces - 2, pieces - 1]
        .into_iter()
        .chain(pieces..ends.len() - 1);
    assert_truncations_are_refused("spm.model", &good, TOKENIZE, cuts.map(|field| ends[field]));
}

#[test]
fn truncated_json_is_refused_with_its_line() {
    for (name, args, json) in [
        (
            "config.json",
            TOKENIZE,
            fs::read(repository("demo/model/config.json")).unwrap(),
        ),
        (
            "tokenizer_config.json",
            TOKENIZE,
            fs::read(repository("demo/model/tokenizer_config.json")).unwrap(),
        ),
        ("tokenizer.json", TOKENIZE, tokenizer_json()),
        (
            "pytorch_model.bin.index.json",
            EMBED,
            fs::read(repository(
                "tests/fixtures/tiny/sharded_bin/pytorch_model.bin.index.json",
            ))
            .unwrap(),
        ),
    ] {
        let json = json.trim_ascii_end();
        assert_truncations_are_refused(name, json, args, lengths(json.len()));
    }
    let model = model_with("config.json", b"{\n \"model_type\": \"deberta");
    let sentence = format!(
        "{} is damaged: it ends early, in line 2",
        shown(&model, "config.json")
    );
    fails(on(model.path(), TOKENIZE), 4, &sentence, "");
}

/// Returns a `tokenizer.json` with a few words.
fn tokenizer_json() -> Vec<u8> {
    let json = serde_json::json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": [],
        "normalizer": null,
        "pre_tokenizer": {"type": "Whitespace"},
        "post_processor": null,
        "decoder": null,
        "model": {"type": "WordLevel", "vocab": {"[UNK]": 0, "dinero": 1, "money": 2}, "unk_token": "[UNK]"},
    });
    serde_json::to_vec_pretty(&json).unwrap()
}

#[test]
fn a_malformed_tokenizer_json_is_refused() {
    let good = tokenizer_json();
    let model = model_with("tokenizer.json", &good);
    assert_eq!(
        on(model.path(), ["tokenize", "money dinero x", "--ids"]).ok(),
        "2 1 0\n"
    );
    let text = String::from_utf8(good).unwrap();
    for (from, to) in [
        ("\"WordLevel\"", "\"Quantum\""),
        ("\"Whitespace\"", "\"Blackspace\""),
        ("\"dinero\": 1", "\"dinero\": -1"),
        ("\"dinero\": 1", "\"dinero\": \"one\""),
        ("\"model\"", "\"modal\""),
        (
            "\"added_tokens\": []",
            "\"added_tokens\": [{\"id\": \"x\"}]",
        ),
    ] {
        let changed = text.replace(from, to);
        assert_ne!(changed, text, "{from}");
        let model = model_with("tokenizer.json", changed.as_bytes());
        let answer = on(model.path(), TOKENIZE).exit(4);
        let named = format!("error: {} is ", shown(&model, "tokenizer.json"));
        assert!(answer.stderr.starts_with(&named), "{to}: {}", answer.stderr);
    }
}

/// Changes single bytes of a good file. The program must answer or report an error.
fn assert_changed_bytes_are_survived(
    name: &str,
    good: &[u8],
    args: &[&str],
    places: impl Iterator<Item = usize>,
) {
    let model = model_with(name, good);
    let path = model.path().join(name);
    for place in places.filter(|place| *place < good.len()) {
        for mask in [0xff, 0x80] {
            let mut bad = good.to_vec();
            bad[place] ^= mask;
            fs::write(&path, bad).unwrap();
            let answer = on(model.path(), args).run();
            assert!(
                [0, 2, 4].contains(&answer.code),
                "byte {place} of {name} ^ {mask:#x}: {answer:?}"
            );
            let failed = answer.stderr.starts_with("error: ") && answer.stdout.is_empty();
            assert!(answer.code == 0 || failed, "{answer:?}");
        }
    }
}

#[test]
fn a_changed_byte_of_a_checkpoint_never_breaks_the_program() {
    for (fixture, name) in [
        ("zip_f16.bin", "pytorch_model.bin"),
        ("legacy_f16.bin", "pytorch_model.bin"),
        ("f16.safetensors", "model.safetensors"),
    ] {
        let good = fs::read(repository("tests/fixtures/tiny").join(fixture)).unwrap();
        let head = (0..700).step_by(13);
        let tail = (good.len() - 300..good.len()).step_by(13);
        assert_changed_bytes_are_survived(name, &good, EMBED, head.chain(tail));
    }
}

#[test]
fn a_changed_byte_of_a_sentencepiece_model_never_breaks_the_program() {
    let good = fs::read(repository("demo/model/spm.model")).unwrap();
    let inside_the_map = good.len() - 1000;
    let places = [0, 1, 2, 3, 10, 16, 17, 30, 3000, 32_000].into_iter();
    let end = (good.len() - 20..good.len()).step_by(4);
    assert_changed_bytes_are_survived(
        "spm.model",
        &good,
        TOKENIZE,
        places.chain([inside_the_map]).chain(end),
    );
}

#[test]
fn a_directory_in_place_of_a_file_is_refused() {
    for (name, args) in [
        ("tokenizer.json", TOKENIZE),
        ("config.json", TOKENIZE),
        ("model.safetensors", EMBED),
    ] {
        let model = tiny_model("zip_f16.bin");
        let path = model.path().join(name);
        let _ = fs::remove_file(&path);
        fs::create_dir(&path).unwrap();
        let answer = on(model.path(), args).exit(4);
        assert!(answer.stderr.contains(name), "{}", answer.stderr);
    }
}

#[cfg(unix)]
#[test]
fn a_dangling_link_is_an_error_rather_than_a_missing_file() {
    let model = tiny_model("zip_f16.bin");
    std::os::unix::fs::symlink(Path::new("nowhere"), model.path().join("model.safetensors"))
        .unwrap();
    let answer = on(model.path(), EMBED).exit(4);
    let sentence = format!(
        "cannot read {}: no such file or directory",
        shown(&model, "model.safetensors")
    );
    assert_eq!(answer.stderr, failure(&sentence, ""));
}

/// A `tokenizer.json` that parses, with a merge of tokens that the vocabulary lacks.
const NO_SUCH_MERGE: &str =
    r#"{"added_tokens": [], "model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["b c"]}}"#;

#[test]
fn a_tokenizer_that_cannot_be_built_is_refused_once() {
    let model = model_with("tokenizer.json", NO_SUCH_MERGE.as_bytes());
    for args in [
        &["tokenize", "-f", "-", "--lines"][..],
        &["tokenize", "-f", "-", "--lines", "--json"],
        &["count", "-"],
        &["count", "-", "--lines"],
        &["chunk", "--max-length", "4", "-f", "-", "--lines"],
        &["head", "--tokens", "2", "-f", "-", "--lines"],
        &["grep", "--id", "0", "-"],
        &["decode", "--lines"],
        &["--engine", "native", "count", "-", "--lines"],
        &["verify", "--lines", "-"],
    ] {
        let answer = on(model.path(), args).stdin("0\n0\n0\n").exit(4);
        let errors = answer.stderr.matches("is damaged").count();
        assert_eq!(
            (errors, answer.stdout.as_str()),
            (1, ""),
            "{args:?}: {}",
            answer.stderr
        );
    }
}

#[test]
fn info_finds_a_tokenizer_that_cannot_be_built() {
    let model = model_with("tokenizer.json", NO_SUCH_MERGE.as_bytes());
    for args in [
        &["info", "--json"][..],
        &["info", "--json", "--strict"],
        &["--engine", "native", "info", "--json"],
    ] {
        let answer = on(model.path(), args).exit(4);
        assert_eq!(answer.stderr.matches("is damaged").count(), 1);
        assert!(answer.stdout.contains(r#""code":"unusable-tokenizer""#));
        assert!(answer.stdout.contains(r#""engine":"none""#));
    }
    let get = |field: &str| on(model.path(), ["info", "--get", field]).ok();
    assert_eq!(get("tokenizer.engine"), "none\n");
    assert_eq!(get("findings.0.code"), "unusable-tokenizer\n");
    // The class of the demo adds five special tokens.
    assert_eq!(get("vocabulary_size"), "6\n");
}
