//! Counts the words, characters, and lines of a text, 32 bytes at a time.

/// The number of bytes that are counted at a time.
const CHUNK: usize = 32;
/// The number of chunks after which a lane of [`Lanes`] may be full.
const MOST_CHUNKS: usize = u8::MAX as usize;

/// The sizes of a text that do not depend on the tokenizer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TextCounts {
    /// The number of words as Python's `str.split()` counts them. Python's white space includes the four information
    /// separators U+001C to U+001F.
    pub words: usize,
    pub chars: usize,
    /// The number of line feeds.
    pub lines: usize,
}

impl TextCounts {
    /// Counts a text.
    pub fn of(text: &str) -> Self {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") {
            #[allow(
                unsafe_code,
                reason = "a call of a function with target features is unsafe"
            )]
            // SAFETY: the processor has AVX2.
            return unsafe { with_avx2(text) };
        }
        counts(text)
    }
}

/// Does what [`counts`] does, which the compiler then vectorizes for AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn with_avx2(text: &str) -> TextCounts {
    counts(text)
}

#[inline(always)]
fn counts(text: &str) -> TextCounts {
    let bytes = text.as_bytes();
    let mut sums = Sums::default();
    // The first chunk is as if a space preceded it, and the last one as if spaces followed it.
    let mut first = [b' '; CHUNK + 1];
    let length = bytes.len().min(CHUNK);
    first[1..=length].copy_from_slice(&bytes[..length]);
    sums.add(&first, text, 0);
    let mut at = CHUNK;
    while let Some(with_last) = bytes[(at - 1).min(bytes.len())..].first_chunk() {
        sums.add(with_last, text, at);
        at += CHUNK;
    }
    if at < bytes.len() {
        let mut last = [b' '; CHUNK + 1];
        let rest = &bytes[at - 1..];
        last[..rest.len()].copy_from_slice(rest);
        sums.add(&last, text, at);
        at += CHUNK;
    }
    sums.finish(at - bytes.len())
}

/// Counts of many chunks by the position of the byte, which are added up when a lane may be full.
#[derive(Debug, Default)]
struct Lanes {
    words: [u8; CHUNK],
    chars: [u8; CHUNK],
    lines: [u8; CHUNK],
}

/// The sums of lanes so far, and the lanes since.
#[derive(Debug, Default)]
struct Sums {
    counts: TextCounts,
    lanes: Lanes,
    /// The number of chunks in the lanes.
    chunks: usize,
    /// The number of words that begin behind white space that is not in ASCII.
    missed: usize,
    /// The number of characters that were counted as the first of a word, but are white space.
    mistaken: usize,
}

impl Sums {
    /// Adds a chunk, given with the byte before it. The chunk begins at byte `at` of the text.
    #[inline(always)]
    fn add(&mut self, with_last: &[u8; CHUNK + 1], text: &str, at: usize) {
        if self.chunks == MOST_CHUNKS {
            self.flush();
        }
        self.chunks += 1;
        let mut all = 0;
        for index in 0..CHUNK {
            let (before, byte) = (with_last[index], with_last[index + 1]);
            // As numbers and without branches, so that the loop is a few vector instructions.
            self.lanes.words[index] += u8::from(is_ascii_space(before) & !is_ascii_space(byte));
            self.lanes.chars[index] += u8::from(byte.cast_signed() >= -0x40);
            self.lanes.lines[index] += u8::from(byte == b'\n');
            all |= byte;
        }
        if !all.is_ascii() {
            self.add_wide_spaces(text, at);
        }
    }

    /// Corrects the number of words by the white space in a chunk that is not in ASCII.
    #[inline(never)]
    fn add_wide_spaces(&mut self, text: &str, start: usize) {
        let chunk = text.as_bytes()[start..].iter().take(CHUNK).enumerate();
        for (index, _) in chunk.filter(|(_, byte)| matches!(byte, 0xc2 | 0xe1..=0xe3)) {
            let (before, rest) = text.split_at(start + index);
            let mut characters = rest.chars();
            if !characters.next().is_some_and(char::is_whitespace) {
                continue;
            }
            let is_mistaken = before.bytes().next_back().is_none_or(is_ascii_space);
            self.mistaken += usize::from(is_mistaken);
            self.missed += usize::from(characters.next().is_some_and(|next| !is_space(next)));
        }
    }

    fn flush(&mut self) {
        self.counts.words += sum(&self.lanes.words);
        self.counts.chars += sum(&self.lanes.chars);
        self.counts.lines += sum(&self.lanes.lines);
        self.lanes = Lanes::default();
        self.chunks = 0;
    }

    /// Returns the counts without those of `padding` spaces.
    fn finish(mut self, padding: usize) -> TextCounts {
        self.flush();
        TextCounts {
            words: self.counts.words + self.missed - self.mistaken,
            chars: self.counts.chars - padding,
            lines: self.counts.lines,
        }
    }
}

#[inline(always)]
fn is_ascii_space(byte: u8) -> bool {
    (byte.wrapping_sub(b'\t') <= b'\r' - b'\t') | (byte.wrapping_sub(0x1c) <= b' ' - 0x1c)
}

fn is_space(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{1c}'..='\u{1f}')
}

/// Returns the sum of all lanes.
#[inline(always)]
fn sum(lanes: &[u8; CHUNK]) -> usize {
    const EVEN: u64 = u64::from_le_bytes([0xff, 0, 0xff, 0, 0xff, 0, 0xff, 0]);
    const ONES: u64 = u64::from_le_bytes([1, 0, 1, 0, 1, 0, 1, 0]);
    let eights = lanes.as_chunks().0.iter().copied().map(u64::from_le_bytes);
    let pairs: u64 = eights
        .map(|eight| (eight & EVEN) + (eight >> 8 & EVEN))
        .sum();
    (pairs.wrapping_mul(ONES) >> 48) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) {
        let words = text.split(is_space).filter(|word| !word.is_empty());
        let expected = TextCounts {
            words: words.count(),
            chars: text.chars().count(),
            lines: text.matches('\n').count(),
        };
        assert_eq!(TextCounts::of(text), expected, "{text:?}");
        assert_eq!(counts(text), expected, "{text:?}");
    }

    #[test]
    fn any_part_of_a_text_is_counted_right() {
        let bytes: Vec<u8> = (0..128).flat_map(|byte| [byte, b'a', byte, byte]).collect();
        for start in 0..128 {
            for end in start..bytes.len() {
                let text = str::from_utf8(&bytes[start..end]).unwrap();
                check(text);
                check(&format!("\u{a0}é{text}"));
                check(&format!("{text}漢\u{3000}{text}"));
            }
        }
    }

    #[test]
    fn white_space_of_all_of_unicode_separates_words() {
        let spaces: Vec<char> = ('\0'..=char::MAX).filter(|c| is_space(*c)).collect();
        let others = ['a', 'é', '\u{2060}', '\u{200b}', '\u{180e}', '。', '🙂'];
        for first in &spaces {
            for second in spaces.iter().chain(&others) {
                for length in 0..=CHUNK {
                    let letters = "x".repeat(length);
                    check(&format!("{letters}{first}{second}y"));
                    check(&format!("{letters}{second}{first}"));
                }
            }
        }
    }

    #[test]
    fn lanes_do_not_overflow() {
        for text in ["a ", "é\n", "\u{a0}", "\n", "a"] {
            check(&text.repeat(MOST_CHUNKS * CHUNK + 1));
        }
    }

    #[test]
    fn words_are_counted_as_python_splits_text() {
        let words = |text| TextCounts::of(text).words;
        assert_eq!(words("banco de madera, banco donde hay dinero"), 7);
        assert_eq!(words(" a\u{1f}b\u{a0}c\n"), 3);
        assert_eq!(words(""), 0);
        assert_eq!(words("\u{1c} one\ttwo\u{b}three "), 3);
        assert_eq!(words("one"), 1);
    }
}
