//! Text → the number of its words, whatever the model makes of them.

/// Number of words as Python's `str.split()` counts them: runs of anything but white space, for which Python takes
/// the four information separators too.
pub fn words(text: &str) -> usize {
    if text.is_ascii() {
        return ascii_words(text.as_bytes());
    }
    text.split(|c: char| c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}'))
        .filter(|word| !word.is_empty())
        .count()
}

/// [`words`] of bytes below 128, eight at a time.
fn ascii_words(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    // The high bit of each byte that is at least so much.
    let from = |word: u64, least: u8| word + ONES * u64::from(128 - least);
    let spaces = |eight: [u8; 8]| {
        let word = u64::from_le_bytes(eight);
        let controls = from(word, b'\t') & !from(word, b'\r' + 1);
        (controls | from(word, 0x1c) & !from(word, b' ' + 1)) & HIGH
    };
    let (eights, rest) = bytes.as_chunks::<8>();
    let mut last = [b' '; 8];
    last[..rest.len()].copy_from_slice(rest);
    let mut words = 0;
    // The byte before the first counts as white space.
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
    fn ascii_words_are_counted_as_others_are() {
        let bytes: Vec<u8> = (0..128).flat_map(|byte| [byte, b'a', byte, byte]).collect();
        for start in 0..128 {
            for end in start..bytes.len() {
                let text = str::from_utf8(&bytes[start..end]).unwrap();
                let with_other = format!("\u{a0}{text}");
                assert_eq!(words(text), words(&with_other), "{text:?}");
            }
        }
    }

    #[test]
    fn words_are_counted_as_python_splits_them() {
        assert_eq!(words("banco de madera, banco donde hay dinero"), 7);
        assert_eq!(words(" a\u{1f}b\u{a0}c\n"), 3);
        assert_eq!(words(""), 0);
        assert_eq!(words("\u{1c} one\ttwo\u{b}three "), 3);
        assert_eq!(words("one"), 1);
    }
}
