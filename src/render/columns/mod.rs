//! The columns of every record in formats that are tables: one list per record.
//!
//! The names are those of the JSON fields, with the fields of nested objects joined by dots. Where a table cannot
//! hold a field as JSON does, such as the values of a row, the column differs; the reference lists them all.

mod column;
mod counts;
mod lock;
mod matches;
mod model;
mod rows;
mod split;
mod table;
mod tokens;
mod verify;

pub use column::{Column, Values};
pub use counts::{COUNT, GROUP, SUMMARY, TOTAL};
pub use lock::{DRIFT, LOCK};
pub use matches::MATCH;
pub use model::{CONVERT, FIELD, FILE, Field, PIECE};
pub use rows::{DIFF, NEIGHBOR, ROW, SIMILARITY};
pub use split::CHUNK;
pub use table::{Description, Table};
pub use tokens::{DECODE, TOKENIZE};
pub use verify::{DIFFERENCE, VERIFY};

/// Describes every table, in the order of the reference.
pub fn all() -> Vec<Description> {
    vec![
        TOKENIZE.describe(),
        DECODE.describe(),
        COUNT.describe(),
        GROUP.describe(),
        TOTAL.describe(),
        SUMMARY.describe(),
        CHUNK.describe(),
        MATCH.describe(),
        FIELD.describe(),
        PIECE.describe(),
        FILE.describe(),
        CONVERT.describe(),
        ROW.describe(),
        DIFF.describe(),
        NEIGHBOR.describe(),
        SIMILARITY.describe(),
        LOCK.describe(),
        DRIFT.describe(),
        DIFFERENCE.describe(),
        VERIFY.describe(),
    ]
}
