//! UNTRUSTED BYTES → STRUCTURE.
//!
//! Readers of the files a model is made of: configuration and tokenizer files as serde structs, checkpoints of any
//! container as a list of tensors, each of which reduces to a [`checkpoint::TensorInfo`]. No network, no printing, no
//! panic: every length is checked before it is used, and a file that lies is an [`crate::error::Error::Damaged`] that
//! names it.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]

pub mod checkpoint;
pub mod config;
mod expansion_limits;
pub mod json;
pub mod lock_file;
pub mod npy;
mod placeholder_file;
mod quote;
pub mod sentencepiece;
pub mod tokenizer_json;
