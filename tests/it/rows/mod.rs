//! Rows of the embedding matrix: reading, comparing, searching, and exporting them.

mod commands;
mod containers;
mod export;
mod gguf;
mod inversions;
mod neighbors;
mod objects;
mod similarity;
mod static_matrices;
mod stats;
mod tensors;
mod word_vectors;
