//! The words of ASCII, found 64 bytes at a time: bit masks of the classes of bytes give a bit mask of the ends of words.

use super::ascii_masks::{AsciiMasks, BLOCK, Block};
use super::kind_runs::{BLANK, KindSet, LINE_BREAK, NUMBER, WHITE};
use super::kinds::ascii_kind;
use super::rules::{Contractions, LETTER, Rules, Suffix, White, Words};

/// The number of bytes after a place that may decide whether a word ends there.
const AHEAD: u32 = 2;

/// Finds the ends of the words of some rules in a block that begins with a word.
#[derive(Debug, Clone)]
pub struct WordEnds {
    contractions: Contractions,
    /// Upper case after lower case begins a word, and contractions belong to the word before them if they are folded.
    cased: bool,
    /// The number of digits in a word: one, three, or any number.
    digits: usize,
    spaced_digits: bool,
    /// Any character but letters, digits and line breaks may precede letters; otherwise only a space.
    any_prefix: bool,
    suffix: Suffix,
    /// Line breaks end a word of white space.
    by_lines: bool,
    /// Words of white space at the end of a text are like those before other characters.
    has_usual_end: bool,
}

impl WordEnds {
    /// Returns `None` if words of these rules need more than the classes of bytes around them.
    pub fn new(rules: &Rules) -> Option<Self> {
        let ascii: KindSet = (0..128).map(ascii_kind).fold(0, |all, kind| all | kind);
        let in_ascii = |set: KindSet| set & ascii;
        let (words, cased, contractions) = match rules.words {
            Words::Run(set) => (set, false, rules.contractions),
            Words::Cased { contracted, .. } => {
                let contractions = match contracted {
                    true => Contractions::Folded,
                    false => Contractions::None,
                };
                (LETTER, true, contractions)
            }
        };
        let others = !(LETTER | NUMBER | WHITE);
        let any_prefix = in_ascii(rules.prefix) == in_ascii(!(LETTER | NUMBER | LINE_BREAK));
        let is_known = in_ascii(words) == in_ascii(LETTER)
            && in_ascii(rules.others) == in_ascii(others)
            && (any_prefix || in_ascii(rules.prefix) == BLANK)
            && matches!(rules.digits, 1 | 3 | usize::MAX)
            && rules.spaced_others
            && !(rules.markers || rules.punctuated || rules.dropped)
            && !(cased && rules.contractions != Contractions::None)
            && matches!(rules.white, White::Runs | White::Lines | White::LinesAndEnd);
        is_known.then_some(Self {
            contractions,
            cased,
            digits: rules.digits,
            spaced_digits: rules.spaced_digits,
            any_prefix,
            suffix: rules.suffix,
            by_lines: rules.white != White::Runs,
            has_usual_end: rules.white != White::LinesAndEnd,
        })
    }

    /// Returns a bit for each place in a block where a word ends and another may begin. Stops before the first place that
    /// depends on bytes beyond ASCII or beyond the block. The text has `length` bytes from the start of the block on.
    #[inline]
    pub fn of(&self, block: &Block, length: usize) -> u64 {
        let masks = AsciiMasks::of(block);
        let (inside, end) = match length {
            0..BLOCK => ((1 << length) - 1, 1 << length),
            _ => (u64::MAX, 0),
        };
        let is_whole = masks.beyond & inside == 0 && end != 0 && self.has_usual_end;
        let mut limit = match is_whole {
            true => BLOCK as u32,
            false => (masks.beyond | end).trailing_zeros().saturating_sub(AHEAD),
        };
        if !self.has_usual_end {
            // Whether white space goes on to the end of the text is not known here, so only its start is certain.
            let white = masks.spaces | masks.controls;
            let first = (masks.beyond | end).trailing_zeros();
            let before = white.checked_shl(BLOCK as u32 - first).unwrap_or_default();
            let run = before.leading_ones().min(first);
            if run > 0 {
                limit = limit.min(first - run + 1);
            }
        }
        let starts = self.starts(block, &masks, inside, &mut limit);
        let (known, end) = match limit {
            64 => (u64::MAX, end),
            _ => ((1 << limit) - 1, 0),
        };
        (starts & inside & known | end) & !1
    }

    /// Returns a bit for each place where a word begins. Lowers `limit` to the first place that is not certain.
    #[inline]
    fn starts(&self, block: &Block, masks: &AsciiMasks, inside: u64, limit: &mut u32) -> u64 {
        let AsciiMasks {
            letters,
            digits,
            spaces,
            breaks,
            ..
        } = *masks;
        let white = spaces | masks.controls;
        let others = !(letters | digits | white) & inside;
        let mut doubt = 0;

        let after_space = spaces << 1;
        let other_starts = others & !(others << 1 | after_space);
        let prefixes = match self.any_prefix {
            true => other_starts | white & !breaks,
            false => spaces,
        };
        let mut letter_starts = letters & !(letters << 1 | prefixes << 1);
        if self.cased {
            let lower = letters & !masks.upper;
            letter_starts |= masks.upper & lower << 1;
        }
        let digit_starts = self.digit_starts(digits, after_space);

        // The last white space of a run begins a word, unless nothing follows.
        let before_word = !white >> 1 & inside >> 1;
        let mut white_starts = white & !(white << 1);
        if self.by_lines {
            let blanks = white & !breaks;
            let after_break = blanks & breaks << 1;
            white_starts |= white << 1 & blanks & before_word | after_break;
            // Breaks, blanks and breaks again are one word.
            let (after_runs, is_cut) = blanks.overflowing_add(after_break);
            let joined = after_runs & !blanks & (breaks | masks.beyond) & inside;
            doubt |= match joined {
                0 if is_cut => highest(after_break),
                0 => 0,
                _ => highest(after_break & ((joined & joined.wrapping_neg()) - 1)),
            };
        } else {
            white_starts |= white << 1 & white & before_word;
        }
        if self.suffix != Suffix::None {
            white_starts &= !(breaks & others << 1);
        }
        if self.suffix == Suffix::LinesAndSlashes {
            doubt |= masks.slashes & breaks << 1;
        }

        let mut starts = letter_starts | digit_starts | other_starts | white_starts;
        if masks.apostrophes & inside != 0 && self.contractions != Contractions::None {
            doubt |= self.contract(block, masks, other_starts, &mut starts);
        }
        *limit = (*limit).min(doubt.trailing_zeros());
        starts
    }

    #[inline]
    fn digit_starts(&self, digits: u64, after_space: u64) -> u64 {
        match self.digits {
            1 => digits,
            3 => {
                let mut starts = digits & !(digits << 1);
                let fourth = digits & digits << 1 & digits << 2 & digits << 3;
                let mut next = starts << 3 & fourth;
                while next != 0 {
                    starts |= next;
                    next = next << 3 & fourth;
                }
                starts
            }
            _ if self.spaced_digits => digits & !(digits << 1 | after_space),
            _ => digits & !(digits << 1),
        }
    }

    /// Joins contractions: their letters begin no word, and a word begins after them. `others` are the bytes that begin a
    /// word and are not letters, digits or white space. Returns the places that are not certain.
    #[inline(never)]
    fn contract(&self, block: &Block, masks: &AsciiMasks, others: u64, starts: &mut u64) -> u64 {
        let byte = |at: u32| {
            let word = block.get(at as usize / 8).copied().unwrap_or_default();
            let byte = word.to_le_bytes()[at as usize % 8];
            match self.contractions {
                Contractions::Folded => byte.to_ascii_lowercase(),
                _ => byte,
            }
        };
        let mut ends = 0;
        let mut apostrophes = masks.apostrophes & others;
        if self.cased {
            apostrophes &= masks.letters << 1;
        }
        while apostrophes != 0 {
            let at = apostrophes.trailing_zeros();
            apostrophes &= apostrophes - 1;
            let length = match (byte(at + 1), byte(at + 2)) {
                (b's' | b't' | b'm' | b'd', _) => 2,
                (b'r' | b'v', b'e') | (b'l', b'l') => 3,
                _ => continue,
            };
            let end = 1_u64.checked_shl(at + length).unwrap_or_default();
            let first = if self.cased { at } else { at + 1 };
            let inner = end.wrapping_sub(1) & !0 << first.min(63);
            *starts = *starts & !inner | end;
            ends |= end;
        }
        // A word ends with a contraction, so another one after it does not belong to that word.
        match self.cased {
            true => ends & masks.apostrophes,
            false => 0,
        }
    }
}

/// Returns the highest bit that is set. Returns 0 if none is.
fn highest(bits: u64) -> u64 {
    bits.checked_ilog2().map_or(0, |last| 1 << last)
}
