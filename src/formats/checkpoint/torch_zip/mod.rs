//! A checkpoint in torch's zip container → the tensors it lists, and where a tensor's bytes start.
//!
//! The archive holds `NAME/data.pkl`, the pickled object; `NAME/data/KEY`, the bytes of each storage; and
//! `NAME/byteorder`, since torch 2.1. Entries are stored, not compressed. torch pads local headers so that storages
//! start at a multiple of 64 bytes, so a storage's start is only known from its own local header: that one header is
//! read by [`data_start`], when the tensor is wanted.
//!
//! The container is written by `torch/serialization.py` and `caffe2/serialize/inline_container.cc` of PyTorch.

mod directory;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::formats::checkpoint::pickle::{MAX_PICKLE, Pickle};
use crate::formats::checkpoint::torch_object::{Storage, TorchObject};
use crate::formats::checkpoint::{Listing, Place, TensorHeader};
use crate::formats::quote::quote;
use crate::source::bytes::ByteSource;
use directory::Directory;
pub use directory::{Entry, data_start};

/// Bytes of the `byteorder` entry that are looked at; it holds `little` or `big`.
const MAX_BYTE_ORDER: u64 = 16;

/// Reads the directory, the byte order and the pickle of a torch zip.
///
/// # Errors
/// [`Error::Damaged`] or [`Error::Unsupported`], naming the file and the entry.
pub fn tensors(file: &dyn ByteSource) -> Result<Listing> {
    let directory = Directory::read(file)?;
    let (prefix, pickle) = directory.pickle_entry(file.name())?;
    if let Some(entry) = directory.find(&format!("{prefix}byteorder")) {
        check_byte_order(file, entry)?;
    }
    if pickle.size > MAX_PICKLE {
        return Err(Error::damaged(
            file.name(),
            format!(
                "{} has {} bytes, and at most {MAX_PICKLE} are allowed",
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
    let mut listing = Listing {
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
            place: Place::ZipEntry {
                entry: Arc::clone(entry),
                range: tensor.span,
            },
        });
    }
    Ok(listing)
}

/// The entry of a storage, which must be as long as the pickle says.
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

/// Elements are little-endian; files from before the entry existed are, too.
fn check_byte_order(file: &dyn ByteSource, entry: &Entry) -> Result<()> {
    let start = data_start(file, entry)?;
    let bytes = file.read(start..start + entry.size.min(MAX_BYTE_ORDER))?;
    match bytes.trim_ascii() {
        b"little" => Ok(()),
        b"big" => Err(Error::unsupported(
            file.name(),
            "its elements are big-endian, and only little-endian ones are read",
        )),
        other => Err(Error::damaged(
            file.name(),
            format!(
                "its byte order is {}, neither `little` nor `big`",
                quote(&String::from_utf8_lossy(other))
            ),
        )),
    }
}
