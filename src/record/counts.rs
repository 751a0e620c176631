//! Numbers of tokens: of one file or text, of groups, and of all.

use serde::Serialize;

/// Tokens of one file, stream or line.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Count {
    /// File path, or `-` for standard input among files. Absent if there is only one stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    pub tokens: usize,
    pub words: usize,
    pub chars: usize,
    pub bytes: usize,
    pub lines: usize,
    /// The budget of this file or text; present under `--budget-per-file`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within_budget: Option<bool>,
    /// Present in tables, whose rows are written after all are counted.
    #[serde(flatten)]
    pub comparison: Option<Comparison>,
}

/// How a row compares with the others of its table.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Comparison {
    /// Part of all tokens, 0 to 1, rounded to ten-thousandths.
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
    /// Number of files or texts over their own budget. Absent if they have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over_budget: Option<usize>,
}

/// The sum over a group of files.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Group {
    /// What the files share: `dir`, `ext`, or `glob`.
    pub by: &'static str,
    /// The directory, the extension (empty for files without one), or the glob.
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
    /// Present in tables, whose rows are written after all are counted.
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

/// The distribution of the tokens of files or texts. Percentiles are by nearest rank: `p90` is the smallest number of
/// tokens that at least 90 % of the texts do not exceed.
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
    /// Number of files or texts that exceed the context window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over_context_window: Option<usize>,
}
