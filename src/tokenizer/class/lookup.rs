//! Finds the class that the reference loads a model with (`AutoTokenizer` of transformers 4.48.3).

use super::kinds::Class;
use super::names::{MODEL_TYPES, SLOW_CLASSES};
use super::table;
use crate::error::{Result, closest};
use crate::formats::config::TokenizerConfig;
use crate::formats::model_config::ModelConfig;
use crate::source::ModelFiles;

const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
const CONFIG: &str = "config.json";
/// What names the class if `config.json` has no `model_type`.
const MODEL_NAME: &str = "the model's name";

/// The class of a model's tokenizer.
#[derive(Debug, Clone)]
pub enum Found {
    /// A fast class, and the file that names it.
    Fast {
        name: &'static str,
        class: &'static Class,
        source: &'static str,
    },
    /// A class that has no fast version, but whose files are read.
    Slow { name: &'static str, reason: String },
    /// The reference does not load the model with a fast class.
    Unknown {
        reason: String,
        /// The class that a file probably meant, if it names one that does not exist.
        nearest: Option<&'static str>,
    },
    /// No file names a class, or a type of model that has one.
    Undeclared { reason: String },
}

impl Found {
    /// Returns the name of the fast class.
    pub fn fast_name(&self) -> Option<&'static str> {
        match self {
            Self::Fast { name, .. } => Some(name),
            Self::Slow { .. } | Self::Unknown { .. } | Self::Undeclared { .. } => None,
        }
    }

    fn unknown(reason: String) -> Self {
        Self::Unknown {
            reason,
            nearest: None,
        }
    }
}

/// Finds the class of a model. `config.json` counts only if `tokenizer_config.json` names no class, and is read only
/// then.
///
/// # Errors
/// Fails if `config.json` cannot be fetched or read.
pub fn find(config: &TokenizerConfig, files: &ModelFiles) -> Result<Found> {
    if let Some(name) = &config.tokenizer_class {
        return Ok(match by_name(name, TOKENIZER_CONFIG) {
            Found::Unknown { .. } if !config.class.auto_map.is_none() => Found::unknown(format!(
                "its {name} is a Python program of the model, which is not run"
            )),
            found => found,
        });
    }
    let Some(file) = files.find(CONFIG)? else {
        return Ok(Found::Undeclared {
            reason: "no file names the class of the tokenizer".to_owned(),
        });
    };
    Ok(match ModelConfig::parse(CONFIG, &file.read_all()?) {
        Ok(config) => by_config(&config, &files.model()),
        Err(error) => Found::unknown(error.to_string()),
    })
}

/// Returns the class called `name`, with or without `Fast`, as if `source` named it.
pub fn by_name(name: &str, source: &'static str) -> Found {
    let fast = format!("{}Fast", name.trim_end_matches("Fast"));
    let found = table::CLASSES.iter().find_map(|class| {
        let name = class.names.iter().find(|known| **known == fast)?;
        Some((*name, class))
    });
    match found {
        Some((name, class)) => Found::Fast {
            name,
            class,
            source,
        },
        None if SLOW_CLASSES.contains(&name) => slow(name, source),
        None => Found::Unknown {
            reason: format!("{source} names {name}, which transformers does not have"),
            nearest: closest(name, slow_names()),
        },
    }
}

/// Returns the names of all classes, those with a fast version as files mostly name them: by the slow one.
fn slow_names() -> impl Iterator<Item = &'static str> {
    let fast = table::CLASSES.iter().flat_map(|class| class.names);
    let of_fast = fast.map(|name| name.trim_end_matches("Fast"));
    of_fast.chain(SLOW_CLASSES.iter().copied())
}

/// What is said of classes that are read without a fast version.
const SLOW_ONLY: &str = "has no fast version and runs SentencePiece itself";

fn slow(name: &str, source: &str) -> Found {
    let trait_of_class = match name {
        "BertJapaneseTokenizer" => {
            "splits words with MeCab, Sudachi or Juman++ and their dictionaries"
        }
        "Wav2Vec2CTCTokenizer" | "Wav2Vec2Tokenizer" | "Wav2Vec2PhonemeCTCTokenizer" => {
            "turns the output of a speech model into characters"
        }
        "MarianTokenizer" | "M2M100Tokenizer" => SLOW_ONLY,
        _ => "has no fast version and reads other files",
    };
    let reason = format!("{source} names {name}, which {trait_of_class}");
    let translation = ["MarianTokenizer", "M2M100Tokenizer"];
    match translation.into_iter().find(|known| *known == name) {
        Some(name) => Found::Slow { name, reason },
        None => Found::unknown(reason),
    }
}

fn by_config(config: &ModelConfig, model: &str) -> Found {
    let model_type = match &config.model_type {
        Some(pair) if pair == "encoder-decoder" && config.tokenizer_class.is_none() => {
            &config.encoder_model_type
        }
        model_type => model_type,
    };
    let known = match model_type {
        Some(model_type) => MODEL_TYPES.iter().find(|(known, _)| known == model_type),
        None => MODEL_TYPES.iter().find(|(known, _)| model.contains(known)),
    };
    match (known, &config.tokenizer_class, model_type) {
        (Some(_), Some(name), _) => by_name(name, CONFIG),
        (Some((_, class)), None, None) if !class.is_empty() => by_name(class, MODEL_NAME),
        // A model type chooses the slow class here although there is a fast one.
        (Some((_, class @ "BlenderbotSmallTokenizer")), None, _) => slow(class, CONFIG),
        (Some((_, class)), None, _) if !class.is_empty() => by_name(class, CONFIG),
        (Some((known, _)), ..) => Found::unknown(format!(
            "transformers has no tokenizer for the model_type {known} of {CONFIG}"
        )),
        (None, _, Some(model_type)) => Found::unknown(format!(
            "transformers does not have the model_type {model_type} of {CONFIG}"
        )),
        (None, _, None) => Found::Undeclared {
            reason: format!("{CONFIG} has no model_type"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(found: &Found) -> Option<&'static str> {
        match found {
            Found::Fast { name, .. } => Some(name),
            _ => None,
        }
    }

    #[test]
    fn a_class_is_found_with_and_without_the_word_fast() {
        for given in ["BertTokenizer", "BertTokenizerFast"] {
            assert_eq!(
                name(&by_name(given, TOKENIZER_CONFIG)),
                Some("BertTokenizerFast")
            );
        }
        assert_eq!(
            name(&by_name("PreTrainedTokenizer", CONFIG)),
            Some("PreTrainedTokenizerFast")
        );
        let Found::Unknown { reason, .. } = by_name("BertJapaneseTokenizer", CONFIG) else {
            panic!("a Japanese tokenizer has no fast class");
        };
        assert_eq!(
            reason,
            "config.json names BertJapaneseTokenizer, which splits words with MeCab, Sudachi or Juman++ and their \
             dictionaries"
        );
        for (unknown, meant) in [
            ("T5Tokeniser", Some("T5Tokenizer")),
            ("RobertaTokenizr", Some("RobertaTokenizer")),
            ("MyVeryOwnTokenizer", None),
            ("", None),
        ] {
            let Found::Unknown { nearest, .. } = by_name(unknown, CONFIG) else {
                panic!("transformers has no {unknown}");
            };
            assert_eq!(nearest, meant, "{unknown}");
        }
        assert_eq!(name(&by_name("MarianTokenizer", CONFIG)), None);
    }

    #[test]
    fn without_a_class_the_model_type_or_the_name_of_the_model_decides() {
        let config = |model_type: Option<&str>, class: Option<&str>| ModelConfig {
            model_type: model_type.map(str::to_owned),
            tokenizer_class: class.map(str::to_owned),
            ..ModelConfig::default()
        };
        for (model_type, class, found) in [
            (Some("roberta"), None, Some("RobertaTokenizerFast")),
            (Some("mt5"), None, Some("T5TokenizerFast")),
            (
                Some("bert"),
                Some("XLNetTokenizer"),
                Some("XLNetTokenizerFast"),
            ),
            (Some("m2m_100"), None, None),
            (Some("blenderbot-small"), None, None),
            (
                Some("blenderbot-small"),
                Some("BlenderbotSmallTokenizer"),
                Some("BlenderbotSmallTokenizerFast"),
            ),
            (Some("vit"), None, None),
            (Some("of-mine"), Some("BertTokenizer"), None),
            (None, None, Some("DistilBertTokenizerFast")),
        ] {
            let config = config(model_type, class);
            assert_eq!(name(&by_config(&config, "models/distilbert-x")), found);
        }
    }
}
