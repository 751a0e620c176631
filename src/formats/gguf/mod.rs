//! Reads the header of a GGUF file, the format of llama.cpp.
//!
//! A file consists of a fixed header (`GGUF`, the version, the numbers of tensors and of metadata entries), the metadata
//! (typed values with names), the descriptions of the tensors, and the aligned bytes of the tensors. Only values of a
//! fixed size are decoded when the header is read: of a text or an array, such as the list of pieces, the header keeps
//! the byte range. The format is described in <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>.

mod config;
mod cursor;
mod header;
pub mod model_file;
mod settings;
#[cfg(test)]
mod tests;
mod text_places;
mod value;
mod vocabulary;
mod vocabulary_settings;

pub use header::{Gguf, MAGIC, TensorEntry};
pub use value::{Array, Value};
pub use vocabulary::{GgufVocabulary, TokenKind};
pub use vocabulary_settings::{SpecialIds, VocabularySettings};
