//! Receivers of tokens, which produce a count, a list of ids, the tokens with certain ids, or a whole [`Encoding`].

use super::compiled::CompiledVocabulary;
use super::word_cache::CachedTokens;
use crate::tokenizer::encoding::Encoding;

/// Receives the tokens of a text, in order.
///
/// Words are numbered from 0 in their text. Ranges are half-open byte ranges of the text.
pub trait TokenSink {
    /// True if the sink looks up the pieces of tokens.
    const NEEDS_PIECES: bool = false;

    /// Receives a token of a word.
    fn token(&mut self, id: u32, word: u32, range: (usize, usize));
    /// Receives an added token. `surface` is its spelling in the text.
    fn added(&mut self, id: u32, word: u32, range: (usize, usize), surface: &str);
    /// Receives all tokens of a cached word that begins at byte `start`.
    fn cached_word(&mut self, word: u32, start: usize, tokens: CachedTokens<'_>);
    /// Receives the one-byte token that may follow the last word. `id_position` returns its id and byte offset.
    ///
    /// A sink that needs neither can avoid a branch on `is_there`, which the processor cannot predict.
    #[inline]
    fn trailing_mark(
        &mut self,
        is_there: bool,
        word: u32,
        id_position: impl FnOnce() -> (u32, usize),
    ) {
        if is_there {
            let (id, position) = id_position();
            self.token(id, word, (position, position + 1));
        }
    }
}

/// Counts tokens.
pub struct TokenCount(pub usize);

impl TokenSink for TokenCount {
    #[inline]
    fn token(&mut self, _: u32, _: u32, _: (usize, usize)) {
        self.0 += 1;
    }

    fn added(&mut self, _: u32, _: u32, _: (usize, usize), _: &str) {
        self.0 += 1;
    }

    #[inline]
    fn cached_word(&mut self, _: u32, _: usize, tokens: CachedTokens<'_>) {
        self.0 += tokens.ids.len();
    }

    #[inline]
    fn trailing_mark(&mut self, is_there: bool, _: u32, _: impl FnOnce() -> (u32, usize)) {
        self.0 += usize::from(is_there);
    }
}

/// Collects the ids of tokens.
pub struct TokenIds(pub Vec<u32>);

impl TokenSink for TokenIds {
    #[inline]
    fn token(&mut self, id: u32, _: u32, _: (usize, usize)) {
        self.0.push(id);
    }

    fn added(&mut self, id: u32, _: u32, _: (usize, usize), _: &str) {
        self.0.push(id);
    }

    #[inline]
    fn cached_word(&mut self, _: u32, _: usize, tokens: CachedTokens<'_>) {
        self.0.extend_from_slice(tokens.ids);
    }
}

/// Collects the tokens with certain ids, and their ranges.
pub struct TokenFinder<'a> {
    pub text: &'a str,
    pub ids: &'a [u32],
    pub found: Vec<(u32, (usize, usize))>,
}

impl TokenSink for TokenFinder<'_> {
    #[inline]
    fn token(&mut self, id: u32, _: u32, range: (usize, usize)) {
        if self.ids.contains(&id) {
            self.found.push((id, range));
        }
    }

    fn added(&mut self, id: u32, word: u32, range: (usize, usize), _: &str) {
        self.token(id, word, range);
    }

    #[inline]
    fn cached_word(&mut self, word: u32, start: usize, tokens: CachedTokens<'_>) {
        if tokens.ids.iter().any(|id| self.ids.contains(id)) {
            for (id, range) in tokens.ids.iter().zip(ranges(self.text, start, tokens)) {
                self.token(*id, word, range);
            }
        }
    }
}

/// Returns the ranges of the tokens of a cached word that begins at byte `start` of a text.
#[inline]
pub fn ranges(
    text: &str,
    start: usize,
    tokens: CachedTokens<'_>,
) -> impl ExactSizeIterator<Item = (usize, usize)> {
    let in_characters = tokens.end_in_characters();
    let mut begin = start + tokens.start().unwrap_or_default();
    tokens.ends.iter().map(move |end| {
        let end = start + usize::from(*end);
        let range = if in_characters {
            (
                text.floor_char_boundary(begin),
                text.ceil_char_boundary(end),
            )
        } else {
            (begin, end)
        };
        begin = end;
        range
    })
}

/// Appends tokens to an encoding, except for the fields that are the same for all tokens of a text.
pub struct EncodingBuilder<'a> {
    pub text: &'a str,
    pub encoding: &'a mut Encoding,
    pub compiled: &'a CompiledVocabulary,
}

impl EncodingBuilder<'_> {
    #[inline]
    fn push(&mut self, id: u32, word: u32, range: (usize, usize)) {
        self.encoding.ids.push(id);
        self.encoding.offsets.push(range);
        self.encoding.word_ids.push(Some(word));
    }
}

impl TokenSink for EncodingBuilder<'_> {
    const NEEDS_PIECES: bool = true;

    #[inline]
    fn token(&mut self, id: u32, word: u32, range: (usize, usize)) {
        self.push(id, word, range);
        let piece = self.compiled.piece(id).unwrap_or_default();
        self.encoding.tokens.push(piece);
    }

    fn added(&mut self, id: u32, word: u32, range: (usize, usize), surface: &str) {
        if Some(id) == self.compiled.unknown_id() {
            return self.token(id, word, range);
        }
        self.push(id, word, range);
        self.encoding.tokens.push(surface);
    }

    #[inline]
    fn cached_word(&mut self, word: u32, start: usize, tokens: CachedTokens<'_>) {
        let encoding = &mut *self.encoding;
        encoding.ids.extend_from_slice(tokens.ids);
        let words = encoding.word_ids.len() + tokens.ids.len();
        encoding.word_ids.resize(words, Some(word));
        encoding.offsets.extend(ranges(self.text, start, tokens));
        for id in tokens.ids {
            let piece = self.compiled.piece(*id).unwrap_or_default();
            encoding.tokens.push(piece);
        }
    }
}
