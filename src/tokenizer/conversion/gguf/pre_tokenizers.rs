//! The pre-tokenizers that byte-level vocabularies name.
//!
//! The names, and the rules that come with them, are those of `src/llama-vocab.cpp` of llama.cpp. The patterns are those
//! of the `tokenizer.json` that each name was made for.

use serde_json::{Value, json};

use super::kind::unsupported;
use crate::error::Result;
use crate::formats::gguf::VocabularySettings;
use crate::tokenizer::conversion::steps;

/// What a name stands for.
#[derive(Debug)]
pub struct PreTokenizer {
    names: &'static [&'static str],
    pub words: Words,
    /// The text is normalized to NFC first, as the `tokenizer.json` asks. llama.cpp does not do so.
    pub composes: bool,
    /// A word that is a token is not split.
    pub ignores_merges: bool,
    /// The token for the beginning is added, unless the file says otherwise.
    pub adds_bos: bool,
}

/// How a text is split into words.
#[derive(Debug, Clone, Copy)]
pub enum Words {
    /// By the pattern of GPT-2.
    Gpt2,
    /// By that pattern, after each digit.
    Digits,
    /// By patterns, one after another.
    Patterns(&'static [&'static str]),
    /// By patterns, and each digit.
    PatternsAndDigits(&'static [&'static str]),
    /// As Falcon does.
    Falcon,
}

impl Words {
    /// Returns the steps of a `tokenizer.json`.
    pub fn steps(self) -> Value {
        let isolated = |pattern: &&str| steps::split(pattern, "Isolated", false);
        let digits = || json!({"type": "Digits", "individual_digits": true});
        let bytes = || steps::byte_level(false, true, false);
        let words = || steps::byte_level(false, true, true);
        match self {
            Self::Gpt2 => words(),
            Self::Digits => steps::pre_tokenizers(&[digits(), words()]),
            Self::Patterns(patterns) => {
                let mut list: Vec<Value> = patterns.iter().map(isolated).collect();
                list.push(bytes());
                steps::pre_tokenizers(&list)
            }
            Self::PatternsAndDigits(patterns) => {
                let mut list: Vec<Value> = patterns.iter().map(isolated).collect();
                list.extend([digits(), bytes()]);
                steps::pre_tokenizers(&list)
            }
            Self::Falcon => steps::pre_tokenizers(&[
                json!({"type": "Punctuation", "behavior": "Contiguous"}),
                words(),
                json!({"type": "Digits", "individual_digits": false}),
                isolated(&"[0-9][0-9][0-9]"),
            ]),
        }
    }
}

/// Returns the pre-tokenizer that a file names. One without a name has the one called `default`.
///
/// # Errors
/// Fails with [`Error::Unsupported`](crate::error::Error::Unsupported) if the name is unknown, or stands for something
/// that cannot be reproduced.
pub fn find(file: &str, settings: &VocabularySettings) -> Result<&'static PreTokenizer> {
    let name = settings.pre.as_deref().filter(|name| !name.is_empty());
    let name = name.unwrap_or("default");
    let found = KNOWN.iter().find(|known| known.names.contains(&name));
    found.ok_or_else(|| {
        let problem = format!("its pre-tokenizer is `{name}`, which is not supported");
        unsupported(file, &problem)
    })
}

const PLAIN: PreTokenizer = PreTokenizer {
    names: &[],
    words: Words::Gpt2,
    composes: false,
    ignores_merges: false,
    adds_bos: false,
};

const GPT2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
const LLAMA_3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN_2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN_3_5: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const O200K: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const KIMI: &str = r"[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const DEEPSEEK_3: &[&str] = &[
    r"\p{N}{1,3}",
    "[一-龥぀-ゟ゠-ヿ]+",
    r##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"##,
];
/// The patterns of DeepSeek LLM before its digits.
const DEEPSEEK_LLM: &[&str] = &[
    "[\r\n]",
    r"\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+",
    r"\s?[!-/:-~！-／：-～‘-‟　-。]+",
    r"\s+$",
    "[一-龥ࠀ-一가-퟿]+",
];
/// The patterns of DeepSeek Coder before its digits.
const DEEPSEEK_CODER: &[&str] = &["[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[一-龥ࠀ-一가-퟿]+"];
const BLOOM: &str = r" ?[^(\s|[.,!?…。，、।۔،])]+";
const BAILING: &str = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+";
const SEED_CODER: &str = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1}| ?[^\\s\\p{L}\\p{N}\r\n]+|\\s*[\r\n]+|\\s+(?!\\S)|\\s+";
/// The pattern of llama.cpp for files without a name.
const DEFAULT: &[&str] = &[r"[\p{P}\$\+<=>\^~\|]+", GPT2, r"\p{N}+", "[0-9][0-9][0-9]"];

/// Returns a pre-tokenizer with these names.
const fn named(names: &'static [&'static str], of: PreTokenizer) -> PreTokenizer {
    PreTokenizer { names, ..of }
}

/// Returns a pre-tokenizer with this pattern.
const fn split(
    names: &'static [&'static str],
    pattern: &'static [&'static str],
    of: PreTokenizer,
) -> PreTokenizer {
    PreTokenizer {
        names,
        words: Words::Patterns(pattern),
        ..of
    }
}

const COMPOSED: PreTokenizer = PreTokenizer {
    composes: true,
    ..PLAIN
};

const DIGITS: PreTokenizer = PreTokenizer {
    words: Words::Digits,
    ..PLAIN
};

const KNOWN: &[PreTokenizer] = &[
    split(&["default"], DEFAULT, PLAIN),
    PreTokenizer {
        ignores_merges: true,
        adds_bos: true,
        ..split(
            &[
                "llama3",
                "llama-v3",
                "llama-bpe",
                "falcon3",
                "falcon-h1",
                "pixtral",
                "midm-2.0",
                "lfm2",
                "jina-v5-nano",
            ],
            &[LLAMA_3],
            PLAIN,
        )
    },
    split(
        &["dbrx", "smaug-bpe", "chatglm-bpe", "glm4"],
        &[LLAMA_3],
        PLAIN,
    ),
    PreTokenizer {
        words: Words::PatternsAndDigits(DEEPSEEK_LLM),
        ..named(&["deepseek-llm"], PLAIN)
    },
    PreTokenizer {
        words: Words::PatternsAndDigits(DEEPSEEK_CODER),
        ..named(&["deepseek-coder"], PLAIN)
    },
    split(
        &["deepseek-v3", "hunyuan-dense", "hy_v4", "joyai-llm"],
        DEEPSEEK_3,
        PLAIN,
    ),
    PreTokenizer {
        words: Words::Falcon,
        ..named(&["falcon"], PLAIN)
    },
    named(
        &[
            "gpt-2",
            "phi-2",
            "jina-es",
            "jina-de",
            "gigachat",
            "jina-v2-es",
            "jina-v2-de",
            "a.x-4.0",
            "mellum",
            "jina-v1-en",
            "jina-v2-code",
            "roberta-bpe",
            "jais",
            "exaone4",
        ],
        PLAIN,
    ),
    named(&["mpt", "olmo", "modern-bert"], COMPOSED),
    named(&["trillion", "granite-docling"], PLAIN),
    named(
        &[
            "starcoder",
            "refact",
            "codeshell",
            "exaone",
            "minerva-7b",
            "mellum2",
            "smollm",
        ],
        DIGITS,
    ),
    PreTokenizer {
        composes: true,
        ..named(&["command-r"], DIGITS)
    },
    split(
        &[
            "deepseek-r1-qwen",
            "kormo",
            "f2llmv2",
            "hunyuan",
            "solar-open",
            "grok-2",
            "megrez",
        ],
        &[QWEN_2],
        PLAIN,
    ),
    PreTokenizer {
        composes: true,
        ..split(&["qwen2"], &[QWEN_2], PLAIN)
    },
    split(&["stablelm2"], &[QWEN_2], COMPOSED),
    PreTokenizer {
        composes: true,
        ..split(&["qwen35"], &[QWEN_3_5], PLAIN)
    },
    split(&["bloom", "gpt3-finnish", "poro-chat"], &[BLOOM], PLAIN),
    PreTokenizer {
        words: Words::PatternsAndDigits(&[BLOOM]),
        ..named(&["viking"], PLAIN)
    },
    PreTokenizer {
        ignores_merges: true,
        adds_bos: true,
        ..split(&["tekken"], &[TEKKEN], PLAIN)
    },
    split(
        &["gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"],
        &[O200K],
        PLAIN,
    ),
    split(
        &["bailingmoe", "bailingmoe2", "llada-moe"],
        &[BAILING],
        PLAIN,
    ),
    split(&["seed-coder"], &[SEED_CODER], PLAIN),
    split(&["kimi-k2"], &[KIMI], PLAIN),
];
