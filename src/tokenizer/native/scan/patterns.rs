//! Patterns by their text.

use super::kind_runs::{BLANK, LINE_BREAK, MARK, NUMBER, PUNCTUATION, SYMBOL, WHITE};
use super::rules::{Contractions, LETTER, Rules, Suffix, White, Words};

/// The pattern of GPT-2, which `ByteLevel` uses by itself.
pub const GPT2: Rules = Rules {
    markers: false,
    contractions: Contractions::Exact,
    punctuated: false,
    words: Words::Run(LETTER),
    prefix: BLANK,
    digits: usize::MAX,
    spaced_digits: true,
    others: !(WHITE | LETTER | NUMBER),
    spaced_others: true,
    suffix: Suffix::None,
    white: White::Runs,
    dropped: false,
};

/// The pattern of Qwen 2 and 3.
const QWEN: Rules = Rules {
    contractions: Contractions::Folded,
    prefix: !(LINE_BREAK | LETTER | NUMBER),
    digits: 1,
    spaced_digits: false,
    suffix: Suffix::Lines,
    white: White::Lines,
    ..GPT2
};

/// The pattern of Qwen 3.5, whose words have marks.
const QWEN_3_5: Rules = Rules {
    words: Words::Run(LETTER | MARK),
    others: !(WHITE | LETTER | MARK | NUMBER),
    ..QWEN
};

/// The pattern of tiktoken's `cl100k_base` and of Llama 3.
const CL100K: Rules = Rules { digits: 3, ..QWEN };

/// The pattern of tiktoken's `o200k_base`.
const O200K: Rules = Rules {
    contractions: Contractions::None,
    words: Words::Cased {
        contracted: true,
        han: false,
    },
    suffix: Suffix::LinesAndSlashes,
    ..CL100K
};

/// The pattern of Mistral's Tekken.
const TEKKEN: Rules = Rules {
    words: Words::Cased {
        contracted: false,
        han: false,
    },
    digits: 1,
    ..O200K
};

/// The pattern of Kimi K2.
const KIMI: Rules = Rules {
    words: Words::Cased {
        contracted: true,
        han: true,
    },
    suffix: Suffix::Lines,
    ..O200K
};

/// The last of the three patterns of DeepSeek V3.
const DEEPSEEK: Rules = Rules {
    contractions: Contractions::None,
    punctuated: true,
    words: Words::Run(LETTER | MARK),
    prefix: !(LINE_BREAK | LETTER | PUNCTUATION | SYMBOL),
    digits: 0,
    others: PUNCTUATION | SYMBOL,
    ..QWEN
};

/// The pattern of CLIP.
const CLIP: Rules = Rules {
    markers: true,
    prefix: 0,
    digits: 1,
    spaced_digits: false,
    spaced_others: false,
    white: White::None,
    ..GPT2
};

/// Returns the pattern with this text. Returns `None` if it is unknown.
pub fn rules(pattern: &str) -> Option<Rules> {
    // Line breaks are written as themselves or as escapes.
    let pattern = pattern.replace('\r', r"\r").replace('\n', r"\n");
    let known = KNOWN.iter().find(|(text, _)| *text == pattern);
    known.map(|(_, rules)| *rules)
}

/// Returns true if a pattern has a scanner.
pub fn is_known(pattern: &str) -> bool {
    rules(pattern).is_some()
}

/// The known patterns, as tokenizer files spell them, and their rules.
#[rustfmt::skip]
pub const KNOWN: &[(&str, Rules)] = &[
    (r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+", GPT2),
    (r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+", GPT2),
    (r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s", GPT2),
    (
        concat!(
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|",
            r"\s*[\r\n]+|\s+(?!\S)|\s+",
        ),
        QWEN,
    ),
    (
        concat!(
            r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|",
            r"\s*[\r\n]|\s+(?!\S)|\s+",
        ),
        QWEN,
    ),
    (
        concat!(
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|",
            r"\s*[\r\n]+|\s+(?!\S)|\s+",
        ),
        Rules { suffix: Suffix::None, ..QWEN },
    ),
    (
        concat!(
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}|",
            r" ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        ),
        QWEN_3_5,
    ),
    (
        concat!(
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|",
            r"\s*[\r\n]+|\s+(?!\S)|\s+",
        ),
        CL100K,
    ),
    (
        concat!(
            r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|",
            r"\s*[\r\n]|\s+(?!\S)|\s+",
        ),
        CL100K,
    ),
    (
        concat!(
            r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*+|",
            r"\s*[\r\n]|\s+(?!\S)|\s+",
        ),
        CL100K,
    ),
    (
        concat!(
            r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*+|",
            r"\s++$|\s*[\r\n]|\s+(?!\S)|\s",
        ),
        Rules { white: White::LinesAndEnd, ..CL100K },
    ),
    // Oniguruma has no possessive intervals: `+` repeats the interval.
    (
        concat!(
            r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|",
            r"\s++$|\s*[\r\n]|\s+(?!\S)|\s",
        ),
        Rules { digits: usize::MAX, white: White::LinesAndEnd, ..CL100K },
    ),
    (
        concat!(
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}+| ?[^\s\p{L}\p{N}]+[\r\n]*|",
            r"\s*[\r\n]+|\s+(?!\S)|\s+",
        ),
        Rules { digits: usize::MAX, ..CL100K },
    ),
    (
        concat!(
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|",
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|",
            r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        ),
        O200K,
    ),
    (
        concat!(
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|",
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}|",
            r" ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        ),
        TEKKEN,
    ),
    (
        concat!(
            r"[\p{Han}]+|",
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|",
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|",
            r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        ),
        KIMI,
    ),
    (
        concat!(
            r##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|"##,
            r" ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        ),
        DEEPSEEK,
    ),
    (
        concat!(
            r##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|"##,
            r" ?[\p{P}\p{S}]+|[\r\n]|\s+(?!\S)|\s+",
        ),
        Rules { suffix: Suffix::None, white: White::LineByLine, ..DEEPSEEK },
    ),
    (r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+", CLIP),
];
