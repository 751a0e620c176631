//! The added tokens of a tokenizer, with their ids and rules, as the `tokenizers` crate keeps them
//! (`AddedVocabulary` of 0.21.4).
//!
//! The crate has one too, but only as part of a whole tokenizer, which takes long to build.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::formats::config::AddedTokenConfig;

/// Added tokens in the order in which they were added.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AddedVocabulary {
    /// The number of pieces of the model.
    base_size: u32,
    last_id: Option<u32>,
    ids: HashMap<String, u32>,
    /// Every text with its id, in the order in which they were added.
    texts: Vec<(String, u32)>,
    /// The newest token of each id. Its rules count, except for `normalized`.
    tokens: BTreeMap<u32, AddedTokenConfig>,
    /// The first special token of each text.
    special: Vec<AddedTokenConfig>,
    special_texts: HashSet<String>,
    /// Tokens that were not special when they were added.
    plain: Vec<AddedTokenConfig>,
}

impl AddedVocabulary {
    /// Creates the vocabulary of a model with `base_size` pieces.
    pub fn new(base_size: usize) -> Self {
        Self {
            base_size: u32::try_from(base_size).unwrap_or(u32::MAX),
            ..Self::default()
        }
    }

    /// Adds tokens, given a look-up of the ids of the model's pieces.
    ///
    /// A token that is in the vocabulary keeps its id, and its rules replace the earlier ones. A new token gets the id
    /// after the last added one, or after the pieces of the model.
    pub fn add(&mut self, tokens: &[AddedTokenConfig], find: impl Fn(&str) -> Option<u32>) {
        let tokens = tokens.iter().filter(|token| !token.content.is_empty());
        for token in tokens.clone().filter(|token| token.special) {
            if self.special_texts.insert(token.content.clone()) {
                self.special.push(token.clone());
            }
        }
        for token in tokens {
            if self.token(&token.content) == Some(token) {
                continue;
            }
            let known = self.id(&token.content).or_else(|| find(&token.content));
            let id = known.unwrap_or_else(|| match self.last_id {
                Some(last) if last >= self.base_size || self.base_size == 0 => last.wrapping_add(1),
                _ => self.base_size,
            });
            self.last_id = self.last_id.max(Some(id));
            self.ids.insert(token.content.clone(), id);
            self.texts.push((token.content.clone(), id));
            self.tokens.insert(id, token.clone());
            if !self.special_texts.contains(&token.content) {
                self.plain.push(token.clone());
            }
        }
    }

    /// Returns the id of an added token.
    pub fn id(&self, text: &str) -> Option<u32> {
        self.ids.get(text).copied()
    }

    /// Returns the newest token with a text.
    pub fn token(&self, text: &str) -> Option<&AddedTokenConfig> {
        let token = self.tokens.get(&self.id(text)?)?;
        (token.content == text).then_some(token)
    }

    /// Returns the newest token with an id.
    pub fn with_id(&self, id: u32) -> Option<&AddedTokenConfig> {
        self.tokens.get(&id)
    }

    /// Returns the texts of the tokens with their ids, in the order in which they were added. If the ids of the pieces
    /// have holes, several tokens may have one id, which stands for the last of them.
    pub fn texts(&self) -> &[(String, u32)] {
        &self.texts
    }

    /// Returns true if a text was ever added as a special token.
    pub fn is_special(&self, text: &str) -> bool {
        self.special_texts.contains(text)
    }

    /// Returns the tokens as they are matched in texts, with their ids. A text may occur twice: for the raw and for the
    /// normalized text.
    pub fn matched(&self) -> Vec<(AddedTokenConfig, u32)> {
        let mut matched: Vec<(AddedTokenConfig, u32)> = Vec::new();
        let mut seen = HashSet::new();
        for token in self.special.iter().chain(&self.plain) {
            let Some(id) = self.id(&token.content) else {
                continue;
            };
            if !seen.insert((&token.content, token.normalized)) {
                continue;
            }
            let Some(rules) = self.tokens.get(&id) else {
                continue;
            };
            let token = AddedTokenConfig {
                content: token.content.clone(),
                normalized: token.normalized,
                special: self.is_special(&rules.content),
                ..rules.clone()
            };
            matched.push((token, id));
        }
        matched
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::config::AddedTokenFields;

    fn token(text: &str, special: bool) -> AddedTokenConfig {
        AddedTokenFields::new(text, special).into()
    }

    fn vocabulary(base_size: usize, tokens: &[AddedTokenConfig]) -> AddedVocabulary {
        let mut vocabulary = AddedVocabulary::new(base_size);
        vocabulary.add(tokens, |text| (text == "a").then_some(9));
        vocabulary
    }

    #[test]
    fn ids_are_the_next_after_the_last_token_or_after_the_pieces() {
        let tokens = [token("b", false), token("a", false), token("c", false)];
        let added = vocabulary(3, &tokens);
        let ids: Vec<u32> = added.texts().iter().map(|(_, id)| *id).collect();
        assert_eq!(ids, [3, 9, 10]);
        assert_eq!(vocabulary(20, &tokens[1..]).id("c"), Some(20));
    }

    #[test]
    fn a_token_that_is_added_again_takes_its_new_rules_and_stays_special() {
        let mut added = vocabulary(3, &[token("m", true)]);
        let again = AddedTokenConfig {
            lstrip: true,
            ..token("m", false)
        };
        added.add(std::slice::from_ref(&again), |_| None);
        assert_eq!(added.token("m"), Some(&again));
        assert!(added.is_special("m"));
        let matched = added.matched();
        assert_eq!(matched.len(), 1);
        let (matched, id) = &matched[0];
        assert!(*id == 3 && matched.lstrip && matched.special && !matched.normalized);
    }

    #[test]
    fn a_token_that_becomes_special_is_matched_twice() {
        let mut added = vocabulary(3, &[token("m", false)]);
        added.add(&[token("m", true)], |_| None);
        let normalized: Vec<bool> = (added.matched().iter())
            .map(|(token, _)| token.normalized)
            .collect();
        assert_eq!(normalized, [false, true]);
    }
}
