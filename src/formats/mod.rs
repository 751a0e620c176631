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

pub mod bombs;
mod bounded;
pub mod checkpoint;
pub mod config;
pub mod dtype;
pub mod json;
pub mod lock_file;
pub mod npy;
mod pickle;
mod quote;
mod safetensors;
pub mod sentencepiece;
pub mod shard_index;
mod stand_in;
pub mod tokenizer_json;
mod torch_legacy;
mod torch_object;
mod torch_zip;
mod unique_map;
