//! Streams without a text: misspelled fields, JSON that is not JSON Lines, and byte order marks.

use std::fmt::Write as _;
use std::fs;

use crate::records::{Record, one, records};
use crate::support::demo;

/// Returns many records with the fields `id`, `text` and `meta.body`.
fn many_records() -> String {
    let mut lines = String::new();
    for id in 0..5_000 {
        let line = r#","text":"banco","meta":{"body":"money"}}"#;
        writeln!(lines, "{{\"id\":{id}{line}").unwrap();
    }
    lines
}

#[test]
fn a_misspelled_field_is_one_error_that_names_the_fields() {
    let folder = tempfile::tempdir().unwrap();
    let lines = many_records();
    fs::write(folder.path().join("a.jsonl"), &lines).unwrap();
    let problem = "there is no field `txt`, only `id`, `text`, `meta`";
    for args in [
        &["tokenize", "--ids", "-f", "a.jsonl"][..],
        &["tokenize", "-f", "a.jsonl"],
        &["chunk", "--max-length", "9", "-f", "a.jsonl"],
        &["head", "-n", "9", "-f", "a.jsonl"],
        &["count", "a.jsonl"],
        &["verify", "a.jsonl"],
    ] {
        let args = [args, &["--jsonl", "--field", "txt"]].concat();
        let answer = demo(&args).current_dir(folder.path()).exit(2);
        let errors = answer.stderr.lines().filter(|line| line.contains("error:"));
        assert_eq!(errors.count(), 1, "{args:?}: {}", answer.stderr);
        let sentence = format!("error: line 1 of a.jsonl: {problem}; none of the first");
        assert!(answer.stderr.starts_with(&sentence), "{}", answer.stderr);
        let remedy = if args[0] == "count" { "note" } else { "hint" };
        let hint = format!("{remedy}: did you mean `--field text`?\n");
        assert!(answer.stderr.ends_with(&hint), "{}", answer.stderr);
        assert!(
            answer.stderr.contains("none of the first 5,000 lines"),
            "{}",
            answer.stderr
        );
    }
    // The first lines of a pipe may be few, so all of them are answered until there are too many.
    for args in [&["tokenize", "--ids"][..], &["count"]] {
        let args = [args, &["--jsonl", "--field", "txt"]].concat();
        let answer = demo(&args).stdin(lines.as_str()).exit(2);
        let errors = answer.stderr.lines().filter(|line| line.contains("error:"));
        assert!(errors.count() <= 100, "{args:?}: {}", answer.stderr);
        assert!(
            answer.stderr.contains("none of the first"),
            "{}",
            answer.stderr
        );
    }
}

#[test]
fn other_files_are_counted_after_one_without_the_field() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.jsonl"), many_records()).unwrap();
    fs::write(folder.path().join("b.jsonl"), "{\"body\":\"banco\"}\n").unwrap();
    let args = [
        "count", "--jsonl", "--field", "body", "--json", "a.jsonl", "b.jsonl",
    ];
    let answer = demo(args).current_dir(folder.path()).exit(2);
    let records = records(&answer.stdout);
    match &records[..] {
        [Record::Error(error), Record::Count(count)] => {
            assert_eq!(error.path.as_deref(), Some("a.jsonl"));
            assert_eq!((count.path.as_deref(), count.tokens), (Some("b.jsonl"), 3));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_stream_that_begins_with_lines_without_the_field_goes_on() {
    let mut lines = "{\"id\":1}\n".repeat(99);
    lines.push_str("{\"text\":\"banco\"}\n");
    lines.push_str(&"{\"id\":1}\n".repeat(500));
    let answer = demo(["count", "--jsonl"]).stdin(lines).exit(2);
    let numbers: Vec<&str> = answer
        .stdout
        .lines()
        .filter(|line| !line.is_empty())
        .collect();
    assert_eq!(numbers, ["3"]);
    assert_eq!(answer.stderr.lines().count(), 599);
}

#[test]
fn a_field_within_a_field_is_named_with_dots() {
    let lines = "{\"meta\":{\"body\":\"money\"}}\n{\"meta.body\":\"banco\",\"meta\":{\"body\":\"money\"}}\n";
    let args = ["tokenize", "--ids", "--jsonl", "--field", "meta.body"];
    assert_eq!(demo(args).stdin(lines).ok(), "1 607 2\n1 364 2\n");
}

#[test]
fn a_field_that_is_no_string_is_an_error_with_its_type() {
    let args = ["count", "--jsonl", "--json"];
    let answer = demo(args)
        .stdin("{\"text\":[\"a\"]}\n{\"text\":null}\n")
        .exit(2);
    let messages: Vec<String> = records(&answer.stdout)
        .into_iter()
        .map(|record| match record {
            Record::Error(error) => error.message,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        messages,
        [
            "line 1 of standard input: field `text` must be a string, not an array",
            "line 2 of standard input: field `text` must be a string, not null",
        ]
    );
}

#[test]
fn a_json_array_is_named_with_the_way_to_json_lines() {
    let folder = tempfile::tempdir().unwrap();
    let pretty = "[\n  {\n    \"text\": \"banco\"\n  },\n  {\n    \"text\": \"money\"\n  }\n]\n";
    for array in ["[{\"text\":\"banco\"},{\"text\":\"money\"}]", pretty] {
        fs::write(folder.path().join("a.json"), array).unwrap();
        let args = ["tokenize", "--jsonl", "-f", "a.json"];
        let answer = demo(args).current_dir(folder.path()).exit(2);
        let sentence = "error: line 1 of a.json: a JSON array, not an object or a string";
        assert!(answer.stderr.starts_with(sentence), "{}", answer.stderr);
        assert!(answer.stderr.contains("jq -c '.[]'"), "{}", answer.stderr);
        assert_eq!(answer.stdout, "");
    }
    fs::write(
        folder.path().join("a.json"),
        "{\n  \"text\": \"banco\"\n}\n",
    )
    .unwrap();
    let args = ["tokenize", "--jsonl", "-f", "a.json"];
    let answer = demo(args).current_dir(folder.path()).exit(2);
    assert!(answer.stderr.contains("jq -c ."), "{}", answer.stderr);
}

#[test]
fn a_short_stream_without_a_text_ends_with_the_hint_of_its_first_line() {
    let array = "[\n  {\n    \"text\": \"banco\"\n  }\n]\n";
    let misspelled = "{\"content\":\"banco\"}\n{\"content\":\"money\"}\n";
    for (input, field, lines, hint) in [
        (array, "text", 5, "with `jq -c '.[]'`"),
        (misspelled, "contnt", 2, "did you mean `--field content`?"),
    ] {
        for command in [&["count"][..], &["tokenize", "--ids"], &["verify"]] {
            let args = [command, &["--jsonl", "--field", field]].concat();
            let answer = demo(&args).stdin(input).exit(2);
            let errors = answer.stderr.matches("error: ").count();
            assert_eq!(errors, lines, "{args:?}: {}", answer.stderr);
            assert_eq!(answer.stderr.matches("note: ").count(), 1, "{args:?}");
            let end = format!("{hint}\n");
            assert!(answer.stderr.ends_with(&end), "{}", answer.stderr);
        }
    }
    // One text is enough: the field is the right one.
    let mixed = format!("{misspelled}{{\"text\":\"banco\"}}\n");
    for input in [mixed.as_str(), "{\"text\":\"banco\"}\n{\"txt\":1}\n"] {
        let answer = demo(["count", "--jsonl"]).stdin(input).exit(2);
        assert!(!answer.stderr.contains("note: "), "{}", answer.stderr);
    }
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_line() {
    for (flag, text) in [
        (
            "--jsonl",
            "\u{feff}{\"text\":\"banco\"}\n{\"text\":\"banco\"}\n",
        ),
        ("--lines", "\u{feff}banco\nbanco\n"),
    ] {
        let out = demo(["tokenize", "--json", flag]).stdin(text).ok();
        let texts = records(&out)
            .into_iter()
            .map(|record| record.tokenize().text);
        assert_eq!(texts.collect::<Vec<_>>(), ["banco", "banco"], "{flag}");
        assert_eq!(demo(["count", flag]).stdin(text).ok(), "3\n3\n");
    }
    // Elsewhere the character belongs to the text, and so it does in a text that is used exactly as it is.
    let out = demo(["tokenize", "--json", "--lines"])
        .stdin("a\n\u{feff}b\n")
        .ok();
    let texts = records(&out)
        .into_iter()
        .map(|record| record.tokenize().text);
    assert_eq!(texts.collect::<Vec<_>>(), ["a", "\u{feff}b"]);
    let out = demo(["tokenize", "--json"]).stdin("\u{feff}banco").ok();
    assert_eq!(one(&out).tokenize().text, "\u{feff}banco");
}

#[test]
fn the_error_of_a_line_of_a_file_has_the_path_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    fs::write(&path, "{\"text\":\"banco\"}\n{\"x\":1}\n").unwrap();
    for args in [
        &["tokenize", "-f", "a.jsonl"][..],
        &["chunk", "--max-length", "9", "-f", "a.jsonl"],
        &["tail", "-n", "9", "-f", "a.jsonl"],
        &["count", "a.jsonl"],
        &["verify", "a.jsonl"],
    ] {
        let args = [args, &["--jsonl", "--json"]].concat();
        let answer = demo(&args).current_dir(folder.path()).exit(2);
        let error = records(&answer.stdout)
            .into_iter()
            .find_map(|record| match record {
                Record::Error(error) => Some((error.path, error.line)),
                _ => None,
            });
        let expected = (Some("a.jsonl".to_owned()), Some(2));
        assert_eq!(error, Some(expected), "{args:?}");
    }
}
