//! Plain words: the steps change them to lower case at most, so they go straight to the model.

use memchr::memmem::Finder;

use super::step::Step;
use crate::tokenizer::native::normalize::METASPACE;
use crate::tokenizer::native::plain_chars::PlainChars;

/// A chunk that goes straight to the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlainWord<'t> {
    /// The word as the model gets it, without `▁`.
    pub text: &'t str,
    /// True if `▁` stands for a space that begins the chunk. Otherwise, it is inserted before the word.
    pub spaced: bool,
}

/// The plain characters of a list of steps. Each has one byte, or is left unchanged.
#[derive(Debug)]
pub struct PlainWords {
    /// The normalized form of each printable ASCII character, by code. Zero if the character is not plain.
    ascii: [u8; 128],
    /// By code, true if a pattern of several characters begins with the character.
    begins_pattern: [bool; 128],
    patterns: Vec<Finder<'static>>,
    others: PlainChars,
}

impl PlainWords {
    pub fn new(steps: &[Step]) -> Self {
        let mut plain = Self {
            ascii: [0; 128],
            begins_pattern: [false; 128],
            patterns: steps.iter().filter_map(pattern).cloned().collect(),
            others: PlainChars::new(),
        };
        for byte in b'!'..=b'~' {
            let normalized = normalized(steps, byte);
            let index = usize::from(byte);
            plain.ascii[index] = normalized.unwrap_or(0);
            let mut starts = plain.patterns.iter().map(|pattern| pattern.needle()[0]);
            plain.begins_pattern[index] =
                starts.any(|start| start == byte || Some(start) == normalized);
        }
        plain
    }

    /// Returns the word as the model gets it, in `buffer` if the steps change its case. Returns `None` if the word is not
    /// plain.
    #[inline]
    pub fn normalized<'t>(
        &self,
        steps: &[Step],
        word: &'t str,
        buffer: &'t mut String,
    ) -> Option<&'t str> {
        let (mut changes, mut is_watched) = (false, false);
        for character in word.chars() {
            let code = character as usize;
            if let Some(normalized) = self.ascii.get(code) {
                if *normalized == 0 {
                    return None;
                }
                changes |= usize::from(*normalized) != code;
                is_watched |= self.begins_pattern[code];
            } else if !self.others.contains(character, |other| keep(steps, other)) {
                return None;
            }
        }
        let mut normalized = word;
        if changes {
            buffer.clear();
            buffer.extend(word.chars().map(|character| {
                let known = self.ascii.get(character as usize);
                known.map_or(character, |normalized| char::from(*normalized))
            }));
            normalized = buffer;
        }
        let has_pattern = |text: &str| {
            let mut patterns = self.patterns.iter();
            patterns.any(|pattern| pattern.find(text.as_bytes()).is_some())
        };
        let is_plain = !is_watched || !(has_pattern(word) || has_pattern(normalized));
        is_plain.then_some(normalized)
    }

    /// Returns true if a character is never changed, even at the end of a plain word.
    pub fn keeps_mark(&self, byte: u8) -> bool {
        let mut patterns = self.patterns.iter();
        self.ascii.get(usize::from(byte)) == Some(&byte)
            && !patterns.any(|pattern| pattern.needle().contains(&byte))
    }
}

/// Returns the pattern of a step if it is longer than one byte.
fn pattern(step: &Step) -> Option<&Finder<'static>> {
    match step {
        Step::Replace { pattern, .. } if pattern.needle().len() > 1 => Some(pattern),
        _ => None,
    }
}

/// Returns the normalized form of an ASCII character. Returns `None` if the steps change more than its case.
fn normalized(steps: &[Step], byte: u8) -> Option<u8> {
    steps.iter().try_fold(byte, |byte, step| match step {
        Step::Lowercase => Some(byte.to_ascii_lowercase()),
        step => step.keeps(char::from(byte)).then_some(byte),
    })
}

/// Returns true if no step changes a character, whatever plain characters are next to it.
fn keep(steps: &[Step], character: char) -> bool {
    let is_special = character.is_whitespace() || character == METASPACE;
    !is_special && steps.iter().all(|step| step.keeps(character))
}
