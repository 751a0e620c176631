//! IDS → ROWS.
//!
//! Which tensor of a checkpoint is the word-embedding matrix ([`tensor_names`]), where its rows are
//! ([`EmbeddingMatrix`]), how their bytes read as numbers ([`elements`]), how rows compare ([`similarity`]) and which
//! rows are nearest to others ([`mod@nearest`]), and what the matrix holds as a whole ([`mod@statistics`]).

pub mod elements;
pub mod export;
mod kernels;
mod matrix;
pub mod nearest;
pub mod projector;
pub mod query;
pub mod similarity;
pub mod statistics;
pub mod tensor_names;
#[cfg(test)]
mod test_data;

pub use matrix::EmbeddingMatrix;
