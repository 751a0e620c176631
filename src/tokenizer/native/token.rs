//! A token of a word, as a model finds it.

/// A token of a word: its id and its end, in bytes from the start of the word.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Token {
    pub id: u32,
    pub end: u32,
}
