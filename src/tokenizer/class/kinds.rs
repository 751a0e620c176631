//! What a class of tokenizers may set: its special tokens, and the changes that it makes to the steps of a
//! `tokenizer.json`.

use super::token_default::TokenDefault;

/// A class of tokenizers.
#[derive(Debug)]
pub struct Class {
    /// The names of the class, and of others that behave the same here.
    pub names: &'static [&'static str],
    /// The special tokens that the files do not name, in the order of `SpecialTokensMap::named`.
    pub tokens: [TokenDefault; 7],
    pub additional: Additional,
    /// The default of `add_prefix_space`, which is set in a ByteLevel pre-tokenizer. `None` if the class takes no such
    /// setting, and false counts.
    pub prefix_space: Option<bool>,
    /// True if the padding token of the `tokenizer.json` counts when no other file names one. False for classes that set
    /// it to `None`.
    pub takes_padding_token: bool,
    pub rewrites: &'static [Rewrite],
    pub decoding: Decoding,
}

/// The additional special tokens of a class.
#[derive(Debug, Clone, Copy)]
pub enum Additional {
    /// Those that the files name.
    Named,
    /// These, if the files have no list.
    Default(&'static [&'static str]),
    /// These, if the files have no list or `null`.
    DefaultOrNull(&'static [&'static str]),
    /// These, then the others that the files name.
    First(&'static [&'static str]),
    /// Those that the files name, then the others of these.
    Last(&'static [&'static str]),
    /// The token `question_token`, and no other.
    Question,
    /// Those that the files name, then the four tokens for infilling.
    Infilling,
    /// `<extra_id_0>` and so on, `extra_ids` of them.
    ExtraIds,
    /// `mask_token_sent`, and `<unk_2>` and so on up to `offset`. The class drops all other added tokens.
    Pegasus,
}

/// A change to the steps of a tokenizer.
#[derive(Debug, Clone, Copy)]
pub enum Rewrite {
    /// Sets `lowercase`, `strip_accents` and `handle_chinese_chars` of a BertNormalizer. If `chinese`, also where only
    /// the last one differs.
    BertNormalizer { chinese: bool },
    /// Sets `add_prefix_space` of a post-processor that has it.
    PostPrefixSpace,
    /// Sets `trim_offsets` of a post-processor that has it, by default to true.
    PostTrimOffsets,
    /// Sets `add_prefix_space` wherever it is false in the pre-tokenizer and the decoder, if it is asked for.
    PrefixSpaceEverywhere,
    /// Replaces the post-processor by a template of the beginning and the end of a text, with the defaults of
    /// `add_bos_token` and `add_eos_token`.
    BosEos { bos: bool, eos: bool },
    /// Replaces the post-processor by a template with the code of a language.
    Language(Language),
    /// Needs the slow class, which reads another file, if `add_prefix_space` is given.
    PrefixSpaceFromSlow,
    /// Needs the slow class if the padding, end or unknown token differs from the default.
    TokensFromSlow,
    /// Splits words with a dictionary that is not in the model's files.
    Jieba,
    /// Refuses `add_bos_token`.
    NoBos,
    /// Needs a Sequence of pre-tokenizers.
    NeedsSequence,
}

/// The place of the code of a language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Language {
    /// The code if the files do not set `src_lang`.
    pub default: &'static str,
    pub place: CodePlace,
    /// True if the class refuses a code that is not in its list.
    pub is_checked: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodePlace {
    /// The code, the text, the end.
    Before,
    /// The text, the end, the code.
    After,
    /// `Before`, or `After` if `legacy_behaviour` is set.
    BeforeUnlessLegacy,
    /// `Before`, and the code is written `__eng__`.
    BeforeInUnderscores,
}

/// How the class of a tokenizer decodes (`decode` of the fast classes of transformers 4.48.3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Decoding {
    /// With the decoder of the file alone.
    #[default]
    Plain,
    /// CLIP: the suffix of a word's last piece becomes a space, and the ends are stripped.
    WordSuffix,
    /// Whisper: a prompt before the transcript is a special token as a whole, and timestamps are left out.
    Transcript,
    /// CTC: equal ids in a row count once, and padding is left out.
    Grouped,
}
