//! The ids of added tokens, and the tokens that are searched for in a text.
//!
//! Both follow `AddedVocabulary::add_tokens` of the `tokenizers` crate, to which tokens are added in batches: those of
//! the tokenizer file, then those of the model's other files.

use std::collections::{HashMap, HashSet};

use crate::formats::config::AddedTokenConfig;

/// Assigns ids to batches of added tokens, given the number of pieces of the model and a look-up of their ids.
///
/// A token that is in the vocabulary keeps its id. A new token gets the number of pieces, or the id after the largest one
/// of an added token. If the ids of the pieces are not contiguous, this may be the id of a piece: then the added token
/// takes it over.
pub fn added_ids<'a>(
    pieces: usize,
    find: impl Fn(&str) -> Option<u32>,
    batches: &[&'a [AddedTokenConfig]],
) -> Vec<(&'a AddedTokenConfig, u32)> {
    let pieces = u32::try_from(pieces).unwrap_or(u32::MAX);
    let mut ids: HashMap<&str, u32> = HashMap::new();
    let mut largest: Option<u32> = None;
    let mut added = Vec::new();
    for token in batches.iter().flat_map(|batch| batch.iter()) {
        let content = token.content.as_str();
        if content.is_empty() {
            continue;
        }
        let known = ids.get(content).copied().or_else(|| find(content));
        let id = known.unwrap_or_else(|| match largest {
            Some(largest) if largest >= pieces || pieces == 0 => largest.wrapping_add(1),
            _ => pieces,
        });
        ids.insert(content, id);
        largest = largest.max(Some(id));
        added.push((token, id));
    }
    added
}

/// Returns the tokens that are searched for in a text.
///
/// A token may be added several times. Whether it is matched in the raw or in the normalized text is decided by the first
/// time that it is special, or else by the first time. Its other matching rules are those of the last time.
///
/// Returns `None` if a token is matched in both texts.
pub fn matched_tokens(batches: &[&[AddedTokenConfig]]) -> Option<Vec<AddedTokenConfig>> {
    let mut special: HashSet<&str> = HashSet::new();
    let (mut specials, mut others) = (Vec::new(), Vec::new());
    let mut last: HashMap<&str, &AddedTokenConfig> = HashMap::new();
    for batch in batches {
        let tokens = batch.iter().filter(|token| !token.content.is_empty());
        for token in tokens.clone() {
            if token.special && special.insert(&token.content) {
                specials.push(token);
            }
        }
        for token in tokens {
            last.insert(&token.content, token);
            if !special.contains(token.content.as_str()) {
                others.push(token);
            }
        }
    }
    let mut is_normalized: HashMap<&str, bool> = HashMap::new();
    let mut matched = Vec::new();
    for token in specials.into_iter().chain(others) {
        match is_normalized.insert(&token.content, token.normalized) {
            None => matched.push(AddedTokenConfig {
                normalized: token.normalized,
                ..last[token.content.as_str()].clone()
            }),
            Some(before) if before != token.normalized => return None,
            Some(_) => {}
        }
    }
    Some(matched)
}
