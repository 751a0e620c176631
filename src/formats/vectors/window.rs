//! A pass over a file with a bounded part of it in memory.

use std::ops::Range;

use crate::error::Result;
use crate::source::ByteSource;

/// Bytes read at a time.
const STEP: u64 = 4 << 20;

/// The part of a file that is in memory.
pub struct Window<'f> {
    file: &'f dyn ByteSource,
    buffer: Vec<u8>,
    range: Range<u64>,
}

impl<'f> Window<'f> {
    pub fn new(file: &'f dyn ByteSource) -> Self {
        Self {
            file,
            buffer: Vec::new(),
            range: 0..0,
        }
    }

    /// Returns the bytes from `start`: at least `count`, unless the file ends before.
    ///
    /// # Errors
    /// Returns the errors of reading.
    pub fn from(&mut self, start: u64, count: u64) -> Result<&[u8]> {
        let end = start.saturating_add(count).min(self.file.len());
        if start < self.range.start || end > self.range.end {
            let start = start.min(self.file.len());
            let last = end.max(start.saturating_add(STEP)).min(self.file.len());
            let mut buffer = std::mem::take(&mut self.buffer);
            let read = self.file.read_once(start..last, &mut buffer)?.as_ptr();
            // Bytes in memory are borrowed from the file instead.
            self.buffer = match read == buffer.as_ptr() {
                true => buffer,
                false => self.file.read(start..last)?.into_owned(),
            };
            self.range = start..last;
        }
        let offset = (start - self.range.start) as usize;
        Ok(self.buffer.get(offset..).unwrap_or_default())
    }
}
