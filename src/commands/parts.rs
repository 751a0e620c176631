//! One input of any length, counted in parts: memory stays bounded, and all cores work.

use std::io::{self, Read};

use super::in_parallel;
use super::input::{Reading, chomp, utf8};
use super::words::words;
use crate::error::{Error, Result};
use crate::record::Count;
use crate::tokenizer::{EncodeOptions, Tokenizer};

/// Bytes of a part, where the text can be cut that often.
const PART: usize = 1 << 20;

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
) -> Result<Count> {
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
    let mut sum = Count::default();
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
        let counts = in_parallel(batch, |part| {
            let mut text = utf8(input, part.bytes, reading.lossy, part.offset)?;
            if reading.chomp && part.is_last {
                chomp(&mut text);
            }
            count_text(tokenizer, &text, options)
        });
        for count in counts {
            add(&mut sum, &count?);
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
pub fn count_text(tokenizer: &Tokenizer, text: &str, options: &EncodeOptions) -> Result<Count> {
    Ok(Count {
        words: words(text),
        chars: text.chars().count(),
        bytes: text.len(),
        lines: memchr::memchr_iter(b'\n', text.as_bytes()).count(),
        ..count_tokens(tokenizer, text, options)?
    })
}

/// Counts the tokens of a text, and nothing else.
///
/// # Errors
/// Whatever encoding fails with.
pub fn count_tokens(tokenizer: &Tokenizer, text: &str, options: &EncodeOptions) -> Result<Count> {
    Ok(Count {
        tokens: tokenizer.count(text, options)?,
        ..Count::default()
    })
}

fn add(sum: &mut Count, part: &Count) {
    sum.tokens += part.tokens;
    sum.words += part.words;
    sum.chars += part.chars;
    sum.bytes += part.bytes;
    sum.lines += part.lines;
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
