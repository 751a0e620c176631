//! The reference engine: the `tokenizers` crate, driven step by step.
//!
//! Its `encode` is taken apart (added tokens and normalization, pre-tokenization, model, truncation, template) so
//! that options can differ from call to call and a cut can report what it left out.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tokenizers::models::ModelWrapper;
use tokenizers::tokenizer::pre_tokenizer::OffsetType;
use tokenizers::utils::truncation::truncate_encodings;
use tokenizers::{
    AddedToken, AddedVocabulary, Decoder, Model, PostProcessor, PreTokenizer, TruncationDirection,
    TruncationParams, TruncationStrategy,
};

use super::encoding::Encoding;
use super::{EncodeOptions, Encoded, Truncation};
use crate::error::{Error, Result};
use crate::formats::config::AddedTokenConfig;

/// A loaded tokenizer of the `tokenizers` crate.
#[derive(Debug)]
pub struct ReferenceEngine {
    /// The file it came from, for sentences.
    file: String,
    inner: tokenizers::Tokenizer,
    /// Id and text of the unknown token, where the model has one.
    unknown: Option<(u32, String)>,
    /// Cut from the left end rather than the right one (`truncation_side` of the model).
    cut_left: bool,
    /// Stands in for `inner`'s added tokens where they are to stay text.
    no_added_tokens: AddedVocabulary,
}

impl ReferenceEngine {
    /// `unigram_unknown` is the unknown id of a Unigram model, which the crate keeps to itself.
    pub fn new(
        file: &str,
        mut inner: tokenizers::Tokenizer,
        unigram_unknown: Option<u32>,
        cut_left: bool,
    ) -> Result<Self> {
        // A tokenizer.json may carry both; the reference turns both off unless they are asked for.
        inner
            .with_truncation(None)
            .map_err(|problem| Error::damaged(file, problem))?;
        inner.with_padding(None);
        let unknown = unknown(&inner, unigram_unknown);
        Ok(Self {
            file: file.to_owned(),
            inner,
            unknown,
            cut_left,
            no_added_tokens: AddedVocabulary::new(),
        })
    }

    /// Encodes a text or a pair.
    ///
    /// # Errors
    /// [`Error::Usage`] if the truncation asked for is impossible, [`Error::Damaged`] if the tokenizer file turns out
    /// to be inconsistent.
    pub fn encode(
        &self,
        text: &str,
        pair: Option<&str>,
        options: &EncodeOptions,
    ) -> Result<Encoded> {
        guarded(&self.file, || self.encode_unguarded(text, pair, options))
    }

    fn encode_unguarded(
        &self,
        text: &str,
        pair: Option<&str>,
        options: &EncodeOptions,
    ) -> Result<Encoded> {
        let first = self.encode_sequence(text, 0, options.parse_special)?;
        let second = pair
            .map(|pair| self.encode_sequence(pair, 1, options.parse_special))
            .transpose()?;
        let length = |second: &Option<tokenizers::Encoding>, first: &tokenizers::Encoding| {
            first.len() + second.as_ref().map_or(0, tokenizers::Encoding::len)
        };
        let whole = length(&second, &first);
        let (first, second) = match &options.truncation {
            Some(truncation) => self.truncate(first, second, truncation, options.special_tokens)?,
            None => (first, second),
        };
        let truncated_tokens = whole - length(&second, &first);

        let mut encoding = match self.inner.get_post_processor() {
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
            .map(|window| convert(&window, self.unknown.as_ref()))
            .collect();
        Ok(Encoded {
            windows,
            truncated_tokens,
        })
    }

    /// Pieces → text, with the model's decoder.
    ///
    /// The crate's own `decode` takes ids, and in 0.23 spells added tokens in their normalized form (`[unk]`, if
    /// the model lowercases); the reference, which is older, spells them as they are.
    pub fn decode(&self, pieces: Vec<String>) -> Result<String> {
        guarded(&self.file, || match self.inner.get_decoder() {
            Some(decoder) => decoder
                .decode(pieces)
                .map_err(|problem| self.damaged(problem)),
            None => Ok(pieces.join(" ")),
        })
    }

    fn encode_sequence(
        &self,
        text: &str,
        type_id: u32,
        parse_special: bool,
    ) -> Result<tokenizers::Encoding> {
        let added_tokens = if parse_special {
            self.inner.get_added_vocabulary()
        } else {
            &self.no_added_tokens
        };
        let encode = || -> tokenizers::Result<tokenizers::Encoding> {
            let mut text = added_tokens.extract_and_normalize(self.inner.get_normalizer(), text);
            if let Some(pre_tokenizer) = self.inner.get_pre_tokenizer() {
                pre_tokenizer.pre_tokenize(&mut text)?;
            }
            text.tokenize(|word| self.inner.get_model().tokenize(word.get()))?;
            text.into_encoding(None, type_id, OffsetType::Byte)
        };
        encode().map_err(|problem| self.damaged(problem))
    }

    fn truncate(
        &self,
        first: tokenizers::Encoding,
        second: Option<tokenizers::Encoding>,
        truncation: &Truncation,
        special_tokens: bool,
    ) -> Result<(tokenizers::Encoding, Option<tokenizers::Encoding>)> {
        let template = match self.inner.get_post_processor() {
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

/// Adds tokens with their matching rules.
///
/// # Errors
/// [`Error::Damaged`], naming `file`, if they cannot be matched.
pub fn add_tokens(
    file: &str,
    tokenizer: &mut tokenizers::Tokenizer,
    tokens: &[AddedTokenConfig],
) -> Result<()> {
    let tokens = tokens.iter().map(|token| {
        AddedToken::from(token.content.as_str(), token.special)
            .lstrip(token.lstrip)
            .rstrip(token.rstrip)
            .single_word(token.single_word)
            .normalized(token.normalized)
    });
    tokenizer
        .add_tokens(tokens)
        .map_err(|problem| Error::damaged(file, problem))?;
    Ok(())
}

fn unknown(inner: &tokenizers::Tokenizer, unigram_unknown: Option<u32>) -> Option<(u32, String)> {
    let token = match inner.get_model() {
        ModelWrapper::Unigram(model) => {
            let id = unigram_unknown?;
            return Some((id, model.id_to_token(id)?));
        }
        ModelWrapper::BPE(model) => model.get_unk_token().clone()?,
        ModelWrapper::WordPiece(model) => model.unk_token.clone(),
        ModelWrapper::WordLevel(model) => model.unk_token.clone(),
    };
    Some((inner.token_to_id(&token)?, token))
}

thread_local! {
    /// Whether this thread is inside [`guarded`].
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic of this thread will be caught here, and is not to be reported.
pub fn is_guarded() -> bool {
    GUARDED.get()
}

/// Does something with the crate, which panics where a tokenizer file contradicts itself.
///
/// # Errors
/// [`Error::Damaged`] in place of the panic.
pub fn guarded<T>(file: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let before = GUARDED.replace(true);
    // What the crate leaves half done is not used again.
    let outcome = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(before);
    outcome.unwrap_or_else(|_| {
        Err(Error::damaged(
            file,
            "the tokenizers library cannot work with it",
        ))
    })
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

fn convert(encoding: &tokenizers::Encoding, unknown: Option<&(u32, String)>) -> Encoding {
    let tokens = encoding
        .get_ids()
        .iter()
        .zip(encoding.get_tokens())
        .map(|(id, token)| match unknown {
            Some((unknown_id, piece)) if unknown_id == id => piece.clone(),
            _ => token.clone(),
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
