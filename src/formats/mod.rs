//! Readers for the files of a model. All input is untrusted.
//!
//! Configuration and tokenizer files become serde structs. A checkpoint in any container becomes a list of tensors, and
//! locating one gives its [`checkpoint::TensorInfo`]. Nothing here uses the network, prints, or panics: every length is
//! checked before it is used, and a file that contradicts itself is an [`Error::Damaged`] that names it.
//!
//! [`Error::Damaged`]: crate::error::Error::Damaged

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]

mod added_tokens_decoder;
pub mod algorithm;
pub mod checkpoint;
pub mod class_settings;
pub mod config;
pub mod context_window;
mod expansion_limits;
pub mod gguf;
pub mod json;
pub mod lock_file;
pub mod merge_list;
pub mod model_config;
pub mod model_settings;
pub mod npy;
pub mod piece_list;
pub mod placeholder_file;
mod protobuf;
pub(crate) mod quote;
pub mod ranked_tokens;
pub mod rwkv;
pub mod sentencepiece;
pub mod sentencepiece_spec;
pub mod setting;
mod short_tokens;
pub mod special_tokens;
pub mod tekken;
pub mod text_file;
pub mod tokenizer_json;
pub mod vectors;
