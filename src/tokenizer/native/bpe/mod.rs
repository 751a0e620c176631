//! Byte-pair encoding: a word is spelled in characters or bytes, and pairs of its tokens are merged by rank.

pub mod alphabet;
mod byte_ids;
mod joins;
mod merge;
mod merges;
mod model;

pub use byte_ids::{BYTE_IDS, byte_ids};
pub use joins::{Joins, build as build_joins};
pub use merge::MergeScratch;
pub use merges::{MergeSlot, build as build_merges};
pub use model::{Bpe, BpeSettings};
