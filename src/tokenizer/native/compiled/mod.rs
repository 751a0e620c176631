//! A compiled vocabulary: pieces, scores, and settings in a form that the engine maps into memory and searches in
//! place.
//!
//! It is compiled from a SentencePiece file or a Unigram `tokenizer.json`, and depends only on the bytes of that file.

mod contents;
mod layout;
mod queries;
mod reader;
mod writer;

pub use contents::Contents;
pub use layout::VERSION;
pub use reader::CompiledVocabulary;
