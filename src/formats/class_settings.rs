//! The settings in `tokenizer_config.json` that only some classes of tokenizers have.

use serde::Deserialize;

use super::setting::Setting;

/// The settings by which a class changes the tokenizer of a `tokenizer.json`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ClassSettings {
    pub do_lower_case: Setting,
    pub strip_accents: Setting,
    pub tokenize_chinese_chars: Setting,
    pub do_basic_tokenize: Setting,
    pub clean_up_tokenization_spaces: Setting,
    pub clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output: Setting,
    pub keep_accents: Setting,
    pub split_by_punct: Setting,
    pub padding_side: Setting,
    /// Funnel.
    pub clean_text: Setting,
    pub wordpieces_prefix: Setting,
    pub add_prefix_space: Setting,
    pub trim_offsets: Setting,
    pub add_bos_token: Setting,
    pub add_eos_token: Setting,
    pub split_special_tokens: Setting,
    pub src_lang: Setting,
    /// M2M100.
    pub tgt_lang: Setting,
    pub language_codes: Setting,
    /// Marian.
    pub separate_vocabs: Setting,
    pub legacy_behaviour: Setting,
    pub legacy: Setting,
    pub auto_map: Setting,
    pub from_slow: Setting,
    pub tokenizer_file: Setting,
    /// T5.
    pub extra_ids: Setting,
    /// Pegasus.
    pub offset: Setting,
    pub mask_token_sent: Setting,
    /// CodeLlama.
    pub prefix_token: Setting,
    pub middle_token: Setting,
    pub suffix_token: Setting,
    pub eot_token: Setting,
    pub fill_token: Setting,
    /// CodeGen.
    pub return_token_type_ids: Setting,
    /// Splinter.
    pub question_token: Setting,
    /// Whisper.
    pub language: Setting,
    pub task: Setting,
    pub predict_timestamps: Setting,
}
