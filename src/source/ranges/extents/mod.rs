//! The cached ranges of a remote file, encoded the same way in memory and in the app cache.
//!
//! ```text
//! magic                8 bytes
//! checksum             u32, CRC-32 of the file's ETag and of the rest of the header
//! header length        u32, the offset of the data
//! size                 u64, of the whole remote file
//! extents              u64, the number of extents
//! each extent          u64 start, u64 length: a range of the remote file; sorted and disjoint
//! each block           u32, CRC-32 of 64 KiB of an extent, or of the shorter rest
//! data                 the bytes of the extents, one after the other
//! ```
//!
//! All numbers are little-endian. A block is checked when it is first read, so reading one row of a large extent checks
//! one block. A block with a wrong checksum counts as missing.

use std::ops::Range;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::source::local::mapped_file::MappedFile;

const MAGIC: &[u8; 8] = b"tokrang1";
/// Bytes covered by one checksum.
pub(crate) const BLOCK: u64 = 64 << 10;
/// Bytes before the list of extents.
const FIXED_HEADER: usize = 32;
/// Bytes of an encoded extent.
const EXTENT_ENTRY: usize = 16;
/// Bytes of a checksum.
const CHECKSUM: usize = 4;

/// The ranges of the extents, and the checksums of their blocks.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    /// Sorted, disjoint, and not empty.
    extents: Vec<Range<u64>>,
    /// One per block of each extent.
    sums: Vec<u32>,
}

/// The cached ranges of a remote file.
#[derive(Debug)]
pub(crate) struct Extents {
    encoded: Encoded,
    extents: Vec<Extent>,
    sums: Vec<u32>,
    /// [`UNCHECKED`], [`INTACT`], or [`DAMAGED`], for each block.
    states: Vec<AtomicU8>,
}

#[derive(Debug)]
enum Encoded {
    Memory(Vec<u8>),
    Mapped(MappedFile),
}

#[derive(Debug)]
struct Extent {
    range: Range<u64>,
    /// The offset of its first byte in the encoding.
    offset: usize,
    first_block: usize,
}

const UNCHECKED: u8 = 0;
const INTACT: u8 = 1;
const DAMAGED: u8 = 2;

impl Header {
    /// Returns the header of one extent that has no bytes yet.
    pub(crate) fn empty(extent: Range<u64>) -> Self {
        let blocks = block_count(&extent);
        Self {
            extents: vec![extent],
            sums: vec![0; blocks],
        }
    }

    /// Returns the length of the encoded header in bytes.
    pub(crate) fn length(&self) -> usize {
        FIXED_HEADER + EXTENT_ENTRY * self.extents.len() + CHECKSUM * self.sums.len()
    }

    /// Sets the checksums of whole blocks of the first extent, starting at block `first`.
    pub(crate) fn set_sums(&mut self, first: usize, bytes: &[u8]) {
        let sums = self.sums.iter_mut().skip(first);
        for (sum, block) in sums.zip(bytes.chunks(BLOCK as usize)) {
            *sum = crc32fast::hash(block);
        }
    }

    /// Encodes the header for the content `etag` of `size` bytes.
    pub(crate) fn encode(&self, etag: &str, size: u64) -> Vec<u8> {
        let mut covered = Vec::with_capacity(self.length());
        covered.extend((self.length() as u32).to_le_bytes());
        covered.extend(size.to_le_bytes());
        covered.extend((self.extents.len() as u64).to_le_bytes());
        for extent in &self.extents {
            covered.extend(extent.start.to_le_bytes());
            covered.extend((extent.end - extent.start).to_le_bytes());
        }
        for sum in &self.sums {
            covered.extend(sum.to_le_bytes());
        }
        let mut bytes = MAGIC.to_vec();
        bytes.extend(checksum(etag, &covered).to_le_bytes());
        bytes.extend(covered);
        bytes
    }

    /// Decodes a header; `None` if it is damaged or belongs to different content.
    fn decode(bytes: &[u8], etag: &str, size: u64) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let (sum, _) = rest.split_first_chunk::<4>()?;
        let (length, _) = rest.get(4..)?.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length) as usize;
        let covered = bytes.get(MAGIC.len() + 4..length)?;
        if checksum(etag, covered) != u32::from_le_bytes(*sum) {
            return None;
        }
        let mut numbers = covered.get(4..)?.chunks_exact(8).map(|number| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(number);
            u64::from_le_bytes(bytes)
        });
        if numbers.next()? != size {
            return None;
        }
        let count = usize::try_from(numbers.next()?).ok()?;
        let mut extents: Vec<Range<u64>> = Vec::new();
        for _ in 0..count {
            let start = numbers.next()?;
            let end = start.checked_add(numbers.next()?)?;
            let after = extents.last().map_or(0, |last| last.end);
            if start < after || end <= start || end > size {
                return None;
            }
            extents.push(start..end);
        }
        let sums = covered.get(FIXED_HEADER - MAGIC.len() - 4 + EXTENT_ENTRY * count..)?;
        let sums: Vec<u32> = sums
            .chunks_exact(CHECKSUM)
            .filter_map(|sum| sum.first_chunk().copied().map(u32::from_le_bytes))
            .collect();
        let header = Self { extents, sums };
        let expected: usize = header.extents.iter().map(block_count).sum();
        (header.sums.len() == expected && header.length() == length).then_some(header)
    }
}

fn checksum(etag: &str, covered: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(etag.as_bytes());
    hasher.update(covered);
    hasher.finalize()
}

/// Returns the number of blocks of an extent.
fn block_count(extent: &Range<u64>) -> usize {
    (extent.end - extent.start).div_ceil(BLOCK) as usize
}

impl Extents {
    /// Builds extents from parts, each given as its offset in the remote file and its bytes. Parts may touch, and may
    /// overlap if they agree.
    pub(crate) fn new(etag: &str, size: u64, mut parts: Vec<(u64, Vec<u8>)>) -> Self {
        parts.sort_by_key(|(start, _)| *start);
        let mut joined: Vec<(u64, Vec<u8>)> = Vec::new();
        for (start, bytes) in parts.into_iter().filter(|(_, bytes)| !bytes.is_empty()) {
            match joined.last_mut() {
                Some((first, before)) if start <= *first + before.len() as u64 => {
                    let known = (*first + before.len() as u64 - start) as usize;
                    before.extend_from_slice(bytes.get(known..).unwrap_or_default());
                }
                _ => joined.push((start, bytes)),
            }
        }
        let extents = joined
            .iter()
            .map(|(start, bytes)| *start..*start + bytes.len() as u64);
        let sums = joined
            .iter()
            .flat_map(|(_, bytes)| bytes.chunks(BLOCK as usize).map(crc32fast::hash));
        let header = Header {
            extents: extents.collect(),
            sums: sums.collect(),
        };
        let mut encoded = header.encode(etag, size);
        for (_, bytes) in &joined {
            encoded.extend_from_slice(bytes);
        }
        Self::with(header, Encoded::Memory(encoded), INTACT)
    }

    /// Opens stored extents; `None` if the file is incomplete or belongs to different content.
    pub(crate) fn open(file: MappedFile, etag: &str, size: u64) -> Option<Self> {
        let header = Header::decode(file.bytes(), etag, size)?;
        let data: u64 = header.extents.iter().map(|e| e.end - e.start).sum();
        let length = data.checked_add(header.length() as u64)?;
        (length == file.bytes().len() as u64)
            .then(|| Self::with(header, Encoded::Mapped(file), UNCHECKED))
    }

    fn with(header: Header, encoded: Encoded, state: u8) -> Self {
        let (mut offset, mut first_block) = (header.length(), 0);
        let extents = header.extents.into_iter().map(|range| {
            let extent = Extent {
                offset,
                first_block,
                range,
            };
            offset += (extent.range.end - extent.range.start) as usize;
            first_block += block_count(&extent.range);
            extent
        });
        Self {
            extents: extents.collect(),
            states: header.sums.iter().map(|_| AtomicU8::new(state)).collect(),
            sums: header.sums,
            encoded,
        }
    }

    /// Returns the encoding.
    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.encoded {
            Encoded::Memory(bytes) => bytes,
            Encoded::Mapped(file) => file.bytes(),
        }
    }

    /// Returns a copy of the header.
    pub(crate) fn header(&self) -> Header {
        Header {
            extents: self.extents.iter().map(|e| e.range.clone()).collect(),
            sums: self.sums.clone(),
        }
    }

    /// Returns true if `range` is the only extent.
    pub(crate) fn is_single(&self, range: &Range<u64>) -> bool {
        self.extents.len() == 1 && self.extents.iter().all(|e| e.range == *range)
    }

    /// Returns the bytes of `range` if all of them are present and intact.
    pub(crate) fn slice(&self, range: &Range<u64>) -> Option<&[u8]> {
        let extent = self.extent_at(range.start)?;
        if range.end > extent.range.end || range.start > range.end {
            return None;
        }
        self.prefetch(extent, range);
        let intact = self
            .blocks_of(extent, range)
            .all(|block| self.is_intact(extent, block));
        intact.then(|| self.bytes_of(extent, range))?
    }

    /// Returns the parts of `range` that are present and intact, in order.
    pub(crate) fn parts(&self, range: &Range<u64>) -> Vec<Range<u64>> {
        let mut parts: Vec<Range<u64>> = Vec::new();
        for extent in &self.extents {
            let common = range.start.max(extent.range.start)..range.end.min(extent.range.end);
            if common.is_empty() {
                continue;
            }
            for block in self.blocks_of(extent, &common) {
                if !self.is_intact(extent, block) {
                    continue;
                }
                let start = extent.range.start + block as u64 * BLOCK;
                let part = start.max(common.start)..(start + BLOCK).min(common.end);
                match parts.last_mut() {
                    Some(last) if last.end == part.start => last.end = part.end,
                    _ => parts.push(part),
                }
            }
        }
        parts
    }

    /// Returns all intact bytes with their offsets in the remote file.
    pub(crate) fn all(&self) -> Vec<(u64, &[u8])> {
        let parts = self.parts(&(0..u64::MAX));
        let bytes = |range: Range<u64>| Some((range.start, self.slice(&range)?));
        parts.into_iter().filter_map(bytes).collect()
    }

    fn extent_at(&self, position: u64) -> Option<&Extent> {
        let after = self.extents.partition_point(|e| e.range.start <= position);
        let extent = self.extents.get(after.checked_sub(1)?)?;
        extent.range.contains(&position).then_some(extent)
    }

    /// Returns the blocks of an extent that overlap `range`, which must lie within the extent.
    fn blocks_of(&self, extent: &Extent, range: &Range<u64>) -> Range<usize> {
        let block = |position: u64| (position - extent.range.start) / BLOCK;
        if range.is_empty() {
            return 0..0;
        }
        block(range.start) as usize..block(range.end - 1) as usize + 1
    }

    /// Prefetches all unchecked blocks of a range together.
    fn prefetch(&self, extent: &Extent, range: &Range<u64>) {
        let Encoded::Mapped(file) = &self.encoded else {
            return;
        };
        let blocks = self.blocks_of(extent, range);
        let states = self
            .states
            .get(extent.first_block + blocks.start..extent.first_block + blocks.end);
        let is_unchecked = |state: &AtomicU8| state.load(Ordering::Relaxed) == UNCHECKED;
        if states.is_some_and(|states| states.iter().any(is_unchecked)) {
            let length = (extent.range.end - extent.range.start) as usize;
            let offset = |block: usize| extent.offset + (block * BLOCK as usize).min(length);
            file.prefetch_map(offset(blocks.start)..offset(blocks.end));
        }
    }

    fn bytes_of(&self, extent: &Extent, range: &Range<u64>) -> Option<&[u8]> {
        let offset = |position: u64| extent.offset + (position - extent.range.start) as usize;
        self.bytes().get(offset(range.start)..offset(range.end))
    }

    fn is_intact(&self, extent: &Extent, block: usize) -> bool {
        let index = extent.first_block + block;
        let (Some(state), Some(sum)) = (self.states.get(index), self.sums.get(index)) else {
            return false;
        };
        match state.load(Ordering::Relaxed) {
            UNCHECKED => {}
            checked => return checked == INTACT,
        }
        let start = extent.range.start + block as u64 * BLOCK;
        let range = start..(start + BLOCK).min(extent.range.end);
        let bytes = self.bytes_of(extent, &range);
        let intact = bytes.is_some_and(|bytes| crc32fast::hash(bytes) == *sum);
        state.store(if intact { INTACT } else { DAMAGED }, Ordering::Relaxed);
        intact
    }
}

#[cfg(test)]
mod tests;
