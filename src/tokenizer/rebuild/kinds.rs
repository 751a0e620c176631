//! What a class of transformers 5 builds: a model from the pieces of the files, and steps of its own.

use crate::tokenizer::class::{CodePlace, Decoding, TokenDefault};

/// A class of tokenizers.
#[derive(Debug)]
pub struct Class {
    /// The names of the class, without `Fast`: its own, and those that stand for it.
    pub names: &'static [&'static str],
    /// The special tokens that the files do not name, in the order of `SpecialTokensMap::named`.
    pub tokens: [TokenDefault; 7],
    pub additional: Additional,
    /// Special tokens with names of their own.
    pub specific: &'static [(&'static str, &'static str)],
    /// The default of `add_prefix_space`.
    pub prefix_space: bool,
    /// True if the class passes a padding token on, even if that is `None`. Otherwise that of the `tokenizer.json` counts.
    pub passes_padding: bool,
    /// `None` if the tokenizer of the file is taken as it stands.
    pub build: Option<&'static Build>,
    pub ending: Ending,
    /// What is added after all.
    pub again: Again,
    pub decoding: Decoding,
}

/// The additional special tokens of a class. They count only if the files have no `extra_special_tokens`.
#[derive(Debug, Clone, Copy)]
pub enum Additional {
    /// Those that the files name.
    Named,
    /// These, if the files have none.
    Default(&'static [&'static str]),
    /// These, then the others that the files name.
    First(&'static [&'static str]),
    /// Those that the files name, then the others of these.
    Last(&'static [&'static str]),
    /// Those that the files name, then all of these, though the files name some.
    Appended(&'static [&'static str]),
    /// Those that the files name, then those with names of their own.
    Specific,
    /// `<extra_id_0>` and so on, `extra_ids` of them.
    ExtraIds,
    /// `<mask_1>`, and `<unk_2>` and so on up to `offset`.
    Pegasus,
}

/// What is added once more after the special tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    Nothing,
    /// All special tokens, without their rules.
    WithoutRules,
    /// All special tokens, as such (`_post_init`).
    AsSpecial,
}

/// A model and the steps around it.
#[derive(Debug)]
pub struct Build {
    /// The special tokens that the class looks for among the pieces, by their places in `SpecialTokensMap::named`.
    pub needs: &'static [usize],
    /// The pieces that the class puts around those of a file without language codes.
    pub languages: Option<&'static [&'static str]>,
    pub model: Model,
    pub normalizer: &'static [Normalize],
    pub words: Words,
    pub decoder: Decode,
}

/// The file that has the pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    Json,
    SentencePiece,
    /// A `vocab.json`, with a `merges.txt`.
    Merges,
    /// A `vocab.txt`.
    Lines,
}

impl Build {
    /// Returns the file that has the pieces of a model without a `tokenizer.json`.
    pub fn file_kind(&self) -> FileKind {
        match (self.model, self.words) {
            (Model::WordPiece, _) => FileKind::Lines,
            (Model::Bpe(bpe), Words::ByteLevel | Words::ByteLevelTrimmed | Words::Pattern(_))
                if bpe.suffix.is_none() =>
            {
                FileKind::Merges
            }
            _ => FileKind::SentencePiece,
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub enum Model {
    Unigram(Unknown),
    Bpe(Bpe),
    WordPiece,
}

/// The unknown piece of a Unigram model.
#[derive(Debug, Clone, Copy)]
pub enum Unknown {
    Id(u32),
    /// The first piece that is the unknown token and has the score 0, or else that of a SentencePiece file, or this id.
    WithoutScore(u32),
    /// As `WithoutScore`, but with this id even for a SentencePiece file.
    WithoutScoreOr(u32),
    /// The first piece that is the unknown token, or else this id.
    Named(u32),
    /// That of a SentencePiece file, or else this id.
    OfFile(u32),
    /// A piece after the first that is the unknown token and has the score 0.
    AfterFirst,
}

/// The settings of a BPE model.
#[derive(Debug, Clone, Copy)]
pub struct Bpe {
    /// True if the unknown token stands for what no piece can spell.
    pub has_unknown: bool,
    pub fuses_unknown: bool,
    pub byte_fallback: bool,
    pub suffix: Option<&'static str>,
}

/// A step of a normalizer.
#[derive(Debug, Clone, Copy)]
pub enum Normalize {
    /// Replaces what a regular expression matches.
    Regex(&'static str, &'static str),
    Text(&'static str, &'static str),
    /// A step without settings.
    Plain(&'static str),
    StripRight,
    /// If `do_lower_case`, which has this default.
    LowercaseIf(bool),
    /// NFKD and no accents, unless `keep_accents`, which has this default.
    NoAccentsUnless(bool),
    /// The character map of the files, if they have one.
    Charsmap,
    /// One of two steps, with and without a character map in the files.
    IfCharsmap(&'static [Self], &'static [Self]),
    /// The normalizer of BERT. Takes `do_lower_case`, unless the class does not pass it on.
    Bert(Bert),
}

/// What the normalizer of BERT takes from the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bert {
    All,
    /// All but `do_lower_case`.
    LowerCase,
    /// Also `clean_text`.
    Funnel,
    /// Nothing: cased, without accents removed.
    Herbert,
    /// Nothing: lower case, as the library's defaults are.
    OpenAi,
}

/// The pre-tokenizer.
#[derive(Debug, Clone, Copy)]
pub enum Words {
    Metaspace {
        /// After a split at white space.
        white_space: bool,
        prepend: Prepend,
        split: bool,
    },
    /// As `Metaspace`, after a split at punctuation if `split_by_punct`.
    DebertaV2,
    ByteLevel,
    /// With `trim_offsets` of the settings.
    ByteLevelTrimmed,
    Bert,
    Gemma,
    Clip,
    Cohere,
    /// This pattern, then bytes.
    Pattern(&'static str),
    Nougat,
    /// White space, then the dictionary of jieba, which tokscope does not have.
    Jieba,
}

/// When a mark is put before a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prepend {
    Always,
    First,
    /// By `add_prefix_space`.
    AlwaysOrFirst,
    AlwaysOrNever,
    FirstOrNever,
    /// By `add_prefix_space`, and before every part of a text if `legacy`.
    Legacy,
}

#[derive(Debug, Clone, Copy)]
pub enum Decode {
    /// As the pre-tokenizer prepends.
    Metaspace,
    ByteLevel,
    WordPiece,
    Suffix(&'static str),
    /// Byte fallback. The space of the first word is left out if `add_prefix_space`, if always, or never.
    Bytes(Strip),
    /// Metaspace, then byte fallback.
    MetaspaceBytes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strip {
    IfPrefixSpace,
    Always,
    Never,
}

/// The post-processor.
#[derive(Debug, Clone, Copy)]
pub enum Ending {
    /// That of the file, or else nothing.
    OfFile,
    /// That of the file, or else this.
    OfFileOr(&'static Self),
    /// The beginning and the end of a text, with the default of `add_bos_token`. With a `tokenizer.json`, the settings do
    /// not count.
    BosEos(bool),
    /// Templates, in which `{cls}` stands for the `cls_token`, and so on.
    Template(&'static str, &'static str),
    /// RobertaProcessing: whether offsets are trimmed, and whether a space is added.
    Roberta(Flag, Flag),
    /// RobertaProcessing with the tokens of CLIP.
    Clip,
    /// BertProcessing with the ids that the class has.
    Herbert,
    ByteLevel,
    Language {
        default: &'static str,
        place: CodePlace,
    },
    Whisper,
    Splinter,
}

/// A flag of a post-processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flag {
    Is(bool),
    TrimOffsets,
    PrefixSpace,
}
