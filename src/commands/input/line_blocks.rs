//! Reads an input in blocks of complete lines.

use std::io::{self, BufReader, ErrorKind, Read};

/// A buffered byte stream that texts are read from.
pub type Input = BufReader<Box<dyn Read + Send>>;

/// Bytes read at a time.
const READ_BYTES: usize = 1 << 18;

/// An input that is read in blocks of complete lines.
pub struct LineBlocks {
    input: Input,
    /// Bytes `taken..read` have been read but not yet returned.
    buffer: Vec<u8>,
    read: usize,
    taken: usize,
    /// Bytes of complete lines after `taken`.
    complete: usize,
    ended: bool,
    /// The number of lines and bytes returned so far.
    line: u64,
    offset: usize,
}

/// Complete lines of an input. Only the last line of the input may lack a line end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block<'b> {
    pub bytes: &'b [u8],
    /// The number of lines and bytes of the input before this block.
    pub line: u64,
    pub offset: usize,
}

impl LineBlocks {
    pub fn new(input: Input) -> Self {
        Self {
            input,
            buffer: Vec::new(),
            read: 0,
            taken: 0,
            complete: 0,
            ended: false,
            line: 0,
            offset: 0,
        }
    }

    /// Reads until a complete line is buffered. Returns the size of the buffered complete lines in bytes, or 0 at the
    /// end of the input.
    ///
    /// Reads nothing if a complete line is already buffered, since a read may block: callers take all complete lines
    /// first.
    pub fn fill(&mut self) -> io::Result<usize> {
        if self.complete > 0 {
            return Ok(self.complete);
        }
        // Move the incomplete line to the front.
        self.buffer.copy_within(self.taken..self.read, 0);
        self.read -= self.taken;
        self.taken = 0;
        while self.complete == 0 && !self.ended {
            let before = self.read;
            self.read_more()?;
            // Remember the end of the input: reading a terminal again would wait for more.
            self.ended = self.read == before;
            self.complete = match memchr::memrchr(b'\n', &self.buffer[before..self.read]) {
                Some(end) => before + end + 1,
                None if self.ended => before,
                None => 0,
            };
        }
        Ok(self.complete)
    }

    /// Returns the bytes that have been read but not taken, complete lines or not.
    pub fn buffered(&self) -> &[u8] {
        &self.buffer[self.taken..self.read]
    }

    /// Returns the complete lines that have been read but not taken.
    pub fn peek(&self) -> Block<'_> {
        Block {
            bytes: &self.buffered()[..self.complete],
            line: self.line,
            offset: self.offset,
        }
    }

    fn read_more(&mut self) -> io::Result<()> {
        if self.buffer.len() < self.read + READ_BYTES {
            self.buffer.resize(self.read + READ_BYTES, 0);
        }
        let room = &mut self.buffer[self.read..];
        self.read += loop {
            match self.input.read(room) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                length => break length?,
            }
        };
        Ok(())
    }

    /// Returns as many complete lines as fit in `max_bytes`, but at least one if there is any.
    pub fn take(&mut self, max_bytes: usize) -> Block<'_> {
        let complete = &self.buffer[self.taken..self.taken + self.complete];
        let length = match complete.split_at_checked(max_bytes) {
            Some((first, rest)) if !rest.is_empty() => {
                let end = memchr::memrchr(b'\n', first)
                    .or_else(|| memchr::memchr(b'\n', rest).map(|end| max_bytes + end));
                end.map_or(complete.len(), |end| end + 1)
            }
            _ => complete.len(),
        };
        let block = Block {
            bytes: &complete[..length],
            line: self.line,
            offset: self.offset,
        };
        self.taken += length;
        self.complete -= length;
        self.line += memchr::memchr_iter(b'\n', block.bytes).count() as u64;
        self.offset += length;
        block
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a text in reads of at most this many bytes.
    struct SmallReads(Vec<u8>, usize);

    impl Read for SmallReads {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.1.min(self.0.len()).min(buffer.len());
            buffer[..length].copy_from_slice(&self.0[..length]);
            self.0.drain(..length);
            Ok(length)
        }
    }

    #[test]
    fn blocks_are_complete_lines_and_cover_the_input() {
        for text in ["", "\n", "a", "a\nbc\n\ndef\r\ng", "a long line\nb\n"] {
            for part in [1, 2, 3, 100] {
                for most in [0, 1, 2, 4, 7, usize::MAX] {
                    let reader = SmallReads(text.as_bytes().to_vec(), part);
                    let mut blocks = LineBlocks::new(BufReader::new(Box::new(reader)));
                    let mut seen = Vec::new();
                    while blocks.fill().unwrap() > 0 {
                        let block = blocks.take(most);
                        let lines = seen.iter().filter(|byte| **byte == b'\n').count();
                        assert_eq!((block.offset, block.line), (seen.len(), lines as u64));
                        let lines = block.bytes.iter().filter(|byte| **byte == b'\n').count();
                        assert!(block.bytes.len() <= most || lines <= 1, "{text:?} {most}");
                        seen.extend_from_slice(block.bytes);
                        assert!(block.bytes.ends_with(b"\n") || seen == text.as_bytes());
                    }
                    assert_eq!(seen, text.as_bytes(), "{part} {most}");
                }
            }
        }
    }

    #[test]
    fn a_complete_line_does_not_wait_for_the_next() {
        let reader = SmallReads(b"one\ntwo\n".to_vec(), 4);
        let mut blocks = LineBlocks::new(BufReader::new(Box::new(reader)));
        assert_eq!(blocks.fill().unwrap(), 4);
        assert_eq!(blocks.take(100).bytes, b"one\n");
    }
}
