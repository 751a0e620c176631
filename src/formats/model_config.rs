//! The sizes of a model in `config.json`, or in the metadata of a GGUF file.

use std::fmt;
use std::sync::LazyLock;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::context_window::{ContextWindow, Positions, SIZES, TEXT_CONFIGS, TEXT_SIZES};
use super::json::{OptionalObject, parse_settings};
use super::setting::Setting;
use crate::error::Result;

/// The sizes of a model, from `config.json` or from the metadata of a GGUF file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModelConfig {
    pub model_type: Option<String>,
    /// The class of the tokenizer, if `tokenizer_config.json` does not name one.
    pub tokenizer_class: Option<String>,
    /// The type of the encoder, in an encoder-decoder model.
    pub encoder_model_type: Option<String>,
    /// The declared number of ids, which may exceed the number in the tokenizer.
    pub vocab_size: Option<u64>,
    /// Columns of the embedding matrix.
    pub hidden_size: Option<u64>,
    /// The declared number of rows in the table of positions. Some families do not use all of them.
    pub max_position_embeddings: Option<u64>,
    pub context_window: Option<ContextWindow>,
    pub pad_token_id: Option<u64>,
    /// The quantization of a GGUF file.
    pub quantization: Option<String>,
    /// The GGUF file that declares all this, or `None` for `config.json`.
    pub file: Option<String>,
}

impl ModelConfig {
    /// Parses `config.json`.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`] if it is not a JSON object.
    ///
    /// [`Error::Damaged`]: crate::error::Error::Damaged
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self> {
        parse_settings::<Keys>(name, bytes).map(Self::from)
    }

    /// Returns the name of the file, within the model, that declares the sizes.
    pub fn file(&self) -> &str {
        self.file.as_deref().unwrap_or("config.json")
    }
}

impl From<Keys> for ModelConfig {
    fn from(keys: Keys) -> Self {
        let encoder = keys.nested.iter().find(|(name, _)| *name == "encoder");
        let mut own = Self {
            encoder_model_type: encoder.and_then(|(_, encoder)| encoder.model_type.clone()),
            context_window: keys.window(),
            max_position_embeddings: keys.declared_positions(),
            model_type: keys.model_type,
            tokenizer_class: keys.tokenizer_class.text().map(str::to_owned),
            vocab_size: keys.vocab_size,
            hidden_size: keys.hidden_size.or(keys.n_embd).or(keys.d_model),
            pad_token_id: keys.pad_token_id,
            quantization: None,
            file: None,
        };
        let mut nested = keys.nested;
        nested.sort_by_key(|(name, _)| TEXT_CONFIGS.iter().position(|config| config == name));
        for (name, text) in nested {
            // An encoder of images or sound has no vocabulary.
            if name == "encoder" && text.vocab_size.is_none() {
                continue;
            }
            let text = Self::from(text);
            own.vocab_size = own.vocab_size.or(text.vocab_size);
            own.hidden_size = own.hidden_size.or(text.hidden_size);
            own.pad_token_id = own.pad_token_id.or(text.pad_token_id);
            own.max_position_embeddings =
                (own.max_position_embeddings).or(text.max_position_embeddings);
            own.context_window = own.context_window.or_else(|| {
                let mut window = text.context_window?;
                window.source.setting = format!("{name}.{}", window.source.setting);
                Some(window)
            });
        }
        own
    }
}

/// The keys of `config.json`, which differ between model families: GPT-2 has `n_embd`, T5 has `d_model`, and multimodal
/// models have the sizes of their text part in an object of their own.
#[derive(Debug, Default)]
struct Keys {
    model_type: Option<String>,
    tokenizer_class: Setting,
    position_embedding_type: Option<String>,
    vocab_size: Option<u64>,
    hidden_size: Option<u64>,
    n_embd: Option<u64>,
    d_model: Option<u64>,
    pad_token_id: Option<u64>,
    /// Values of [`SIZES`] and [`TEXT_SIZES`].
    positions: Vec<(&'static str, u64)>,
    /// Objects of [`TEXT_CONFIGS`].
    nested: Vec<(&'static str, Keys)>,
}

impl Keys {
    fn window(&self) -> Option<ContextWindow> {
        let positions = Positions {
            model_type: self.model_type.as_deref(),
            pad_token_id: self.pad_token_id,
            kind: self.position_embedding_type.as_deref(),
            sizes: &self.positions,
        };
        positions.window()
    }

    fn declared_positions(&self) -> Option<u64> {
        ["max_position_embeddings", "n_positions"]
            .iter()
            .find_map(|name| {
                let size = self.positions.iter().find(|(size, _)| size == name);
                size.map(|(_, size)| *size)
            })
    }
}

/// All keys.
static KEYS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let others = [
        "model_type",
        "tokenizer_class",
        "position_embedding_type",
        "vocab_size",
        "hidden_size",
        "n_embd",
        "d_model",
        "pad_token_id",
    ];
    [&others, SIZES, TEXT_SIZES, TEXT_CONFIGS].concat()
});

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeysVisitor;

        impl<'de> Visitor<'de> for KeysVisitor {
            type Value = Keys;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of settings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let mut keys = Keys::default();
                while let Some(name) = map.next_key::<String>()? {
                    keys.read(&name, &mut map)?;
                }
                Ok(keys)
            }
        }

        deserializer.deserialize_struct("Keys", &KEYS, KeysVisitor)
    }
}

impl Keys {
    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        let sizes = || SIZES.iter().chain(TEXT_SIZES);
        if let Some(size) = sizes().find(|size| **size == name) {
            let value = map.next_value::<Setting>()?.size();
            self.positions.extend(value.map(|value| (*size, value)));
            return Ok(());
        }
        if let Some(config) = TEXT_CONFIGS.iter().find(|config| **config == name) {
            let keys = map.next_value::<OptionalObject<Self>>()?.0;
            self.nested.extend(keys.map(|keys| (*config, keys)));
            return Ok(());
        }
        let size = match name {
            "model_type" => {
                self.model_type = map.next_value()?;
                return Ok(());
            }
            "tokenizer_class" => {
                self.tokenizer_class = map.next_value()?;
                return Ok(());
            }
            "position_embedding_type" => {
                self.position_embedding_type = map.next_value()?;
                return Ok(());
            }
            "vocab_size" => &mut self.vocab_size,
            "hidden_size" => &mut self.hidden_size,
            "n_embd" => &mut self.n_embd,
            "d_model" => &mut self.d_model,
            "pad_token_id" => &mut self.pad_token_id,
            _ => return map.next_value::<IgnoredAny>().map(drop),
        };
        *size = map.next_value::<Setting>()?.size();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(json: &str) -> ModelConfig {
        ModelConfig::parse("config.json", json.as_bytes()).unwrap()
    }

    /// Returns the tokens and the source of the context window.
    fn window(json: &str) -> (u64, String) {
        let window = config(json).context_window.unwrap();
        (window.tokens, window.source.to_string())
    }

    #[test]
    fn keys_of_other_model_families_are_read() {
        let gpt2 = config(r#"{"n_positions": 1024, "n_embd": 768}"#);
        assert_eq!(gpt2.max_position_embeddings, Some(1024));
        assert_eq!(gpt2.hidden_size, Some(768));
        let nested =
            config(r#"{"text_config": {"vocab_size": 9}, "pad_token_id": -1, "decoder": "x"}"#);
        assert_eq!(nested.vocab_size, Some(9));
        assert_eq!(nested.pad_token_id, None);
        let mamba =
            r#"{"time_step_limit": [0.0, Infinity], "vocab_size": 50288, "hidden_size": NaN}"#;
        let mamba = config(mamba);
        assert_eq!((mamba.vocab_size, mamba.hidden_size), (Some(50_288), None));
    }

    /// The settings of published models, each with the number of tokens that it reads.
    #[test]
    fn the_context_window_of_each_family_is_known() {
        let at = |setting: &str| format!("config.json: {setting}");
        for (json, tokens, setting) in [
            // FacebookAI/roberta-base, FacebookAI/xlm-roberta-base, microsoft/mpnet-base.
            (
                r#"{"model_type": "roberta", "max_position_embeddings": 514, "pad_token_id": 1}"#,
                512,
                "max_position_embeddings - 2",
            ),
            (
                r#"{"model_type": "xlm-roberta", "max_position_embeddings": 514, "pad_token_id": 1}"#,
                512,
                "max_position_embeddings - 2",
            ),
            (
                r#"{"model_type": "mpnet", "max_position_embeddings": 514, "pad_token_id": 1}"#,
                512,
                "max_position_embeddings - 2",
            ),
            // allenai/longformer-base-4096, BAAI/bge-m3, vinai/phobert-base, vinai/bertweet-base.
            (
                r#"{"model_type": "longformer", "max_position_embeddings": 4098, "pad_token_id": 1}"#,
                4096,
                "max_position_embeddings - 2",
            ),
            (
                r#"{"model_type": "xlm-roberta", "max_position_embeddings": 8194, "pad_token_id": 1}"#,
                8192,
                "max_position_embeddings - 2",
            ),
            (
                r#"{"model_type": "roberta", "max_position_embeddings": 258, "pad_token_id": 1}"#,
                256,
                "max_position_embeddings - 2",
            ),
            (
                r#"{"model_type": "roberta", "max_position_embeddings": 130}"#,
                128,
                "max_position_embeddings - 2",
            ),
            // SCUT-DLVCLab/lilt-roberta-en-base, microsoft/markuplm-base.
            (
                r#"{"model_type": "lilt", "max_position_embeddings": 514, "pad_token_id": 1}"#,
                512,
                "max_position_embeddings - 2",
            ),
            (
                r#"{"model_type": "markuplm", "max_position_embeddings": 514, "pad_token_id": 1}"#,
                512,
                "max_position_embeddings - 2",
            ),
            // facebook/esm1b_t33_650M_UR50S, facebook/esm2_t6_8M_UR50D.
            (
                r#"{"model_type": "esm", "max_position_embeddings": 1026, "pad_token_id": 1, "position_embedding_type": "absolute"}"#,
                1024,
                "max_position_embeddings - 2",
            ),
            (
                r#"{"model_type": "esm", "max_position_embeddings": 1026, "pad_token_id": 1, "position_embedding_type": "rotary"}"#,
                1026,
                "max_position_embeddings",
            ),
            // google-bert/bert-base-uncased, facebook/bart-base, facebook/opt-125m.
            (
                r#"{"model_type": "bert", "max_position_embeddings": 512, "pad_token_id": 0}"#,
                512,
                "max_position_embeddings",
            ),
            (
                r#"{"model_type": "bart", "max_position_embeddings": 1024, "pad_token_id": 1}"#,
                1024,
                "max_position_embeddings",
            ),
            (
                r#"{"model_type": "opt", "max_position_embeddings": 2048, "pad_token_id": 1}"#,
                2048,
                "max_position_embeddings",
            ),
            // openai-community/gpt2, mosaicml/mpt-7b, THUDM/chatglm3-6b, Qwen/Qwen-7B-Chat.
            (
                r#"{"model_type": "gpt2", "n_positions": 1024, "n_ctx": 1024}"#,
                1024,
                "n_positions",
            ),
            (
                r#"{"model_type": "mpt", "max_seq_len": 2048}"#,
                2048,
                "max_seq_len",
            ),
            (
                r#"{"model_type": "chatglm", "seq_length": 8192}"#,
                8192,
                "seq_length",
            ),
            (
                r#"{"model_type": "qwen", "max_position_embeddings": 32768, "seq_length": 8192}"#,
                8192,
                "seq_length",
            ),
            // openai/whisper-tiny, allenai/led-base-16384, xlnet-base-cased has none.
            (
                r#"{"model_type": "whisper", "max_source_positions": 1500, "max_target_positions": 448}"#,
                448,
                "max_target_positions",
            ),
            (
                r#"{"model_type": "led", "max_decoder_position_embeddings": 1024, "max_encoder_position_embeddings": 16384}"#,
                16384,
                "max_encoder_position_embeddings",
            ),
            // openai/clip-vit-base-patch32, OpenGVLab/InternVL2-8B, deepseek-ai/deepseek-vl2.
            (
                r#"{"model_type": "clip", "text_config": {"max_position_embeddings": 77}}"#,
                77,
                "text_config.max_position_embeddings",
            ),
            (
                r#"{"llm_config": {"max_position_embeddings": 32768}, "vision_config": {"max_position_embeddings": 1}}"#,
                32768,
                "llm_config.max_position_embeddings",
            ),
            (
                r#"{"language_config": {"max_position_embeddings": 4096}}"#,
                4096,
                "language_config.max_position_embeddings",
            ),
            (
                r#"{"thinker_config": {"text_config": {"max_position_embeddings": 32768}}}"#,
                32768,
                "thinker_config.text_config.max_position_embeddings",
            ),
            // microsoft/trocr-base-printed: the encoder reads images.
            (
                r#"{"decoder": {"model_type": "trocr", "max_position_embeddings": 512}, "encoder": {"image_size": 384, "max_position_embeddings": 7}}"#,
                512,
                "decoder.max_position_embeddings",
            ),
            (
                r#"{"encoder": {"model_type": "roberta", "vocab_size": 5, "max_position_embeddings": 514}, "decoder": {"max_position_embeddings": 77}}"#,
                512,
                "encoder.max_position_embeddings - 2",
            ),
            // A text model inside a model of another family.
            (
                r#"{"model_type": "clap", "text_config": {"model_type": "clap_text_model", "max_position_embeddings": 514, "pad_token_id": 1}}"#,
                512,
                "text_config.max_position_embeddings - 2",
            ),
        ] {
            assert_eq!(window(json), (tokens, at(setting)), "{json}");
        }
        for json in [
            "{}",
            r#"{"model_type": "xlnet", "max_position_embeddings": -1}"#,
            r#"{"max_position_embeddings": 0}"#,
            r#"{"max_position_embeddings": "512", "seq_length": Infinity}"#,
        ] {
            assert_eq!(config(json).context_window, None, "{json}");
        }
        // The number of unused rows never exceeds the table.
        let tiny = r#"{"model_type": "roberta", "max_position_embeddings": 2, "pad_token_id": 18446744073709551615}"#;
        assert_eq!(window(tiny).0, 2);
    }
}
