//! The special and added tokens of a model: their order and their matching rules.
//!
//! The reference assembles them from up to four files when it loads a tokenizer
//! (`PreTrainedTokenizerBase._from_pretrained` and `PreTrainedTokenizerFast.__init__` of transformers 4.48.3). Ids
//! depend on the order, so the steps here follow the reference exactly. Look-ups use hash sets, since a file may list a
//! million tokens.

use std::collections::HashSet;

use crate::error::Result;
use crate::formats::config::{
    AddedTokenConfig, SpecialTokenConfig, SpecialTokensMap, TokenizerConfig, parse_added_tokens,
};
use crate::formats::json::parse_settings;
use crate::source::ModelFiles;

/// The tokens that a model's other files add to the vocabulary of its tokenizer file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SpecialTokens {
    /// The named special tokens.
    pub map: SpecialTokensMap,
    /// The `added_tokens_decoder` of `tokenizer_config.json`, or the tokens of `added_tokens.json`, in order of id.
    pub added: Vec<AddedTokenConfig>,
}

impl SpecialTokens {
    /// Reads `special_tokens_map.json` and `added_tokens.json`, and combines them with the parsed
    /// `tokenizer_config.json`.
    ///
    /// The two older files are read only if `tokenizer_config.json` has no `added_tokens_decoder`.
    pub fn read(files: &ModelFiles, config: &TokenizerConfig) -> Result<Self> {
        let mut map = config.special_tokens.clone();
        let mut added = Vec::new();
        if let Some(decoder) = &config.added_tokens_decoder {
            added.extend(decoder.values().cloned());
        } else {
            if let Some(file) = files.find("special_tokens_map.json")? {
                merge(&mut map, parse_settings(file.name(), &file.read_all()?)?);
            }
            if let Some(file) = files.find("added_tokens.json")? {
                let mut tokens = parse_added_tokens(file.name(), &file.read_all()?)?;
                tokens.sort_by_key(|&(_, id)| id);
                let special = texts(&map);
                added.extend(tokens.into_iter().map(|(content, _)| {
                    let special = special.contains(content.as_str());
                    AddedTokenConfig {
                        content,
                        lstrip: false,
                        rstrip: false,
                        single_word: false,
                        normalized: !special,
                        special,
                    }
                }));
            }
        }
        // A named token that is also an added token takes over the added token's matching rules.
        for (_, slot) in map.named_mut() {
            if let Some(token) = slot.as_ref()
                && let Some(rules) = added.iter().find(|rules| rules.content == token.text())
            {
                *slot = Some(SpecialTokenConfig::Full(rules.clone()));
            }
        }
        Ok(Self { map, added })
    }

    /// Returns the tokens that the reference adds to a vocabulary that already has the added tokens `known`.
    pub fn to_add(&self, known: &[AddedTokenConfig]) -> Vec<AddedTokenConfig> {
        let special = texts(&self.map);
        let mut tokens: Vec<AddedTokenConfig> = self
            .added
            .iter()
            .map(|token| AddedTokenConfig {
                special: token.special || special.contains(token.content.as_str()),
                ..token.clone()
            })
            .collect();
        let mut seen: HashSet<AddedTokenConfig> = tokens.iter().cloned().collect();
        let mut contents: HashSet<&str> = (known.iter().chain(&self.added))
            .map(|token| token.content.as_str())
            .collect();
        let named = self.map.named().into_iter().filter_map(|(_, token)| token);
        for token in named.chain(&self.map.additional_special_tokens) {
            let rules = match token {
                // A bare text is new only if no token has the same text yet. A token with rules replaces an earlier
                // token.
                SpecialTokenConfig::Text(text) => {
                    if contents.contains(text.as_str()) {
                        continue;
                    }
                    AddedTokenConfig {
                        content: text.clone(),
                        lstrip: false,
                        rstrip: false,
                        single_word: false,
                        normalized: false,
                        special: true,
                    }
                }
                SpecialTokenConfig::Full(rules) => AddedTokenConfig {
                    special: true,
                    ..rules.clone()
                },
            };
            contents.insert(token.text());
            if seen.insert(rules.clone()) {
                tokens.push(rules);
            }
        }
        // A token that is added twice, once for the raw and once for the normalized text, is matched in the raw text.
        let is_raw = |token: &&AddedTokenConfig| !token.normalized;
        let mut raw: HashSet<String> = (known.iter().filter(is_raw))
            .map(|token| token.content.clone())
            .collect();
        for token in &mut tokens {
            if raw.contains(&token.content) {
                token.normalized = false;
            } else if !token.normalized {
                raw.insert(token.content.clone());
            }
        }
        tokens
    }
}

/// Returns the texts of all special tokens.
fn texts(map: &SpecialTokensMap) -> HashSet<&str> {
    let named = map.named().into_iter().filter_map(|(_, token)| token);
    let all = named.chain(&map.additional_special_tokens);
    all.map(SpecialTokenConfig::text).collect()
}

/// Merges `special_tokens_map.json` into the tokens of `tokenizer_config.json`: its named tokens replace the existing
/// ones, and its additional tokens are appended.
fn merge(map: &mut SpecialTokensMap, mut over: SpecialTokensMap) {
    for ((_, slot), (_, token)) in map.named_mut().into_iter().zip(over.named_mut()) {
        if let Some(token) = token.take() {
            *slot = Some(match token {
                SpecialTokenConfig::Full(rules) => SpecialTokenConfig::Full(AddedTokenConfig {
                    special: true,
                    ..rules
                }),
                text => text,
            });
        }
    }
    let mut seen: HashSet<SpecialTokenConfig> =
        map.additional_special_tokens.iter().cloned().collect();
    for token in over.additional_special_tokens {
        if seen.insert(token.clone()) {
            map.additional_special_tokens.push(token);
        }
    }
}
