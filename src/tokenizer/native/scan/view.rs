//! A text as a pattern sees it.

use super::kind_runs::KindSet;
use super::kinds::{ascii_kind, kind_of};

/// A text that ends before the first character of a kind that is not visible.
///
/// An earlier step of a sequence may have split the text. The next step looks at each part by itself, so that its
/// pattern finds the end of the text at the end of the part.
#[derive(Debug, Clone, Copy)]
pub struct View<'t> {
    bytes: &'t [u8],
    visible: KindSet,
}

impl<'t> View<'t> {
    pub fn new(bytes: &'t [u8], visible: KindSet) -> Self {
        Self { bytes, visible }
    }

    /// Returns the kind of the character at byte `at`, and its length in bytes. Returns the empty set at the end.
    #[inline]
    pub fn kind(self, at: usize) -> (KindSet, usize) {
        let (kind, length) = kind_at(self.bytes, at);
        (kind & self.visible, length)
    }

    /// Returns the byte at `at`. Returns zero at the end, and for bytes of characters that are not in ASCII.
    #[inline]
    pub fn ascii(self, at: usize) -> u8 {
        match self.bytes.get(at) {
            Some(byte) if ascii_kind(*byte) & self.visible != 0 => *byte,
            _ => 0,
        }
    }

    /// Returns the character at byte `at`, as a number. Returns zero at the end of the text.
    pub fn character(self, at: usize) -> u32 {
        let first = self.bytes.get(at);
        first.map_or(0, |first| decode(self.bytes, at, *first).0)
    }

    /// Returns true if the text continues with these characters at `at`.
    pub fn starts_with(self, at: usize, characters: &str) -> bool {
        let here = self.kind(at).0 != 0;
        here && self
            .bytes
            .get(at..)
            .is_some_and(|rest| rest.starts_with(characters.as_bytes()))
    }

    /// Returns the end of the run of characters of `set` that starts at `at`.
    #[inline]
    pub fn run(self, mut at: usize, set: KindSet) -> usize {
        let set = set & self.visible;
        loop {
            let (kind, length) = kind_at(self.bytes, at);
            if kind & set == 0 {
                return at;
            }
            at += length;
        }
    }

    /// Returns the end of the run as [`run`](Self::run) does, but of at most `most` characters.
    #[inline]
    pub fn run_of(self, mut at: usize, set: KindSet, most: usize) -> usize {
        let set = set & self.visible;
        for _ in 0..most {
            let (kind, length) = kind_at(self.bytes, at);
            if kind & set == 0 {
                break;
            }
            at += length;
        }
        at
    }

    /// Returns the end of a run as [`run`](Self::run) does, for a set that has all letters of ASCII.
    #[inline]
    pub fn letters(self, at: usize, set: KindSet) -> usize {
        self.run(self.ascii_letters(at), set)
    }

    /// Returns the end of a run as [`run`](Self::run) does, for a set that has the lower-case letters of ASCII.
    #[inline]
    pub fn lower(self, at: usize, set: KindSet) -> usize {
        let at = match self.ascii(at) {
            0 => at,
            _ => ascii_lower(self.bytes, at),
        };
        self.run(at, set)
    }

    /// Returns the end of the run of letters of ASCII that starts at `at`.
    #[inline]
    pub fn ascii_letters(self, at: usize) -> usize {
        match self.ascii(at).is_ascii_alphabetic() {
            true => ascii_letters(self.bytes, at),
            false => at,
        }
    }

    /// Returns true if the text before `at` ends with these characters.
    pub fn ends_with(self, at: usize, characters: &str) -> bool {
        let before = self.bytes.get(..at);
        before.is_some_and(|before| before.ends_with(characters.as_bytes()))
    }

    /// Returns the kind of the character before `at`. Returns the empty set at the start of the text.
    pub fn kind_before(self, at: usize) -> KindSet {
        let before = self.bytes.get(..at).unwrap_or_default();
        let start = before.iter().rposition(|byte| !matches!(byte, 0x80..0xc0));
        start.map_or(0, |start| kind_at(before, start).0)
    }
}

/// Returns the kind of the character at byte `at` of a text, and its length. Returns zeros at the end.
#[inline]
pub fn kind_at(bytes: &[u8], at: usize) -> (KindSet, usize) {
    match bytes.get(at) {
        Some(byte) if byte.is_ascii() => (ascii_kind(*byte), 1),
        Some(byte) => {
            let (character, length) = decode(bytes, at, *byte);
            (kind_of(character), length)
        }
        None => (0, 0),
    }
}

/// Decodes a character by hand. The bytes are those of a `str`, so they are complete.
#[inline]
fn decode(bytes: &[u8], at: usize, first: u8) -> (u32, usize) {
    let next = |index: usize| u32::from(bytes.get(at + index).map_or(0, |byte| byte & 0x3f));
    let first = u32::from(first);
    match first {
        ..0x80 => (first, 1),
        0x80..0xe0 => ((first & 0x1f) << 6 | next(1), 2),
        0xe0..0xf0 => ((first & 0x0f) << 12 | next(1) << 6 | next(2), 3),
        _ => (
            (first & 0x07) << 18 | next(1) << 12 | next(2) << 6 | next(3),
            4,
        ),
    }
}

/// Returns a number whose eight bytes are all this byte.
const fn bytes(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// Returns the end of the run of ASCII letters that starts at `at`.
#[inline]
pub fn ascii_letters(text: &[u8], at: usize) -> usize {
    ascii_run(
        text,
        at,
        |word| within(word | bytes(0x20), b'a'),
        |byte| byte.is_ascii_alphabetic(),
    )
}

/// Returns the end of the run of ASCII lower-case letters that starts at `at`.
#[inline]
pub fn ascii_lower(text: &[u8], at: usize) -> usize {
    ascii_run(
        text,
        at,
        |word| within(word, b'a'),
        |byte| byte.is_ascii_lowercase(),
    )
}

/// Returns the end of the run of ASCII upper-case letters that starts at `at`. These runs are short.
#[inline]
pub fn ascii_upper(text: &[u8], mut at: usize) -> usize {
    while text.get(at).is_some_and(u8::is_ascii_uppercase) {
        at += 1;
    }
    at
}

/// Returns the end of a run: eight bytes at a time, and byte by byte at the end of the text.
#[inline]
fn ascii_run(
    text: &[u8],
    mut at: usize,
    members: impl Fn(u64) -> u64,
    is_member: impl Fn(u8) -> bool,
) -> usize {
    while let Some(block) = text.get(at..).and_then(|rest| rest.first_chunk()) {
        let others = !members(u64::from_le_bytes(*block)) & bytes(0x80);
        if others != 0 {
            return at + (others.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while text.get(at).is_some_and(|byte| is_member(*byte)) {
        at += 1;
    }
    at
}

/// Sets the high bit of each byte that is one of the 26 from `first` on. The other bits are arbitrary.
#[inline]
fn within(word: u64, first: u8) -> u64 {
    // No sum carries into the next byte.
    let low = word & bytes(0x7f);
    let from_first = low + bytes(0x80 - first);
    let above_last = low + bytes(0x80 - (first + 26));
    from_first & !above_last & !word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_ascii_letters_end_at_every_other_byte() {
        let check = |run: fn(&[u8], usize) -> usize, is_member: fn(&u8) -> bool, members: &[u8]| {
            for byte in 0..=255_u8 {
                for position in 0..20 {
                    let mut text = members.repeat(2);
                    text[position] = byte;
                    let whole = is_member(&byte);
                    let expected = if whole { text.len() } else { position };
                    assert_eq!(run(&text, 0), expected, "{byte} {position}");
                }
            }
        };
        check(
            ascii_letters,
            u8::is_ascii_alphabetic,
            b"abcxyzABCXYZabcxyzab",
        );
        check(
            ascii_lower,
            u8::is_ascii_lowercase,
            b"abcxyznmabcxyzabcxyzab",
        );
    }

    #[test]
    fn every_character_is_decoded() {
        for character in '\0'..=char::MAX {
            let text = character.to_string();
            let kind = kind_of(character.into());
            assert_eq!(
                kind_at(text.as_bytes(), 0),
                (kind, text.len()),
                "{character:?}"
            );
        }
    }
}
