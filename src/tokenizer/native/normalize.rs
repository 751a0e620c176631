//! The normalizer and pre-tokenizer of DeBERTa. Tracking of original byte ranges is optional.

use super::aligned_text::{AlignedText, Transform};
use super::charsmap::Charsmap;

/// The character that replaces a space and marks the beginning of a word.
pub const METASPACE: char = '▁';

/// Appends the normalized form of a part of a text that begins at byte `start`: applies the character map and collapses
/// each run of spaces into one.
pub fn normalize<const RANGES: bool>(
    charsmap: &Charsmap,
    part: &str,
    start: u32,
    out: &mut AlignedText,
) {
    let first = out.text.len();
    if part.bytes().all(|byte| charsmap.is_plain(byte)) {
        out.text.push_str(part);
        if RANGES {
            let end = start + part.len() as u32;
            out.ranges.extend((start..end).map(|at| (at, at + 1)));
        }
    } else if RANGES {
        let mut transform = Transform::new(part, start);
        charsmap.for_each_part(part, |part, replacement| match replacement {
            Some(replacement) => transform.replace(part, replacement, out),
            None => part
                .chars()
                .for_each(|character| transform.keep(character, out)),
        });
        transform.finish(out);
    } else {
        charsmap.for_each_part(part, |part, replacement| {
            out.text.push_str(replacement.unwrap_or(part));
        });
    }
    if out.text[first..].contains("  ") {
        collapse_spaces::<RANGES>(out, first);
    }
}

/// Removes all but the last space of each run of spaces, from byte `first` on.
fn collapse_spaces<const RANGES: bool>(aligned: &mut AlignedText, first: usize) {
    let mut collapsed = AlignedText::default();
    let bytes = aligned.text.as_bytes();
    let mut kept = 0;
    for index in first..bytes.len().saturating_sub(1) {
        if bytes[index] == b' ' && bytes[index + 1] == b' ' {
            collapsed.copy::<RANGES>(aligned, kept, index);
            kept = index + 1;
        }
    }
    collapsed.copy::<RANGES>(aligned, kept, aligned.text.len());
    *aligned = collapsed;
}

/// Writes bytes `start` to `end` of a normalized text to `out`, with `▁` in place of each space and, if `prepends`,
/// before the first word.
pub fn into_words<const RANGES: bool>(
    aligned: &AlignedText,
    start: usize,
    end: usize,
    prepends: bool,
    out: &mut AlignedText,
) {
    out.clear();
    let text = &aligned.text[start..end];
    let mark = |out: &mut AlignedText, at: usize| {
        out.text.push(METASPACE);
        if RANGES {
            let range = aligned.ranges[at];
            out.ranges.extend([range; METASPACE.len_utf8()]);
        }
    };
    if prepends && !text.starts_with([' ', METASPACE]) {
        // As in the reference, the inserted `▁` has the range of the first character.
        mark(out, start);
    }
    let mut kept = start;
    for space in memchr::memchr_iter(b' ', text.as_bytes()) {
        out.copy::<RANGES>(aligned, kept, start + space);
        mark(out, start + space);
        kept = start + space + 1;
    }
    out.copy::<RANGES>(aligned, kept, end);
}

/// Calls `each` with the byte range of every word. A word begins at each `▁`.
#[inline]
pub fn for_each_word(text: &str, mut each: impl FnMut(usize, usize)) {
    let mut start = 0;
    // Other characters begin with the first byte of ▁ (E2 96 81) too.
    for found in memchr::memchr_iter(0xe2, text.as_bytes()) {
        if found > start && text[found..].starts_with(METASPACE) {
            each(start, found);
            start = found;
        }
    }
    if start < text.len() {
        each(start, text.len());
    }
}
