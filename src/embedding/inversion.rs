//! Textual inversions: the vectors of one new token, which a text encoder takes in place of a row of its matrix.
//!
//! AUTOMATIC1111's web UI writes them under `string_to_param` (`.pt`) or as `emb_params`, and for SDXL as `clip_l` and
//! `clip_g`, one for each text encoder. diffusers writes a dictionary of one tensor, whose name is the token
//! (`learned_embeds.bin`).

use crate::error::{Error, Result};
use crate::formats::checkpoint::{Checkpoint, TensorHeader, TensorInfo};
use crate::source::ByteSource;

/// The names of tensors, in search order.
const NAMES: [&str; 4] = ["emb_params", "clip_l", "clip_g", "t5xxl"];
/// The start of the name of a tensor in the dictionary of the web UI.
const OF_WEB_UI: &str = "string_to_param.";
/// The most vectors of a token. Files in circulation have at most 75, the room in a prompt of CLIP.
const MAX_VECTORS: u64 = 1 << 12;

/// Returns the vectors in a checkpoint as a matrix: those with `columns` values, or the first. Returns `None` if it is
/// not a textual inversion.
///
/// # Errors
/// Fails with [`Error::Unsupported`] if they cannot be read.
pub fn find(
    file: &dyn ByteSource,
    checkpoint: &Checkpoint,
    columns: Option<u64>,
) -> Result<Option<TensorInfo>> {
    let fits = |tensor: &&TensorHeader| {
        let found = match tensor.shape[..] {
            [columns] => Some(columns),
            [1..=MAX_VECTORS, columns] => Some(columns),
            _ => None,
        };
        found.is_some_and(|found| found > 0 && columns.is_none_or(|columns| columns == found))
    };
    let named = |name: &&str| checkpoint.find(name).filter(fits);
    let of_web_ui = || {
        let mut tensors = checkpoint.tensors.iter();
        tensors.find(|tensor| tensor.name.starts_with(OF_WEB_UI) && fits(tensor))
    };
    let only = || match &checkpoint.tensors[..] {
        [only] => Some(only).filter(fits),
        _ => None,
    };
    let found = NAMES
        .iter()
        .find_map(named)
        .or_else(of_web_ui)
        .or_else(only);
    let Some(header) = found else {
        return Ok(None);
    };
    let mut tensor = header.locate(file)?;
    if !tensor.dtype.is_readable() {
        let problem = format!(
            "the elements of {} are {}, not floating-point numbers of 16, 32 or 64 bits",
            tensor.name, tensor.dtype
        );
        return Err(Error::unsupported(file.name(), problem));
    }
    if let ([columns], [stride]) = (&tensor.shape[..], &tensor.strides[..]) {
        (tensor.shape, tensor.strides) = (vec![1, *columns], vec![*columns, *stride]);
    }
    Ok(Some(tensor))
}
