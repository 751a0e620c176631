//! Reads checkpoints in torch's zip container.
//!
//! The archive holds `NAME/data.pkl`, the pickled object; `NAME/data/KEY`, the bytes of each storage; and
//! `NAME/byteorder`, since torch 2.1. Entries are stored without compression. torch pads local headers to align
//! storages to 64 bytes, so only a storage's own local header gives its start. That header is read when the tensor is
//! located.
//!
//! The container is written by `torch/serialization.py` and `caffe2/serialize/inline_container.cc` of PyTorch.

mod directory;
mod fields;
mod local_header;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::Arc;

use super::container::Container;
use super::pickle::{MAX_PICKLE, Pickle};
use super::tensor::{Locate, TensorHeader, TensorListing};
use super::torch_object::{Storage, TorchObject};
use crate::error::{Error, Result};
use crate::formats::quote::quote;
use crate::source::ByteSource;
use directory::{Directory, Entry};
use local_header::data_start;

pub const CONTAINER: Container = Container {
    name: "torch-zip",
    recognizes: |head| head.starts_with(b"PK\x03\x04"),
    list,
};

/// Bytes read from the `byteorder` entry, which holds `little` or `big`.
const MAX_BYTE_ORDER: u64 = 16;

/// A range of bytes within an entry. Only the entry's local header gives its start.
#[derive(Debug)]
struct EntryRange {
    entry: Arc<Entry>,
    range: Range<u64>,
}

impl Locate for EntryRange {
    fn locate(&self, file: &dyn ByteSource) -> Result<Range<u64>> {
        let start = data_start(file, &self.entry)?;
        Ok(start + self.range.start..start + self.range.end)
    }
}

/// Reads the directory, the byte order, and the pickle of a torch zip.
///
/// # Errors
/// Fails with [`Error::Damaged`] or [`Error::Unsupported`], which name the file and the entry.
fn list(file: &dyn ByteSource) -> Result<TensorListing> {
    let directory = Directory::read(file)?;
    let (prefix, pickle) = directory.pickle_entry(file.name())?;
    if directory.find(&format!("{prefix}constants.pkl")).is_some() {
        return Err(Error::unsupported(
            file.name(),
            "it is a TorchScript archive, not a dictionary of tensors",
        ));
    }
    if let Some(entry) = directory.find(&format!("{prefix}byteorder")) {
        check_byte_order(file, entry)?;
    }
    if pickle.size > MAX_PICKLE {
        return Err(Error::damaged(
            file.name(),
            format!(
                "{} has {} bytes, but at most {MAX_PICKLE} are allowed",
                quote(&pickle.name),
                pickle.size
            ),
        ));
    }
    let start = data_start(file, pickle)?;
    let bytes = file.read(start..start + pickle.size)?;
    let pickle = Pickle::read(&bytes).map_err(|error| Error::damaged(file.name(), error))?;
    let object = TorchObject::read(file.name(), &pickle)?;

    let entries = object
        .storages
        .iter()
        .map(|storage| storage_entry(file.name(), &directory, prefix, storage))
        .collect::<Result<Vec<_>>>()?;
    let mut listing = TensorListing {
        tensors: Vec::with_capacity(object.tensors.len()),
        skipped: object.skipped,
    };
    for tensor in object.tensors {
        let Some(entry) = entries.get(tensor.storage) else {
            continue;
        };
        listing.tensors.push(TensorHeader {
            name: tensor.name,
            dtype: tensor.dtype,
            shape: tensor.shape,
            strides: tensor.strides,
            location: Box::new(EntryRange {
                entry: Arc::clone(entry),
                range: tensor.span,
            }),
        });
    }
    Ok(listing)
}

/// Returns the entry of a storage, which must be at least as long as the pickle says.
fn storage_entry(
    file: &str,
    directory: &Directory,
    prefix: &str,
    storage: &Storage<'_>,
) -> Result<Arc<Entry>> {
    let entry = directory
        .find(&format!("{prefix}data/{}", storage.key))
        .ok_or_else(|| {
            Error::damaged(
                file,
                format!("it has no entry for the storage {}", quote(storage.key)),
            )
        })?;
    match storage.bytes() {
        Some(bytes) if bytes <= entry.size => Ok(Arc::clone(entry)),
        _ => Err(Error::damaged(
            file,
            format!(
                "{} has {} bytes, and its storage has {} elements of {}",
                quote(&entry.name),
                entry.size,
                storage.elements,
                storage.element_size
            ),
        )),
    }
}

/// Fails if the elements are not little-endian. Files without the entry, from before torch 2.1, always are.
fn check_byte_order(file: &dyn ByteSource, entry: &Entry) -> Result<()> {
    let start = data_start(file, entry)?;
    let bytes = file.read(start..start + entry.size.min(MAX_BYTE_ORDER))?;
    match bytes.trim_ascii() {
        b"little" => Ok(()),
        b"big" => Err(Error::unsupported(
            file.name(),
            "its elements are big-endian, but only little-endian elements are supported",
        )),
        other => Err(Error::damaged(
            file.name(),
            format!(
                "its byte order must be `little` or `big`, not {}",
                quote(&String::from_utf8_lossy(other))
            ),
        )),
    }
}
