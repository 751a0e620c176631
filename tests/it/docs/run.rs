//! Runs the `console` blocks of a page and compares their output with the page.
//!
//! In a block fenced as `console`, a line that begins with `$ ` is a command for `sh`; a line `? N` right after it is its
//! exit code, 0 otherwise; the lines up to the next command are its output on both streams. Blocks fenced as
//! `console real` run on the stand-in for the real model if the shared data is there; all others need nothing but this
//! repository, and no network.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use super::bless::rewrite;
use super::is_blessing;
use super::markdown::{Step, blocks};
use super::pattern::{line_matches, matches};
use super::sandbox::Sandbox;
use crate::support::repository;
use crate::support::standin::standin;

/// Runs every command of a page, and fails with all differences at once.
pub fn run_page(name: &str) {
    let page = fs::read_to_string(repository(name)).unwrap();
    let blocks = blocks(&page);
    let steps_of = |info: &str| -> Vec<Step> {
        let chosen = blocks.iter().filter(|block| block.info == info);
        chosen.flat_map(|block| block.steps()).collect()
    };
    let (toy, real) = (steps_of("console"), steps_of("console real"));
    assert!(
        !(toy.is_empty() && real.is_empty()),
        "{name} has no block with a command in it"
    );
    let mut answers = answers(&toy, None);
    if !real.is_empty()
        && let Some(standin) = standin(&format!("docs: the real model in {name}"))
    {
        answers.extend(self::answers(&real, Some(standin.as_on_the_hub())));
    }
    let differences: String = answers
        .iter()
        .filter(|(step, code, printed)| {
            step.code != *code || !matches(&step.expected, &lines(printed))
        })
        .map(|(step, code, printed)| difference(name, step, *code, &lines(printed)))
        .collect();
    if differences.is_empty() {
        return;
    }
    assert!(
        is_blessing(),
        "{differences}\nTOKSCOPE_BLESS=1 cargo test --test it docs:: rewrites the page"
    );
    answers.sort_by_key(|(step, ..)| step.line);
    let answers: Vec<(&Step, i32, Vec<&str>)> = answers
        .iter()
        .map(|(step, code, printed)| (*step, *code, lines(printed)))
        .collect();
    fs::write(repository(name), rewrite(&page, &answers)).unwrap();
}

/// Runs commands in one sandbox, in their order.
fn answers<'a>(steps: &'a [Step], model: Option<PathBuf>) -> Vec<(&'a Step, i32, String)> {
    if steps.is_empty() {
        return Vec::new();
    }
    let sandbox = Sandbox::new(model);
    let run = |step: &'a Step| {
        let (code, printed) = sandbox.run(&step.command);
        (step, code, printed)
    };
    steps.iter().map(run).collect()
}

fn lines(printed: &str) -> Vec<&str> {
    printed.lines().collect()
}

/// Describes how a command's answer differs from the page.
fn difference(name: &str, step: &Step, code: i32, printed: &[&str]) -> String {
    let mut text = format!("\n{name}:{}: $ {}\n", step.line, step.command);
    if code != step.code {
        let _ = writeln!(text, "  exit code {code}, but the page says {}", step.code);
    }
    for (index, expected) in step.expected.iter().enumerate() {
        let same = printed.get(index);
        let same = same.is_some_and(|line| line_matches(expected, line));
        let mark = if same { ' ' } else { '-' };
        let _ = writeln!(text, "  {mark} page    |{expected}");
    }
    for (index, line) in printed.iter().enumerate() {
        let same = step.expected.get(index);
        let same = same.is_some_and(|expected| line_matches(expected, line));
        let mark = if same { ' ' } else { '+' };
        let _ = writeln!(text, "  {mark} printed |{line}");
    }
    text
}

#[test]
fn a_difference_names_the_page_and_the_line() {
    let block = &blocks("```console\n$ one\nsame\nold\n```\n")[0];
    let text = difference("docs/x.md", &block.steps()[0], 1, &["same", "new"]);
    let expected = [
        "\ndocs/x.md:2: $ one",
        "  exit code 1, but the page says 0",
        "    page    |same",
        "  - page    |old",
        "    printed |same",
        "  + printed |new\n",
    ];
    assert_eq!(text, expected.join("\n"));
}
