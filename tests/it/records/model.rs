use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Info {
    pub model: String,
    pub commit: Option<String>,
    pub files: Vec<FileEntry>,
    pub tokenizer: Option<TokenizerInfo>,
    pub embedding: Option<EmbeddingInfo>,
    pub config: Option<ConfigInfo>,
    pub context_window: Option<u64>,
    pub context_window_source: Option<String>,
    pub findings: Vec<Finding>,
    pub bytes_fetched: Option<u64>,
    pub requests: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    pub name: String,
    pub size: Option<u64>,
    pub cached: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenizerInfo {
    pub model: String,
    pub class: Option<String>,
    pub class_source: Option<String>,
    pub class_changes: Vec<String>,
    pub reading: String,
    pub file: String,
    pub vocabulary_size: usize,
    pub special_tokens: BTreeMap<String, SpecialToken>,
    pub added_tokens: Vec<SpecialToken>,
    pub model_max_length: Option<u64>,
    pub gguf: Option<GgufInfo>,
    pub engine: String,
    pub engine_reason: String,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GgufInfo {
    pub model: String,
    pub pre: Option<String>,
    pub eot_token: Option<SpecialToken>,
    pub chat_template: bool,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpecialToken {
    pub token: String,
    pub id: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbeddingInfo {
    pub tensor: String,
    pub file: String,
    pub container: String,
    pub rows: u64,
    pub columns: u64,
    pub dtype: String,
    #[serde(default)]
    pub dequantized: bool,
    pub padding_idx: Option<u64>,
    pub rows_without_token: Vec<(u64, u64)>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigInfo {
    pub model_type: Option<String>,
    pub vocab_size: Option<u64>,
    pub hidden_size: Option<u64>,
    pub max_position_embeddings: Option<u64>,
    pub quantization: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    pub level: String,
    pub code: String,
    pub message: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Piece {
    pub id: u32,
    pub piece: String,
    pub kind: String,
    pub score: Option<f64>,
    pub special: bool,
    pub added: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    pub model: String,
    pub commit: Option<String>,
    pub name: String,
    pub tensor: Option<String>,
    pub size: u64,
    pub cached: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Convert {
    pub model: String,
    pub commit: Option<String>,
    pub to: String,
    pub path: String,
    pub size: u64,
    pub sha256: String,
    pub texts: usize,
    pub tokens: usize,
    pub reading: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cached {
    pub cache: String,
    pub name: String,
    pub size: u64,
    pub files: u64,
    pub holds: Vec<String>,
    pub path: String,
}
