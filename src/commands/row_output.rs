//! Options of the commands on rows that say which values to show and where to write them.

use std::path::Path;

use clap::Args;

use crate::embedding::export::ArrayFormat;
use crate::error::{Error, Result};
use crate::render::Format;

/// `--full` and `--stats`, for commands that show the values of vectors.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct ValueArgs {
    #[command(flatten)]
    pub full: FullArgs,
    /// Leave out the values, and show only the figures computed from them
    #[arg(long, conflicts_with = "full")]
    pub stats: bool,
}

/// `--full`, for commands whose table shortens long vectors.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct FullArgs {
    /// Show all values instead of the first few
    #[arg(long)]
    pub full: bool,
}

/// The format of an output file.
#[derive(Debug, Clone, Copy)]
pub enum FileFormat {
    Array(ArrayFormat),
    Records(Format),
}

impl FileFormat {
    /// Returns the format that the extension of a file name stands for.
    ///
    /// # Errors
    /// Fails with [`Error::Usage`] if the extension is unknown.
    pub fn from_extension(path: &Path) -> Result<Self> {
        let extension = path
            .extension()
            .and_then(|extension| extension.to_str())
            .unwrap_or_default();
        match extension.to_ascii_lowercase().as_str() {
            "npy" => return Ok(Self::Array(ArrayFormat::Npy)),
            "safetensors" => return Ok(Self::Array(ArrayFormat::Safetensors)),
            _ => {}
        }
        Format::from_extension(path)
            .map(Self::Records)
            .ok_or_else(|| {
                Error::usage_hint(
                    format!(
                        "the name of {} does not say which format to write",
                        path.display()
                    ),
                    "let it end in .npy, .safetensors, .csv, .tsv or .jsonl",
                )
            })
    }
}
