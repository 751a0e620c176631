use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    pub path: Option<String>,
    pub line: Option<u64>,
    pub position: usize,
    pub text: String,
    pub native: Vec<String>,
    pub native_offsets: Vec<(usize, usize)>,
    pub reference: Vec<String>,
    pub reference_offsets: Vec<(usize, usize)>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verify {
    pub texts: usize,
    pub tokens: usize,
    pub differences: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Divergence {
    pub path: Option<String>,
    pub line: Option<u64>,
    pub position: usize,
    pub causes: Vec<String>,
    pub text: String,
    pub reading: String,
    pub ids: Vec<u32>,
    pub tokens: Vec<String>,
    pub offsets: Vec<(usize, usize)>,
    pub against: String,
    pub against_ids: Vec<u32>,
    pub against_tokens: Vec<String>,
    pub against_offsets: Vec<(usize, usize)>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Against {
    pub reading: String,
    pub against: String,
    pub texts: usize,
    pub tokens: usize,
    pub against_tokens: usize,
    pub differences: usize,
    pub causes: BTreeMap<String, usize>,
    pub without_special_tokens: Option<bool>,
}
