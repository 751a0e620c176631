//! IDS → ROWS.
//!
//! Which tensor of a checkpoint is the word-embedding matrix ([`tensor_names`]), where its rows are
//! ([`EmbeddingMatrix`]), how their bytes read as numbers ([`elements`]) and how rows compare ([`similarity`]).

pub mod elements;
pub mod export;
mod matrix;
pub mod similarity;
pub mod tensor_names;

pub use matrix::EmbeddingMatrix;
