//! The kinds of vocabularies with a `merges.txt`: how the converter of each differs from `GPT2Converter`.

use super::template::Template;

/// How a `vocab.json` and a `merges.txt` are converted.
#[derive(Debug)]
pub struct BpeKind {
    pub merges: Merges,
    /// The suffix of pieces that end a word.
    pub suffix: &'static str,
    /// True if the model has an unknown piece, the `unk_token`.
    pub has_unknown: bool,
    pub words: Words,
    /// The default of `add_prefix_space`. `None` if the class takes no such setting.
    pub prefix_space: Option<bool>,
    pub ends: Ends,
}

/// The lines of a `merges.txt` that are merges.
#[derive(Debug)]
pub enum Merges {
    /// All but the first and the last.
    Inner,
    /// At most 48,894 after the first.
    Clip,
    /// All that are not blank, but not a first line that states the version.
    NotBlank,
}

/// The normalizer, the pre-tokenizer, and the decoder.
#[derive(Debug)]
pub enum Words {
    ByteLevel,
    Clip,
    Qwen2,
    /// The words of BERT, in lowercase.
    Bert,
}

/// The post-processor.
#[derive(Debug)]
pub enum Ends {
    None,
    /// None, or the `bos_token` if `add_bos_token` is set.
    Gpt2,
    /// `cls_token` and `sep_token`.
    Roberta,
    /// `bos_token` and `eos_token`.
    Clip,
    Template(Template),
    /// The start of a transcript and its settings, and `eos_token`.
    Whisper,
}

pub const GPT2: BpeKind = BpeKind {
    merges: Merges::Inner,
    suffix: "",
    has_unknown: false,
    words: Words::ByteLevel,
    prefix_space: Some(false),
    ends: Ends::Gpt2,
};
pub const QWEN2: BpeKind = BpeKind {
    merges: Merges::NotBlank,
    words: Words::Qwen2,
    prefix_space: None,
    ends: Ends::None,
    ..GPT2
};
pub const ROBERTA: BpeKind = BpeKind {
    ends: Ends::Roberta,
    ..GPT2
};
pub const LAYOUT_LM_V3: BpeKind = BpeKind {
    prefix_space: Some(true),
    ..ROBERTA
};
pub const DEBERTA: BpeKind = BpeKind {
    ends: Ends::Template(Template {
        single: "[CLS]:0 $A:0 [SEP]:0",
        pair: Some("[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1"),
        unused: None,
    }),
    ..GPT2
};
pub const BLENDERBOT: BpeKind = BpeKind {
    ends: Ends::Template(Template {
        single: "$A:0 {eos}:0",
        pair: None,
        unused: None,
    }),
    ..GPT2
};
pub const WHISPER: BpeKind = BpeKind {
    ends: Ends::Whisper,
    ..GPT2
};
pub const CLIP: BpeKind = BpeKind {
    merges: Merges::Clip,
    suffix: "</w>",
    has_unknown: true,
    words: Words::Clip,
    prefix_space: None,
    ends: Ends::Clip,
};
pub const OPENAI_GPT: BpeKind = BpeKind {
    suffix: "</w>",
    has_unknown: true,
    words: Words::Bert,
    prefix_space: None,
    ends: Ends::None,
    ..GPT2
};
