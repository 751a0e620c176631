//! Small tokenizer files that would make a small text take much memory or time are refused.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Answer, on};

fn token(content: &str) -> Value {
    json!({"id": 0, "content": content, "special": true, "normalized": false,
           "lstrip": false, "rstrip": false, "single_word": false})
}

/// Returns a Unigram tokenizer with one part replaced.
fn with(part: &str, value: Value) -> TempDir {
    let mut json = json!({
        "version": "1.0",
        "added_tokens": [token("<x>")],
        "normalizer": null,
        "pre_tokenizer": null,
        "post_processor": null,
        "decoder": null,
        "model": {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0], ["a", -1.0], ["b", -2.0]]},
    });
    json[part] = value;
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("tokenizer.json"), json.to_string()).unwrap();
    folder
}

/// Counts the tokens of a text of 1,000 bytes in 400 MB of address space and 20 seconds.
fn count(folder: &TempDir) -> Answer {
    let text = "aé<x>".repeat(166);
    let call = on(folder.path(), ["count", "-"]).stdin(text);
    call.limited("--cpu=20").run_within(400_000_000)
}

fn refusal(part: &str, value: Value) -> String {
    let answer = count(&with(part, value));
    assert_eq!(
        (answer.code, answer.stdout.as_str()),
        (4, ""),
        "{}",
        answer.stderr
    );
    answer.stderr
}

fn template(parts: &[Value], ids: usize) -> Value {
    let token = json!({"id": "s", "ids": vec![1; ids], "tokens": vec!["a"; ids]});
    json!({"type": "TemplateProcessing", "single": parts, "pair": parts, "special_tokens": {"s": token}})
}

fn text() -> Value {
    json!({"Sequence": {"id": "A", "type_id": 0}})
}

#[test]
fn a_template_that_repeats_a_text_is_refused() {
    let sentence = refusal("post_processor", template(&vec![text(); 8_000], 1));
    let expected = "its template repeats a text 8000 times, but the limit is 100 times";
    assert!(sentence.contains(expected), "{sentence}");
    let twice = template(&[text(), text()], 1);
    let nested = json!({"type": "Sequence", "processors": vec![twice; 30]});
    let sentence = refusal("post_processor", nested);
    assert!(
        sentence.contains("repeats a text 1073741824 times"),
        "{sentence}"
    );
}

#[test]
fn a_template_of_endless_special_tokens_is_refused() {
    let special = json!({"SpecialToken": {"id": "s", "type_id": 0}});
    let sentence = refusal("post_processor", template(&vec![special; 4_000], 10_000));
    let expected = "its template adds 40000000 special tokens, but the limit is 65536";
    assert!(sentence.contains(expected), "{sentence}");
}

#[test]
fn pre_tokenizers_that_lengthen_a_text_again_and_again_are_refused() {
    let step = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false});
    let steps = json!({"type": "Sequence", "pretokenizers": vec![step; 30]});
    let sentence = refusal("pre_tokenizer", steps);
    assert!(
        sentence.contains("can make a text 1073741824 times as long"),
        "{sentence}"
    );
}

#[test]
fn a_long_text_before_every_part_is_refused() {
    let step = json!({"type": "Prepend", "prepend": "▁".repeat(10_000)});
    let sentence = refusal("normalizer", step);
    assert!(
        sentence.contains("can make a text 30001 times as long"),
        "{sentence}"
    );
}

#[test]
fn a_piece_of_a_hundred_thousand_bytes_is_refused() {
    let vocab = json!([["<unk>", 0.0], ["a", -1.0], ["a".repeat(100_000), -1.0]]);
    let sentence = refusal(
        "model",
        json!({"type": "Unigram", "unk_id": 0, "vocab": vocab}),
    );
    let expected = "piece 2 has 100000 bytes, but the limit is 16384";
    assert!(sentence.contains(expected), "{sentence}");
}

/// Files just within the limits.
#[test]
fn the_largest_steps_that_are_read_stay_within_the_memory() {
    let longest = json!([["<unk>", 0.0], ["a", -1.0], ["a".repeat(16_384), -1.0]]);
    for (part, value) in [
        ("post_processor", template(&vec![text(); 100], 1)),
        (
            "normalizer",
            json!({"type": "Prepend", "prepend": "▁".repeat(1_000)}),
        ),
        (
            "model",
            json!({"type": "Unigram", "unk_id": 0, "vocab": longest}),
        ),
    ] {
        let answer = count(&with(part, value));
        assert_eq!(answer.code, 0, "{part}: {}", answer.stderr);
    }
}

#[test]
fn ten_thousand_added_tokens_are_read_in_time() {
    let tokens: Vec<Value> = (0..10_000)
        .map(|number| token(&format!("<|s_{number}|>")))
        .collect();
    let answer = count(&with("added_tokens", json!(tokens)));
    assert_eq!(answer.code, 0, "{}", answer.stderr);
}
