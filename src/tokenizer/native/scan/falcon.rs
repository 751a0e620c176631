//! The sequence of Falcon: punctuation, GPT-2's pattern, and then numbers among the *mapped* bytes.
//!
//! Of the bytes beyond ASCII, six are mapped to characters that are numbers, such as 0xB2 to `²`. Falcon splits there,
//! within characters: `м` (0xD0 0xBC) is the words `Ð` and `¼`.

use super::cuts::Cuts;
use super::kind_runs::KindSet;
use super::kind_runs::{NUMBER, WHITE};
use super::rules::LETTER;
use super::view::{View, kind_at};

/// Returns true for bytes that are mapped to numbers.
fn is_numeric(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | 0xb2 | 0xb3 | 0xb9 | 0xbc..=0xbe)
}

/// Returns the first word at or after byte `at`. `cuts` finds the words that are split further once their bytes are
/// mapped, so a word may start and end within a character. Returns `None` if there is no word.
///
/// There are no contractions, since the apostrophe and the letters are in different parts.
pub fn next(cuts: &Cuts, text: &[u8], at: usize) -> Option<(usize, usize)> {
    let character = character_start(text, at);
    let (kind, _) = kind_at(text, character);
    if kind == 0 {
        return None;
    }
    let view = View::new(text, cuts.part(kind));
    let mut end = at;
    let mut kinds = run_of(kind);
    if text.get(at) == Some(&b' ') {
        let next = view.kind(at + 1).0;
        if next & !WHITE == 0 {
            return cuts.next(text, at);
        }
        kinds = run_of(next);
        end += 1;
    } else if kind & WHITE != 0 {
        // No white space has a byte that is mapped to a number.
        return cuts.next(text, at);
    }
    let numeric = text.get(at).is_some_and(|byte| is_numeric(*byte));
    let word_goes_on = |end| {
        let start = character_start(text, end);
        view.kind(start).0 & kinds != 0
    };
    let is_digit = |at: usize| text.get(at).is_some_and(u8::is_ascii_digit);
    while let Some(byte) = text.get(end)
        && is_numeric(*byte) == numeric
        && word_goes_on(end)
    {
        // Three digits of ASCII are a word.
        if (0..3).all(|next| is_digit(end + next)) {
            return Some((at, if end == at { at + 3 } else { end }));
        }
        end += 1;
    }
    Some((at, end))
}

/// Returns the kinds that continue a word with a character of this kind.
fn run_of(kind: KindSet) -> KindSet {
    match kind {
        kind if kind & LETTER != 0 => LETTER,
        kind if kind & NUMBER != 0 => NUMBER,
        _ => !(LETTER | NUMBER | WHITE),
    }
}

/// Returns the start of the character that byte `at` belongs to.
fn character_start(text: &[u8], at: usize) -> usize {
    let continues = |at: &usize| text.get(*at).is_some_and(|byte| matches!(byte, 0x80..0xc0));
    (0..=at).rev().find(|at| !continues(at)).unwrap_or(0)
}
