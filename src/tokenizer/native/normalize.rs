//! A part of a text → normalized words, with or without the ranges that their bytes come from.

use super::aligned_text::{AlignedText, Transform};
use super::charsmap::Charsmap;

/// What stands for a space, and at the beginning of a word.
pub const METASPACE: char = '▁';

/// Character map, runs of spaces: appends the normalized form of a part of a text that begins at `start`.
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
        squeeze::<RANGES>(out, first);
    }
}

/// Leaves one space, the last, of each run of spaces behind byte `first`.
fn squeeze<const RANGES: bool>(aligned: &mut AlignedText, first: usize) {
    let mut squeezed = AlignedText::default();
    let bytes = aligned.text.as_bytes();
    let mut kept = 0;
    for index in first..bytes.len().saturating_sub(1) {
        if bytes[index] == b' ' && bytes[index + 1] == b' ' {
            squeezed.copy::<RANGES>(aligned, kept, index);
            kept = index + 1;
        }
    }
    squeezed.copy::<RANGES>(aligned, kept, aligned.text.len());
    *aligned = squeezed;
}

/// The part of a normalized text between two bytes, with `▁` for each space and one before the first word.
pub fn into_words<const RANGES: bool>(
    aligned: &AlignedText,
    start: usize,
    end: usize,
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
    if !text.starts_with([' ', METASPACE]) {
        // It shares the range of the first character.
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

/// Calls `each` with the byte range of every word: a word begins at each `▁`.
#[inline]
pub fn for_each_word(text: &str, mut each: impl FnMut(usize, usize)) {
    let mut start = 0;
    // The first byte of ▁ (E2 96 81) begins other characters too.
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
