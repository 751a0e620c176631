//! The parts of an encoding that the reference returns by default (`model_input_names`).

use super::tokenizer::Tokenizer;

const TYPE_IDS: &str = "token_type_ids";
const ATTENTION_MASK: &str = "attention_mask";

/// Classes of transformers 4.48.3 whose `model_input_names` omit `token_type_ids`. The names lack the suffixes
/// "Tokenizer" and "Fast".
const WITHOUT_TYPE_IDS: &[&str] = &[
    "Bart",
    "Barthez",
    "BigBird",
    "Blenderbot",
    "Bloom",
    "Camembert",
    "CLIP",
    "CodeGen",
    "CodeLlama",
    "Cohere",
    "DistilBert",
    "DPRReader",
    "GPT2",
    "GPTNeoX",
    "Gemma",
    "LED",
    "LayoutLMv3",
    "LayoutXLM",
    "Llama",
    "Longformer",
    "M2M100",
    "MBart",
    "MBart50",
    "MPNet",
    "MT5",
    "Marian",
    "Mvp",
    "Nllb",
    "Nougat",
    "OpenAIGPT",
    "Pegasus",
    "Qwen2",
    "Reformer",
    "RetriBert",
    "Roberta",
    "SeamlessM4T",
    "T5",
    "Udop",
    "Whisper",
    "XGLM",
    "XLMRoberta",
];

/// The class whose `model_input_names` omit `attention_mask`.
const WITHOUT_ATTENTION_MASK: &str = "FNet";

impl Tokenizer {
    /// Returns true if the reference returns `token_type_ids` by default.
    pub fn names_type_ids(&self) -> bool {
        let asked_for = &self.definition.config.class.return_token_type_ids;
        let default = match self.class_stem() {
            "CodeGen" => asked_for.truth_or(false),
            class => !WITHOUT_TYPE_IDS.contains(&class),
        };
        self.names(TYPE_IDS).unwrap_or(default)
    }

    /// Returns true if the reference returns `attention_mask` by default.
    pub fn names_attention_mask(&self) -> bool {
        let default = self.class_stem() != WITHOUT_ATTENTION_MASK;
        self.names(ATTENTION_MASK).unwrap_or(default)
    }

    /// Returns the id of the padding with which the reference makes the number of tokens of a text even, and true if it
    /// is at the start. Returns `None` if the class does not.
    pub fn padding_to_even(&self) -> Option<(u32, bool)> {
        if self.class_stem() != "SeamlessM4T" {
            return None;
        }
        let padding = self.definition.special_tokens.pad_token.given()?;
        let id = self.definition.model_id(padding.text())?;
        let side = self.definition.config.class.padding_side.text();
        Some((id, side == Some("left")))
    }

    /// Returns true if `model_input_names` of the model has a name. Returns `None` if it has no such list.
    fn names(&self, name: &str) -> Option<bool> {
        let names = self.definition.config.model_input_names.as_ref()?;
        Some(names.iter().any(|other| other == name))
    }

    fn class_stem(&self) -> &str {
        let class = self.class().unwrap_or_default();
        class.trim_end_matches("Fast").trim_end_matches("Tokenizer")
    }
}
