//! The word-embedding matrix of a model, and computations on its rows.
//!
//! [`EmbeddingMatrix`] finds the matrix in a checkpoint (`open`, [`tensor_names`]) and reads rows by byte range, as
//! float32 ([`elements`], and `blocks` for quantized ones). Rows are compared ([`similarity`], [`metric`]), searched ([`nearest`](mod@nearest), [`query`]),
//! summarized ([`statistics`](mod@statistics)), and written to files ([`export`], [`projector`]).

mod adapter;
mod blocks;
mod choice;
mod computed_rows;
pub mod elements;
pub mod export;
mod inversion;
mod kernels;
#[cfg(test)]
mod large_file_tests;
pub mod matrix;
pub mod metric;
pub mod nearest;
mod open;
pub mod projector;
pub mod query;
mod remapped_rows;
mod scaled_rows;
pub mod similarity;
pub mod statistics;
pub mod tensor_names;
#[cfg(test)]
mod test_data;
mod word_vectors;

pub use matrix::EmbeddingMatrix;
