//! Follows the class of a model.

use std::collections::{HashMap, HashSet};

use super::defaults;
use super::kinds::{Additional, Class, Decoding, Language, Rewrite};
use super::lookup::Found;
use super::refusals;
use super::rewrite::{self, ChangedSteps, Outcome};
use super::template::Ids;
use super::token_default::TokenDefault;
use crate::formats::class_settings::ClassSettings;
use crate::formats::config::{
    AddedTokenConfig, Slot, SpecialTokenConfig, SpecialTokensMap, TokenizerConfig,
};
use crate::formats::tokenizer_json::RestJson;
use crate::tokenizer::special_tokens::SpecialTokens;

/// The class that was followed, and its effect.
#[derive(Debug, Clone, Default)]
pub struct Followed {
    /// The name of the class. `None` if the `tokenizer.json` was taken as it stands.
    pub name: Option<&'static str>,
    /// The file that names the class.
    pub source: Option<&'static str>,
    class: Option<&'static Class>,
    decoding: Decoding,
    pub outcome: Outcome,
    /// The steps that differ from those in the file.
    pub changed: ChangedSteps,
}

impl Followed {
    /// Creates the description of a class that has not changed anything yet.
    pub fn new(found: Found) -> Self {
        match found {
            Found::Fast {
                name,
                class,
                source,
            } => Self {
                name: Some(name),
                source: Some(source),
                class: Some(class),
                decoding: class.decoding,
                ..Self::default()
            },
            Found::Slow { reason, .. }
            | Found::Unknown { reason, .. }
            | Found::Undeclared { reason } => Self {
                outcome: Outcome {
                    problems: vec![reason],
                    ..Outcome::default()
                },
                ..Self::default()
            },
        }
    }

    /// Creates the description of a class that built the whole tokenizer.
    pub fn built(name: &'static str, source: Option<&'static str>, decoding: Decoding) -> Self {
        Self {
            name: Some(name),
            source,
            decoding,
            ..Self::default()
        }
    }

    /// Fills in the special tokens of the class, and the padding token of the `tokenizer.json`.
    pub fn fill(&mut self, settings: &ClassSettings, rest: &RestJson, tokens: &mut SpecialTokens) {
        if let Some(class) = self.class {
            let problem = defaults::fill(class, settings, tokens).err();
            self.outcome.problems.extend(problem);
            let padding = &mut tokens.map.pad_token;
            if let (Slot::Absent, true, Some(token)) =
                (&padding, class.takes_padding_token, &rest.padding_token)
            {
                *padding = Slot::Given(SpecialTokenConfig::Text(token.clone()));
            }
        }
    }

    /// Returns the special tokens of the slow class, whose named tokens are `defaults` if they differ, as it has them
    /// when its files are converted.
    pub fn slow(
        &self,
        settings: &ClassSettings,
        defaults: Option<&[TokenDefault; 7]>,
        tokens: &SpecialTokens,
    ) -> SpecialTokens {
        let mut slow = tokens.clone();
        if let Some(defaults) = defaults {
            defaults::fill_named(defaults, &mut slow.map);
        }
        // The slow class of Splinter does not know the token that the fast one adds.
        let class = self.class;
        let class = class.filter(|class| !matches!(class.additional, Additional::Question));
        if let Some(class) = class {
            // A problem is recorded with the tokens of the fast class.
            let _ = defaults::fill(class, settings, &mut slow);
        } else if let Some(class) = self.class {
            defaults::fill_named(&class.tokens, &mut slow.map);
        }
        slow
    }

    /// Returns the class, which has changed nothing.
    #[must_use]
    pub fn without_changes(&self) -> Self {
        Self {
            outcome: Outcome::default(),
            changed: ChangedSteps::default(),
            ..self.clone()
        }
    }

    /// Returns how the class decodes.
    pub fn decoding(&self) -> Decoding {
        self.decoding
    }

    /// Records the settings that the reference refuses, or with which it does not read the `tokenizer.json`.
    pub fn check(&mut self, config: &TokenizerConfig, tokens: &SpecialTokensMap) {
        if let Some(class) = self.class {
            (self.outcome.problems).extend(refusals::find_slow(class, config, tokens));
        }
        self.check_settings(config);
    }

    /// Records the settings that the reference refuses, wherever it reads the tokenizer from.
    pub fn check_settings(&mut self, config: &TokenizerConfig) {
        if self.class.is_some() {
            self.outcome.problems.extend(refusals::find(config));
        }
    }

    /// Returns the texts that the steps of the class may look up, besides special tokens.
    pub fn texts(&self, settings: &ClassSettings) -> Vec<String> {
        let rewrites = self.class.map_or(&[][..], |class| class.rewrites);
        let languages = rewrites.iter().filter_map(|rewrite| match rewrite {
            Rewrite::Language(Language { default, .. }) => Some(*default),
            _ => None,
        });
        languages
            .chain(settings.src_lang.text())
            .flat_map(|code| [code.to_owned(), format!("__{code}__")])
            .collect()
    }

    /// Records the tokens that were added to those of the `tokenizer.json`, and changes its steps.
    pub fn rewrite(
        &mut self,
        settings: &ClassSettings,
        added: &[AddedTokenConfig],
        ids: &Ids<'_>,
        rest: &mut RestJson,
    ) {
        if let Some(class) = self.class {
            describe_added(&rest.added_tokens, added, &mut self.outcome.changes);
            self.changed = rewrite::apply(class, settings, ids, rest, &mut self.outcome);
        }
    }
}

/// Describes the tokens that were added: new ones by their number, others by their rules.
fn describe_added(
    present: &[AddedTokenConfig],
    added: &[AddedTokenConfig],
    changes: &mut Vec<String>,
) {
    let texts: HashSet<&str> = added.iter().map(|token| &*token.content).collect();
    let known: HashMap<&str, &AddedTokenConfig> = (present.iter())
        .map(|token| (&*token.content, token))
        .filter(|(text, _)| texts.contains(text))
        .collect();
    let (old, new): (Vec<_>, Vec<_>) =
        (added.iter()).partition(|token| known.contains_key(&*token.content));
    let changed: Vec<_> = (old.into_iter())
        .filter(|token| known.get(&*token.content) != Some(token))
        .collect();
    for (tokens, change) in [(new, "added"), (changed, "with other rules")] {
        match tokens[..] {
            [] => {}
            [token] => changes.push(format!("{} {change}", token.content)),
            [first, ..] => {
                let others = tokens.len() - 1;
                changes.push(format!(
                    "{} and {others} other tokens {change}",
                    first.content
                ));
            }
        }
    }
}
