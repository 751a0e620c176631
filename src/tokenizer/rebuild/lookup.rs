//! Finds the class that `AutoTokenizer` of transformers 5.24 loads a model with. It has neither mistral-common nor the
//! Python programs of models.

use super::kinds::Class;
use super::names::{BASE_CLASS_MODELS, MISNAMED, MODEL_TYPES, PYTHON_CLASSES};
use super::table::{BASE, CLASSES};

const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
const CONFIG: &str = "config.json";

/// What the files of a model say about its class.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clues<'a> {
    /// The name of the model.
    pub model: &'a str,
    /// `tokenizer_class` of `tokenizer_config.json`.
    pub tokenizer_class: Option<&'a str>,
    /// True if `tokenizer_config.json` names a Python program of the model.
    pub has_program: bool,
    /// `model_type` of `config.json`, or that of its encoder.
    pub model_type: Option<&'a str>,
    /// `tokenizer_class` of `config.json`.
    pub config_class: Option<&'a str>,
    /// True if the `tokenizer.json` mentions a byte-level step.
    pub is_byte_level: bool,
}

/// The class of a model.
#[derive(Debug, Clone, Copy)]
pub enum Found {
    /// A class of the `tokenizers` library, and the file that names it.
    Built {
        class: &'static Class,
        name: &'static str,
        source: Option<&'static str>,
    },
    /// A class in Python.
    Python(&'static str),
}

impl Clues<'_> {
    /// Finds the class.
    ///
    /// # Errors
    /// Fails with a sentence if transformers 5.24 does not load the model.
    pub fn find(&self) -> Result<Found, String> {
        let base = |source: Option<&'static str>| Ok(built(&BASE, source));
        let model = self.model.to_lowercase();
        let is_base = BASE_CLASS_MODELS
            .iter()
            .any(|known| match known.strip_suffix('*') {
                Some(start) => model.starts_with(start),
                None => model == *known,
            });
        if !self.has_program && is_base {
            return base(None);
        }
        let named = (self.tokenizer_class.map(|name| (name, TOKENIZER_CONFIG)))
            .or_else(|| self.config_class.map(|name| (name, CONFIG)));
        let is_misnamed = self.model_type.is_some_and(|kind| MISNAMED.contains(&kind));
        let registered = self.model_type.and_then(of_type);
        if let (Some((name, source)), false) = (named, self.has_program) {
            if without_fast(name) == "LlamaTokenizer" && !is_misnamed && self.is_byte_level {
                return base(Some(source));
            }
            if let Some(registered) =
                registered.filter(|registered| *registered != without_fast(name))
            {
                if ["TokenizersBackend", "PreTrainedTokenizer"].contains(&registered) {
                    return base(Some(CONFIG));
                }
                let (chosen, source) = match is_misnamed {
                    true => (registered, CONFIG),
                    false => (name, source),
                };
                return match by_name(chosen, source) {
                    Some(found) => Ok(found),
                    None => base(Some(source)),
                };
            }
        }
        if self.has_program && registered.is_none() {
            let known = self.tokenizer_class.and_then(|name| by_name(name, CONFIG));
            if known.is_none() && !is_misnamed {
                return Err(
                    "its tokenizer is a Python program of the model, which is not run".to_owned(),
                );
            }
        }
        match (self.tokenizer_class, self.config_class, registered) {
            (Some(name), ..) => match by_name(name, TOKENIZER_CONFIG) {
                Some(found) => Ok(found),
                None => base(Some(TOKENIZER_CONFIG)),
            },
            (None, Some(name), _) => by_name(name, CONFIG).ok_or_else(|| {
                format!("{CONFIG} names {name}, which transformers 5.24 does not have")
            }),
            (None, None, Some(name)) => match by_name(name, CONFIG) {
                Some(found) => Ok(found),
                None => base(Some(CONFIG)),
            },
            (None, None, None) => base(None),
        }
    }
}

fn without_fast(name: &str) -> &str {
    name.strip_suffix("Fast").unwrap_or(name)
}

fn of_type(model_type: &str) -> Option<&'static str> {
    let mut types = MODEL_TYPES.iter();
    types.find_map(|(known, class)| (*known == model_type).then_some(*class))
}

fn by_name(name: &str, source: &'static str) -> Option<Found> {
    let name = without_fast(name);
    let python = PYTHON_CLASSES.iter().find(|known| **known == name);
    if let Some(name) = python {
        return Some(Found::Python(name));
    }
    let class = CLASSES.iter().find(|class| class.names.contains(&name))?;
    Some(built(class, source))
}

fn built(class: &'static Class, source: impl Into<Option<&'static str>>) -> Found {
    Found::Built {
        class,
        name: class.names.first().copied().unwrap_or_default(),
        source: source.into(),
    }
}
