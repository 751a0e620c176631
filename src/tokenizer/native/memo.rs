//! Words and their tokens, remembered: most words of a text came before.

/// Words seen before there is memory for them: a single sentence is tokenized before the memory would be there.
const WORDS_BEFORE_MEMORY: usize = 500;

/// Words and their tokens, by hash; a new word takes the place of the older of two.
///
/// Words of up to 15 bytes, nearly all of a text, have two places in one line of the processor's cache.
#[derive(Debug, Default)]
pub struct Memo {
    words: usize,
    short: Table<2, 3>,
    medium: Table<3, 7>,
    long: Table<8, 12>,
}

/// The tokens of a remembered word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remembered<'a> {
    pub ids: &'a [u32],
    /// Where each token ends, in bytes of the word. Each begins where the one before ends.
    pub ends: &'a [u8],
    /// Where the first token begins; none if the tokens do not lie side by side, so that `ends` says nothing.
    pub start: Option<u8>,
}

impl Memo {
    /// Bytes of the longest word that is remembered.
    pub const LONGEST: usize = Table::<8, 12>::LONGEST;

    /// Whether words are remembered by now.
    pub fn is_used(&self) -> bool {
        self.words >= WORDS_BEFORE_MEMORY
    }

    /// The tokens of the word at bytes `start` to `end` of a text.
    #[inline]
    pub fn get(&self, text: &[u8], start: usize, end: usize) -> Option<Remembered<'_>> {
        let length = end - start;
        if length <= Table::<3, 7>::LONGEST {
            self.get_short(load(text, start, length), length)
        } else if length <= Self::LONGEST {
            self.long.get(key(load(text, start, length), length))
        } else {
            None
        }
    }

    /// The tokens of a word of up to 23 bytes, which are the first of some little-endian words.
    #[inline]
    pub fn get_short(&self, words: [u64; 3], length: usize) -> Option<Remembered<'_>> {
        if length <= Table::<2, 3>::LONGEST {
            let found = self.short.get(key([words[0], words[1]], length));
            if found.is_some() {
                return found;
            }
        }
        self.medium.get(key(words, length))
    }

    /// Remembers a word and its tokens, as ids and ends, once enough words have come to be worth it.
    pub fn set(
        &mut self,
        word: &[u8],
        start: Option<usize>,
        tokens: impl ExactSizeIterator<Item = (u32, usize)>,
    ) {
        self.words += 1;
        if self.words < WORDS_BEFORE_MEMORY {
            return;
        }
        if word.len() <= Table::<2, 3>::LONGEST && tokens.len() <= 3 {
            self.short.set(word, start, tokens, 1 << 15);
        } else if word.len() <= Table::<3, 7>::LONGEST && tokens.len() <= 7 {
            self.medium.set(word, start, tokens, 1 << 14);
        } else if word.len() > Table::<3, 7>::LONGEST
            && word.len() <= Self::LONGEST
            && tokens.len() <= 12
        {
            self.long.set(word, start, tokens, 1 << 12);
        }
    }
}

/// Words whose bytes, and their number, fit `WORDS` machine words, with up to `TOKENS` tokens.
#[derive(Debug)]
struct Table<const WORDS: usize, const TOKENS: usize> {
    /// None, or a power of two of them.
    pairs: Vec<Pair<WORDS, TOKENS>>,
}

/// The two slots of a word.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Pair<const WORDS: usize, const TOKENS: usize>([Slot<WORDS, TOKENS>; 2]);

/// A word and its tokens, in half a line of the cache, one or two.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
struct Slot<const WORDS: usize, const TOKENS: usize> {
    /// The word's bytes, zeros, and in the last byte its length; all zero for an empty slot.
    key: [u64; WORDS],
    ids: [u32; TOKENS],
    ends: [u8; TOKENS],
    /// The number of tokens, and above it where the first begins.
    count_start: u8,
}

const COUNT_BITS: u32 = 4;
/// A start that no word has: the ranges of its tokens are not to be had from their ends.
const NO_RANGES: u8 = (1 << COUNT_BITS) - 1;

impl<const WORDS: usize, const TOKENS: usize> Default for Table<WORDS, TOKENS> {
    fn default() -> Self {
        Self { pairs: Vec::new() }
    }
}

impl<const WORDS: usize, const TOKENS: usize> Table<WORDS, TOKENS> {
    const LONGEST: usize = 8 * WORDS - 1;
    const EMPTY: Slot<WORDS, TOKENS> = Slot {
        key: [0; WORDS],
        ids: [0; TOKENS],
        ends: [0; TOKENS],
        count_start: 0,
    };

    #[inline]
    fn get(&self, key: [u64; WORDS]) -> Option<Remembered<'_>> {
        let Pair(pair) = self.pairs.get(self.place(&key))?;
        let slot = if pair[0].key == key {
            &pair[0]
        } else if pair[1].key == key {
            &pair[1]
        } else {
            return None;
        };
        let count = usize::from(slot.count_start & NO_RANGES);
        let start = slot.count_start >> COUNT_BITS;
        Some(Remembered {
            ids: slot.ids.get(..count)?,
            ends: slot.ends.get(..count)?,
            start: (start != NO_RANGES).then_some(start),
        })
    }

    fn set(
        &mut self,
        word: &[u8],
        start: Option<usize>,
        tokens: impl ExactSizeIterator<Item = (u32, usize)>,
        pairs: usize,
    ) {
        if self.pairs.is_empty() {
            self.pairs = vec![Pair([Self::EMPTY; 2]); pairs];
        }
        let key = key(load(word, 0, word.len()), word.len());
        let place = self.place(&key);
        let start = match start {
            Some(start) if start < usize::from(NO_RANGES) => start as u8,
            _ => NO_RANGES,
        };
        let mut slot = Slot {
            key,
            count_start: start << COUNT_BITS | tokens.len() as u8,
            ..Self::EMPTY
        };
        let places = slot.ids.iter_mut().zip(&mut slot.ends);
        for ((id, end), token) in places.zip(tokens) {
            (*id, *end) = (token.0, token.1 as u8);
        }
        let Pair(pair) = &mut self.pairs[place];
        if pair[0].key != key {
            pair[1] = pair[0];
        }
        pair[0] = slot;
    }

    /// The place of a word: its machine words folded in by multiplication, as wyhash does.
    #[inline]
    fn place(&self, key: &[u64; WORDS]) -> usize {
        const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut state = FACTOR;
        for word in key {
            let product = u128::from(state ^ word) * u128::from(FACTOR);
            state = (product >> 64) as u64 ^ product as u64;
        }
        state as usize & self.pairs.len().wrapping_sub(1)
    }
}

/// The `length` bytes of a text from `start` on, as little-endian words with zeros behind.
fn load<const WORDS: usize>(text: &[u8], start: usize, length: usize) -> [u64; WORDS] {
    let mut bytes = [[0; 8]; WORDS];
    bytes.as_flattened_mut()[..length].copy_from_slice(&text[start..start + length]);
    bytes.map(u64::from_le_bytes)
}

/// The first `length` bytes of some words, and their number, as a key.
#[inline]
fn key<const WORDS: usize>(mut words: [u64; WORDS], length: usize) -> [u64; WORDS] {
    for (index, word) in words.iter_mut().enumerate() {
        let rest = length.saturating_sub(8 * index);
        let mask = if rest < 8 {
            (1 << (8 * rest)) - 1
        } else {
            u64::MAX
        };
        *word &= mask;
    }
    words[WORDS - 1] |= (length as u64) << 56;
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_every_length_are_told_apart_wherever_they_lie() {
        let text: Vec<u8> = (0..200_u8).map(|index| b'a' + index % 7).collect();
        let mut memo = Memo {
            words: WORDS_BEFORE_MEMORY,
            ..Memo::default()
        };
        for length in 1..=Memo::LONGEST + 1 {
            let word = &text[50..50 + length];
            memo.set(word, Some(1), [(length as u32, length)].into_iter());
            let expected = Remembered {
                ids: &[length as u32],
                ends: &[length as u8],
                start: Some(1),
            };
            let expected = (length <= Memo::LONGEST).then_some(expected);
            assert_eq!(memo.get(&text, 50, 50 + length), expected, "{length}");
            // At the very end of a text too, and not for a text with zeros in the word's place.
            assert_eq!(memo.get(word, 0, length), expected, "{length}");
            let mut other = word.to_vec();
            other.push(0);
            assert_eq!(memo.get(&other, 0, length + 1), None, "{length}");
        }
    }

    #[test]
    fn a_word_of_too_many_tokens_is_not_remembered() {
        let mut memo = Memo {
            words: WORDS_BEFORE_MEMORY,
            ..Memo::default()
        };
        for (word, most) in [
            ("word", 7),
            ("a word of twenty bytes", 7),
            (&*"word".repeat(9), 12),
        ] {
            let bytes = word.as_bytes();
            memo.set(bytes, None, vec![(9, 1); most + 1].into_iter());
            assert_eq!(memo.get(bytes, 0, bytes.len()), None);
            memo.set(bytes, None, vec![(9, 1); most].into_iter());
            let remembered = memo.get(bytes, 0, bytes.len()).unwrap();
            assert_eq!(
                (remembered.ids, remembered.start),
                (&vec![9; most][..], None)
            );
        }
    }

    #[test]
    fn slots_fill_lines_of_the_cache() {
        assert_eq!(size_of::<Pair<2, 3>>(), 64);
        assert_eq!(size_of::<Pair<3, 7>>(), 128);
        assert_eq!(size_of::<Pair<8, 12>>(), 256);
    }

    #[test]
    fn a_few_words_take_no_memory() {
        let mut memo = Memo::default();
        memo.set(b"word", Some(0), [(1, 4)].into_iter());
        assert_eq!(memo.get(b"word", 0, 4), None);
        assert!(memo.short.pairs.is_empty());
    }
}
