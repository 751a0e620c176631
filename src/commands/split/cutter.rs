//! Where a text can be cut so that a part of it, tokenized alone, has no more than so many tokens.
//!
//! Tokens at a cut are not those of the whole text: a word that is cut in two becomes other pieces, and a part gets
//! special tokens of its own. So the tokens of the whole only say where to try; the part is tokenized alone, and made
//! shorter until it fits. A cut is never inside a grapheme.

use clap::ValueEnum;
use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};

use crate::commands::input::encode_args::EncodeArgs;
use crate::error::{Error, Result};
use crate::tokenizer::{EncodeOptions, Tokenizer};

/// Where cuts are preferred; where there is no such place, at the next finer one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Prefer {
    /// Behind a sentence as Unicode divides text (UAX #29); a line end ends one too.
    Sentence,
    /// Behind a line end.
    Line,
    /// Before white space.
    Word,
}

/// A part of a text, as long as it may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Where in the text it begins and ends.
    pub start: usize,
    pub end: usize,
    /// Its ids, tokenized alone.
    pub ids: Vec<u32>,
}

/// Cuts texts.
#[derive(Debug)]
pub struct Cutter<'t> {
    tokenizer: &'t Tokenizer,
    options: EncodeOptions,
    /// Most tokens of a part, and how many of them are left for its text.
    max: usize,
    room: usize,
    prefer: Option<Prefer>,
}

impl<'t> Cutter<'t> {
    /// # Errors
    /// [`Error::Usage`] if `max` tokens are fewer than those that the model adds to every text.
    pub fn new(
        tokenizer: &'t Tokenizer,
        max: usize,
        counting: EncodeArgs,
        prefer: Option<Prefer>,
    ) -> Result<Self> {
        let options = counting.options();
        let special = tokenizer.count("", &options)?;
        let Some(room) = max.checked_sub(special) else {
            return Err(Error::usage_hint(
                format!(
                    "a length of {max} is too small: the model adds {special} tokens to every text"
                ),
                "`--no-special-tokens` does not count those",
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

    /// Tokens of a part that can be of its text.
    pub fn room(&self) -> usize {
        self.room
    }

    /// The whole text, if it fits. One that is so long that it hardly can is not looked at.
    ///
    /// The beginning of a text may have more tokens than all of it: WordPiece makes one unknown token of a long word.
    ///
    /// # Errors
    /// Whatever encoding fails with.
    pub fn whole(&self, text: &str) -> Result<Option<Part>> {
        const LONG: usize = 64;
        if text.len() > self.room.saturating_mul(LONG).saturating_add(1 << 12) {
            return Ok(None);
        }
        let ids = self.ids(text)?;
        let end = text.len();
        Ok((ids.len() <= self.max).then_some(Part { start: 0, end, ids }))
    }

    /// A part without any text, which has the special tokens alone.
    ///
    /// # Errors
    /// Whatever encoding fails with.
    pub fn nothing(&self) -> Result<Part> {
        Ok(Part {
            start: 0,
            end: 0,
            ids: self.ids("")?,
        })
    }

    fn ids(&self, text: &str) -> Result<Vec<u32>> {
        self.tokenizer.ids(text, &self.options)
    }

    /// Where the tokens of a text begin and end, special tokens that the model adds left out.
    fn spans(&self, text: &str) -> Result<Vec<(usize, usize)>> {
        let options = EncodeOptions {
            special_tokens: false,
            ..self.options.clone()
        };
        let encoding = self.tokenizer.encode(text, None, &options)?.into_first();
        Ok(encoding.offsets)
    }

    /// The longest part found that begins at `start` and ends behind `beyond`; none if there is none that fits.
    ///
    /// `guess` is the number of bytes that is looked at first; the number that would have done is left in it.
    ///
    /// # Errors
    /// Whatever encoding fails with.
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
        let mut width = (*guess).max(SMALLEST_WINDOW);
        let (window, spans) = loop {
            let window = &rest[..char_before(rest, width)];
            let spans = self.spans(window)?;
            if spans.len() > self.room || window.len() == rest.len() {
                break (window, spans);
            }
            width = width.saturating_mul(2);
        };
        let mut limit = self.room.min(spans.len());
        loop {
            let whole = limit == spans.len() && window.len() == rest.len();
            let end = match limit.checked_sub(1).and_then(|last| spans.get(last)) {
                _ if whole => rest.len(),
                Some(&(_, end)) => char_before(rest, end),
                None => 0,
            };
            *guess = end + end / 4;
            let Some(end) = self.cut_before(rest, window, end, beyond) else {
                break;
            };
            let ids = self.ids(&rest[..end])?;
            if ids.len() <= self.max {
                return Ok(Some(part(end, ids)));
            }
            let fitted = spans.partition_point(|span| span.1 <= end).min(limit);
            limit = fitted.saturating_sub((ids.len() - self.max).max(1));
        }
        // Not a token of the whole fits: a grapheme of several tokens may, and less than a grapheme must not be cut.
        let mut cursor = GraphemeCursor::new(beyond, rest.len(), true);
        let Ok(Some(end)) = cursor.next_boundary(rest, 0) else {
            return Ok(None);
        };
        let ids = self.ids(&rest[..end])?;
        Ok((ids.len() <= self.max).then(|| part(end, ids)))
    }

    /// The longest part found that ends where the text does.
    ///
    /// # Errors
    /// Whatever encoding fails with.
    pub fn back(&self, text: &str) -> Result<Part> {
        if let Some(whole) = self.whole(text)? {
            return Ok(whole);
        }
        let mut width = (self.room.saturating_mul(BYTES_A_TOKEN)).max(SMALLEST_WINDOW);
        let (from, spans) = loop {
            let from = char_from(text, text.len().saturating_sub(width));
            let spans = self.spans(&text[from..])?;
            if spans.len() > self.room || from == 0 {
                break (from, spans);
            }
            width = width.saturating_mul(2);
        };
        let mut limit = self.room.min(spans.len());
        loop {
            let start = match spans.get(spans.len() - limit) {
                _ if from == 0 && limit == spans.len() => 0,
                Some(span) => grapheme_from(text, from + span.0),
                None => text.len(),
            };
            let ids = self.ids(&text[start..])?;
            if ids.len() <= self.max || start == text.len() {
                let end = text.len();
                return Ok(Part { start, end, ids });
            }
            limit = limit.saturating_sub((ids.len() - self.max).max(1));
        }
    }

    /// Where the next part begins that shares up to `tokens` tokens with this one, behind its beginning.
    ///
    /// # Errors
    /// Whatever encoding fails with.
    pub fn overlap(&self, text: &str, part: &Part, tokens: usize) -> Result<usize> {
        let shared = &text[part.start..part.end];
        let spans = self.spans(shared)?;
        let options = EncodeOptions {
            special_tokens: false,
            ..self.options.clone()
        };
        let mut limit = tokens.min(spans.len().saturating_sub(1));
        while limit > 0 {
            let start = char_from(shared, spans[spans.len() - limit].0);
            let start = self.cut_behind(shared, start);
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

    /// The best place to cut at `end` or before, and behind `beyond`. Only `window`, the first bytes of `rest`, is
    /// searched.
    fn cut_before(&self, rest: &str, window: &str, end: usize, beyond: usize) -> Option<usize> {
        if end == rest.len() {
            return (end > beyond).then_some(end);
        }
        let fits = |at: &usize| *at > beyond && is_boundary(rest, *at);
        // White space behind the last token seldom is a token more, and a line end is behind it.
        let space = window[end..].len() - window[end..].trim_start().len();
        let with_space = end + space;
        let coarse = match self.prefer {
            Some(Prefer::Line) => ends_of_lines(&window[..with_space]).rev().find(fits),
            Some(Prefer::Sentence) => {
                let starts = window.split_sentence_bound_indices().map(|(at, _)| at);
                starts
                    .take_while(|at| *at <= with_space)
                    .filter(fits)
                    .last()
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

    /// The best place to begin at `start` or behind it.
    fn cut_behind(&self, text: &str, start: usize) -> usize {
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

/// Bytes that are looked at first at least, and bytes that a token has at most in most text.
const SMALLEST_WINDOW: usize = 64;
pub const BYTES_A_TOKEN: usize = 6;

fn is_boundary(text: &str, at: usize) -> bool {
    GraphemeCursor::new(at, text.len(), true).is_boundary(text, 0) == Ok(true)
}

/// The last character boundary at `at` or before.
fn char_before(text: &str, at: usize) -> usize {
    let mut places = (0..=at.min(text.len())).rev();
    places.find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// The first character boundary at `at` or behind it.
fn char_from(text: &str, at: usize) -> usize {
    let mut places = at..text.len();
    places
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(text.len())
}

/// The first grapheme that begins at `at` or behind it.
fn grapheme_from(text: &str, at: usize) -> usize {
    let at = char_from(text, at);
    let mut cursor = GraphemeCursor::new(at, text.len(), true);
    match cursor.is_boundary(text, 0) {
        Ok(true) => at,
        _ => match cursor.next_boundary(text, 0) {
            Ok(Some(next)) => next,
            _ => text.len(),
        },
    }
}

fn ends_of_lines(text: &str) -> impl DoubleEndedIterator<Item = usize> + '_ {
    text.match_indices('\n').map(|(at, _)| at + 1)
}

/// Where white space begins behind something else.
fn ends_of_words(text: &str) -> impl DoubleEndedIterator<Item = usize> + '_ {
    text.char_indices().filter_map(|(at, character)| {
        let before = text[..at].chars().next_back()?;
        (character.is_whitespace() && !before.is_whitespace()).then_some(at)
    })
}
