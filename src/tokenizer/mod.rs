//! Tokenizes texts exactly as transformers 4.48.3 does, and decodes ids.
//!
//! [`Tokenizer`] is opened from the files of a model. It encodes texts and pairs, decodes ids, and looks up pieces.
//! There are two engines: the [native one](native) for the tokenizers that it reproduces exactly, and the `tokenizers`
//! crate for all others.

mod added_vocabulary;
mod assumed;
mod char_offsets;
mod class;
mod compile;
mod compiled_cache;
mod conversion;
mod deberta;
mod decoding;
mod definition;
mod encoding;
mod engines;
mod exact_json;
mod facts;
mod gguf_pieces;
mod hf_engine;
mod hf_file;
mod hf_guard;
mod infilling;
mod input_names;
mod json_file;
mod model_pieces;
pub mod native;
mod no_tokenizer;
mod open;
mod open_gguf;
mod open_rebuilt;
mod options;
mod parsed_json;
mod partial_answers;
mod piece_table;
mod pinned_unicode;
mod ranked_file;
mod readings;
mod rebuild;
mod runner;
mod sentencepiece;
mod sentencepiece_file;
mod special_tokens;
mod to_json;
mod to_tiktoken;
mod token_bytes;
#[allow(
    clippy::module_inception,
    reason = "the type that the module is named after"
)]
mod tokenizer;
mod translation;
mod translation_files;
mod translation_pieces;
mod vocabulary;
mod windows;

pub use assumed::sentencepiece_names;
pub use encoding::{Encoded, Encoding, OffsetUnit, covered};
pub use gguf_pieces::GgufPieces;
pub use hf_engine::{TOKENIZERS_VERSION, TRANSFORMERS_VERSION};
pub use hf_guard::is_guarded;
pub use options::{EncodeOptions, EngineChoice, Side, Truncation};
pub use readings::{Cause, Compared, Divergence, ReadingPair, differences};
pub use rebuild::{TOKENIZERS_5_VERSION, TRANSFORMERS_5_VERSION};
pub use to_json::Fidelity;
pub use to_tiktoken::TiktokenFile;
pub use tokenizer::Tokenizer;
pub use vocabulary::{EntryKind, Vocabulary, VocabularyEntry};
