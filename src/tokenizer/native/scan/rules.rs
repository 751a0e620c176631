//! The patterns that descend from GPT-2's: contractions, words, numbers, other characters, white space.

use super::kind_runs::KindSet;
use super::kind_runs::{HAN, LINE_BREAK, LOWER, MARK, NUMBER, UNCASED, UPPER, WHITE};
use super::kinds::ascii_kind;
use super::view::View;

pub const LETTER: KindSet = UPPER | LOWER | UNCASED;

/// A pattern as its alternatives, which are tried in the order of the fields.
///
/// The kinds of characters tell the alternatives apart, so none is tried twice on a run of characters and the time grows
/// with the length of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// The markers of CLIP, `<|startoftext|>` and `<|endoftext|>`.
    pub markers: bool,
    pub contractions: Contractions,
    /// One character of ASCII punctuation with the letters of ASCII that follow.
    pub punctuated: bool,
    /// Letters.
    pub words: Words,
    /// One character of these may precede a word.
    pub prefix: KindSet,
    /// The greatest number of digits in a word; 0 if numbers are not matched.
    pub digits: usize,
    /// A space may precede numbers.
    pub spaced_digits: bool,
    /// The other characters.
    pub others: KindSet,
    /// A space may precede other characters.
    pub spaced_others: bool,
    /// What may follow other characters.
    pub suffix: Suffix,
    /// White space.
    pub white: White,
    /// Characters that are not matched are dropped; otherwise they form words between the matches.
    pub dropped: bool,
}

/// The endings `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll`, and `'d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contractions {
    None,
    /// In lower case.
    Exact,
    /// In any case.
    Folded,
}

/// How letters form words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// Runs of characters of the set, which has all letters of ASCII.
    Run(KindSet),
    /// Upper case followed by lower case, and a contraction if `contracted`. Letters without case and marks are both.
    /// Ideographs are words by themselves if `han`.
    Cased { contracted: bool, han: bool },
}

/// Characters that may follow other characters: `[\r\n]*` or `[\r\n/]*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suffix {
    None,
    Lines,
    LinesAndSlashes,
}

/// How white space is split. A run that is not at the end leaves its last character to the next word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum White {
    /// It is not matched.
    None,
    /// `\s+(?!\S)|\s+`
    Runs,
    /// `[\r\n]|\s+(?!\S)|\s+`
    LineByLine,
    /// `\s*[\r\n]+|\s+(?!\S)|\s+`
    Lines,
    /// `\s++$|\s*[\r\n]|\s+(?!\S)|\s`
    LinesAndEnd,
}

impl Rules {
    /// Returns the first word at or after byte `at`. Returns `None` if the view has no word there.
    pub fn next(&self, text: View<'_>, at: usize) -> Option<(usize, usize)> {
        let mut start = at;
        loop {
            let (kind, length) = text.kind(start);
            if kind == 0 {
                return (start > at && !self.dropped).then_some((at, start));
            }
            if let Some(end) = self.end(text, start, kind, length) {
                return Some(match start > at && !self.dropped {
                    true => (at, start),
                    false => (start, end),
                });
            }
            start += length;
        }
    }

    /// Returns the kinds of the characters that are matched wherever they are.
    pub fn matched(&self) -> KindSet {
        let words = match self.words {
            Words::Run(set) => set,
            Words::Cased { .. } => LETTER | MARK,
        };
        let numbers = if self.digits > 0 { NUMBER } else { 0 };
        let white = if self.white == White::None { 0 } else { WHITE };
        words | numbers | self.others | white
    }

    /// Returns true if up to three numbers in a row, and nothing else, are one word.
    pub fn keeps_groups(&self) -> bool {
        match self.digits {
            0 => self.matched() & NUMBER == 0 && !self.dropped,
            digits => digits >= 3 && !matches!(self.words, Words::Run(set) if set & NUMBER != 0),
        }
    }

    /// Returns true if a word always ends between these bytes of ASCII, and no word depends on both.
    pub fn always_splits(&self, before: u8, after: u8) -> bool {
        let (before_kind, after_kind) = (ascii_kind(before), ascii_kind(after));
        let words = match self.words {
            Words::Run(set) => set,
            Words::Cased { .. } => LETTER,
        };
        let contracted = matches!(
            self.words,
            Words::Cased {
                contracted: true,
                ..
            }
        );
        if before_kind & LINE_BREAK != 0 {
            let by_lines = matches!(self.white, White::Lines | White::LinesAndEnd);
            let joined = self.suffix == Suffix::LinesAndSlashes && after == b'/';
            by_lines && after_kind & WHITE == 0 && !joined
        } else if after_kind & WHITE != 0 {
            let joined = self.suffix != Suffix::None && after_kind & LINE_BREAK != 0;
            before_kind & (words | NUMBER) != 0 || before_kind & self.others != 0 && !joined
        } else if self.markers {
            // A word may depend on the marker before it.
            false
        } else if before_kind & words != 0 {
            after_kind & words == 0 && !(contracted && after == b'\'')
        } else {
            self.digits > 0 && before_kind & NUMBER != 0 && after_kind & NUMBER == 0
        }
    }

    /// Returns the end of the match that starts at `at`, with a character of `kind` and `length`.
    fn end(&self, text: View<'_>, at: usize, kind: KindSet, length: usize) -> Option<usize> {
        if self.markers && ends_marker(text, at) {
            return Some(at + 2);
        }
        if self.contractions != Contractions::None
            && let Some(end) = contraction(text, at, self.contractions)
        {
            return Some(end);
        }
        if self.punctuated
            && text.ascii(at).is_ascii_punctuation()
            && text.ascii(at + 1).is_ascii_alphabetic()
        {
            return Some(text.ascii_letters(at + 1));
        }
        if let Some(end) = self.word(text, at, kind, length) {
            return Some(end);
        }
        let after_space = match text.ascii(at) {
            b' ' => at + 1,
            _ => at,
        };
        if self.digits > 0 {
            let start = if self.spaced_digits { after_space } else { at };
            let end = text.run_of(start, NUMBER, self.digits);
            if end > start {
                return Some(end);
            }
        }
        let start = if self.spaced_others { after_space } else { at };
        let end = text.run(start, self.others);
        if end > start {
            return Some(self.suffix(text, end));
        }
        self.white(text, at)
    }

    fn word(&self, text: View<'_>, at: usize, kind: KindSet, length: usize) -> Option<usize> {
        let set = match self.words {
            Words::Run(set) => set,
            Words::Cased { contracted, han } => {
                if han && kind & HAN != 0 {
                    return Some(text.run(at, HAN));
                }
                let end = self.cased(text, at, kind, length, if han { !HAN } else { !0 })?;
                let contraction = contracted.then(|| contraction(text, end, Contractions::Folded));
                return Some(contraction.flatten().unwrap_or(end));
            }
        };
        let start = match kind & set != 0 {
            true => at,
            false if kind & self.prefix != 0 => at + length,
            false => return None,
        };
        let end = text.letters(start, set);
        (end > start).then_some(end)
    }

    /// Matches `P?U*L+|P?U+L*`, where a prefix P that is a mark is also in U and L.
    fn cased(
        &self,
        text: View<'_>,
        at: usize,
        kind: KindSet,
        length: usize,
        among: KindSet,
    ) -> Option<usize> {
        let upper = (UPPER | UNCASED | MARK) & among;
        let lower = (LOWER | UNCASED | MARK) & among;
        let prefixed = (kind & self.prefix != 0).then_some(at + length);
        let starts = [prefixed, Some(at)].into_iter().flatten();
        let lowered = |start| {
            let (end, last_lower) = upper_run(text, start, upper, lower);
            let lower_end = text.lower(end, lower);
            if lower_end > end {
                Some(lower_end)
            } else {
                last_lower
            }
        };
        let uppered = |start| {
            let end = text.run(start, upper);
            (end > start).then(|| text.run(end, lower))
        };
        starts
            .clone()
            .find_map(lowered)
            .or_else(|| starts.clone().find_map(uppered))
    }

    fn suffix(&self, text: View<'_>, mut end: usize) -> usize {
        if self.suffix == Suffix::None {
            return end;
        }
        let slashes = self.suffix == Suffix::LinesAndSlashes;
        while matches!(text.ascii(end), b'\r' | b'\n') || slashes && text.ascii(end) == b'/' {
            end += 1;
        }
        end
    }

    fn white(&self, text: View<'_>, at: usize) -> Option<usize> {
        if self.white == White::None {
            return None;
        }
        if self.white == White::LineByLine && matches!(text.ascii(at), b'\r' | b'\n') {
            return Some(at + 1);
        }
        let (mut last, mut end, mut lines_end) = (at, at, at);
        let after = loop {
            let (kind, length) = text.kind(end);
            if kind & WHITE == 0 {
                break kind;
            }
            last = end;
            end += length;
            if kind & LINE_BREAK != 0 {
                lines_end = end;
            }
        };
        if end == at {
            return None;
        }
        let lines = match self.white {
            White::Lines => lines_end > at,
            White::LinesAndEnd => lines_end > at && after != 0,
            _ => false,
        };
        Some(if lines {
            lines_end
        } else if after == 0 || last == at {
            end
        } else {
            last
        })
    }
}

/// Returns the end of the run of `upper` that starts at `at`, and the end of the last character of it in `lower`.
fn upper_run(text: View<'_>, at: usize, upper: KindSet, lower: KindSet) -> (usize, Option<usize>) {
    let (mut end, mut last_lower) = (at, None);
    loop {
        let (kind, length) = text.kind(end);
        if kind & upper == 0 {
            return (end, last_lower);
        }
        end += length;
        if kind & lower != 0 {
            last_lower = Some(end);
        }
    }
}

/// Returns the end of the contraction that starts at byte `at`. Returns `None` if no contraction starts there.
#[inline]
pub fn contraction(text: View<'_>, at: usize, contractions: Contractions) -> Option<usize> {
    if text.ascii(at) != b'\'' {
        return None;
    }
    let folded = contractions == Contractions::Folded;
    let letter = |at| {
        let byte = text.ascii(at);
        if folded {
            byte.to_ascii_lowercase()
        } else {
            byte
        }
    };
    let length = match (letter(at + 1), letter(at + 2)) {
        (b's' | b't' | b'm' | b'd', _) => 2,
        (b'r' | b'v', b'e') | (b'l', b'l') => 3,
        // The long s is an s in another case.
        _ if folded && text.starts_with(at + 1, "\u{17f}") => 3,
        _ => return None,
    };
    Some(at + length)
}

const MARKERS: [&str; 2] = ["<|startoftext|>", "<|endoftext|>"];

/// Returns true if a marker of CLIP ends with the `|>` at byte `at`.
///
/// A marker is a match of CLIP's pattern, which GPT-2's pattern then splits into three words: `<|`, letters, and `|>`.
/// The first two are also words outside of a marker. The last one would otherwise be longer if punctuation follows it.
///
/// A marker starts where a match does, so no other character stands before it unless that one ends a marker too. As
/// each end looks back over all markers in a row, the time grows with the square of their number. In the files of CLIP,
/// markers are added tokens, which no scanner sees.
fn ends_marker(text: View<'_>, at: usize) -> bool {
    let other = !(LETTER | NUMBER | WHITE);
    let marker_before = |end| MARKERS.iter().find(|marker| text.ends_with(end, marker));
    if !text.starts_with(at, "|>") {
        return false;
    }
    let Some(marker) = marker_before(at + 2) else {
        return false;
    };
    let mut start = at + 2 - marker.len();
    while let Some(marker) = marker_before(start) {
        start -= marker.len();
    }
    text.kind_before(start) & other == 0
}
