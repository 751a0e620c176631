//! The native engine: Unigram, byte-pair, WordPiece and WordLevel tokenization, exact and fast.
//!
//! It runs the steps of the reference in the same order: added tokens in the raw text, normalization, added tokens in
//! the normalized text, words, pieces. The steps of the Unigram families, of the known byte-pair encodings and of BERT
//! are implemented here; a tokenizer with other steps runs those of the `tokenizers` crate around the same search for
//! pieces. If no step looks across white space, a text is split there first, and words that have occurred before are
//! answered from a cache. A tokenizer with any unknown part is left to the crate entirely.
//!
//! From the bottom up: [`compiled`], `double_array` and `piece_index` hold the vocabulary, `unigram`, `bpe`, `wordpiece`
//! and `wordlevel` find the pieces of a word, `pipeline` tokenizes a range of text, `word_chunks`, `short_chunks`,
//! `scanned_words`, `sentencepiece_words` and `bert` tokenize a text part by part, and `engine` tokenizes whole texts and
//! pairs.

pub mod added_tokens;
mod aligned_text;
mod bert;
mod bpe;
mod charsmap;
mod chunk;
pub mod compiled;
pub mod double_array;
mod engine;
mod hf_steps;
mod huge_pages;
mod known_steps;
mod last_cut;
mod lazy_hf_steps;
mod model;
mod normalize;
mod normalized_steps;
mod normalized_words;
mod piece_index;
mod pipeline;
mod pipeline_config;
mod plain_chars;
mod raw_words;
mod run;
mod scan;
mod scanned_steps;
mod scanned_words;
mod scratch_pool;
mod segmenter;
mod sentencepiece;
mod sentencepiece_words;
mod short_chunks;
mod space_bytes;
mod space_scan;
mod step_list;
mod steps;
mod template;
mod token;
mod token_sink;
mod trailing_marks;
mod trim;
mod unigram;
mod word_cache;
mod word_chunks;
mod word_marks;
mod word_search;
mod word_table;
mod wordlevel;
mod wordpiece;

pub use bpe::alphabet;
pub use charsmap::Charsmap;
pub use engine::NativeEngine;
pub use pipeline_config::PipelineConfig;
pub use scan::is_known as is_known_pattern;
pub use scratch_pool::ScratchPool;
pub use template::Template;
pub use word_cache::{TokenStart, WordCache};
pub use word_marks::{MARK, WordMarks};
