//! Counts words separated by white space, as Python does.

/// Returns the number of words as Python's `str.split()` counts them. Python's white space includes the four
/// information separators U+001C to U+001F.
///
/// Eight bytes of ASCII are counted at a time.
pub fn count_words(text: &str) -> usize {
    let mut words = 0;
    let mut at = 0;
    // The high bit of a byte, set if the character before `at` is white space, as if some preceded the text.
    let mut before = 0x80;
    while let Some(eight) = text.as_bytes()[at..].first_chunk::<8>() {
        let bytes = u64::from_le_bytes(*eight);
        if bytes & HIGH == 0 {
            let spaces = ascii_spaces(bytes);
            words += (!spaces & HIGH & (spaces << 8 | before)).count_ones() as usize;
            before = spaces >> 56;
            at += 8;
        } else {
            let start = at;
            for character in text[at..].chars() {
                if at - start >= 8 {
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

/// Sets the high bit of each byte that is white space. Every byte must be below 128.
fn ascii_spaces(bytes: u64) -> u64 {
    let at_least = |min: u8| bytes + ONES * u64::from(128 - min);
    let controls = at_least(b'\t') & !at_least(b'\r' + 1);
    (controls | at_least(0x1c) & !at_least(b' ' + 1)) & HIGH
}

/// Returns 1 if the character begins a word, otherwise 0. Updates `before` for the next character.
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
