use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stats {
    pub model: String,
    pub commit: Option<String>,
    pub tensor: String,
    pub file: String,
    pub dtype: String,
    #[serde(default)]
    pub dequantized: bool,
    pub rows: u64,
    pub columns: u64,
    pub values: u64,
    pub min: Option<f32>,
    pub max: Option<f32>,
    pub mean: Option<f64>,
    pub std: Option<f64>,
    pub within_one: u64,
    pub share_within_one: Option<f64>,
    pub nan: u64,
    pub infinite: u64,
    pub norms: Option<Norms>,
    pub zero_rows: Vec<(u64, u64)>,
    pub rows_without_token: Vec<(u64, u64)>,
    pub duplicate_rows: Vec<Vec<u64>>,
    pub smallest: Vec<RowNorm>,
    pub largest: Vec<RowNorm>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Norms {
    pub min: f64,
    pub max: f64,
    pub mean: f64,
    pub histogram: Vec<Bin>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bin {
    pub from: f64,
    pub to: f64,
    pub rows: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowNorm {
    pub id: u64,
    pub piece: Option<String>,
    pub norm: f32,
}
