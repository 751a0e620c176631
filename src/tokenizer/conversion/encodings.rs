//! The patterns and special tokens of OpenAI's encodings (`openai_public.py` of tiktoken 0.14), and which encoding a file
//! has.

use super::steps;
use crate::formats::tokenizer_json::RestJson;
use crate::model_ref::{ENCODINGS, EXTENSION, Encoding};
use crate::source::digest::hex;
use crate::tokenizer::native::is_known_pattern;

/// The words of the encodings up to `p50k_edit`.
const R50K_WORDS: &str =
    r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s";
/// The words of `cl100k_base`. tiktoken spells `\p{N}{1,3}+`, which Oniguruma would repeat: there is nothing after it that
/// could take a digit back.
const CL100K_WORDS: &str = concat!(
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*+|",
    r"\s++$|\s*[\r\n]|\s+(?!\S)|\s",
);
/// The words of `o200k_base` and `o200k_harmony`.
const O200K_WORDS: &str = concat!(
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|",
    r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
);

pub const END_OF_TEXT: &str = "<|endoftext|>";

/// The special tokens of each encoding, with their ids.
const SPECIAL: &[(&str, &[(&str, u32)])] = &[
    ("gpt2", &[(END_OF_TEXT, 50256)]),
    ("r50k_base", &[(END_OF_TEXT, 50256)]),
    ("p50k_base", &[(END_OF_TEXT, 50256)]),
    (
        "p50k_edit",
        &[
            (END_OF_TEXT, 50256),
            ("<|fim_prefix|>", 50281),
            ("<|fim_middle|>", 50282),
            ("<|fim_suffix|>", 50283),
        ],
    ),
    (
        "cl100k_base",
        &[
            (END_OF_TEXT, 100_257),
            ("<|fim_prefix|>", 100_258),
            ("<|fim_middle|>", 100_259),
            ("<|fim_suffix|>", 100_260),
            ("<|endofprompt|>", 100_276),
        ],
    ),
    (
        "o200k_base",
        &[(END_OF_TEXT, 199_999), ("<|endofprompt|>", 200_018)],
    ),
    (
        "o200k_harmony",
        &[
            ("<|startoftext|>", 199_998),
            (END_OF_TEXT, 199_999),
            ("<|return|>", 200_002),
            ("<|constrain|>", 200_003),
            ("<|channel|>", 200_005),
            ("<|start|>", 200_006),
            ("<|end|>", 200_007),
            ("<|message|>", 200_008),
            ("<|call|>", 200_012),
            ("<|endofprompt|>", 200_018),
        ],
    ),
];

/// The reserved tokens of `o200k_harmony`. The one of `<|endofprompt|>` has both texts.
const RESERVED: [std::ops::Range<u32>; 4] = [
    200_000..200_002,
    200_004..200_005,
    200_009..200_012,
    200_013..201_088,
];

/// Returns the steps of an encoding.
pub fn steps_of(encoding: &Encoding) -> RestJson {
    let words = match encoding.name {
        "cl100k_base" => CL100K_WORDS,
        "o200k_base" | "o200k_harmony" => O200K_WORDS,
        _ => R50K_WORDS,
    };
    byte_level(words)
}

/// Returns steps that split a text by a pattern and take the bytes of its words.
pub fn byte_level(words: &str) -> RestJson {
    let bytes = steps::byte_level(false, true, false);
    // Characters that the pattern does not match have no tokens. The known patterns match all.
    let split = match is_known_pattern(words) {
        true => steps::split(words, "Isolated", false),
        false => steps::split(words, "Removed", true),
    };
    RestJson {
        pre_tokenizer: steps::pre_tokenizers(&[split, bytes]),
        decoder: steps::byte_level(false, true, false),
        ..RestJson::default()
    }
}

/// Returns the special tokens of an encoding with their ids, in order of id.
pub fn special_tokens(encoding: &Encoding) -> Vec<(String, u32)> {
    let named = SPECIAL.iter().find(|(name, _)| *name == encoding.name);
    let named = named.map_or(&[][..], |(_, tokens)| tokens);
    let mut tokens: Vec<(String, u32)> = Vec::new();
    // Before the named ones: of two tokens with one id, decoding takes the last.
    if encoding.name == "o200k_harmony" {
        let reserved = RESERVED.into_iter().flatten();
        tokens.extend(reserved.map(|id| (format!("<|reserved_{id}|>"), id)));
    }
    tokens.extend(named.iter().map(|(text, id)| ((*text).to_owned(), *id)));
    tokens.sort_by_key(|(_, id)| *id);
    tokens
}

/// Returns the encoding that a file has: the published one with its digest and, of several, with its name. A file with
/// another digest has the encoding that it is named after.
pub fn encoding_of(file_name: &str, sha256: &[u8; 32]) -> Option<&'static Encoding> {
    let name = file_name.rsplit('/').next().unwrap_or(file_name);
    let stem = name.strip_suffix(EXTENSION);
    let named = stem.and_then(Encoding::find);
    let sha256 = hex(sha256);
    let mut published = ENCODINGS
        .iter()
        .filter(|encoding| encoding.file.sha256 == sha256);
    // The published file of GPT-2 is of another format, and has the same vocabulary.
    let named = match named {
        Some(named) if named.name == "gpt2" && !is_published(named, &sha256) => {
            Encoding::find("r50k_base")
        }
        named => named,
    };
    match named {
        Some(named) if is_published(named, &sha256) => Some(named),
        named => published.next().or(named),
    }
}

fn is_published(encoding: &Encoding, sha256: &str) -> bool {
    encoding.file.sha256 == sha256
}
