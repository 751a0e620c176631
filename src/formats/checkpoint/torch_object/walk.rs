//! Finds the tensors in the nested dictionaries of a torch checkpoint.

use std::collections::HashSet;
use std::ops::Range;

use super::foreign;
use super::storage::{Storage, StorageView, as_count};
use crate::error::{Error, Result};
use crate::formats::checkpoint::dtype::Dtype;
use crate::formats::checkpoint::pickle::{Global, Pickle, Value};
use crate::formats::checkpoint::tensor::{MAX_DIMENSIONS, SkippedTensor, element_span};
use crate::formats::quote::quote;

/// Keys under which training scripts store a state dict. The first one present is left out of the names.
pub const WRAPPERS: &[&str] = &["state_dict", "model_state_dict", "model", "module"];

/// Levels of nested dictionaries. Optimizer states, the deepest in practice, have 4.
const MAX_NESTING: usize = 32;
/// Entries visited. If a dictionary is reached twice, its entries count twice.
const MAX_ENTRIES: usize = 1 << 20;
/// Tensors of one file. `MAX_OPCODES` of the pickle allows about as many.
const MAX_TENSORS: usize = 1 << 16;
/// Bytes of a tensor's name, including all keys.
const MAX_NAME: usize = 1024;
/// Levels of nested `_rebuild_parameter` calls. torch writes one.
const MAX_PARAMETER_DEPTH: usize = 4;

/// Classes whose tensors have plain elements.
const PLAIN_CLASSES: &[(&str, &str)] = &[
    ("torch", "Tensor"),
    ("torch._tensor", "Tensor"),
    ("torch.nn.parameter", "Buffer"),
];

/// A tensor as a view of a storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTensor {
    pub name: String,
    pub dtype: Dtype,
    pub shape: Vec<u64>,
    /// Elements from one index to the next, along each dimension.
    pub strides: Vec<u64>,
    /// Index into the storages.
    pub storage: usize,
    /// From the start of the first element to the end of the last one, in bytes of the storage. Lies within the
    /// storage.
    pub span: Range<u64>,
}

/// The content of nested dictionaries.
#[derive(Debug, Default)]
pub struct Found {
    pub tensors: Vec<StoredTensor>,
    /// Tensors that cannot be read, and objects.
    pub skipped: Vec<SkippedTensor>,
    /// The number of objects in `skipped`.
    pub objects: usize,
}

/// Returns the tensors in the nested dictionaries of a pickle, and the tensors and objects that had to be skipped.
///
/// # Errors
/// Fails with [`Error::Damaged`], which names `file`, if a tensor contradicts itself or a limit is exceeded.
pub fn find_tensors<'a>(
    file: &str,
    pickle: &Pickle<'a>,
    storages: &[Storage<'a>],
    views: &[StorageView],
) -> Result<Found> {
    let mut walk = Walk {
        file,
        pickle,
        storages,
        views,
        entries: 0,
        names: HashSet::new(),
        found: Found::default(),
    };
    walk.dictionary("", pickle.root, 0)?;
    Ok(walk.found)
}

/// A walk through nested dictionaries.
struct Walk<'p, 'a> {
    file: &'p str,
    pickle: &'p Pickle<'a>,
    storages: &'p [Storage<'a>],
    /// By index of the persistent id.
    views: &'p [StorageView],
    /// Number of entries visited.
    entries: usize,
    /// Names of all tensors found.
    names: HashSet<String>,
    found: Found,
}

impl<'a> Walk<'_, 'a> {
    fn dictionary(&mut self, prefix: &str, dict: Value<'a>, depth: usize) -> Result<()> {
        if depth > MAX_NESTING {
            return Err(self.too_many("levels of nested dictionaries", MAX_NESTING));
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
            if !is_dict && !matches!(value, Value::Call(_) | Value::Object(_)) {
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

    /// Adds the tensor that a call makes. Other objects are skipped.
    fn object(&mut self, name: String, value: Value<'a>) -> Result<()> {
        let (function, arguments) = match tensor_call(self.pickle, value) {
            Ok(call) => call,
            Err(other) => {
                if let Some(reason) = foreign::reason(self.pickle, other)
                    && self.found.objects < MAX_TENSORS
                {
                    self.found.objects += 1;
                    self.found.skipped.push(SkippedTensor { name, reason });
                }
                return Ok(());
            }
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
        let tensor = self.tensor(&name, function, arguments).map_err(|problem| {
            Error::damaged(self.file, format!("tensor {} {problem}", quote(&name)))
        })?;
        match tensor {
            Tensor::Stored(tensor) => self.found.tensors.push(tensor),
            Tensor::Unreadable { reason } => {
                self.found.skipped.push(SkippedTensor { name, reason });
            }
        }
        Ok(())
    }

    /// Returns the tensor that `function` would make from its arguments.
    ///
    /// # Errors
    /// Fails with the end of the sentence "tensor NAME …" if the tensor contradicts itself.
    fn tensor(
        &self,
        name: &str,
        function: Global,
        arguments: &[Value<'a>],
    ) -> Result<Tensor, String> {
        if let Some(&storage @ Value::Object(_)) = arguments.first()
            && let Some(class) = foreign::class(self.pickle, storage)
        {
            let reason = format!("has its elements in an object of {class}, not in a storage");
            return Ok(Tensor::Unreadable { reason });
        }
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
        let storage = self.storages.get(view.storage).ok_or("has no storage")?;
        if let Some(class) = storage.quantized {
            let reason = format!("is quantized (`torch.{class}`), which is not supported");
            return Ok(Tensor::Unreadable { reason });
        }
        let (dtype, metadata) = match dtype_and_metadata(function, options, storage) {
            Ok(found) => found,
            Err(reason) => return Ok(Tensor::Unreadable { reason }),
        };
        let dtype = dtype.ok_or("has no dtype")?;
        if let Some(flag) = metadata.and_then(|metadata| self.flag(metadata)) {
            return Ok(Tensor::Unreadable {
                reason: format!("has the flag {}, which is not supported", quote(flag)),
            });
        }
        let offset = as_count(offset).ok_or("has an offset that is not a number of elements")?;
        let shape = self.dimensions(size).ok_or_else(|| {
            format!("has a size that is not a list of up to {MAX_DIMENSIONS} numbers")
        })?;
        let strides = self.dimensions(stride).ok_or_else(|| {
            format!("has strides that are not a list of up to {MAX_DIMENSIONS} numbers")
        })?;

        // The view of an untyped storage is in bytes; a tensor's offset is in elements of the tensor.
        let start = view.start.checked_mul(storage.element_size);
        let end = view.end.checked_mul(storage.element_size);
        let (start, end) = start
            .zip(end)
            .ok_or("has a storage that is too large for 64-bit sizes")?;
        let span = element_span(dtype, &shape, &strides, offset, end.saturating_sub(start))?;
        Ok(Tensor::Stored(StoredTensor {
            name: name.to_owned(),
            dtype,
            shape,
            strides,
            storage: view.storage,
            span: start + span.start..start + span.end,
        }))
    }

    /// Returns the numbers of a tuple, list, or `torch.Size`; `None` for any other value, and for more than
    /// [`MAX_DIMENSIONS`] numbers.
    fn dimensions(&self, value: Value<'a>) -> Option<Vec<u64>> {
        let value = match self.pickle.call(value) {
            Some((Global::Size, &[numbers])) => numbers,
            _ => value,
        };
        let numbers = self.pickle.items(value)?;
        if numbers.len() > MAX_DIMENSIONS {
            return None;
        }
        numbers.iter().copied().map(as_count).collect()
    }

    /// Returns a flag that is set in a tensor's metadata. `conj` and `neg` change the meaning of its elements.
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

/// The tensor that a call describes.
enum Tensor {
    Stored(StoredTensor),
    /// A tensor that this program cannot read; `reason` completes the sentence "tensor NAME …".
    Unreadable {
        reason: String,
    },
}

/// Returns the dtype of a tensor, if there is one, and its metadata. `options` are the arguments after the strides:
/// requires_grad, backward_hooks, the dtype (only if the storage has none), and the metadata.
///
/// # Errors
/// Fails with the end of the sentence "tensor NAME …" if torch has the dtype but [`Dtype`] does not.
fn dtype_and_metadata<'a>(
    function: Global,
    options: &[Value<'a>],
    storage: &Storage<'a>,
) -> Result<(Option<Dtype>, Option<Value<'a>>), String> {
    match (function, options) {
        (Global::RebuildTensorV3, &[_, _, Value::Global(Global::Dtype(dtype)), ref rest @ ..]) => {
            Ok((Some(dtype), rest.first().copied()))
        }
        (Global::RebuildTensorV3, &[_, _, Value::Global(Global::OtherDtype(other)), ..]) => {
            Err(format!("is of the type `torch.{other}`"))
        }
        (Global::RebuildTensorV3, _) => Ok((None, None)),
        _ => Ok((storage.dtype, options.get(2).copied())),
    }
}

/// Returns the first key of [`WRAPPERS`] under which `entries` hold a dictionary.
fn wrapper(entries: &[(Value<'_>, Value<'_>)]) -> Option<&'static str> {
    WRAPPERS.iter().copied().find(|&wrapper| {
        entries
            .iter()
            .any(|&(key, value)| key == Value::Str(wrapper) && matches!(value, Value::Dict(_)))
    })
}

/// Returns the call that makes a tensor, without a `_rebuild_parameter` or `_rebuild_from_type_v2` around it.
///
/// # Errors
/// Fails with the value that is not such a call.
fn tensor_call<'p, 'a>(
    pickle: &'p Pickle<'a>,
    mut value: Value<'a>,
) -> Result<(Global, &'p [Value<'a>]), Value<'a>> {
    for _ in 0..MAX_PARAMETER_DEPTH {
        let call = pickle.call(value).ok_or(value)?;
        match call {
            (Global::RebuildParameter, &[tensor, ..]) => value = tensor,
            (Global::RebuildTensor | Global::RebuildTensorV2 | Global::RebuildTensorV3, _) => {
                return Ok(call);
            }
            // A tensor with attributes.
            (
                Global::RebuildFromType,
                &[
                    Value::Global(function),
                    class,
                    arguments @ Value::Tuple(_),
                    ..,
                ],
            ) => {
                let is_plain = match pickle.foreign(class) {
                    Some(class) => PLAIN_CLASSES.contains(&class),
                    None => class == Value::Global(Global::RebuildParameter),
                };
                let arguments = pickle.items(arguments).unwrap_or_default();
                return if is_plain {
                    Ok((function, arguments))
                } else {
                    Err(class)
                };
            }
            _ => return Err(value),
        }
    }
    Err(value)
}
