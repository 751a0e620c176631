use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Match {
    pub path: Option<String>,
    pub line: usize,
    pub column: usize,
    pub start: usize,
    pub end: usize,
    pub id: u32,
    pub piece: String,
    pub before: String,
    pub text: String,
    pub after: String,
    pub reading: Option<String>,
}
