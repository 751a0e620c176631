//! Finds the words of a text.

use super::bloom;
use super::coder;
use super::cuts::Cuts;
use super::delimiters::Delimiters;
use super::falcon;
use super::kind_runs::{BLANK, BLOOM_BREAK, LOWER, UPPER};
use super::kinds::ascii_kind;
use super::rules::{Contractions, Rules, Words, contraction};
use super::view::{View, ascii_letters, ascii_lower, ascii_upper};

/// A pre-tokenizer as code.
#[derive(Debug, Clone)]
pub struct Scanner {
    fast: Fast,
    method: Method,
}

/// How words are found.
#[derive(Debug, Clone)]
pub enum Method {
    /// The text is one word.
    Whole,
    Rules(Rules),
    Cuts(Cuts),
    Delimiters(Delimiters),
    Bloom,
    DeepSeekCoder,
    /// The words before the mapped bytes are split.
    Falcon(Cuts),
}

/// How to find a word of ASCII letters, with a space before it or not, without looking at anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fast {
    None,
    Letters,
    Cased { contracted: bool },
}

impl Fast {
    fn of(rules: Option<&Rules>) -> Self {
        match rules {
            Some(rules) if rules.prefix & BLANK != 0 => match rules.words {
                Words::Run(_) => Self::Letters,
                Words::Cased { contracted, .. } => Self::Cased { contracted },
            },
            _ => Self::None,
        }
    }
}

impl Scanner {
    pub fn new(method: Method) -> Self {
        let fast = match &method {
            Method::Rules(rules) => Fast::of(Some(rules)),
            Method::Cuts(cuts) if !cuts.rest() & (BLANK | UPPER | LOWER) == 0 => {
                Fast::of(cuts.rules.as_ref())
            }
            Method::DeepSeekCoder | Method::Falcon(_) => Fast::Letters,
            _ => Fast::None,
        };
        Self { fast, method }
    }

    /// Returns the byte range of the first word at or after byte `at`, which must be the start of the text or the end
    /// of a word. Returns `None` if there is no word. Bytes between words belong to none: some steps drop white space.
    #[inline]
    pub fn next(&self, text: &str, at: usize) -> Option<(usize, usize)> {
        let text = text.as_bytes();
        match self.fast {
            Fast::Letters => {
                let start = after_space(text, at);
                let end = ascii_letters(text, start);
                if end > start && text.get(end).is_none_or(u8::is_ascii) {
                    return Some((at, end));
                }
            }
            Fast::Cased { contracted } => {
                let start = after_space(text, at);
                let end = ascii_lower(text, ascii_upper(text, start));
                if end > start {
                    match text.get(end) {
                        Some(b'\'') if contracted => {
                            let text = View::new(text, self.visible());
                            let contraction = contraction(text, end, Contractions::Folded);
                            return Some((at, contraction.unwrap_or(end)));
                        }
                        Some(byte) if !byte.is_ascii() => {}
                        _ => return Some((at, end)),
                    }
                }
            }
            Fast::None => {}
        }
        self.next_of_any(text, at)
    }

    /// Returns true if a word ends between these bytes of ASCII in any text, and the words on each side do not depend on
    /// the text on the other side.
    pub fn always_splits(&self, before: u8, after: u8) -> bool {
        let (before_kind, after_kind) = (ascii_kind(before), ascii_kind(after));
        if before_kind == 0 || after_kind == 0 {
            return false;
        }
        match &self.method {
            Method::Whole => false,
            Method::Rules(rules) => rules.always_splits(before, after),
            Method::Cuts(cuts) => cuts.always_splits(before, after),
            Method::Delimiters(delimiters) => delimiters.always_splits(before_kind, after_kind),
            Method::DeepSeekCoder => coder::always_splits(before_kind, after_kind),
            Method::Falcon(cuts) => cuts.always_splits(before, after),
            Method::Bloom => before_kind & BLOOM_BREAK == 0 && after_kind & BLOOM_BREAK != 0,
        }
    }

    /// Returns the kinds that a word of letters may be followed by.
    fn visible(&self) -> u64 {
        match &self.method {
            Method::Cuts(cuts) => cuts.rest(),
            _ => !0,
        }
    }

    #[inline(never)]
    fn next_of_any(&self, text: &[u8], at: usize) -> Option<(usize, usize)> {
        match &self.method {
            Method::Whole => (at < text.len()).then_some((at, text.len())),
            Method::Rules(rules) => rules.next(View::new(text, !0), at),
            Method::Cuts(cuts) => cuts.next(text, at),
            Method::Delimiters(delimiters) => delimiters.next(text, at),
            Method::Bloom => bloom::next(View::new(text, !0), at),
            Method::DeepSeekCoder => coder::next(text, at),
            Method::Falcon(cuts) => falcon::next(cuts, text, at),
        }
    }
}

#[inline]
fn after_space(text: &[u8], at: usize) -> usize {
    at + usize::from(text.get(at) == Some(&b' '))
}
