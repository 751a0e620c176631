//! A checkpoint file of any container → its tensors, each with the place of its bytes.
//!
//! Opening a checkpoint reads its headers and no tensor: a safetensors header, the directory and pickle of a torch
//! zip, the pickles at the front of a legacy torch file. What only one tensor needs (the local header of its zip
//! entry, the element count before its bytes) is read by [`TensorHeader::locate`], so that a row of a mapped or
//! remote file costs a handful of small reads.

mod dtype;
mod pickle;
mod safetensors;
mod shard_index;
#[cfg(test)]
mod tests;
mod torch_legacy;
mod torch_object;
mod torch_zip;

use std::ops::Range;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::formats::placeholder_file;
use crate::formats::quote::quote;
use crate::source::bytes::ByteSource;
pub use dtype::Dtype;
pub use shard_index::ShardIndex;

/// Dimensions of a tensor; the limit of torch itself is 64.
pub(super) const MAX_DIMENSIONS: usize = 64;

/// The file format a checkpoint is stored in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    Safetensors,
    TorchZip,
    TorchLegacy,
}

impl Container {
    /// The name records carry.
    pub fn name(self) -> &'static str {
        match self {
            Self::Safetensors => "safetensors",
            Self::TorchZip => "torch-zip",
            Self::TorchLegacy => "torch-legacy",
        }
    }

    /// Tells the container of a file from its first bytes ([`HEAD`] of them, or all that there are).
    ///
    /// # Errors
    /// [`Error::Damaged`] or [`Error::Unsupported`] that names what the file is instead, where that can be told.
    pub fn detect(file: &str, head: &[u8]) -> Result<Self> {
        if head.starts_with(b"PK\x03\x04") {
            return Ok(Self::TorchZip);
        }
        if head.starts_with(torch_legacy::MAGIC) {
            return Ok(Self::TorchLegacy);
        }
        if head.get(8) == Some(&b'{') {
            return Ok(Self::Safetensors);
        }
        placeholder_file::refuse(file, head)?;
        match OTHER_FORMATS
            .iter()
            .find(|(magic, _)| head.starts_with(magic))
        {
            Some((_, format)) => Err(Error::unsupported(file, format!("it is {format}"))),
            None => Err(Error::unsupported(
                file,
                "it is neither a safetensors nor a torch checkpoint",
            )),
        }
    }
}

/// Bytes that suffice to tell the containers apart.
pub const HEAD: u64 = 64;

/// First bytes of files that are taken for checkpoints: magic, name.
const OTHER_FORMATS: &[(&[u8], &str)] = &[
    (b"GGUF", "a GGUF file"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file, as TensorFlow writes"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"\x1f\x8b", "compressed by gzip"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd"),
    (b"\x80\x02", PICKLE),
    (b"\x80\x03", PICKLE),
    (b"\x80\x04", PICKLE),
    (b"\x80\x05", PICKLE),
];
const PICKLE: &str = "a pickle that torch.save did not write";

/// A tensor of a checkpoint, reduced to where its elements are.
///
/// Element `[i, j, …]` is at byte `byte_range.start + dtype.size() * (i * strides[0] + j * strides[1] + …)` of the
/// file; readers of containers have checked that every element lies within `byte_range`, `byte_range` within the
/// file, and that there are no more elements than `byte_range` has room for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    pub name: String,
    pub dtype: Dtype,
    /// Elements along each dimension.
    pub shape: Vec<u64>,
    /// Elements from one index to the next, along each dimension.
    pub strides: Vec<u64>,
    /// From the first element to the end of the last one, in bytes of the file.
    pub byte_range: Range<u64>,
}

/// A tensor as the headers of a checkpoint list it.
#[derive(Debug, Clone)]
pub struct TensorHeader {
    pub name: String,
    pub dtype: Dtype,
    /// Elements along each dimension.
    pub shape: Vec<u64>,
    pub(super) strides: Vec<u64>,
    pub(super) place: Place,
}

/// Where the elements of a tensor are, as far as the headers tell.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// Bytes of the file.
    File(Range<u64>),
    /// Bytes of an entry of a torch zip, whose start its local header tells.
    ZipEntry {
        entry: Arc<torch_zip::Entry>,
        range: Range<u64>,
    },
    /// Bytes of the file that belong to a storage of a legacy torch file.
    LegacyStorage {
        storage: torch_legacy::StoragePlace,
        range: Range<u64>,
    },
}

/// A tensor that is in the file and that this program cannot describe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedTensor {
    pub name: String,
    /// The end of the sentence "tensor NAME …".
    pub reason: String,
}

/// The tensors of one checkpoint file.
#[derive(Debug)]
pub struct Checkpoint {
    pub container: Container,
    /// In the order of the file's header. All names differ.
    pub tensors: Vec<TensorHeader>,
    pub skipped: Vec<SkippedTensor>,
}

/// The tensors that a container's headers list.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub tensors: Vec<TensorHeader>,
    pub skipped: Vec<SkippedTensor>,
}

impl Checkpoint {
    /// Reads the headers of a checkpoint; the tensors' bytes are not touched.
    ///
    /// # Errors
    /// [`Error::Damaged`] or [`Error::Unsupported`], naming the file.
    pub fn open(file: &dyn ByteSource) -> Result<Self> {
        let head = file.read(0..file.len().min(HEAD))?;
        let container = Container::detect(file.name(), &head)?;
        let Listing { tensors, skipped } = match container {
            Container::Safetensors => safetensors::tensors(file)?,
            Container::TorchZip => torch_zip::tensors(file)?,
            Container::TorchLegacy => torch_legacy::tensors(file)?,
        };
        Ok(Self {
            container,
            tensors,
            skipped,
        })
    }

    /// The tensor of that full name.
    pub fn find(&self, name: &str) -> Option<&TensorHeader> {
        self.tensors.iter().find(|tensor| tensor.name == name)
    }
}

impl TensorHeader {
    /// Finds the tensor's bytes in `file`, the one whose headers list it. Reads at most one small header.
    ///
    /// # Errors
    /// [`Error::Damaged`] if that header contradicts the others. [`Error::Unsupported`] if elements share bytes (as
    /// those of an expanded tensor do): then a small file could hold a matrix of any size.
    pub fn locate(&self, file: &dyn ByteSource) -> Result<TensorInfo> {
        let byte_range = match &self.place {
            Place::File(range) => range.clone(),
            Place::ZipEntry { entry, range } => {
                let start = torch_zip::data_start(file, entry)?;
                start + range.start..start + range.end
            }
            Place::LegacyStorage { storage, range } => {
                torch_legacy::check_storage(file, storage)?;
                range.clone()
            }
        };
        let room = byte_range.end.saturating_sub(byte_range.start) / self.dtype.size();
        if element_count(&self.shape).is_none_or(|count| count > room) {
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

/// The number of elements of a shape, if 64 bits count it.
pub(super) fn element_count(shape: &[u64]) -> Option<u64> {
    if shape.contains(&0) {
        return Some(0);
    }
    shape
        .iter()
        .try_fold(1, |count: u64, &size| count.checked_mul(size))
}

/// The strides of a tensor whose elements lie in row-major order without gaps.
pub(super) fn contiguous_strides(shape: &[u64]) -> Option<Vec<u64>> {
    let mut stride: u64 = 1;
    let mut strides = Vec::with_capacity(shape.len());
    for &size in shape.iter().rev() {
        strides.push(stride);
        stride = stride.checked_mul(size.max(1))?;
    }
    strides.reverse();
    Some(strides)
}

/// From the first element to the end of the last one, in bytes of a storage of `length` bytes, of a tensor that
/// starts `offset` elements into it. The one check of extents, for every container.
///
/// # Errors
/// The end of the sentence "tensor NAME …", if an element is outside the storage or a number overflows.
pub(super) fn element_span(
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
    let elements = |count: Option<u64>| count?.checked_mul(dtype.size());
    // Elements from the first to just after the last one.
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
    let start = elements(Some(offset));
    let end = elements(extent.and_then(|extent| offset.checked_add(extent)));
    match (element_count(shape), start, end) {
        (Some(_), Some(start), Some(end)) if end <= length => Ok(start..end),
        (Some(_), Some(_), Some(end)) => Err(format!(
            "reaches to byte {end} of a storage of {length} bytes"
        )),
        _ => Err(format!(
            "of shape {shape:?} with strides {strides:?} is larger than 64 bits can count"
        )),
    }
}
