//! A compiled vocabulary: pieces, scores, and settings in a form that the engine maps into memory and searches in
//! place.
//!
//! It is compiled from the files of a vocabulary, and depends only on their bytes and on the settings by which they are
//! converted.

mod contents;
mod layout;
mod queries;
mod reader;
mod writer;

pub use super::piece_index::build as index_pieces;
pub use contents::{Contents, UnscoredModel};
pub use layout::VERSION;
pub use queries::KindTable;
pub use reader::CompiledVocabulary;
