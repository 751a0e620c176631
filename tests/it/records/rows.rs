use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    pub position: Option<usize>,
    pub id: u32,
    pub piece: Option<String>,
    pub dtype: String,
    #[serde(default)]
    pub dequantized: bool,
    pub norm: f32,
    pub min: f32,
    pub max: f32,
    pub mean: f32,
    pub values: Option<Vec<f32>>,
    pub bytes_fetched: Option<u64>,
    pub requests: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Diff {
    pub a: RowName,
    pub b: RowName,
    pub identical: bool,
    pub max_abs: f32,
    pub l2: f32,
    pub cosine: Option<f32>,
    pub values: Option<Vec<f32>>,
    pub bytes_fetched: Option<u64>,
    pub requests: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowName {
    pub id: Option<u32>,
    pub piece: Option<String>,
    pub position: Option<usize>,
    pub text: Option<String>,
    pub mean_of: Option<Vec<u32>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Neighbor {
    pub rank: usize,
    pub id: u32,
    pub piece: Option<String>,
    pub score: f32,
    pub metric: String,
    pub query: usize,
    pub query_name: String,
    pub means: Option<Vec<Vec<u32>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Similarity {
    pub position: usize,
    pub id: Option<u32>,
    pub piece: Option<String>,
    pub cosines: Vec<Option<f32>>,
    pub text: Option<String>,
    pub mean_of: Option<Vec<u32>>,
}
