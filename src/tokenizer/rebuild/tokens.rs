//! The special tokens of a class, and the tokens that it adds (`TokenizersBackend.__init__` of transformers 5.24).

use std::collections::HashSet;

use super::arguments::{Arguments, Tokens};
use super::kinds::{Additional, Again, Class};
use crate::formats::class_settings::ClassSettings;
use crate::formats::config::{
    AddedTokenConfig, AddedTokenFields, Slot, SpecialTokenConfig, SpecialTokensMap,
};
use crate::formats::setting::Setting;
use crate::tokenizer::class::{fill_named, whole_number};

/// The tokens of a tokenizer: the named ones, and those that are added, call by call.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClassTokens {
    pub named: SpecialTokensMap,
    /// Named tokens, those with names of their own, and extra ones, in the order in which they are added.
    pub special: Vec<SpecialTokenConfig>,
    /// The number of named tokens in `special`.
    named_count: usize,
}

impl ClassTokens {
    /// Returns the tokens of a class with its defaults.
    ///
    /// # Errors
    /// Fails with a sentence about settings that the class refuses.
    pub fn new(
        class: &Class,
        arguments: &Arguments,
        settings: &ClassSettings,
        padding: Option<&str>,
    ) -> Result<Self, String> {
        let mut named = arguments.named.clone();
        fill_named(&class.tokens, &mut named);
        if let (Slot::Absent, Some(token), false) =
            (&named.pad_token, padding, class.passes_padding)
        {
            named.pad_token = Slot::Given(SpecialTokenConfig::Text(token.to_owned()));
        }
        let mut specific: Vec<(String, SpecialTokenConfig)> = Vec::new();
        let is_null = |name: &str| arguments.nulls.iter().any(|null| null == name);
        let own = class.specific.iter().filter(|(name, _)| !is_null(name));
        let own: Vec<_> = own
            .map(|(name, token)| ((*name).to_owned(), text(*token)))
            .collect();
        for (name, token) in own.iter().chain(&arguments.specific).cloned() {
            match specific.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => *known = token,
                None => specific.push((name, token)),
            }
        }
        let extra = match &arguments.extra {
            Slot::Absent => additional(class, &arguments.additional, &own, settings)?,
            extra => extra.given().cloned().unwrap_or_default(),
        };
        let slots = named.named().into_iter();
        let mut special: Vec<_> = slots
            .filter_map(|(_, slot)| slot.given().cloned())
            .collect();
        special.extend(specific.into_iter().map(|(_, token)| token));
        let named_count = special.len();
        special.extend(extra);
        Ok(Self {
            named,
            special,
            named_count,
        })
    }

    /// Returns the tokens that are added to a tokenizer that has the added tokens `present`, in the calls in which they
    /// are.
    pub fn added(
        &self,
        class: &Class,
        arguments: &Arguments,
        present: &HashSet<&str>,
    ) -> Vec<Vec<AddedTokenConfig>> {
        let listed = arguments.added.values();
        let known: HashSet<&str> = listed.clone().map(|token| &*token.content).collect();
        let is_known = |text: &str| present.contains(text) || known.contains(text);
        let mut tokens: Vec<SpecialTokenConfig> =
            listed.cloned().map(SpecialTokenConfig::Full).collect();
        let mut seen: HashSet<(bool, AddedTokenConfig)> = tokens.iter().map(key).collect();
        for token in &self.special {
            if !is_known(token.text()) && seen.insert(key(token)) {
                tokens.push(token.clone());
            }
        }
        let named: HashSet<&str> = self.special[..self.named_count]
            .iter()
            .map(SpecialTokenConfig::text)
            .collect();
        let resolved = |token: SpecialTokenConfig| match token {
            SpecialTokenConfig::Text(text) => AddedTokenFields::new(text, true).into(),
            SpecialTokenConfig::Full(token) => {
                let special = token.special || named.contains(&*token.content);
                AddedTokenFields { special, ..token }.into()
            }
        };
        let first = tokens.into_iter().map(resolved).collect();
        let again = match class.again {
            Again::Nothing => return vec![first],
            Again::WithoutRules => {
                let mut seen = HashSet::new();
                let texts = self.special.iter().map(SpecialTokenConfig::text);
                let texts = texts.filter(|text| seen.insert(*text));
                texts
                    .map(|text| AddedTokenFields::new(text, true).into())
                    .collect()
            }
            Again::AsSpecial => {
                let special = self.special.iter().cloned();
                special.map(as_special).collect()
            }
        };
        vec![first, again]
    }
}

/// What tells a token from others: its rules, and whether it has any.
fn key(token: &SpecialTokenConfig) -> (bool, AddedTokenConfig) {
    match token {
        SpecialTokenConfig::Text(text) => (false, AddedTokenFields::new(&**text, true).into()),
        SpecialTokenConfig::Full(token) => (true, token.clone().into()),
    }
}

fn as_special(token: SpecialTokenConfig) -> AddedTokenConfig {
    match token {
        SpecialTokenConfig::Text(text) => AddedTokenFields::new(text, true).into(),
        SpecialTokenConfig::Full(token) => AddedTokenFields {
            special: true,
            ..token
        }
        .into(),
    }
}

fn text(text: impl Into<String>) -> SpecialTokenConfig {
    SpecialTokenConfig::Text(text.into())
}

fn texts(all: &[&str]) -> Vec<SpecialTokenConfig> {
    all.iter().map(|one| text(*one)).collect()
}

fn with_others(
    mut tokens: Vec<SpecialTokenConfig>,
    others: impl IntoIterator<Item = SpecialTokenConfig>,
) -> Vec<SpecialTokenConfig> {
    for token in others {
        if !tokens.contains(&token) {
            tokens.push(token);
        }
    }
    tokens
}

/// Returns the additional special tokens of a class, given those of the files.
fn additional(
    class: &Class,
    given: &Tokens,
    own: &[(String, SpecialTokenConfig)],
    settings: &ClassSettings,
) -> Result<Vec<SpecialTokenConfig>, String> {
    let or_empty = || given.given().cloned().unwrap_or_default();
    Ok(match class.additional {
        Additional::Named => or_empty(),
        Additional::Default(codes) => given.given().cloned().unwrap_or_else(|| texts(codes)),
        Additional::First(codes) => with_others(texts(codes), or_empty()),
        Additional::Last(codes) => with_others(or_empty(), texts(codes)),
        Additional::Appended(codes) => {
            let mut tokens = or_empty();
            tokens.extend(texts(codes));
            tokens
        }
        Additional::Specific => {
            let mut tokens = or_empty();
            tokens.extend(own.iter().map(|(_, token)| token.clone()));
            tokens
        }
        Additional::ExtraIds => {
            let count = whole_number("extra_ids", &settings.extra_ids, 100)?;
            let new = (0..count).map(|index| text(format!("<extra_id_{index}>")));
            let Some(given) = given.given() else {
                return Ok(new.collect());
            };
            let is_extra = |token: &&SpecialTokenConfig| token.text().contains("<extra_id_");
            match given.iter().filter(is_extra).count() {
                0 => given.iter().cloned().chain(new).collect(),
                named if count > 0 && named != count as usize => {
                    return Err(format!(
                        "`extra_ids` is {count}, but `additional_special_tokens` has {named} tokens like `<extra_id_0>`"
                    ));
                }
                _ => given.clone(),
            }
        }
        Additional::Pegasus => {
            let offset = whole_number("offset", &settings.offset, 103)?;
            let sent = match &settings.mask_token_sent {
                Setting::Absent => Some("<mask_1>"),
                setting => setting.text(),
            };
            let given = given.given().map_or(&[][..], Vec::as_slice);
            let is_given = sent.is_some_and(|sent| given.iter().any(|token| *token == text(sent)));
            let sent = sent.filter(|_| !is_given).map(text);
            let unknown = (2..offset).map(|index| text(format!("<unk_{index}>")));
            sent.into_iter().chain(unknown).collect()
        }
    })
}
