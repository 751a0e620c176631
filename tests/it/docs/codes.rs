//! docs/reference/codes.md lists the code of every error and every finding.

use std::collections::BTreeSet;
use std::fs;

use super::markdown::{cells, code_spans};
use crate::support::repository;

/// Returns the codes in the table below a heading of the page.
fn documented(heading: &str) -> BTreeSet<String> {
    let page = fs::read_to_string(repository("docs/reference/codes.md")).unwrap();
    let (_, section) = page.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter_map(cells);
    rows.flat_map(|row| {
        let codes = code_spans(&row[0]).into_iter().map(str::to_owned);
        codes.collect::<Vec<_>>()
    })
    .collect()
}

/// Returns the string literals of a file that are spelled like codes.
fn codes_in(file: &str) -> BTreeSet<String> {
    let code = fs::read_to_string(repository(file)).unwrap();
    let is_code = |text: &&str| {
        text.starts_with(|c: char| c.is_ascii_lowercase())
            && text
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    let literals = code.split('"').skip(1).step_by(2);
    literals.filter(is_code).map(str::to_owned).collect()
}

#[test]
fn every_error_and_every_finding_has_its_code() {
    assert_eq!(documented("Errors"), codes_in("src/error/code.rs"));
    assert_eq!(
        documented("Findings"),
        codes_in("src/commands/contradictions.rs")
    );
}
