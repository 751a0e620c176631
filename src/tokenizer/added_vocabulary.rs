//! The added tokens of a tokenizer, with their ids and rules, as the `tokenizers` crate keeps them
//! (`AddedVocabulary` of 0.21.4).
//!
//! The crate has one too, but only as part of a whole tokenizer, which takes long to build.

use std::collections::HashMap;
use std::sync::Arc;

use crate::formats::config::AddedTokenConfig;

/// The version of the crate whose rules count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CrateVersion {
    /// 0.21.4.
    #[default]
    V21,
    /// 0.23.3. New tokens that are added together have successive ids, and every id is matched once.
    V23,
}

/// Added tokens in the order in which they were added.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AddedVocabulary {
    version: CrateVersion,
    /// The number of pieces of the model.
    base_size: u32,
    last_id: Option<u32>,
    /// Every text, and its index in `texts`.
    indices: HashMap<Arc<str>, usize>,
    texts: Vec<Text>,
    /// Every token that was new or special, with the index of its text.
    tokens: Vec<(AddedTokenConfig, usize)>,
    /// The index of each token that was added, and the id it got.
    added: Vec<(usize, u32)>,
    /// The index of the newest token of each id. Its rules count, except for `normalized`.
    newest: HashMap<u32, usize>,
    /// True if a token replaced an earlier one with the same id.
    replaced_any: bool,
    /// The index of the first special token of each text.
    special: Vec<usize>,
    /// The indices of tokens that were not special when they were added.
    plain: Vec<usize>,
}

/// What is known of a text.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Text {
    id: Option<u32>,
    /// True if the text was ever added as a special token.
    is_special: bool,
}

impl AddedVocabulary {
    /// Creates the vocabulary of a model with `base_size` pieces.
    pub fn new(base_size: usize) -> Self {
        Self {
            base_size: u32::try_from(base_size).unwrap_or(u32::MAX),
            ..Self::default()
        }
    }

    /// Returns the vocabulary with the rules of a version of the crate.
    #[must_use]
    pub fn of_version(self, version: CrateVersion) -> Self {
        Self { version, ..self }
    }

    /// Returns the version of the crate whose rules count.
    pub fn version(&self) -> CrateVersion {
        self.version
    }

    /// Returns the id of the next new token.
    fn next_id(&self) -> u32 {
        match self.last_id {
            Some(last) if last >= self.base_size || self.base_size == 0 => last.wrapping_add(1),
            _ => self.base_size,
        }
    }

    /// Adds tokens, given a look-up of the ids of the model's pieces.
    ///
    /// A token that is in the vocabulary keeps its id, and its rules replace the earlier ones. A new token gets the id
    /// after the last added one, or after the pieces of the model.
    pub fn add(&mut self, tokens: &[AddedTokenConfig], find: impl Fn(&str) -> Option<u32>) {
        self.indices.reserve(tokens.len());
        self.newest.reserve(tokens.len());
        let tokens = tokens.iter().filter(|token| !token.content.is_empty());
        for token in tokens.clone().filter(|token| token.special) {
            let text = self.index_of(&token.content);
            if !std::mem::replace(&mut self.texts[text].is_special, true) {
                self.special.push(self.tokens.len());
                self.tokens.push((token.clone(), text));
            }
        }
        let mut next = self.next_id();
        for token in tokens {
            let text = self.index_of(&token.content);
            if self.newest_of(text) == Some(token) {
                continue;
            }
            let known = (self.texts[text].id).or_else(|| find(&token.content));
            let id = known.unwrap_or_else(|| match self.version {
                CrateVersion::V21 => self.next_id(),
                CrateVersion::V23 => {
                    let id = next;
                    next = next.wrapping_add(1);
                    id
                }
            });
            self.last_id = self.last_id.max(Some(id));
            let index = self.tokens.len();
            self.tokens.push((token.clone(), text));
            self.texts[text].id = Some(id);
            self.added.push((index, id));
            self.replaced_any |= self.newest.insert(id, index).is_some();
            if !self.texts[text].is_special {
                self.plain.push(index);
            }
        }
    }

    /// Returns the index of a text, which is added if it is new.
    fn index_of(&mut self, text: &Arc<str>) -> usize {
        if let Some(index) = self.indices.get(&**text) {
            return *index;
        }
        let index = self.texts.len();
        self.indices.insert(Arc::clone(text), index);
        self.texts.push(Text::default());
        index
    }

    fn known(&self, text: &str) -> Option<(usize, Text)> {
        let index = *self.indices.get(text)?;
        Some((index, self.texts[index]))
    }

    /// Returns the id of an added token.
    pub fn id(&self, text: &str) -> Option<u32> {
        self.known(text)?.1.id
    }

    /// Returns the newest token with a text.
    pub fn token(&self, text: &str) -> Option<&AddedTokenConfig> {
        self.newest_of(self.known(text)?.0)
    }

    fn newest_of(&self, text: usize) -> Option<&AddedTokenConfig> {
        let (token, of) = &self.tokens[*self.newest.get(&self.texts[text].id?)?];
        (*of == text).then_some(token)
    }

    /// Returns the newest token with an id.
    pub fn with_id(&self, id: u32) -> Option<&AddedTokenConfig> {
        self.newest.get(&id).map(|index| &self.tokens[*index].0)
    }

    /// Returns true if a token has replaced an earlier one with the same id.
    pub fn replaced_any(&self) -> bool {
        self.replaced_any
    }

    /// Returns the texts of the tokens with their ids, in the order in which they were added. If the ids of the pieces
    /// have holes, several tokens may have one id, which stands for the last of them.
    pub fn texts(&self) -> impl Iterator<Item = (&str, u32)> {
        let text = |index: usize| &*self.tokens[index].0.content;
        self.added
            .iter()
            .map(move |(index, id)| (text(*index), *id))
    }

    /// Returns true if a text was ever added as a special token.
    pub fn is_special(&self, text: &str) -> bool {
        self.known(text).is_some_and(|(_, text)| text.is_special)
    }

    /// Returns the tokens as they are matched in texts, with their ids. A text may occur twice: for the raw and for the
    /// normalized text.
    pub fn matched(&self) -> Vec<(AddedTokenConfig, u32)> {
        if self.version == CrateVersion::V23 {
            return self.matched_by_id();
        }
        let mut matched = Vec::with_capacity(self.texts.len());
        let mut seen = vec![[false; 2]; self.texts.len()];
        for index in self.special.iter().chain(&self.plain) {
            let (token, text) = &self.tokens[*index];
            let Some(id) = self.texts[*text].id else {
                continue;
            };
            if std::mem::replace(&mut seen[*text][usize::from(token.normalized)], true) {
                continue;
            }
            let Some((rules, of)) = self.newest.get(&id).map(|index| &self.tokens[*index]) else {
                continue;
            };
            let token = AddedTokenConfig {
                content: token.content.clone(),
                normalized: token.normalized,
                special: self.texts[*of].is_special,
                lstrip: rules.lstrip,
                rstrip: rules.rstrip,
                single_word: rules.single_word,
            };
            matched.push((token, id));
        }
        matched
    }

    /// Returns the newest token of each id.
    fn matched_by_id(&self) -> Vec<(AddedTokenConfig, u32)> {
        let newest = self.newest.iter().map(|(id, index)| {
            let (token, text) = &self.tokens[*index];
            let special = self.texts[*text].is_special;
            (
                AddedTokenConfig {
                    special,
                    ..token.clone()
                },
                *id,
            )
        });
        let mut matched: Vec<_> = newest.collect();
        matched.sort_unstable_by_key(|(_, id)| *id);
        matched
    }

    /// Returns true if a text is matched twice.
    pub fn matches_twice(&self) -> bool {
        if self.version == CrateVersion::V23 {
            return false;
        }
        let normalized = |index: &usize| {
            let (token, text) = &self.tokens[*index];
            (*text, token.normalized)
        };
        let mut rules = vec![None; self.texts.len()];
        let mut all = self.special.iter().chain(&self.plain).map(normalized);
        all.any(|(text, normalized)| *rules[text].get_or_insert(normalized) != normalized)
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
        let ids: Vec<u32> = added.texts().map(|(_, id)| id).collect();
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
