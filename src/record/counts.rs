//! Numbers of tokens: of one file or text, of groups, and of all.

use serde::Serialize;

/// Tokens of one file, stream or line.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Count {
    /// File path; `-` for standard input among files; absent where there is only one stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    pub tokens: usize,
    pub words: usize,
    pub chars: usize,
    pub bytes: usize,
    pub lines: usize,
    /// The budget of this file, and whether it was kept, under `--budget-per-file`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within_budget: Option<bool>,
    /// Present if rows are held back until all are known.
    #[serde(flatten)]
    pub comparison: Option<Comparison>,
}

/// How a row compares with the others of its table.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Comparison {
    /// Part of all tokens, 0 to 1, in ten-thousandths.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_window: Option<u64>,
}

/// The sum over a count.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Total {
    pub files: usize,
    pub tokens: usize,
    pub words: usize,
    pub chars: usize,
    pub bytes: usize,
    pub lines: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within_budget: Option<bool>,
    /// How many files, or texts, are over a budget of their own, where they have any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over_budget: Option<usize>,
}

/// The sum over files that have something in common.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Group {
    /// What they have in common: `dir`, `ext` or `glob`.
    pub by: &'static str,
    /// The directory, the extension (empty if there is none), or the glob.
    pub name: String,
    pub files: usize,
    pub tokens: usize,
    pub words: usize,
    pub chars: usize,
    pub bytes: usize,
    pub lines: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within_budget: Option<bool>,
    /// Present if rows are held back until all are known.
    #[serde(flatten)]
    pub comparison: Option<Comparison>,
}

impl Group {
    /// Adds a file.
    pub fn add(&mut self, count: &Count) {
        self.files += 1;
        self.tokens += count.tokens;
        self.words += count.words;
        self.chars += count.chars;
        self.bytes += count.bytes;
        self.lines += count.lines;
    }
}

/// How the tokens of files, or texts, are spread. A percentile is the tokens of the smallest text that is at least as
/// large as that part of all of them (nearest rank).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Summary {
    pub files: usize,
    pub tokens: usize,
    pub min: usize,
    pub p50: usize,
    pub p90: usize,
    pub p99: usize,
    pub max: usize,
    /// Rounded to tenths.
    pub mean: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_window: Option<u64>,
    /// How many have more tokens than fit the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over_context_window: Option<usize>,
}
