//! Rows → `.npy` and `.safetensors` files, in the stored element type.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use candle_core::{DType, Device, Result as CandleResult, Tensor};

use tempfile::NamedTempFile;

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

/// Writes the `[ids, columns]` float32 tensor `rows` to `path`, as `dtype` where the format has it: NumPy has no
/// bfloat16, and gets float32. The file appears whole or not at all.
///
/// # Errors
/// [`Error::WriteOutput`].
pub fn write(
    path: &Path,
    format: ArrayFormat,
    rows: &Tensor,
    ids: &[u32],
    dtype: Dtype,
) -> Result<()> {
    replace_file(path, |temporary| {
        save(temporary.path(), format, rows, ids, dtype).map_err(io::Error::other)
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

fn save(
    path: &Path,
    format: ArrayFormat,
    rows: &Tensor,
    ids: &[u32],
    dtype: Dtype,
) -> CandleResult<()> {
    let stored = match (dtype, format) {
        (Dtype::F16, _) => DType::F16,
        (Dtype::F64, _) => DType::F64,
        (Dtype::BF16, ArrayFormat::Safetensors) => DType::BF16,
        _ => DType::F32,
    };
    let rows = rows.to_dtype(stored)?;
    match format {
        ArrayFormat::Npy => rows.write_npy(path),
        ArrayFormat::Safetensors => {
            let ids: Vec<i64> = ids.iter().map(|id| i64::from(*id)).collect();
            let ids = Tensor::from_vec(ids, rows.dim(0)?, &Device::Cpu)?;
            let tensors = HashMap::from([("rows", rows), ("ids", ids)]);
            candle_core::safetensors::save(&tensors, path)
        }
    }
}
