//! The number of tokens that fit a model, from the settings of its files.
//!
//! A model has a table of positions, and its size has different names. Some families number positions after the id of
//! their padding token, so that the first rows of the table are never used.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;

use super::json::parse_settings;
use super::setting::Setting;
use crate::error::Result;

/// Names of the size in `config.json`. If there are several, the smallest counts, as in vLLM.
pub const SIZES: &[&str] = &[
    "max_position_embeddings",
    // GPT-2, T5.
    "n_positions",
    "n_ctx",
    // MPT, DBRX.
    "max_seq_len",
    // ChatGLM, Bloom, Qwen.
    "seq_length",
    // Vicuna.
    "max_sequence_length",
    // Baichuan.
    "model_max_length",
    "max_seq_length",
    "seq_len",
    // RWKV.
    "context_length",
    // LED.
    "max_encoder_position_embeddings",
];

/// Names of the size in models of speech or images, for their text: Whisper, Speech2Text.
pub const TEXT_SIZES: &[&str] = &["max_target_positions"];

/// Objects in `config.json` that hold the settings of the text model, in the order in which they are tried.
pub const TEXT_CONFIGS: &[&str] = &[
    "text_config",
    // InternVL.
    "llm_config",
    // DeepSeek-VL2, Janus.
    "language_config",
    "language_model",
    // Qwen2.5-Omni, which has a `text_config` in it.
    "thinker_config",
    // MusicGen.
    "text_encoder",
    // Encoder-decoder models. The encoder comes first: it reads the text, unless it reads images or sound.
    "encoder",
    "question_encoder",
    "decoder",
    "generator",
];

/// Families that number positions from the padding id + 1, in a table of `max_position_embeddings` rows: the callers of
/// `create_position_ids_from_input_ids` in transformers 4.48.3. With each, the padding id if `config.json` has none.
///
/// The families of BART (mBART, MVP, PLBart, TrOCR, BioGPT, OPT) and Nyströmformer, YOSO and MRA also begin at row 2,
/// but add two rows to the table.
const NUMBERED_FROM_PADDING: &[(&str, u64)] = &[
    ("altclip_text_model", 1),
    ("bridgetower_text_model", 1),
    ("camembert", 1),
    ("clap_text_model", 1),
    ("data2vec-text", 1),
    ("esm", 1),
    ("ibert", 1),
    ("layoutlmv3", 1),
    ("lilt", 0),
    ("longformer", 1),
    ("luke", 1),
    ("markuplm", 0),
    ("mpnet", 1),
    ("roberta", 1),
    ("roberta-prelayernorm", 1),
    ("xlm-roberta", 1),
    ("xlm-roberta-xl", 1),
    ("xmod", 1),
];

/// The number of tokens that fit a model, special tokens included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextWindow {
    pub tokens: u64,
    pub source: Source,
}

impl ContextWindow {
    /// Returns the window of `tokens` that a setting gives directly.
    pub fn new(tokens: u64, file: impl Into<Cow<'static, str>>, setting: &str) -> Self {
        Self {
            tokens,
            source: Source {
                file: file.into(),
                setting: setting.to_owned(),
                unused: 0,
            },
        }
    }
}

/// The setting that gives the size of a context window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub file: Cow<'static, str>,
    /// Dotted path.
    pub setting: String,
    /// Rows of the table that are never used.
    pub unused: u64,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.setting)?;
        if self.unused > 0 {
            write!(f, " - {}", self.unused)?;
        }
        Ok(())
    }
}

/// The settings of one text model that determine its context window.
#[derive(Debug, Default)]
pub struct Positions<'a> {
    pub model_type: Option<&'a str>,
    pub pad_token_id: Option<u64>,
    /// How positions enter the model; `None` if `config.json` does not say it.
    pub kind: Option<&'a str>,
    /// The values of [`SIZES`] and [`TEXT_SIZES`] that `config.json` has, each with its name.
    pub sizes: &'a [(&'static str, u64)],
}

impl Positions<'_> {
    /// Returns the context window; `None` if no size is given.
    pub fn window(&self) -> Option<ContextWindow> {
        let sizes = || self.sizes.iter().filter(|(_, size)| *size > 0);
        let of_any = sizes().filter(|(name, _)| SIZES.contains(name));
        let of_text = sizes().filter(|(name, _)| TEXT_SIZES.contains(name));
        let (of_any, of_text) = (
            of_any.map(|size| self.usable(size)),
            of_text.map(|size| self.usable(size)),
        );
        of_any
            .min_by_key(|window| window.tokens)
            .or_else(|| of_text.min_by_key(|window| window.tokens))
    }

    fn usable(&self, &(setting, size): &(&'static str, u64)) -> ContextWindow {
        let family = NUMBERED_FROM_PADDING
            .iter()
            .find(|(family, _)| Some(*family) == self.model_type);
        let has_table = self.kind.is_none_or(|kind| kind == "absolute");
        let unused = match family {
            // The only family that does not read the setting.
            Some(("mpnet", padding)) => padding + 1,
            Some((_, padding)) if has_table => {
                self.pad_token_id.unwrap_or(*padding).saturating_add(1)
            }
            _ => 0,
        };
        let unused = if setting == "max_position_embeddings" && unused < size {
            unused
        } else {
            0
        };
        let mut window = ContextWindow::new(size - unused, "config.json", setting);
        window.source.unused = unused;
        window
    }
}

/// The file in which sentence-transformers sets a limit of its own.
pub const SENTENCE_BERT_CONFIG: &str = "sentence_bert_config.json";

/// Reads the limit in `sentence_bert_config.json`; `None` if it sets none.
///
/// # Errors
/// Fails with [`Error::Damaged`] if it is not a JSON object.
///
/// [`Error::Damaged`]: crate::error::Error::Damaged
pub fn sentence_bert_limit(name: &str, bytes: &[u8]) -> Result<Option<ContextWindow>> {
    #[derive(Deserialize)]
    struct SentenceBertConfig {
        #[serde(default)]
        max_seq_length: Setting,
    }

    let config: SentenceBertConfig = parse_settings(name, bytes)?;
    let tokens = config.max_seq_length.size().filter(|tokens| *tokens > 0);
    Ok(tokens.map(|tokens| ContextWindow::new(tokens, SENTENCE_BERT_CONFIG, "max_seq_length")))
}
