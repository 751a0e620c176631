//! A compiled vocabulary: pieces, scores, and settings in the form that the engine searches, mapped and used in place.
//!
//! It is compiled from a SentencePiece file or a Unigram `tokenizer.json`, and depends on the bytes of that file alone.

mod contents;
mod layout;
mod queries;
mod reader;
mod writer;

pub use contents::Contents;
pub use layout::VERSION;
pub use reader::CompiledVocabulary;
