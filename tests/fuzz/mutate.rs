//! Makes bad files from seeds, reproducibly: one file for each number.

/// A random number generator: Marsaglia's xorshift64*, seeded with splitmix64.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        // splitmix64, so that adjacent seeds give unrelated numbers.
        let mut state = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self((state ^ (state >> 31)) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Returns a number below `end`, or 0 if `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() >> 11) as usize % end.max(1)
    }
}

/// Numbers that replace lengths, counts, and offsets.
const EXTREMES: &[u64] = &[
    0,
    1,
    2,
    7,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0xffff,
    0x1_0000,
    0x10_0000,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x1_0000_0000,
    i64::MAX as u64,
    u64::MAX - 7,
    u64::MAX,
];

/// Strings that mean something to one of the parsers.
const WORDS: &[&[u8]] = &[
    b"\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"null",
    b"-1",
    b"1e999",
    b"18446744073709551615",
    b"99999999999999999999",
    b"\\ud800",
    b"\"type\"",
    b"\"Sequence\"",
    b"\"content\"",
    b"\xff",
    b"\xe2\x96\x81",
    b"\0",
    b"(",
    b")",
    b".",
    b"\x85",
    b"R",
    b"}q\x00",
    b"PK\x01\x02",
    b"PK\x05\x06",
    b"PK\x06\x06",
    b"[MASK]",
    b"  ",
    b"\xef\xac\x81",
    b"\xcc\x81",
    b"\xe2\x80\x8d",
    b"\n",
    b"<f4",
    b"\xff\xff\xff\xff\x0f",
];

/// Returns the bad file with this number: a seed with one to eight changes.
pub fn changed(seeds: &[Vec<u8>], number: u64) -> Vec<u8> {
    let random = &mut Random::new(number);
    let mut bytes = seeds[random.below(seeds.len())].clone();
    for _ in 0..1 << random.below(4) {
        change(&mut bytes, seeds, random);
    }
    bytes
}

fn change(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], random: &mut Random) {
    let at = offset(bytes.len(), random);
    let end = (at + 1 + random.below(24)).min(bytes.len());
    match random.below(10) {
        0 | 1 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
        2 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = random.next() as u8;
            }
        }
        3 | 4 => {
            let number =
                EXTREMES[random.below(EXTREMES.len())].wrapping_add(random.below(2) as u64);
            let width = [1, 2, 4, 8][random.below(4)];
            let mut number = number.to_le_bytes()[..width].to_vec();
            if random.below(4) == 0 {
                number.reverse();
            }
            let end = (at + width).min(bytes.len());
            bytes.splice(at..end, number);
        }
        5 => {
            let word = WORDS[random.below(WORDS.len())];
            let over = if random.below(2) == 0 { at } else { end };
            bytes.splice(at..over, word.iter().copied());
        }
        6 => drop(bytes.drain(at..end)),
        7 => bytes.truncate(at),
        8 => {
            let other = &seeds[random.below(seeds.len())];
            let from = random.below(other.len() + 1);
            let to = (from + random.below(200)).min(other.len());
            bytes.splice(at..end, other[from..to].iter().copied());
        }
        // Repeats a part up to a few thousand times, for nesting, long names, and many entries.
        _ => {
            let times = 1 << random.below(if bytes.len() < 1 << 16 { 12 } else { 4 });
            let part = bytes[at..end].repeat(times);
            bytes.splice(at..at, part);
        }
    }
}

/// Returns an offset. Headers at the start and directories at the end are hit more often than the bytes between them.
fn offset(length: usize, random: &mut Random) -> usize {
    match random.below(4) {
        0 => random.below(length.min(64) + 1),
        1 => length - random.below(length.min(128) + 1),
        _ => random.below(length + 1),
    }
}
