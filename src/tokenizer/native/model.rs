//! The model of a tokenizer: finds the tokens of a word.

use super::bpe::merge::MergeScratch;
use super::bpe::model::Bpe;
use super::token::Token;
use super::unigram::{Lattice, Unigram};
use super::wordlevel::WordLevel;
use super::wordpiece::WordPiece;

/// A model, read from a compiled vocabulary.
#[derive(Debug, Clone, Copy)]
pub enum Model<'a> {
    Unigram(Unigram<'a>),
    Bpe(Bpe<'a>),
    WordPiece(WordPiece<'a>),
    WordLevel(WordLevel<'a>),
}

/// Memory that is reused from word to word.
#[derive(Debug, Default)]
pub struct ModelScratch {
    lattice: Lattice,
    merge: MergeScratch,
    failed: bool,
}

impl ModelScratch {
    /// Returns true if a word had no tokens because it, or a character of it, is unknown.
    pub fn has_failed(&self) -> bool {
        self.failed || self.lattice.failed
    }
}

impl Model<'_> {
    /// Appends the tokens of a normalized word.
    #[inline]
    pub fn search(&self, word: &str, scratch: &mut ModelScratch, tokens: &mut Vec<Token>) {
        let found = match self {
            Self::Unigram(model) => {
                model.search(word, &mut scratch.lattice, tokens);
                Some(())
            }
            Self::Bpe(model) => model.search(word, &mut scratch.merge, tokens),
            Self::WordPiece(model) => model.search(word, tokens),
            Self::WordLevel(model) => model.search(word, tokens),
        };
        scratch.failed |= found.is_none();
    }

    /// Appends the tokens of a word of the raw text, which a byte-level model spells in bytes. Appends nothing if the
    /// model is of another kind.
    #[inline]
    pub fn search_bytes(&self, word: &[u8], scratch: &mut ModelScratch, tokens: &mut Vec<Token>) {
        if let Self::Bpe(model) = self {
            model.search_bytes(word, &mut scratch.merge, tokens);
        }
    }
}
