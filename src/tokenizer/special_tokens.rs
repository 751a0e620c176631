//! The special and added tokens of a model: their order and their matching rules.
//!
//! The reference assembles them from up to four files when it loads a tokenizer
//! (`PreTrainedTokenizerBase._from_pretrained` and `PreTrainedTokenizerFast.__init__` of transformers 4.48.3). Ids
//! depend on the order, so the steps here follow the reference exactly. Look-ups use hash sets, since a file may list a
//! million tokens.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::added_vocabulary::AddedVocabulary;
use crate::error::Result;
use crate::formats::config::{
    AddedTokenConfig, AddedTokenFields, Slot, SpecialTokenConfig, SpecialTokensMap,
    TokenizerConfig, parse_added_tokens,
};
use crate::formats::json::parse_settings;
use crate::formats::tokenizer_json::RestJson;
use crate::source::ModelFiles;

/// The tokens that a model's other files, and its class, add to the vocabulary of its tokenizer file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SpecialTokens {
    /// The named special tokens.
    pub map: SpecialTokensMap,
    /// Special tokens with names of their own.
    pub extra: Vec<(String, SpecialTokenConfig)>,
    /// The `added_tokens_decoder` of `tokenizer_config.json`, or else the tokens of `added_tokens.json` and
    /// `tokenizer.json`, by id. The ids only give the order.
    pub added: BTreeMap<u32, AddedTokenFields>,
}

impl SpecialTokens {
    /// Reads `special_tokens_map.json` and `added_tokens.json`, and combines them with the parsed
    /// `tokenizer_config.json` and `tokenizer.json`.
    ///
    /// The two older files are read only if `tokenizer_config.json` has no `added_tokens_decoder`.
    pub fn read(
        files: &ModelFiles,
        config: &TokenizerConfig,
        json: Option<&RestJson>,
    ) -> Result<Self> {
        let mut tokens = Self {
            map: config.special_tokens.clone(),
            extra: config.extra_special_tokens.tokens.clone(),
            added: BTreeMap::new(),
        };
        // The rules that a named token takes over, by text.
        let mut rules = HashMap::new();
        if let Some(decoder) = &config.added_tokens_decoder {
            tokens.added = decoder.clone();
            rules.extend(by_text(decoder.values()));
        } else {
            let mut special = SpecialTexts::of(&tokens.map);
            if let Some(file) = files.find("special_tokens_map.json")? {
                special.merge(
                    &mut tokens.map,
                    parse_settings(file.name(), &file.read_all()?)?,
                );
            }
            if let Some(file) = files.find("added_tokens.json")? {
                for (text, id) in parse_added_tokens(file.name(), &file.read_all()?)? {
                    let token = AddedTokenFields::new(&*text, special.contains(&text));
                    // The reference notes the rules under another text by mistake.
                    rules.insert(special.last().to_owned(), token.clone());
                    tokens.added.insert(id, token);
                }
            }
            if let Some(json) = json {
                for (token, id) in json.added_tokens.iter().zip(&json.added_token_ids) {
                    let token = AddedTokenFields::from(token.clone());
                    rules.insert(token.content.clone(), token.clone());
                    tokens.added.extend(id.map(|id| (id, token)));
                }
            }
        }
        for (_, slot) in tokens.map.named_mut() {
            if let Slot::Given(token) = slot
                && let Some(rules) = rules.get(token.text())
            {
                *token = SpecialTokenConfig::Full(rules.clone());
            }
        }
        Ok(tokens)
    }

    /// Drops the tokens that the `tokenizer.json` has itself.
    pub fn forget_own(&mut self, json: &RestJson) {
        for id in json.added_token_ids.iter().flatten() {
            self.added.remove(id);
        }
    }

    /// Takes over the special tokens of the slow tokenizer that was converted, and their rules as they stand.
    pub fn take_over(&mut self, slow: &Self) {
        let named = self.map.named_mut().into_iter();
        for ((_, slot), (_, taken)) in named.zip(slow.map.named()) {
            match taken {
                Slot::Absent => {}
                Slot::Null => *slot = Slot::Null,
                Slot::Given(token) => *slot = Slot::Given(settled(token)),
            }
        }
        match &slow.map.additional_special_tokens {
            Slot::Absent => {}
            Slot::Null => self.map.additional_special_tokens = Slot::Null,
            Slot::Given(tokens) => {
                let tokens = tokens.iter().map(settled).collect();
                self.map.additional_special_tokens = Slot::Given(tokens);
            }
        }
    }

    /// Returns the special tokens in the order of the reference. Of tokens with the same text and different names, only
    /// the first one counts.
    pub fn in_order(&self) -> Vec<&SpecialTokenConfig> {
        let mut seen = HashSet::new();
        let mut tokens = Vec::new();
        let named = self.map.named().into_iter();
        let named = named.map(|(_, slot)| slot.given().map_or(&[][..], std::slice::from_ref));
        let extra = self
            .extra
            .iter()
            .map(|(_, token)| std::slice::from_ref(token));
        let groups = named.chain([self.map.additional()]).chain(extra);
        for group in groups {
            let new = group.iter().filter(|token| !seen.contains(token.text()));
            let new: Vec<_> = new.collect();
            seen.extend(new.iter().map(|token| token.text()));
            tokens.extend(new);
        }
        let is_empty = |token: &SpecialTokenConfig| matches!(token, SpecialTokenConfig::Text(text) if text.is_empty());
        tokens.retain(|token| !is_empty(token));
        tokens
    }

    /// Returns the texts of all tokens that may be added.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let added = self.added.values().map(|token| token.content.as_str());
        added.chain(self.in_order().into_iter().map(SpecialTokenConfig::text))
    }

    /// Returns the tokens that the reference adds to a vocabulary that already has the added tokens `present`.
    pub fn to_add(&self, present: &AddedVocabulary) -> Vec<AddedTokenConfig> {
        let special = self.in_order();
        let special_texts: HashSet<&str> = special.iter().map(|token| token.text()).collect();
        // The reference means to leave out the tokens that are present, but compares them with ids.
        let added = || self.added.values();
        let rules: HashSet<AddedTokenConfig> = added().map(resolved).collect();
        let texts: HashSet<&str> = added().map(|token| token.content.as_str()).collect();
        let named = special.into_iter().filter_map(|token| match token {
            // A bare text is new only if no token has the same text yet. A token with rules replaces an earlier token.
            SpecialTokenConfig::Text(text) => {
                let is_new = present.token(text).is_none() && !texts.contains(text.as_str());
                is_new.then(|| AddedTokenFields::new(&**text, true))
            }
            SpecialTokenConfig::Full(token) => {
                (!rules.contains(&resolved(token))).then(|| token.clone())
            }
        });
        let all: Vec<AddedTokenConfig> = (added().cloned().chain(named))
            .map(|token| {
                let special = token.special || special_texts.contains(token.content.as_str());
                AddedTokenFields { special, ..token }.into()
            })
            .collect();
        // A token that changes nothing is left out, unless another one with the same text changes something.
        let changes = |token: &&AddedTokenConfig| present.token(&token.content) != Some(token);
        let changed: HashSet<&str> = (all.iter().filter(changes))
            .map(|token| token.content.as_str())
            .collect();
        let kept = all
            .iter()
            .filter(|token| changed.contains(token.content.as_str()));
        kept.cloned().collect()
    }
}

fn resolved(token: &AddedTokenFields) -> AddedTokenConfig {
    token.clone().into()
}

fn by_text<'a>(
    tokens: impl Iterator<Item = &'a AddedTokenFields>,
) -> impl Iterator<Item = (String, AddedTokenFields)> {
    tokens.map(|token| (token.content.clone(), token.clone()))
}

/// The texts that make a token of `added_tokens.json` special. A token with rules in `tokenizer_config.json` is not yet
/// one when the reference reads that file, so its text does not count.
struct SpecialTexts {
    named: [Option<String>; 7],
    additional: HashSet<String>,
    /// The last additional token of `special_tokens_map.json`.
    last: Option<String>,
}

impl SpecialTexts {
    fn of(map: &SpecialTokensMap) -> Self {
        Self {
            named: map.named().map(|(_, slot)| slot.given().and_then(bare)),
            additional: map.additional().iter().filter_map(bare).collect(),
            last: None,
        }
    }

    fn contains(&self, text: &str) -> bool {
        let mut named = self.named.iter().flatten();
        named.any(|other| other == text) || self.additional.contains(text)
    }

    fn last(&self) -> &str {
        self.last.as_deref().unwrap_or("None")
    }

    /// Merges `special_tokens_map.json` into the tokens of `tokenizer_config.json`: its named tokens replace the
    /// existing ones, and its additional tokens are appended.
    fn merge(&mut self, map: &mut SpecialTokensMap, mut over: SpecialTokensMap) {
        let slots = map.named_mut().into_iter().zip(over.named_mut());
        for (((_, slot), (_, token)), text) in slots.zip(&mut self.named) {
            match std::mem::take(token) {
                Slot::Absent => {}
                Slot::Null => (*slot, *text) = (Slot::Null, None),
                Slot::Given(token) => {
                    *text = Some(token.text().to_owned());
                    *slot = Slot::Given(special(token));
                }
            }
        }
        match over.additional_special_tokens {
            Slot::Absent => {}
            Slot::Null => {
                map.additional_special_tokens = Slot::Null;
                self.additional.clear();
            }
            Slot::Given(tokens) => {
                self.last = tokens.last().map(|token| token.text().to_owned());
                let mut all = map.additional().to_vec();
                let mut seen: HashSet<SpecialTokenConfig> = (all.iter())
                    .filter(|token| matches!(token, SpecialTokenConfig::Text(_)))
                    .cloned()
                    .collect();
                for token in tokens.into_iter().map(special) {
                    if seen.insert(token.clone()) {
                        self.additional.insert(token.text().to_owned());
                        all.push(token);
                    }
                }
                map.additional_special_tokens = Slot::Given(all);
            }
        }
    }
}

/// Returns the text of a token without rules.
fn bare(token: &SpecialTokenConfig) -> Option<String> {
    match token {
        SpecialTokenConfig::Text(text) => Some(text.clone()),
        SpecialTokenConfig::Full(_) => None,
    }
}

/// Makes a token with rules special.
fn special(token: SpecialTokenConfig) -> SpecialTokenConfig {
    match token {
        SpecialTokenConfig::Full(rules) => SpecialTokenConfig::Full(AddedTokenFields {
            special: true,
            ..rules
        }),
        text => text,
    }
}

/// Decides whether a token with rules is matched after normalization, as copying it does in the reference.
fn settled(token: &SpecialTokenConfig) -> SpecialTokenConfig {
    match token {
        SpecialTokenConfig::Full(rules) => SpecialTokenConfig::Full(AddedTokenFields {
            normalized: Some(rules.normalized.unwrap_or(!rules.special)),
            ..rules.clone()
        }),
        text => text.clone(),
    }
}
