use serde::Deserialize;

use super::chat::ChatParts;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Count {
    pub path: Option<String>,
    pub line: Option<u64>,
    pub tokens: usize,
    pub words: usize,
    pub chars: usize,
    pub bytes: usize,
    pub lines: usize,
    pub budget: Option<u64>,
    pub within_budget: Option<bool>,
    pub share: Option<f64>,
    pub context_window: Option<u64>,
    pub chat: Option<ChatParts>,
    pub model: String,
    pub reading: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Total {
    pub files: usize,
    pub tokens: usize,
    pub words: usize,
    pub chars: usize,
    pub bytes: usize,
    pub lines: usize,
    pub budget: Option<u64>,
    pub within_budget: Option<bool>,
    pub over_budget: Option<usize>,
    pub model: String,
    pub reading: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    pub by: String,
    pub name: String,
    pub files: usize,
    pub tokens: usize,
    pub words: usize,
    pub chars: usize,
    pub bytes: usize,
    pub lines: usize,
    pub budget: Option<u64>,
    pub within_budget: Option<bool>,
    pub share: Option<f64>,
    pub context_window: Option<u64>,
    pub model: String,
    pub reading: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    pub files: usize,
    pub tokens: usize,
    pub min: usize,
    pub p50: usize,
    pub p90: usize,
    pub p99: usize,
    pub max: usize,
    pub mean: f64,
    pub context_window: Option<u64>,
    pub over_context_window: Option<usize>,
    pub model: String,
    pub reading: Option<String>,
}
