//! Reasons why a pickle cannot be read.

use thiserror::Error;

use crate::formats::quote::quote;

/// The reason why a pickle cannot be read. Each message completes the sentence "FILE is damaged: …".
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PickleError {
    /// The only error that may go away when more bytes of the file are read.
    #[error("its pickle ends early, after {length} bytes")]
    Truncated { length: usize },
    #[error("its pickle refers to {}, which is not allowed", quote(.name))]
    GlobalNotAllowed { name: String },
    #[error("its pickle has {byte:#04x} at byte {at}, which is not an opcode of a checkpoint")]
    UnknownOpcode { byte: u8, at: usize },
    #[error("its pickle has protocol {protocol}, but only protocols 2 to 5 are supported")]
    UnknownProtocol { protocol: u8 },
    #[error("its pickle has more than {limit} {what}")]
    TooMany { what: &'static str, limit: u64 },
    #[error("its pickle has a string at byte {at} that is not UTF-8")]
    NotUtf8 { at: usize },
    #[error("its pickle pops a value from an empty stack at byte {at}")]
    EmptyStack { at: usize },
    #[error("its pickle has no mark for the opcode at byte {at}")]
    NoMark { at: usize },
    #[error("its pickle refers at byte {at} to value {index} of the memo, which does not exist")]
    NoMemo { index: u32, at: usize },
    #[error("its pickle has {found} at byte {at}, expected {expected}")]
    WrongKind {
        found: &'static str,
        expected: &'static str,
        at: usize,
    },
}

/// Returns the error for a pickle with more than `limit` of something.
pub fn too_many(what: &'static str, limit: usize) -> PickleError {
    PickleError::TooMany {
        what,
        limit: limit as u64,
    }
}
