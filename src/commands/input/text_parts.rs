//! Splits the text of an input into parts that are encoded independently, to bound memory and to use all threads.

use std::io::{self, Read};

use super::ordered_parallel::map_in_parallel;
use super::text_format::Utf8Args;
use crate::error::{Error, Result};
use crate::tokenizer::{EncodeOptions, Tokenizer};

/// The target size of a part in bytes. A part is larger if the text cannot be split within it.
pub const PART_SIZE: usize = 1 << 20;
/// The number of bytes that a part knows of its neighbors: enough for 60 characters of UTF-8 and an incomplete one.
const CONTEXT_SIZE: usize = 256;

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextPart {
    pub bytes: Vec<u8>,
    /// Where the part begins in its input, in bytes.
    pub offset: usize,
    /// Up to `CONTEXT_SIZE` bytes of the input before and after the part, which may begin or end inside a character.
    pub before: Vec<u8>,
    pub after: Vec<u8>,
    pub is_last: bool,
}

impl TextPart {
    /// Returns true if the part is the whole input.
    pub fn is_whole(&self) -> bool {
        self.offset == 0 && self.is_last
    }

    /// Returns the text of the part. Errors call the input `input`.
    ///
    /// # Errors
    /// Fails with [`Error::NotUtf8`], unless `--lossy` is given.
    pub fn into_text(self, input: &str, utf8: Utf8Args) -> Result<String> {
        utf8.decode(input, self.bytes, self.offset)
    }
}

/// Splits texts, but only where this leaves their tokens unchanged ([`Tokenizer::last_cut`]). A text without such a
/// place is one part.
#[derive(Debug)]
pub struct TextParts<'a> {
    pub tokenizer: &'a Tokenizer,
    pub options: &'a EncodeOptions,
    /// The target size of a part in bytes. [`PART_SIZE`] outside of tests.
    pub part_size: usize,
}

impl TextParts<'_> {
    /// Calls `work` with every part of a text, on all threads, and `each` with the results in order, on this thread.
    /// Errors call the input `input`.
    ///
    /// # Errors
    /// Fails with [`Error::ReadInput`], or with the first error from `work` or `each`.
    pub fn for_each<T: Send>(
        &self,
        input: &str,
        reader: impl Read,
        work: impl Fn(TextPart) -> Result<T> + Sync,
        mut each: impl FnMut(T) -> Result<()>,
    ) -> Result<()> {
        let mut parts = PartReader::new(reader);
        // Most inputs have only one part, which should not wait for threads to start.
        let mut batch_size = 1;
        while !parts.is_done {
            let batch = self.read_batch(&mut parts, batch_size);
            let batch = batch.map_err(|source| Error::ReadInput {
                input: input.to_owned(),
                source,
            })?;
            for result in map_in_parallel(batch, &work) {
                each(result?)?;
            }
            if !parts.is_done {
                // Ask only now: the question starts the threads.
                batch_size = rayon::current_num_threads();
            }
        }
        Ok(())
    }

    fn read_batch<R: Read>(
        &self,
        parts: &mut PartReader<R>,
        batch_size: usize,
    ) -> io::Result<Vec<TextPart>> {
        let mut batch = Vec::new();
        while batch.len() < batch_size && !parts.is_done {
            batch.push(parts.read(self.part_size, |text| {
                self.tokenizer.last_cut(text, self.options)
            })?);
        }
        Ok(batch)
    }
}

/// Reads a text part by part.
struct PartReader<R> {
    reader: R,
    /// Bytes that have been read and belong to later parts.
    buffer: Vec<u8>,
    /// The number of bytes in all parts so far, and the last few of those bytes.
    offset: usize,
    before: Vec<u8>,
    /// True after the last part.
    is_done: bool,
}

impl<R: Read> PartReader<R> {
    fn new(reader: R) -> Self {
        Self {
            reader,
            buffer: Vec::new(),
            offset: 0,
            before: Vec::new(),
            is_done: false,
        }
    }

    /// Reads the next part. `last_cut` returns the last offset at which its argument can be split.
    fn read(
        &mut self,
        part_size: usize,
        last_cut: impl Fn(&[u8]) -> Option<usize>,
    ) -> io::Result<TextPart> {
        let mut size = part_size;
        let length = loop {
            if self.fill(size + CONTEXT_SIZE)? {
                self.is_done = true;
                break self.buffer.len();
            }
            if let Some(cut) = last_cut(&self.buffer[..size]) {
                break cut;
            }
            size *= 2;
        };
        let rest = self.buffer.split_off(length);
        let bytes = std::mem::replace(&mut self.buffer, rest);
        let after = self.buffer[..self.buffer.len().min(CONTEXT_SIZE)].to_vec();
        let before = self.before.clone();
        self.before.extend_from_slice(last_bytes(&bytes));
        self.before = last_bytes(&self.before).to_vec();
        let offset = self.offset;
        self.offset += bytes.len();
        Ok(TextPart {
            bytes,
            offset,
            before,
            after,
            is_last: self.is_done,
        })
    }

    /// Reads until `length` bytes are buffered. Returns true if the input ends before that.
    fn fill(&mut self, length: usize) -> io::Result<bool> {
        let missing = length.saturating_sub(self.buffer.len());
        let mut reader = self.reader.by_ref().take(missing as u64);
        Ok(reader.read_to_end(&mut self.buffer)? < missing)
    }
}

fn last_bytes(bytes: &[u8]) -> &[u8] {
    &bytes[bytes.len().saturating_sub(CONTEXT_SIZE)..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_all_of_the_text_with_their_neighbors() {
        let text: String = (0..500).map(|number| format!("word{number} ")).collect();
        let text = text.as_bytes();
        for part_size in [1, 7, 64, 1000, 10_000] {
            let mut parts = PartReader::new(text);
            let mut seen = 0;
            while !parts.is_done {
                let part = parts
                    .read(part_size, |text| {
                        memchr::memrchr(b' ', text).filter(|at| *at > 0)
                    })
                    .unwrap();
                let end = seen + part.bytes.len();
                assert_eq!(part.offset, seen);
                assert_eq!(part.bytes, &text[seen..end]);
                assert_eq!(part.before, last_bytes(&text[..seen]));
                assert_eq!(part.after, &text[end..(end + CONTEXT_SIZE).min(text.len())]);
                assert_eq!(part.is_last, end == text.len());
                assert!(!part.bytes.is_empty());
                seen = end;
            }
            assert_eq!(seen, text.len());
        }
    }
}
