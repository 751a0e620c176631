//! Words in ASCII, the majority of words in most texts.
//!
//! This is the hot path: letters are found eight bytes at a time, and any other word by looking up each of its bytes
//! once.

use super::kind_runs::KindSet;
use super::kind_runs::{BLANK, LINE_BREAK, NUMBER, WHITE};
use super::kinds::ascii_kind;
use super::rules::{Contractions, Rules, Suffix, White, Words, contraction};
use super::view::{View, ascii_letters, ascii_lower, ascii_upper};

/// Finds the words of some rules as long as they are in ASCII, and leaves the others to the rules.
#[derive(Debug, Clone)]
pub struct Fast {
    rules: Rules,
    /// The kinds that an earlier step leaves together.
    visible: KindSet,
    classes: [Class; 256],
    /// A space before a word is dropped; otherwise it belongs to the word.
    drops_space: bool,
    /// One other character may precede letters. A prefix is either all of them or none.
    prefixed: bool,
    /// One character of white space may precede letters.
    white_prefixed: bool,
}

/// A class of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Digit,
    Other,
    White,
    Line,
    /// An earlier step ends the text before it.
    End,
    /// Only the rules know.
    Special,
}

impl Fast {
    /// Returns `None` if the words of these rules are not found faster.
    pub fn new(rules: &Rules, visible: KindSet) -> Option<Self> {
        let spaced = rules.prefix & BLANK != 0 && rules.spaced_others && rules.white != White::None;
        let drops_space = rules.dropped
            && rules.prefix == 0
            && !rules.spaced_others
            && !rules.spaced_digits
            && rules.white == White::None
            && rules.others & BLANK == 0;
        let letters = ascii_kind(b'a') | ascii_kind(b'A') | BLANK;
        if !spaced && !drops_space || letters & !visible != 0 {
            return None;
        }
        let mut classes = [Class::Special; 256];
        for byte in 0..128 {
            classes[usize::from(byte)] = Class::of(byte, rules, visible);
        }
        Some(Self {
            rules: *rules,
            visible,
            classes,
            drops_space,
            prefixed: rules.others & !rules.prefix == 0 || rules.punctuated,
            white_prefixed: ascii_kind(b'\t') & rules.prefix != 0,
        })
    }

    /// From now on, finds only words of letters.
    pub fn only_letters(mut self) -> Self {
        for class in &mut self.classes {
            if *class != Class::Letter {
                *class = Class::Special;
            }
        }
        self
    }

    /// Returns the first word at or after byte `at`. Returns `None` if it is not found here.
    #[inline]
    pub fn next(&self, text: &[u8], at: usize) -> Option<(usize, usize)> {
        let mut start = at + usize::from(text.get(at) == Some(&b' '));
        let mut from = at;
        if self.drops_space {
            while matches!(self.class(text, start), Class::White | Class::Line) {
                start += 1;
            }
            from = start;
        }
        let end = match self.letters(text, start) {
            Some(end) if end > start => end,
            _ => self.others(text, from, start)?,
        };
        Some((from, end))
    }

    /// Returns the end of the word of letters at `at`, which may be empty. Returns `None` if it is not in ASCII.
    #[inline]
    fn letters(&self, text: &[u8], at: usize) -> Option<usize> {
        let contracted = match self.rules.words {
            Words::Run(set) => {
                let mut end = ascii_letters(text, at);
                loop {
                    match text.get(end) {
                        Some(byte) if !byte.is_ascii() => return None,
                        // A set may have more of ASCII than its letters.
                        Some(byte) if ascii_kind(*byte) & set != 0 => end += 1,
                        _ => return Some(end),
                    }
                }
            }
            Words::Cased { contracted, .. } => contracted,
        };
        // Most words have at most one capital.
        let mut end = at + usize::from(text.get(at).is_some_and(u8::is_ascii_uppercase));
        if text.get(end).is_some_and(u8::is_ascii_uppercase) {
            end = ascii_upper(text, end);
        }
        end = ascii_lower(text, end);
        match text.get(end) {
            Some(b'\'') if contracted && end > at => {
                let text = View::new(text, self.visible);
                contraction(text, end, Contractions::Folded).or(Some(end))
            }
            Some(byte) if !byte.is_ascii() => None,
            _ => Some(end),
        }
    }

    /// Returns the end of the word from `from` on, which does not start with letters or a space and letters: `start` is
    /// after the space.
    #[inline]
    fn others(&self, text: &[u8], from: usize, start: usize) -> Option<usize> {
        let mut end = start + 1;
        match self.class(text, start) {
            Class::Other
                if self.prefixed && from == start && self.class(text, end) == Class::Letter =>
            {
                match self.rules.punctuated {
                    true => Some(ascii_letters(text, end)),
                    false => self.letters(text, end),
                }
            }
            Class::Other => {
                while self.class(text, end) == Class::Other {
                    end += 1;
                }
                self.suffix(text, end)
            }
            Class::Digit if from == start || self.rules.spaced_digits => {
                let most = start.saturating_add(self.rules.digits);
                while end < most && self.class(text, end) == Class::Digit {
                    end += 1;
                }
                (end == most || self.class(text, end) != Class::Special).then_some(end)
            }
            Class::Digit => Some(start),
            Class::White
                if self.white_prefixed
                    && from == start
                    && self.class(text, end) == Class::Letter =>
            {
                self.letters(text, end)
            }
            Class::White | Class::Line => self.white(text, from),
            _ => None,
        }
    }

    /// Returns the end of the line breaks after other characters.
    fn suffix(&self, text: &[u8], mut end: usize) -> Option<usize> {
        match self.class(text, end) {
            Class::Special => return None,
            Class::Line if self.rules.suffix != Suffix::None => {}
            _ => return Some(end),
        }
        while self.class(text, end) == Class::Line {
            end += 1;
        }
        let slash = self.rules.suffix == Suffix::LinesAndSlashes && text.get(end) == Some(&b'/');
        (!slash).then_some(end)
    }

    fn white(&self, text: &[u8], at: usize) -> Option<usize> {
        if matches!(self.rules.white, White::LineByLine | White::None) {
            return None;
        }
        let (mut end, mut lines_end) = (at, at);
        let after = loop {
            match self.class(text, end) {
                Class::White => end += 1,
                Class::Line => {
                    end += 1;
                    lines_end = end;
                }
                after => break after,
            }
        };
        let by_lines = match self.rules.white {
            White::Lines => true,
            White::LinesAndEnd => after != Class::End,
            _ => false,
        };
        if after == Class::Special {
            None
        } else if by_lines && lines_end > at {
            Some(lines_end)
        } else if after == Class::End || end == at + 1 {
            Some(end)
        } else {
            Some(end - 1)
        }
    }

    #[inline]
    fn class(&self, text: &[u8], at: usize) -> Class {
        match text.get(at) {
            Some(byte) => self.classes[usize::from(*byte)],
            None => Class::End,
        }
    }
}

impl Class {
    fn of(byte: u8, rules: &Rules, visible: KindSet) -> Self {
        let kind = ascii_kind(byte);
        if kind & visible == 0 {
            Self::End
        } else if byte.is_ascii_alphabetic()
            || matches!(rules.words, Words::Run(set) if kind & set != 0)
        {
            Self::Letter
        } else if byte == b'\'' && rules.contractions != Contractions::None
            || byte == b'|' && rules.markers
        {
            Self::Special
        } else if kind & NUMBER != 0 && rules.digits > 0 {
            Self::Digit
        } else if kind & WHITE != 0 {
            if kind & LINE_BREAK != 0 {
                Self::Line
            } else {
                Self::White
            }
        } else if kind & rules.others != 0 {
            Self::Other
        } else {
            Self::Special
        }
    }
}
