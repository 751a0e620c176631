//! Receivers of tokens, which produce a count, a list of ids, or the tokens with their places.

use super::normalizer::Normalized;
use crate::tokenizer::native::MARK;

/// Receives the tokens of a text, in order.
pub trait Sink {
    /// True if the sink uses the pieces and places of tokens.
    const NEEDS_PLACES: bool = false;

    /// Receives a token with its half-open range of bytes in the original text. The text of an unknown token is the
    /// normalized text at its place.
    fn token(&mut self, id: u32, piece: &str, offsets: (usize, usize));

    /// Extends the last token, which is unknown, by more unknown text.
    fn extend(&mut self, _piece: &str, _end: usize) {}
}

/// Counts tokens.
#[derive(Default)]
pub struct Count(pub usize);

impl Sink for Count {
    #[inline]
    fn token(&mut self, _: u32, _: &str, _: (usize, usize)) {
        self.0 += 1;
    }
}

/// Collects the ids of tokens.
#[derive(Default)]
pub struct Ids(pub Vec<u32>);

impl Sink for Ids {
    #[inline]
    fn token(&mut self, id: u32, _: &str, _: (usize, usize)) {
        self.0.push(id);
    }
}

/// Collects the tokens with certain ids, and their ranges.
pub struct Finder<'a> {
    ids: &'a [u32],
    pub found: Vec<(u32, (usize, usize))>,
    /// True if the last token was found.
    is_last: bool,
}

impl<'a> Finder<'a> {
    /// Creates a finder of these ids.
    pub fn new(ids: &'a [u32]) -> Self {
        Self {
            ids,
            found: Vec::new(),
            is_last: false,
        }
    }
}

impl Sink for Finder<'_> {
    const NEEDS_PLACES: bool = true;

    fn token(&mut self, id: u32, _: &str, offsets: (usize, usize)) {
        self.is_last = self.ids.contains(&id);
        if self.is_last {
            self.found.push((id, offsets));
        }
    }

    fn extend(&mut self, _: &str, end: usize) {
        if let Some((_, offsets)) = self.found.last_mut().filter(|_| self.is_last) {
            offsets.1 = end;
        }
    }
}

/// A token of a text. The text of an unknown token is the normalized text at its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub id: u32,
    pub piece: String,
    /// The half-open range of bytes in the original text.
    pub offsets: (usize, usize),
    /// True if the piece begins with the mark of a word.
    pub starts_word: bool,
}

/// Collects whole tokens.
#[derive(Default)]
pub struct Tokens(pub Vec<Token>);

impl Sink for Tokens {
    const NEEDS_PLACES: bool = true;

    fn token(&mut self, id: u32, piece: &str, offsets: (usize, usize)) {
        self.0.push(Token {
            id,
            piece: piece.to_owned(),
            offsets,
            starts_word: piece.starts_with(MARK),
        });
    }

    fn extend(&mut self, piece: &str, end: usize) {
        if let Some(last) = self.0.last_mut() {
            last.piece.push_str(piece);
            last.offsets.1 = end;
        }
    }
}

/// The byte pieces of a vocabulary with byte fallback: for each byte, its id and its text.
pub type BytePieces = [(u32, String)];

/// Turns the pieces of a text into tokens: unknown ones into bytes, or several in a row into one.
pub struct Emitter<'a, S> {
    pub sink: &'a mut S,
    pub unknown_id: u32,
    /// Empty if there is no byte fallback.
    pub bytes: &'a BytePieces,
    pub after_unknown: bool,
}

impl<S: Sink> Emitter<'_, S> {
    /// Receives a piece with its range in a part of the normalized text.
    #[inline]
    pub fn piece(&mut self, id: u32, part: &Normalized, start: usize, end: usize) {
        if id == self.unknown_id {
            self.unknown(part, start, end);
            return;
        }
        self.after_unknown = false;
        if S::NEEDS_PLACES {
            let offsets = part.origin(start, end);
            self.sink.token(id, &part.text[start..end], offsets);
        } else {
            self.sink.token(id, "", (0, 0));
        }
    }

    fn unknown(&mut self, part: &Normalized, start: usize, end: usize) {
        let piece = part.text.get(start..end).unwrap_or_default();
        let offsets = part.origin(start, end);
        if !self.bytes.is_empty() {
            let last = piece.len().saturating_sub(1);
            for (index, byte) in piece.bytes().enumerate() {
                // The last byte has the place of the character.
                let end = if index == last { offsets.1 } else { offsets.0 };
                if let Some((id, name)) = self.bytes.get(usize::from(byte)) {
                    self.sink.token(*id, name, (offsets.0, end));
                }
            }
        } else if self.after_unknown {
            self.sink.extend(piece, offsets.1);
        } else {
            self.sink.token(self.unknown_id, piece, offsets);
        }
        self.after_unknown = true;
    }
}
