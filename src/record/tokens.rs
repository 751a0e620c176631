//! The tokens of a text, and the text that ids decode to.

use serde::Serialize;

use super::chat::ChatParts;
use super::packed_strings::PackedStrings;

/// A half-open range in the unit that the record names; `[start, end]` in JSON.
pub type Offset = (usize, usize);

/// The tokens of one text or of one window of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Tokenize {
    pub model: String,
    /// Commit of the repository, 40 hexadecimal digits; absent for directories and the built-in model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Line of the input, from 1; present under `--lines` and `--jsonl`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// File of the text; absent if the text is an argument or standard input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    pub text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pair: Option<String>,
    pub ids: Vec<u32>,
    pub tokens: PackedStrings,
    pub offsets: Vec<Offset>,
    pub offset_unit: &'static str,
    pub type_ids: Vec<u32>,
    pub special_tokens_mask: Vec<u32>,
    pub word_ids: Vec<Option<u32>>,
    /// Which text of the pair a token belongs to, 0 or 1; null for special tokens. Absent without a pair.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence_ids: Option<Vec<Option<usize>>>,
    /// Number of tokens of this window.
    pub count: usize,
    /// Number of words of the text, separated by white space.
    pub words: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_window: Option<u64>,
    pub truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truncated_tokens: Option<usize>,
    /// 1, 2, … for the windows after the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<usize>,
    /// The reading, unless it is the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reading: Option<&'static str>,
    /// The parts of the conversation whose rendered text this is; present under `--chat`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chat: Option<ChatParts>,
}

/// Ids and the text they decode to.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Decode {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    pub ids: Vec<u32>,
    pub tokens: Vec<String>,
    pub text: String,
    /// The reading, unless it is the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reading: Option<&'static str>,
}
