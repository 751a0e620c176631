//! Splits at delimiters, with the five behaviors of the crate.

use memchr::memmem::Finder;
use serde_json::Value;

use super::kind_runs::KindSet;
use super::view::kind_at;

/// Splits a text at each delimiter.
#[derive(Debug, Clone)]
pub struct Delimiters {
    pub delimiter: Delimiter,
    pub behavior: Behavior,
}

#[derive(Debug, Clone)]
pub enum Delimiter {
    /// This text, which is not empty.
    Text(Box<Finder<'static>>),
    /// Each character of these kinds.
    Kinds(KindSet),
}

/// The treatment of delimiters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behavior {
    Removed,
    Isolated,
    Contiguous,
    MergedWithPrevious,
    MergedWithNext,
}

impl Behavior {
    pub fn from_json(name: &Value) -> Option<Self> {
        Some(match name.as_str()? {
            "Removed" => Self::Removed,
            "Isolated" => Self::Isolated,
            "Contiguous" => Self::Contiguous,
            "MergedWithPrevious" => Self::MergedWithPrevious,
            "MergedWithNext" => Self::MergedWithNext,
            _ => return None,
        })
    }
}

impl Delimiter {
    /// Returns the byte range of the first delimiter at or after `at`, or an empty range at the end of the text if no
    /// delimiter is left.
    fn find(&self, text: &[u8], at: usize) -> (usize, usize) {
        let rest = text.get(at..).unwrap_or_default();
        let none = (text.len(), text.len());
        match self {
            Self::Text(finder) => finder.find(rest).map_or(none, |found| {
                let start = at + found;
                (start, start + finder.needle().len())
            }),
            Self::Kinds(set) => {
                let mut start = at;
                loop {
                    let (kind, length) = kind_at(text, start);
                    if kind & set != 0 {
                        return (start, start + length);
                    }
                    if length == 0 {
                        return none;
                    }
                    start += length;
                }
            }
        }
    }
}

impl Delimiters {
    /// Returns true if a word always ends between characters of these kinds, and no word depends on both.
    pub fn always_splits(&self, before: KindSet, after: KindSet) -> bool {
        let Delimiter::Kinds(set) = self.delimiter else {
            return false;
        };
        let (before, after) = (before & set != 0, after & set != 0);
        match self.behavior {
            Behavior::Removed | Behavior::Isolated => before || after,
            Behavior::Contiguous => before != after,
            Behavior::MergedWithPrevious => before,
            Behavior::MergedWithNext => after,
        }
    }

    /// Returns the first word at or after byte `at`, which must be the start of the text or the end of a word. Returns
    /// `None` if there is no word.
    pub fn next(&self, text: &[u8], mut at: usize) -> Option<(usize, usize)> {
        if at >= text.len() {
            return None;
        }
        let (mut start, mut end) = self.delimiter.find(text, at);
        let word_end = match self.behavior {
            Behavior::Removed => {
                while start == at {
                    at = end;
                    if at >= text.len() {
                        return None;
                    }
                    (start, end) = self.delimiter.find(text, at);
                }
                start
            }
            Behavior::Isolated if start == at => end,
            Behavior::Isolated => start,
            Behavior::Contiguous if start == at => loop {
                let (next, next_end) = self.delimiter.find(text, end);
                if next > end || next == text.len() {
                    break end;
                }
                end = next_end;
            },
            Behavior::Contiguous => start,
            Behavior::MergedWithPrevious => end,
            Behavior::MergedWithNext if start == at => {
                // A delimiter before another delimiter is a word.
                let next = self.delimiter.find(text, end).0;
                if next == end { end } else { next }
            }
            Behavior::MergedWithNext => start,
        };
        Some((at, word_end))
    }
}
