//! A checkpoint in torch's container from before 1.6 → the tensors it lists.
//!
//! Five pickles follow one another: the magic number, the protocol 1001, the system's properties, the object, the list
//! of storage keys. Then come the storages in the order of that list: `i64` number of elements, and their bytes. The
//! pickled object tells the number of elements, too, so that a storage is found without reading those before it.
//!
//! The container is written by `_legacy_save` of `torch/serialization.py` of PyTorch.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use crate::error::{Error, Result};
use crate::formats::checkpoint::pickle::{MAX_PICKLE, Pickle, PickleError, Value};
use crate::formats::checkpoint::torch_object::{Storage, TorchObject};
use crate::formats::checkpoint::{Listing, Place, TensorHeader};
use crate::formats::quote::quote;
use crate::source::bytes::ByteSource;

/// The first pickle up to its STOP: protocol 2 and the integer 0x1950a86a20f9469cfc6c.
pub const MAGIC: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
const PROTOCOL: i64 = 1001;
/// Bytes of the number of elements before a storage.
const COUNT_BYTES: u64 = 8;
/// Bytes read at first for the pickles; the pickles of 200 tensors have 35 kB. Doubled while they do not suffice.
const FIRST_WINDOW: u64 = 64 << 10;

/// The number of elements before a storage, which is checked when a tensor of it is wanted.
#[derive(Debug, Clone)]
pub struct StoragePlace {
    key: String,
    count_at: u64,
    elements: u64,
}

/// Reads the pickles of a legacy torch file.
///
/// # Errors
/// [`Error::Damaged`] or [`Error::Unsupported`], naming the file.
pub fn tensors(file: &dyn ByteSource) -> Result<Listing> {
    let limit = file.len().min(MAX_PICKLE);
    let mut window = FIRST_WINDOW.min(limit);
    loop {
        let bytes = file.read(0..window)?;
        match Pickles::read(&bytes) {
            Ok(pickles) => return pickles.listing(file),
            Err(PickleError::Truncated { .. }) if window < limit => {
                window = window.saturating_mul(2).min(limit);
            }
            Err(error) => return Err(Error::damaged(file.name(), error)),
        }
    }
}

/// Checks the number of elements that a storage begins with.
///
/// # Errors
/// [`Error::Damaged`] if it is another one than the pickle says.
pub fn check_storage(file: &dyn ByteSource, storage: &StoragePlace) -> Result<()> {
    let bytes = file.read(storage.count_at..storage.count_at + COUNT_BYTES)?;
    let elements = bytes.as_ref().try_into().map(i64::from_le_bytes).ok();
    if elements.and_then(|elements| u64::try_from(elements).ok()) == Some(storage.elements) {
        return Ok(());
    }
    Err(Error::damaged(
        file.name(),
        format!(
            "the storage {} has {} elements by the pickle and {} by itself",
            quote(&storage.key),
            storage.elements,
            elements.unwrap_or_default()
        ),
    ))
}

/// The five pickles.
struct Pickles<'a> {
    magic: Pickle<'a>,
    protocol: Pickle<'a>,
    system: Pickle<'a>,
    object: Pickle<'a>,
    keys: Pickle<'a>,
    /// Bytes of all of them.
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

    fn listing(&self, file: &dyn ByteSource) -> Result<Listing> {
        self.check_head(file.name())?;
        let object = TorchObject::read(file.name(), &self.object)?;
        let starts = self.storage_starts(file, &object.storages)?;
        let mut listing = Listing {
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
                    format!("tensor {} has no storage in it", quote(&tensor.name)),
                ));
            };
            listing.tensors.push(TensorHeader {
                name: tensor.name,
                dtype: tensor.dtype,
                shape: tensor.shape,
                strides: tensor.strides,
                place: Place::LegacyStorage {
                    storage: StoragePlace {
                        key: storage.key.to_owned(),
                        count_at: start - COUNT_BYTES,
                        elements: storage.elements,
                    },
                    range: start + tensor.span.start..start + tensor.span.end,
                },
            });
        }
        Ok(listing)
    }

    fn check_head(&self, file: &str) -> Result<()> {
        // `MAGIC` without PROTO 2 and LONG1 10, two bytes each.
        let number = MAGIC.get(4..).unwrap_or_default();
        if self.magic.root != Value::BigInt(number) {
            return Err(Error::damaged(file, "its magic number is another one"));
        }
        if self.protocol.root != Value::Int(PROTOCOL) {
            return Err(Error::unsupported(
                file,
                format!("it is of another protocol than torch's {PROTOCOL}"),
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
                "its elements are big-endian, and only little-endian ones are read",
            )),
            _ => Err(Error::damaged(file, "it does not tell its byte order")),
        }
    }

    /// Where the bytes of each storage start; `None` for one that the file does not hold.
    fn storage_starts(
        &self,
        file: &dyn ByteSource,
        storages: &[Storage<'_>],
    ) -> Result<Vec<Option<u64>>> {
        let damaged = |problem: String| Error::damaged(file.name(), problem);
        let by_key: HashMap<&str, usize> = storages
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
                return Err(damaged(format!("{} is the key of a storage", key.kind())));
            };
            let index = by_key.get(key).copied();
            let storage = index.and_then(|index| storages.get(index));
            let slot = index.and_then(|index| starts.get_mut(index));
            let (Some(storage), Some(slot)) = (storage, slot) else {
                return Err(damaged(format!(
                    "the storage {} belongs to nothing",
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
                    "the storage {} of {} elements reaches beyond its {} bytes",
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
