use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chunk {
    pub path: Option<String>,
    pub line: Option<u64>,
    pub index: Option<usize>,
    pub start: usize,
    pub end: usize,
    pub overlap: Option<usize>,
    pub count: usize,
    pub truncated: Option<bool>,
    pub ids: Vec<u32>,
    pub text: String,
    pub reading: Option<String>,
}
