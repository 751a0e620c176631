//! The pre-tokenizers of the families, as their files have them.

use serde_json::{Value, json};

use super::super::kind_runs::NUMBER;
use super::super::patterns;
use super::oracle::Pair;

/// Returns a split into the matches of a pattern and the parts between.
pub fn split(pattern: &str) -> Value {
    json!({"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false})
}

/// Returns a split into the matches of a pattern.
pub fn matches(pattern: &str) -> Value {
    json!({"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Removed", "invert": true})
}

pub fn byte_level(use_regex: bool) -> Value {
    json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": use_regex})
}

pub fn sequence(steps: &[Value]) -> Value {
    json!({"type": "Sequence", "pretokenizers": steps})
}

fn digits(individual: bool) -> Value {
    json!({"type": "Digits", "individual_digits": individual})
}

fn punctuation(behavior: &str) -> Value {
    json!({"type": "Punctuation", "behavior": behavior})
}

fn text(text: &str, behavior: &str) -> Value {
    json!({"type": "Split", "pattern": {"String": text}, "behavior": behavior, "invert": false})
}

const QWEN: &str = concat!(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|",
    r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
);
const QWEN_3_5: &str = concat!(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}|",
    r" ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
);

/// Returns all pre-tokenizers that are compared: each known pattern by itself, and the sequences.
pub fn families() -> Vec<Pair> {
    let known = patterns::KNOWN.iter().filter(|(_, rules)| !rules.markers);
    let mut pairs: Vec<Pair> = known
        .clone()
        .map(|(pattern, _)| Pair::new(pattern, &split(pattern)))
        .collect();
    // Other patterns match all characters.
    let partial = known.filter(|(_, rules)| rules.matched() & NUMBER == 0);
    pairs.extend(partial.map(|(pattern, _)| Pair::new(pattern, &matches(pattern))));
    pairs.extend(steps().iter().map(|(name, step)| Pair::new(name, step)));
    pairs
}

fn steps() -> Vec<(&'static str, Value)> {
    let numbers = split(r"\p{N}{1,3}");
    let kana_or_han = split("[一-龥぀-ゟ゠-ヿ]+");
    let deepseek = concat!(
        "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|",
        "[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+|",
        " ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"
    );
    let spark = concat!(
        "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|",
        "[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+|",
        " ?[\\p{P}\\p{S}]+|[\r\n]|\\s+(?!\\S)|\\s+"
    );
    let minicpm = concat!(
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}+|",
        r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    );
    let clip = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";
    let bloom = r" ?[^(\s|[.,!?…。，、।۔،])]+";
    vec![
        ("GPT-2", byte_level(true)),
        ("bytes", byte_level(false)),
        (
            "GPT-2 after a space",
            json!({"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true}),
        ),
        (
            "bytes after a space",
            json!({"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": false}),
        ),
        ("nothing", sequence(&[])),
        (
            "DeepSeek V3",
            sequence(&[
                numbers.clone(),
                kana_or_han.clone(),
                split(deepseek),
                byte_level(false),
            ]),
        ),
        (
            "Spark",
            sequence(&[
                numbers.clone(),
                kana_or_han.clone(),
                split(spark),
                digits(true),
                byte_level(false),
            ]),
        ),
        (
            "MiniCPM 5",
            sequence(&[numbers.clone(), split(minicpm), byte_level(false)]),
        ),
        (
            "A.X",
            sequence(&[kana_or_han.clone(), split(QWEN), byte_level(false)]),
        ),
        (
            "ideographs and marks",
            sequence(&[kana_or_han, split(QWEN_3_5), byte_level(false)]),
        ),
        ("StarCoder", sequence(&[digits(true), byte_level(true)])),
        (
            "Digits and GPT-2",
            sequence(&[digits(false), byte_level(true)]),
        ),
        (
            "Punctuation and GPT-2",
            sequence(&[punctuation("Contiguous"), byte_level(true)]),
        ),
        ("CLIP", sequence(&[matches(clip), byte_level(true)])),
        (
            "DeepSeek Coder",
            sequence(&[
                split("[\r\n]"),
                split(r"\s?\p{L}+"),
                split(r"\s?\p{P}+"),
                split("[一-龥ࠀ-一가-퟿]+"),
                digits(true),
                byte_level(false),
            ]),
        ),
        (
            "Falcon",
            sequence(&[
                punctuation("Contiguous"),
                byte_level(true),
                digits(false),
                split("[0-9][0-9][0-9]"),
            ]),
        ),
        ("BLOOM", sequence(&[split(bloom), byte_level(false)])),
        ("BERT", json!({"type": "BertPreTokenizer"})),
        (
            "CharDelimiterSplit",
            json!({"type": "CharDelimiterSplit", "delimiter": "é"}),
        ),
        ("FixedLength", json!({"type": "FixedLength", "length": 3})),
        ("Whitespace", json!({"type": "Whitespace"})),
        ("WhitespaceSplit", json!({"type": "WhitespaceSplit"})),
        (
            "WhitespaceSplit and more",
            sequence(&[
                json!({"type": "WhitespaceSplit"}),
                punctuation("Isolated"),
                digits(true),
                byte_level(false),
            ]),
        ),
        (
            "WhitespaceSplit and GPT-2",
            sequence(&[json!({"type": "WhitespaceSplit"}), byte_level(true)]),
        ),
        (
            "Punctuation and Whitespace",
            sequence(&[
                punctuation("Contiguous"),
                digits(true),
                json!({"type": "Whitespace"}),
            ]),
        ),
        ("Digits", digits(false)),
        ("individual Digits", digits(true)),
        ("numbers", numbers),
        ("Punctuation", json!({"type": "Punctuation"})),
        ("Punctuation Removed", punctuation("Removed")),
        ("Punctuation Contiguous", punctuation("Contiguous")),
        (
            "Punctuation MergedWithPrevious",
            punctuation("MergedWithPrevious"),
        ),
        ("Punctuation MergedWithNext", punctuation("MergedWithNext")),
        ("Gemma", text(" ", "MergedWithPrevious")),
        ("text Removed", text("'", "Removed")),
        ("text Isolated", text("ee", "Isolated")),
        ("text Contiguous", text("!", "Contiguous")),
        ("text MergedWithPrevious", text("!", "MergedWithPrevious")),
        ("text MergedWithNext", text(" ", "MergedWithNext")),
    ]
}
