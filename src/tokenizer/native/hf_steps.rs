//! A part of a text → words, by the normalizers and pre-tokenizers of the `tokenizers` crate.
//!
//! They are what the reference engine runs, so that every step it knows is exact here; the vocabulary and the search
//! are ours.

use std::cell::RefCell;
use std::collections::HashMap;

use serde_json::Value;
use tokenizers::models::wordlevel::WordLevel;
use tokenizers::normalizers::NormalizerWrapper;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::tokenizer::pre_tokenizer::OffsetType;
use tokenizers::{
    AddedToken, AddedVocabulary, OffsetReferential, PreTokenizedString, PreTokenizer,
};

use super::json_steps;
use super::word_chunks::SpaceHandling;
use crate::formats::config::AddedTokenConfig;
use crate::tokenizer::hf_engine::caught;

/// The steps of a tokenizer before its model.
#[derive(Debug)]
pub struct HfSteps {
    normalizer: Option<NormalizerWrapper>,
    pre_tokenizer: Option<PreTokenizerWrapper>,
    /// Every added token, those matched after normalization, and none.
    all: AddedVocabulary,
    normalized: AddedVocabulary,
    none: AddedVocabulary,
    /// How a text can be cut; none if not at all.
    spaces: Option<SpaceHandling>,
}

impl HfSteps {
    /// The steps that `tokenizer.json` names, and the added tokens. None if the crate does not know them, or cannot
    /// tell the tokens apart, or panics, which it does for a character map that is none.
    pub fn new(
        normalizer: &Value,
        pre_tokenizer: &Value,
        added: &[(AddedTokenConfig, u32)],
    ) -> Option<Self> {
        caught(|| Self::build(normalizer, pre_tokenizer, added))?
    }

    fn build(
        normalizer: &Value,
        pre_tokenizer: &Value,
        added: &[(AddedTokenConfig, u32)],
    ) -> Option<Self> {
        let spaces = json_steps::space_handling(normalizer, pre_tokenizer);
        let steps = Self {
            normalizer: serde_json::from_value(normalizer.clone()).ok()?,
            pre_tokenizer: serde_json::from_value(pre_tokenizer.clone()).ok()?,
            all: AddedVocabulary::new(),
            normalized: AddedVocabulary::new(),
            none: AddedVocabulary::new(),
            spaces,
        };
        Some(Self {
            all: steps.vocabulary(added, |_| true)?,
            normalized: steps.vocabulary(added, |token| token.normalized)?,
            ..steps
        })
    }

    pub fn spaces(&self) -> Option<SpaceHandling> {
        self.spaces
    }

    fn vocabulary(
        &self,
        added: &[(AddedTokenConfig, u32)],
        which: impl Fn(&AddedTokenConfig) -> bool,
    ) -> Option<AddedVocabulary> {
        let added: Vec<_> = added.iter().filter(|(token, _)| which(token)).collect();
        // The crate asks a model for the ids.
        let ids: HashMap<String, u32> = added
            .iter()
            .map(|(token, id)| (token.content.clone(), *id))
            .collect();
        let ids = WordLevel::builder()
            .vocab(ids.into_iter().collect())
            .unk_token(String::new())
            .build()
            .ok()?;
        let mut vocabulary = AddedVocabulary::new();
        let tokens = added.iter().map(|(token, _)| {
            AddedToken::from(token.content.as_str(), token.special)
                .lstrip(token.lstrip)
                .rstrip(token.rstrip)
                .single_word(token.single_word)
                .normalized(token.normalized)
        });
        vocabulary
            .add_tokens(tokens, &ids, self.normalizer.as_ref())
            .ok()?;
        Some(vocabulary)
    }

    /// Normalizes a part of a text in which the added tokens of the raw text are already found, or with `all` a whole
    /// text; `parse_special` has added tokens found. None if the crate panics, which it does for a character map that
    /// leads out of itself.
    pub fn normalize(
        &self,
        text: &str,
        parse_special: bool,
        all: bool,
    ) -> Option<PreTokenizedString> {
        let added = match (parse_special, all) {
            (false, _) => &self.none,
            (true, true) => &self.all,
            (true, false) => &self.normalized,
        };
        caught(|| added.extract_and_normalize(self.normalizer.as_ref(), text))
    }

    /// The tokens of a normalized text, given what `search` finds in a word.
    ///
    /// None if the crate fails, which it does for a step that contradicts itself.
    pub fn tokenize(
        &self,
        mut text: PreTokenizedString,
        search: impl FnMut(&str) -> Vec<tokenizers::Token>,
    ) -> Option<tokenizers::Encoding> {
        if let Some(pre_tokenizer) = &self.pre_tokenizer {
            caught(|| pre_tokenizer.pre_tokenize(&mut text).ok())??;
        }
        // The crate takes a function that changes nothing, and calls it word by word.
        let search = RefCell::new(search);
        text.tokenize(|word| Ok((search.borrow_mut())(word.get())))
            .ok()?;
        text.into_encoding(None, 0, OffsetType::Byte).ok()
    }
}

/// The text that a normalized one reads, added tokens included.
pub fn normalized_text(text: &PreTokenizedString) -> String {
    text.get_splits(OffsetReferential::Normalized, OffsetType::None)
        .into_iter()
        .map(|(part, _, _)| part)
        .collect()
}
