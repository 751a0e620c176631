//! The post-processors that classes build: special tokens around a text.

use serde_json::Value;
use tokenizers::processors::PostProcessorWrapper;
use tokenizers::processors::template::TemplateProcessing;

use super::kinds::{CodePlace, Language};
use super::language_codes::MBART50;
use crate::formats::class_settings::ClassSettings;
use crate::formats::config::{Slot, SpecialTokenConfig, SpecialTokensMap};
use crate::formats::setting::Setting;

/// The special tokens of a model with their ids.
pub struct Ids<'a> {
    pub tokens: &'a SpecialTokensMap,
    /// Returns the id of a piece or an added token.
    pub find: &'a dyn Fn(&str) -> Option<u32>,
}

/// A post-processor, and a short description of it.
pub type Built = (Value, String);

impl Ids<'_> {
    fn unknown(&self) -> Option<&str> {
        self.tokens.unk_token.given().map(SpecialTokenConfig::text)
    }

    /// Returns a token and its id, or the unknown token if it is not in the vocabulary.
    fn or_unknown<'t>(&'t self, token: &'t str) -> Result<(&'t str, u32), String> {
        let known = (self.find)(token).map(|id| (token, id));
        let unknown = || {
            let unknown = self.unknown()?;
            Some((unknown, (self.find)(unknown)?))
        };
        known
            .or_else(unknown)
            .ok_or_else(|| format!("`{token}` is not in the vocabulary"))
    }
}

fn given<'t>(name: &str, slot: &'t Slot<SpecialTokenConfig>) -> Result<&'t str, String> {
    let token = slot.given().map(SpecialTokenConfig::text);
    token.ok_or_else(|| format!("the tokenizer has no {name}"))
}

/// Builds the template of the beginning and the end of a text (`update_post_processor` of `LlamaTokenizerFast`).
///
/// # Errors
/// Fails with a sentence if a token is missing or cannot be in a template.
pub fn bos_eos(ids: &Ids<'_>, bos: bool, eos: bool) -> Result<Built, String> {
    let mut special = Vec::new();
    let mut token = |wanted: bool, name, slot| -> Result<Option<String>, String> {
        if !wanted {
            return Ok(None);
        }
        let token: &str = given(name, slot)?;
        special.push((token.to_owned(), ids.or_unknown(token)?.1));
        Ok(Some(token.to_owned()))
    };
    let bos = token(bos, "bos_token", &ids.tokens.bos_token)?;
    let eos = token(eos, "eos_token", &ids.tokens.eos_token)?;
    let part = |text: &str, type_id: u32| {
        let before = bos.as_ref().map(|bos| format!("{bos}:{type_id}"));
        let after = eos.as_ref().map(|eos| format!("{eos}:{type_id}"));
        let parts = [before, Some(format!("{text}:{type_id}")), after];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    };
    let (first, second) = (part("$A", 0), part("$B", 1));
    let shown = [bos.as_deref(), Some("$A"), eos.as_deref()];
    let shown = shown.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let builder = TemplateProcessing::builder()
        .try_single(first.clone())?
        .try_pair(format!("{first} {second}"))?
        .special_tokens(special)
        .build();
    Ok((json(builder)?, shown))
}

/// Builds the template with the code of a language.
///
/// # Errors
/// Fails with a sentence if the class refuses the code, or a token is missing.
pub fn language(
    ids: &Ids<'_>,
    language: &Language,
    settings: &ClassSettings,
) -> Result<Built, String> {
    let in_underscores = language.place == CodePlace::BeforeInUnderscores;
    let code = match &settings.src_lang {
        Setting::Absent => language.default,
        Setting::Null if !in_underscores => language.default,
        setting => (setting.text())
            .ok_or_else(|| format!("`src_lang` must be the code of a language, not {setting}"))?,
    };
    let code = if in_underscores && !code.contains("__") {
        format!("__{code}__")
    } else {
        code.to_owned()
    };
    if language.is_checked && !MBART50.contains(&code.as_str()) {
        return Err(format!(
            "`src_lang` is `{code}`, which the class does not know"
        ));
    }
    let code = ids.or_unknown(&code)?;
    let end = ids.or_unknown(given("eos_token", &ids.tokens.eos_token)?)?;
    let after = match language.place {
        CodePlace::After => true,
        CodePlace::BeforeUnlessLegacy => settings.legacy_behaviour.truth_or(false),
        CodePlace::Before | CodePlace::BeforeInUnderscores => false,
    };
    let (prefix, suffix) = if after {
        (vec![], vec![end.0, code.0])
    } else {
        (vec![code.0], vec![end.0])
    };
    let around = |texts: &[&str]| -> Vec<String> {
        let parts = prefix.iter().chain(texts).chain(&suffix);
        parts.map(|part| (*part).to_owned()).collect()
    };
    let builder = TemplateProcessing::builder()
        .try_single(around(&["$A"]))?
        .try_pair(around(&["$A", "$B"]))?
        .special_tokens(vec![(code.0.to_owned(), code.1), (end.0.to_owned(), end.1)])
        .build();
    Ok((json(builder)?, around(&["$A"]).join(" ")))
}

fn json<E: ToString>(template: Result<TemplateProcessing, E>) -> Result<Value, String> {
    let template = template.map_err(|problem| problem.to_string())?;
    serde_json::to_value(PostProcessorWrapper::from(template)).map_err(|error| error.to_string())
}
