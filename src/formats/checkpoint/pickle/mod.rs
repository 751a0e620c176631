//! Reads pickles into plain values. Nothing is ever imported or executed.
//!
//! A pickle is a program for a stack machine that may call any Python function. A checkpoint needs only containers,
//! strings, numbers, and calls of the functions in [`Global`], which are recorded but never made. A pickle that refers
//! to anything else is refused, and the error names the reference.
//!
//! Values are [`Copy`]: strings borrow from the pickle, and containers are indices into lists that [`Pickle`] owns.
//! Sharing a value a million times therefore costs a million words rather than a million copies, reading and dropping a
//! pickle never recurses, and a container that contains itself is harmless.
//!
//! Opcodes are those of protocols 2 to 5, as documented in Python's `pickletools`.

mod error;
mod global;
mod limits;
mod machine;
mod opcode;
mod reader;
mod stack;
#[cfg(test)]
mod tests;
mod value;

pub use error::PickleError;
pub use global::Global;
pub use limits::MAX_PICKLE;
pub use value::{Pickle, Value};
