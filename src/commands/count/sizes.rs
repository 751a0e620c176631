//! The sizes of a text: tokens, words, characters, bytes, and lines.

use std::io::Read;
use std::ops::AddAssign;

use crate::commands::input::text_counts::TextCounts;
use crate::commands::input::text_format::{InputFormat, chomp};
use crate::commands::input::text_parts::{PART_SIZE, TextPart, TextParts};
use crate::error::Result;
use crate::record::Count;
use crate::tokenizer::{EncodeOptions, Tokenizer};

/// How large a text is.
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

impl Sizes {
    /// Converts the sizes to the record of a text.
    pub fn into_count(self, path: Option<String>, line: Option<u64>) -> Count {
        Count {
            path,
            line,
            tokens: self.tokens,
            words: self.words,
            chars: self.chars,
            bytes: self.bytes,
            lines: self.lines,
            ..Count::default()
        }
    }

    /// Measures one text.
    ///
    /// # Errors
    /// Returns the error of encoding.
    pub fn of_text(tokenizer: &Tokenizer, text: &str, options: &EncodeOptions) -> Result<Self> {
        let tokens = tokenizer.count(text, options)?;
        let TextCounts {
            words,
            chars,
            lines,
        } = TextCounts::of(text);
        Ok(Self {
            tokens,
            words,
            chars,
            bytes: text.len(),
            lines,
        })
    }

    /// Measures an input of any length, in parts and on all threads. Errors call it `input`.
    ///
    /// # Errors
    /// Fails with [`Error::ReadInput`](crate::error::Error::ReadInput),
    /// [`Error::NotUtf8`](crate::error::Error::NotUtf8), or the error of encoding.
    pub fn of_input(
        tokenizer: &Tokenizer,
        options: &EncodeOptions,
        input_format: &InputFormat,
        input: &str,
        reader: impl Read,
    ) -> Result<Self> {
        let without_special = EncodeOptions {
            special_tokens: false,
            ..options.clone()
        };
        let measure = |part: TextPart| {
            let (is_whole, is_last) = (part.is_whole(), part.is_last);
            let mut text = part.into_text(input, input_format.utf8)?;
            if input_format.chomp && is_last {
                chomp(&mut text);
            }
            let options = if is_whole { options } else { &without_special };
            Ok((Self::of_text(tokenizer, &text, options)?, is_whole))
        };
        let (mut sum, mut special_counted) = (Self::default(), false);
        let parts = TextParts {
            tokenizer,
            options,
            part_size: PART_SIZE,
        };
        parts.for_each(input, reader, measure, |(sizes, is_whole)| {
            sum += sizes;
            special_counted = is_whole;
            Ok(())
        })?;
        if !special_counted {
            sum.tokens += tokenizer.count("", options)?;
        }
        Ok(sum)
    }
}
