//! Runs the normalizers and pre-tokenizers of the `tokenizers` crate around the native search for pieces.
//!
//! [`HfEngine`](crate::tokenizer::hf_engine) runs the same steps, so they are exact here too.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use serde_json::Value;
use tokenizers::models::wordlevel::WordLevel;
use tokenizers::normalizers::NormalizerWrapper;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::tokenizer::pre_tokenizer::OffsetType;
use tokenizers::{
    AddedVocabulary, NormalizedString, Normalizer, OffsetReferential, PreTokenizedString,
    PreTokenizer,
};

use super::known_steps;
use super::space_bytes::SpaceHandling;
use crate::formats::config::AddedTokenConfig;
use crate::tokenizer::hf_engine::added_token;
use crate::tokenizer::hf_guard::catch_panic;
use crate::tokenizer::pinned_unicode::{PinnedNormalizer, PinnedPreTokenizer};

/// The steps of a tokenizer before its model.
#[derive(Debug)]
pub struct HfSteps {
    normalizer: Option<NormalizerWrapper>,
    pre_tokenizer: Option<PreTokenizerWrapper>,
    /// All added tokens.
    all: AddedTokenModes,
    /// Those matched after normalization.
    normalized: AddedTokenModes,
    /// `None` if texts cannot be split at white space.
    space_handling: Option<SpaceHandling>,
}

/// A set of added tokens with the special ones taken as text, and with all of them.
type AddedTokenModes = [AddedVocabulary; 2];

impl HfSteps {
    /// Reads the steps of a `tokenizer.json`, and the added tokens. Returns `None` if the crate does not know a step,
    /// rejects the added tokens, or panics, as it does for a malformed character map.
    pub fn new(
        normalizer: &Value,
        pre_tokenizer: &Value,
        added: &[(AddedTokenConfig, u32)],
    ) -> Option<Self> {
        catch_panic(|| Self::build(normalizer, pre_tokenizer, added))?
    }

    fn build(
        normalizer: &Value,
        pre_tokenizer: &Value,
        added: &[(AddedTokenConfig, u32)],
    ) -> Option<Self> {
        let steps = Self {
            normalizer: serde_json::from_value(normalizer.clone()).ok()?,
            pre_tokenizer: serde_json::from_value(pre_tokenizer.clone()).ok()?,
            all: AddedTokenModes::default(),
            normalized: AddedTokenModes::default(),
            space_handling: known_steps::space_handling(normalizer, pre_tokenizer),
        };
        Some(Self {
            all: steps.vocabularies(added, |_| true)?,
            normalized: steps.vocabularies(added, |token| token.normalized)?,
            ..steps
        })
    }

    fn pinned_normalizer(&self) -> Option<PinnedNormalizer<'_>> {
        self.normalizer.as_ref().map(PinnedNormalizer)
    }

    pub fn space_handling(&self) -> Option<SpaceHandling> {
        self.space_handling
    }

    /// Returns the content of an added token as it is found in normalized text. Returns `None` if the crate fails.
    pub fn normalized_content(&self, content: &str) -> Option<String> {
        catch_panic(|| normalized_content(content, self.pinned_normalizer()).ok())?
    }

    fn vocabularies(
        &self,
        added: &[(AddedTokenConfig, u32)],
        includes: impl Fn(&AddedTokenConfig) -> bool,
    ) -> Option<AddedTokenModes> {
        let added: Vec<_> = added.iter().filter(|(token, _)| includes(token)).collect();
        // The crate asks a model for the ids.
        let ids: HashMap<String, u32> = added
            .iter()
            .map(|(token, id)| (token.content.to_string(), *id))
            .collect();
        let ids = WordLevel::builder()
            .vocab(ids.into_iter().collect())
            .unk_token(String::new())
            .build()
            .ok()?;
        let normalized = added.iter().filter(|(token, _)| token.normalized);
        let contents: Result<Vec<_>, _> = normalized
            .map(|(token, _)| normalized_content(&token.content, self.pinned_normalizer()))
            .collect();
        if !are_distinct(&contents.ok()?) {
            return None;
        }
        let mut vocabulary = AddedVocabulary::new();
        let tokens: Vec<_> = added.iter().map(|(token, _)| added_token(token)).collect();
        vocabulary.add_tokens(&tokens, &ids, self.pinned_normalizer().as_ref());
        let mut plain = AddedVocabulary::new();
        if tokens.iter().any(|token| !token.special) {
            plain = vocabulary.clone();
            plain.set_encode_special_tokens(true);
        }
        Some([plain, vocabulary])
    }

    /// Normalizes a part of a text between raw added tokens, or a whole text if `whole`, and finds added tokens. Without
    /// `parse_special`, special tokens are text.
    ///
    /// Returns `None` if the crate panics, as it does for a character map with invalid offsets.
    pub fn normalize(
        &self,
        text: &str,
        parse_special: bool,
        whole: bool,
    ) -> Option<PreTokenizedString> {
        let modes = if whole { &self.all } else { &self.normalized };
        let added = &modes[usize::from(parse_special)];
        catch_panic(|| added.extract_and_normalize(self.pinned_normalizer().as_ref(), text))
    }

    /// Encodes normalized text, and returns the number of its words, added tokens included. `search` returns the tokens of
    /// a word.
    ///
    /// Returns `None` if the crate fails, as it does for a step that contradicts itself.
    pub fn tokenize(
        &self,
        mut text: PreTokenizedString,
        search: impl FnMut(&str) -> Vec<tokenizers::Token>,
    ) -> Option<(tokenizers::Encoding, u32)> {
        if let Some(pre_tokenizer) = &self.pre_tokenizer {
            catch_panic(|| {
                PinnedPreTokenizer(pre_tokenizer)
                    .pre_tokenize(&mut text)
                    .ok()
            })??;
        }
        // The crate takes an `Fn`, and calls it for one word at a time.
        let search = RefCell::new(search);
        text.tokenize(|word| Ok((search.borrow_mut())(word.get())))
            .ok()?;
        let words = text.get_splits(OffsetReferential::Original, OffsetType::None);
        let words = words.len() as u32;
        let encoding = text.into_encoding(None, 0, OffsetType::Byte).ok()?;
        Some((encoding, words))
    }
}

/// Returns the normalized text, added tokens included.
pub fn normalized_text(text: &PreTokenizedString) -> String {
    text.get_splits(OffsetReferential::Normalized, OffsetType::None)
        .into_iter()
        .map(|(part, _, _)| part)
        .collect()
}

/// Returns the content of an added token as it is found in normalized text.
fn normalized_content(
    content: &str,
    normalizer: Option<PinnedNormalizer<'_>>,
) -> tokenizers::Result<String> {
    let mut content = NormalizedString::from(content);
    if let Some(normalizer) = normalizer {
        normalizer.normalize(&mut content)?;
    }
    Ok(content.get().to_owned())
}

/// Returns true if no content is empty, and no two are alike. An empty added token is found between all characters,
/// where no text can be split into chunks.
fn are_distinct<'a>(contents: impl IntoIterator<Item = &'a String>) -> bool {
    let mut seen = HashSet::new();
    contents
        .into_iter()
        .all(|content| !content.is_empty() && seen.insert(content.as_str()))
}
