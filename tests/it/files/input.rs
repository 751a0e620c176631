//! Texts from arguments, files, and standard input: whole, by line, or as JSON Lines, with bad ones among them.

use std::fs;

use crate::records::{Record, one, records};
use tokscope::commands::input::text_counts::TextCounts;
use tokscope::tokenizer::EncodeOptions;

use crate::support::{demo, json_lines, repository, tokenizer};

/// One-line texts with their ids, as `tokenize --ids` prints them.
const BANCO: (&str, &str) = ("banco", "1 364 2");
const MONEY: (&str, &str) = ("money", "1 607 2");

#[test]
fn texts_come_from_arguments_files_and_standard_input() {
    let both = format!("{}\n{}\n", BANCO.1, MONEY.1);
    assert_eq!(demo(["tokenize", "banco", "money", "--ids"]).ok(), both);

    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.txt"), "money").unwrap();
    let in_folder = |args: &[&str]| demo(args).current_dir(folder.path());
    let args = ["tokenize", "banco", "-f", "a.txt", "--ids"];
    assert_eq!(in_folder(&args).ok(), both);
    let args = ["tokenize", "-f", "a.txt", "--file", "a.txt", "--ids"];
    assert_eq!(in_folder(&args).ok(), format!("{0}\n{0}\n", MONEY.1));
    let record = one(&in_folder(&["tokenize", "-f", "a.txt", "--json"]).ok()).tokenize();
    assert_eq!(record.path.as_deref(), Some("a.txt"));

    for args in [
        &["tokenize", "--ids"][..],
        &["tokenize", "-", "--ids"],
        &["tokenize", "-f", "-", "--ids"],
    ] {
        assert_eq!(demo(args).stdin("banco").ok(), "1 364 2\n", "{args:?}");
    }
    // After `--`, an argument that looks like an option is a text.
    assert_eq!(
        demo(["tokenize", "--pieces", "--", "-x"]).ok(),
        "[CLS] ▁ - x [SEP]\n"
    );
    demo(["tokenize", "-x"]).exit(2);
}

#[test]
fn a_text_keeps_its_final_newline_unless_chomped() {
    let record = one(&demo(["tokenize", "--json"]).stdin("banco\n").ok()).tokenize();
    assert_eq!((record.text.as_str(), record.count), ("banco\n", 3));
    for (given, chomped) in [("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), ("a", "a")] {
        let out = demo(["tokenize", "--chomp", "--json"]).stdin(given).ok();
        assert_eq!(one(&out).tokenize().text, chomped);
    }
}

#[test]
fn lines_end_in_lf_or_crlf_and_the_last_need_not() {
    for input in ["banco\nmoney", "banco\r\nmoney\r\n", "banco\nmoney\r\n"] {
        let out = demo(["tokenize", "--lines", "--ids"]).stdin(input).ok();
        assert_eq!(out, format!("{}\n{}\n", BANCO.1, MONEY.1), "{input:?}");
    }
    let out = demo(["tokenize", "--lines", "--json"])
        .stdin("a\n\n b")
        .ok();
    let texts: Vec<_> = records(&out)
        .into_iter()
        .map(|record| record.tokenize())
        .map(|record| (record.line, record.text))
        .collect();
    let expected = [(1, "a"), (2, ""), (3, " b")].map(|(line, text)| (Some(line), text.to_owned()));
    assert_eq!(texts, expected);
    assert_eq!(demo(["tokenize", "--lines", "--json"]).ok(), "");
}

#[test]
fn json_lines_are_objects_or_strings() {
    let input = "{\"text\":\"banco\",\"id\":7}\n\"money\"\n\n{\"text\":\"a\\nb\"}\n";
    let out = demo(["tokenize", "--jsonl", "--json"]).stdin(input).ok();
    let texts: Vec<_> = records(&out)
        .into_iter()
        .map(|record| record.tokenize())
        .map(|record| (record.line.unwrap(), record.text))
        .collect();
    assert_eq!(
        texts,
        [(1, "banco".into()), (2, "money".into()), (4, "a\nb".into())]
    );
    let args = ["tokenize", "--jsonl", "--field", "body", "--ids"];
    assert_eq!(demo(args).stdin("{\"body\":\"banco\"}").ok(), "1 364 2\n");
    demo(["tokenize", "--field", "body"]).exit(2);
    demo(["tokenize", "--jsonl", "--lines"]).exit(2);
}

#[test]
fn bad_records_do_not_stop_the_rest() {
    let input = "{\"text\":\"banco\"}\n{\"x\":1}\n[1]\n{\"text\":3}\nno\n\"money\"";
    let answer = demo(["tokenize", "--jsonl", "--json"]).stdin(input).exit(2);
    let records = records(&answer.stdout);
    let lines: Vec<_> = records
        .iter()
        .map(|record| match record {
            Record::Tokenize(record) => (record.line, ""),
            Record::Error(error) => (error.line, error.code.as_str()),
            other => panic!("{other:?}"),
        })
        .collect();
    let bad = "bad-json";
    let expected = [(1, ""), (2, bad), (3, bad), (4, bad), (5, bad), (6, "")];
    assert_eq!(lines, expected.map(|(line, code)| (Some(line), code)));
    assert_eq!(answer.stderr, "");

    // Bare output has an empty line for a bad record, and the message goes to stderr.
    let input = &b"banco\n\xff\nmoney\n"[..];
    let answer = demo(["tokenize", "--lines", "--ids"]).stdin(input).exit(2);
    assert_eq!(answer.stdout, "1 364 2\n\n1 607 2\n");
    let sentence = "error: standard input is not UTF-8: the byte at offset 6 is invalid\n";
    assert_eq!(answer.stderr, sentence);
    let answer = demo(["count", "--lines"]).stdin(input).exit(2);
    assert_eq!(
        (answer.stdout.as_str(), answer.stderr.as_str()),
        ("3\n\n3\n", sentence)
    );
    let out = demo(["tokenize", "--lines", "--lossy", "--ids"])
        .stdin(input)
        .ok();
    assert_eq!(out, "1 364 2\n1 262 2\n1 607 2\n");
}

#[test]
fn messages_about_bad_records_are_printed_in_order() {
    let sentence = "error: standard input is not UTF-8: the byte at offset 6 is invalid";
    let input = &b"banco\n\xff\nmoney\n"[..];
    let printed = demo(["count", "--lines"]).stdin(input).run_on_one_stream();
    assert_eq!(printed, format!("3\n\n{sentence}\n3\n"));
    let args = ["tokenize", "--lines", "--ids"];
    let printed = demo(args).stdin(input).run_on_one_stream();
    assert_eq!(printed, format!("1 364 2\n\n{sentence}\n1 607 2\n"));
    let printed = demo(["decode", "--lines"])
        .stdin("588\nx\n607\n")
        .run_on_one_stream();
    let expected = "dinero\n\nerror: `x` is not a token id\nmoney\n";
    assert_eq!(printed, expected);
    let args = ["tokenize", "--lines", "--format", "csv"];
    let printed = demo(args).stdin(input).run_on_one_stream();
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!((lines.len(), lines[4]), (8, sentence));
}

#[test]
fn many_lines_keep_their_order_on_any_number_of_threads() {
    let lines: String = (0..20_000)
        .map(|n| format!("{}\n", "madera ".repeat(n % 17)))
        .collect();
    let one = demo(["count", "--lines", "--threads", "1"])
        .stdin(lines.as_str())
        .ok();
    let four = demo(["count", "--lines", "--threads", "4"])
        .stdin(lines.as_str())
        .ok();
    assert_eq!(one.lines().count(), 20_000);
    assert!(one == four);
    let ids = |threads| {
        demo(["tokenize", "--lines", "--json", "--threads", threads]).stdin(lines.as_str())
    };
    assert!(ids("1").ok() == ids("3").ok());
}

#[test]
fn a_line_is_answered_before_the_next_one_arrives() {
    use std::io::{BufRead, BufReader, Write};
    use std::process::{Command, Stdio};

    let mut child = Command::new(env!("CARGO_BIN_EXE_tokscope"))
        .args(["--model", "demo", "count", "--lines"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..3 {
        stdin.write_all(b"banco de madera\n").unwrap();
        let mut answer = String::new();
        stdout.read_line(&mut answer).unwrap();
        assert_eq!(answer, "5\n");
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_long_text_counted_in_parts_has_the_same_count() {
    #[derive(serde::Deserialize)]
    struct Line {
        text: String,
    }
    let lines = json_lines::<Line>(&repository("demo/golden.jsonl"));
    let texts: Vec<_> = lines.into_iter().map(|line| line.text).collect();
    let mut text = texts.join("\n");
    while text.len() < 3 << 20 {
        text.push(' ');
        text.push_str(&text.clone());
    }
    let whole = tokenizer(&repository("demo/model"));
    let tokens = whole.count(&text, &EncodeOptions::default()).unwrap();
    assert!(tokens > 500_000);
    assert_eq!(
        demo(["count"]).stdin(text.as_str()).ok(),
        format!("{tokens}\n")
    );
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &text).unwrap();
    for threads in ["1", "2"] {
        let path = file.path().to_str().unwrap();
        let call = demo(["count", "--json", "--threads", threads, path]);
        let count: serde_json::Value = serde_json::from_str(&call.ok()).unwrap();
        assert_eq!(count["tokens"], tokens);
        assert_eq!(count["chars"], text.chars().count());
        assert_eq!(count["bytes"], text.len());
        assert_eq!(count["lines"], text.matches('\n').count());
        assert_eq!(count["words"], TextCounts::of(&text).words);
    }
    // A word is never split, however long.
    let long = "a".repeat(3 << 20);
    let tokens = whole.count(&long, &EncodeOptions::default()).unwrap();
    assert_eq!(demo(["count"]).stdin(long).ok(), format!("{tokens}\n"));
    // A bad byte is named by its offset in the whole text.
    let mut bytes = text.into_bytes();
    let place = bytes.len() - 10;
    bytes[place] = 0xff;
    let error = demo(["count"]).stdin(bytes).exit(2).stderr;
    assert!(
        error.contains(&format!("the byte at offset {place} is invalid")),
        "{error}"
    );
}

#[test]
fn a_text_that_names_a_file_gets_a_note() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("system.md"), "banco").unwrap();
    fs::create_dir(folder.path().join("folder")).unwrap();
    let note = "note: `system.md` is a text here, and there is a file of that name: to read it, ";
    for (args, remedy) in [
        (&["tokenize", "system.md"][..], "use `-f system.md`\n"),
        (&["tokenize", "system.md", "--ids"], "use `-f system.md`\n"),
        (
            &["chunk", "system.md", "--max-length", "20"],
            "use `-f system.md`\n",
        ),
        (&["head", "system.md", "-n", "20"], "use `-f system.md`\n"),
        (&["tail", "system.md", "-n", "20"], "use `-f system.md`\n"),
        (&["embed", "system.md"], "use `< system.md`\n"),
        (&["similarity", "system.md"], "use `< system.md`\n"),
        (&["count", "--text", "system.md"], "leave out `--text`\n"),
    ] {
        let answer = demo(args).current_dir(folder.path()).exit(0);
        assert_eq!(answer.stderr, format!("{note}{remedy}"), "{args:?}");
        // Only stderr tells the two apart.
        let elsewhere = demo(args).current_dir(&folder.path().join("folder"));
        assert_eq!(elsewhere.ok(), answer.stdout, "{args:?}");
        let quiet = demo([args, &["--quiet"]].concat()).current_dir(folder.path());
        assert_eq!(quiet.ok(), answer.stdout, "{args:?}");
    }
    for (name, word) in [
        ("my file.txt", "'my file.txt'"),
        ("it's.txt", r"'it'\''s.txt'"),
        ("-x.txt", "./-x.txt"),
    ] {
        fs::write(folder.path().join(name), "banco").unwrap();
        for (command, flag) in [("tokenize", "-f"), ("embed", "<")] {
            let answer = demo([command, "--", name]).current_dir(folder.path());
            let remedy = format!("use `{flag} {word}`\n");
            let stderr = answer.exit(0).stderr;
            assert!(stderr.ends_with(&remedy), "{stderr}");
        }
    }
    // A directory cannot be read with `-f`, and standard input is no file.
    for args in [["tokenize", "folder"], ["tokenize", "-"]] {
        demo(args).current_dir(folder.path()).ok();
    }
}
