//! The normalizer of SentencePiece.

use super::vocabulary::Prefixes;
use crate::error::{Error, Result};
use crate::formats::sentencepiece_spec::NormalizerSpec;
use crate::tokenizer::native::Charsmap;

/// The mark of a space.
pub const MARK: &str = "▁";

/// Replaces characters by the rules of a file, and spaces by marks.
#[derive(Debug)]
pub struct Normalizer {
    charsmap: Charsmap,
    spec: NormalizerSpec,
    marks_are_suffixes: bool,
}

/// A normalized text.
#[derive(Debug, Default)]
pub struct Normalized {
    pub text: String,
    /// For each byte of the text, and its end, the position in the original text.
    pub origins: Vec<usize>,
}

impl Normalized {
    fn push(&mut self, text: &str, origin: usize) {
        self.text.push_str(text);
        self.origins.resize(self.text.len(), origin);
    }
}

impl Normalizer {
    /// Creates the normalizer of the file called `name`.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`] if the rules are malformed.
    pub fn new(name: &str, spec: NormalizerSpec, marks_are_suffixes: bool) -> Result<Self> {
        let charsmap = Charsmap::parse(&spec.charsmap)
            .ok_or_else(|| Error::damaged(name, "its precompiled_charsmap is malformed"))?;
        Ok(Self {
            charsmap,
            spec,
            marks_are_suffixes,
        })
    }

    /// Normalizes a text. `kept` are the strings that stay as they are.
    pub fn normalize(&self, text: &str, kept: &Prefixes) -> Normalized {
        let mut normalized = Normalized::default();
        let mut at = 0;
        while self.spec.removes_spaces && at < text.len() {
            let (" ", length) = self.prefix(&text[at..], kept) else {
                break;
            };
            at += length;
        }
        if at == text.len() {
            return normalized;
        }
        let mark = if self.spec.escapes_spaces { MARK } else { " " };
        if !self.marks_are_suffixes && self.spec.adds_mark {
            normalized.push(mark, at);
        }
        let mut after_space = self.spec.removes_spaces;
        while at < text.len() {
            let (mut part, length) = self.prefix(&text[at..], kept);
            if after_space {
                part = part.trim_start_matches(' ');
            }
            if !part.is_empty() {
                for (index, words) in part.split(' ').enumerate() {
                    if index > 0 {
                        normalized.push(mark, at);
                    }
                    normalized.push(words, at);
                }
                after_space = part.ends_with(' ');
            }
            at += length;
            after_space &= self.spec.removes_spaces;
        }
        let mut end = at;
        while self.spec.removes_spaces && normalized.text.ends_with(mark) {
            let length = normalized.text.len() - mark.len();
            end = normalized.origins[length];
            normalized.text.truncate(length);
            normalized.origins.truncate(length);
        }
        if self.marks_are_suffixes && self.spec.adds_mark {
            normalized.push(mark, end);
        }
        normalized.origins.push(end);
        normalized
    }

    /// Returns what the start of a text, which is not empty, is replaced by, and the length of the start in bytes.
    fn prefix<'a>(&'a self, text: &'a str, kept: &Prefixes) -> (&'a str, usize) {
        if let Some(length) = kept.longest(text) {
            return (&text[..length], length);
        }
        match self.charsmap.longest(text) {
            Some((length, replacement)) => (replacement, length),
            None => {
                let length = text.chars().next().map_or(0, char::len_utf8);
                (&text[..length], length)
            }
        }
    }
}
