//! `--sort` of `vocab`: the order of pieces.

use std::cmp::Reverse;

use clap::ValueEnum;

use crate::error::{Error, Result};
use crate::tokenizer::{Vocabulary, VocabularyEntry};

/// An order of pieces. Equal ones are in order of id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Sort {
    Id,
    /// By code point
    Piece,
    /// Longest first, in characters
    Length,
    /// Highest first; only a Unigram vocabulary has scores
    Score,
}

impl Sort {
    /// Sorts entries.
    ///
    /// # Errors
    /// Fails with [`Error::Usage`] if the order is by score and no entry of the vocabulary has one.
    pub fn sort(self, entries: &mut [&VocabularyEntry], vocabulary: &Vocabulary) -> Result<()> {
        entries.sort_by_key(|entry| entry.id);
        match self {
            Self::Id => {}
            Self::Piece => entries.sort_by(|a, b| a.piece.cmp(&b.piece)),
            Self::Length => {
                entries.sort_by_cached_key(|entry| Reverse(entry.piece.chars().count()))
            }
            Self::Score => {
                if vocabulary
                    .entries()
                    .iter()
                    .all(|entry| entry.score.is_none())
                {
                    return Err(Error::usage_hint(
                        "the pieces of this vocabulary have no scores to sort by",
                        "use `--sort id`, `piece` or `length`",
                    ));
                }
                let score = |entry: &VocabularyEntry| entry.score.unwrap_or(f64::NEG_INFINITY);
                entries.sort_by(|a, b| score(b).total_cmp(&score(a)));
            }
        }
        Ok(())
    }
}
