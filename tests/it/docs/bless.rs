//! Rewrites the expected output of a page, and keeps the patterns that still describe it.

use super::markdown::Step;
use super::pattern::{ANY_LINES, line_matches};

/// A step of the comparison of patterns with printed lines.
#[derive(Clone, Copy)]
enum Move {
    /// The pattern describes the line, and stays.
    Keep,
    /// The line takes the place of the pattern.
    Replace,
    /// The pattern goes.
    Drop,
    /// The line is added.
    Add,
    /// The line is one of those that `...` stands for.
    Cover,
}

impl Move {
    /// Patterns that still match stay, and a line that changed replaces the pattern that described it: it must not
    /// vanish into a neighbouring `...`.
    const fn cost(self) -> usize {
        match self {
            Self::Keep | Self::Cover => 0,
            Self::Replace => 2,
            Self::Drop | Self::Add => 3,
        }
    }
}

/// Returns patterns for `printed` that keep as much of `expected` as still matches.
pub fn merge(expected: &[String], printed: &[&str]) -> Vec<String> {
    let (rows, columns) = (expected.len(), printed.len());
    // The cheapest way from (pattern, line) to the end, and its first move; filled from the end.
    let mut best: Vec<Vec<(usize, Option<Move>)>> = vec![vec![(0, None); columns + 1]; rows + 1];
    for row in (0..=rows).rev() {
        for column in (0..=columns).rev() {
            let mut found: Option<(usize, Move)> = None;
            let pattern = expected.get(row).map(String::as_str);
            let line = printed.get(column).copied();
            for step in possible(pattern, line) {
                let (row, column) = after(step, pattern, row, column);
                let cost = step.cost() + best[row][column].0;
                if found.is_none_or(|(cheapest, _)| cost < cheapest) {
                    found = Some((cost, step));
                }
            }
            if let Some((cost, step)) = found {
                best[row][column] = (cost, Some(step));
            }
        }
    }
    let mut merged = Vec::new();
    let (mut row, mut column) = (0, 0);
    while let Some(step) = best[row][column].1 {
        match step {
            Move::Keep => merged.push(expected[row].clone()),
            Move::Replace | Move::Add => merged.push(printed[column].to_owned()),
            Move::Drop | Move::Cover => {}
        }
        let pattern = expected.get(row).map(String::as_str);
        (row, column) = after(step, pattern, row, column);
    }
    merged
}

/// Returns the moves that a pattern and a line allow, the preferred one first.
fn possible(pattern: Option<&str>, line: Option<&str>) -> Vec<Move> {
    match (pattern, line) {
        (None, None) => vec![],
        (None, Some(_)) => vec![Move::Add],
        (Some(ANY_LINES), None) => vec![Move::Keep],
        (Some(ANY_LINES), Some(_)) => vec![Move::Cover, Move::Keep],
        (Some(_), None) => vec![Move::Drop],
        (Some(pattern), Some(line)) if line_matches(pattern, line) => {
            vec![Move::Keep, Move::Drop, Move::Add]
        }
        (Some(_), Some(_)) => vec![Move::Replace, Move::Drop, Move::Add],
    }
}

/// Returns the indices of the next pattern and line after a move.
fn after(step: Move, pattern: Option<&str>, row: usize, column: usize) -> (usize, usize) {
    match step {
        Move::Keep if pattern == Some(ANY_LINES) => (row + 1, column),
        Move::Keep | Move::Replace => (row + 1, column + 1),
        Move::Drop => (row + 1, column),
        Move::Add | Move::Cover => (row, column + 1),
    }
}

/// Returns the page with new answers: for each step its exit code and the lines it printed.
pub fn rewrite(page: &str, answers: &[(&Step, i32, Vec<&str>)]) -> String {
    let mut lines: Vec<String> = page.lines().map(str::to_owned).collect();
    for (step, code, printed) in answers.iter().rev() {
        let mut answer = merge(&step.expected, printed);
        if *code != 0 {
            answer.insert(0, format!("? {code}"));
        }
        lines.splice(step.answer.clone(), answer);
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::super::markdown::blocks;
    use super::*;

    #[track_caller]
    fn check(expected: &[&str], printed: &[&str], merged: &[&str]) {
        let expected: Vec<String> = expected.iter().map(|&line| line.to_owned()).collect();
        assert_eq!(merge(&expected, printed), merged);
    }

    #[test]
    fn patterns_that_match_stay() {
        check(&["a [..]", "b"], &["a 1", "c"], &["a [..]", "c"]);
        check(&["...", "b"], &["x", "y", "b"], &["...", "b"]);
        check(&["a", "..."], &["a"], &["a", "..."]);
    }

    #[test]
    fn a_line_that_changed_is_replaced_and_does_not_vanish_into_dots() {
        check(
            &["...", "shape 1"],
            &["x", "shape: 1"],
            &["...", "shape: 1"],
        );
        check(&["head [..]", "..."], &["Head 1", "x"], &["Head 1", "..."]);
    }

    #[test]
    fn lines_are_added_and_dropped() {
        check(&[], &["a", "b"], &["a", "b"]);
        check(&["a", "b"], &[], &[]);
        check(&["a", "c"], &["a", "b", "c"], &["a", "b", "c"]);
        check(&["a", "b [..]", "c"], &["a", "c"], &["a", "c"]);
    }

    #[test]
    fn answers_are_written_to_their_places() {
        let page = "```console\n$ one\n? 1\nold\n$ two\n[..]x\n$ three\n```\ntext\n";
        let blocks = blocks(page);
        let steps = blocks[0].steps();
        let answers = [
            (&steps[0], 0, vec!["new"]),
            (&steps[1], 0, vec!["box"]),
            (&steps[2], 2, vec!["error", "more"]),
        ];
        let expected =
            "```console\n$ one\nnew\n$ two\n[..]x\n$ three\n? 2\nerror\nmore\n```\ntext\n";
        assert_eq!(rewrite(page, &answers), expected);
    }
}
