//! Options of the row commands: which values to show, and the format of the output file.

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
    /// Show only the figures computed from the values, not the values
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
    /// Returns the format for the extension of a file name.
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
                        "cannot tell the output format from the name of {}",
                        path.display()
                    ),
                    match path == Path::new("-") || path.starts_with("/dev") {
                        true => "for standard output, use `--format csv`, `tsv` or `jsonl` instead of `--output`",
                        false => "use a name that ends in .npy, .safetensors, .csv, .tsv or .jsonl",
                    },
                )
            })
    }
}
