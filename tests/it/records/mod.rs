//! The records as a script sees them: types that are independent of those of the program.
//!
//! Each denies unknown fields, so a new field must be added here too. A record is in the file of the same name as in
//! `src/record/`, which it repeats on purpose. Every record has all its fields of its own, also those that others have:
//! serde does not support `flatten` in structs that deny unknown fields.

#![allow(
    dead_code,
    reason = "a field that no test looks at is tested all the same: it must be there, and of its type"
)]

mod chat;
mod counts;
mod failure;
mod lock;
mod matches;
mod model;
mod rows;
mod split;
mod stats;
mod tokens;
mod verify;

use serde::Deserialize;
use serde_json::Value;

pub use chat::{Chat, ChatMessage, ChatParts};
pub use counts::{Count, Group, Summary, Total};
pub use failure::Error;
pub use lock::{Drift, Lock};
pub use matches::Match;
pub use model::{
    Cached, ConfigInfo, Convert, EmbeddingInfo, File, FileEntry, Finding, Info, Piece,
    SpecialToken, TokenizerInfo,
};
pub use rows::{Diff, Neighbor, Row, RowName, Similarity};
pub use split::Chunk;
pub use stats::{Bin, Norms, RowNorm, Stats};
pub use tokens::{Decode, Tokenize};
pub use verify::{Against, Difference, Divergence, Verify};

#[allow(clippy::large_enum_variant, reason = "tests hold few records")]
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Record {
    Tokenize(Tokenize),
    Decode(Decode),
    Chat(Chat),
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
    Cached(Cached),
    Difference(Difference),
    Verify(Verify),
    Divergence(Divergence),
    Against(Against),
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
    chat: Chat,
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
    cached: Cached,
    difference: Difference,
    verify: Verify,
    divergence: Divergence,
    against: Against,
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
                let may_be_null =
                    ["word_ids", "sequence_ids", "cosines", "chat"].contains(&field.as_str());
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
