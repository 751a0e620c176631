//! The native engine: Unigram tokenization, exact and fast.
//!
//! It does the steps of the reference in the same order: added tokens in the raw text, normalization, added tokens in
//! the normalized text, words, pieces. The steps of DeBERTa are its own; those of other families are the `tokenizers`
//! crate's, around the same search for pieces. If no step looks across white space, a text is split there first, and
//! the tokens of words that came before are taken from a cache. A tokenizer with an unknown part is left to the crate
//! as a whole.
//!
//! From the bottom up: [`compiled`] and `double_array` hold the vocabulary, `unigram` finds the pieces of a word,
//! `pipeline` the tokens of a range of text, `word_chunks` and `short_chunks` those of a text chunk by chunk, `engine`
//! those of whole texts and pairs.

mod added_tokens;
mod aligned_text;
mod charsmap;
mod chunk;
pub mod compiled;
mod double_array;
mod engine;
mod hf_steps;
mod huge_pages;
mod known_steps;
mod last_cut;
mod normalize;
mod pipeline;
mod run;
mod scratch_pool;
mod segmenter;
mod short_chunks;
mod space_bytes;
mod space_scan;
mod template;
mod token_sink;
mod trailing_marks;
mod unigram;
mod word_cache;
mod word_chunks;
mod word_search;
mod word_table;

pub use engine::NativeEngine;
pub use pipeline::PipelineConfig;
pub use template::Template;
