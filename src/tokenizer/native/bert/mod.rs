//! The steps of BERT as code: normalization and words, for texts of any script.
//!
//! From the bottom up: `steps` knows the form of each character, `chars` remembers it, `word_bits` finds ASCII words,
//! `scan` finds all words, and `run` tokenizes them.

mod chars;
mod run;
mod scan;
mod scratch;
mod steps;
#[cfg(test)]
mod tests;
mod word_bits;

pub use scratch::BertScratch;
pub use steps::BertSteps;
