//! The output contract: one plain serde struct per kind of record.
//!
//! Every command computes records; every renderer reads them. In JSON, each record is one object on one line, with its
//! kind in `type`. Fields are never renamed or dropped, only added; an unknown value is absent, not null.

mod chat;
mod counts;
mod failure;
mod fetched;
mod lock;
mod matches;
mod model;
pub mod other_tools;
mod packed_strings;
mod rows;
mod split;
mod stats;
mod tokens;
mod verify;
pub mod wide_float;

use serde::Serialize;

pub use chat::{Chat, ChatMessage, ChatParts};
pub use counts::{Comparison, Count, Group, Summary, Total};
pub use failure::Failure;
pub use fetched::Fetched;
pub use lock::{Drift, Lock};
pub use matches::Match;
pub use model::{
    Cached, ConfigInfo, Convert, EmbeddingInfo, File, FileEntry, Finding, GgufInfo, Info, Level,
    Piece, SpecialToken, TokenizerInfo,
};
pub use packed_strings::PackedStrings;
pub use rows::{Diff, Neighbor, Row, RowName, Similarity};
pub use split::Chunk;
pub use stats::{Bin, Norms, RowNorm, Stats};
pub use tokens::{Decode, Offset, Tokenize};
pub use verify::{Against, Difference, Divergence, Verify};

/// One record of an answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
#[allow(
    clippy::large_enum_variant,
    reason = "records are made and written one at a time"
)]
pub enum Record {
    Tokenize(Tokenize),
    Decode(Decode),
    Chat(Chat),
    Count(Count),
    Total(Total),
    Group(Group),
    Summary(Summary),
    Info(Box<Info>),
    Piece(Piece),
    Row(Row),
    Diff(Diff),
    Neighbor(Neighbor),
    Similarity(Similarity),
    Stats(Box<Stats>),
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
    Error(Failure),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_names_its_type_and_leaves_out_what_is_unknown() {
        let record = Record::Diff(Diff {
            identical: true,
            cosine: Some(1.0),
            ..Diff::default()
        });
        assert_eq!(
            serde_json::to_string(&record).unwrap(),
            r#"{"type":"diff","a":{},"b":{},"identical":true,"max_abs":0.0,"l2":0.0,"cosine":1.0}"#
        );
    }

    #[test]
    fn a_value_prints_as_the_shortest_decimal_of_its_float32() {
        let row = Record::Row(Row {
            values: Some(vec![0.1, 0.043_212_89, -0.0, 1e-8]),
            ..Row::default()
        });
        let json = serde_json::to_string(&row).unwrap();
        assert!(
            json.ends_with(r#""values":[0.1,0.04321289,-0.0,1e-8]}"#),
            "{json}"
        );
    }
}
