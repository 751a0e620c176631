//! One input of any length, counted in parts: memory stays bounded, and all cores work.

use std::io::{self, Read};
use std::ops::AddAssign;

use super::input::ordered_parallel::map_in_parallel;
use super::input::text_format::{Reading, chomp, utf8};
use super::input::word_count::count_words;
use crate::error::{Error, Result};
use crate::tokenizer::{EncodeOptions, Tokenizer};

/// Bytes of a part, where the text can be cut that often.
const PART: usize = 1 << 20;

/// How much there is of a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sizes {
    pub tokens: usize,
    pub words: usize,
    pub chars: usize,
    pub bytes: usize,
    pub lines: usize,
}

impl AddAssign for Sizes {
    fn add_assign(&mut self, other: Self) {
        self.tokens += other.tokens;
        self.words += other.words;
        self.chars += other.chars;
        self.bytes += other.bytes;
        self.lines += other.lines;
    }
}

/// Counts the text of an input, which `input` names in errors.
///
/// A text is cut only where that changes nothing ([`Tokenizer::last_cut`]); without such places it is held whole.
///
/// # Errors
/// [`Error::ReadInput`] and [`Error::NotUtf8`], and whatever encoding fails with.
pub fn count(
    tokenizer: &Tokenizer,
    options: &EncodeOptions,
    reading: &Reading,
    input: &str,
    reader: impl Read,
) -> Result<Sizes> {
    let without_special = EncodeOptions {
        special_tokens: false,
        ..options.clone()
    };
    let mut parts = Parts {
        reader,
        rest: Vec::new(),
        offset: 0,
        ended: false,
    };
    let mut sum = Sizes::default();
    let mut is_first = true;
    loop {
        // Most inputs are short, and are not to wait for threads to start.
        let most = if is_first {
            1
        } else {
            rayon::current_num_threads()
        };
        let batch = parts
            .take(most, |bytes| tokenizer.last_cut(bytes, options))
            .map_err(|source| Error::ReadInput {
                input: input.to_owned(),
                source,
            })?;
        let whole = is_first && parts.ended && batch.len() == 1;
        let options = if whole { options } else { &without_special };
        let counts = map_in_parallel(batch, |part| {
            let mut text = utf8(input, part.bytes, reading.lossy, part.offset)?;
            if reading.chomp && part.is_last {
                chomp(&mut text);
            }
            count_text(tokenizer, &text, options)
        });
        for count in counts {
            sum += count?;
        }
        if whole {
            return Ok(sum);
        }
        if parts.ended {
            break;
        }
        is_first = false;
    }
    sum.tokens += tokenizer.count("", options)?;
    Ok(sum)
}

/// Counts one text.
///
/// # Errors
/// Whatever encoding fails with.
pub fn count_text(tokenizer: &Tokenizer, text: &str, options: &EncodeOptions) -> Result<Sizes> {
    Ok(Sizes {
        tokens: tokenizer.count(text, options)?,
        words: count_words(text),
        chars: text.chars().count(),
        bytes: text.len(),
        lines: memchr::memchr_iter(b'\n', text.as_bytes()).count(),
    })
}

/// An input, part by part.
struct Parts<R> {
    reader: R,
    /// What has been read and not been taken yet, and where in the input it begins.
    rest: Vec<u8>,
    offset: usize,
    ended: bool,
}

struct Part {
    bytes: Vec<u8>,
    offset: usize,
    is_last: bool,
}

impl<R: Read> Parts<R> {
    /// The next parts, up to `most` of them, cut where `cut` finds a place.
    fn take(&mut self, most: usize, cut: impl Fn(&[u8]) -> Option<usize>) -> io::Result<Vec<Part>> {
        let mut parts = Vec::new();
        while parts.len() < most.max(1) && !self.ended {
            let mut enough = PART;
            let bytes = loop {
                let missing = enough.saturating_sub(self.rest.len());
                let mut reader = self.reader.by_ref().take(missing as u64);
                self.ended = reader.read_to_end(&mut self.rest)? < missing;
                if self.ended {
                    break std::mem::take(&mut self.rest);
                }
                if let Some(at) = cut(&self.rest) {
                    let rest = self.rest.split_off(at);
                    break std::mem::replace(&mut self.rest, rest);
                }
                enough = self.rest.len() * 2;
            };
            let offset = self.offset;
            self.offset += bytes.len();
            parts.push(Part {
                bytes,
                offset,
                is_last: self.ended,
            });
        }
        Ok(parts)
    }
}
