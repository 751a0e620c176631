//! Descriptions of tensors, and checks that the readers of all containers share.

use std::fmt::Debug;
use std::ops::Range;

use super::dtype::Dtype;
use crate::error::{Error, Result};
use crate::formats::quote::quote;
use crate::source::ByteSource;

/// The most dimensions a tensor may have, as in torch itself.
pub const MAX_DIMENSIONS: usize = 64;

/// A tensor of a checkpoint whose bytes have been found.
///
/// Element `[i, j, …]` is at byte `byte_range.start + dtype.size() * (i * strides[0] + j * strides[1] + …)` of the
/// file. If the dtype is quantized, the elements are in row-major order without gaps, and each `dtype.block_length()`
/// of them share a block of `dtype.size()` bytes. The readers of the containers have checked that every element lies within `byte_range`, that `byte_range` lies
/// within the file, and that there are no more elements than fit in `byte_range`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    pub name: String,
    pub dtype: Dtype,
    /// Elements along each dimension.
    pub shape: Vec<u64>,
    /// Elements from one index to the next, along each dimension.
    pub strides: Vec<u64>,
    /// From the start of the first element to the end of the last one, in bytes of the file.
    pub byte_range: Range<u64>,
}

/// A tensor as the headers of a checkpoint list it. [`Self::locate`] finds its bytes.
#[derive(Debug)]
pub struct TensorHeader {
    pub name: String,
    pub dtype: Dtype,
    /// Elements along each dimension.
    pub shape: Vec<u64>,
    /// Elements from one index to the next, along each dimension.
    pub(super) strides: Vec<u64>,
    pub(super) location: Box<dyn Locate>,
}

/// The location of a tensor's bytes, as precisely as the headers of its checkpoint give it.
///
/// Implemented by each container; a container whose headers give the range directly uses [`Range<u64>`].
pub trait Locate: Debug + Send + Sync {
    /// Returns the tensor's byte range in `file`, the file whose headers list the tensor. Reads at most one small
    /// header.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`] if that header contradicts the others, and with [`Error::Unsupported`] if the
    /// bytes are stored in a way that cannot be read.
    fn locate(&self, file: &dyn ByteSource) -> Result<Range<u64>>;
}

impl Locate for Range<u64> {
    fn locate(&self, _file: &dyn ByteSource) -> Result<Self> {
        Ok(self.clone())
    }
}

/// A tensor in the file that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedTensor {
    pub name: String,
    /// Completes the sentence "tensor NAME …".
    pub reason: String,
}

/// The tensors that the headers of a checkpoint list.
#[derive(Debug, Default)]
pub struct TensorListing {
    /// In the order of the headers. All names are distinct.
    pub tensors: Vec<TensorHeader>,
    pub skipped: Vec<SkippedTensor>,
}

impl TensorHeader {
    /// Finds the tensor's bytes in `file`, the file whose headers list the tensor. Reads at most one small header.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`] if that header contradicts the others, and with [`Error::Unsupported`] if elements
    /// share bytes, like those of an expanded tensor, because then a small file could claim a matrix of any size.
    pub fn locate(&self, file: &dyn ByteSource) -> Result<TensorInfo> {
        let byte_range = self.location.locate(file)?;
        let blocks = byte_range.end.saturating_sub(byte_range.start) / self.dtype.size();
        let capacity = blocks.saturating_mul(self.dtype.block_length());
        if element_count(&self.shape).is_none_or(|count| count > capacity) {
            return Err(Error::unsupported(
                file.name(),
                format!(
                    "tensor {} of shape {:?} repeats its elements: its strides are {:?}",
                    quote(&self.name),
                    self.shape,
                    self.strides
                ),
            ));
        }
        Ok(TensorInfo {
            name: self.name.clone(),
            dtype: self.dtype,
            shape: self.shape.clone(),
            strides: self.strides.clone(),
            byte_range,
        })
    }
}

/// Returns the number of elements in a tensor of this shape, or `None` if it does not fit in 64 bits.
fn element_count(shape: &[u64]) -> Option<u64> {
    if shape.contains(&0) {
        return Some(0);
    }
    shape
        .iter()
        .try_fold(1, |count: u64, &size| count.checked_mul(size))
}

/// Returns the strides of a tensor whose elements lie in row-major order without gaps, or `None` if they do not fit in
/// 64 bits.
pub fn contiguous_strides(shape: &[u64]) -> Option<Vec<u64>> {
    let mut stride: u64 = 1;
    let mut strides = Vec::with_capacity(shape.len());
    for &size in shape.iter().rev() {
        strides.push(stride);
        stride = stride.checked_mul(size.max(1))?;
    }
    strides.reverse();
    Some(strides)
}

/// Returns the bytes of a storage that a tensor covers, from its first element to the end of its last one. The tensor
/// starts `offset` elements into the storage, which has `length` bytes. All containers use this check.
///
/// # Errors
/// Fails with the end of the sentence "tensor NAME …" if an element is outside the storage or a number overflows.
pub fn element_span(
    dtype: Dtype,
    shape: &[u64],
    strides: &[u64],
    offset: u64,
    length: u64,
) -> Result<Range<u64>, String> {
    if shape.len() != strides.len() {
        return Err(format!(
            "has {} sizes and {} strides",
            shape.len(),
            strides.len()
        ));
    }
    let to_bytes = |elements: Option<u64>| elements?.checked_mul(dtype.size());
    // Elements from the first one to just after the last one.
    let extent = if shape.contains(&0) {
        Some(0)
    } else {
        shape
            .iter()
            .zip(strides)
            .try_fold(1, |extent: u64, (&size, &stride)| {
                extent.checked_add((size - 1).checked_mul(stride)?)
            })
    };
    let start = to_bytes(Some(offset));
    let end = to_bytes(extent.and_then(|extent| offset.checked_add(extent)));
    match (element_count(shape), start, end) {
        (Some(_), Some(start), Some(end)) if end <= length => Ok(start..end),
        (Some(_), Some(_), Some(end)) => Err(format!(
            "reaches to byte {end} of a storage of {length} bytes"
        )),
        _ => Err(format!(
            "of shape {shape:?} with strides {strides:?} is too large for 64-bit sizes"
        )),
    }
}
