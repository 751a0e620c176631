//! The character map of a SentencePiece file: compiled normalization rules.
//!
//! The data is a little-endian length, a double array of that many bytes (units as in Darts-clone), and a pool of
//! replacement strings, each terminated by a zero byte. Layout and search follow `normalizer.cc` of
//! google/sentencepiece and `spm_precompiled`, which the reference uses.

use unicode_segmentation::UnicodeSegmentation;

use super::plain_chars::PlainChars;

/// Graphemes of at least this many bytes are only replaced character by character.
const LONG_GRAPHEME: usize = 6;

/// A map from strings to their replacements.
#[derive(Debug)]
pub struct Charsmap {
    units: Vec<u32>,
    pool: String,
    /// By code, true for each printable ASCII character that no rule affects.
    plain: [bool; 128],
    /// The other plain characters.
    plain_chars: PlainChars,
}

impl Charsmap {
    /// Reads the rules; empty bytes mean no rules. Returns `None` if they are malformed.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let mut map = Self {
            units: Vec::new(),
            pool: String::new(),
            plain: [false; 128],
            plain_chars: PlainChars::new(),
        };
        if !bytes.is_empty() {
            let (length, rest) = bytes.split_first_chunk::<4>()?;
            let length = usize::try_from(u32::from_le_bytes(*length)).ok()? / 4 * 4;
            let (units, pool) = rest.split_at_checked(length)?;
            let units = units.as_chunks::<4>().0;
            map.units = units.iter().map(|unit| u32::from_le_bytes(*unit)).collect();
            map.pool = str::from_utf8(pool).ok()?.to_owned();
        }
        for code in b' '..=b'~' {
            let mut buffer = [0; 4];
            let text: &str = char::from(code).encode_utf8(&mut buffer);
            map.plain[usize::from(code)] = map.replacement(text).is_none();
        }
        Some(map)
    }

    /// Returns true for a printable ASCII character that no rule affects.
    #[inline]
    pub fn is_plain(&self, byte: u8) -> bool {
        byte < 128 && self.plain[usize::from(byte)]
    }

    /// Returns the replacement for the whole of `text`. As in the reference, the rule for the *shortest* prefix that
    /// has one applies.
    pub fn replacement(&self, text: &str) -> Option<&str> {
        let mut index = offset(*self.units.first()?);
        for &byte in text.as_bytes() {
            if byte == 0 {
                return None;
            }
            index ^= usize::from(byte);
            let unit = *self.units.get(index)?;
            if unit & (1 << 31 | 0xff) != u32::from(byte) {
                return None;
            }
            index ^= offset(unit);
            if unit >> 8 & 1 == 1 {
                let start = (self.units.get(index)? & !(1 << 31)) as usize;
                let rest = self.pool.get(start..)?;
                return Some(rest.split('\0').next().unwrap_or(rest));
            }
        }
        None
    }

    /// Returns the longest start of `text` that has a rule, as its length in bytes, and its replacement, as SentencePiece
    /// finds them.
    pub fn longest(&self, text: &str) -> Option<(usize, &str)> {
        let mut longest = None;
        let mut index = offset(*self.units.first()?);
        for (at, &byte) in text.as_bytes().iter().enumerate() {
            index ^= usize::from(byte);
            let Some(unit) = self.units.get(index).filter(|_| byte != 0) else {
                break;
            };
            if unit & (1 << 31 | 0xff) != u32::from(byte) {
                break;
            }
            index ^= offset(*unit);
            if unit >> 8 & 1 == 1 && text.is_char_boundary(at + 1) {
                longest = self
                    .units
                    .get(index)
                    .map(|value| (at + 1, *value))
                    .or(longest);
            }
        }
        let (length, value) = longest?;
        let rest = self.pool.get((value & !(1 << 31)) as usize..)?;
        Some((length, rest.split('\0').next().unwrap_or(rest)))
    }

    /// Returns true if no rule is for an ASCII character on its own, or for a string that begins with it and another
    /// ASCII character.
    pub fn has_no_ascii_rule(&self, byte: u8) -> bool {
        let Some(root) = self.units.first() else {
            return true;
        };
        let child = |index: usize, byte: u8| {
            let index = index ^ usize::from(byte);
            let unit = self.units.get(index)?;
            (unit & (1 << 31 | 0xff) == u32::from(byte)).then_some((index ^ offset(*unit), *unit))
        };
        let Some((index, unit)) = child(offset(*root), byte) else {
            return true;
        };
        let is_rule = unit >> 8 & 1 == 1;
        !is_rule && (1..128).all(|next| child(index, next).is_none())
    }

    /// Returns true if no rule affects the character, and it never forms a grapheme with another such character.
    #[inline]
    pub fn is_plain_char(&self, character: char) -> bool {
        let code = character as usize;
        if code < 128 {
            return self.plain[code];
        }
        self.plain_chars.contains(character, |character| {
            self.replacement(character.encode_utf8(&mut [0; 4]))
                .is_none()
                && stands_alone(character)
        })
    }

    /// Returns true if every look-up stays within the map. In a damaged map it may not, and the reference then panics.
    pub fn is_sound(&self) -> bool {
        let is_sound = |(index, unit): (usize, &u32)| {
            if unit >> 31 == 1 {
                // The place of a replacement.
                let place = (unit & !(1 << 31)) as usize;
                return self.pool.is_char_boundary(place);
            }
            (index ^ offset(*unit)) | 0xff < self.units.len()
        };
        !self.units.is_empty() && self.units.iter().enumerate().all(is_sound)
    }

    /// Calls `part` with each part of `text` and its replacement, if any.
    ///
    /// Two adjacent plain characters never share a grapheme, so runs of them pass through unchanged. Only the text
    /// between runs is split into graphemes, together with the plain character on either side, which may be part of a
    /// grapheme.
    pub fn for_each_part<'t>(&self, text: &'t str, mut part: impl FnMut(&'t str, Option<&str>)) {
        let mut start = 0;
        while start < text.len() {
            let mut last = None;
            let mut characters = text[start..].char_indices();
            let other = characters.find(|(index, character)| {
                let plain = self.is_plain_char(*character);
                if plain {
                    last = Some(start + index);
                }
                !plain
            });
            let Some((other, _)) = other else {
                return part(&text[start..], None);
            };
            // The last character of the run may begin a grapheme.
            let mixed = last.unwrap_or(start + other);
            if start < mixed {
                part(&text[start..mixed], None);
            }
            let mut before = false;
            let end = characters.find(|(_, character)| {
                let after = std::mem::replace(&mut before, self.is_plain_char(*character));
                after && before
            });
            let end = end.map_or(text.len(), |(index, _)| start + index);
            self.for_each_grapheme(&text[mixed..end], &mut part);
            start = end;
        }
    }

    fn for_each_grapheme<'t>(&self, text: &'t str, part: &mut impl FnMut(&'t str, Option<&str>)) {
        for grapheme in text.graphemes(true) {
            if grapheme.len() < LONG_GRAPHEME
                && let Some(replacement) = self.replacement(grapheme)
            {
                part(grapheme, Some(replacement));
                continue;
            }
            for (start, character) in grapheme.char_indices() {
                let character = &grapheme[start..start + character.len_utf8()];
                part(character, self.replacement(character));
            }
        }
    }
}

/// Returns true if a character forms no grapheme with itself or with a letter on either side. It may still form one
/// with a mark, a joiner, or a Hangul vowel, but those do not stand alone.
fn stands_alone(character: char) -> bool {
    let alone = |pair: [char; 2]| {
        let pair: String = pair.iter().collect();
        pair.graphemes(true).count() == 2
    };
    alone([character, character]) && alone(['a', character]) && alone([character, 'a'])
}

/// Returns the offset field of a Darts-clone unit.
fn offset(unit: u32) -> usize {
    ((unit >> 10) << ((unit & (1 << 9)) >> 6)) as usize
}
