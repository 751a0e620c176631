//! Words and their tokens, remembered: most words of a text came before.

/// Words seen before there is memory for them: a single sentence is tokenized before the memory would be there.
const WORDS_BEFORE_MEMORY: usize = 500;
/// Slots for words of up to 23 bytes, 64 bytes each, and for words of up to 63 bytes, 128 bytes each.
const SHORT_SLOTS: usize = 1 << 16;
const LONG_SLOTS: usize = 1 << 13;
/// A start that no word has: the ranges of its tokens are not to be had from their ends.
const NO_RANGES: u8 = u8::MAX;

/// Words and their tokens, by hash; a new word takes the place of the older of two.
#[derive(Debug, Default)]
pub struct Memo {
    words: usize,
    short: Table<3, 7>,
    long: Table<8, 11>,
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
    pub const LONGEST: usize = 63;

    /// The tokens of the word at bytes `start` to `end` of a text.
    #[inline]
    pub fn get(&self, text: &[u8], start: usize, end: usize) -> Option<Remembered<'_>> {
        let length = end - start;
        if length <= Table::<3, 7>::LONGEST {
            self.short.get(load(text, start, length))
        } else if length <= Self::LONGEST {
            self.long.get(load(text, start, length))
        } else {
            None
        }
    }

    /// The tokens of a word of up to 23 bytes, which are the first of some little-endian words.
    #[inline]
    pub fn get_short(&self, words: [u64; 3], length: usize) -> Option<Remembered<'_>> {
        self.short.get(key(words, length))
    }

    /// Remembers a word and its tokens, as ids and ends, once enough words have come to be worth it.
    pub fn set(
        &mut self,
        word: &[u8],
        start: Option<usize>,
        tokens: impl ExactSizeIterator<Item = (u32, usize)>,
    ) {
        self.words += 1;
        if self.words < WORDS_BEFORE_MEMORY || word.len() > Self::LONGEST {
            return;
        }
        let start = start.map_or(NO_RANGES, |start| start as u8);
        if word.len() <= Table::<3, 7>::LONGEST {
            self.short.set(word, start, tokens, SHORT_SLOTS);
        } else {
            self.long.set(word, start, tokens, LONG_SLOTS);
        }
    }
}

/// Words whose bytes, and their number, fit `WORDS` machine words, with up to `TOKENS` tokens.
#[derive(Debug)]
struct Table<const WORDS: usize, const TOKENS: usize> {
    /// None, or a power of two of them. Two of them, side by side, are for the same words.
    slots: Vec<Slot<WORDS, TOKENS>>,
}

/// A word and its tokens, in one or two lines of the cache.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Slot<const WORDS: usize, const TOKENS: usize> {
    /// The word's bytes, zeros, and in the last byte its length; all zero for an empty slot.
    key: [u64; WORDS],
    ids: [u32; TOKENS],
    ends: [u8; TOKENS],
    count: u8,
    start: u8,
}

impl<const WORDS: usize, const TOKENS: usize> Default for Table<WORDS, TOKENS> {
    fn default() -> Self {
        Self { slots: Vec::new() }
    }
}

impl<const WORDS: usize, const TOKENS: usize> Table<WORDS, TOKENS> {
    const LONGEST: usize = 8 * WORDS - 1;
    const EMPTY: Slot<WORDS, TOKENS> = Slot {
        key: [0; WORDS],
        ids: [0; TOKENS],
        ends: [0; TOKENS],
        count: 0,
        start: NO_RANGES,
    };

    #[inline]
    fn get(&self, key: [u64; WORDS]) -> Option<Remembered<'_>> {
        if self.slots.is_empty() {
            return None;
        }
        let place = self.place(&key);
        let pair = self.slots.get(place..place + 2)?;
        let slot = if pair[0].key == key {
            &pair[0]
        } else if pair[1].key == key {
            &pair[1]
        } else {
            return None;
        };
        let count = usize::from(slot.count);
        Some(Remembered {
            ids: slot.ids.get(..count)?,
            ends: slot.ends.get(..count)?,
            start: (slot.start != NO_RANGES).then_some(slot.start),
        })
    }

    fn set(
        &mut self,
        word: &[u8],
        start: u8,
        tokens: impl ExactSizeIterator<Item = (u32, usize)>,
        slots: usize,
    ) {
        if tokens.len() > TOKENS {
            return;
        }
        if self.slots.is_empty() {
            self.slots = vec![Self::EMPTY; slots];
        }
        let key = load(word, 0, word.len());
        let place = self.place(&key);
        let mut slot = Slot {
            key,
            count: tokens.len() as u8,
            start,
            ..Self::EMPTY
        };
        let places = slot.ids.iter_mut().zip(&mut slot.ends);
        for ((id, end), token) in places.zip(tokens) {
            (*id, *end) = (token.0, token.1 as u8);
        }
        self.slots[place + 1] = self.slots[place];
        self.slots[place] = slot;
    }

    /// The first of the two slots of a word: its machine words folded in by multiplication, as wyhash does.
    #[inline]
    fn place(&self, key: &[u64; WORDS]) -> usize {
        const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut state = 0;
        for word in key {
            let product = u128::from(state ^ word) * u128::from(FACTOR);
            state = (product >> 64) as u64 ^ product as u64;
        }
        state as usize & self.slots.len().wrapping_sub(2)
    }
}

/// The `length` bytes of a text from `start` on as a key.
#[inline]
fn load<const WORDS: usize>(text: &[u8], start: usize, length: usize) -> [u64; WORDS] {
    let mut bytes = [[0; 8]; WORDS];
    bytes.as_flattened_mut()[..length].copy_from_slice(&text[start..start + length]);
    key(bytes.map(u64::from_le_bytes), length)
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
        memo.set(b"word", None, (0..8).map(|id| (id, 1)));
        assert_eq!(memo.get(b"word", 0, 4), None);
        memo.set(b"word", None, (0..7).map(|id| (id, 1)));
        let remembered = memo.get(b"word", 0, 4).unwrap();
        assert_eq!(
            (remembered.ids, remembered.start),
            (&[0, 1, 2, 3, 4, 5, 6][..], None)
        );
    }

    #[test]
    fn a_few_words_take_no_memory() {
        let mut memo = Memo::default();
        memo.set(b"word", Some(0), [(1, 4)].into_iter());
        assert_eq!(memo.get(b"word", 0, 4), None);
        assert!(memo.short.slots.is_empty());
    }
}
