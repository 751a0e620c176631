//! The tokens of a text or a pair → windows: cut where asked for, and finished as the model wants them.
//!
//! Both engines end here; the cutting and the post-processors are the `tokenizers` crate's.

use tokenizers::processors::PostProcessorWrapper;
use tokenizers::utils::truncation::truncate_encodings;
use tokenizers::{PostProcessor, TruncationDirection, TruncationParams, TruncationStrategy};

use super::encoding::{Encoded, Encoding};
use super::options::{EncodeOptions, Truncation};
use crate::error::{Error, Result};

/// How the texts of a model are cut and finished.
#[derive(Debug)]
pub struct Windows {
    /// The file it came from, for sentences.
    pub file: String,
    pub post_processor: Option<PostProcessorWrapper>,
    /// Id and piece of the unknown token, where the model has one.
    pub unknown: Option<(u32, String)>,
    /// Cut from the left end rather than the right one (`truncation_side` of the model).
    pub cut_left: bool,
}

impl Windows {
    /// Cuts and finishes the tokens of a text, or of the two of a pair.
    ///
    /// # Errors
    /// [`Error::Usage`] if the truncation asked for is impossible, [`Error::Damaged`] if the tokenizer file turns out
    /// to be inconsistent.
    pub fn finish(
        &self,
        first: tokenizers::Encoding,
        second: Option<tokenizers::Encoding>,
        options: &EncodeOptions,
    ) -> Result<Encoded> {
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
        // Windows without room for text would not end: the crate puts all that was cut into one, of any length.
        let no_room =
            encoding.len() == encoding.get_special_tokens_mask().iter().sum::<u32>() as usize;
        let overflow = if no_room { Vec::new() } else { overflow };
        let windows = std::iter::once(encoding)
            .chain(overflow)
            .map(|window| from_hf(&window, self.unknown.as_ref()))
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
        // Each text of a pair may be cut to half of the room; an overlap must be shorter than what is kept.
        let shortest = if second.is_some() { room / 2 } else { room };
        if truncation.stride > 0 && truncation.stride >= shortest {
            return Err(Error::usage(format!(
                "a stride of {} tokens leaves no progress in windows of {shortest} tokens of text",
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

/// What the crate does with the texts of a tokenizer that has no template.
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

fn from_hf(encoding: &tokenizers::Encoding, unknown: Option<&(u32, String)>) -> Encoding {
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
        offsets: encoding.get_offsets().to_vec(),
        type_ids: encoding.get_type_ids().to_vec(),
        special_tokens_mask: encoding.get_special_tokens_mask().to_vec(),
        word_ids: encoding.get_word_ids().to_vec(),
        sequence_ids: encoding.get_sequence_ids(),
    }
}

/// The tokens of one text as the crate has them before they are cut and finished.
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
