//! The output formats.

use std::io;
use std::path::Path;

use super::json;
use crate::record::Record;

/// A format of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Tables and sentences for people.
    #[default]
    Human,
    /// JSON Lines: one object per record.
    Json,
    Csv,
    Tsv,
}

/// Makes the bytes of a record.
pub type Encoder = fn(&Record) -> io::Result<Vec<u8>>;

impl Format {
    /// Returns the format of a file of records with this name, or `None` if its extension stands for none.
    pub fn from_extension(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "jsonl" => Some(Self::Json),
            "csv" => Some(Self::Csv),
            "tsv" => Some(Self::Tsv),
            _ => None,
        }
    }

    /// Returns the encoder of a format whose records do not depend on those before them.
    ///
    /// Records can be encoded on any thread; the bytes go to [`Sink::raw`](super::Sink::raw) in their order.
    pub fn encoder(self) -> Option<Encoder> {
        match self {
            Self::Json => Some(json::encode),
            Self::Human | Self::Csv | Self::Tsv => None,
        }
    }

    /// Returns true if totals can follow other rows; a table has room for one kind of row.
    pub fn has_totals_after_rows(self) -> bool {
        match self {
            Self::Human | Self::Json => true,
            Self::Csv | Self::Tsv => false,
        }
    }
}
