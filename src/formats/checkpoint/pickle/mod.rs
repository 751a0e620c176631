//! Pickle bytes → plain values. Nothing is ever imported or executed.
//!
//! A pickle is a program for a stack machine that may call any Python function. A checkpoint needs a small part of
//! it: containers, strings, numbers, and calls of the functions in [`Global`], which are recorded and not made. A
//! pickle that refers to anything else is refused with the name it refers to.
//!
//! Values are [`Copy`]: strings are borrowed from the pickle, containers are numbers into lists that [`Pickle`] owns.
//! So a value that is shared a million times costs a million words, not a million copies; nothing recurses, neither
//! here nor when a pickle is dropped; and a container that holds itself does no harm.
//!
//! Opcodes are those of protocols 2 to 5, as documented in Python's `pickletools`.

mod global;
mod machine;
mod opcode;
mod reader;
#[cfg(test)]
mod tests;

use thiserror::Error;

use crate::formats::quote::quote;
pub use global::Global;

/// Bytes of one pickle. The pickle of a checkpoint with 200 tensors has 28 kB.
pub const MAX_PICKLE: u64 = 64 << 20;
/// Opcodes of one pickle, which bound its values and the time. A
/// tensor takes about 34 opcodes, so this suffices for 60 000 tensors in one file.
pub const MAX_OPCODES: usize = 1 << 21;
/// Lists, tuples, dictionaries and calls, of up to 150 bytes each: a tensor takes about eight.
pub const MAX_CONTAINERS: usize = 1 << 20;
/// Values on the stack. Python's pickler puts at most 2000 there for one dictionary or list; tuples go there whole.
pub const MAX_STACK: usize = 1 << 17;
/// Open marks: containers that are being filled, one inside the other.
pub const MAX_MARKS: usize = 1000;
/// Memoised values. Python's pickler memoises every string and container once.
pub const MAX_MEMO: usize = 1 << 20;
/// Bytes of one string. They are borrowed and cost nothing here; no name or note of a checkpoint is longer.
pub const MAX_STRING: u64 = 16 << 20;
/// Entries that all calls of `OrderedDict` are given as arguments. One list can be given to many calls, and every
/// call copies it.
pub const MAX_ARGUMENT_ENTRIES: usize = 1 << 20;
/// Bytes of each half of a global's name: module, name.
pub const MAX_GLOBAL_NAME: usize = 512;

/// Why bytes are not a pickle that this program reads. Each is the end of the sentence "FILE is damaged: …".
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PickleError {
    /// More bytes are needed: the one error that a longer part of the same file may cure.
    #[error("its pickle breaks off after {length} bytes")]
    Truncated { length: usize },
    #[error("its pickle refers to {}, which is not allowed", quote(.name))]
    GlobalNotAllowed { name: String },
    #[error("its pickle has {byte:#04x} at byte {at}, which is not an opcode of a checkpoint")]
    UnknownOpcode { byte: u8, at: usize },
    #[error("its pickle is of protocol {protocol}, and those from 2 to 5 are known")]
    UnknownProtocol { protocol: u8 },
    #[error("its pickle has more than {limit} {what}")]
    TooMany { what: &'static str, limit: u64 },
    #[error("its pickle has at byte {at} a string that is not UTF-8")]
    NotUtf8 { at: usize },
    #[error("its pickle takes a value from the empty stack at byte {at}")]
    EmptyStack { at: usize },
    #[error("its pickle has no mark for the opcode at byte {at}")]
    NoMark { at: usize },
    #[error("its pickle asks at byte {at} for value {index} of the memo, which is not there")]
    NoMemo { index: u32, at: usize },
    #[error("its pickle has at byte {at} {found} where {wanted} is wanted")]
    WrongKind {
        found: &'static str,
        wanted: &'static str,
        at: usize,
    },
}

/// A value of a pickle. The strings borrow from its bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    None,
    Bool(bool),
    Int(i64),
    /// An integer of more than 64 bits, two's complement, little-endian.
    BigInt(&'a [u8]),
    Float(f64),
    Str(&'a str),
    Bytes(&'a [u8]),
    Tuple(SequenceId),
    /// A list, and likewise a set.
    List(SequenceId),
    /// A dictionary, and likewise an `OrderedDict`.
    Dict(DictId),
    Global(Global),
    /// What a call would return.
    Call(CallId),
    /// What the writer of the pickle keeps elsewhere: the storage of a tensor.
    Persistent(PersistentId),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SequenceId(usize);
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DictId(usize);
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallId(usize);
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PersistentId(usize);

impl Value<'_> {
    /// What it is, for an error sentence.
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
            Self::Global(_) => "a function or class",
            Self::Call(_) => "an object",
            Self::Persistent(_) => "a storage",
        }
    }
}

/// One unpickled object.
#[derive(Debug)]
pub struct Pickle<'a> {
    pub root: Value<'a>,
    /// Bytes of the pickle, its STOP included; a file may go on after it.
    pub length: usize,
    values: Values<'a>,
}

/// The containers of a pickle, in the order of their creation.
#[derive(Debug, Default)]
struct Values<'a> {
    sequences: Vec<Vec<Value<'a>>>,
    dicts: Vec<Vec<(Value<'a>, Value<'a>)>>,
    /// Each function with its tuple of arguments.
    calls: Vec<(Global, SequenceId)>,
    persistent_ids: Vec<SequenceId>,
}

impl<'a> Values<'a> {
    fn containers(&self) -> usize {
        self.sequences.len() + self.dicts.len() + self.calls.len()
    }

    fn sequence(&self, SequenceId(index): SequenceId) -> &[Value<'a>] {
        self.sequences.get(index).map_or(&[], Vec::as_slice)
    }

    fn add_sequence(&mut self, items: Vec<Value<'a>>) -> SequenceId {
        self.sequences.push(items);
        SequenceId(self.sequences.len() - 1)
    }

    fn add_dict(&mut self, entries: Vec<(Value<'a>, Value<'a>)>) -> DictId {
        self.dicts.push(entries);
        DictId(self.dicts.len() - 1)
    }

    fn add_call(&mut self, global: Global, arguments: SequenceId) -> CallId {
        self.calls.push((global, arguments));
        CallId(self.calls.len() - 1)
    }

    fn add_persistent_id(&mut self, id: SequenceId) -> PersistentId {
        self.persistent_ids.push(id);
        PersistentId(self.persistent_ids.len() - 1)
    }
}

impl<'a> Pickle<'a> {
    /// Reads the pickle that `bytes` begin with.
    pub fn read(bytes: &'a [u8]) -> Result<Self, PickleError> {
        machine::Machine::new(bytes).run()
    }

    /// The items of a tuple, list or set.
    pub fn items(&self, value: Value<'a>) -> Option<&[Value<'a>]> {
        match value {
            Value::Tuple(id) | Value::List(id) => Some(self.values.sequence(id)),
            _ => None,
        }
    }

    /// The entries of a dictionary.
    pub fn entries(&self, value: Value<'a>) -> Option<&[(Value<'a>, Value<'a>)]> {
        match value {
            Value::Dict(DictId(index)) => self.values.dicts.get(index).map(Vec::as_slice),
            _ => None,
        }
    }

    /// The function and the arguments of a call.
    pub fn call(&self, value: Value<'a>) -> Option<(Global, &[Value<'a>])> {
        let Value::Call(CallId(index)) = value else {
            return None;
        };
        let &(global, arguments) = self.values.calls.get(index)?;
        Some((global, self.values.sequence(arguments)))
    }

    /// The tuple of every persistent id; a [`PersistentId`] is the position in this order.
    pub fn persistent_ids(&self) -> impl Iterator<Item = &[Value<'a>]> {
        self.values
            .persistent_ids
            .iter()
            .map(|&id| self.values.sequence(id))
    }
}

impl PersistentId {
    /// Its position in [`Pickle::persistent_ids`].
    pub fn index(self) -> usize {
        self.0
    }
}

fn too_many(what: &'static str, limit: usize) -> PickleError {
    PickleError::TooMany {
        what,
        limit: limit as u64,
    }
}
