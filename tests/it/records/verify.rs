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
