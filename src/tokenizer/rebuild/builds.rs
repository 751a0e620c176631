//! The models and steps that the classes of transformers 5.24 build.

use super::kinds::{Bert, Bpe, Build, Decode, Model, Normalize, Prepend, Strip, Unknown, Words};
use crate::tokenizer::class::MBART50;

/// What DeBERTa and BARThez do with white space.
const WHITE_SPACE: Normalize = Normalize::Regex(r"\s{2,}|[\n\r\t]", " ");
const SPACES: Normalize = Normalize::Regex(" {2,}", " ");
const QUOTES: [Normalize; 2] = [Normalize::Text("``", "\""), Normalize::Text("''", "\"")];
const NFC: Normalize = Normalize::Plain("NFC");
const QWEN2_WORDS: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN3_5_WORDS: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

const fn unigram(unknown: Unknown, normalizer: &'static [Normalize], words: Words) -> Build {
    Build {
        needs: &[],
        languages: None,
        model: Model::Unigram(unknown),
        normalizer,
        words,
        decoder: Decode::Metaspace,
    }
}

const fn metaspace(prepend: Prepend) -> Words {
    Words::Metaspace {
        white_space: false,
        prepend,
        split: true,
    }
}

const fn after_white_space(prepend: Prepend) -> Words {
    Words::Metaspace {
        white_space: true,
        prepend,
        split: true,
    }
}

const PLAIN_BPE: Bpe = Bpe {
    has_unknown: false,
    fuses_unknown: false,
    byte_fallback: false,
    suffix: None,
};
/// BPE with an unknown token, which stands for several characters.
const FUSED_BPE: Bpe = Bpe {
    has_unknown: true,
    fuses_unknown: true,
    ..PLAIN_BPE
};

const fn byte_level(normalizer: &'static [Normalize], words: Words) -> Build {
    Build {
        needs: &[],
        languages: None,
        model: Model::Bpe(PLAIN_BPE),
        normalizer,
        words,
        decoder: Decode::ByteLevel,
    }
}

const fn word_piece(bert: &'static [Normalize], words: Words) -> Build {
    Build {
        needs: &[],
        languages: None,
        model: Model::WordPiece,
        normalizer: bert,
        words,
        decoder: Decode::WordPiece,
    }
}

pub const BERT: Build = word_piece(&[Normalize::Bert(Bert::All)], Words::Bert);
pub const DPR: Build = word_piece(&[Normalize::Bert(Bert::LowerCase)], Words::Bert);
pub const FUNNEL: Build = word_piece(&[Normalize::Bert(Bert::Funnel)], Words::Bert);
pub const ROFORMER: Build = word_piece(&[Normalize::Bert(Bert::All)], Words::Jieba);

pub const DEBERTA_V2: Build = unigram(
    Unknown::WithoutScore(1),
    &[
        Normalize::LowercaseIf(false),
        WHITE_SPACE,
        NFC,
        Normalize::StripRight,
    ],
    Words::DebertaV2,
);
pub const BARTHEZ: Build = unigram(
    Unknown::Id(3),
    &[WHITE_SPACE, NFC, Normalize::StripRight],
    metaspace(Prepend::AlwaysOrNever),
);
pub const ALBERT: Build = Build {
    needs: &[3, 5],
    ..unigram(
        Unknown::Id(1),
        &[
            QUOTES[0],
            QUOTES[1],
            Normalize::NoAccentsUnless(false),
            Normalize::LowercaseIf(true),
            Normalize::Charsmap,
        ],
        after_white_space(Prepend::AlwaysOrNever),
    )
};
pub const REMBERT: Build = unigram(
    Unknown::Id(2),
    &[
        QUOTES[0],
        QUOTES[1],
        SPACES,
        Normalize::NoAccentsUnless(true),
        Normalize::LowercaseIf(false),
        Normalize::Charsmap,
    ],
    metaspace(Prepend::AlwaysOrNever),
);
pub const XLNET: Build = unigram(
    Unknown::OfFile(0),
    &[
        QUOTES[0],
        QUOTES[1],
        Normalize::Plain("NFKD"),
        Normalize::Plain("StripAccents"),
        Normalize::LowercaseIf(false),
        Normalize::Charsmap,
    ],
    after_white_space(Prepend::Always),
);
pub const BIG_BIRD: Build = unigram(
    Unknown::WithoutScoreOr(100),
    &[Normalize::Regex(" {2,}", "▁")],
    metaspace(Prepend::AlwaysOrNever),
);
pub const LAYOUT_XLM: Build = unigram(
    Unknown::Id(3),
    &[Normalize::StripRight, Normalize::Regex(" {2,}", "▁")],
    metaspace(Prepend::AlwaysOrNever),
);
pub const CAMEMBERT: Build = unigram(
    Unknown::Named(0),
    &[Normalize::Charsmap],
    after_white_space(Prepend::AlwaysOrNever),
);
pub const XLM_ROBERTA: Build = unigram(
    Unknown::Id(3),
    &[Normalize::Charsmap],
    after_white_space(Prepend::AlwaysOrNever),
);
pub const XGLM: Build = unigram(
    Unknown::Id(3),
    &[Normalize::Charsmap, SPACES],
    metaspace(Prepend::AlwaysOrNever),
);
pub const T5: Build = unigram(
    Unknown::Id(2),
    &[Normalize::Charsmap],
    after_white_space(Prepend::Always),
);
pub const LASR: Build = unigram(
    Unknown::Id(3),
    &[Normalize::Charsmap],
    after_white_space(Prepend::Always),
);
pub const UDOP: Build = unigram(Unknown::Named(2), &[], after_white_space(Prepend::Always));
pub const PEGASUS: Build = unigram(
    Unknown::AfterFirst,
    &[
        Normalize::IfCharsmap(&[Normalize::Charsmap], &[Normalize::Regex(r"\n", " ")]),
        SPACES,
    ],
    metaspace(Prepend::Always),
);
pub const MBART: Build = unigram(Unknown::Id(3), &[], after_white_space(Prepend::Always));
pub const MBART_50: Build = Build {
    languages: Some(MBART50),
    ..unigram(
        Unknown::Id(3),
        &[Normalize::Charsmap, SPACES],
        metaspace(Prepend::Always),
    )
};
pub const NLLB: Build = Build {
    needs: &[],
    languages: None,
    model: Model::Bpe(FUSED_BPE),
    normalizer: &[Normalize::IfCharsmap(&[Normalize::Charsmap, SPACES], &[])],
    words: metaspace(Prepend::Always),
    decoder: Decode::Metaspace,
};
pub const REFORMER: Build = NLLB;
pub const SEAMLESS: Build = Build {
    normalizer: &[
        Normalize::Regex(r"[\n\r\t]", " "),
        Normalize::Plain("NFKC"),
        Normalize::StripRight,
        Normalize::Regex(" +▁", "▁"),
        Normalize::Regex("^▁+$", ""),
        Normalize::Regex(" {2,}", "▁"),
    ],
    words: metaspace(Prepend::First),
    ..NLLB
};
pub const BYTE_LEVEL: Build = byte_level(&[], Words::ByteLevel);
pub const GPT_NEOX: Build = byte_level(&[NFC], Words::ByteLevelTrimmed);
pub const COHERE: Build = byte_level(&[NFC], Words::Cohere);
pub const QWEN2: Build = byte_level(&[NFC], Words::Pattern(QWEN2_WORDS));
pub const QWEN3_5: Build = byte_level(&[NFC], Words::Pattern(QWEN3_5_WORDS));
pub const NOUGAT: Build = byte_level(&[Normalize::Plain("NFKC")], Words::Nougat);
const SUFFIX_BPE: Bpe = Bpe {
    has_unknown: true,
    suffix: Some("</w>"),
    ..PLAIN_BPE
};
pub const CLIP: Build = Build {
    needs: &[],
    languages: None,
    model: Model::Bpe(SUFFIX_BPE),
    normalizer: &[
        NFC,
        Normalize::Regex(r"\s+", " "),
        Normalize::Plain("Lowercase"),
    ],
    words: Words::Clip,
    decoder: Decode::ByteLevel,
};
pub const OPENAI_GPT: Build = Build {
    normalizer: &[Normalize::Bert(Bert::OpenAi)],
    words: Words::Bert,
    decoder: Decode::Suffix("</w>"),
    ..CLIP
};
pub const HERBERT: Build = Build {
    normalizer: &[Normalize::Bert(Bert::Herbert)],
    ..OPENAI_GPT
};
const BYTES_BPE: Bpe = Bpe {
    has_unknown: false,
    fuses_unknown: true,
    byte_fallback: true,
    suffix: None,
};
pub const LLAMA: Build = Build {
    needs: &[],
    languages: None,
    model: Model::Bpe(BYTES_BPE),
    normalizer: &[],
    words: Words::Metaspace {
        white_space: false,
        prepend: Prepend::Legacy,
        split: false,
    },
    decoder: Decode::Bytes(Strip::IfPrefixSpace),
};
pub const CODE_LLAMA: Build = Build {
    model: Model::Bpe(Bpe {
        has_unknown: true,
        ..BYTES_BPE
    }),
    words: Words::Metaspace {
        white_space: false,
        prepend: Prepend::FirstOrNever,
        split: false,
    },
    decoder: Decode::Bytes(Strip::Always),
    ..LLAMA
};
pub const GEMMA: Build = Build {
    normalizer: &[Normalize::Text(" ", "▁")],
    words: Words::Gemma,
    decoder: Decode::Bytes(Strip::Never),
    ..CODE_LLAMA
};
pub const SIGLIP2: Build = Build {
    normalizer: &[Normalize::Plain("Lowercase"), Normalize::Text(" ", "▁")],
    ..GEMMA
};
pub const TIPS: Build = Build {
    needs: &[],
    languages: None,
    model: Model::Bpe(BYTES_BPE),
    normalizer: &[Normalize::LowercaseIf(true), Normalize::Charsmap],
    words: after_white_space(Prepend::Always),
    decoder: Decode::MetaspaceBytes,
};
