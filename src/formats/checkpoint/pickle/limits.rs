//! Limits on the size of a pickle and on the memory and time that reading it takes.

/// Bytes of one pickle. A checkpoint with 200 tensors has a pickle of 28 kB.
pub const MAX_PICKLE: u64 = 64 << 20;
/// Opcodes of one pickle. This also bounds the number of values and the time. A tensor takes about 34 opcodes, so the
/// limit allows for 60,000 tensors in one file.
pub const MAX_OPCODES: usize = 1 << 21;
/// Lists, tuples, dictionaries and calls, which take up to 150 bytes each. A tensor needs about eight.
pub const MAX_CONTAINERS: usize = 1 << 20;
/// Values on the stack. Python's pickler puts at most 2000 there for one dictionary or list, and all items of a tuple.
pub const MAX_STACK: usize = 1 << 17;
/// Open marks, which are nested containers that are still being filled.
pub const MAX_MARKS: usize = 1000;
/// Memoized values. Python's pickler memoizes every string and container once.
pub const MAX_MEMO: usize = 1 << 20;
/// Different functions and classes that are not in the table of [`super::Global`].
pub const MAX_FOREIGN: usize = 1 << 16;
/// Entries in the arguments of all calls of `OrderedDict` together. One list can be passed to many calls, and every
/// call copies it.
pub const MAX_ARGUMENT_ENTRIES: usize = 1 << 20;
/// Bytes of a global's module, and of its name.
pub const MAX_GLOBAL_NAME: usize = 512;
