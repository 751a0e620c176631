//! Tables of words and their tokens, by hash, in some memory.

/// The tokens of a remembered word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CachedTokens<'a> {
    pub ids: &'a [u32],
    /// Where each token ends, in bytes of the word. Each begins where the one before ends.
    pub ends: &'a [u8],
    /// As it stands in the slot.
    start: u8,
}

impl CachedTokens<'_> {
    /// Where the first token begins; none if the tokens do not lie side by side, so that `ends` says nothing.
    pub fn start(&self) -> Option<usize> {
        match self.start {
            NO_RANGES => None,
            PLAIN => Some(0),
            start => Some(start.into()),
        }
    }

    /// Whether [`Self::start`] is known, or need not be.
    #[inline]
    pub fn serves(&self, wanted: bool) -> bool {
        !wanted | (self.start != NO_RANGES)
    }

    /// Whether the word keeps its tokens before so many marks that stand apart, one or none: it does if it is plain.
    #[inline]
    pub fn allows_marks(&self, marks: u8) -> bool {
        // A number to compare with, as a branch could not be guessed.
        self.start >= PLAIN.wrapping_mul(marks)
    }
}

/// Where the tokens of a word begin in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenStart {
    /// At its first byte; and no step changes a character of the word, alone or beside others that none changes.
    Plain,
    At(usize),
    /// They do not lie side by side.
    Unknown,
}

/// Words whose bytes, and their number, fit `KEY` machine words, with their tokens in a slot of `SLOT` machine words.
///
/// A slot is the word's bytes, zeros, and in the last byte of the key its length; then the ids of its tokens, where they
/// end, and in the last byte the number of tokens, or [`ELSEWHERE`], and, above it, where the first begins. All zero is
/// an empty slot. The slots of a word are two, side by side in one line of the processor's cache, or two lines, or four;
/// there are `PAIRS` of them, a power of two. A word that others displace from there moves to the pair beside it.
#[derive(Debug)]
pub struct Table<const KEY: usize, const SLOT: usize, const PAIRS: usize>;

/// The two slots that a word may have first of all.
type Pair<const SLOT: usize> = [[u64; SLOT]; 2];

const COUNT_BITS: u32 = 4;
/// A number of tokens that no word has: there are too many for this table, and the next has them.
const ELSEWHERE: u8 = (1 << COUNT_BITS) - 1;
/// A start that no word has: the ranges of its tokens are not to be had from their ends.
const NO_RANGES: u8 = PLAIN - 1;
/// The start of a plain word, which is 0.
const PLAIN: u8 = (1 << COUNT_BITS) - 1;

impl<const KEY: usize, const SLOT: usize, const PAIRS: usize> Table<KEY, SLOT, PAIRS> {
    pub const PAIRS: usize = PAIRS;
    /// Machine words of memory, which are zero at first.
    pub const MEMORY: usize = PAIRS * 2 * SLOT;
    /// Bytes of the longest word.
    pub const LONGEST: usize = 8 * KEY - 1;
    /// The most tokens of a word: an id takes four bytes, an end one.
    pub const TOKENS: usize = (Self::VALUE - 1) / 5;
    /// Bytes that hold tokens.
    const VALUE: usize = 8 * (SLOT - KEY);

    /// The slots of the table in its memory; none if that is not all there.
    #[inline]
    pub fn slots(memory: &[u64]) -> Option<Slots<'_, KEY, SLOT, PAIRS>> {
        let pairs: &[Pair<SLOT>] = memory.as_chunks().0.as_chunks().0;
        Some(Slots(pairs.first_chunk()?))
    }

    /// Puts a word and its tokens, as ids and ends, into the table in its memory.
    pub fn set(
        memory: &mut [u64],
        word: &[u8],
        start: TokenStart,
        tokens: impl ExactSizeIterator<Item = (u32, usize)>,
    ) {
        let start = match start {
            TokenStart::Plain => PLAIN,
            TokenStart::At(start) if start < usize::from(NO_RANGES) => start as u8,
            _ => NO_RANGES,
        };
        Self::put(
            memory,
            word,
            start << COUNT_BITS | tokens.len() as u8,
            tokens,
        );
    }

    /// Remembers that the next table has a word.
    pub fn refer(memory: &mut [u64], word: &[u8]) {
        Self::put(memory, word, ELSEWHERE, std::iter::empty());
    }

    fn put(memory: &mut [u64], word: &[u8], last: u8, tokens: impl Iterator<Item = (u32, usize)>) {
        let key: [u64; KEY] = key(load(word, 0, word.len()), word.len());
        let mut slot = [0; SLOT];
        slot[..KEY].copy_from_slice(&key);
        let value = &mut slot[KEY..];
        bytemuck::cast_slice_mut::<_, u8>(value)[Self::VALUE - 1] = last;
        for (index, (id, end)) in tokens.enumerate() {
            bytemuck::cast_slice_mut::<_, u32>(value)[index] = id;
            bytemuck::cast_slice_mut::<_, u8>(value)[4 * Self::TOKENS + index] = end as u8;
        }
        let pairs: &mut [Pair<SLOT>] = memory.as_chunks_mut().0.as_chunks_mut().0;
        let place = place::<KEY, PAIRS>(&key);
        // Words that come first are mostly the frequent ones: they keep their places as long as there are others.
        for place in [place, place ^ 1] {
            let pair = pairs.get_mut(place).into_iter().flatten();
            let mut free = pair.filter(|slot| is_free(&slot[..]) || has_key(slot, &key));
            if let Some(free) = free.next() {
                *free = slot;
                return;
            }
        }
        if let Some(displaced) = put_first(pairs, place, slot) {
            put_first(pairs, place ^ 1, displaced);
        }
    }

    /// The tokens in a slot; none if the next table has them.
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

/// Puts a slot before those of a pair, of which the last has to go if it is another word's.
#[inline]
fn put_first<const SLOT: usize>(
    pairs: &mut [Pair<SLOT>],
    place: usize,
    slot: [u64; SLOT],
) -> Option<[u64; SLOT]> {
    let [first, second] = pairs.get_mut(place)?;
    let displaced = std::mem::replace(second, std::mem::replace(first, slot));
    (!is_free(&displaced)).then_some(displaced)
}

/// Whether a slot is empty. The first bytes of a word may be zero too.
fn is_free(slot: &[u64]) -> bool {
    slot.iter().all(|word| *word == 0)
}

/// The slots of a table.
#[derive(Debug, Clone, Copy)]
pub struct Slots<'a, const KEY: usize, const SLOT: usize, const PAIRS: usize>(
    &'a [Pair<SLOT>; PAIRS],
);

impl<'a, const KEY: usize, const SLOT: usize, const PAIRS: usize> Slots<'a, KEY, SLOT, PAIRS> {
    /// Has the processor fetch the slots at a place, without anything waiting for them.
    #[inline]
    pub fn prefetch(self, place: usize) {
        prefetch(&self.0[place % PAIRS]);
    }

    /// The slot of a word, whose key has that [`place`].
    #[inline]
    pub fn find(self, key: [u64; KEY], place: usize) -> Option<&'a [u64; SLOT]> {
        let pair = &self.0[place % PAIRS];
        let [in_first, in_second] = [has_key(&pair[0], &key), has_key(&pair[1], &key)];
        if !(in_first | in_second) {
            return self.find_displaced(key, place);
        }
        // Which of the two it is cannot be guessed: an index rather than a branch.
        Some(&pair[usize::from(!in_first)])
    }

    #[cold]
    fn find_displaced(self, key: [u64; KEY], place: usize) -> Option<&'a [u64; SLOT]> {
        let pair = &self.0[(place ^ 1) % PAIRS];
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

/// The place of a pair by the key of a word: its machine words folded in by multiplication, two at a time, as wyhash does.
#[inline]
pub fn place<const KEY: usize, const PAIRS: usize>(key: &[u64; KEY]) -> usize {
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

/// A hint, which does nothing on other processors.
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
pub fn load<const WORDS: usize>(text: &[u8], start: usize, length: usize) -> [u64; WORDS] {
    let mut bytes = [[0; 8]; WORDS];
    bytes.as_flattened_mut()[..length].copy_from_slice(&text[start..start + length]);
    bytes.map(u64::from_le_bytes)
}

/// The first `length` bytes of some words, and their number, as a key. There are more bytes in the words.
#[inline]
pub fn key<const KEY: usize>(mut words: [u64; KEY], length: usize) -> [u64; KEY] {
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
