//! Finds added tokens as the reference does if normalization makes one of them empty, or two alike.
//!
//! Version 0.21 of the `tokenizers` crate, which the reference uses, finds tokens with the crate `aho-corasick`: an
//! empty token splits the text between all characters, and of tokens that are alike the first counts. Version 0.23
//! uses `daachorse`, which finds an empty token without end in some texts, and any one of tokens that are alike.

use std::collections::HashSet;

use tokenizers::normalizer::Range;
use tokenizers::{
    NormalizedString, Normalizer, NormalizerWrapper, PreTokenizedString, Token, Tokenizer,
};

use super::native::added_tokens::{AddedTokens, TextPart};
use crate::formats::config::AddedTokenConfig;

/// The added tokens of a tokenizer.
#[derive(Debug)]
pub struct HfAddedTokens {
    /// Tokens that are found in the raw text.
    raw: AddedTokens,
    /// Tokens that are found in the normalized text, spelled as normalized.
    normalized: AddedTokens,
}

impl HfAddedTokens {
    /// Returns the added tokens of a tokenizer, or `None` if the crate finds them as the reference does.
    ///
    /// # Errors
    /// Fails if the normalizer does.
    pub fn of(tokenizer: &Tokenizer) -> tokenizers::Result<Option<Self>> {
        let added = tokenizer.get_added_vocabulary().get_added_tokens_decoder();
        let mut raw = Vec::new();
        let mut normalized = Vec::new();
        for (id, token) in added {
            let content = if token.normalized {
                normalized_content(&token.content, tokenizer.get_normalizer())?
            } else {
                token.content.clone()
            };
            let config = AddedTokenConfig {
                content,
                lstrip: token.lstrip,
                rstrip: token.rstrip,
                single_word: token.single_word,
                normalized: token.normalized,
                special: token.special,
            };
            let tokens = if token.normalized {
                &mut normalized
            } else {
                &mut raw
            };
            tokens.push((config, *id));
        }
        if are_distinct(normalized.iter().map(|(token, _)| &token.content)) {
            return Ok(None);
        }
        // The order of the reference: special tokens first.
        for tokens in [&mut raw, &mut normalized] {
            tokens.sort_by_key(|(token, id)| (!token.special, *id));
        }
        let tokens = AddedTokens::in_order(raw).zip(AddedTokens::in_order(normalized));
        let (raw, normalized) = tokens.ok_or("it has too many added tokens")?;
        Ok(Some(Self { raw, normalized }))
    }

    /// Splits a text into added tokens and the normalized text between them, as `AddedVocabulary::extract_and_normalize`
    /// of the crate does.
    ///
    /// # Errors
    /// Fails if an empty token splits a character, as the reference does.
    pub fn split(
        &self,
        normalizer: Option<&NormalizerWrapper>,
        text: &str,
    ) -> tokenizers::Result<PreTokenizedString> {
        let mut text = PreTokenizedString::from(text);
        text.split(|_, part| split(&self.raw, &part))?;
        text.split(|_, mut part| {
            if let Some(normalizer) = normalizer {
                normalizer.normalize(&mut part)?;
            }
            split(&self.normalized, &part)
        })?;
        Ok(text)
    }
}

/// Splits a text into parts, each with its token if it is an added token.
fn split(
    added: &AddedTokens,
    text: &NormalizedString,
) -> tokenizers::Result<Vec<(NormalizedString, Option<Vec<Token>>)>> {
    let mut parts = Vec::new();
    let mut splits_a_character = false;
    added.split(text.get(), |part, start, end| {
        let Some(slice) = text.slice(Range::Normalized(start..end)) else {
            splits_a_character = true;
            return;
        };
        let token = match part {
            TextPart::Added(id) => Some(vec![Token::new(
                id,
                slice.get().to_owned(),
                (0, end - start),
            )]),
            TextPart::Words => None,
        };
        parts.push((slice, token));
    });
    if splits_a_character {
        return Err("an added token is empty after normalization and splits a character that is not ASCII; the reference fails on this text too".into());
    }
    Ok(parts)
}

/// Returns the content of an added token as it is found in normalized text.
///
/// # Errors
/// Fails if the normalizer does.
pub fn normalized_content(
    content: &str,
    normalizer: Option<&NormalizerWrapper>,
) -> tokenizers::Result<String> {
    let mut content = NormalizedString::from(content);
    if let Some(normalizer) = normalizer {
        normalizer.normalize(&mut content)?;
    }
    Ok(content.get().to_owned())
}

/// Returns true if no content is empty, and no two are alike.
pub fn are_distinct<'a>(contents: impl IntoIterator<Item = &'a String>) -> bool {
    let mut seen = HashSet::new();
    contents
        .into_iter()
        .all(|content| !content.is_empty() && seen.insert(content.as_str()))
}
