//! The token of a word under a WordLevel model: the word itself or the unknown token.

use super::compiled::CompiledVocabulary;
use super::token::Token;

/// A WordLevel model, read from a compiled vocabulary.
#[derive(Debug, Clone, Copy)]
pub struct WordLevel<'a> {
    words: &'a CompiledVocabulary,
    /// `None` if the vocabulary lacks the unknown token.
    unknown_id: Option<u32>,
}

impl<'a> WordLevel<'a> {
    pub fn new(words: &'a CompiledVocabulary, unknown_id: Option<u32>) -> Self {
        Self { words, unknown_id }
    }

    /// Appends the token of a word. Returns `None` if the word is unknown and the vocabulary lacks the unknown token.
    pub fn search(&self, word: &str, tokens: &mut Vec<Token>) -> Option<()> {
        tokens.push(Token {
            id: self.words.find(word).or(self.unknown_id)?,
            end: word.len() as u32,
        });
        Some(())
    }
}
