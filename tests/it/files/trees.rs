//! `count` on directories: the order of rows, tables and summaries, and files that cannot be counted.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::records::{Count, Record, records};
use crate::support::{Call, demo, repository};

/// Makes a directory with these files.
pub(super) fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        write(folder.path(), name, content);
    }
    folder
}

fn write(folder: &Path, name: &str, content: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

pub(super) fn count(folder: &Path, args: &[&str]) -> Call {
    demo([&["count"], args].concat()).current_dir(folder)
}

/// The paths of the count records, in order.
pub(super) fn paths(stdout: &str) -> Vec<String> {
    let path = |record| match record {
        Record::Count(count) => count.path,
        _ => None,
    };
    records(stdout).into_iter().filter_map(path).collect()
}

fn counts(stdout: &str) -> Vec<Count> {
    let count = |record| match record {
        Record::Count(count) => Some(count),
        _ => None,
    };
    records(stdout).into_iter().filter_map(count).collect()
}

#[test]
fn the_output_does_not_depend_on_threads_or_engine() {
    let folder = tempfile::tempdir().unwrap();
    let corpus = fs::read_to_string(repository("demo/corpus/general.txt")).unwrap();
    let letters: Vec<char> = corpus.chars().collect();
    for number in 0..700_usize {
        // Lengths from 0 to about 3000 characters, in no order.
        let length = number * number % 3001;
        let text: String = letters[number % 97..][..length.min(letters.len() - 97)]
            .iter()
            .collect();
        write(
            folder.path(),
            &format!("d{}/{number}.txt", number % 13),
            &text,
        );
    }
    for view in [
        &[][..],
        &["--sort", "tokens"],
        &["--by", "dir", "--summary"],
    ] {
        let run =
            |more: &[&str]| count(folder.path(), &[&[".", "--json"], view, more].concat()).ok();
        let one = run(&["--threads", "1"]);
        assert_eq!(one, run(&["--threads", "2"]));
        assert_eq!(one, run(&["--threads", "5"]));
        assert_eq!(one, run(&["--engine", "reference"]));
    }
    let all = counts(&count(folder.path(), &[".", "--json"]).ok());
    assert_eq!(all.len(), 700);
    for row in &all[..50] {
        let path = row.path.as_deref().unwrap();
        let alone = demo(["count"]).stdin(fs::read(folder.path().join(path)).unwrap());
        assert_eq!(alone.ok(), format!("{}\n", row.tokens), "{path}");
    }
}

#[test]
fn a_table_is_sorted_and_limited() {
    let folder = tree(&[
        ("b/one.md", "banco"),
        ("a/three.md", "banco banco banco"),
        ("a/two.rs", "banco banco"),
        ("z", "banco banco banco"),
    ]);
    let rows = |args: &[&str]| {
        let stdout = count(folder.path(), &[&["b", "a", "z", "--json"], args].concat()).ok();
        paths(&stdout).join(" ")
    };
    assert_eq!(rows(&["--by", "file"]), "b/one.md a/three.md a/two.rs z");
    assert_eq!(rows(&["--sort", "path"]), "a/three.md a/two.rs b/one.md z");
    assert_eq!(
        rows(&["--sort", "tokens"]),
        "a/three.md z a/two.rs b/one.md"
    );
    assert_eq!(rows(&["--top", "3"]), "a/three.md z a/two.rs");
    assert_eq!(rows(&["--top", "2", "--sort", "path"]), "a/three.md z");
    assert_eq!(rows(&["--top", "0"]), "");

    let shown = count(folder.path(), &["b", "a", "z", "--top", "3"]).ok();
    assert_eq!(
        shown,
        "   tokens    share    window                        path
        5   29.4 %     1.0 %  ████████████████████  a/three.md
        5   29.4 %     1.0 %  ████████████████████  z
        4   23.5 %     0.8 %  ████████████████      a/two.rs
       17  total of 4 files\n"
    );
    let shown = count(
        folder.path(),
        &["b", "a", "z", "--by", "ext", "--sort", "tokens"],
    )
    .ok();
    assert_eq!(
        shown,
        "   tokens   files    share    window                        ext
        8       2   47.1 %     1.6 %  ████████████████████  .md
        5       1   29.4 %     1.0 %  ████████████▌         (no extension)
        4       1   23.5 %     0.8 %  ██████████            .rs
       17  total of 4 files\n"
    );
    let groups = records(&count(folder.path(), &["b", "a", "z", "--by", "dir", "--json"]).ok());
    let [
        Record::Group(top),
        Record::Group(a),
        Record::Group(b),
        Record::Total(total),
    ] = &groups[..]
    else {
        panic!("{groups:?}")
    };
    assert_eq!([&top.name, &a.name, &b.name], [".", "a", "b"]);
    assert_eq!([top.files, a.files, b.files], [1, 2, 1]);
    assert_eq!(top.tokens + a.tokens + b.tokens, total.tokens);
    assert_eq!((a.words, a.lines, a.bytes), (5, 0, 28));
    assert_eq!((a.share, a.context_window), (Some(0.5294), Some(512)));
}

#[test]
fn lines_of_the_files_of_a_directory_are_counted() {
    let folder = tree(&[
        ("a.txt", "banco\nbanco banco\n"),
        ("d/b.txt", "a\n\nbanco banco banco"),
    ]);
    let longest = count(
        folder.path(),
        &[".", "--by", "line", "--top", "2", "--json"],
    )
    .ok();
    let rows = counts(&longest);
    let row = |row: &Count| (row.path.clone().unwrap(), row.line.unwrap(), row.tokens);
    assert_eq!(row(&rows[0]), ("./d/b.txt".to_owned(), 3, 5));
    assert_eq!(row(&rows[1]), ("./a.txt".to_owned(), 2, 4));
    assert_eq!(
        count(folder.path(), &[".", "--lines"]).ok(),
        "3\n4\n3\n2\n5\n"
    );
    let error = count(folder.path(), &[".", "--by", "dir", "--jsonl"]).exit(2);
    assert_eq!(
        error.stderr,
        "error: `--by file`, `dir` and `ext` need whole files, but `--jsonl` splits files into texts\n"
    );
    count(folder.path(), &[".", "--by", "dir", "--total"]).exit(2);
}

#[test]
fn a_summary_stands_alone_or_after_rows() {
    let folder = tree(&[("a", "banco"), ("b", "banco banco"), ("c", "")]);
    let shown = count(folder.path(), &[".", "--summary"]).ok();
    let summary = "        2  min\n        3  p50\n        4  p90\n        4  p99\n        4  max\n      3.0  mean\n        \
                   0  over the context window of 512\n";
    assert_eq!(shown, format!("{summary}       9 total of 3 files\n"));
    let rows = records(&count(folder.path(), &[".", "--summary", "--top", "1", "--json"]).ok());
    let [
        Record::Count(_),
        Record::Summary(summary),
        Record::Total(total),
    ] = &rows[..]
    else {
        panic!("{rows:?}")
    };
    assert_eq!((summary.files, summary.tokens), (total.files, total.tokens));
    let csv = count(folder.path(), &[".", "--summary", "--format", "csv"]).ok();
    assert_eq!(
        csv,
        "files,tokens,min,p50,p90,p99,max,mean,context_window,over_context_window,model\n3,9,2,3,4,4,4,3,512,0,demo\n"
    );
    // In a stream, every line is a text.
    let stream = demo(["count", "--jsonl", "--summary", "--json"]).stdin("\"banco\"\n\"\"\n");
    let stream = records(&stream.ok());
    let [Record::Summary(summary), Record::Total(_)] = &stream[..] else {
        panic!("{stream:?}")
    };
    assert_eq!((summary.min, summary.max, summary.files), (2, 3, 2));
}

#[test]
fn columns_of_a_table_follow_those_of_a_count() {
    let folder = tree(&[("a", "banco"), ("b", "banco banco")]);
    let table =
        |args: &[&str]| count(folder.path(), &[&[".", "--format", "tsv"], args].concat()).ok();
    assert_eq!(
        table(&["--top", "1"]),
        "path\tline\ttokens\twords\tchars\tbytes\tlines\tbudget\twithin_budget\tshare\tcontext_window\tmodel\n\
         ./b\t\t4\t2\t11\t11\t0\t\t\t0.5714\t512\tdemo\n"
    );
    assert_eq!(
        table(&["--by", "ext"]),
        "by\tname\tfiles\ttokens\twords\tchars\tbytes\tlines\tbudget\twithin_budget\tshare\tcontext_window\tmodel\n\
         ext\t\t2\t7\t3\t16\t16\t0\t\t\t1\t512\tdemo\n"
    );
    // Without a table, rows have no columns for the comparison.
    assert_eq!(
        table(&[]).lines().next().unwrap(),
        "path\tline\ttokens\twords\tchars\tbytes\tlines\tbudget\twithin_budget\tmodel"
    );
    let json = count(folder.path(), &["a", "--json"]).ok();
    assert_eq!(
        json,
        "{\"type\":\"count\",\"path\":\"a\",\"tokens\":3,\"words\":1,\"chars\":5,\"bytes\":5,\"lines\":0,\"model\":\"demo\"}\n"
    );
}

#[test]
fn a_file_that_is_not_text_is_skipped_with_a_note() {
    let folder = tree(&[("a.txt", "banco")]);
    fs::write(folder.path().join("latin1.txt"), b"caf\xe9").unwrap();
    fs::write(folder.path().join("zero.bin"), b"a\0b").unwrap();
    let answer = count(folder.path(), &["."]).exit(0);
    assert_eq!(answer.stdout, "       3 ./a.txt\n");
    assert_eq!(
        answer.stderr,
        "note: skipped ./latin1.txt: not UTF-8, the byte at offset 3 is invalid\n\
         note: skipped ./zero.bin: not text\n"
    );
    let lossy = count(folder.path(), &[".", "--lossy", "--json", "-q"]).ok();
    assert_eq!(paths(&lossy), ["./a.txt", "./latin1.txt"]);
    let lines = count(folder.path(), &[".", "--lines"]).exit(2);
    assert_eq!(lines.stdout, "3\n\n");
    assert_eq!(
        lines.stderr,
        "error: ./latin1.txt is not UTF-8: the byte at offset 3 is invalid\nnote: skipped ./zero.bin: not text\n"
    );
}

#[test]
fn an_empty_directory_is_not_an_error() {
    let folder = tree(&[(".hidden", "a")]);
    let answer = count(folder.path(), &["."]).exit(0);
    let note = "note: found no text files to count\n";
    assert_eq!((answer.stdout.as_str(), answer.stderr.as_str()), ("", note));
    let answer = count(folder.path(), &[".", "--summary"]).exit(0);
    assert_eq!(
        (answer.stdout.as_str(), answer.stderr.as_str()),
        ("       0 total of 0 files\n", note)
    );
    let answer = count(
        folder.path(),
        &[".", "--top", "3", "--json", "--budget", "1"],
    )
    .exit(0);
    assert!(
        answer
            .stdout
            .starts_with("{\"type\":\"total\",\"files\":0,"),
        "{}",
        answer.stdout
    );
    assert_eq!(count(folder.path(), &[".", "--total", "-q"]).ok(), "0\n");
}

#[test]
fn a_loop_of_links_is_walked_once() {
    let folder = tree(&[("a/x.txt", "banco")]);
    symlink("..", folder.path().join("a/up")).unwrap();
    symlink("self", folder.path().join("self")).unwrap();
    symlink("a/x.txt", folder.path().join("link.txt")).unwrap();
    assert_eq!(count(folder.path(), &["."]).ok(), "       3 ./a/x.txt\n");
    let followed = count(folder.path(), &[".", "-L"]).exit(2);
    assert_eq!(
        followed.stdout,
        "       3 ./a/x.txt\n       3 ./link.txt\n       6 total\n"
    );
    assert_eq!(
        followed.stderr,
        "note: skipped ./a/up: it links to its own ancestor .\n\
         error: cannot read ./self: too many levels of symbolic links\n"
    );
    let named = count(folder.path(), &["self"]).exit(2);
    assert_eq!(
        named.stderr,
        "error: cannot read self: too many levels of symbolic links\n"
    );
}

#[test]
fn an_unreadable_directory_is_an_error_and_the_rest_is_counted() {
    let folder = tree(&[
        ("a.txt", "banco"),
        ("locked/b.txt", "a"),
        ("z.txt", "banco"),
    ]);
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let locked = folder.path().join("locked");
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).unwrap();
    let run = |args: &[&str]| {
        let call = count(folder.path(), &[&[".", "--by", "file"], args].concat());
        match fs::read_dir(&locked) {
            // Root can read every directory, so the program runs as another user.
            Ok(_) => call.run_by_nobody(),
            Err(_) => call,
        }
    };
    let answer = run(&["--json"]).exit(2);
    let sentence = "cannot read ./locked: permission denied";
    let Record::Error(error) = &records(&answer.stdout)[0] else {
        panic!("{}", answer.stdout)
    };
    assert_eq!(
        (error.path.as_deref(), error.code.as_str()),
        (Some("./locked"), "unreadable-input")
    );
    assert_eq!(error.message, sentence);
    assert_eq!(paths(&answer.stdout), ["./a.txt", "./z.txt"]);
    assert_eq!(run(&["-q"]).exit(2).stderr, format!("error: {sentence}\n"));
}

#[test]
fn a_file_that_changes_during_the_count_is_counted_consistently() {
    let folder = tree(&[("a.txt", "banco")]);
    let changing = folder.path().join("changing.txt");
    fs::write(&changing, "banco ").unwrap();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut length = 1;
            while !stop.load(Ordering::Relaxed) {
                length = length * 7 % 50_021;
                fs::write(&changing, "banco ".repeat(length)).unwrap();
            }
        });
        for _ in 0..20 {
            let answer = count(folder.path(), &[".", "--json"]).exit(0);
            let rows = counts(&answer.stdout);
            // Words and bytes belong to the same state of the file.
            let row = &rows[1];
            assert_eq!(
                (rows.len(), row.path.as_deref()),
                (2, Some("./changing.txt"))
            );
            assert!(
                row.bytes == row.chars && row.words == row.bytes.div_ceil(6),
                "{row:?}"
            );
        }
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_long_stream_continues_after_bad_records() {
    let mut input = String::new();
    for line in 1..=100_000 {
        input.push_str(match line {
            7 => "{\"text\": 1}\n",
            50_000 => "not json\n",
            99_999 => "{\"other\": \"banco\"}\n",
            _ => "{\"text\":\"banco\"}\n",
        });
    }
    let run = |args: &[&str]| {
        demo([&["count", "--jsonl"], args].concat())
            .stdin(input.as_str())
            .exit(2)
    };
    let answer = run(&["--summary", "--budget-per-file", "3"]);
    let errors = "error: line 7 of standard input: field `text` must be a string, not a number\n\
                  error: line 50000 of standard input: not JSON: expected ident at column 2\n\
                  error: line 99999 of standard input: there is no field `text`, only `other`\n";
    assert_eq!(answer.stderr, errors);
    assert!(
        answer.stdout.starts_with("        3  min\n"),
        "{}",
        answer.stdout
    );
    assert!(
        answer
            .stdout
            .ends_with("\n 299,991 total of 99,997 texts, none over its budget\n"),
        "{}",
        answer.stdout
    );
    let records = records(&run(&["--json"]).stdout);
    let bad: Vec<u64> = records
        .iter()
        .filter_map(|record| match record {
            Record::Error(error) => error.line,
            _ => None,
        })
        .collect();
    assert_eq!((records.len(), bad), (100_000, vec![7, 50_000, 99_999]));
}

#[test]
fn file_names_with_escapes_or_invalid_utf8_are_shown_safely() {
    let folder = tree(&[("a\u{1b}[31m\nb.txt", "banco")]);
    let odd = std::ffi::OsStr::from_bytes(b"\xff.txt");
    fs::write(folder.path().join(odd), "banco banco").unwrap();
    let shown = count(folder.path(), &["."]).ok();
    assert_eq!(
        shown,
        "       3 ./a␛[31m↵b.txt\n       4 ./\u{fffd}.txt\n       7 total\n"
    );
    assert!(
        count(folder.path(), &[".", "--by", "file"])
            .ok()
            .contains("./a␛[31m↵b.txt\n")
    );
    let named = demo([std::ffi::OsStr::new("count"), odd]).current_dir(folder.path());
    assert_eq!(named.ok(), "       4 \u{fffd}.txt\n");
}
