//! SentencePiece files, run as SentencePiece itself runs them, for tokenizers that no `tokenizer.json` describes.
//!
//! The steps and their results are those of SentencePiece 0.2: normalization, segmentation, byte fallback, and unknown
//! characters in a row as one token. Rules differ from those of the `tokenizers` crate, which finds replacements by
//! graphemes, splits words first, and orders merges by pairs of pieces.

mod bpe;
mod decoding;
mod model;
mod normalizer;
mod sink;
mod splitter;
mod unigram;
mod unigram_scores;
mod vocabulary;

pub use decoding::Decoded;
pub use model::SentencePiece;
pub use sink::{Count, Finder, Ids, Sink};
