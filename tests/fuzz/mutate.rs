//! Seeds → bad files: the same ones for the same number.

/// Marsaglia's xorshift64*, started apart for each number.
pub struct Numbers(u64);

impl Numbers {
    pub fn new(seed: u64) -> Self {
        // splitmix64, so that neighbouring seeds have nothing in common.
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

    /// A number below `end`; 0 if there is none.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() >> 11) as usize % end.max(1)
    }
}

/// Numbers that lengths, counts and offsets are overwritten with.
const LIES: &[u64] = &[
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

/// Parts that mean something to one of the parsers.
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

/// The bad file of a number: a seed, changed in one to eight places.
pub fn changed(seeds: &[Vec<u8>], number: u64) -> Vec<u8> {
    let numbers = &mut Numbers::new(number);
    let mut bytes = seeds[numbers.below(seeds.len())].clone();
    for _ in 0..1 << numbers.below(4) {
        change(&mut bytes, seeds, numbers);
    }
    bytes
}

fn change(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], numbers: &mut Numbers) {
    let at = place(bytes.len(), numbers);
    let end = (at + 1 + numbers.below(24)).min(bytes.len());
    match numbers.below(10) {
        0 | 1 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << numbers.below(8);
            }
        }
        2 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = numbers.next() as u8;
            }
        }
        3 | 4 => {
            let lie = LIES[numbers.below(LIES.len())].wrapping_add(numbers.below(2) as u64);
            let width = [1, 2, 4, 8][numbers.below(4)];
            let mut lie = lie.to_le_bytes()[..width].to_vec();
            if numbers.below(4) == 0 {
                lie.reverse();
            }
            let end = (at + width).min(bytes.len());
            bytes.splice(at..end, lie);
        }
        5 => {
            let word = WORDS[numbers.below(WORDS.len())];
            let over = if numbers.below(2) == 0 { at } else { end };
            bytes.splice(at..over, word.iter().copied());
        }
        6 => drop(bytes.drain(at..end)),
        7 => bytes.truncate(at),
        8 => {
            let other = &seeds[numbers.below(seeds.len())];
            let from = numbers.below(other.len() + 1);
            let to = (from + numbers.below(200)).min(other.len());
            bytes.splice(at..end, other[from..to].iter().copied());
        }
        // The same again, up to some thousand times: nesting, long names, many entries.
        _ => {
            let times = 1 << numbers.below(if bytes.len() < 1 << 16 { 12 } else { 4 });
            let part = bytes[at..end].repeat(times);
            bytes.splice(at..at, part);
        }
    }
}

/// A place in the bytes; headers at the front and directories at the end are hit more often than what is between.
fn place(length: usize, numbers: &mut Numbers) -> usize {
    match numbers.below(4) {
        0 => numbers.below(length.min(64) + 1),
        1 => length - numbers.below(length.min(128) + 1),
        _ => numbers.below(length + 1),
    }
}
