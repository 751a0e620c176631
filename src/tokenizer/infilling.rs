//! Infilling: CodeLlama encodes a text with a gap, and a prefix with a suffix, in a format of its own (`encode_plus` of
//! `CodeLlamaTokenizerFast`).

use tokenizers::normalizers::Replace;
use tokenizers::processors::template::TemplateProcessing;

use super::encoding::{Encoded, Encoding};
use super::engines;
use super::hf_guard::guarded;
use super::options::{EncodeOptions, EngineChoice};
use super::tokenizer::Tokenizer;
use crate::error::{Error, Result};
use crate::formats::config::SpecialTokenConfig;
use crate::formats::setting::Setting;

const CLASS: &str = "CodeLlamaTokenizerFast";
/// What marks the gap, by default.
const FILL: &str = "<FILL_ME>";

/// The two texts around a gap, and the place of the second if both are parts of one text.
struct Parts<'t> {
    prefix: &'t str,
    suffix: &'t str,
    place: Option<usize>,
}

impl Tokenizer {
    /// Returns true if a text has a gap that its class fills in.
    pub(super) fn has_gap(&self, text: &str) -> bool {
        self.fill_token().is_some_and(|fill| text.contains(fill))
    }

    fn infills(&self) -> bool {
        self.definition.class.name == Some(CLASS) && self.definition.reading == Default::default()
    }

    fn fill_token(&self) -> Option<&str> {
        match &self.definition.config.class.fill_token {
            _ if !self.infills() => None,
            Setting::Absent => Some(FILL),
            setting => setting.text(),
        }
    }

    /// Encodes a text with a gap, or a prefix with a suffix, as its class does. Returns `None` for other texts, and for
    /// other classes.
    ///
    /// # Errors
    /// Fails with [`Error::Usage`] if a text has several gaps or the model lacks a token of the format, and else like
    /// [`Tokenizer::encode`].
    pub(super) fn infill(
        &self,
        text: &str,
        pair: Option<&str>,
        options: &EncodeOptions,
    ) -> Result<Option<Encoded>> {
        let parts = match (pair, self.fill_token()) {
            _ if !self.infills() => return Ok(None),
            (Some(""), _) => return Ok(None),
            (Some(suffix), _) => Parts {
                prefix: text,
                suffix,
                place: None,
            },
            (None, Some(fill)) if text.contains(fill) => {
                let (prefix, suffix) = text.split_once(fill).unwrap_or((text, ""));
                if fill.is_empty() || suffix.contains(fill) {
                    let problem = format!("a text may have one gap {fill}, not several");
                    return Err(Error::usage(problem));
                }
                let place = Some(text.len() - suffix.len());
                Parts {
                    prefix,
                    suffix,
                    place,
                }
            }
            (None, _) => return Ok(None),
        };
        if parts.suffix.is_empty() {
            return self.encode(parts.prefix, None, options).map(Some);
        }
        if self.choice == EngineChoice::Native {
            let problem = "the native engine cannot encode this text exactly";
            return Err(Error::usage_hint(problem, "use `--engine reference`"));
        }
        let file = self.definition.file().name();
        let engine = match self.infilling.get() {
            Some(engine) => engine,
            None => {
                let engine = guarded(file, || {
                    let mut engine = engines::hf(&self.definition)?;
                    let spaces = Replace::new(" ", "▁");
                    let spaces = spaces.map_err(|problem| Error::damaged(file, problem))?;
                    engine.set_normalizer(spaces);
                    Ok(engine)
                })?;
                self.infilling.get_or_init(|| engine)
            }
        };
        let template = self.infilling_template(options.special_tokens)?;
        let options = EncodeOptions {
            special_tokens: true,
            ..options.clone()
        };
        let prefix = format!(" {}", parts.prefix);
        let mut encoded = engine.encode_by(template, &prefix, parts.suffix, &options)?;
        for window in &mut encoded.windows {
            place(window, parts.place);
        }
        Ok(Some(encoded))
    }

    /// Returns the format: the prefix token, the prefix, the suffix token, the suffix, and the middle token.
    fn infilling_template(&self, special_tokens: bool) -> Result<TemplateProcessing> {
        let settings = &self.definition.config.class;
        let map = &self.definition.special_tokens;
        let named = |name: &str, setting: &Setting, default: &str| match setting {
            Setting::Absent => Ok(default.to_owned()),
            setting => setting.text().map(str::to_owned).ok_or_else(|| {
                Error::usage(format!(
                    "a prefix and a suffix need the `{name}` of the model, which is {setting}"
                ))
            }),
        };
        let prefix = named("prefix_token", &settings.prefix_token, "▁<PRE>")?;
        let suffix = named("suffix_token", &settings.suffix_token, "▁<SUF>")?;
        let middle = named("middle_token", &settings.middle_token, "▁<MID>")?;
        let end = |slot: &Option<&SpecialTokenConfig>, wanted: bool| {
            slot.filter(|_| wanted && special_tokens)
                .map(|token| token.text().to_owned())
        };
        let bos = end(
            &map.bos_token.given(),
            settings.add_bos_token.truth_or(true),
        );
        let eos = end(
            &map.eos_token.given(),
            settings.add_eos_token.truth_or(false),
        );
        let unknown = self.unknown_token();
        let mut special = Vec::new();
        for token in [&prefix, &suffix, &middle]
            .into_iter()
            .chain(&bos)
            .chain(&eos)
        {
            let id = self.definition.model_id(token).or(unknown);
            let id = id.ok_or_else(|| {
                Error::usage(format!("`{token}` is not in the vocabulary of the model"))
            })?;
            special.push((token.clone(), id));
        }
        let pieces = [prefix, "$A".to_owned(), suffix, "$B".to_owned(), middle];
        let pair: Vec<String> = bos.into_iter().chain(pieces).chain(eos).collect();
        let file = self.definition.file().name();
        let mut builder = TemplateProcessing::builder();
        let damaged = |problem: String| Error::damaged(file, problem);
        builder.try_single("$A").map_err(damaged)?;
        builder.try_pair(pair).map_err(damaged)?;
        let template = builder.special_tokens(special).build();
        template.map_err(|problem| Error::damaged(file, problem))
    }
}

/// Moves the offsets of the prefix, before which a space was put, and, if they are parts of one text, those of the
/// suffix, whose place is given.
fn place(window: &mut Encoding, suffix: Option<usize>) {
    let words = window.word_ids.iter().zip(&window.sequence_ids);
    let words = words.filter(|(_, sequence)| **sequence == Some(0));
    let words = words.filter_map(|(word, _)| *word).max();
    let words = words.map_or(0, |last| last + 1);
    for (index, sequence) in window.sequence_ids.iter_mut().enumerate() {
        let (start, end) = &mut window.offsets[index];
        match (&sequence, suffix) {
            (Some(0), _) => {
                *start = start.saturating_sub(1);
                *end = end.saturating_sub(1);
            }
            (Some(_), Some(place)) => {
                *start += place;
                *end += place;
                *sequence = Some(0);
                if let Some(word) = &mut window.word_ids[index] {
                    *word += words;
                }
            }
            _ => {}
        }
    }
}
