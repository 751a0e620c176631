//! The output contract: one plain serde struct per kind of record.
//!
//! Every command computes records; every renderer reads them. In JSON each is one object on one line, with its
//! kind in `type`. Fields are never renamed or dropped, only added; an unknown value is absent, not null.

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

use std::io;

use serde::Serialize;

pub use counts::{Count, Group, Summary, Total, View};
pub use failure::Failure;
pub use fetched::Fetched;
pub use lock::{Drift, Lock};
pub use matches::Match;
pub use model::{
    ConfigInfo, Convert, EmbeddingInfo, File, FileEntry, Finding, Info, Level, Piece, SpecialToken,
    TokenizerInfo,
};
pub use packed_strings::PackedStrings;
pub use rows::{Diff, Neighbor, Row, RowName, Similarity};
pub use split::Chunk;
pub use stats::{Bin, Norms, RowNorm, Stats};
pub use tokens::{Decode, Offset, Tokenize};
pub use verify::{Difference, Verify};

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
    Error(Failure),
}

/// Where records go: a renderer, or a test.
pub trait Sink {
    /// Takes the next record of the answer.
    fn emit(&mut self, record: &Record) -> io::Result<()>;

    /// Takes a line of an answer that was asked for bare, without its end.
    fn bare(&mut self, line: &str) -> io::Result<()>;

    /// Takes bytes that are the whole answer, such as a completion script.
    fn raw(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// How this sink would write a record, if records can be made into bytes apart from it, on any thread: such bytes
    /// are then given to [`Sink::raw`], in the order of the records.
    fn encoder(&self) -> Option<Encoder> {
        None
    }

    /// Sends on what is held back, before something is said elsewhere.
    fn flush(&mut self) -> io::Result<()>;

    /// Ends the answer: what only the last record makes known is written now.
    fn finish(&mut self) -> io::Result<()>;

    /// Takes a remark for the log of a CI system, which is not part of the answer: it stands among it where that is for
    /// people, and beside it where that is for programs.
    fn annotate(&mut self, annotation: &Annotation) -> io::Result<()>;

    /// Whether sums are shown after what they sum.
    fn shows_totals(&self) -> bool {
        true
    }
}

/// Makes the bytes of a record.
pub type Encoder = fn(&Record) -> io::Result<Vec<u8>>;

/// A remark for the log of a CI system. Not a record: programs read the records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Annotation {
    /// As seen from the root of the repository.
    pub file: Option<String>,
    pub line: Option<u64>,
    pub title: &'static str,
    pub message: String,
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
            r#"{"type":"diff","a":{"id":0},"b":{"id":0},"identical":true,"max_abs":0.0,"l2":0.0,"cosine":1.0}"#
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
