//! Which tokens are added to a vocabulary, in which order and with which matching rules.
//!
//! The reference assembles them from up to four files when it loads a tokenizer
//! (`PreTrainedTokenizerBase._from_pretrained` and `PreTrainedTokenizerFast.__init__` of transformers 4.48.3); ids
//! depend on the order, so the same steps are taken here.

use crate::error::Result;
use crate::formats::config::{
    AddedTokenConfig, SpecialTokenConfig, SpecialTokensMap, TokenizerConfig, parse_added_tokens,
};
use crate::formats::json::parse;
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
                merge(&mut map, parse(file.name(), &file.read_all()?)?);
            }
            if let Some(file) = files.find("added_tokens.json")? {
                let mut tokens = parse_added_tokens(file.name(), &file.read_all()?)?;
                tokens.sort_by_key(|&(_, id)| id);
                added.extend(tokens.into_iter().map(|(content, _)| {
                    let special = is_special(&map, &content);
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
        let mut tokens: Vec<AddedTokenConfig> = self
            .added
            .iter()
            .map(|token| AddedTokenConfig {
                special: token.special || is_special(&self.map, &token.content),
                ..token.clone()
            })
            .collect();
        let named = self.map.named().into_iter().filter_map(|(_, token)| token);
        for token in named.chain(&self.map.additional_special_tokens) {
            let rules = match token {
                // A bare text is new only if no added token has it; one with rules replaces what was there.
                SpecialTokenConfig::Text(text) => {
                    if known
                        .iter()
                        .chain(&tokens)
                        .any(|token| token.content == *text)
                    {
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
            if !tokens.contains(&rules) {
                tokens.push(rules);
            }
        }
        // A token that is added twice, once to be matched on the raw text, is matched there first.
        for index in 0..tokens.len() {
            let (before, rest) = tokens.split_at_mut(index);
            let token = &mut rest[0];
            let raw =
                |other: &&AddedTokenConfig| other.content == token.content && !other.normalized;
            if known.iter().chain(&*before).any(|other| raw(&other)) {
                token.normalized = false;
            }
        }
        tokens
    }
}

fn is_special(map: &SpecialTokensMap, text: &str) -> bool {
    let named = map.named().into_iter().filter_map(|(_, token)| token);
    named
        .chain(&map.additional_special_tokens)
        .any(|token| token.text() == text)
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
    for token in over.additional_special_tokens {
        if !map.additional_special_tokens.contains(&token) {
            map.additional_special_tokens.push(token);
        }
    }
}
