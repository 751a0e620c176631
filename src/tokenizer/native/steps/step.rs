//! The normalizers of the `tokenizers` crate that are implemented here, one by one.

use memchr::memmem::Finder;
use unicode_normalization_alignments::char::{canonical_combining_class, is_combining_mark};
use unicode_normalization_alignments::{IsNormalized, UnicodeNormalization};
use unicode_normalization_alignments::{is_nfc_quick, is_nfd_quick, is_nfkc_quick, is_nfkd_quick};

use super::transform::StepScratch;
use crate::tokenizer::native::aligned_text::AlignedText;
use crate::tokenizer::native::charsmap::Charsmap;
use crate::tokenizer::pinned_unicode::lower_case;

/// A normalizer.
#[derive(Debug)]
pub enum Step {
    Strip {
        left: bool,
        right: bool,
    },
    Charsmap(Box<Charsmap>),
    /// Replaces a string that is not empty.
    Replace {
        pattern: Box<Finder<'static>>,
        content: String,
    },
    /// Replaces each run of at least two spaces.
    CollapseSpaces {
        content: String,
    },
    /// Replaces each run of white space.
    ReplaceWhite {
        content: String,
    },
    /// Replaces each run of at least two white spaces, and each line feed, carriage return and tab.
    CollapseWhite {
        content: String,
    },
    Form(Form),
    Lowercase,
    StripAccents,
    Nmt,
    Prepend(String),
}

/// A normalization form of Unicode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Nfc,
    Nfd,
    Nfkc,
    Nfkd,
}

impl Step {
    /// Applies the step to a text. Returns true if the ranges of all the text after a removed character are wrong, as
    /// they then are in the reference.
    pub fn apply<const RANGES: bool>(
        &self,
        text: &mut AlignedText,
        scratch: &mut StepScratch,
    ) -> bool {
        match self {
            Self::Strip { left, right } => strip(text, *left, *right),
            Self::Charsmap(map) => return apply_charsmap::<RANGES>(map, text, scratch),
            Self::Replace { pattern, content } => {
                let length = pattern.needle().len();
                let parts = pattern.find_iter(text.text.as_bytes());
                let parts: Vec<_> = parts.map(|start| (start, start + length)).collect();
                scratch.replace::<RANGES>(text, parts.into_iter(), content);
            }
            Self::CollapseSpaces { content } => {
                if text.text.contains("  ") {
                    let runs = runs_of_spaces(&text.text);
                    scratch.replace::<RANGES>(text, runs.into_iter(), content);
                }
            }
            Self::ReplaceWhite { content } => {
                let runs = runs_of_white(&text.text, content);
                scratch.replace::<RANGES>(text, runs.into_iter(), content);
            }
            Self::CollapseWhite { content } => {
                let mut runs = runs_of_white(&text.text, content);
                runs.retain(|(start, end)| is_collapsed(&text.text[*start..*end]));
                scratch.replace::<RANGES>(text, runs.into_iter(), content);
            }
            Self::Form(form) => form.apply::<RANGES>(text, scratch),
            Self::Lowercase => lowercase::<RANGES>(text, scratch),
            Self::StripAccents => {
                scratch.filter::<RANGES>(text, |character| !is_combining_mark(character));
            }
            Self::Nmt => {
                scratch.filter::<RANGES>(text, |character| nmt(character).is_some());
                scratch.map::<RANGES>(text, |character| nmt(character).unwrap_or(character));
            }
            Self::Prepend(content) => prepend::<RANGES>(text, content),
        }
        false
    }

    /// Returns true if the step normalizes the parts of a text as it does the text, whose white space may begin a part
    /// after a character of ASCII.
    pub fn is_local(&self) -> bool {
        matches!(
            self,
            Self::ReplaceWhite { .. } | Self::Form(_) | Self::Lowercase | Self::StripAccents
        )
    }

    /// Returns true if the step leaves a character unchanged, alone and next to any other such characters. The character
    /// is not white space. A longer pattern that begins with an ASCII character is left to the caller.
    pub fn keeps(&self, character: char) -> bool {
        match self {
            Self::Strip { .. }
            | Self::CollapseSpaces { .. }
            | Self::ReplaceWhite { .. }
            | Self::CollapseWhite { .. } => true,
            Self::Charsmap(map) => map.is_plain_char(character),
            Self::Replace { pattern, .. } => {
                let pattern = pattern.needle();
                let is_long = pattern.len() > 1 && character.is_ascii();
                is_long || !pattern.starts_with(character.encode_utf8(&mut [0; 4]).as_bytes())
            }
            Self::Form(form) => character.is_ascii() || form.keeps(character),
            Self::Lowercase => lower_case(character).eq([character]),
            Self::StripAccents => !is_combining_mark(character),
            Self::Nmt => nmt(character) == Some(character),
            Self::Prepend(_) => false,
        }
    }
}

impl Form {
    fn apply<const RANGES: bool>(self, text: &mut AlignedText, scratch: &mut StepScratch) {
        if text.text.is_ascii() {
            return;
        }
        let changes = &mut scratch.changes;
        changes.clear();
        let spelled = text.text.as_str();
        match self {
            Self::Nfc => changes.extend(spelled.nfc()),
            Self::Nfd => changes.extend(spelled.nfd()),
            Self::Nfkc => changes.extend(spelled.nfkc()),
            Self::Nfkd => changes.extend(spelled.nfkd()),
        }
        scratch.transform::<RANGES>(text, 0);
    }

    /// Returns true if the form leaves a character unchanged and in place, whatever is next to it.
    fn keeps(self, character: char) -> bool {
        let alone = std::iter::once(character);
        let check = match self {
            Self::Nfc => is_nfc_quick(alone),
            Self::Nfd => is_nfd_quick(alone),
            Self::Nfkc => is_nfkc_quick(alone),
            Self::Nfkd => is_nfkd_quick(alone),
        };
        check == IsNormalized::Yes && canonical_combining_class(character) == 0
    }
}

fn strip(text: &mut AlignedText, left: bool, right: bool) {
    let has_ranges = !text.ranges.is_empty();
    if right {
        let end = text.text.trim_end().len();
        text.text.truncate(end);
        text.ranges.truncate(end);
    }
    if left {
        let start = text.text.len() - text.text.trim_start().len();
        text.text.drain(..start);
        if has_ranges {
            text.ranges.drain(..start);
        }
    }
}

/// Applies a character map, like `Precompiled::normalize`. Returns true if it removes the first character: with no
/// character before it, the reference loses count, and later characters get the ranges of earlier ones.
fn apply_charsmap<const RANGES: bool>(
    map: &Charsmap,
    text: &mut AlignedText,
    scratch: &mut StepScratch,
) -> bool {
    if text.text.bytes().all(|byte| map.is_plain(byte)) {
        return false;
    }
    let changes = &mut scratch.changes;
    changes.clear();
    let (mut modified, mut loses_count) = (false, false);
    map.for_each_part(&text.text, |part, replacement| {
        let Some(replacement) = replacement else {
            changes.extend(part.chars().map(|character| (character, 0)));
            return;
        };
        modified = true;
        let old = part.chars().count();
        let first = changes.len();
        changes.extend(replacement.chars().map(|character| (character, 0)));
        let new = changes.len() - first;
        if new > old {
            for (_, change) in &mut changes[first + old..] {
                *change = 1;
            }
        } else if new < old {
            match changes.last_mut() {
                Some((_, change)) => *change -= (old - new) as isize,
                None => loses_count = true,
            }
        }
    });
    if modified {
        scratch.transform::<RANGES>(text, 0);
    }
    loses_count
}

fn runs_of_spaces(text: &str) -> Vec<(usize, usize)> {
    let mut runs = Vec::new();
    let mut start = 0;
    while let Some(found) = memchr::memmem::find(&text.as_bytes()[start..], b"  ") {
        let first = start + found;
        let spaces = text.as_bytes()[first..].iter();
        let end = first + spaces.take_while(|byte| **byte == b' ').count();
        runs.push((first, end));
        start = end;
    }
    runs
}

/// Returns the runs of white space, except for those that already are `content`.
fn runs_of_white(text: &str, content: &str) -> Vec<(usize, usize)> {
    let mut runs = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find(char::is_whitespace) {
        let start = at + start;
        let run = &text[start..];
        let word = run.trim_start();
        at = text.len() - word.len();
        if &text[start..at] != content {
            runs.push((start, at));
        }
    }
    runs
}

/// Returns true if a run of white space is replaced when runs are collapsed.
fn is_collapsed(run: &str) -> bool {
    matches!(run, "\n" | "\r" | "\t") || run.chars().nth(1).is_some()
}

fn lowercase<const RANGES: bool>(text: &mut AlignedText, scratch: &mut StepScratch) {
    let is_lower = |byte: u8| byte.is_ascii() && !byte.is_ascii_uppercase();
    if text.text.bytes().all(is_lower) {
        return;
    }
    if text.text.is_ascii() {
        return text.text.make_ascii_lowercase();
    }
    scratch.changes.clear();
    for character in text.text.chars() {
        let lower = lower_case(character).enumerate();
        let changes = lower.map(|(index, lower)| (lower, isize::from(index > 0)));
        scratch.changes.extend(changes);
    }
    scratch.transform::<RANGES>(text, 0);
}

/// Returns the character that the `Nmt` normalizer puts in place of another, or `None` if it removes it.
fn nmt(character: char) -> Option<char> {
    match character {
        '\u{1}'..='\u{8}' | '\u{b}' | '\u{e}'..='\u{1f}' | '\u{7f}' | '\u{8f}' | '\u{9f}' => None,
        '\t'
        | '\n'
        | '\u{c}'
        | '\r'
        | '\u{1680}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'
        | '\u{2029}'
        | '▁'
        | '\u{feff}'
        | '\u{fffd}' => Some(' '),
        other => Some(other),
    }
}

/// Inserts a string before a text that is not empty. It has the range of the first character.
fn prepend<const RANGES: bool>(text: &mut AlignedText, content: &str) {
    if text.text.is_empty() {
        return;
    }
    text.text.insert_str(0, content);
    if RANGES && let Some(first) = text.ranges.first().copied() {
        let ranges = std::iter::repeat_n(first, content.len());
        text.ranges.splice(..0, ranges);
    }
}
