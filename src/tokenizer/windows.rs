//! Cuts the tokens of a text or a pair into windows, and adds the special tokens of the model.
//!
//! Both engines use this module. Truncation and post-processors are those of the `tokenizers` crate.

use tokenizers::processors::PostProcessorWrapper;
use tokenizers::utils::truncation::truncate_encodings;
use tokenizers::{PostProcessor, TruncationDirection, TruncationParams, TruncationStrategy};

use super::char_offsets::CharOffsets;
use super::encoding::{Encoded, Encoding};
use super::options::{EncodeOptions, Truncation};
use crate::error::{Error, Result};

/// Marks the words of the second text of a pair. Some sequences of post-processors forget which text a token comes from.
const SECOND: u32 = 1 << 31;

/// A text with the tokens that it has before truncation and post-processing. Their offsets are in bytes.
#[derive(Debug)]
pub struct TokenizedText<'a> {
    pub text: &'a str,
    pub tokens: tokenizers::Encoding,
}

/// How a model truncates and post-processes its texts.
#[derive(Debug)]
pub struct Windows {
    /// The name of the tokenizer file, for error messages.
    pub file: String,
    /// Adds the special tokens.
    pub post_processor: Option<PostProcessorWrapper>,
    /// The id and piece of the unknown token, if the model has one.
    pub unknown: Option<(u32, String)>,
    /// Truncate at the left end instead of the right (`truncation_side` of the model).
    pub cut_left: bool,
}

impl Windows {
    /// Truncates and post-processes the tokens of a text, or of the two texts of a pair.
    ///
    /// # Errors
    /// Fails with [`Error::Usage`] if the windows are too small, or with [`Error::Damaged`] if the tokenizer file
    /// contradicts itself.
    pub fn finish(
        &self,
        first: TokenizedText<'_>,
        second: Option<TokenizedText<'_>>,
        options: &EncodeOptions,
    ) -> Result<Encoded> {
        let pair = second.as_ref().map_or("", |second| second.text);
        let offsets = [first.text, pair].map(CharOffsets::new);
        let first = in_chars(first.tokens, &offsets[0]);
        let second = second.map(|second| second_of_pair(in_chars(second.tokens, &offsets[1])));
        let length = |second: &Option<tokenizers::Encoding>, first: &tokenizers::Encoding| {
            first.len() + second.as_ref().map_or(0, tokenizers::Encoding::len)
        };
        let whole = length(&second, &first);
        let (first, second) = match &options.truncation {
            Some(truncation) => self.truncate(first, second, truncation, options.special_tokens)?,
            None => (first, second),
        };
        let truncated_tokens = whole - length(&second, &first);

        let mut encoding = match &self.post_processor {
            Some(processor) => processor.process(first, second, options.special_tokens),
            None => without_template(first, second, options.special_tokens),
        }
        .map_err(|problem| self.damaged(problem))?;
        let overflow = encoding.take_overflowing();
        // If a window has no room for text, the crate puts all truncated tokens into one window, however long: drop
        // that window.
        let no_room =
            encoding.len() == encoding.get_special_tokens_mask().iter().sum::<u32>() as usize;
        let overflow = if no_room { Vec::new() } else { overflow };
        let windows = std::iter::once(encoding)
            .chain(overflow)
            .map(|window| from_hf(&window, self.unknown.as_ref(), &offsets))
            .collect();
        Ok(Encoded {
            windows,
            truncated_tokens,
        })
    }

    fn truncate(
        &self,
        first: tokenizers::Encoding,
        second: Option<tokenizers::Encoding>,
        truncation: &Truncation,
        special_tokens: bool,
    ) -> Result<(tokenizers::Encoding, Option<tokenizers::Encoding>)> {
        let template = match &self.post_processor {
            Some(processor) if special_tokens => processor.added_tokens(second.is_some()),
            _ => 0,
        };
        let Some(room) = truncation.max_length.checked_sub(template) else {
            return Err(Error::usage(format!(
                "a length of {} leaves no room for the {template} special tokens that the model adds",
                truncation.max_length
            )));
        };
        // Truncation may leave each text of a pair half of the room, and an overlap must be shorter than a window.
        let shortest = if second.is_some() { room / 2 } else { room };
        if truncation.stride > 0 && truncation.stride >= shortest {
            return Err(Error::usage(format!(
                "a stride of {} tokens must be less than the {shortest} tokens of text in a window",
                truncation.stride
            )));
        }
        let params = TruncationParams {
            max_length: room,
            stride: truncation.stride,
            strategy: TruncationStrategy::LongestFirst,
            direction: if self.cut_left {
                TruncationDirection::Left
            } else {
                TruncationDirection::Right
            },
        };
        truncate_encodings(first, second, &params).map_err(|problem| self.damaged(problem))
    }

    fn damaged(&self, problem: tokenizers::Error) -> Error {
        Error::damaged(self.file.clone(), problem)
    }
}

/// Does the post-processing that the crate does for a tokenizer without a post-processor.
fn without_template(
    first: tokenizers::Encoding,
    second: Option<tokenizers::Encoding>,
    special_tokens: bool,
) -> tokenizers::Result<tokenizers::Encoding> {
    let mut encodings = vec![first];
    encodings.extend(second);
    for (index, encoding) in encodings.iter_mut().enumerate() {
        encoding.set_sequence_id(index);
        for overflow in encoding.get_overflowing_mut() {
            overflow.set_sequence_id(index);
        }
    }
    let encodings = <dyn PostProcessor>::default_process(encodings, special_tokens)?;
    Ok(tokenizers::Encoding::merge(encodings, false))
}

/// Converts the offsets of a text's tokens from bytes to characters.
fn in_chars(mut tokens: tokenizers::Encoding, offsets: &CharOffsets) -> tokenizers::Encoding {
    for range in tokens.get_offsets_mut() {
        *range = offsets.to_chars(*range);
    }
    tokens
}

/// Marks the words of the second text of a pair.
fn second_of_pair(mut tokens: tokenizers::Encoding) -> tokenizers::Encoding {
    for word in tokens.get_word_ids_mut().iter_mut().flatten() {
        *word |= SECOND;
    }
    tokens
}

/// Converts a window from the crate's form, and its offsets from characters to bytes.
fn from_hf(
    encoding: &tokenizers::Encoding,
    unknown: Option<&(u32, String)>,
    offsets: &[CharOffsets; 2],
) -> Encoding {
    let words = encoding.get_word_ids();
    let sequence_ids: Vec<_> = words
        .iter()
        .map(|word| word.map(|word| usize::from(word & SECOND != 0)))
        .collect();
    let ranges = encoding.get_offsets().iter().zip(&sequence_ids);
    let ranges = ranges.map(|(range, sequence)| match sequence {
        Some(sequence) => offsets[*sequence].to_bytes(*range),
        None => *range,
    });
    let tokens = encoding
        .get_ids()
        .iter()
        .zip(encoding.get_tokens())
        .map(|(id, token)| match unknown {
            Some((unknown_id, piece)) if unknown_id == id => piece,
            _ => token,
        })
        .collect();
    Encoding {
        ids: encoding.get_ids().to_vec(),
        tokens,
        offsets: ranges.collect(),
        type_ids: encoding.get_type_ids().to_vec(),
        special_tokens_mask: encoding.get_special_tokens_mask().to_vec(),
        word_ids: words
            .iter()
            .map(|word| word.map(|word| word & !SECOND))
            .collect(),
        sequence_ids,
    }
}

/// Converts the tokens of one text to the crate's form before truncation and post-processing.
pub fn to_hf(encoding: Encoding) -> tokenizers::Encoding {
    let length = encoding.len();
    tokenizers::Encoding::new(
        encoding.ids,
        encoding.type_ids,
        encoding.tokens.iter().map(str::to_owned).collect(),
        encoding.word_ids,
        encoding.offsets,
        encoding.special_tokens_mask,
        vec![1; length],
        Vec::new(),
        Default::default(),
    )
}
