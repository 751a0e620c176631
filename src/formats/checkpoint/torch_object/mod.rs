//! The object of a torch checkpoint, unpickled → its storages, and its tensors as views of them.
//!
//! A state dict maps names to tensors. Training checkpoints hold it one or more levels down, beside counters and
//! settings: every tensor in nested dictionaries is found, and named by its keys joined with `.`. A key of
//! [`WRAPPERS`] at the top is left out of the names, so that a tensor has its own state-dict name wherever the state
//! dict is kept. Anything else than dictionaries and tensors is passed over.
//!
//! How torch writes tensors and storages: `torch/_utils.py` and `torch/serialization.py` of PyTorch.

#[cfg(test)]
pub mod tests;

use std::collections::{HashMap, HashSet};

use crate::error::{Error, Result};
use crate::formats::checkpoint::dtype::Dtype;
use crate::formats::checkpoint::pickle::{Global, Pickle, Value};
use crate::formats::checkpoint::{MAX_DIMENSIONS, SkippedTensor, element_span};
use crate::formats::quote::quote;

/// Keys under which training scripts keep a state dict; the first of them that is there is looked through.
pub const WRAPPERS: &[&str] = &["state_dict", "model_state_dict", "model", "module"];

/// Dictionaries one inside the other. Optimizer states, the deepest there are, have 4.
const MAX_NESTING: usize = 32;
/// Entries looked at, those of a dictionary that is reached twice counting twice.
const MAX_ENTRIES: usize = 1 << 20;
/// Tensors of one file; see `MAX_OPCODES` of the pickle.
const MAX_TENSORS: usize = 1 << 16;
/// Bytes of a tensor's name, all keys included.
const MAX_NAME: usize = 1024;
/// `_rebuild_parameter` of `_rebuild_parameter` of …; torch writes one.
const MAX_PARAMETER_DEPTH: usize = 4;

/// Contiguous elements that tensors are views of, kept outside the pickle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Storage<'a> {
    pub key: &'a str,
    /// Bytes of one element; an untyped storage is counted in bytes.
    pub element_size: u64,
    pub elements: u64,
    dtype: Option<Dtype>,
}

impl Storage<'_> {
    /// Length in bytes, if that is a number of 64 bits.
    pub fn bytes(&self) -> Option<u64> {
        self.elements.checked_mul(self.element_size)
    }
}

/// A tensor as a view of a storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTensor {
    pub name: String,
    pub dtype: Dtype,
    pub shape: Vec<u64>,
    /// Elements from one index to the next, along each dimension.
    pub strides: Vec<u64>,
    /// Position in [`TorchObject::storages`].
    pub storage: usize,
    /// From the start of the storage to the first element and to the end of the last one, in bytes; checked to be
    /// within the storage.
    pub span: std::ops::Range<u64>,
}

/// What one checkpoint file holds.
#[derive(Debug)]
pub struct TorchObject<'a> {
    /// Every storage of the pickle, each once, in the order of their first use.
    pub storages: Vec<Storage<'a>>,
    pub tensors: Vec<StoredTensor>,
    pub skipped: Vec<SkippedTensor>,
}

impl<'a> TorchObject<'a> {
    /// Finds the tensors of an unpickled object.
    ///
    /// # Errors
    /// [`Error::Damaged`] for a storage or tensor that contradicts itself, [`Error::Unsupported`] for an object that
    /// is not a dictionary; both name `file`.
    pub fn read(file: &str, pickle: &Pickle<'a>) -> Result<Self> {
        if pickle.entries(pickle.root).is_none() {
            return Err(Error::unsupported(
                file,
                format!(
                    "its pickle holds {}, not a dictionary of tensors",
                    pickle.root.kind()
                ),
            ));
        }
        let (storages, views) = storages(file, pickle)?;
        let mut walk = Walk {
            file,
            pickle,
            views,
            entries: 0,
            names: HashSet::new(),
            found: Self {
                storages,
                tensors: Vec::new(),
                skipped: Vec::new(),
            },
        };
        walk.dictionary("", pickle.root, 0)?;
        Ok(walk.found)
    }
}

/// The part of a storage that a persistent id stands for, in elements.
#[derive(Debug, Clone, Copy)]
struct View {
    storage: usize,
    start: u64,
    end: u64,
}

/// Reads all persistent ids: the storages, and for each id its view of one.
fn storages<'a>(file: &str, pickle: &Pickle<'a>) -> Result<(Vec<Storage<'a>>, Vec<View>)> {
    let mut storages: Vec<Storage<'a>> = Vec::new();
    let mut by_key = HashMap::new();
    let mut views = Vec::new();
    for id in pickle.persistent_ids() {
        let (storage, part) = storage(pickle, id).ok_or_else(|| {
            Error::damaged(file, "its pickle has a persistent id that is no storage")
        })?;
        let damaged = |problem: &str| {
            Error::damaged(file, format!("storage {} {problem}", quote(storage.key)))
        };
        let index = *by_key.entry(storage.key).or_insert_with(|| {
            storages.push(storage);
            storages.len() - 1
        });
        if storages.get(index) != Some(&storage) {
            return Err(damaged("is described in two ways"));
        }
        if storage.bytes().is_none() {
            return Err(damaged("has more bytes than 64 bits count"));
        }
        let (start, length) = part.unwrap_or((0, storage.elements));
        let end = start
            .checked_add(length)
            .filter(|&end| end <= storage.elements)
            .ok_or_else(|| damaged("is shorter than a view of it"))?;
        views.push(View {
            storage: index,
            start,
            end,
        });
    }
    Ok((storages, views))
}

/// Start and length of the part of a storage that a view of it is, in elements.
type Part = (u64, u64);

/// `('storage', class, key, location, elements)`; before 1.6 a sixth item, `None` or `(view key, start, length)`.
fn storage<'a>(pickle: &Pickle<'a>, id: &[Value<'a>]) -> Option<(Storage<'a>, Option<Part>)> {
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
    let dtype = match class {
        Global::Storage(dtype) => Some(dtype),
        Global::UntypedStorage => None,
        _ => return None,
    };
    let part = match *view {
        [] | [Value::None] => None,
        [view @ Value::Tuple(_)] => {
            let &[_, start, length] = pickle.items(view)? else {
                return None;
            };
            Some((count(start)?, count(length)?))
        }
        _ => return None,
    };
    let storage = Storage {
        key,
        element_size: dtype.map_or(1, Dtype::size),
        elements: count(elements)?,
        dtype,
    };
    Some((storage, part))
}

/// A number of elements, bytes or indices.
fn count(value: Value<'_>) -> Option<u64> {
    match value {
        Value::Int(int) => u64::try_from(int).ok(),
        _ => None,
    }
}

/// The walk through nested dictionaries.
struct Walk<'p, 'a> {
    file: &'p str,
    pickle: &'p Pickle<'a>,
    /// By persistent id.
    views: Vec<View>,
    entries: usize,
    names: HashSet<String>,
    found: TorchObject<'a>,
}

impl<'a> Walk<'_, 'a> {
    fn dictionary(&mut self, prefix: &str, dict: Value<'a>, depth: usize) -> Result<()> {
        if depth > MAX_NESTING {
            return Err(self.too_many("dictionaries one inside the other", MAX_NESTING));
        }
        let pickle = self.pickle;
        let entries = pickle.entries(dict).unwrap_or_default();
        let wrapper = if prefix.is_empty() {
            wrapper(entries)
        } else {
            None
        };
        for &(key, value) in entries {
            self.entries += 1;
            if self.entries > MAX_ENTRIES {
                return Err(self.too_many("entries in its dictionaries", MAX_ENTRIES));
            }
            let is_dict = matches!(value, Value::Dict(_));
            if !is_dict && !matches!(value, Value::Call(_)) {
                continue;
            }
            let key = match key {
                Value::Str(key) => key.to_owned(),
                Value::Int(key) => key.to_string(),
                _ => continue,
            };
            if is_dict && wrapper.is_some_and(|wrapper| wrapper == key) {
                self.dictionary(prefix, value, depth + 1)?;
                continue;
            }
            if prefix.len() + key.len() >= MAX_NAME {
                return Err(Error::damaged(
                    self.file,
                    format!(
                        "the tensor name {} has more than {MAX_NAME} bytes",
                        quote(&key)
                    ),
                ));
            }
            let name = if prefix.is_empty() {
                key
            } else {
                format!("{prefix}.{key}")
            };
            if is_dict {
                self.dictionary(&name, value, depth + 1)?;
            } else {
                self.object(name, value)?;
            }
        }
        Ok(())
    }

    /// A call: kept if it makes a tensor.
    fn object(&mut self, name: String, value: Value<'a>) -> Result<()> {
        let Some((function, arguments)) = tensor_call(self.pickle, value) else {
            return Ok(());
        };
        if self.names.len() >= MAX_TENSORS {
            return Err(self.too_many("tensors", MAX_TENSORS));
        }
        if !self.names.insert(name.clone()) {
            return Err(Error::damaged(
                self.file,
                format!("two tensors have the name {}", quote(&name)),
            ));
        }
        match self.tensor(function, arguments) {
            Ok(Found::Tensor(mut tensor)) => {
                tensor.name = name;
                self.found.tensors.push(tensor);
            }
            Ok(Found::Skipped(reason)) => self.found.skipped.push(SkippedTensor { name, reason }),
            Err(problem) => {
                return Err(Error::damaged(
                    self.file,
                    format!("tensor {} {problem}", quote(&name)),
                ));
            }
        }
        Ok(())
    }

    /// The tensor that `function` would make of its arguments, without a name; or the end of the sentence "tensor X …".
    fn tensor(&self, function: Global, arguments: &[Value<'a>]) -> Result<Found, String> {
        let &[
            Value::Persistent(id),
            offset,
            size,
            stride,
            ref options @ ..,
        ] = arguments
        else {
            return Err("is not made of a storage, an offset, a size and strides".to_owned());
        };
        let view = self.views.get(id.index()).ok_or("has no storage")?;
        let storage = self
            .found
            .storages
            .get(view.storage)
            .ok_or("has no storage")?;
        // requires_grad, backward_hooks, and for a storage without a type the dtype; then the metadata.
        let (dtype, metadata) = match (function, options) {
            (
                Global::RebuildTensorV3,
                &[_, _, Value::Global(Global::Dtype(dtype)), ref rest @ ..],
            ) => (Some(dtype), rest.first()),
            (Global::RebuildTensorV3, &[_, _, Value::Global(Global::OtherDtype(other)), ..]) => {
                return Ok(Found::Skipped(format!("is of the type `torch.{other}`")));
            }
            (Global::RebuildTensorV3, _) => (None, None),
            _ => (storage.dtype, options.get(2)),
        };
        let dtype = dtype.ok_or("has no dtype")?;
        if let Some(flag) = metadata.and_then(|&metadata| self.flag(metadata)) {
            return Ok(Found::Skipped(format!(
                "has elements that are to be changed by the flag {}",
                quote(flag)
            )));
        }
        let offset = count(offset).ok_or("has an offset that is not a number of elements")?;
        let shape = self.dimensions(size).ok_or_else(|| {
            format!("has a size that is not a list of up to {MAX_DIMENSIONS} numbers")
        })?;
        let strides = self.dimensions(stride).ok_or_else(|| {
            format!("has strides that are not a list of up to {MAX_DIMENSIONS} numbers")
        })?;

        // An untyped storage is counted in bytes, the view of it in elements of the tensor.
        let start = view.start.checked_mul(storage.element_size);
        let end = view.end.checked_mul(storage.element_size);
        let (start, end) = start.zip(end).ok_or("has a storage beyond 64 bits")?;
        let span = element_span(dtype, &shape, &strides, offset, end.saturating_sub(start))?;
        Ok(Found::Tensor(StoredTensor {
            name: String::new(),
            dtype,
            shape,
            strides,
            storage: view.storage,
            span: start + span.start..start + span.end,
        }))
    }

    /// The numbers of a tuple, list or `torch.Size`.
    fn dimensions(&self, value: Value<'a>) -> Option<Vec<u64>> {
        let value = match self.pickle.call(value) {
            Some((Global::Size, &[numbers])) => numbers,
            _ => value,
        };
        let numbers = self.pickle.items(value)?;
        if numbers.len() > MAX_DIMENSIONS {
            return None;
        }
        numbers.iter().copied().map(count).collect()
    }

    /// A flag of a tensor's metadata that is set: `conj` and `neg` change what its elements mean.
    fn flag(&self, metadata: Value<'a>) -> Option<&'a str> {
        let entries = self.pickle.entries(metadata)?;
        entries
            .iter()
            .take(MAX_DIMENSIONS)
            .find_map(|&entry| match entry {
                (Value::Str(flag), Value::Bool(true)) => Some(flag),
                _ => None,
            })
    }

    fn too_many(&self, what: &str, limit: usize) -> Error {
        Error::damaged(self.file, format!("it has more than {limit} {what}"))
    }
}

enum Found {
    /// Its name is still empty.
    Tensor(StoredTensor),
    /// The end of the sentence "tensor X …".
    Skipped(String),
}

/// The key of [`WRAPPERS`] under which `entries` hold a dictionary.
fn wrapper(entries: &[(Value<'_>, Value<'_>)]) -> Option<&'static str> {
    WRAPPERS.iter().copied().find(|&wrapper| {
        entries
            .iter()
            .any(|&(key, value)| key == Value::Str(wrapper) && matches!(value, Value::Dict(_)))
    })
}

/// The call that makes a tensor, without the parameter around it; `None` for objects that are no tensor.
fn tensor_call<'p, 'a>(
    pickle: &'p Pickle<'a>,
    value: Value<'a>,
) -> Option<(Global, &'p [Value<'a>])> {
    let mut call = pickle.call(value)?;
    for _ in 0..MAX_PARAMETER_DEPTH {
        match call {
            (Global::RebuildParameter, &[tensor, ..]) => call = pickle.call(tensor)?,
            (Global::RebuildTensor | Global::RebuildTensorV2 | Global::RebuildTensorV3, _) => {
                return Some(call);
            }
            _ => return None,
        }
    }
    None
}
