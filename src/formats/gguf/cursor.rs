//! A forward pass over the bytes of a file, with every length checked.

use std::borrow::Cow;
use std::ops::Range;

use super::text_places::{MIN_TEXTS, TextPlaces};
use crate::error::{Error, Result};
use crate::source::ByteSource;

/// The number of bytes read first. Each later read is twice as long, up to [`MAX_READ`], because a remote file is
/// fetched by them.
const FIRST_READ: u64 = 64 << 10;
const MAX_READ: u64 = 4 << 20;

/// A position in a file, and the bytes after it that have been read.
pub struct Cursor<'f> {
    file: &'f dyn ByteSource,
    position: u64,
    /// No byte at or after this position is read.
    limit: u64,
    /// Bytes of the file from `block_start`.
    block: Cow<'f, [u8]>,
    block_start: u64,
    next_read: u64,
    /// Those that are known, and those that are found.
    pub(super) places: TextPlaces,
}

impl<'f> Cursor<'f> {
    /// Starts at the beginning of a file, and reads at most `limit` bytes.
    pub fn new(file: &'f dyn ByteSource, limit: u64) -> Self {
        Self::over(file, 0..limit)
    }

    /// Starts at the beginning of a range, and reads nothing after it.
    pub fn over(file: &'f dyn ByteSource, range: Range<u64>) -> Self {
        Self {
            file,
            position: range.start,
            limit: file.len().min(range.end),
            block: Cow::Borrowed(&[]),
            block_start: range.start,
            next_read: FIRST_READ,
            places: TextPlaces::default(),
        }
    }

    /// Returns the number of bytes before the position.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Moves to `count` bytes after the position, without reading them.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`] if that is beyond the end of the file, or beyond the limit.
    pub fn skip(&mut self, count: u64) -> Result<()> {
        match self.position.checked_add(count) {
            Some(end) if end <= self.limit => {
                self.position = end;
                Ok(())
            }
            _ => Err(self.too_long(count)),
        }
    }

    /// Moves to the end of an array of `count` texts. If their places are not known, those of a long array are noted.
    ///
    /// # Errors
    /// Fails like [`Self::skip_texts`].
    pub fn skip_text_array(&mut self, count: u64) -> Result<()> {
        let start = self.position;
        if let Some(end) = self.places.end(start, count) {
            return self.skip(end.saturating_sub(start));
        }
        if count < MIN_TEXTS {
            return self.skip_texts(count);
        }
        let mut places = std::mem::take(&mut self.places);
        places.add(start, count, |texts| {
            self.skip_texts(texts)?;
            Ok::<_, Error>(self.position)
        })?;
        self.places = places;
        Ok(())
    }

    /// Moves to the end of `count` texts, each of which follows its length.
    ///
    /// # Errors
    /// Fails like [`Self::bytes`] and [`Self::skip`].
    pub fn skip_texts(&mut self, mut count: u64) -> Result<()> {
        while count > 0 {
            // Skips the texts within the block. A file may have hundreds of thousands.
            let from = self.position.saturating_sub(self.block_start) as usize;
            let mut rest = self.block.get(from..).unwrap_or_default();
            while count > 0
                && let Some((length, after)) = rest.split_first_chunk()
                && let Ok(length) = usize::try_from(u64::from_le_bytes(*length))
                && let Some(after) = after.get(length..)
            {
                self.position += (rest.len() - after.len()) as u64;
                rest = after;
                count -= 1;
            }
            if count > 0 {
                let length = self.u64()?;
                self.skip(length)?;
                count -= 1;
            }
        }
        Ok(())
    }

    /// Reads `count` bytes.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`] if the file ends before, or with the error of reading it.
    pub fn bytes(&mut self, count: u64) -> Result<&[u8]> {
        let start = self.position;
        self.skip(count)?;
        let end = self.position;
        let block_end = self.block_start + self.block.len() as u64;
        if start < self.block_start || end > block_end {
            let block = start..end.max(start.saturating_add(self.next_read).min(self.limit));
            self.block = self.file.read(block)?;
            self.block_start = start;
            self.next_read = (self.next_read * 2).min(MAX_READ);
        }
        let from = (start - self.block_start) as usize;
        let bytes = self.block.get(from..from + count as usize);
        bytes.ok_or_else(|| Error::damaged(self.file.name(), "its header could not be read"))
    }

    /// Reads an array of bytes, as of a number.
    ///
    /// # Errors
    /// Fails like [`Self::bytes`].
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.bytes(N as u64)?);
        Ok(array)
    }

    /// Reads a number of 32 bits.
    ///
    /// # Errors
    /// Fails like [`Self::bytes`].
    pub fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// Reads a number of 64 bits.
    ///
    /// # Errors
    /// Fails like [`Self::bytes`].
    pub fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// Returns an error about the file.
    pub fn damaged(&self, problem: String) -> Error {
        Error::damaged(self.file.name(), problem)
    }

    fn too_long(&self, count: u64) -> Error {
        let at = self.position;
        self.damaged(if self.limit < self.file.len() {
            format!("its header is longer than {} bytes", self.limit)
        } else {
            format!(
                "its header claims {count} bytes at byte {at}, and the file has {}",
                self.limit
            )
        })
    }
}
