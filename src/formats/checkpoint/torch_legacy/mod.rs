//! Reads checkpoints in the container that torch used before 1.6.
//!
//! A file starts with five pickles: the magic number, the protocol 1001, the system's properties, the object, and the
//! list of storage keys. The storages follow in the order of that list, each as its number of elements (`i64`) and
//! their bytes. The pickled object also gives the number of elements, so a storage can be found without reading the
//! ones before it.
//!
//! The container is written by `_legacy_save` of `torch/serialization.py` of PyTorch.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::ops::Range;

use super::container::Container;
use super::pickle::{MAX_PICKLE, Pickle, PickleError, Value};
use super::tensor::{Locate, TensorHeader, TensorListing};
use super::torch_object::{Storage, TorchObject};
use crate::error::{Error, Result};
use crate::formats::quote::quote;
use crate::source::ByteSource;

pub const CONTAINER: Container = Container {
    name: "torch-legacy",
    recognizes: |head| has_magic(head).is_some(),
    list,
};

/// The first pickle up to its STOP: protocol 2 and the integer 0x1950a86a20f9469cfc6c.
pub const MAGIC: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
/// The start of the first pickle in protocols 4 and 5: a frame of 13 bytes.
const FRAME: &[u8] = b"\x95\x0d\0\0\0\0\0\0\0";
const PROTOCOL: i64 = 1001;
/// Bytes of the element count before each storage.
const COUNT_BYTES: u64 = 8;
/// Bytes first read for the pickles, doubled until they suffice. The pickles of 200 tensors have 35 kB.
const FIRST_READ: u64 = 64 << 10;

/// Recognizes [`MAGIC`] in protocols 2 to 5. Returns `None` for other files.
fn has_magic(head: &[u8]) -> Option<()> {
    let (protocol, number) = (head.strip_prefix(b"\x80")?, MAGIC.get(2..)?);
    let (2..=5, pickle) = protocol.split_first()? else {
        return None;
    };
    let pickle = pickle.strip_prefix(FRAME).unwrap_or(pickle);
    pickle.starts_with(number).then_some(())
}

/// Reads the pickles of a legacy torch file.
///
/// # Errors
/// Fails with [`Error::Damaged`] or [`Error::Unsupported`], which name the file.
fn list(file: &dyn ByteSource) -> Result<TensorListing> {
    let limit = file.len().min(MAX_PICKLE);
    let mut length = FIRST_READ.min(limit);
    loop {
        let bytes = file.read(0..length)?;
        match Pickles::read(&bytes) {
            Ok(pickles) => return pickles.listing(file),
            Err(PickleError::Truncated { .. }) if length < limit => {
                length = length.saturating_mul(2).min(limit);
            }
            Err(error) => return Err(Error::damaged(file.name(), error)),
        }
    }
}

/// A range of bytes within a storage, which is checked when the tensor is located.
#[derive(Debug)]
struct StorageRange {
    /// Key of the storage.
    key: String,
    /// Offset of the element count before the storage.
    count_at: u64,
    /// The number of elements according to the pickle.
    elements: u64,
    /// Bytes of the file.
    range: Range<u64>,
}

impl Locate for StorageRange {
    /// Checks that the element count before the storage is the one in the pickle.
    fn locate(&self, file: &dyn ByteSource) -> Result<Range<u64>> {
        let bytes = file.read(self.count_at..self.count_at + COUNT_BYTES)?;
        let elements = bytes.as_ref().try_into().map(i64::from_le_bytes).ok();
        if elements.and_then(|elements| u64::try_from(elements).ok()) == Some(self.elements) {
            return Ok(self.range.clone());
        }
        Err(Error::damaged(
            file.name(),
            format!(
                "the storage {} has {} elements according to the pickle, and {} according to its header",
                quote(&self.key),
                self.elements,
                elements.unwrap_or_default()
            ),
        ))
    }
}

/// The five pickles at the start of a file.
struct Pickles<'a> {
    magic: Pickle<'a>,
    protocol: Pickle<'a>,
    system: Pickle<'a>,
    object: Pickle<'a>,
    keys: Pickle<'a>,
    /// Bytes of all five pickles.
    length: u64,
}

impl<'a> Pickles<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, PickleError> {
        let mut length = 0;
        let mut next = || {
            let pickle = Pickle::read(bytes.get(length..).unwrap_or_default())?;
            length += pickle.length;
            Ok::<_, PickleError>(pickle)
        };
        Ok(Self {
            magic: next()?,
            protocol: next()?,
            system: next()?,
            object: next()?,
            keys: next()?,
            length: length as u64,
        })
    }

    fn listing(&self, file: &dyn ByteSource) -> Result<TensorListing> {
        self.check_header(file.name())?;
        let object = TorchObject::read(file.name(), &self.object)?;
        let starts = self.storage_starts(file, &object.storages)?;
        let mut listing = TensorListing {
            tensors: Vec::with_capacity(object.tensors.len()),
            skipped: object.skipped,
        };
        for tensor in object.tensors {
            let (Some(storage), Some(&Some(start))) = (
                object.storages.get(tensor.storage),
                starts.get(tensor.storage),
            ) else {
                return Err(Error::damaged(
                    file.name(),
                    format!("tensor {} has no storage in the file", quote(&tensor.name)),
                ));
            };
            listing.tensors.push(TensorHeader {
                name: tensor.name,
                dtype: tensor.dtype,
                shape: tensor.shape,
                strides: tensor.strides,
                location: Box::new(StorageRange {
                    key: storage.key.to_owned(),
                    count_at: start - COUNT_BYTES,
                    elements: storage.elements,
                    range: start + tensor.span.start..start + tensor.span.end,
                }),
            });
        }
        Ok(listing)
    }

    /// Checks the magic number, the protocol, and the byte order.
    fn check_header(&self, file: &str) -> Result<()> {
        // `MAGIC` without PROTO 2 and LONG1 10, which take two bytes each.
        let number = MAGIC.get(4..).unwrap_or_default();
        if self.magic.root != Value::BigInt(number) {
            return Err(Error::damaged(
                file,
                "its magic number is not the one that torch writes",
            ));
        }
        if self.protocol.root != Value::Int(PROTOCOL) {
            return Err(Error::unsupported(
                file,
                format!("its protocol is not torch's {PROTOCOL}"),
            ));
        }
        let little_endian = self
            .system
            .entries(self.system.root)
            .unwrap_or_default()
            .iter()
            .find(|(key, _)| *key == Value::Str("little_endian"));
        match little_endian {
            Some((_, Value::Bool(true))) => Ok(()),
            Some((_, Value::Bool(false))) => Err(Error::unsupported(
                file,
                "its elements are big-endian, but only little-endian elements are supported",
            )),
            _ => Err(Error::damaged(file, "it does not give its byte order")),
        }
    }

    /// Returns the offset of the bytes of each storage; `None` for a storage that the file does not hold.
    fn storage_starts(
        &self,
        file: &dyn ByteSource,
        storages: &[Storage<'_>],
    ) -> Result<Vec<Option<u64>>> {
        let damaged = |problem: String| Error::damaged(file.name(), problem);
        let index_by_key: HashMap<&str, usize> = storages
            .iter()
            .enumerate()
            .map(|(index, storage)| (storage.key, index))
            .collect();
        let keys = self
            .keys
            .items(self.keys.root)
            .ok_or_else(|| damaged("it has no list of storages".to_owned()))?;
        let mut starts = vec![None; storages.len()];
        let mut next = self.length;
        for &key in keys {
            let Value::Str(key) = key else {
                return Err(damaged(format!(
                    "the key of a storage must be a string, not {}",
                    key.kind()
                )));
            };
            let index = index_by_key.get(key).copied();
            let storage = index.and_then(|index| storages.get(index));
            let slot = index.and_then(|index| starts.get_mut(index));
            let (Some(storage), Some(slot)) = (storage, slot) else {
                return Err(damaged(format!(
                    "no tensor uses the storage {}",
                    quote(key)
                )));
            };
            if slot.is_some() {
                return Err(damaged(format!(
                    "the storage {} is listed twice",
                    quote(key)
                )));
            }
            let start = next.checked_add(COUNT_BYTES);
            let end = start
                .zip(storage.bytes())
                .and_then(|(start, bytes)| start.checked_add(bytes))
                .filter(|&end| end <= file.len());
            let Some(end) = end else {
                return Err(damaged(format!(
                    "the storage {} of {} elements extends beyond the {} bytes of the file",
                    quote(key),
                    storage.elements,
                    file.len()
                )));
            };
            *slot = start;
            next = end;
        }
        Ok(starts)
    }
}
