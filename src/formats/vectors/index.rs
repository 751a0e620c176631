//! The places of the words of a file, and their order by hash.

use std::ops::Range;

/// The first bytes of a stored index, with the version of its form.
const MAGIC: &[u8; 8] = b"TSVECS01";

/// The places of all words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WordIndex {
    /// The start of the entry of each word.
    starts: Vec<u64>,
    /// The length of each entry in bytes.
    lengths: Vec<u32>,
    /// All rows in the order of the hashes of their words, and then of their numbers.
    order: Vec<u32>,
}

impl WordIndex {
    /// Returns the number of words.
    pub fn rows(&self) -> u64 {
        self.starts.len() as u64
    }

    /// Returns the bytes of the file with the word of a row, and with its vector if that is beside it.
    pub fn entry(&self, row: u64) -> Option<Range<u64>> {
        let row = usize::try_from(row).ok()?;
        let start = *self.starts.get(row)?;
        Some(start..start.checked_add(u64::from(*self.lengths.get(row)?))?)
    }

    /// Returns the rows whose words have a hash, in ascending order.
    ///
    /// # Errors
    /// Returns the errors of `hash_of`.
    pub fn candidates<E>(
        &self,
        wanted: u64,
        hash_of: impl Fn(u64) -> Result<u64, E>,
    ) -> Result<Vec<u64>, E> {
        let (mut low, mut high) = (0, self.order.len());
        while low < high {
            let middle = low.midpoint(high);
            let row = self.order.get(middle).copied().unwrap_or_default();
            if hash_of(u64::from(row))? < wanted {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let mut rows = Vec::new();
        for row in self.order.iter().skip(low).copied().map(u64::from) {
            if hash_of(row)? != wanted {
                break;
            }
            rows.push(row);
        }
        Ok(rows)
    }

    /// Returns the index as bytes, with the proof that its file is unchanged.
    pub fn to_bytes(&self, proof: &str) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend((proof.len() as u64).to_le_bytes());
        bytes.extend(proof.as_bytes());
        bytes.extend(self.rows().to_le_bytes());
        bytes.extend(self.starts.iter().flat_map(|start| start.to_le_bytes()));
        bytes.extend(self.lengths.iter().flat_map(|length| length.to_le_bytes()));
        bytes.extend(self.order.iter().flat_map(|row| row.to_le_bytes()));
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        bytes
    }

    /// Returns the index of a file with this proof. Returns `None` if the bytes are damaged, or are those of another file
    /// or of another state of it.
    pub fn from_bytes(bytes: &[u8], proof: &str) -> Option<Self> {
        let (content, checksum) = bytes.split_last_chunk()?;
        let rest = content.strip_prefix(MAGIC)?;
        let (length, rest) = rest.split_first_chunk()?;
        let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        let (noted, rest) = rest.split_at_checked(length)?;
        let (rows, rest) = rest.split_first_chunk()?;
        let rows = usize::try_from(u64::from_le_bytes(*rows)).ok()?;
        let is_same = noted == proof.as_bytes() && Some(rest.len()) == rows.checked_mul(16);
        if !is_same || crc32fast::hash(content) != u32::from_le_bytes(*checksum) {
            return None;
        }
        let (starts, rest) = rest.split_at_checked(rows * 8)?;
        let (lengths, order) = rest.split_at_checked(rows * 4)?;
        let short = |bytes: &[u8]| -> Vec<u32> {
            let words = bytes.as_chunks().0.iter();
            words.map(|word| u32::from_le_bytes(*word)).collect()
        };
        let starts = starts.as_chunks().0.iter();
        Some(Self {
            starts: starts.map(|word| u64::from_le_bytes(*word)).collect(),
            lengths: short(lengths),
            order: short(order),
        })
    }
}

/// An index that is being made.
#[derive(Debug, Default)]
pub struct Builder {
    index: WordIndex,
    hashes: Vec<u64>,
}

impl Builder {
    /// Adds a word with the bytes of its entry, which are fewer than 4 GiB.
    pub fn add(&mut self, word: &[u8], entry: Range<u64>) {
        self.index.starts.push(entry.start);
        let length = u32::try_from(entry.end - entry.start).unwrap_or(u32::MAX);
        self.index.lengths.push(length);
        self.hashes.push(hash(word));
    }

    /// Returns the number of words.
    pub fn rows(&self) -> u64 {
        self.index.rows()
    }

    /// Returns the index.
    pub fn finish(mut self) -> WordIndex {
        let rows = u32::try_from(self.rows()).unwrap_or(u32::MAX);
        self.index.order = (0..rows).collect();
        let hash = |row: u32| self.hashes.get(row as usize).copied();
        self.index
            .order
            .sort_unstable_by_key(|row| (hash(*row), *row));
        self.index
    }
}

/// Returns the hash of a word: FNV-1a with 64 bits.
pub fn hash(word: &[u8]) -> u64 {
    word.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
