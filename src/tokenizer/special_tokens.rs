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
    /// True if these are the tokens of the `tokenizer.json`, with the same ids and rules. They are then left out.
    pub are_own: bool,
}

impl SpecialTokens {
    /// Reads `special_tokens_map.json` and `added_tokens.json`, and combines them with the parsed
    /// `tokenizer_config.json` and `tokenizer.json`.
    ///
    /// Takes the `added_tokens_decoder` of `tokenizer_config.json`. The two older files are read only if it has none.
    pub fn read(
        files: &ModelFiles,
        config: &mut TokenizerConfig,
        json: Option<&RestJson>,
    ) -> Result<Self> {
        let mut tokens = Self {
            map: config.special_tokens.clone(),
            extra: config.extra_special_tokens.tokens.clone(),
            added: BTreeMap::new(),
            are_own: config.lists_own_tokens,
        };
        // The rules that a named token takes over, by text.
        let mut rules = HashMap::new();
        let named = tokens.map.named().map(|(_, slot)| slot.given());
        let named: Vec<&str> = named.iter().flatten().map(|token| token.text()).collect();
        if let Some(decoder) = config.added_tokens_decoder.take() {
            let used = decoder
                .values()
                .filter(|token| named.contains(&&*token.content));
            rules.extend(used.map(|token| (token.content.clone(), token.clone())));
            tokens.added = decoder;
        } else if tokens.are_own {
            let own = json.iter().flat_map(|json| &json.added_tokens);
            let used = own.filter(|token| named.contains(&&*token.content));
            rules.extend(used.map(|token| (token.content.to_string(), token.clone().into())));
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
                    let is_special = special.contains(&text);
                    // The choice is made here, and the token may still become special.
                    let token = AddedTokenFields {
                        normalized: Some(!is_special),
                        ..AddedTokenFields::new(&*text, is_special)
                    };
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

    /// Lists the tokens of the `tokenizer.json` that were left out, if adding them again may change `present`, the
    /// vocabulary that has them.
    pub fn list_own(&mut self, json: &RestJson, present: &AddedVocabulary) {
        let is_plain = |text: &str| present.token(text).is_some_and(|token| !token.special);
        let mut named = self.in_order().into_iter();
        let changes = present.replaced_any() || named.any(|token| is_plain(token.text()));
        if self.are_own && changes {
            let tokens = json.added_tokens.iter().zip(&json.added_token_ids);
            let own = tokens.filter_map(|(token, id)| Some(((*id)?, token.clone().into())));
            self.added.extend(own);
            self.are_own = false;
        }
    }

    /// Drops the tokens that the `tokenizer.json` has itself.
    pub fn forget_own(&mut self, json: &RestJson) {
        self.are_own = false;
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
        let is_special = |token: &AddedTokenFields| special_texts.contains(token.content.as_str());
        // The reference means to leave out the tokens that are present, but compares them with ids.
        let added: Vec<_> = self
            .added
            .values()
            .map(|token| (token, is_special(token)))
            .collect();
        let same = added.iter().filter(|(_, is_special)| *is_special);
        let rules: HashSet<AddedTokenConfig> =
            same.clone().map(|(token, _)| resolved(token)).collect();
        let texts: HashSet<&str> = same.map(|(token, _)| token.content.as_str()).collect();
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
        let named: Vec<AddedTokenFields> = named.collect();
        let all = || {
            let named = named.iter().map(|token| (token, true));
            let all = added.iter().copied().chain(named);
            all.map(|(token, is_special)| (token, token.special || is_special))
        };
        // A token that changes nothing is left out, unless another one with the same text changes something.
        let changed: HashSet<&str> = all()
            .filter(|(token, special)| {
                let present = present.token(&token.content);
                !present.is_some_and(|present| is_same(token, *special, present))
            })
            .map(|(token, _)| token.content.as_str())
            .collect();
        let kept = all().filter(|(token, _)| changed.contains(token.content.as_str()));
        let kept = kept.map(|(token, special)| AddedTokenFields {
            special,
            ..token.clone()
        });
        kept.map(Into::into).collect()
    }
}

fn resolved(token: &AddedTokenFields) -> AddedTokenConfig {
    token.clone().into()
}

/// Returns true if a token, special or not, has the rules of one that is present and has the same text.
fn is_same(token: &AddedTokenFields, special: bool, present: &AddedTokenConfig) -> bool {
    let normalized = token.normalized.unwrap_or(!special);
    let rules = [
        token.lstrip,
        token.rstrip,
        token.single_word,
        normalized,
        special,
    ];
    let others = [
        present.lstrip,
        present.rstrip,
        present.single_word,
        present.normalized,
        present.special,
    ];
    rules == others
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
