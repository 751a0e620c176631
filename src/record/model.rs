//! A model: its files, tokenizer, matrix, configuration, and vocabulary.

use std::collections::BTreeMap;

use serde::Serialize;

use super::fetched::Fetched;

/// What a model is.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Info {
    pub model: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    pub files: Vec<FileEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokenizer: Option<TokenizerInfo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub embedding: Option<EmbeddingInfo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<ConfigInfo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_window: Option<u64>,
    pub findings: Vec<Finding>,
    #[serde(flatten)]
    pub fetched: Fetched,
}

/// A file of the model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FileEntry {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Whether its bytes are on this machine.
    pub cached: bool,
}

/// The tokenizer part of [`Info`].
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct TokenizerInfo {
    /// The algorithm: Unigram, BPE, WordPiece or WordLevel.
    pub model: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    pub file: String,
    /// Ids that the tokenizer can produce.
    pub vocabulary_size: usize,
    /// Id by role, such as `cls_token`.
    pub special_tokens: BTreeMap<String, SpecialToken>,
    pub added_tokens: Vec<SpecialToken>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_max_length: Option<u64>,
    /// What encodes: `native` or `reference`.
    pub engine: &'static str,
    /// Why it is that one.
    pub engine_reason: String,
}

/// A special or added token.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SpecialToken {
    pub token: String,
    /// Absent where the vocabulary lacks the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<u32>,
}

/// The matrix part of [`Info`].
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct EmbeddingInfo {
    pub tensor: String,
    pub file: String,
    pub container: String,
    pub rows: u64,
    pub columns: u64,
    pub dtype: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub padding_idx: Option<u64>,
    /// Inclusive ranges of rows that no token has.
    pub rows_without_token: Vec<(u64, u64)>,
}

/// The part of `config.json` that concerns the input layer, as declared there.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ConfigInfo {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vocab_size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden_size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_position_embeddings: Option<u64>,
}

/// Something a reader should know about a model: a spare row, or two files that contradict each other.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    pub level: Level,
    pub code: &'static str,
    pub message: String,
}

/// How much a [`Finding`] matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// By design, but surprising.
    Note,
    /// Two files say different things, or ids lead nowhere.
    Warning,
}

/// One entry of the vocabulary.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Piece {
    pub id: u32,
    pub piece: String,
    pub kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    pub special: bool,
    pub added: bool,
}

/// A file, or the matrix in it, that `pull` has put into a cache or found there.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct File {
    pub model: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    pub name: String,
    /// The tensor whose bytes alone were wanted (`--matrix`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tensor: Option<String>,
    /// In bytes; of the tensor, where one is named.
    pub size: u64,
    /// Whether it was there before.
    pub cached: bool,
}

/// A tokenizer file that was written in another format, and what proves that it says the same.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Convert {
    pub model: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The format.
    pub to: &'static str,
    pub path: String,
    /// In bytes.
    pub size: u64,
    pub sha256: String,
    /// Texts and pairs that it was proved on, and tokens of them.
    pub texts: usize,
    pub tokens: usize,
}
