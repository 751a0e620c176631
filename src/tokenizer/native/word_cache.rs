//! A cache of words and their tokens. It pays off because most words of a text have occurred before.

use super::huge_pages::HugePages;
use super::word_table::{Slots, Table, key, load_words, pair_index};

pub use super::word_table::{CachedTokens, TokenStart};

/// The number of new words before the tables are allocated. Tokenizing a single sentence takes less time than the
/// allocation.
const WORDS_BEFORE_TABLES: usize = 500;

/// Words and their tokens, by hash. A new word displaces the oldest of a few words with similar hashes.
#[derive(Debug, Default)]
pub struct WordCache {
    /// The number of words stored so far.
    words: usize,
    /// The three tables. Empty until they are allocated.
    memory: HugePages,
}

/// 2 MiB for words of up to 15 bytes, which are nearly all words of a text.
type Short = Table<2, 4, { 1 << 15 }>;
/// 512 KiB for words of up to 23 bytes.
type Medium = Table<3, 8, { 1 << 12 }>;
/// 512 KiB for words of up to 63 bytes.
type Long = Table<8, 16, { 1 << 11 }>;

const MEDIUM: usize = Short::MEMORY;
const LONG: usize = MEDIUM + Medium::MEMORY;
const END: usize = LONG + Long::MEMORY;

impl WordCache {
    /// The length of the longest word that can be cached, in bytes.
    pub const LONGEST: usize = Long::LONGEST;

    /// Returns true once the tables are allocated.
    pub fn is_used(&self) -> bool {
        !self.memory.is_empty()
    }

    /// Returns the tokens of the word at bytes `start` to `end` of a text.
    pub fn get(&self, text: &[u8], start: usize, end: usize) -> Option<CachedTokens<'_>> {
        let length = end - start;
        let words = self.short_words()?;
        if length <= Short::LONGEST {
            words.short(&words.look_up(load_words(text, start, length), length))
        } else if length <= Medium::LONGEST {
            words.medium(load_words(text, start, length), length)
        } else if length <= Long::LONGEST {
            let key = key(load_words(text, start, length), length);
            let index = pair_index::<8, { Long::PAIRS }>(&key);
            Long::tokens(Long::slots(&self.memory[LONG..])?.find(key, index)?)
        } else {
            None
        }
    }

    /// Returns the tables for words of up to [`ShortWords::LONGEST`] bytes, for repeated look-ups. `None` until the
    /// tables are allocated.
    #[inline]
    pub fn short_words(&self) -> Option<ShortWords<'_>> {
        let memory = &*self.memory;
        Some(ShortWords {
            short: Short::slots(memory)?,
            medium: Medium::slots(memory.get(MEDIUM..)?)?,
        })
    }

    /// Stores a word and its tokens, given as ids and ends. Does nothing until enough words have occurred to make the
    /// tables worthwhile.
    pub fn set(
        &mut self,
        word: &[u8],
        start: TokenStart,
        tokens: impl ExactSizeIterator<Item = (u32, usize)>,
    ) {
        self.words += 1;
        if self.words < WORDS_BEFORE_TABLES {
            return;
        }
        if self.memory.is_empty() {
            self.memory = HugePages::zeroed(END);
        }
        let memory = &mut *self.memory;
        let (length, count) = (word.len(), tokens.len());
        if length <= Short::LONGEST && count <= Short::TOKENS {
            Short::set(memory, word, start, tokens);
        } else if length <= Medium::LONGEST && count <= Medium::TOKENS {
            if length <= Short::LONGEST {
                Short::set_elsewhere(memory, word);
            }
            Medium::set(&mut memory[MEDIUM..], word, start, tokens);
        } else if length > Medium::LONGEST && length <= Long::LONGEST && count <= Long::TOKENS {
            Long::set(&mut memory[LONG..], word, start, tokens);
        }
    }
}

/// The tables for words of up to 23 bytes.
#[derive(Debug, Clone, Copy)]
pub struct ShortWords<'a> {
    short: Slots<'a, 2, 4, { Short::PAIRS }>,
    medium: Slots<'a, 3, 8, { Medium::PAIRS }>,
}

impl<'a> ShortWords<'a> {
    /// The length of the longest word for [`Self::short`], in bytes.
    pub const SHORT: usize = Short::LONGEST;
    /// The length of the longest word for [`Self::medium`], in bytes.
    pub const LONGEST: usize = Medium::LONGEST;

    /// Starts to look up a word, given as the first `length` bytes of little-endian machine words.
    ///
    /// Prefetches the slots for [`Self::short`], so callers should do other work before they use the result. For a word
    /// of more than [`Self::SHORT`] bytes, the result is meaningless.
    #[inline]
    pub fn look_up(self, words: [u64; 2], length: usize) -> PendingLookup {
        let key = key(words, length);
        let index = pair_index::<2, { Short::PAIRS }>(&key);
        self.short.prefetch(index);
        PendingLookup {
            key,
            index: index as u32,
        }
    }

    /// Returns the tokens of a word of up to [`Self::SHORT`] bytes, given its pending look-up.
    #[inline]
    pub fn short(self, lookup: &PendingLookup) -> Option<CachedTokens<'a>> {
        let slot = self.short.find(lookup.key, lookup.index as usize)?;
        Short::tokens(slot).or_else(|| self.many_tokens(lookup.key))
    }

    /// Returns the tokens of a short word that has too many tokens for its own table.
    #[cold]
    fn many_tokens(self, [first, second]: [u64; 2]) -> Option<CachedTokens<'a>> {
        let length = second >> 56;
        self.medium([first, second & !(0xff << 56), 0], length as usize)
    }

    /// Returns the tokens of a word of up to [`Self::LONGEST`] bytes that [`Self::short`] does not hold.
    pub fn medium(self, words: [u64; 3], length: usize) -> Option<CachedTokens<'a>> {
        let key = key(words, length);
        let index = pair_index::<3, { Medium::PAIRS }>(&key);
        Medium::tokens(self.medium.find(key, index)?)
    }
}

/// A look-up whose result has not been used yet.
#[derive(Debug, Clone, Copy, Default)]
pub struct PendingLookup {
    key: [u64; 2],
    index: u32,
}

impl PendingLookup {
    /// The look-up of a word that is in no slot: no word has this length.
    pub const NONE: Self = Self {
        key: [u64::MAX; 2],
        index: 0,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The ids, ends, and start of a cached word.
    type CachedWord = (Vec<u32>, Vec<u8>, Option<usize>);

    fn found(cache: &WordCache, text: &[u8], start: usize, end: usize) -> Option<CachedWord> {
        let known = cache.get(text, start, end)?;
        Some((known.ids.to_vec(), known.ends.to_vec(), known.start()))
    }

    #[test]
    fn words_of_every_length_are_found_at_every_position() {
        let text: Vec<u8> = (0..200_u8).map(|index| b'a' + index % 7).collect();
        let mut cache = WordCache {
            words: WORDS_BEFORE_TABLES,
            ..WordCache::default()
        };
        for length in 1..=WordCache::LONGEST + 1 {
            let word = &text[50..50 + length];
            cache.set(
                word,
                TokenStart::At(1),
                [(length as u32, length)].into_iter(),
            );
            let (ids, ends) = (vec![length as u32], vec![length as u8]);
            let expected = (length <= WordCache::LONGEST).then_some((ids, ends, Some(1)));
            assert_eq!(found(&cache, &text, 50, 50 + length), expected, "{length}");
            // A word is found at the very end of a text too, but not in place of the same word followed by a zero byte.
            assert_eq!(found(&cache, word, 0, length), expected, "{length}");
            let mut other = word.to_vec();
            other.push(0);
            assert_eq!(found(&cache, &other, 0, length + 1), None, "{length}");
        }
    }

    #[test]
    fn a_word_of_too_many_tokens_is_not_cached() {
        let mut cache = WordCache {
            words: WORDS_BEFORE_TABLES,
            ..WordCache::default()
        };
        for (word, most) in [
            ("word", 7),
            ("a word of twenty bytes", 7),
            (&*"word".repeat(9), 12),
        ] {
            let bytes = word.as_bytes();
            cache.set(
                bytes,
                TokenStart::Unknown,
                vec![(9, 1); most + 1].into_iter(),
            );
            assert_eq!(cache.get(bytes, 0, bytes.len()), None);
            cache.set(bytes, TokenStart::Unknown, vec![(9, 1); most].into_iter());
            let cached = cache.get(bytes, 0, bytes.len()).unwrap();
            assert_eq!((cached.ids, cached.start()), (&vec![9; most][..], None));
        }
    }

    #[test]
    fn a_word_of_zero_bytes_keeps_its_slot() {
        let mut cache = WordCache {
            words: WORDS_BEFORE_TABLES,
            ..WordCache::default()
        };
        for length in 8..=Short::LONGEST {
            cache.set(
                &[0; 15][..length],
                TokenStart::Plain,
                [(length as u32, length)].into_iter(),
            );
        }
        for length in 8..=Short::LONGEST {
            let ids = cache
                .get(&[0; 15], 0, length)
                .map(|known| known.ids.to_vec());
            assert_eq!(ids, Some(vec![length as u32]));
        }
    }

    #[test]
    fn a_slot_holds_as_many_tokens_as_its_bytes_allow() {
        assert_eq!((Short::TOKENS, Medium::TOKENS, Long::TOKENS), (3, 7, 12));
    }

    #[test]
    fn a_few_words_allocate_no_tables() {
        let mut cache = WordCache::default();
        cache.set(b"word", TokenStart::Plain, [(1, 4)].into_iter());
        assert_eq!(cache.get(b"word", 0, 4), None);
        assert!(cache.memory.is_empty());
    }
}
