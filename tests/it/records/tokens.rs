use serde::Deserialize;

use super::chat::ChatParts;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokenize {
    pub model: String,
    pub commit: Option<String>,
    pub line: Option<u64>,
    pub path: Option<String>,
    pub text: String,
    pub pair: Option<String>,
    pub ids: Vec<u32>,
    pub tokens: Vec<String>,
    pub offsets: Vec<(usize, usize)>,
    pub offset_unit: String,
    pub type_ids: Vec<u32>,
    pub special_tokens_mask: Vec<u32>,
    pub word_ids: Vec<Option<u32>>,
    pub sequence_ids: Option<Vec<Option<u32>>>,
    pub count: usize,
    pub words: usize,
    pub context_window: Option<u64>,
    pub truncated: bool,
    pub truncated_tokens: Option<usize>,
    pub window: Option<usize>,
    pub reading: Option<String>,
    pub chat: Option<ChatParts>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decode {
    pub line: Option<u64>,
    pub ids: Vec<u32>,
    pub tokens: Vec<String>,
    pub text: String,
    pub reading: Option<String>,
}
