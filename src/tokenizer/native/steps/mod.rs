//! The normalizers and pre-tokenizers of the Unigram families, with the ranges of the `tokenizers` crate.

mod own_steps;
mod parse;
mod plain_words;
mod spaces;
mod step;
mod transform;
mod words;

#[cfg(test)]
mod against_the_crate;

pub use own_steps::OwnSteps;
pub use parse::{normalizers, words_of};
pub use plain_words::PlainWord;
pub use step::Step;
pub use transform::StepScratch;
pub use words::Words;
