//! The normalizer of SentencePiece.

use super::vocabulary::UserDefined;
use crate::error::{Error, Result};
use crate::formats::sentencepiece_spec::NormalizerSpec;
use crate::tokenizer::native::{Charsmap, MARK};

/// The least number of normalized bytes that are taken at once.
pub const BLOCK: usize = 1 << 15;

/// Replaces characters by the rules of a file, and spaces by marks.
#[derive(Debug)]
pub struct Normalizer {
    charsmap: Charsmap,
    spec: NormalizerSpec,
    marks_are_suffixes: bool,
    /// By code, true for each ASCII character that stays as it is before another ASCII character. A space becomes a
    /// mark.
    plain: [bool; 128],
}

/// A part of a normalized text.
#[derive(Debug, Default)]
pub struct Normalized {
    pub text: String,
    /// For each byte of the part, and its end, the position in the original text. Empty if positions are not needed.
    pub origins: Vec<usize>,
    has_origins: bool,
}

impl Normalized {
    /// Returns the half-open range of the original text that a range of this part comes from.
    pub fn origin(&self, start: usize, end: usize) -> (usize, usize) {
        let at = |place: usize| self.origins.get(place).copied().unwrap_or_default();
        (at(start), at(end))
    }

    fn push(&mut self, text: &str, origin: usize) {
        self.text.push_str(text);
        if self.has_origins {
            self.origins.resize(self.text.len(), origin);
        }
    }

    /// Appends a text of which each byte comes from a position of its own, from `origin` on.
    fn push_run(&mut self, text: &str, origin: usize) {
        self.text.push_str(text);
        if self.has_origins {
            self.origins.extend(origin..origin + text.len());
        }
    }

    /// Removes the first `count` bytes.
    fn remove(&mut self, count: usize) {
        self.text.drain(..count);
        if self.has_origins {
            self.origins.drain(..count);
        }
    }
}

/// A part of a normalized text that is ready to be split.
pub struct Part<'a> {
    pub normalized: &'a Normalized,
    /// The length of the text that does not change any more.
    pub length: usize,
    /// True if nothing follows.
    pub is_last: bool,
}

impl Part<'_> {
    /// Returns the text that does not change any more.
    pub fn text(&self) -> &str {
        self.normalized.text.get(..self.length).unwrap_or_default()
    }
}

impl Normalizer {
    /// Creates the normalizer of the file called `name` from its settings and compiled rules. `kept` are the strings that
    /// will stay as they are.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`] if the rules are malformed.
    pub fn new(
        name: &str,
        (spec, rules): (NormalizerSpec, &[u8]),
        marks_are_suffixes: bool,
        kept: UserDefined<'_>,
    ) -> Result<Self> {
        let charsmap = Charsmap::parse(rules)
            .ok_or_else(|| Error::damaged(name, "its precompiled_charsmap is malformed"))?;
        let mut plain = [false; 128];
        for (code, is_plain) in (0..).zip(&mut plain) {
            *is_plain = code != 0 && charsmap.has_no_ascii_rule(code) && !kept.begin_with(code);
        }
        Ok(Self {
            charsmap,
            spec,
            marks_are_suffixes,
            plain,
        })
    }

    /// Normalizes a text whose strings in `kept` stay as they are.
    pub fn normalize(&self, text: &str, kept: UserDefined<'_>) -> String {
        let mut whole = String::new();
        self.parts::<false>(text, kept, |part| {
            if part.is_last {
                whole.push_str(&part.normalized.text);
            }
            0
        });
        whole
    }

    /// Normalizes a text and calls `take` with each part of it, which returns the number of bytes that are done with. The
    /// other bytes begin the next part. At least one of the bytes before the last part must be left over.
    pub fn parts<const ORIGINS: bool>(
        &self,
        text: &str,
        kept: UserDefined<'_>,
        mut take: impl FnMut(&Part<'_>) -> usize,
    ) {
        let mut normalized = Normalized {
            has_origins: ORIGINS,
            ..Normalized::default()
        };
        let spec = &self.spec;
        let mut at = 0;
        while spec.removes_spaces && at < text.len() {
            let (" ", length) = self.prefix(&text[at..], kept) else {
                break;
            };
            at += length;
        }
        if at == text.len() {
            return;
        }
        let mark = if spec.escapes_spaces { MARK } else { " " };
        if !self.marks_are_suffixes && spec.adds_mark {
            normalized.push(mark, at);
        }
        let mut after_space = spec.removes_spaces;
        let mut limit = BLOCK;
        while at < text.len() {
            let run = self.plain_run(&text.as_bytes()[at..]);
            if run > 0 {
                self.push_plain(&mut normalized, &text[at..at + run], at, &mut after_space);
                at += run;
            } else {
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
                after_space &= spec.removes_spaces;
            }
            if normalized.text.len() >= limit && at < text.len() {
                let length = match spec.removes_spaces {
                    true => normalized.text.trim_end_matches(mark).len(),
                    false => normalized.text.len(),
                };
                let part = Part {
                    normalized: &normalized,
                    length,
                    is_last: false,
                };
                let taken = take(&part);
                normalized.remove(taken);
                limit = (normalized.text.len() * 2).max(BLOCK);
            }
        }
        let mut end = at;
        while spec.removes_spaces && normalized.text.ends_with(mark) {
            let length = normalized.text.len() - mark.len();
            end = normalized.origins.get(length).copied().unwrap_or_default();
            normalized.text.truncate(length);
            normalized.origins.truncate(length);
        }
        if self.marks_are_suffixes && spec.adds_mark {
            normalized.push(mark, end);
        }
        if ORIGINS {
            normalized.origins.push(end);
        }
        take(&Part {
            length: normalized.text.len(),
            normalized: &normalized,
            is_last: true,
        });
    }

    /// Returns the number of plain bytes at the start of a text, of at most a block. Each of them is followed by an
    /// ASCII character or the end of the text.
    fn plain_run(&self, text: &[u8]) -> usize {
        let text = &text[..text.len().min(BLOCK)];
        let is_plain = |byte: &u8| self.plain.get(usize::from(*byte)) == Some(&true);
        match text.iter().position(|byte| !is_plain(byte)) {
            Some(run) if text[run] >= 128 => run.saturating_sub(1),
            Some(run) => run,
            // The byte after the block is not looked at.
            None if text.len() == BLOCK => BLOCK - 1,
            None => text.len(),
        }
    }

    /// Appends a run of plain bytes that begins at `at` in the original text.
    fn push_plain(
        &self,
        normalized: &mut Normalized,
        run: &str,
        at: usize,
        after_space: &mut bool,
    ) {
        let spec = &self.spec;
        let mark = if spec.escapes_spaces { MARK } else { " " };
        let mut start = 0;
        for space in memchr::memchr_iter(b' ', run.as_bytes()) {
            if start < space {
                normalized.push_run(&run[start..space], at + start);
                *after_space = false;
            }
            if !*after_space {
                normalized.push(mark, at + space);
            }
            *after_space = spec.removes_spaces;
            start = space + 1;
        }
        if start < run.len() {
            normalized.push_run(&run[start..], at + start);
            *after_space = false;
        }
    }

    /// Returns what the start of a text, which is not empty, is replaced by, and the length of the start in bytes.
    fn prefix<'a>(&'a self, text: &'a str, kept: UserDefined<'_>) -> (&'a str, usize) {
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
