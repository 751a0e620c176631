//! An input → blocks of whole lines, as they come.

use std::io::{self, BufReader, ErrorKind, Read};

/// A stream of input.
pub type Input = BufReader<Box<dyn Read + Send>>;

/// Bytes that are read at a time.
const READ: usize = 1 << 18;

/// An input that is read by line.
pub struct Blocks {
    input: Input,
    /// What has been read, up to `read`, of which the bytes before `taken` are done.
    buffer: Vec<u8>,
    read: usize,
    taken: usize,
    /// Bytes of whole lines behind `taken`.
    whole: usize,
    ended: bool,
    /// Number of lines, and of bytes, that were taken.
    line: u64,
    offset: usize,
}

/// Some whole lines of an input; the last may have no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block<'b> {
    pub bytes: &'b [u8],
    /// Number of lines before these, and of bytes.
    pub line: u64,
    pub offset: usize,
}

impl Blocks {
    pub fn new(input: Input) -> Self {
        Self {
            input,
            buffer: Vec::new(),
            read: 0,
            taken: 0,
            whole: 0,
            ended: false,
            line: 0,
            offset: 0,
        }
    }

    /// Reads until there is a whole line, if there is none. Returns the number of bytes of whole lines; none is the end.
    ///
    /// The next read may wait for whoever writes: what is there is to be taken before.
    ///
    /// # Errors
    /// Those of reading.
    pub fn fill(&mut self) -> io::Result<usize> {
        if self.whole > 0 {
            return Ok(self.whole);
        }
        // The beginning of a line.
        self.buffer.copy_within(self.taken..self.read, 0);
        self.read -= self.taken;
        self.taken = 0;
        while self.whole == 0 && !self.ended {
            let before = self.read;
            self.read_more()?;
            // A terminal would be asked for more behind its end.
            self.ended = self.read == before;
            self.whole = match memchr::memrchr(b'\n', &self.buffer[before..self.read]) {
                Some(end) => before + end + 1,
                None if self.ended => before,
                None => 0,
            };
        }
        Ok(self.whole)
    }

    /// Reads once.
    fn read_more(&mut self) -> io::Result<()> {
        if self.buffer.len() < self.read + READ {
            self.buffer.resize(self.read + READ, 0);
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

    /// Takes whole lines, as many as have `most` bytes together, but one at least if there is one.
    pub fn take(&mut self, most: usize) -> Block<'_> {
        let whole = &self.buffer[self.taken..self.taken + self.whole];
        let length = match whole.split_at_checked(most) {
            Some((first, rest)) if !rest.is_empty() => {
                let end = memchr::memrchr(b'\n', first)
                    .or_else(|| memchr::memchr(b'\n', rest).map(|end| most + end));
                end.map_or(whole.len(), |end| end + 1)
            }
            _ => whole.len(),
        };
        let block = Block {
            bytes: &whole[..length],
            line: self.line,
            offset: self.offset,
        };
        self.taken += length;
        self.whole -= length;
        self.line += memchr::memchr_iter(b'\n', block.bytes).count() as u64;
        self.offset += length;
        block
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a text in parts of some bytes.
    struct Parts(Vec<u8>, usize);

    impl Read for Parts {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.1.min(self.0.len()).min(buffer.len());
            buffer[..length].copy_from_slice(&self.0[..length]);
            self.0.drain(..length);
            Ok(length)
        }
    }

    #[test]
    fn blocks_are_whole_lines_and_all_of_the_input() {
        for text in ["", "\n", "a", "a\nbc\n\ndef\r\ng", "a long line\nb\n"] {
            for part in [1, 2, 3, 100] {
                for most in [0, 1, 2, 4, 7, usize::MAX] {
                    let parts = Parts(text.as_bytes().to_vec(), part);
                    let mut blocks = Blocks::new(BufReader::new(Box::new(parts)));
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
    fn a_line_that_is_there_does_not_wait_for_the_next() {
        let parts = Parts(b"one\ntwo\n".to_vec(), 4);
        let mut blocks = Blocks::new(BufReader::new(Box::new(parts)));
        assert_eq!(blocks.fill().unwrap(), 4);
        assert_eq!(blocks.take(100).bytes, b"one\n");
    }
}
