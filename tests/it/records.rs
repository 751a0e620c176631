//! The records as a script sees them: types that are independent of those of the program.
//!
//! Each denies unknown fields, so a new field must be added here too.

#![allow(
    dead_code,
    reason = "a field that no test looks at is tested all the same: it must be there, and of its type"
)]

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

#[allow(clippy::large_enum_variant, reason = "tests hold few records")]
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Record {
    Tokenize(Tokenize),
    Decode(Decode),
    Count(Count),
    Total(Total),
    Group(Group),
    Summary(Summary),
    Info(Info),
    Piece(Piece),
    Row(Row),
    Diff(Diff),
    Neighbor(Neighbor),
    Similarity(Similarity),
    Stats(Stats),
    File(File),
    Difference(Difference),
    Verify(Verify),
    Convert(Convert),
    Match(Match),
    Lock(Lock),
    Drift(Drift),
    Check(Lock),
    Chunk(Chunk),
    Head(Chunk),
    Tail(Chunk),
    Error(Error),
}

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
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decode {
    pub line: Option<u64>,
    pub ids: Vec<u32>,
    pub tokens: Vec<String>,
    pub text: String,
}

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
    pub model: String,
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
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Info {
    pub model: String,
    pub commit: Option<String>,
    pub files: Vec<FileEntry>,
    pub tokenizer: Option<TokenizerInfo>,
    pub embedding: Option<EmbeddingInfo>,
    pub config: Option<ConfigInfo>,
    pub context_window: Option<u64>,
    pub context_window_source: Option<String>,
    pub findings: Vec<Finding>,
    pub bytes_fetched: Option<u64>,
    pub requests: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    pub name: String,
    pub size: Option<u64>,
    pub cached: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenizerInfo {
    pub model: String,
    pub class: Option<String>,
    pub class_source: Option<String>,
    pub class_changes: Vec<String>,
    pub file: String,
    pub vocabulary_size: usize,
    pub special_tokens: BTreeMap<String, SpecialToken>,
    pub added_tokens: Vec<SpecialToken>,
    pub model_max_length: Option<u64>,
    pub engine: String,
    pub engine_reason: String,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpecialToken {
    pub token: String,
    pub id: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbeddingInfo {
    pub tensor: String,
    pub file: String,
    pub container: String,
    pub rows: u64,
    pub columns: u64,
    pub dtype: String,
    pub padding_idx: Option<u64>,
    pub rows_without_token: Vec<(u64, u64)>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigInfo {
    pub model_type: Option<String>,
    pub vocab_size: Option<u64>,
    pub hidden_size: Option<u64>,
    pub max_position_embeddings: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    pub level: String,
    pub code: String,
    pub message: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Piece {
    pub id: u32,
    pub piece: String,
    pub kind: String,
    pub score: Option<f64>,
    pub special: bool,
    pub added: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    pub position: Option<usize>,
    pub id: u32,
    pub piece: Option<String>,
    pub dtype: String,
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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stats {
    pub model: String,
    pub commit: Option<String>,
    pub tensor: String,
    pub file: String,
    pub dtype: String,
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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    pub model: String,
    pub commit: Option<String>,
    pub name: String,
    pub tensor: Option<String>,
    pub size: u64,
    pub cached: bool,
}

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
}

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
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Convert {
    pub model: String,
    pub commit: Option<String>,
    pub to: String,
    pub path: String,
    pub size: u64,
    pub sha256: String,
    pub texts: usize,
    pub tokens: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Error {
    pub line: Option<u64>,
    pub path: Option<String>,
    pub code: String,
    pub message: String,
}

macro_rules! expect_kind {
    ($($name:ident: $kind:ident,)*) => {
        impl Record {
            $(pub fn $name(self) -> $kind {
                match self {
                    Self::$kind(record) => record,
                    other => panic!("not of kind {}: {other:?}", stringify!($kind)),
                }
            })*
        }
    };
}

expect_kind! {
    tokenize: Tokenize,
    decode: Decode,
    count: Count,
    total: Total,
    group: Group,
    summary: Summary,
    info: Info,
    piece: Piece,
    row: Row,
    diff: Diff,
    neighbor: Neighbor,
    similarity: Similarity,
    stats: Stats,
    file: File,
    difference: Difference,
    verify: Verify,
    convert: Convert,
    chunk: Chunk,
    found: Match,
    drift: Drift,
    error: Error,
}

impl Record {
    /// The record of `head` or `tail`.
    pub fn excerpt(self) -> Chunk {
        match self {
            Self::Head(record) | Self::Tail(record) => record,
            other => panic!("not an excerpt: {other:?}"),
        }
    }
}

/// Parses JSON Lines: one object per line, every line ended, and null only where the contract allows it.
pub fn records(stdout: &str) -> Vec<Record> {
    assert!(stdout.is_empty() || stdout.ends_with('\n'), "{stdout:?}");
    stdout
        .lines()
        .map(|line| {
            let value: Value = serde_json::from_str(line).unwrap();
            for (field, value) in value.as_object().unwrap() {
                let may_be_null = ["word_ids", "sequence_ids", "cosines"].contains(&field.as_str());
                assert!(may_be_null || !holds_null(value), "{field} in {line}");
            }
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
        })
        .collect()
}

/// Parses JSON Lines that hold exactly one record.
pub fn one(stdout: &str) -> Record {
    let mut records = records(stdout);
    assert_eq!(records.len(), 1, "{stdout}");
    records.remove(0)
}

fn holds_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(holds_null),
        Value::Object(fields) => fields.values().any(holds_null),
        _ => false,
    }
}

/// Returns the `values` of a row, each parsed as float32.
pub fn values(line: &str) -> Vec<f32> {
    let (_, rest) = line.split_once("\"values\":[").unwrap();
    let (numbers, _) = rest.split_once(']').unwrap();
    numbers
        .split(',')
        .map(|number| number.parse().unwrap())
        .collect()
}
