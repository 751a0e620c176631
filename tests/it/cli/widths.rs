//! The width of tables and sentences on terminals.

use std::fs;
use std::path::Path;

use unicode_width::UnicodeWidthStr;

use crate::support::{Call, demo};

/// Wide, combining, invisible, and joined characters, a tab, and a line end, in a text longer than any terminal.
const TEXT: &str = "banco 日本語のとても長いテキスト\tcafe\u{301} \u{200b}👩\u{200d}👩\u{200d}👧 \
                    antidisestablishmentarianism\nbanco de madera, banco donde hay dinero y más dinero en el banco 日本語";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    fs::create_dir(folder.path().join("d")).unwrap();
    write("a.txt", TEXT);
    write("d/b.txt", &TEXT.repeat(400));
    write("d/c.md", "banco");
    folder
}

/// The calls that write tables and sentences, with arguments that make them wide.
const CALLS: &[&[&str]] = &[
    &["tokenize", TEXT],
    &["tokenize", "--offset-unit", "char", "--pair", TEXT, TEXT],
    &[
        "tokenize",
        "--max-length",
        "9",
        "--stride",
        "2",
        "-f",
        "a.txt",
    ],
    &["decode", "--each", "1", "364", "2", "787", "324"],
    &["count", "."],
    &["count", ".", "--budget", "1k", "--budget-per-file", "10"],
    &["count", ".", "--by", "file"],
    &["count", ".", "--by", "dir", "--budget", "1k"],
    &["count", ".", "--by", "ext"],
    &["count", "d", "--by", "line", "--top", "3"],
    &["count", ".", "--summary"],
    &["info"],
    &["vocab"],
    &["vocab", "--grep", "a"],
    &["embed", TEXT],
    &["embed", "--id", "364", "--id", "2"],
    &["embed", "--stats", TEXT],
    &["embed", "--stats", "--id", "364"],
    &["embed", "--full", "banco dinero"],
    &["diff", "--id", "364", "--id", "588"],
    &["diff", "--full", "--id", "364", "--id", "588"],
    &["neighbors", "--id", "364", "--id", "588"],
    &["similarity", TEXT],
    &["similarity", "--full", TEXT],
    &["stats"],
    &["verify", "a.txt", "d/b.txt"],
    &["convert", "--to", "tokenizer.json", "-o", "t.json"],
    &["lock"],
    &["check"],
    &["grep", "--piece", "▁banco", "."],
    &["chunk", "--max-length", "50", "-f", "a.txt"],
    &["chunk", "--max-length", "50", TEXT],
];

/// Runs a call on a terminal of this width. Returns the lines without colors.
fn lines(args: &[&str], folder: &Path, columns: u16) -> Vec<String> {
    let call: Call = demo(args).env("HF_HUB_DISABLE_PROGRESS_BARS", "1");
    let (code, shown) = call.current_dir(folder).run_on_terminal_of(columns);
    assert!(code == 0 || code == 1, "{args:?}: {shown}");
    let color = regex::Regex::new("\u{1b}\\[[0-9;]*m").unwrap();
    let plain = color.replace_all(&shown, "").into_owned();
    plain.lines().map(str::to_owned).collect()
}

#[test]
fn no_line_of_a_command_is_wider_than_the_terminal() {
    let folder = folder();
    let mut wide = String::new();
    for args in CALLS {
        for columns in [40, 60, 80, 120] {
            for line in lines(args, folder.path(), columns) {
                // A command in a note stays whole, so that it can be copied.
                let is_message = line.contains('`');
                // The name of a tensor is not shortened, like a path.
                let is_name = !line.trim().contains(' ');
                if line.width() > usize::from(columns) && !is_message && !is_name {
                    wide.push_str(&format!("{columns} {args:?}\n{line}\n"));
                }
            }
        }
    }
    assert!(wide.is_empty(), "{wide}");
}

#[test]
fn a_terminal_of_eighty_columns_and_a_pipe_have_the_same_columns() {
    let folder = folder();
    for args in [
        &["embed", "banco de madera"][..],
        &["embed", "--full", "banco"],
        &["similarity", "banco de madera"],
        &["info"],
        &["count", "d", "--by", "file"],
        &["tokenize", "banco de madera"],
        &["neighbors", "--id", "364"],
        &["chunk", "--max-length", "50", "-f", "a.txt"],
    ] {
        let piped = demo(args).current_dir(folder.path()).ok();
        for columns in [80, 120] {
            let shown = lines(args, folder.path(), columns).join("\n");
            let words = |text: &str| {
                text.split_whitespace()
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            };
            // A long fact of `info` takes several lines on a terminal.
            assert_eq!(words(&shown), words(&piped), "{args:?}");
        }
    }
}

#[test]
fn narrow_terminals_leave_out_columns_in_order() {
    let folder = folder();
    let head = |args: &[&str], columns| {
        let lines = lines(args, folder.path(), columns);
        let head = lines
            .iter()
            .find(|line| line.contains(" tokens ") || line.contains(" id "));
        head.unwrap()
            .split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
            .join(" ")
    };
    let table = ["count", "d", "--by", "file"];
    assert_eq!(head(&table, 80), "tokens share window path");
    assert_eq!(head(&table, 60), "tokens share window path");
    assert_eq!(head(&table, 40), "tokens share path");
    assert_eq!(head(&["vocab"], 60), "id piece kind score");
    assert_eq!(head(&["vocab"], 40), "id piece score");
    assert_eq!(
        head(&["embed", "banco"], 60),
        "# id piece norm first values"
    );
    assert_eq!(head(&["embed", "banco"], 40), "# id piece norm");
    assert_eq!(
        head(&["embed", "--stats", "banco"], 80),
        "# id piece norm min max mean"
    );
    assert_eq!(head(&["tokenize", TEXT], 80), "# id piece text bytes");
    assert_eq!(head(&["tokenize", TEXT], 40), "# id piece bytes");
}

#[test]
fn a_path_is_never_shortened() {
    let folder = tempfile::tempdir().unwrap();
    let name = format!("{}.txt", "long-name-".repeat(10));
    fs::write(folder.path().join(&name), "banco\n").unwrap();
    for args in [
        &["count", "."][..],
        &["count", ".", "--by", "file"],
        &["grep", "--piece", "▁banco", "."],
    ] {
        let lines = lines(args, folder.path(), 60);
        assert!(
            lines.iter().any(|line| line.contains(&name)),
            "{args:?}: {lines:?}"
        );
    }
}

#[test]
fn all_cosines_are_shown_in_blocks_that_fit() {
    let folder = folder();
    let text = "banco de madera, banco donde hay dinero";
    let lines = lines(&["similarity", "--full", text], folder.path(), 60);
    let heads: Vec<&String> = lines.iter().filter(|line| line.contains("piece")).collect();
    let columns: Vec<usize> = heads
        .iter()
        .flat_map(|head| head.split_whitespace().filter_map(|word| word.parse().ok()))
        .collect();
    let rows = columns.len();
    assert!(heads.len() > 1 && rows > 10, "{lines:?}");
    assert_eq!(columns, (0..rows).collect::<Vec<_>>());
    assert_eq!(lines.len(), heads.len() * (rows + 1));
}

#[test]
fn machine_formats_do_not_depend_on_the_terminal() {
    let folder = folder();
    for args in [
        &["tokenize", "banco de madera", "--json"][..],
        &["embed", "banco", "--json"],
        &["embed", "banco", "--format", "csv"],
        &["similarity", "banco de madera", "--format", "tsv"],
    ] {
        let piped = demo(args).current_dir(folder.path()).ok();
        let (_, shown) = demo(args).current_dir(folder.path()).run_on_terminal_of(40);
        assert_eq!(shown, piped, "{args:?}");
    }
}
