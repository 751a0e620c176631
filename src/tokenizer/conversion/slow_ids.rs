//! The ids that a slow tokenizer gives its special tokens.
//!
//! The conversion asks the slow tokenizer for them, and a special token that is not a piece has an id there that the
//! converted tokenizer need not give it.

use std::collections::HashMap;

use crate::formats::config::SpecialTokenConfig;
use crate::formats::piece_list::{Numbers, PieceList};
use crate::tokenizer::special_tokens::SpecialTokens;

/// The ids of a slow tokenizer.
pub struct SlowIds<'a> {
    find: &'a dyn Fn(&str) -> Option<u32>,
    added: HashMap<String, u32>,
    unknown: Option<u32>,
}

impl<'a> SlowIds<'a> {
    /// Adds the special tokens to a vocabulary of `size` pieces, as `PreTrainedTokenizer.__init__` does.
    /// `unknown_piece` is the id that a look-up of an unknown piece gives, if the vocabulary has one of its own.
    pub fn new(
        tokens: &SpecialTokens,
        size: usize,
        find: &'a dyn Fn(&str) -> Option<u32>,
        unknown_piece: Option<u32>,
    ) -> Self {
        let own = tokens.added.iter();
        let mut added: HashMap<String, u32> = own
            .map(|(id, token)| (token.content.clone(), *id))
            .collect();
        let mut next = size + added.keys().filter(|text| find(text).is_none()).count();
        for text in tokens.in_order().into_iter().map(SpecialTokenConfig::text) {
            if text.is_empty() || added.contains_key(text) {
                continue;
            }
            let id = find(text).unwrap_or_else(|| {
                next += 1;
                u32::try_from(next - 1).unwrap_or(u32::MAX)
            });
            added.insert(text.to_owned(), id);
        }
        let mut ids = Self {
            find,
            added,
            unknown: unknown_piece,
        };
        if ids.unknown.is_none() {
            let unknown = tokens.map.unk_token.given();
            ids.unknown = unknown.and_then(|token| ids.known(token.text()));
        }
        ids
    }

    /// Returns the id of a token that is in the vocabulary.
    pub fn known(&self, text: &str) -> Option<u32> {
        let added = self.added.get(text).copied();
        added.or_else(|| (self.find)(text))
    }

    /// Returns an added token with an id.
    pub fn added_token(&self, id: u32) -> Option<&str> {
        let mut added = self.added.iter();
        let found = added.find(|(_, other)| **other == id);
        found.map(|(text, _)| &**text)
    }

    /// Returns true if a token is in the vocabulary.
    pub fn has(&self, text: &str) -> bool {
        self.known(text).is_some()
    }

    /// Returns the id of a token, or that of the unknown token.
    pub fn id(&self, text: &str) -> Option<u32> {
        self.known(text).or(self.unknown)
    }
}

/// Returns the id of each distinct piece. Of equal pieces, the last one counts.
pub fn ids_of(vocab: &PieceList) -> HashMap<&str, u32> {
    match &vocab.numbers {
        Numbers::Ids(ids) => vocab.texts.iter().zip(ids.iter().copied()).collect(),
        Numbers::Scores(_) => vocab.texts.iter().zip(0..).collect(),
    }
}
