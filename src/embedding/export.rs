//! Export of rows to `.npy` and `.safetensors` files, in constant memory.

use std::io;
use std::ops::Range;
use std::path::Path;

use serde::Serialize;

use super::elements::append_f32;
use super::matrix::EmbeddingMatrix;
use crate::error::Result;
use crate::formats::checkpoint::Dtype;
use crate::formats::npy;
use crate::source::output_file::{self, OutputError};

/// A binary file format for rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArrayFormat {
    /// A NumPy array file, format 1.0.
    Npy,
    /// Two tensors: `rows`, and `ids` as I64.
    Safetensors,
}

/// The rows to export.
#[derive(Debug, Clone, Copy)]
pub enum Rows<'s> {
    All,
    /// In this order, with repetitions.
    Ids(&'s [u32]),
}

impl Rows<'_> {
    fn count(self, matrix: &EmbeddingMatrix) -> u64 {
        match self {
            Self::All => matrix.rows(),
            Self::Ids(ids) => ids.len() as u64,
        }
    }

    fn ids(self, matrix: &EmbeddingMatrix) -> impl Iterator<Item = u64> {
        let (all, some): (Range<u64>, &[u32]) = match self {
            Self::All => (0..matrix.rows(), &[]),
            Self::Ids(ids) => (0..0, ids),
        };
        all.chain(some.iter().copied().map(u64::from))
    }

    /// Calls `each` with the stored bytes of one or more rows at a time, in order.
    fn read(
        self,
        matrix: &EmbeddingMatrix,
        mut each: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(), OutputError> {
        match self {
            Self::All => {
                let mut buffer = Vec::new();
                for block in matrix.blocks()? {
                    each(matrix.rows_bytes(block, &mut buffer)?)?;
                }
            }
            Self::Ids(ids) => {
                for id in ids {
                    each(&matrix.row_bytes(u64::from(*id))?)?;
                }
            }
        }
        Ok(())
    }
}

/// Writes rows to `path` atomically. `dtype` is the stored type, for which bits are copied, or F32.
///
/// # Errors
/// Fails with [`NoSuchRow`](crate::error::Error::NoSuchRow) if an id is beyond the matrix, and with
/// [`WriteOutput`](crate::error::Error::WriteOutput) if writing fails.
pub fn write(
    path: &Path,
    format: ArrayFormat,
    matrix: &EmbeddingMatrix,
    rows: Rows,
    dtype: Dtype,
) -> Result<()> {
    let shape = [rows.count(matrix), matrix.columns()];
    output_file::replace(path, |out| {
        match format {
            ArrayFormat::Npy => {
                let header = npy::header(dtype, &shape);
                let none = || io::Error::other(format!("NumPy has no type {dtype}"));
                out.write_all(&header.ok_or_else(none)?)?;
            }
            ArrayFormat::Safetensors => {
                out.write_all(&safetensors_header(dtype, shape)?)?;
                for id in rows.ids(matrix) {
                    out.write_all(&id.to_le_bytes())?;
                }
            }
        }
        let mut values = Vec::new();
        rows.read(matrix, |bytes| {
            if dtype == matrix.dtype() {
                return out.write_all(bytes);
            }
            values.clear();
            append_f32(matrix.dtype(), bytes, &mut values);
            for value in &values {
                out.write_all(&value.to_le_bytes())?;
            }
            Ok(())
        })
    })
}

/// Returns the element type to write: `requested`, or else the stored one. A type that the format does not have (bfloat16
/// in NumPy, quantized types) is replaced by F32, which represents all its values exactly.
pub fn written_type(format: ArrayFormat, stored: Dtype, requested: Option<Dtype>) -> Dtype {
    match (format, requested.unwrap_or(stored)) {
        (ArrayFormat::Npy, dtype) if npy::header(dtype, &[]).is_none() => Dtype::F32,
        (_, dtype) if dtype.is_quantized() => Dtype::F32,
        (_, dtype) => dtype,
    }
}

/// Returns a safetensors header: its length and its JSON. `ids` comes first, so that both tensors are aligned to their
/// elements.
fn safetensors_header(dtype: Dtype, shape: [u64; 2]) -> io::Result<Vec<u8>> {
    #[derive(Serialize)]
    struct Tensor<'s> {
        dtype: &'static str,
        shape: &'s [u64],
        data_offsets: (u64, u64),
    }
    #[derive(Serialize)]
    struct Header<'s> {
        ids: Tensor<'s>,
        rows: Tensor<'s>,
    }
    let [count, columns] = shape;
    let ids_end = count * Dtype::I64.size();
    let header = Header {
        ids: Tensor {
            dtype: Dtype::I64.name(),
            shape: &shape[..1],
            data_offsets: (0, ids_end),
        },
        rows: Tensor {
            dtype: dtype.name(),
            shape: &shape,
            data_offsets: (ids_end, ids_end + count * columns * dtype.size()),
        },
    };
    let mut json = serde_json::to_vec(&header)?;
    // The format requires the data to begin at a multiple of 8, with the header padded by spaces.
    json.resize(json.len().next_multiple_of(8), b' ');
    Ok([&(json.len() as u64).to_le_bytes(), json.as_slice()].concat())
}
