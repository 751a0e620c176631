//! docs/reference/columns.md names the columns that CSV has.

use std::collections::BTreeMap;
use std::fs;

use super::markdown::{cells, code_spans};
use crate::support::{demo, folder_without_checkpoint, repository};

const PAGE: &str = "docs/reference/columns.md";

/// Returns the documented columns by record: the first code span of the second cell, and the second if there is one.
fn documented() -> BTreeMap<String, Vec<String>> {
    let page = fs::read_to_string(repository(PAGE)).unwrap();
    let mut documented = BTreeMap::new();
    for row in page.lines().filter_map(cells) {
        let columns = code_spans(&row[1]);
        let columns: Vec<String> = (columns.iter())
            .flat_map(|span| span.split(' '))
            .filter(|name| *name != "…")
            .map(str::to_owned)
            .collect();
        for record in code_spans(&row[0]) {
            documented.insert(record.to_owned(), columns.clone());
        }
    }
    documented
}

/// Commands on the built-in model, and the record whose columns they print.
const COMMANDS: &[(&str, &[&str])] = &[
    ("tokenize", &["tokenize", "banco"]),
    ("decode", &["decode", "364"]),
    ("count", &["count", "--by", "file", "demo/corpus"]),
    ("group", &["count", "--by", "ext", "demo/corpus"]),
    ("summary", &["count", "--summary", "demo/corpus"]),
    ("total", &["count", "--total", "demo/corpus"]),
    ("info", &["info"]),
    ("piece", &["vocab", "--id", "364"]),
    ("row", &["embed", "--id", "364"]),
    ("diff", &["diff", "banco", "banco"]),
    ("neighbor", &["neighbors", "banco"]),
    (
        "similarity",
        &["similarity", "--id", "364", "--id", "361", "--id", "2"],
    ),
    ("stats", &["stats"]),
    ("file", &["pull"]),
    ("verify", &["verify", "demo/corpus/money.txt"]),
    ("chunk", &["chunk", "--max-length", "9", "banco"]),
    ("head", &["head", "-n", "9", "banco"]),
    ("tail", &["tail", "-n", "9", "banco"]),
    ("match", &["grep", "--id", "364", "demo/corpus"]),
    ("convert", &["convert", "--to", "tokenizer.json"]),
    ("lock", &["lock"]),
    ("check", &["check"]),
];

#[test]
fn every_documented_column_is_a_column_of_csv() {
    let documented = documented();
    let folder = tempfile::tempdir().unwrap();
    let check = |record: &str, stdout: &str| {
        let head = stdout.lines().next().unwrap_or_default();
        let mut head: Vec<&str> = head.split(',').collect();
        // Of `v0 v1 v2 …`, the page names the first two.
        let is_numbered = |name: &&str, from: usize| {
            let number = name.strip_prefix(['v', 'd', 'c']);
            let number = number.and_then(|number| number.parse::<usize>().ok());
            number.is_some_and(|number| number >= from)
        };
        head.retain(|name| !is_numbered(name, 2));
        assert_eq!(documented[record], head, "{PAGE}: `{record}`");
    };
    for (record, args) in COMMANDS {
        let args: Vec<String> = args
            .iter()
            .map(|&arg| {
                if arg.starts_with("demo/") {
                    repository(arg).to_str().unwrap().to_owned()
                } else {
                    arg.to_owned()
                }
            })
            .collect();
        let args = args.iter().map(String::as_str).chain(["--format", "csv"]);
        let answer = demo(args).current_dir(folder.path()).run();
        check(record, &answer.stdout);
    }
    let changed = folder_without_checkpoint();
    fs::write(
        changed.path().join("added_tokens.json"),
        r#"{"[MASK]": 2000, "banco": 2001}"#,
    )
    .unwrap();
    let args = ["--model", changed.path().to_str().unwrap(), "check"];
    let answer = demo(args.into_iter().chain(["--format", "csv"]))
        .current_dir(folder.path())
        .run();
    check("drift", &answer.stdout);
    let compared = COMMANDS.len() + ["drift", "difference"].len();
    assert_eq!(documented.len(), compared, "records on the page");
}
