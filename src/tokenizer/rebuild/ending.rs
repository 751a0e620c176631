//! The post-processors that the classes of transformers 5.24 build.

use serde_json::{Value, json};
use tokenizers::processors::PostProcessorWrapper;
use tokenizers::processors::template::TemplateProcessing;

use super::kinds::{Class, Ending, Flag};
use super::languages;
use super::steps::flag;
use crate::formats::class_settings::ClassSettings;
use crate::formats::config::{SpecialTokenConfig, SpecialTokensMap};
use crate::formats::setting::Setting;
use crate::tokenizer::class::CodePlace;
use crate::tokenizer::conversion::steps::byte_level;

/// What a post-processor depends on.
pub struct Source<'a> {
    pub class: &'a Class,
    pub settings: &'a ClassSettings,
    pub tokens: &'a SpecialTokensMap,
    /// Returns the id of a piece or an added token.
    pub find: &'a dyn Fn(&str) -> Option<u32>,
    /// True if the model has a `tokenizer.json`, so that `add_bos_token` and `add_eos_token` do not count.
    pub has_json: bool,
}

impl Source<'_> {
    /// Builds the post-processor, given that of the `tokenizer.json`.
    ///
    /// # Errors
    /// Fails with a sentence about a token or setting with which the class cannot build it.
    pub fn build(&self, of_file: &Value) -> Result<Value, String> {
        self.ending(self.class.ending, of_file)
    }

    fn ending(&self, ending: Ending, of_file: &Value) -> Result<Value, String> {
        match ending {
            Ending::OfFile | Ending::OfFileOr(_) if self.asks_for_ends() => self.bos_eos(false),
            Ending::OfFile if of_file.is_null() => self.bos_eos(false),
            Ending::OfFileOr(other) if of_file.is_null() => self.ending(*other, of_file),
            Ending::OfFile | Ending::OfFileOr(_) => Ok(of_file.clone()),
            Ending::BosEos(bos) => self.bos_eos(bos),
            Ending::Template(single, pair) => self.template(single, pair),
            Ending::Roberta(trims, adds) => {
                let [trims, adds] = [self.flag(trims)?, self.flag(adds)?];
                self.roberta("sep", "cls", trims, adds)
            }
            Ending::Clip => self.roberta("eos", "bos", false, false),
            Ending::Herbert => Ok(json!({
                "type": "BertProcessing",
                "sep": [self.token("sep")?, 2],
                "cls": [self.token("cls")?, 0],
            })),
            Ending::ByteLevel => Ok(byte_level(true, false, true)),
            Ending::Language { default, place } => self.language(default, place),
            Ending::Whisper => self.whisper(),
            Ending::Splinter => {
                let right =
                    !matches!(&self.settings.padding_side, Setting::Text(side) if side == "left");
                let pair = match right {
                    true => "{cls}:0 $A:0 [QUESTION]:0 .:0 {sep}:0 $B:1 {sep}:1",
                    false => "{cls}:0 $A:0 {sep}:0 $B:1 [QUESTION]:0 .:0 {sep}:1",
                };
                self.template("{cls}:0 $A:0 {sep}:0", pair)
            }
        }
    }

    /// Returns true if the settings ask for tokens around a text, which counts without a `tokenizer.json`.
    fn asks_for_ends(&self) -> bool {
        let settings = [&self.settings.add_bos_token, &self.settings.add_eos_token];
        !self.has_json && settings.iter().any(|setting| **setting != Setting::Absent)
    }

    fn bos_eos(&self, bos: bool) -> Result<Value, String> {
        let setting = |setting: &Setting, default| match self.has_json {
            true => default,
            false => setting.truth_or(default),
        };
        let of = |wanted: bool, name| -> Option<String> {
            let token = self.named(name).filter(|_| wanted)?;
            Some(token.to_owned())
        };
        let bos = of(setting(&self.settings.add_bos_token, bos), "bos");
        let eos = of(setting(&self.settings.add_eos_token, false), "eos");
        let part = |text: &str, type_id: u32| {
            let around =
                |token: &Option<String>| token.as_ref().map(|token| format!("{token}:{type_id}"));
            let parts = [
                around(&bos),
                Some(format!("{text}:{type_id}")),
                around(&eos),
            ];
            parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
        };
        let (first, second) = (part("$A", 0), part("$B", 1));
        self.template(&first, &format!("{first} {second}"))
    }

    fn flag(&self, flag_of: Flag) -> Result<bool, String> {
        let settings = self.settings;
        match flag_of {
            Flag::Is(value) => Ok(value),
            Flag::TrimOffsets => flag("trim_offsets", &settings.trim_offsets, true),
            Flag::PrefixSpace => {
                let setting = &settings.add_prefix_space;
                flag("add_prefix_space", setting, self.class.prefix_space)
            }
        }
    }

    fn named(&self, name: &str) -> Option<&str> {
        let mut slots = self.tokens.named().into_iter();
        let slot = slots.find(|(full, _)| full.strip_suffix("_token") == Some(name));
        slot?.1.given().map(SpecialTokenConfig::text)
    }

    fn token(&self, name: &str) -> Result<&str, String> {
        let token = self.named(name);
        token.ok_or_else(|| format!("the tokenizer has no {name}_token"))
    }

    /// Returns the id of a token, or that of the unknown token.
    fn id(&self, token: &str) -> Result<u32, String> {
        let known = (self.find)(token);
        let unknown = || (self.find)(self.named("unk")?);
        known
            .or_else(unknown)
            .ok_or_else(|| format!("`{token}` is not in the vocabulary"))
    }

    fn roberta(&self, sep: &str, cls: &str, trims: bool, adds: bool) -> Result<Value, String> {
        let (sep, cls) = (self.token(sep)?, self.token(cls)?);
        Ok(json!({
            "type": "RobertaProcessing",
            "sep": [sep, self.id(sep)?],
            "cls": [cls, self.id(cls)?],
            "trim_offsets": trims,
            "add_prefix_space": adds,
        }))
    }

    fn template(&self, single: &str, pair: &str) -> Result<Value, String> {
        let mut special: Vec<(String, u32)> = Vec::new();
        let mut parts = |template: &str| -> Result<Vec<String>, String> {
            let parts = template.split(' ').map(|part| {
                if part.starts_with('$') {
                    return Ok(part.to_owned());
                }
                let (token, type_id) = part.rsplit_once(':').unwrap_or((part, "0"));
                let name = token
                    .strip_prefix('{')
                    .and_then(|name| name.strip_suffix('}'));
                let token = match name {
                    Some(name) => self.token(name)?,
                    None => token,
                };
                if !special.iter().any(|(known, _)| known == token) {
                    special.push((token.to_owned(), self.id(token)?));
                }
                Ok(format!("{token}:{type_id}"))
            });
            parts.collect()
        };
        let (single, pair) = (parts(single)?, parts(pair)?);
        let mut builder = TemplateProcessing::builder();
        builder.try_single(single)?;
        builder.try_pair(pair)?;
        let template = builder.special_tokens(special).build();
        let template = template.map_err(|problem| problem.to_string())?;
        serde_json::to_value(PostProcessorWrapper::from(template))
            .map_err(|problem| problem.to_string())
    }

    fn language(&self, default: &str, place: CodePlace) -> Result<Value, String> {
        let in_underscores = place == CodePlace::BeforeInUnderscores;
        let code = match &self.settings.src_lang {
            Setting::Absent => default,
            Setting::Null if !in_underscores => default,
            setting => setting
                .text()
                .ok_or_else(|| format!("the code of a language must be a text, not {setting}"))?,
        };
        if in_underscores {
            let code = match code.contains("__") {
                true => code.to_owned(),
                false => format!("__{code}__"),
            };
            return self.template(
                &format!("{code} $A {{eos}}"),
                &format!("{code} $A $B {{eos}}"),
            );
        }
        let languages = self.class.build.and_then(|build| build.languages);
        if languages.is_some_and(|languages| !languages.contains(&code)) {
            return Err(format!(
                "`src_lang` is `{code}`, which the class does not know"
            ));
        }
        let after = match place {
            CodePlace::After => true,
            CodePlace::BeforeUnlessLegacy => self.settings.legacy_behaviour.truth_or(false),
            CodePlace::Before | CodePlace::BeforeInUnderscores => false,
        };
        match after {
            true => self.template(
                &format!("$A {{eos}} {code}"),
                &format!("$A $B {{eos}} {code}"),
            ),
            false => self.template(
                &format!("{code} $A {{eos}}"),
                &format!("{code} $A $B {{eos}}"),
            ),
        }
    }

    fn whisper(&self) -> Result<Value, String> {
        let settings = self.settings;
        let mut prefix = vec!["<|startoftranscript|>".to_owned()];
        if !settings.language.is_none() {
            prefix.push(languages::token(&settings.language)?);
        }
        match &settings.task {
            Setting::Absent | Setting::Null => {}
            Setting::Text(task) if ["transcribe", "translate"].contains(&&**task) => {
                prefix.push(format!("<|{task}|>"));
            }
            task => {
                return Err(format!(
                    "`task` must be transcribe or translate, not {task}"
                ));
            }
        }
        if !settings.predict_timestamps.truth_or(false) {
            prefix.push("<|notimestamps|>".to_owned());
        }
        let prefix: Vec<_> = prefix.iter().map(|token| format!("{token}:0")).collect();
        let prefix = prefix.join(" ");
        self.template(
            &format!("{prefix} $A:0 {{eos}}:0"),
            &format!("{prefix} $A:0 $B:1 {{eos}}:1"),
        )
    }
}
