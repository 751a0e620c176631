//! The token of a word under a WordLevel model: the word itself or the unknown token.

use super::compiled::CompiledVocabulary;
use super::token::Token;

/// A WordLevel model, read from a compiled vocabulary.
#[derive(Debug, Clone, Copy)]
pub struct WordLevel<'a> {
    words: &'a CompiledVocabulary,
    unknown_id: u32,
}

impl<'a> WordLevel<'a> {
    pub fn new(words: &'a CompiledVocabulary, unknown_id: u32) -> Self {
        Self { words, unknown_id }
    }

    /// Appends the token of a word.
    pub fn search(&self, word: &str, tokens: &mut Vec<Token>) {
        tokens.push(Token {
            id: self.words.find(word).unwrap_or(self.unknown_id),
            end: word.len() as u32,
        });
    }
}
