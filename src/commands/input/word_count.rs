//! Counts words separated by white space, as Python does.

/// Returns the number of words as Python's `str.split()` counts them. Python's white space includes the four
/// information separators U+001C to U+001F.
pub fn count_words(text: &str) -> usize {
    let mut words = 0;
    let mut at = 0;
    // Start as if white space preceded the text.
    let mut before = 0x80;
    while let Some(eight) = text.as_bytes()[at..].first_chunk::<8>() {
        let bytes = u64::from_le_bytes(*eight);
        if bytes & HIGH == 0 {
            words += count_eight(bytes, &mut before);
            at += 8;
        } else {
            let end = at + 8;
            for character in text[at..].chars() {
                if at >= end {
                    break;
                }
                words += count_character(character, &mut before);
                at += character.len_utf8();
            }
        }
    }
    for character in text[at..].chars() {
        words += count_character(character, &mut before);
    }
    words
}

const ONES: u64 = u64::from_ne_bytes([1; 8]);
const HIGH: u64 = ONES << 7;

/// Returns the number of words that begin in eight ASCII bytes. `before` has its high bit set if the character before
/// them is white space, and is updated for the next.
#[inline]
fn count_eight(bytes: u64, before: &mut u64) -> usize {
    // Sets the high bit of each byte that is at least `min`.
    let at_least = |min: u8| bytes + ONES * u64::from(128 - min);
    let controls = at_least(b'\t') & !at_least(b'\r' + 1);
    let spaces = (controls | at_least(0x1c) & !at_least(b' ' + 1)) & HIGH;
    let words = !spaces & HIGH & (spaces << 8 | *before);
    *before = spaces >> 56;
    words.count_ones() as usize
}

/// Returns 1 if the character begins a word, otherwise 0. `before` is as in [`count_eight`].
#[inline]
fn count_character(character: char, before: &mut u64) -> usize {
    let is_space = character.is_whitespace() || matches!(character, '\u{1c}'..='\u{1f}');
    let begins = !is_space && *before != 0;
    *before = if is_space { 0x80 } else { 0 };
    usize::from(begins)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ascii_and_other_text_is_counted_alike() {
        let bytes: Vec<u8> = (0..128).flat_map(|byte| [byte, b'a', byte, byte]).collect();
        for start in 0..128 {
            for end in start..bytes.len() {
                let text = str::from_utf8(&bytes[start..end]).unwrap();
                let is_space = |c: char| c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}');
                for text in [
                    text,
                    &format!("\u{a0}é{text}"),
                    &format!("{text}漢\u{3000}{text}"),
                ] {
                    let words = text.split(is_space).filter(|word| !word.is_empty());
                    assert_eq!(count_words(text), words.count(), "{text:?}");
                }
            }
        }
    }

    #[test]
    fn words_are_counted_as_python_splits_text() {
        assert_eq!(count_words("banco de madera, banco donde hay dinero"), 7);
        assert_eq!(count_words(" a\u{1f}b\u{a0}c\n"), 3);
        assert_eq!(count_words(""), 0);
        assert_eq!(count_words("\u{1c} one\ttwo\u{b}three "), 3);
        assert_eq!(count_words("one"), 1);
    }
}
