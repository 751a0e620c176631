//! Counts words separated by white space, as Python does.

/// Returns the number of words as Python's `str.split()` counts them. Python's white space includes the four
/// information separators U+001C to U+001F.
pub fn count_words(text: &str) -> usize {
    if text.is_ascii() {
        return count_ascii_words(text.as_bytes());
    }
    text.split(|c: char| c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}'))
        .filter(|word| !word.is_empty())
        .count()
}

/// [`count_words`] for ASCII bytes, eight at a time.
fn count_ascii_words(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    // Sets the high bit of each byte of `bytes` that is at least `min`. Every byte must be below 128.
    let at_least = |bytes: u64, min: u8| bytes + ONES * u64::from(128 - min);
    let spaces = |eight: [u8; 8]| {
        let bytes = u64::from_le_bytes(eight);
        let controls = at_least(bytes, b'\t') & !at_least(bytes, b'\r' + 1);
        (controls | at_least(bytes, 0x1c) & !at_least(bytes, b' ' + 1)) & HIGH
    };
    let (eights, rest) = bytes.as_chunks::<8>();
    let mut last = [b' '; 8];
    last[..rest.len()].copy_from_slice(rest);
    let mut words = 0;
    // Start as if white space preceded the text.
    let mut before = 0x80;
    for eight in eights.iter().chain([&last]) {
        let spaces = spaces(*eight);
        words += (!spaces & HIGH & (spaces << 8 | before)).count_ones() as usize;
        before = spaces >> 56;
    }
    words
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
                let with_other = format!("\u{a0}{text}");
                assert_eq!(count_words(text), count_words(&with_other), "{text:?}");
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
