//! The engine of the `tokenizers` crate (`--engine reference`), which supports every algorithm and step.
//!
//! The steps of the crate's `encode` (added tokens and normalization, pre-tokenization, model, truncation, template)
//! are called one by one, so that options can differ from call to call.

use tokenizers::models::ModelWrapper;
use tokenizers::models::wordlevel::WordLevel;
use tokenizers::tokenizer::pre_tokenizer::OffsetType;
use tokenizers::{
    AddedToken, AddedVocabulary, Decoder, DecoderWrapper, Model, NormalizerWrapper,
    PostProcessorWrapper, PreTokenizer,
};

use super::encoding::Encoded;
use super::exact_json;
use super::hf_guard::guarded;
use super::json_file::JsonFile;
use super::options::EncodeOptions;
use super::pinned_unicode::{PinnedNormalizer, PinnedPreTokenizer, is_lowered_since_unicode_17};
use super::windows::{TokenizedText, Windows};
use crate::error::{Error, Result};
use crate::formats::config::AddedTokenConfig;
use crate::formats::merge_list::MergeList;

/// The version of the `tokenizers` crate.
pub const TOKENIZERS_VERSION: &str = "0.21.4";
/// The version of transformers whose encodings are the reference.
pub const TRANSFORMERS_VERSION: &str = "4.48.3";

/// How a `tokenizer.json` is written.
#[derive(Debug, Clone, Copy)]
pub enum JsonStyle<'t> {
    /// As the reference writes it.
    Reference,
    /// With scores that the crate reads as they are, and with the added tokens as they are matched, with their ids.
    Exact(&'t [(AddedTokenConfig, u32)]),
}

/// A loaded tokenizer of the `tokenizers` crate.
#[derive(Debug)]
pub struct HfEngine {
    inner: tokenizers::Tokenizer,
    windows: Windows,
    /// The added tokens of `inner`, but with the special ones taken as text.
    plain_added_tokens: AddedVocabulary,
}

impl HfEngine {
    /// Creates the engine. `unigram_unknown` is the unknown id of a Unigram model, since the crate does not expose it.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`] if the crate rejects the tokenizer.
    pub fn new(
        file: &str,
        mut inner: tokenizers::Tokenizer,
        unigram_unknown: Option<u32>,
        cut_left: bool,
    ) -> Result<Self> {
        // A tokenizer.json may set truncation and padding; the reference turns both off unless the caller requests
        // them.
        inner
            .with_truncation(None)
            .map_err(|problem| Error::damaged(file, problem))?;
        inner.with_padding(None);
        pin_added_tokens(&mut inner);
        let windows = Windows {
            file: file.to_owned(),
            post_processor: inner.get_post_processor().cloned(),
            unknown: unknown(&inner, unigram_unknown),
            cut_left,
        };
        let mut plain_added_tokens = inner.get_added_vocabulary().clone();
        plain_added_tokens.set_encode_special_tokens(true);
        Ok(Self {
            inner,
            windows,
            plain_added_tokens,
        })
    }

    /// Refuses a model that leaves out merges at random, which decodes but does not encode.
    ///
    /// # Errors
    /// Fails with [`Error::Unsupported`].
    pub fn check_encodes(&self) -> Result<()> {
        let dropout = match self.inner.get_model() {
            ModelWrapper::BPE(model) => model.dropout.unwrap_or_default(),
            _ => 0.0,
        };
        if dropout > 0.0 {
            let problem = format!(
                "its model leaves out merges at random (`dropout` is {dropout}), so a text has no definite tokens"
            );
            let error = Error::unsupported(&self.windows.file, problem);
            return Err(error.with_hint("set `dropout` to null"));
        }
        Ok(())
    }

    /// Encodes a text or a pair.
    ///
    /// # Errors
    /// Fails like [`Self::check_encodes`], with [`Error::Usage`] if the windows are too small, or with [`Error::Damaged`] if the tokenizer file
    /// contradicts itself.
    pub fn encode(
        &self,
        text: &str,
        pair: Option<&str>,
        options: &EncodeOptions,
    ) -> Result<Encoded> {
        self.check_encodes()?;
        guarded(&self.windows.file, || {
            let tokenize = |text, type_id| {
                let tokens = self.encode_sequence(text, type_id, options.parse_special)?;
                Ok(TokenizedText { text, tokens })
            };
            let first = tokenize(text, 0)?;
            let second = pair.map(|pair| tokenize(pair, 1)).transpose()?;
            self.windows.finish(first, second, options)
        })
    }

    /// Replaces the normalizer of texts. Added tokens that are matched after normalization stay as they are.
    pub fn set_normalizer(&mut self, normalizer: impl Into<NormalizerWrapper>) {
        self.inner.with_normalizer(Some(normalizer));
    }

    /// Encodes a pair with another post-processor than the tokenizer's.
    ///
    /// # Errors
    /// Fails like [`Self::encode`].
    pub fn encode_by(
        &self,
        post_processor: impl Into<PostProcessorWrapper>,
        text: &str,
        pair: &str,
        options: &EncodeOptions,
    ) -> Result<Encoded> {
        self.check_encodes()?;
        let windows = Windows {
            file: self.windows.file.clone(),
            post_processor: Some(post_processor.into()),
            unknown: self.windows.unknown.clone(),
            cut_left: self.windows.cut_left,
        };
        guarded(&self.windows.file, || {
            let tokenize = |text, type_id| {
                let tokens = self.encode_sequence(text, type_id, options.parse_special)?;
                Ok(TokenizedText { text, tokens })
            };
            windows.finish(tokenize(text, 0)?, Some(tokenize(pair, 1)?), options)
        })
    }

    /// Decodes pieces to text with the model's decoder.
    ///
    /// # Errors
    /// [`Error::Damaged`] if the decoder cannot be used.
    pub fn decode(&self, pieces: Vec<String>) -> Result<String> {
        decode(&self.windows.file, self.inner.get_decoder(), pieces)
    }

    /// Returns the suffix of a word's last piece, if the model has one.
    pub fn end_of_word_suffix(&self) -> Option<&str> {
        match self.inner.get_model() {
            ModelWrapper::BPE(model) => model.end_of_word_suffix.as_deref(),
            _ => None,
        }
    }

    /// Returns the `tokenizer.json` of this tokenizer. `merges` returns the merges of a byte-pair encoding; `None` leaves
    /// them to the crate.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`] if the crate cannot serialize the tokenizer, or like `merges`.
    pub fn to_json(
        &self,
        style: JsonStyle<'_>,
        merges: impl FnOnce() -> Result<Option<MergeList>>,
    ) -> Result<Vec<u8>> {
        let added_tokens = match style {
            JsonStyle::Reference => None,
            JsonStyle::Exact(tokens) => {
                let tokens = tokens.iter().map(|(token, id)| (added_token(token), *id));
                Some(tokens.collect())
            }
        };
        let file = JsonFile::new(&self.inner, added_tokens, merges)?;
        let json = match style {
            JsonStyle::Reference => serde_json::to_vec_pretty(&file),
            JsonStyle::Exact(_) => exact_json::to_vec(&file),
        };
        json.map_err(|problem| Error::damaged(&*self.windows.file, problem))
    }

    /// Returns the error for a text that the model cannot encode.
    fn damaged(&self, problem: &tokenizers::Error) -> Error {
        let unknown = match self.inner.get_model() {
            ModelWrapper::WordPiece(model) => Some(&model.unk_token),
            ModelWrapper::WordLevel(model) => Some(&model.unk_token),
            ModelWrapper::BPE(model) => model.unk_token.as_ref(),
            ModelWrapper::Unigram(_) => None,
        };
        let unknown =
            unknown.filter(|unknown| self.inner.get_model().token_to_id(unknown).is_none());
        match unknown {
            Some(unknown) => {
                let problem = format!(
                    "it lacks the unknown token {unknown}, which stands for a word that its pieces cannot spell"
                );
                Error::damaged(&*self.windows.file, problem)
            }
            None => Error::damaged(&*self.windows.file, problem),
        }
    }

    fn encode_sequence(
        &self,
        text: &str,
        type_id: u32,
        parse_special: bool,
    ) -> Result<tokenizers::Encoding> {
        let normalizer = self.inner.get_normalizer().map(PinnedNormalizer);
        let encode = || -> tokenizers::Result<tokenizers::Encoding> {
            let added_tokens = if parse_special {
                self.inner.get_added_vocabulary()
            } else {
                &self.plain_added_tokens
            };
            let mut text = added_tokens.extract_and_normalize(normalizer.as_ref(), text);
            if let Some(pre_tokenizer) = self.inner.get_pre_tokenizer() {
                PinnedPreTokenizer(pre_tokenizer).pre_tokenize(&mut text)?;
            }
            text.tokenize(|word| self.inner.get_model().tokenize(word.get()))?;
            text.into_encoding(None, type_id, OffsetType::Byte)
        };
        encode().map_err(|problem| self.damaged(&problem))
    }
}

/// Decodes pieces to text with the decoder of the tokenizer file called `file`, or joins them with spaces if there is
/// no decoder.
///
/// # Errors
/// [`Error::Damaged`] if the decoder cannot be used.
pub fn decode(file: &str, decoder: Option<&DecoderWrapper>, pieces: Vec<String>) -> Result<String> {
    guarded(file, || match decoder {
        Some(decoder) => decoder
            .decode(pieces)
            .map_err(|problem| Error::damaged(file, problem)),
        None => Ok(pieces.join(" ")),
    })
}

/// Adds tokens with their matching rules.
pub fn add_tokens(tokenizer: &mut tokenizers::Tokenizer, tokens: &[AddedTokenConfig]) {
    // The crate would prepare the search for all its added tokens again.
    if tokens.is_empty() {
        return;
    }
    let tokens: Vec<_> = tokens.iter().map(added_token).collect();
    tokenizer.add_tokens(&tokens);
}

/// Converts an added token to the crate's type.
pub fn added_token(token: &AddedTokenConfig) -> AddedToken {
    AddedToken::from(&*token.content, token.special)
        .lstrip(token.lstrip)
        .rstrip(token.rstrip)
        .single_word(token.single_word)
        .normalized(token.normalized)
}

/// Normalizes added tokens anew if they have letters that the crate normalizes by another version of Unicode than the
/// reference.
fn pin_added_tokens(inner: &mut tokenizers::Tokenizer) {
    let added = inner.get_added_tokens_decoder();
    let is_affected = |token: &AddedToken| {
        token.normalized && token.content.contains(is_lowered_since_unicode_17)
    };
    if !added.values().any(is_affected) {
        return;
    }
    let mut added: Vec<_> = added.into_iter().collect();
    added.sort_by_key(|(id, _)| *id);
    // The crate asks a model for the ids.
    let ids = added.iter().map(|(id, token)| (token.content.clone(), *id));
    let ids = WordLevel::builder()
        .vocab(ids.collect())
        .unk_token(String::new())
        .build();
    let Ok(ids) = ids else {
        return;
    };
    let tokens: Vec<_> = added.into_iter().map(|(_, token)| token).collect();
    let normalizer = inner.get_normalizer().map(PinnedNormalizer);
    let mut pinned = AddedVocabulary::new();
    pinned.add_tokens(&tokens, &ids, normalizer.as_ref());
    inner.with_added_vocabulary(pinned);
}

/// Returns the id and piece of the unknown token. Returns `None` if the model has no unknown token.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_constant_is_the_version_in_the_lock_file() {
        let lock = include_str!("../../Cargo.lock");
        let package = format!("name = \"tokenizers\"\nversion = \"{TOKENIZERS_VERSION}\"\n");
        assert!(lock.replace("\r\n", "\n").contains(&package));
    }
}
