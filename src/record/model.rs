//! A model: its files, tokenizer, matrix, configuration, and vocabulary.

use std::collections::BTreeMap;

use serde::Serialize;

use super::fetched::Fetched;

/// A model.
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
    /// The setting that gives the context window, after its file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_window_source: Option<String>,
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
    /// True if the bytes of the file are on this machine.
    pub cached: bool,
}

/// The tokenizer part of [`Info`].
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct TokenizerInfo {
    /// The algorithm: Unigram, BPE, WordPiece, or WordLevel.
    pub model: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The file that names the class, if the class was followed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_source: Option<String>,
    /// The changes that the class makes to the `tokenizer.json`.
    pub class_changes: Vec<String>,
    /// The library whose reading of the files is followed.
    pub reading: &'static str,
    pub file: String,
    /// Number of ids that the tokenizer can produce.
    pub vocabulary_size: usize,
    /// Special tokens by role, such as `cls_token`.
    pub special_tokens: BTreeMap<String, SpecialToken>,
    pub added_tokens: Vec<SpecialToken>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_max_length: Option<u64>,
    /// The metadata of the GGUF file that the vocabulary was read from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gguf: Option<GgufInfo>,
    /// The engine: `native` or `reference`.
    pub engine: &'static str,
    /// The reason for choosing this engine.
    pub engine_reason: String,
}

/// The metadata about the vocabulary of a GGUF file.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct GgufInfo {
    /// The kind of vocabulary: `gpt2`, `llama`, `bert`, or `t5`.
    pub model: String,
    /// The name of the pre-tokenizer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pre: Option<String>,
    /// The token that ends a turn of a conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eot_token: Option<SpecialToken>,
    /// True if the file has a chat template.
    pub chat_template: bool,
}

/// A special or added token.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SpecialToken {
    pub token: String,
    /// Absent if the token is not in the vocabulary.
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
    /// True if `dtype` is a quantized type, from which the values of rows are computed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dequantized: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub padding_idx: Option<u64>,
    /// Inclusive ranges of rows without a token.
    pub rows_without_token: Vec<(u64, u64)>,
}

/// The fields of `config.json`, or of the metadata of a GGUF file, that concern the input layer, as declared there.
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
    /// The quantization of a GGUF file, which most of its matrices have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantization: Option<String>,
}

/// A finding about a model, such as spare rows or two files that contradict each other.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    pub level: Level,
    pub code: &'static str,
    pub message: String,
}

/// The severity of a [`Finding`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Intended, but surprising.
    Note,
    /// Two files contradict each other, or ids have no row.
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

/// A file, or the embedding matrix in it, that `pull` downloaded or found in a cache.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct File {
    pub model: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    pub name: String,
    /// The tensor, if only its bytes were pulled (`--matrix`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tensor: Option<String>,
    /// Bytes of the file, or of the tensor if one is named.
    pub size: u64,
    /// True if it was in the cache already.
    pub cached: bool,
}

/// A tokenizer file converted to another format, and the size of the test that it passed.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Convert {
    pub model: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The format written.
    pub to: &'static str,
    pub path: String,
    /// Bytes of the file.
    pub size: u64,
    pub sha256: String,
    /// Number of texts and pairs that both tokenizers encode alike, and of their tokens.
    pub texts: usize,
    pub tokens: usize,
    /// The reading, unless it is the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reading: Option<&'static str>,
}

/// A model in a cache of this machine, or a group of files of tokscope's own cache.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Cached {
    /// The cache: `hub`, `tokscope`, `tiktoken`, or `ollama`.
    pub cache: &'static str,
    /// The model as `--model` names it, or the name of the group or file.
    pub name: String,
    /// Bytes on the disk.
    pub size: u64,
    pub files: u64,
    /// What the files are: `checkpoint`, `encoding`, `gguf`, `tokenizer`.
    pub holds: Vec<&'static str>,
    pub path: String,
}
