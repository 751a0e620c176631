use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Error {
    pub line: Option<u64>,
    pub path: Option<String>,
    pub code: String,
    pub message: String,
}
