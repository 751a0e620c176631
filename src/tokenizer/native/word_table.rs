//! Hash tables of words and their tokens, in memory that the caller owns.

/// The tokens of a cached word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CachedTokens<'a> {
    pub ids: &'a [u32],
    /// The end of each token, in bytes from the start of the word. Each token begins where the one before it ends.
    pub ends: &'a [u8],
    /// The start of the first token, as encoded in the slot.
    start: u8,
}

impl CachedTokens<'_> {
    /// Returns the start of the first token. Returns `None` if the tokens are not adjacent, in which case `ends` is
    /// meaningless.
    pub fn start(&self) -> Option<usize> {
        match self.start {
            NO_RANGES | PLAIN_NO_RANGES => None,
            PLAIN | IN_CHARACTERS => Some(0),
            start => Some(start.into()),
        }
    }

    /// Returns true if a token ends within a character.
    #[inline]
    pub fn end_in_characters(&self) -> bool {
        self.start == IN_CHARACTERS
    }

    /// Returns true if the ranges of the tokens are known or not needed.
    #[inline]
    pub fn serves(&self, needs_ranges: bool) -> bool {
        !needs_ranges | (self.start.wrapping_sub(NO_RANGES) > PLAIN_NO_RANGES - NO_RANGES)
    }

    /// Returns true if the word keeps its tokens when followed by this number of [trailing
    /// marks](super::trailing_marks), 0 or 1. Only a plain word may be followed by a mark.
    #[inline]
    pub fn allows_marks(&self, marks: u8) -> bool {
        // Compare numbers instead of branching: a branch would often be mispredicted.
        self.start >= PLAIN_NO_RANGES.wrapping_mul(marks)
    }
}

/// The start of a word's first token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenStart {
    /// The first byte. The word is plain: no step changes any of its characters, alone or next to other such
    /// characters.
    Plain,
    /// The tokens of a plain word are not adjacent.
    PlainUnknown,
    At(usize),
    /// The first byte. Some tokens begin or end within a character, and their ranges include all of it.
    InCharacters,
    /// The tokens are not adjacent.
    Unknown,
}

/// A hash table of words: `PAIRS` pairs of slots, a power of two.
///
/// A slot has `SLOT` machine words. The first `KEY` are the key: the bytes of the word, padded with zeros, and the
/// length in the last byte. The value follows: the ids of the tokens, their ends, and a last byte with the number of
/// tokens (or [`ELSEWHERE`]) in its low bits and the start of the first token in its high bits. An empty slot is all
/// zeros.
///
/// The hash of a word selects a pair, which fills one, two, or four cache lines. A word displaced from its pair moves
/// to the neighboring pair.
#[derive(Debug)]
pub struct Table<const KEY: usize, const SLOT: usize, const PAIRS: usize>;

/// The two slots that a hash selects.
type Pair<const SLOT: usize> = [[u64; SLOT]; 2];

const COUNT_BITS: u32 = 4;
/// Replaces the number of tokens if there are too many for this table. The table of longer words then holds them.
const ELSEWHERE: u8 = (1 << COUNT_BITS) - 1;
/// Replaces the start if the ranges of the tokens do not follow from their ends.
const NO_RANGES: u8 = PLAIN - 2;
/// Replaces the start of a plain word if the ranges of its tokens do not follow from their ends.
const PLAIN_NO_RANGES: u8 = PLAIN - 1;
/// Replaces the start, which is 0, if a token ends within a character.
const IN_CHARACTERS: u8 = NO_RANGES - 1;
/// Replaces the start of a plain word, which is always 0.
const PLAIN: u8 = (1 << COUNT_BITS) - 1;

impl<const KEY: usize, const SLOT: usize, const PAIRS: usize> Table<KEY, SLOT, PAIRS> {
    pub const PAIRS: usize = PAIRS;
    /// The memory that the table needs, in machine words. They must be zero at first.
    pub const MEMORY: usize = PAIRS * 2 * SLOT;
    /// The length of the longest word, in bytes.
    pub const LONGEST: usize = 8 * KEY - 1;
    /// The maximum number of tokens of a word: an id takes four bytes, an end one.
    pub const TOKENS: usize = (Self::VALUE - 1) / 5;
    /// The size of the value in a slot, in bytes.
    const VALUE: usize = 8 * (SLOT - KEY);

    /// Returns the slots of the table in `memory`. Returns `None` if the memory is too small.
    #[inline]
    pub fn slots(memory: &[u64]) -> Option<Slots<'_, KEY, SLOT, PAIRS>> {
        let pairs: &[Pair<SLOT>] = memory.as_chunks().0.as_chunks().0;
        Some(Slots(pairs.first_chunk()?))
    }

    /// Stores a word and its tokens, given as ids and ends.
    pub fn set(
        memory: &mut [u64],
        word: &[u8],
        start: TokenStart,
        tokens: impl ExactSizeIterator<Item = (u32, usize)>,
    ) {
        let start = match start {
            TokenStart::Plain => PLAIN,
            TokenStart::PlainUnknown => PLAIN_NO_RANGES,
            TokenStart::InCharacters => IN_CHARACTERS,
            TokenStart::At(start) if start < usize::from(IN_CHARACTERS) => start as u8,
            _ => NO_RANGES,
        };
        Self::put(
            memory,
            word,
            start << COUNT_BITS | tokens.len() as u8,
            tokens,
        );
    }

    /// Records that the tokens of a word are in the table of longer words.
    pub fn set_elsewhere(memory: &mut [u64], word: &[u8]) {
        Self::put(memory, word, ELSEWHERE, std::iter::empty());
    }

    fn put(memory: &mut [u64], word: &[u8], last: u8, tokens: impl Iterator<Item = (u32, usize)>) {
        let key: [u64; KEY] = key(load_words(word, 0, word.len()), word.len());
        let mut slot = [0; SLOT];
        slot[..KEY].copy_from_slice(&key);
        let value = &mut slot[KEY..];
        bytemuck::cast_slice_mut::<_, u8>(value)[Self::VALUE - 1] = last;
        for (index, (id, end)) in tokens.enumerate() {
            bytemuck::cast_slice_mut::<_, u32>(value)[index] = id;
            bytemuck::cast_slice_mut::<_, u8>(value)[4 * Self::TOKENS + index] = end as u8;
        }
        let pairs: &mut [Pair<SLOT>] = memory.as_chunks_mut().0.as_chunks_mut().0;
        let index = pair_index::<KEY, PAIRS>(&key);
        // The first words to occur are mostly the frequent ones, so they keep their slots while other slots are free.
        for index in [index, index ^ 1] {
            let pair = pairs.get_mut(index).into_iter().flatten();
            let mut free = pair.filter(|slot| is_free(&slot[..]) || has_key(slot, &key));
            if let Some(free) = free.next() {
                *free = slot;
                return;
            }
        }
        if let Some(displaced) = put_first(pairs, index, slot) {
            put_first(pairs, index ^ 1, displaced);
        }
    }

    /// Returns the tokens in a slot. Returns `None` if they are in the table of longer words.
    #[inline]
    pub fn tokens(slot: &[u64; SLOT]) -> Option<CachedTokens<'_>> {
        let value = &slot[KEY..];
        let (ids, bytes): (&[u32], &[u8]) =
            (bytemuck::cast_slice(value), bytemuck::cast_slice(value));
        let count_start = bytes[Self::VALUE - 1];
        let count = usize::from(count_start & ELSEWHERE);
        if count > Self::TOKENS {
            return None;
        }
        Some(CachedTokens {
            ids: &ids[..count],
            ends: &bytes[4 * Self::TOKENS..][..count],
            start: count_start >> COUNT_BITS,
        })
    }
}

/// Inserts a slot at the front of a pair. Returns the displaced last slot unless it is empty.
#[inline]
fn put_first<const SLOT: usize>(
    pairs: &mut [Pair<SLOT>],
    index: usize,
    slot: [u64; SLOT],
) -> Option<[u64; SLOT]> {
    let [first, second] = pairs.get_mut(index)?;
    let displaced = std::mem::replace(second, std::mem::replace(first, slot));
    (!is_free(&displaced)).then_some(displaced)
}

/// Returns true if a slot is empty. Checks the whole slot, since the first bytes of a word may be zero too.
fn is_free(slot: &[u64]) -> bool {
    slot.iter().all(|word| *word == 0)
}

/// The slots of a table.
#[derive(Debug, Clone, Copy)]
pub struct Slots<'a, const KEY: usize, const SLOT: usize, const PAIRS: usize>(
    &'a [Pair<SLOT>; PAIRS],
);

impl<'a, const KEY: usize, const SLOT: usize, const PAIRS: usize> Slots<'a, KEY, SLOT, PAIRS> {
    /// Asks the processor to load a pair into its cache, without waiting for it.
    #[inline]
    pub fn prefetch(self, index: usize) {
        prefetch(&self.0[index % PAIRS]);
    }

    /// Returns the slot of the word with this key. `index` is the key's [`pair_index`].
    #[inline]
    pub fn find(self, key: [u64; KEY], index: usize) -> Option<&'a [u64; SLOT]> {
        let pair = &self.0[index % PAIRS];
        // Index instead of branching: the processor cannot predict which of the two it is.
        let slot = &pair[usize::from(!has_key(&pair[0], &key))];
        match has_key(slot, &key) {
            true => Some(slot),
            false => self.find_displaced(key, index),
        }
    }

    #[cold]
    fn find_displaced(self, key: [u64; KEY], index: usize) -> Option<&'a [u64; SLOT]> {
        let pair = &self.0[(index ^ 1) % PAIRS];
        pair.iter().find(|slot| has_key(slot, &key))
    }
}

/// Returns true if a slot has this key.
///
/// Compares one machine word at a time, since a new key is in registers and not in memory.
#[inline]
fn has_key<const KEY: usize, const SLOT: usize>(slot: &[u64; SLOT], key: &[u64; KEY]) -> bool {
    let different = slot
        .iter()
        .zip(key)
        .map(|(of_slot, of_key)| of_slot ^ of_key);
    different.fold(0, |any, bits| any | bits) == 0
}

/// Returns the index of a key's pair. The hash folds in two machine words per multiplication, like wyhash.
#[inline]
pub fn pair_index<const KEY: usize, const PAIRS: usize>(key: &[u64; KEY]) -> usize {
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

/// Asks the processor to load memory into its cache. Does nothing on processors other than x86-64.
#[inline]
fn prefetch<T>(what: &T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        #[allow(unsafe_code, reason = "there is no safe way to give this hint")]
        // SAFETY: the instruction accesses no memory, and every x86-64 processor supports it.
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

/// Loads `length` bytes of a text from `start` on, as little-endian words padded with zeros.
pub fn load_words<const WORDS: usize>(text: &[u8], start: usize, length: usize) -> [u64; WORDS] {
    let mut bytes = [[0; 8]; WORDS];
    bytes.as_flattened_mut()[..length].copy_from_slice(&text[start..start + length]);
    bytes.map(u64::from_le_bytes)
}

/// Makes a key from the first `length` bytes of `words`. `length` must be less than the size of `words`.
#[inline]
pub fn key<const KEY: usize>(mut words: [u64; KEY], length: usize) -> [u64; KEY] {
    let masks = const { &masks::<KEY>() };
    for (word, mask) in words.iter_mut().zip(masks[length % LENGTHS]) {
        *word &= mask;
    }
    words[KEY - 1] |= (length as u64) << 56;
    words
}

/// An upper bound on the size of any key, in bytes.
const LENGTHS: usize = 8 * 8;

/// Returns the masks, indexed by length, that keep that many bytes of a key.
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
