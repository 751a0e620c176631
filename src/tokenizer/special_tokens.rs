//! Which tokens are added to a vocabulary, in which order and with which matching rules.
//!
//! The reference assembles them from up to four files when it loads a tokenizer
//! (`PreTrainedTokenizerBase._from_pretrained` and `PreTrainedTokenizerFast.__init__` of transformers 4.48.3); ids
//! depend on the order, so the same steps are taken here. Tokens are compared by way of sets: a file may list a million.

use std::collections::HashSet;

use crate::error::Result;
use crate::formats::config::{
    AddedTokenConfig, SpecialTokenConfig, SpecialTokensMap, TokenizerConfig, parse_added_tokens,
};
use crate::formats::json::parse_settings;
use crate::source::ModelFiles;

/// The tokens of a model beyond the vocabulary of its tokenizer file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SpecialTokens {
    /// The named special tokens.
    pub map: SpecialTokensMap,
    /// `added_tokens_decoder` of `tokenizer_config.json`, or what `added_tokens.json` amounts to, by id.
    pub added: Vec<AddedTokenConfig>,
}

impl SpecialTokens {
    /// Reads what `tokenizer_config.json` (parsed before), `special_tokens_map.json` and `added_tokens.json` say.
    ///
    /// The two older files count only where `tokenizer_config.json` has no `added_tokens_decoder`.
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
        // A named token that is also an added one takes the rules given there.
        for (_, slot) in map.named_mut() {
            if let Some(token) = slot.as_ref()
                && let Some(rules) = added.iter().find(|rules| rules.content == token.text())
            {
                *slot = Some(SpecialTokenConfig::Full(rules.clone()));
            }
        }
        Ok(Self { map, added })
    }

    /// The tokens that the reference adds to a vocabulary in which `known` are added tokens already.
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
        let mut there: HashSet<AddedTokenConfig> = tokens.iter().cloned().collect();
        let mut contents: HashSet<&str> = (known.iter().chain(&self.added))
            .map(|token| token.content.as_str())
            .collect();
        let named = self.map.named().into_iter().filter_map(|(_, token)| token);
        for token in named.chain(&self.map.additional_special_tokens) {
            let rules = match token {
                // A bare text is new only if no added token has it; one with rules replaces what was there.
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
            if there.insert(rules.clone()) {
                tokens.push(rules);
            }
        }
        // A token that is added twice, once to be matched on the raw text, is matched there first.
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

/// The texts of all special tokens.
fn texts(map: &SpecialTokensMap) -> HashSet<&str> {
    let named = map.named().into_iter().filter_map(|(_, token)| token);
    let all = named.chain(&map.additional_special_tokens);
    all.map(SpecialTokenConfig::text).collect()
}

/// `special_tokens_map.json` over `tokenizer_config.json`: its named tokens win, its additional ones are added.
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
    let mut there: HashSet<SpecialTokenConfig> =
        map.additional_special_tokens.iter().cloned().collect();
    for token in over.additional_special_tokens {
        if there.insert(token.clone()) {
            map.additional_special_tokens.push(token);
        }
    }
}
