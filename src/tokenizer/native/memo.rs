//! Words and their tokens, remembered: most words of a text came before.

use super::table_memory::TableMemory;

/// Words seen before there is memory for them: a single sentence is tokenized before the memory would be there.
const WORDS_BEFORE_MEMORY: usize = 500;
/// Bytes of each of the tables.
const TABLE_BYTES: usize = 2 << 20;

/// Words and their tokens, by hash; a new word takes the place of the oldest of a few.
///
/// Words of up to 15 bytes, nearly all of a text, are two to a line of the processor's cache.
#[derive(Debug, Default)]
pub struct Memo {
    words: usize,
    short: Short,
    medium: Medium,
    long: Long,
}

type Short = Table<2, 4, { TABLE_BYTES / 64 }>;
type Medium = Table<3, 8, { TABLE_BYTES / 128 }>;
type Long = Table<8, 16, { TABLE_BYTES / 256 }>;

/// The tokens of a remembered word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remembered<'a> {
    pub ids: &'a [u32],
    /// Where each token ends, in bytes of the word. Each begins where the one before ends.
    pub ends: &'a [u8],
    /// Where the first token begins; none if the tokens do not lie side by side, so that `ends` says nothing.
    pub start: Option<u8>,
    /// See [`Start::Plain`].
    pub is_plain: bool,
}

/// Where the tokens of a word begin in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At its first byte; and no step changes a character of the word, alone or beside others that none changes.
    Plain,
    At(usize),
    /// They do not lie side by side.
    Unknown,
}

impl Memo {
    /// Bytes of the longest word that is remembered.
    pub const LONGEST: usize = Long::LONGEST;

    /// Whether words are remembered by now.
    pub fn is_used(&self) -> bool {
        self.words >= WORDS_BEFORE_MEMORY
    }

    /// The tokens of the word at bytes `start` to `end` of a text.
    pub fn get(&self, text: &[u8], start: usize, end: usize) -> Option<Remembered<'_>> {
        let length = end - start;
        if length <= ShortWords::LONGEST {
            let words = self.short_words()?;
            match length {
                ..=Short::LONGEST => words.short(&words.ask(load(text, start, length), length)),
                _ => words.medium(load(text, start, length), length),
            }
        } else if length <= Self::LONGEST {
            let key = key(load(text, start, length), length);
            let place = place::<8, { Long::PAIRS }>(&key);
            Long::tokens(self.long.slots()?.find(key, place)?)
        } else {
            None
        }
    }

    /// The words of up to [`ShortWords::LONGEST`] bytes, to look up many; none if there is none.
    #[inline]
    pub fn short_words(&self) -> Option<ShortWords<'_>> {
        Some(ShortWords {
            short: self.short.slots()?,
            medium: self.medium.slots(),
        })
    }

    /// Remembers a word and its tokens, as ids and ends, once enough words have come to be worth it.
    pub fn set(
        &mut self,
        word: &[u8],
        start: Start,
        tokens: impl ExactSizeIterator<Item = (u32, usize)>,
    ) {
        self.words += 1;
        if self.words < WORDS_BEFORE_MEMORY {
            return;
        }
        let (length, count) = (word.len(), tokens.len());
        // Whoever looks up words looks among the short ones first.
        self.short.allocate();
        if length <= Short::LONGEST && count <= Short::TOKENS {
            self.short.set(word, start, tokens);
            return;
        }
        if length <= Short::LONGEST && count <= Medium::TOKENS {
            self.short.refer(word);
        }
        if length <= Medium::LONGEST && count <= Medium::TOKENS {
            self.medium.set(word, start, tokens);
        } else if length > Medium::LONGEST && length <= Long::LONGEST && count <= Long::TOKENS {
            self.long.set(word, start, tokens);
        }
    }
}

/// The words of a memo but the longest.
#[derive(Debug, Clone, Copy)]
pub struct ShortWords<'a> {
    short: Slots<'a, 2, 4, { Short::PAIRS }>,
    medium: Option<Slots<'a, 3, 8, { Medium::PAIRS }>>,
}

impl<'a> ShortWords<'a> {
    /// Bytes of the longest word for [`Self::short`].
    pub const SHORT: usize = Short::LONGEST;
    /// Bytes of the longest of all.
    pub const LONGEST: usize = Medium::LONGEST;

    /// Asks for the tokens of a word of up to [`Self::SHORT`] bytes, which is the first `length` bytes of some
    /// little-endian words. The answer is better not waited for: it may have to come from far.
    #[inline]
    pub fn ask(self, words: [u64; 2], length: usize) -> Asked {
        let key = key(words, length);
        let place = place::<2, { Short::PAIRS }>(&key);
        prefetch(&self.short.0[place]);
        Asked { key, place }
    }

    /// The tokens of the word that was asked for.
    #[inline]
    pub fn short(self, asked: &Asked) -> Option<Remembered<'a>> {
        let slot = self.short.find(asked.key, asked.place)?;
        Short::tokens(slot).or_else(|| self.many_tokens(asked.key))
    }

    /// Those of a short word that are too many for its table.
    #[cold]
    fn many_tokens(self, [first, second]: [u64; 2]) -> Option<Remembered<'a>> {
        let length = second >> 56;
        self.medium([first, second & !(0xff << 56), 0], length as usize)
    }

    /// The tokens of a longer word.
    pub fn medium(self, words: [u64; 3], length: usize) -> Option<Remembered<'a>> {
        let key = key(words, length);
        let place = place::<3, { Medium::PAIRS }>(&key);
        Medium::tokens(self.medium?.find(key, place)?)
    }
}

/// A word that was asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked {
    key: [u64; 2],
    place: usize,
}

/// Words whose bytes, and their number, fit `KEY` machine words, with their tokens in a slot of `SLOT` machine words.
///
/// A slot is the word's bytes, zeros, and in the last byte of the key its length; then the ids of its tokens, where they
/// end, and in the last byte the number of tokens, or [`ELSEWHERE`], and, above it, where the first begins. All zero is
/// an empty slot. The slots of a word are two, side by side in one line of the cache, or two lines, or four; there are
/// `PAIRS` of them, a power of two. A word that others displace from there moves to the pair beside it.
#[derive(Debug, Default)]
struct Table<const KEY: usize, const SLOT: usize, const PAIRS: usize> {
    /// None, or all.
    memory: TableMemory,
}

/// The newer word of a pair, and the older.
type Pair<const SLOT: usize> = [[u64; SLOT]; 2];

const COUNT_BITS: u32 = 4;
/// A number of tokens that no word has: there are too many for this table, and the next has them.
const ELSEWHERE: u8 = (1 << COUNT_BITS) - 1;
/// A start that no word has: the ranges of its tokens are not to be had from their ends.
const NO_RANGES: u8 = (1 << COUNT_BITS) - 1;
/// The start of a plain word, which is 0.
const PLAIN: u8 = NO_RANGES - 1;

impl<const KEY: usize, const SLOT: usize, const PAIRS: usize> Table<KEY, SLOT, PAIRS> {
    const PAIRS: usize = PAIRS;
    /// Bytes of the longest word.
    const LONGEST: usize = 8 * KEY - 1;
    /// Bytes that hold tokens.
    const VALUE: usize = 8 * (SLOT - KEY);
    /// The most tokens of a word: an id takes four bytes, an end one.
    const TOKENS: usize = (Self::VALUE - 1) / 5;

    fn allocate(&mut self) {
        if self.memory.is_empty() {
            self.memory = TableMemory::zeroed(PAIRS * 2 * SLOT);
        }
    }

    /// None if there is no memory yet.
    #[inline]
    fn slots(&self) -> Option<Slots<'_, KEY, SLOT, PAIRS>> {
        let pairs: &[Pair<SLOT>] = self.memory.as_chunks().0.as_chunks().0;
        Some(Slots(pairs.first_chunk()?))
    }

    fn set(
        &mut self,
        word: &[u8],
        start: Start,
        tokens: impl ExactSizeIterator<Item = (u32, usize)>,
    ) {
        let start = match start {
            Start::Plain => PLAIN,
            Start::At(start) if start < usize::from(PLAIN) => start as u8,
            _ => NO_RANGES,
        };
        self.put(word, start << COUNT_BITS | tokens.len() as u8, tokens);
    }

    /// Remembers that the next table has a word.
    fn refer(&mut self, word: &[u8]) {
        self.put(word, ELSEWHERE, std::iter::empty());
    }

    fn put(&mut self, word: &[u8], last: u8, tokens: impl Iterator<Item = (u32, usize)>) {
        self.allocate();
        let key: [u64; KEY] = key(load(word, 0, word.len()), word.len());
        let mut slot = [0; SLOT];
        slot[..KEY].copy_from_slice(&key);
        let value = &mut slot[KEY..];
        bytemuck::cast_slice_mut::<_, u8>(value)[Self::VALUE - 1] = last;
        for (index, (id, end)) in tokens.enumerate() {
            bytemuck::cast_slice_mut::<_, u32>(value)[index] = id;
            bytemuck::cast_slice_mut::<_, u8>(value)[4 * Self::TOKENS + index] = end as u8;
        }
        let pairs: &mut [Pair<SLOT>] = self.memory.as_chunks_mut().0.as_chunks_mut().0;
        let place = place::<KEY, PAIRS>(&key);
        if let Some(displaced) = put_first(pairs, place, slot) {
            put_first(pairs, place ^ 1, displaced);
        }
    }

    /// The tokens in a slot; none if they are elsewhere.
    #[inline]
    fn tokens(slot: &[u64; SLOT]) -> Option<Remembered<'_>> {
        let value = &slot[KEY..];
        let (ids, bytes): (&[u32], &[u8]) =
            (bytemuck::cast_slice(value), bytemuck::cast_slice(value));
        let count_start = bytes[Self::VALUE - 1];
        let count = usize::from(count_start & ELSEWHERE);
        let start = count_start >> COUNT_BITS;
        if count > Self::TOKENS {
            return None;
        }
        Some(Remembered {
            ids: &ids[..count],
            ends: &bytes[4 * Self::TOKENS..][..count],
            start: match start {
                NO_RANGES => None,
                PLAIN => Some(0),
                start => Some(start),
            },
            is_plain: start == PLAIN,
        })
    }
}

/// Puts a slot before those of a pair, of which the last has to go if it is another word's.
#[inline]
fn put_first<const SLOT: usize>(
    pairs: &mut [Pair<SLOT>],
    place: usize,
    slot: [u64; SLOT],
) -> Option<[u64; SLOT]> {
    let [newer, older] = pairs.get_mut(place)?;
    let displaced = std::mem::replace(older, std::mem::replace(newer, slot));
    (displaced[0] != 0).then_some(displaced)
}

/// The slots of a table.
#[derive(Debug, Clone, Copy)]
struct Slots<'a, const KEY: usize, const SLOT: usize, const PAIRS: usize>(&'a [Pair<SLOT>; PAIRS]);

impl<'a, const KEY: usize, const SLOT: usize, const PAIRS: usize> Slots<'a, KEY, SLOT, PAIRS> {
    /// The slot of a word.
    #[inline]
    fn find(self, key: [u64; KEY], place: usize) -> Option<&'a [u64; SLOT]> {
        let pair = &self.0[place % PAIRS];
        let [in_newer, in_older] = [has_key(&pair[0], &key), has_key(&pair[1], &key)];
        if !(in_newer | in_older) {
            return self.find_displaced(key, place);
        }
        // Which of the two it is cannot be guessed: an index rather than a branch.
        Some(&pair[usize::from(!in_newer)])
    }

    #[cold]
    fn find_displaced(self, key: [u64; KEY], place: usize) -> Option<&'a [u64; SLOT]> {
        let pair = &self.0[place % PAIRS ^ 1];
        pair.iter().find(|slot| has_key(slot, &key))
    }
}

/// Whether a slot is that of a word. Word by word: a key that was just made is in registers, not in memory.
#[inline]
fn has_key<const KEY: usize, const SLOT: usize>(slot: &[u64; SLOT], key: &[u64; KEY]) -> bool {
    let different = slot
        .iter()
        .zip(key)
        .map(|(of_slot, of_key)| of_slot ^ of_key);
    different.fold(0, |any, bits| any | bits) == 0
}

/// The pair of a word: its machine words folded in by multiplication, two at a time, as wyhash does.
#[inline]
fn place<const KEY: usize, const PAIRS: usize>(key: &[u64; KEY]) -> usize {
    const FACTORS: [u64; 2] = [0x9e37_79b9_7f4a_7c15, 0xe703_7ed1_a0b4_28db];
    const { assert!(PAIRS.is_power_of_two()) };
    let mut state = FACTORS[0];
    let (twos, rest) = key.as_chunks::<2>();
    for [first, second] in twos {
        state = fold(state ^ first, FACTORS[1] ^ second);
    }
    for word in rest {
        state = fold(state ^ word, FACTORS[1]);
    }
    state as usize % PAIRS
}

/// Has the processor fetch what will be read, without anything waiting for it.
#[inline]
fn prefetch<T>(what: &T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        #[allow(unsafe_code, reason = "there is no safe way to give this hint")]
        // SAFETY: it reads nothing, and every x86-64 processor knows it.
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(what).cast());
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = what;
}

#[inline]
fn fold(first: u64, second: u64) -> u64 {
    let product = u128::from(first) * u128::from(second);
    (product >> 64) as u64 ^ product as u64
}

/// The `length` bytes of a text from `start` on, as little-endian words with zeros behind.
fn load<const WORDS: usize>(text: &[u8], start: usize, length: usize) -> [u64; WORDS] {
    let mut bytes = [[0; 8]; WORDS];
    bytes.as_flattened_mut()[..length].copy_from_slice(&text[start..start + length]);
    bytes.map(u64::from_le_bytes)
}

/// The first `length` bytes of some words, and their number, as a key. There are more bytes in the words.
#[inline]
fn key<const KEY: usize>(mut words: [u64; KEY], length: usize) -> [u64; KEY] {
    let masks = const { &masks::<KEY>() };
    for (word, mask) in words.iter_mut().zip(masks[length % LENGTHS]) {
        *word &= mask;
    }
    words[KEY - 1] |= (length as u64) << 56;
    words
}

/// More than the length of any word.
const LENGTHS: usize = 8 * 8;

/// For each length, what keeps that many bytes of some words.
const fn masks<const KEY: usize>() -> [[u64; KEY]; LENGTHS] {
    let mut masks = [[0; KEY]; LENGTHS];
    let mut length = 0;
    while length < LENGTHS {
        let mut byte = 0;
        while byte < length && byte < 8 * KEY {
            masks[length][byte / 8] |= 0xff << (byte % 8 * 8);
            byte += 1;
        }
        length += 1;
    }
    masks
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
            memo.set(word, Start::At(1), [(length as u32, length)].into_iter());
            let expected = Remembered {
                ids: &[length as u32],
                ends: &[length as u8],
                start: Some(1),
                is_plain: false,
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
            memo.set(bytes, Start::Unknown, vec![(9, 1); most + 1].into_iter());
            assert_eq!(memo.get(bytes, 0, bytes.len()), None);
            memo.set(bytes, Start::Unknown, vec![(9, 1); most].into_iter());
            let remembered = memo.get(bytes, 0, bytes.len()).unwrap();
            assert_eq!(
                (remembered.ids, remembered.start),
                (&vec![9; most][..], None)
            );
        }
    }

    #[test]
    fn a_slot_holds_as_many_tokens_as_fit() {
        assert_eq!((Short::TOKENS, Medium::TOKENS, Long::TOKENS), (3, 7, 12));
    }

    #[test]
    fn a_few_words_take_no_memory() {
        let mut memo = Memo::default();
        memo.set(b"word", Start::Plain, [(1, 4)].into_iter());
        assert_eq!(memo.get(b"word", 0, 4), None);
        assert!(memo.short.memory.is_empty());
    }
}
