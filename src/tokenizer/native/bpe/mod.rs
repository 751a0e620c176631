//! Byte-pair encoding: a word is spelled in characters or bytes, and pairs of its tokens are merged by rank.

pub mod alphabet;
pub mod byte_ids;
pub mod joins;
pub mod long_word;
pub mod merge;
pub mod merges;
pub mod model;
pub mod pair_queue;
