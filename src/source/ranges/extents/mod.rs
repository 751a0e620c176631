//! Extents of a remote file ⇄ bytes: the form in which they are held, and kept in tokscope's own cache.
//!
//! ```text
//! magic                8 bytes
//! checksum             u32, CRC-32 of the file's etag and of what follows, up to the data
//! header length        u32, where the data start
//! size                 u64, of the whole remote file
//! extents              u64, how many
//! extent, each         u64 start, u64 length: bytes of the remote file, in order, apart from one another
//! block, each          u32, CRC-32; blocks are 64 KiB of an extent, its last one what is left
//! data                 the bytes of the extents, one after the other
//! ```
//!
//! All numbers are little-endian. A block is checked when it is first read, so that one row of a large extent costs one
//! block. A block that is not what its checksum says counts as not there.

use std::ops::Range;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::source::local::mapped_file::MappedFile;

const MAGIC: &[u8; 8] = b"tokrang1";
/// Bytes that one checksum covers.
pub(crate) const BLOCK: u64 = 64 << 10;
/// Bytes before the list of extents, and of one of them, and of a checksum.
const FIXED: usize = 32;
const EXTENT: usize = 16;
const SUM: usize = 4;

/// Which bytes there are, and their checksums.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    /// In order, apart from one another, none empty.
    extents: Vec<Range<u64>>,
    /// One for each block of each extent.
    sums: Vec<u32>,
}

/// What is held of a remote file.
#[derive(Debug)]
pub(crate) struct Extents {
    encoded: Encoded,
    extents: Vec<Extent>,
    sums: Vec<u32>,
    /// [`UNKNOWN`], [`SOUND`] or [`DAMAGED`], for each block.
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
    /// Where its first byte is in the encoded form.
    at: usize,
    first_block: usize,
}

const UNKNOWN: u8 = 0;
const SOUND: u8 = 1;
const DAMAGED: u8 = 2;

impl Header {
    /// The header of one extent of which nothing is there yet.
    pub(crate) fn empty(extent: Range<u64>) -> Self {
        let blocks = blocks(&extent);
        Self {
            extents: vec![extent],
            sums: vec![0; blocks],
        }
    }

    /// Bytes of the encoded header.
    pub(crate) fn length(&self) -> usize {
        FIXED + EXTENT * self.extents.len() + SUM * self.sums.len()
    }

    /// Notes the checksums of whole blocks of the first extent, from block `first` on.
    pub(crate) fn set_sums(&mut self, first: usize, bytes: &[u8]) {
        let sums = self.sums.iter_mut().skip(first);
        for (sum, block) in sums.zip(bytes.chunks(BLOCK as usize)) {
            *sum = crc32fast::hash(block);
        }
    }

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

    /// Reads a header; none for anything that is not one for this file.
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
        let sums = covered.get(FIXED - MAGIC.len() - 4 + EXTENT * count..)?;
        let sums: Vec<u32> = sums
            .chunks_exact(SUM)
            .filter_map(|sum| sum.first_chunk().copied().map(u32::from_le_bytes))
            .collect();
        let header = Self { extents, sums };
        let wanted: usize = header.extents.iter().map(blocks).sum();
        (header.sums.len() == wanted && header.length() == length).then_some(header)
    }
}

fn checksum(etag: &str, covered: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(etag.as_bytes());
    hasher.update(covered);
    hasher.finalize()
}

/// How many blocks an extent has.
fn blocks(extent: &Range<u64>) -> usize {
    (extent.end - extent.start).div_ceil(BLOCK) as usize
}

impl Extents {
    /// Extents that are in memory, each with its place in the file. They may touch and overlap, if they agree.
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
        Self::with(header, Encoded::Memory(encoded), SOUND)
    }

    /// Extents that were kept earlier; none if the file is not whole, or about something else.
    pub(crate) fn open(file: MappedFile, etag: &str, size: u64) -> Option<Self> {
        let header = Header::decode(file.bytes(), etag, size)?;
        let data: u64 = header.extents.iter().map(|e| e.end - e.start).sum();
        let length = data.checked_add(header.length() as u64)?;
        (length == file.bytes().len() as u64)
            .then(|| Self::with(header, Encoded::Mapped(file), UNKNOWN))
    }

    fn with(header: Header, encoded: Encoded, state: u8) -> Self {
        let (mut at, mut first_block) = (header.length(), 0);
        let extents = header.extents.into_iter().map(|range| {
            let extent = Extent {
                at,
                first_block,
                range,
            };
            at += (extent.range.end - extent.range.start) as usize;
            first_block += blocks(&extent.range);
            extent
        });
        Self {
            extents: extents.collect(),
            states: header.sums.iter().map(|_| AtomicU8::new(state)).collect(),
            sums: header.sums,
            encoded,
        }
    }

    /// The encoded form.
    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.encoded {
            Encoded::Memory(bytes) => bytes,
            Encoded::Mapped(file) => file.bytes(),
        }
    }

    pub(crate) fn header(&self) -> Header {
        Header {
            extents: self.extents.iter().map(|e| e.range.clone()).collect(),
            sums: self.sums.clone(),
        }
    }

    /// Whether this is about `range` and nothing else.
    pub(crate) fn is_only(&self, range: &Range<u64>) -> bool {
        self.extents.len() == 1 && self.extents.iter().all(|e| e.range == *range)
    }

    /// The bytes of `range`, if they are all there and sound.
    pub(crate) fn slice(&self, range: &Range<u64>) -> Option<&[u8]> {
        let extent = self.extent_at(range.start)?;
        if range.end > extent.range.end || range.start > range.end {
            return None;
        }
        self.expect(extent, range);
        let sound = self
            .blocks_of(extent, range)
            .all(|b| self.is_sound(extent, b));
        sound.then(|| self.bytes_of(extent, range))?
    }

    /// The parts of `range` that are there and sound, in order.
    pub(crate) fn parts(&self, range: &Range<u64>) -> Vec<Range<u64>> {
        let mut parts: Vec<Range<u64>> = Vec::new();
        for extent in &self.extents {
            let wanted = range.start.max(extent.range.start)..range.end.min(extent.range.end);
            if wanted.is_empty() {
                continue;
            }
            for block in self.blocks_of(extent, &wanted) {
                if !self.is_sound(extent, block) {
                    continue;
                }
                let start = extent.range.start + block as u64 * BLOCK;
                let part = start.max(wanted.start)..(start + BLOCK).min(wanted.end);
                match parts.last_mut() {
                    Some(last) if last.end == part.start => last.end = part.end,
                    _ => parts.push(part),
                }
            }
        }
        parts
    }

    /// All that is sound, each with its place in the file.
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

    /// The blocks of an extent that `range`, which lies within it, touches.
    fn blocks_of(&self, extent: &Extent, range: &Range<u64>) -> Range<usize> {
        let block = |position: u64| (position - extent.range.start) / BLOCK;
        match range.is_empty() {
            true => 0..0,
            false => block(range.start) as usize..block(range.end - 1) as usize + 1,
        }
    }

    /// Has the blocks that are to be checked fetched from the disk together.
    fn expect(&self, extent: &Extent, range: &Range<u64>) {
        let Encoded::Mapped(file) = &self.encoded else {
            return;
        };
        let blocks = self.blocks_of(extent, range);
        let states = self
            .states
            .get(extent.first_block + blocks.start..extent.first_block + blocks.end);
        let is_unknown = |state: &AtomicU8| state.load(Ordering::Relaxed) == UNKNOWN;
        if states.is_some_and(|states| states.iter().any(is_unknown)) {
            let length = (extent.range.end - extent.range.start) as usize;
            let at = |block: usize| extent.at + (block * BLOCK as usize).min(length);
            file.expect(at(blocks.start)..at(blocks.end));
        }
    }

    fn bytes_of(&self, extent: &Extent, range: &Range<u64>) -> Option<&[u8]> {
        let place = |position: u64| extent.at + (position - extent.range.start) as usize;
        self.bytes().get(place(range.start)..place(range.end))
    }

    fn is_sound(&self, extent: &Extent, block: usize) -> bool {
        let index = extent.first_block + block;
        let (Some(state), Some(sum)) = (self.states.get(index), self.sums.get(index)) else {
            return false;
        };
        match state.load(Ordering::Relaxed) {
            UNKNOWN => {}
            known => return known == SOUND,
        }
        let start = extent.range.start + block as u64 * BLOCK;
        let range = start..(start + BLOCK).min(extent.range.end);
        let bytes = self.bytes_of(extent, &range);
        let sound = bytes.is_some_and(|bytes| crc32fast::hash(bytes) == *sum);
        state.store(if sound { SOUND } else { DAMAGED }, Ordering::Relaxed);
        sound
    }
}

#[cfg(test)]
mod tests;
