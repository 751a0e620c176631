use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    pub path: String,
    pub model: String,
    pub commit: Option<String>,
    pub files: usize,
    pub vocabulary_size: usize,
    pub texts: usize,
    pub differences: Option<usize>,
    pub reading: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drift {
    pub kind: String,
    pub name: Option<String>,
    pub locked: Option<String>,
    pub found: Option<String>,
    pub locked_ids: Option<Vec<u32>>,
    pub found_ids: Option<Vec<u32>>,
    pub message: String,
}
