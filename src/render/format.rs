//! The output formats.

use std::io;
use std::path::Path;

use super::json;
use crate::record::Record;

/// An output format.
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

/// A function that encodes a record as bytes.
pub type Encoder = fn(&Record) -> io::Result<Vec<u8>>;

impl Format {
    /// Returns the format for the extension of a file name, or `None` if the extension stands for no format of records.
    pub fn from_extension(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "jsonl" => Some(Self::Json),
            "csv" => Some(Self::Csv),
            "tsv" => Some(Self::Tsv),
            _ => None,
        }
    }

    /// Returns an encoder if each record is encoded independently of those before it, or `None` if not.
    ///
    /// Records can then be encoded on any thread. Pass the bytes to [`Sink::raw`](super::Sink::raw) in the order of the
    /// records.
    pub fn encoder(self) -> Option<Encoder> {
        match self {
            Self::Json => Some(json::encode),
            Self::Human | Self::Csv | Self::Tsv => None,
        }
    }

    /// Returns true if totals can follow other rows. A CSV or TSV table has only one kind of row.
    pub fn has_totals_after_rows(self) -> bool {
        match self {
            Self::Human | Self::Json => true,
            Self::Csv | Self::Tsv => false,
        }
    }
}
