//! The storages of a torch checkpoint, as its pickle describes them.

use std::collections::HashMap;

use crate::error::{Error, Result};
use crate::formats::checkpoint::dtype::Dtype;
use crate::formats::checkpoint::pickle::{Global, Pickle, Value};
use crate::formats::quote::quote;

/// A contiguous run of elements outside the pickle. Tensors are views of storages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Storage<'a> {
    pub key: &'a str,
    /// Bytes of one element; 1 for an untyped storage, whose elements are bytes.
    pub element_size: u64,
    pub elements: u64,
    /// `None` for an untyped or quantized storage.
    pub dtype: Option<Dtype>,
    /// The storage class of quantized elements.
    pub quantized: Option<&'static str>,
}

impl Storage<'_> {
    /// Returns the length in bytes, or `None` if it does not fit in 64 bits.
    pub fn bytes(&self) -> Option<u64> {
        self.elements.checked_mul(self.element_size)
    }
}

/// The part of a storage that a persistent id refers to, in elements of the storage.
#[derive(Debug, Clone, Copy)]
pub struct StorageView {
    /// Index into the storages.
    pub storage: usize,
    pub start: u64,
    pub end: u64,
}

/// Reads all persistent ids. Returns the storages, each once, and the view of every id.
///
/// # Errors
/// Fails with [`Error::Damaged`], which names `file`, if a persistent id does not describe a storage or contradicts
/// another one, and with [`Error::Unsupported`] if the class of a storage is unknown.
pub fn read_all<'a>(
    file: &str,
    pickle: &Pickle<'a>,
) -> Result<(Vec<Storage<'a>>, Vec<StorageView>)> {
    let mut storages: Vec<Storage<'a>> = Vec::new();
    let mut by_key = HashMap::new();
    let mut views = Vec::new();
    for id in pickle.persistent_ids() {
        let (storage, view) =
            storage_and_view(pickle, id).ok_or_else(|| not_a_storage(file, pickle, id))?;
        let damaged = |problem: &str| {
            Error::damaged(file, format!("storage {} {problem}", quote(storage.key)))
        };
        let index = *by_key.entry(storage.key).or_insert_with(|| {
            storages.push(storage);
            storages.len() - 1
        });
        if storages.get(index) != Some(&storage) {
            return Err(damaged("is described in two different ways"));
        }
        if storage.bytes().is_none() {
            return Err(damaged("is too large for 64-bit sizes"));
        }
        let (start, length) = view.unwrap_or((0, storage.elements));
        let end = start
            .checked_add(length)
            .filter(|&end| end <= storage.elements)
            .ok_or_else(|| damaged("is shorter than a view of it"))?;
        views.push(StorageView {
            storage: index,
            start,
            end,
        });
    }
    Ok((storages, views))
}

fn not_a_storage<'a>(file: &str, pickle: &Pickle<'a>, id: &[Value<'a>]) -> Error {
    if let &[Value::Str("storage"), class, ..] = id
        && let Some((module, name)) = pickle.foreign(class)
    {
        let class = quote(&format!("{module}.{name}"));
        return Error::unsupported(
            file,
            format!("its pickle has a storage of the class {class}"),
        );
    }
    Error::damaged(file, "its pickle has a persistent id that is not a storage")
}

/// Start and length of a view, in elements of its storage.
type StartAndLength = (u64, u64);

/// Reads a persistent id: `('storage', class, key, location, elements)`, before torch 1.6 with a sixth item, which is
/// `None` or `(view key, start, length)`. Returns `None` if it has another form.
fn storage_and_view<'a>(
    pickle: &Pickle<'a>,
    id: &[Value<'a>],
) -> Option<(Storage<'a>, Option<StartAndLength>)> {
    let &[
        Value::Str("storage"),
        Value::Global(class),
        Value::Str(key),
        _,
        elements,
        ref view @ ..,
    ] = id
    else {
        return None;
    };
    let (dtype, quantized, element_size) = match class {
        Global::Storage(dtype) => (Some(dtype), None, dtype.size()),
        Global::UntypedStorage => (None, None, 1),
        Global::QuantizedStorage(class, size) => (None, Some(class), size),
        _ => return None,
    };
    let view = match *view {
        [] | [Value::None] => None,
        [view @ Value::Tuple(_)] => {
            let &[_, start, length] = pickle.items(view)? else {
                return None;
            };
            Some((as_count(start)?, as_count(length)?))
        }
        _ => return None,
    };
    let storage = Storage {
        key,
        element_size,
        elements: as_count(elements)?,
        dtype,
        quantized,
    };
    Some((storage, view))
}

/// Returns a number of elements, or `None` if the value is not a number or is negative.
pub fn as_count(value: Value<'_>) -> Option<u64> {
    match value {
        Value::Int(int) => u64::try_from(int).ok(),
        _ => None,
    }
}
