//! What a converter may look up besides the files that it converts.

use super::slow_ids::SlowIds;
use crate::error::{Error, Result};
use crate::formats::class_settings::ClassSettings;
use crate::formats::config::SpecialTokenConfig;
use crate::formats::setting::Setting;
use crate::tokenizer::special_tokens::SpecialTokens;

/// The settings and special tokens of a slow tokenizer.
pub struct Source<'a> {
    /// The name of the file that is converted.
    pub name: &'a str,
    pub settings: &'a ClassSettings,
    pub tokens: &'a SpecialTokens,
    pub ids: &'a SlowIds<'a>,
}

impl Source<'_> {
    /// Returns the token that `{cls}` and so on stand for, and any other text as it is.
    ///
    /// # Errors
    /// Fails with [`Error::Unsupported`] if the model has no such token.
    pub fn token<'t>(&'t self, token: &'t str) -> Result<&'t str> {
        let name = (token.strip_prefix('{')).and_then(|name| name.strip_suffix('}'));
        let Some(name) = name else {
            return Ok(token);
        };
        let slots = self.tokens.map.named().into_iter();
        let mut slots = slots.filter(|(full, _)| full.strip_suffix("_token") == Some(name));
        let slot = slots.next().and_then(|(_, slot)| slot.given());
        let token = match (name, &self.settings.question_token) {
            ("question", Setting::Absent) => Some("[QUESTION]"),
            ("question", setting) => setting.text(),
            _ => slot.map(SpecialTokenConfig::text),
        };
        let problem = || format!("the tokenizer has no {name}_token");
        token.ok_or_else(|| Error::unsupported(self.name, problem()))
    }

    /// Returns the id of a token.
    ///
    /// # Errors
    /// Fails with [`Error::Unsupported`] if neither it nor the unknown token is in the vocabulary.
    pub fn id(&self, token: &str) -> Result<u32> {
        let id = self.ids.id(token);
        id.ok_or_else(|| {
            Error::unsupported(self.name, format!("`{token}` is not in the vocabulary"))
        })
    }

    /// Returns a token, or the unknown token if it is not in the vocabulary.
    pub fn known_or_unknown<'t>(&'t self, token: &'t str) -> &'t str {
        let unknown = self.tokens.map.unk_token.given();
        match (self.ids.has(token), unknown) {
            (false, Some(unknown)) => unknown.text(),
            _ => token,
        }
    }

    /// Returns a setting that must be true or false.
    ///
    /// # Errors
    /// Fails with [`Error::Unsupported`] if it is neither.
    pub fn flag(&self, name: &str, setting: &Setting, default: bool) -> Result<bool> {
        let setting = setting.or(default.into());
        setting.flag().ok_or_else(|| {
            let problem =
                format!("`{name}` in tokenizer_config.json must be true or false, not {setting}");
            Error::unsupported(self.name, problem)
        })
    }
}
