//! Export of rows for TensorBoard's embedding projector.
//!
//! `tensors.tsv` has one row per line, values separated by tabs, without a header; `metadata.tsv` has a header and one
//! line per row. Both can be loaded at <https://projector.tensorflow.org>. `projector_config.json` describes them to
//! that page, `projector_config.pbtxt` to `tensorboard --logdir DIR`.

use std::borrow::Cow;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use super::matrix::EmbeddingMatrix;
use crate::error::{Error, Result};
use crate::source::output_file::{self, OutputError};

const TENSORS: &str = "tensors.tsv";
const METADATA: &str = "metadata.tsv";

/// Writes the rows of `ids` to the files of the projector in `folder`, which is created if it does not exist.
/// `piece_of` returns the piece of an id.
///
/// # Errors
/// Fails with [`Error::NoSuchRow`] if an id is beyond the matrix, and with [`Error::WriteOutput`].
pub fn write<'p>(
    folder: &Path,
    matrix: &EmbeddingMatrix,
    ids: impl Iterator<Item = u32> + Clone,
    piece_of: impl Fn(u32) -> Option<Cow<'p, str>>,
) -> Result<()> {
    fs::create_dir_all(folder).map_err(|source| Error::WriteOutput {
        output: folder.display().to_string(),
        source,
    })?;
    let mut count = 0_u64;
    output_file::replace(&folder.join(TENSORS), |out| {
        for id in ids.clone() {
            count += 1;
            write_row(out, &matrix.row(u64::from(id))?)?;
        }
        Ok(())
    })?;
    output_file::replace(&folder.join(METADATA), |out| {
        out.write_all(b"piece\tid\n")?;
        for id in ids {
            let piece =
                piece_of(id).map_or_else(|| "(no token)".to_owned(), |piece| escape(&piece));
            writeln!(out, "{piece}\t{id}")?;
        }
        Ok(())
    })?;
    output_file::replace(&folder.join("projector_config.json"), |out| {
        let config = Config {
            embeddings: [Embedding {
                tensor_name: matrix.tensor(),
                tensor_shape: [count, matrix.columns()],
                tensor_path: TENSORS,
                metadata_path: METADATA,
            }],
        };
        serde_json::to_writer_pretty(&mut *out, &config).map_err(io::Error::from)?;
        Ok(writeln!(out)?)
    })?;
    output_file::replace(&folder.join("projector_config.pbtxt"), |out| {
        // In a text protobuf, the escapes of a JSON string mean the same.
        let name = serde_json::to_string(matrix.tensor()).map_err(io::Error::from)?;
        Ok(write!(
            out,
            "embeddings {{\n  tensor_name: {name}\n  tensor_path: \"{TENSORS}\"\n  metadata_path: \"{METADATA}\"\n}}\n"
        )?)
    })
}

#[derive(Serialize)]
struct Config<'s> {
    embeddings: [Embedding<'s>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Embedding<'s> {
    tensor_name: &'s str,
    tensor_shape: [u64; 2],
    tensor_path: &'s str,
    metadata_path: &'s str,
}

fn write_row(out: &mut dyn Write, values: &[f32]) -> Result<(), OutputError> {
    let mut line = Vec::new();
    for value in values {
        if !line.is_empty() {
            line.push(b'\t');
        }
        if value.is_finite() {
            serde_json::to_writer(&mut line, value).map_err(io::Error::from)?;
        } else {
            // The projector parses numbers as JavaScript does.
            let name = if value.is_nan() {
                "NaN"
            } else if *value > 0.0 {
                "Infinity"
            } else {
                "-Infinity"
            };
            line.extend_from_slice(name.as_bytes());
        }
    }
    line.push(b'\n');
    Ok(out.write_all(&line)?)
}

/// Escapes the characters of a piece that would end the cell or the line, control characters, and the backslash.
fn escape(piece: &str) -> String {
    let mut escaped = String::new();
    for character in piece.chars() {
        match character {
            '\\' => escaped.push_str("\\\\"),
            '\t' => escaped.push_str("\\t"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\u{2028}' | '\u{2029}' => escaped.extend(character.escape_unicode()),
            control if control.is_control() => escaped.extend(control.escape_unicode()),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_stays_in_its_cell() {
        assert_eq!(escape("▁a\tb\n\r\\"), "▁a\\tb\\n\\r\\\\");
        assert_eq!(
            escape("\u{1b}\u{85}\u{2028}\0"),
            "\\u{1b}\\u{85}\\u{2028}\\u{0}"
        );
        assert_eq!(escape("▁\"quoted\" é"), "▁\"quoted\" é");
    }

    #[test]
    fn values_read_back_to_the_same_float32() {
        let mut line = Vec::new();
        let values = [0.1, -0.0, 1e-8, f32::MIN_POSITIVE, f32::NAN, f32::INFINITY];
        write_row(&mut line, &values).unwrap();
        assert_eq!(
            String::from_utf8(line).unwrap(),
            "0.1\t-0.0\t1e-8\t1.1754944e-38\tNaN\tInfinity\n"
        );
    }
}
