//! The values of a pickle, and the lists of containers that they index.

use std::collections::HashMap;

use super::error::{PickleError, too_many};
use super::global::Global;
use super::limits::MAX_FOREIGN;

/// A value of a pickle. Strings borrow from the bytes of the pickle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    None,
    Bool(bool),
    Int(i64),
    /// An integer of more than 64 bits, in little-endian two's complement.
    BigInt(&'a [u8]),
    Float(f64),
    Str(&'a str),
    Bytes(&'a [u8]),
    Tuple(SequenceId),
    /// A list or a set.
    List(SequenceId),
    /// A dictionary or an `OrderedDict`.
    Dict(DictId),
    Global(Global),
    /// Another function or class.
    Foreign(ForeignId),
    /// An object that another function or class would make.
    Object(ForeignId),
    /// The result of a call that was recorded but not made.
    Call(CallId),
    /// An object stored outside the pickle: the storage of a tensor.
    Persistent(PersistentId),
}

/// The index of a tuple, list, or set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SequenceId(pub(super) usize);
/// The index of a dictionary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DictId(pub(super) usize);
/// The index of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallId(pub(super) usize);
/// The index of a function or class that is not a [`Global`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForeignId(usize);
/// The index of a persistent id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PersistentId(pub(super) usize);

impl Value<'_> {
    /// Returns a noun phrase for error messages.
    pub fn kind(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Bool(_) => "a bool",
            Self::Int(_) | Self::BigInt(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Str(_) => "a string",
            Self::Bytes(_) => "bytes",
            Self::Tuple(_) => "a tuple",
            Self::List(_) => "a list",
            Self::Dict(_) => "a dictionary",
            Self::Global(_) | Self::Foreign(_) => "a function or class",
            Self::Call(_) | Self::Object(_) => "an object",
            Self::Persistent(_) => "a storage",
        }
    }
}

/// One unpickled object.
#[derive(Debug)]
pub struct Pickle<'a> {
    pub root: Value<'a>,
    /// Length of the pickle in bytes, including its STOP. The file may continue after it.
    pub length: usize,
    pub(super) containers: Containers<'a>,
}

/// The containers of a pickle, in the order of their creation.
#[derive(Debug, Default)]
pub(super) struct Containers<'a> {
    pub(super) sequences: Vec<Vec<Value<'a>>>,
    pub(super) dicts: Vec<Vec<(Value<'a>, Value<'a>)>>,
    /// The function of each call, and its tuple of arguments.
    pub(super) calls: Vec<(Global, SequenceId)>,
    pub(super) persistent_ids: Vec<SequenceId>,
    pub(super) foreign: ForeignNames<'a>,
}

/// The modules and names of functions and classes that are not [`Global`]s, each once.
#[derive(Debug, Default)]
pub(super) struct ForeignNames<'a> {
    names: Vec<(&'a str, &'a str)>,
    ids: HashMap<(&'a str, &'a str), ForeignId>,
}

impl<'a> ForeignNames<'a> {
    pub(super) fn add(&mut self, module: &'a str, name: &'a str) -> Result<ForeignId, PickleError> {
        if let Some(&id) = self.ids.get(&(module, name)) {
            return Ok(id);
        }
        if self.names.len() >= MAX_FOREIGN {
            return Err(too_many("functions and classes", MAX_FOREIGN));
        }
        let id = ForeignId(self.names.len());
        self.names.push((module, name));
        self.ids.insert((module, name), id);
        Ok(id)
    }
}

impl<'a> Containers<'a> {
    /// Returns the number of containers.
    pub(super) fn len(&self) -> usize {
        self.sequences.len() + self.dicts.len() + self.calls.len()
    }

    pub(super) fn sequence(&self, SequenceId(index): SequenceId) -> &[Value<'a>] {
        self.sequences.get(index).map_or(&[], Vec::as_slice)
    }

    pub(super) fn add_sequence(&mut self, items: Vec<Value<'a>>) -> SequenceId {
        self.sequences.push(items);
        SequenceId(self.sequences.len() - 1)
    }

    pub(super) fn add_dict(&mut self, entries: Vec<(Value<'a>, Value<'a>)>) -> DictId {
        self.dicts.push(entries);
        DictId(self.dicts.len() - 1)
    }

    pub(super) fn add_call(&mut self, global: Global, arguments: SequenceId) -> CallId {
        self.calls.push((global, arguments));
        CallId(self.calls.len() - 1)
    }

    pub(super) fn add_persistent_id(&mut self, id: SequenceId) -> PersistentId {
        self.persistent_ids.push(id);
        PersistentId(self.persistent_ids.len() - 1)
    }
}

impl<'a> Pickle<'a> {
    /// Returns the items of a tuple, list, or set; `None` for any other value.
    pub fn items(&self, value: Value<'a>) -> Option<&[Value<'a>]> {
        match value {
            Value::Tuple(id) | Value::List(id) => Some(self.containers.sequence(id)),
            _ => None,
        }
    }

    /// Returns the entries of a dictionary; `None` for any other value.
    pub fn entries(&self, value: Value<'a>) -> Option<&[(Value<'a>, Value<'a>)]> {
        match value {
            Value::Dict(DictId(index)) => self.containers.dicts.get(index).map(Vec::as_slice),
            _ => None,
        }
    }

    /// Returns the function and the arguments of a call; `None` for any other value.
    pub fn call(&self, value: Value<'a>) -> Option<(Global, &[Value<'a>])> {
        let Value::Call(CallId(index)) = value else {
            return None;
        };
        let &(global, arguments) = self.containers.calls.get(index)?;
        Some((global, self.containers.sequence(arguments)))
    }

    /// Returns the module and the name of an object's class, or of the function that would make it; also of a function
    /// or class itself. Returns `None` for any other value.
    pub fn foreign(&self, value: Value<'a>) -> Option<(&'a str, &'a str)> {
        match value {
            Value::Foreign(ForeignId(index)) | Value::Object(ForeignId(index)) => {
                self.containers.foreign.names.get(index).copied()
            }
            _ => None,
        }
    }

    /// Returns the tuple of every persistent id, in the order of [`PersistentId::index`].
    pub fn persistent_ids(&self) -> impl Iterator<Item = &[Value<'a>]> {
        self.containers
            .persistent_ids
            .iter()
            .map(|&id| self.containers.sequence(id))
    }
}

impl PersistentId {
    /// Returns its position in [`Pickle::persistent_ids`].
    pub fn index(self) -> usize {
        self.0
    }
}
