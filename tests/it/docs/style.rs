//! The limits that keep pages readable.

use std::fs;

use super::markdown::{blocks, prose};
use super::pages::pages;
use crate::support::repository;

/// The longest line of prose, in columns.
const LONGEST_LINE: usize = 120;

/// The longest README, in lines.
const LONGEST_README: usize = 250;

/// The languages of fenced blocks. Only those that begin with `console` hold commands that run.
const LANGUAGES: [&str; 8] = [
    "console",
    "console real",
    "sh",
    "text",
    "json",
    "toml",
    "python",
    "rust",
];

#[test]
fn the_readme_is_short() {
    let readme = fs::read_to_string(repository("README.md")).unwrap();
    let lines = readme.lines().count();
    assert!(lines <= LONGEST_README, "README.md has {lines} lines");
}

#[test]
fn lines_of_prose_fit_a_screen() {
    let mut long = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(repository(&page)).unwrap();
        for (number, line) in prose(&text) {
            let is_exempt = line.starts_with('|') || line.contains("](") || line.contains("://");
            if !is_exempt && line.chars().count() > LONGEST_LINE {
                long.push(format!("{page}:{number}: {}", line.chars().count()));
            }
        }
    }
    assert!(
        long.is_empty(),
        "lines of more than {LONGEST_LINE} columns:\n{}",
        long.join("\n")
    );
}

#[test]
fn every_block_is_of_a_known_kind_and_every_command_runs() {
    for page in pages() {
        let text = fs::read_to_string(repository(&page)).unwrap();
        for block in blocks(&text) {
            let (line, info) = (block.line, block.info.as_str());
            assert!(
                LANGUAGES.contains(&info),
                "{page}:{line}: a block fenced as `{info}`"
            );
            let has_commands = block.lines.iter().any(|line| line.starts_with("$ "));
            assert!(
                !has_commands || info.starts_with("console"),
                "{page}:{line}: commands that no test runs"
            );
        }
    }
}
