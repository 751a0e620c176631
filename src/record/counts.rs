//! Token counts of one file or text, of groups of files, and of the whole input.

use serde::Serialize;

use super::chat::ChatParts;

/// The size of one file, stream, or line.
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
    /// The parts of the conversation that was counted; present under `--chat`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chat: Option<ChatParts>,
    /// The model that counted.
    pub model: String,
    /// The reading, unless it is the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reading: Option<&'static str>,
    /// Present only in tables, whose rows are written after everything has been counted.
    #[serde(flatten)]
    pub comparison: Option<Comparison>,
}

/// The fields that a row has only in a table.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Comparison {
    /// Share of all tokens, from 0 to 1, rounded to four decimal places.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_window: Option<u64>,
}

/// The sum of all counts.
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
    /// Number of files or texts over their own budgets. Absent if there are no such budgets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over_budget: Option<usize>,
    /// The model that counted.
    pub model: String,
    /// The reading, unless it is the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reading: Option<&'static str>,
}

/// The sum of the counts of a group of files.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Group {
    /// The property that the files share: `dir`, `ext`, or `glob`.
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
    /// The model that counted.
    pub model: String,
    /// The reading, unless it is the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reading: Option<&'static str>,
    /// Present only in tables, whose rows are written after everything has been counted.
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

/// The distribution of token counts over files or texts. Percentiles use the nearest rank: `p90` is the smallest count
/// that at least 90 % of the texts do not exceed.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Summary {
    pub files: usize,
    pub tokens: usize,
    pub min: usize,
    pub p50: usize,
    pub p90: usize,
    pub p99: usize,
    pub max: usize,
    /// Rounded to one decimal place.
    pub mean: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_window: Option<u64>,
    /// Number of files or texts that exceed the context window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over_context_window: Option<usize>,
    /// The model that counted.
    pub model: String,
    /// The reading, unless it is the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reading: Option<&'static str>,
}
