//! Tokenization: the engines against each other and against the reference, chunks, and other tools' formats.

mod added_ids;
mod added_tokens;
mod bert;
mod bpe;
mod chunk;
mod classes;
mod cuts;
mod engines;
mod families;
mod gguf;
mod golden;
mod missing_bytes;
mod offsets;
mod other_tools;
mod plain_tokens;
pub mod properties;
mod ranks;
mod readings;
mod regular_expressions;
mod scanned;
mod sentencepiece;
mod slow_files;
mod translation;
mod unicode;
mod unigram;
mod unknown_tokens;
mod verify;
