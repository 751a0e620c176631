//! Rows → `.npy` and `.safetensors` files, in the stored element type.

use std::io::{self, Write};
use std::path::Path;

use candle_core::{DType, Device, Result as CandleResult, Tensor};

use tempfile::NamedTempFile;

use super::EmbeddingMatrix;
use crate::error::{Error, Result};
use crate::formats::dtype::Dtype;

/// A file of numbers that rows can be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArrayFormat {
    /// NumPy's array file, format 1.0.
    Npy,
    /// Two tensors: `rows`, and `ids` as I64.
    Safetensors,
}

/// Writes the rows of `ids` to `path` in the stored element type, bit for bit, where the format has it: NumPy has no
/// bfloat16, and gets float32. The file appears whole or not at all.
///
/// # Errors
/// [`Error::NoSuchRow`] for an id beyond the matrix, [`Error::WriteOutput`].
pub fn write(
    path: &Path,
    format: ArrayFormat,
    matrix: &EmbeddingMatrix,
    ids: &[u32],
) -> Result<()> {
    let mut bytes = Vec::new();
    for &id in ids {
        bytes.extend_from_slice(&matrix.row_bytes(u64::from(id))?);
    }
    let columns = usize::try_from(matrix.columns()).unwrap_or(usize::MAX);
    replace_file(path, |temporary| {
        let stored = stored_type(matrix.dtype());
        Tensor::from_raw_buffer(&bytes, stored, &[ids.len(), columns], &Device::Cpu)
            .and_then(|rows| save(temporary, format, &rows, ids))
            .map_err(io::Error::other)
    })
}

/// Writes a file beside `path` and moves it there when it is whole.
///
/// # Errors
/// [`Error::WriteOutput`].
pub fn replace_file(
    path: &Path,
    write: impl FnOnce(&NamedTempFile) -> io::Result<()>,
) -> Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".tokscope-");
    // Temporary files are private by default; this one becomes an ordinary file, for the umask to restrict.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let replace = || {
        let temporary = builder.tempfile_in(folder)?;
        write(&temporary)?;
        temporary.persist(path).map_err(|problem| problem.error)?;
        Ok(())
    };
    replace().map_err(|source| Error::WriteOutput {
        output: path.display().to_string(),
        source,
    })
}

fn save(file: &NamedTempFile, format: ArrayFormat, rows: &Tensor, ids: &[u32]) -> CandleResult<()> {
    match format {
        ArrayFormat::Npy if rows.dtype() == DType::BF16 => {
            rows.to_dtype(DType::F32)?.write_npy(file.path())
        }
        ArrayFormat::Npy => rows.write_npy(file.path()),
        ArrayFormat::Safetensors => {
            let ids: Vec<i64> = ids.iter().map(|id| i64::from(*id)).collect();
            let ids = Tensor::from_vec(ids, rows.dim(0)?, &Device::Cpu)?;
            let bytes = safetensors::serialize([("rows", rows), ("ids", &ids)], None)?;
            Ok(file.as_file().write_all(&bytes)?)
        }
    }
}

/// The tensor type of a matrix, which has been checked to be one of these.
fn stored_type(dtype: Dtype) -> DType {
    match dtype {
        Dtype::F16 => DType::F16,
        Dtype::BF16 => DType::BF16,
        Dtype::F64 => DType::F64,
        _ => DType::F32,
    }
}
