//! The first bytes of a file, as a file of its own.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::byte_source::{ByteSource, outside};
use super::local::file_stamp::FileStamp;
use crate::error::Result;

/// The first bytes of a file that is too long to be hashed, such as a header.
#[derive(Debug)]
pub struct FileStart {
    file: Arc<dyn ByteSource>,
    length: u64,
}

impl FileStart {
    /// Returns the first `length` bytes of a file, or all of it if it is shorter.
    pub fn new(file: Arc<dyn ByteSource>, length: u64) -> Self {
        let length = length.min(file.len());
        Self { file, length }
    }
}

impl ByteSource for FileStart {
    fn name(&self) -> &str {
        self.file.name()
    }

    fn len(&self) -> u64 {
        self.length
    }

    fn stamp(&self) -> Option<FileStamp> {
        Some(self.file.stamp()?.of_start(self.length))
    }

    fn read(&self, range: Range<u64>) -> Result<Cow<'_, [u8]>> {
        if range.end > self.length {
            return Err(outside(self.name(), &range, self.length));
        }
        self.file.read(range)
    }

    fn prefetch(&self, ranges: &[Range<u64>]) -> Result<()> {
        self.file.prefetch(ranges)
    }

    fn approve(&self) {
        self.file.approve();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::MemoryFile;

    #[test]
    fn nothing_after_the_start_is_read() {
        let file = Arc::new(MemoryFile::new("f", b"abcdef".to_vec()));
        let start = FileStart::new(Arc::<MemoryFile>::clone(&file), 3);
        assert_eq!((start.len(), &*start.read_all().unwrap()), (3, &b"abc"[..]));
        assert_eq!(start.read(2..4).unwrap_err().code(), "damaged");
        assert_eq!(FileStart::new(file, 9).len(), 6);
    }
}
