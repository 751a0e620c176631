//! Cuts a text so that each part, tokenized alone, has at most N tokens.
//!
//! A part tokenized alone may have different tokens than it has within the whole text: a word cut in two becomes other
//! pieces, and each part gets its own special tokens. So the tokens of the whole text only suggest where to cut. Each
//! part is then tokenized alone and shortened until it fits. A cut is never inside a grapheme.

use clap::ValueEnum;
use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};

use crate::commands::input::encode_args::EncodeArgs;
use crate::commands::input::text_format::Text;
use crate::error::{Error, Result};
use crate::record::Chunk;
use crate::tokenizer::{EncodeOptions, Tokenizer};

/// A preferred place to cut. If there is no such place, the next finer kind is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Prefer {
    /// After a sentence, as defined by Unicode (UAX #29), or a line end
    Sentence,
    /// After a line end
    Line,
    /// Before white space
    Word,
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The half-open byte range of the part in the text.
    pub start: usize,
    pub end: usize,
    /// The ids of the part, tokenized alone.
    pub ids: Vec<u32>,
}

impl Part {
    /// Returns the record of this part of `text`.
    pub fn record(self, cutter: &Cutter<'_>, text: &Text<'_>) -> Chunk {
        Chunk {
            reading: cutter.tokenizer.reading().recorded(),
            line: text.line,
            path: text.path.clone(),
            start: self.start,
            end: self.end,
            count: self.ids.len(),
            text: text.text[self.start..self.end].to_owned(),
            ids: self.ids,
            ..Chunk::default()
        }
    }
}

/// Cuts texts into parts of a limited number of tokens.
#[derive(Debug)]
pub struct Cutter<'t> {
    tokenizer: &'t Tokenizer,
    options: EncodeOptions,
    /// The maximum number of tokens of a part, including special tokens.
    max: usize,
    /// The number of tokens that `max` leaves for the text.
    room: usize,
    prefer: Option<Prefer>,
}

impl<'t> Cutter<'t> {
    /// Returns a cutter for parts of at most `max` tokens.
    ///
    /// # Errors
    /// Fails with [`Error::Usage`] if the model adds more than `max` special tokens to every text.
    pub fn new(
        tokenizer: &'t Tokenizer,
        max: usize,
        encode: EncodeArgs,
        prefer: Option<Prefer>,
    ) -> Result<Self> {
        let options = encode.options();
        let special = tokenizer.count("", &options)?;
        let Some(room) = max.checked_sub(special) else {
            return Err(Error::usage_hint(
                format!(
                    "a length of {max} is too small: the model adds {special} tokens to every text"
                ),
                "use `--no-special-tokens` to omit them",
            ));
        };
        Ok(Self {
            tokenizer,
            options,
            max,
            room,
            prefer,
        })
    }

    /// Returns the number of tokens that each part has left for its text.
    pub fn room(&self) -> usize {
        self.room
    }

    /// Returns the whole text as one part, or `None` if it does not fit or is almost certainly too long to fit.
    ///
    /// Callers try this first, since a text may have fewer tokens than its beginning: WordPiece turns a long word into
    /// one unknown token.
    ///
    /// # Errors
    /// Fails if the text cannot be encoded.
    pub fn whole(&self, text: &str) -> Result<Option<Part>> {
        const MAX_BYTES_PER_TOKEN: usize = 64;
        let long = self.room.saturating_mul(MAX_BYTES_PER_TOKEN);
        if text.len() > long.saturating_add(1 << 12) {
            return Ok(None);
        }
        let ids = self.ids(text)?;
        let end = text.len();
        Ok((ids.len() <= self.max).then_some(Part { start: 0, end, ids }))
    }

    /// Returns an empty part, whose only tokens are the special tokens.
    ///
    /// # Errors
    /// Fails if the text cannot be encoded.
    pub fn empty(&self) -> Result<Part> {
        Ok(Part {
            start: 0,
            end: 0,
            ids: self.ids("")?,
        })
    }

    /// Returns the number of bytes to encode first while nothing is known about a text.
    pub fn initial_guess(&self) -> usize {
        self.room.saturating_mul(BYTES_PER_TOKEN)
    }

    fn ids(&self, text: &str) -> Result<Vec<u32>> {
        self.tokenizer.ids(text, &self.options)
    }

    /// Returns the offsets of the tokens of a text, without those of special tokens that the model adds.
    fn offsets(&self, text: &str) -> Result<Vec<(usize, usize)>> {
        let options = EncodeOptions {
            special_tokens: false,
            ..self.options.clone()
        };
        let encoding = self.tokenizer.encode(text, None, &options)?.into_first();
        Ok(encoding.offsets)
    }

    /// Returns the longest part that the search finds from `start` to somewhere after `beyond`, or `None` if no such
    /// part fits.
    ///
    /// `guess` is the number of bytes to encode first. The function sets it to a good guess for the next part.
    ///
    /// # Errors
    /// Fails if the text cannot be encoded.
    pub fn front(
        &self,
        text: &str,
        start: usize,
        beyond: usize,
        guess: &mut usize,
    ) -> Result<Option<Part>> {
        let rest = &text[start..];
        let beyond = beyond - start;
        let part = |end: usize, ids: Vec<u32>| Part {
            start,
            end: start + end,
            ids,
        };
        let mut width = (*guess).max(MIN_WINDOW);
        let (window, offsets) = loop {
            let window = &rest[..rest.floor_char_boundary(width)];
            let offsets = self.offsets(window)?;
            if offsets.len() > self.room || window.len() == rest.len() {
                break (window, offsets);
            }
            width = width.saturating_mul(2);
        };
        let mut limit = self.room.min(offsets.len());
        // A part that does not fit is tried without the white space after its last token, then with fewer tokens. One
        // of the two shrinks in every round, whatever the tokens of a part alone are, so the loop ends.
        let mut with_space = true;
        loop {
            let whole = limit == offsets.len() && window.len() == rest.len();
            let end = match limit.checked_sub(1).and_then(|last| offsets.get(last)) {
                _ if whole => rest.len(),
                Some(&(_, end)) => window.floor_char_boundary(end),
                None => 0,
            };
            *guess = end + end / 4;
            let space_end = if with_space {
                end_of_space(window, end)
            } else {
                end
            };
            let Some(cut) = self.cut_before(rest, window, end, space_end, beyond) else {
                break;
            };
            let ids = self.ids(&rest[..cut])?;
            if ids.len() <= self.max {
                return Ok(Some(part(cut, ids)));
            }
            if cut > end {
                with_space = false;
                continue;
            }
            if limit == 0 {
                break;
            }
            let fitted = offsets.partition_point(|offset| offset.1 <= cut).min(limit);
            limit = fitted.saturating_sub((ids.len() - self.max).max(1));
            with_space = true;
        }
        // No token boundary is a possible end. Try the shortest possible part, a single grapheme, which may have
        // several tokens.
        let mut cursor = GraphemeCursor::new(beyond, rest.len(), true);
        let Ok(Some(end)) = cursor.next_boundary(rest, 0) else {
            return Ok(None);
        };
        let ids = self.ids(&rest[..end])?;
        Ok((ids.len() <= self.max).then(|| part(end, ids)))
    }

    /// Returns the longest part that the search finds at the end of the text.
    ///
    /// # Errors
    /// Fails if the text cannot be encoded.
    pub fn back(&self, text: &str) -> Result<Part> {
        if let Some(whole) = self.whole(text)? {
            return Ok(whole);
        }
        let mut width = self.initial_guess().max(MIN_WINDOW);
        let (from, offsets) = loop {
            let from = text.ceil_char_boundary(text.len().saturating_sub(width));
            let offsets = self.offsets(&text[from..])?;
            if offsets.len() > self.room || from == 0 {
                break (from, offsets);
            }
            width = width.saturating_mul(2);
        };
        let mut limit = self.room.min(offsets.len());
        loop {
            let start = match offsets.get(offsets.len() - limit) {
                _ if from == 0 && limit == offsets.len() => 0,
                Some(offset) => grapheme_from(text, from + offset.0),
                None => text.len(),
            };
            let ids = self.ids(&text[start..])?;
            let end = text.len();
            if ids.len() <= self.max || start == end {
                return Ok(Part { start, end, ids });
            }
            if limit == 0 {
                let ids = self.ids("")?;
                return Ok(Part {
                    start: end,
                    end,
                    ids,
                });
            }
            limit = limit.saturating_sub((ids.len() - self.max).max(1));
        }
    }

    /// Returns the start of the next part, which overlaps `part` by up to `tokens` tokens and begins after the start of
    /// `part`.
    ///
    /// # Errors
    /// Fails if the text cannot be encoded.
    pub fn overlap(&self, text: &str, part: &Part, tokens: usize) -> Result<usize> {
        let shared = &text[part.start..part.end];
        let offsets = self.offsets(shared)?;
        let options = EncodeOptions {
            special_tokens: false,
            ..self.options.clone()
        };
        let mut limit = tokens.min(offsets.len().saturating_sub(1));
        while limit > 0 {
            let start = shared.ceil_char_boundary(offsets[offsets.len() - limit].0);
            let start = self.cut_from(shared, start);
            if start == 0 || start >= shared.len() {
                break;
            }
            let count = self.tokenizer.count(&shared[start..], &options)?;
            if count <= tokens {
                return Ok(part.start + start);
            }
            limit = limit.saturating_sub(count - tokens);
        }
        Ok(part.end)
    }

    /// Returns the best offset to cut, greater than `beyond` and at most `end`, or `space_end` for a line or a sentence.
    /// Searches only `window`, the first bytes of `rest`.
    fn cut_before(
        &self,
        rest: &str,
        window: &str,
        end: usize,
        space_end: usize,
        beyond: usize,
    ) -> Option<usize> {
        if end == rest.len() {
            return (end > beyond).then_some(end);
        }
        let fits = |at: &usize| *at > beyond && is_boundary(rest, *at);
        let coarse = match self.prefer {
            Some(Prefer::Line) => ends_of_lines(&window[..space_end]).rev().find(fits),
            Some(Prefer::Sentence) => {
                let starts = window.split_sentence_bound_indices().map(|(at, _)| at);
                starts.take_while(|at| *at <= space_end).filter(fits).last()
            }
            _ => None,
        };
        let word = || {
            self.prefer?;
            ends_of_words(window)
                .rev()
                .find(|at| *at <= end && fits(at))
        };
        coarse.or_else(word).or_else(|| {
            let mut cursor = GraphemeCursor::new(end, rest.len(), true);
            let at = match cursor.is_boundary(rest, 0) {
                Ok(true) => end,
                _ => cursor.prev_boundary(rest, 0).ok()??,
            };
            (at > beyond).then_some(at)
        })
    }

    /// Returns the best offset at or after `start` to begin a part.
    fn cut_from(&self, text: &str, start: usize) -> usize {
        let fits = |at: &usize| *at >= start && is_boundary(text, *at);
        let coarse = match self.prefer {
            Some(Prefer::Line) => ends_of_lines(text).find(fits),
            Some(Prefer::Sentence) => {
                let mut starts = text.split_sentence_bound_indices().map(|(at, _)| at);
                starts.find(fits)
            }
            _ => None,
        };
        let coarse = coarse.filter(|at| *at < text.len());
        let word = || self.prefer.and_then(|_| ends_of_words(text).find(fits));
        coarse
            .or_else(word)
            .unwrap_or_else(|| grapheme_from(text, start))
    }
}

/// The minimum number of bytes to encode when looking for a cut.
const MIN_WINDOW: usize = 64;
/// An upper estimate of the average number of bytes per token in ordinary text.
const BYTES_PER_TOKEN: usize = 6;

fn is_boundary(text: &str, at: usize) -> bool {
    GraphemeCursor::new(at, text.len(), true).is_boundary(text, 0) == Ok(true)
}

/// Returns the start of the first grapheme at or after `at`.
fn grapheme_from(text: &str, at: usize) -> usize {
    let at = text.ceil_char_boundary(at);
    let mut cursor = GraphemeCursor::new(at, text.len(), true);
    match cursor.is_boundary(text, 0) {
        Ok(true) => at,
        _ => match cursor.next_boundary(text, 0) {
            Ok(Some(next)) => next,
            _ => text.len(),
        },
    }
}

/// Returns the end of the white space at `at`. After the last token of a part, white space is seldom a token of its own,
/// and the cut after a line end lies beyond it.
fn end_of_space(text: &str, at: usize) -> usize {
    text.len() - text[at..].trim_start().len()
}

fn ends_of_lines(text: &str) -> impl DoubleEndedIterator<Item = usize> + '_ {
    text.match_indices('\n').map(|(at, _)| at + 1)
}

/// Returns the offsets at which white space follows a word.
fn ends_of_words(text: &str) -> impl DoubleEndedIterator<Item = usize> + '_ {
    text.char_indices().filter_map(|(at, character)| {
        let before = text[..at].chars().next_back()?;
        (character.is_whitespace() && !before.is_whitespace()).then_some(at)
    })
}
