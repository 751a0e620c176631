//! Reads pickles into plain values. Nothing is ever imported or executed.
//!
//! A pickle is a program for a stack machine that may call any Python function. Tensors need only containers, strings,
//! numbers, and calls of the functions in [`Global`], which are recorded but never made. Any other function or class is
//! a name without a meaning, and a call of it makes a placeholder that knows only that name. A pickle that refers to a
//! function of [`forbidden`] is refused.
//!
//! Values are [`Copy`]: strings borrow from the pickle, and containers are indices into lists that [`Pickle`] owns.
//! Sharing a value a million times therefore costs a million words rather than a million copies, reading and dropping a
//! pickle never recurses, and a container that contains itself is harmless.
//!
//! Opcodes are those of protocols 2 to 5, as documented in Python's `pickletools`.

mod error;
mod forbidden;
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
