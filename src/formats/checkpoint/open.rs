//! Opens a checkpoint file in any container.

use super::container::Container;
use super::tensor::{SkippedTensor, TensorHeader, TensorListing};
use super::{gguf, safetensors, torch_legacy, torch_zip};
use crate::error::{Error, Result};
use crate::formats::gguf::Gguf;
use crate::formats::placeholder_file;
use crate::source::ByteSource;

/// The containers that can be read, in the order in which they are tried.
pub const CONTAINERS: &[Container] = &[
    torch_zip::CONTAINER,
    torch_legacy::CONTAINER,
    safetensors::CONTAINER,
    gguf::CONTAINER,
];

/// Bytes at the start of a file that identify its container.
const HEAD_BYTES: u64 = 64;

/// Formats that are often mistaken for checkpoints: first bytes, description.
const OTHER_FORMATS: &[(&[u8], &str)] = &[
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file, as TensorFlow writes"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"\x1f\x8b", "compressed with gzip"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd"),
    (b"\x80\x02", PICKLE),
    (b"\x80\x03", PICKLE),
    (b"\x80\x04", PICKLE),
    (b"\x80\x05", PICKLE),
];
const PICKLE: &str = "a pickle that torch.save did not write";

/// The tensors of one checkpoint file.
#[derive(Debug)]
pub struct Checkpoint {
    pub container: Container,
    /// In the order of the file's header. All names are distinct.
    pub tensors: Vec<TensorHeader>,
    pub skipped: Vec<SkippedTensor>,
}

impl Checkpoint {
    /// Reads the headers of a checkpoint, but no tensor data.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`] or [`Error::Unsupported`], which name the file.
    pub fn open(file: &dyn ByteSource) -> Result<Self> {
        let head = file.read(0..file.len().min(HEAD_BYTES))?;
        let container = recognize(file.name(), &head)?;
        let TensorListing { tensors, skipped } = (container.list)(file)?;
        Ok(Self {
            container,
            tensors,
            skipped,
        })
    }

    /// Returns the tensors of a GGUF file with this header.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`] if a tensor is not where it can be.
    pub fn of_gguf(file: &dyn ByteSource, header: &Gguf) -> Result<Self> {
        let TensorListing { tensors, skipped } = gguf::listing(file, header)?;
        Ok(Self {
            container: gguf::CONTAINER,
            tensors,
            skipped,
        })
    }

    /// Returns the tensor with this full name.
    pub fn find(&self, name: &str) -> Option<&TensorHeader> {
        self.tensors.iter().find(|tensor| tensor.name == name)
    }
}

/// Returns the container of a file. `head` holds its first [`HEAD_BYTES`], or all of it if it is shorter.
///
/// # Errors
/// Fails with [`Error::Damaged`] or [`Error::Unsupported`] if the container is not supported. The error names the
/// format of the file if it is known.
pub(super) fn recognize(file: &str, head: &[u8]) -> Result<Container> {
    if let Some(container) = CONTAINERS
        .iter()
        .find(|container| (container.recognizes)(head))
    {
        return Ok(*container);
    }
    placeholder_file::refuse(file, head)?;
    let other = OTHER_FORMATS
        .iter()
        .find(|(magic, _)| head.starts_with(magic));
    Err(match other {
        Some((_, format)) => Error::unsupported(file, format!("it is {format}")),
        None => Error::unsupported(file, "it is not a safetensors, torch or GGUF checkpoint"),
    })
}
