//! Refuses small tokenizer files that would exhaust memory, before a tokenizer is built from them.
//!
//! A character map may claim gigabytes of rules, and each step may multiply the length of a text.

use std::collections::HashMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use regex_syntax::Parser;
use serde_json::Value;

use crate::error::{Error, Result};

/// The largest factor by which all steps together may lengthen a text. Published tokenizers stay below 400: NFKC turns
/// one character into up to eighteen, and other steps add almost nothing.
const MAX_GROWTH: f64 = 10_000.0;

/// The largest number of bytes of a piece of a Unigram model. The search for pieces may compare as many at every position
/// of a text. The longest published pieces, of spaces and dashes, have a few hundred.
pub const MAX_PIECE_LENGTH: usize = 1 << 14;

/// Returns the problem with a piece that exceeds [`MAX_PIECE_LENGTH`].
pub fn too_long_piece(index: usize, length: usize) -> String {
    format!("piece {index} has {length} bytes, but the limit is {MAX_PIECE_LENGTH}")
}

/// Checks a character map: the length of its rules (`u32`), the rules, and a pool of replacements.
///
/// # Errors
/// Fails with [`Error::Damaged`] if it claims more rules than it has, or if a replacement is too long.
pub fn check_charsmap(name: &str, map: &[u8]) -> Result<()> {
    charsmap_growth(name, map).and_then(|growth| check_growth(name, growth))
}

/// The largest number of times that a post-processor may repeat a text. Published ones repeat none.
const MAX_COPIES: f64 = 100.0;
/// The largest number of special tokens that a post-processor may add. Published ones add a few.
const MAX_SPECIAL: f64 = 65_536.0;

/// Checks steps of a `tokenizer.json` that run one after the other: normalizer and pre-tokenizer, or decoder.
///
/// # Errors
/// Fails like [`check_charsmap`], and if the steps together can make a text too long.
pub fn check_steps(name: &str, steps: &[&Value]) -> Result<()> {
    let mut growth = 1.0;
    for step in steps {
        growth *= step_growth(name, step)?;
    }
    check_growth(name, growth)
}

/// Checks the post-processor of a `tokenizer.json`.
///
/// # Errors
/// Fails with [`Error::Damaged`] if it repeats a text too often, or adds too many special tokens.
pub fn check_post_processor(name: &str, post_processor: &Value) -> Result<()> {
    let (copies, special) = repetitions(post_processor);
    if copies > MAX_COPIES {
        return Err(Error::damaged(
            name,
            format!(
                "its template repeats a text {copies:.0} times, but the limit is {MAX_COPIES} times"
            ),
        ));
    }
    if special > MAX_SPECIAL {
        return Err(Error::damaged(
            name,
            format!(
                "its template adds {special:.0} special tokens, but the limit is {MAX_SPECIAL}"
            ),
        ));
    }
    Ok(())
}

/// Returns how often a post-processor can repeat a text, and how many special tokens it can add.
fn repetitions(step: &Value) -> (f64, f64) {
    let list = |name: &str| step.get(name).and_then(Value::as_array);
    let mut all = (1.0, 0.0);
    for inner in list("processors").into_iter().flatten() {
        let (copies, special) = repetitions(inner);
        all = (all.0 * copies, all.1 * copies + special);
    }
    for template in [list("single"), list("pair")].into_iter().flatten() {
        let of = |kind: &str, id: &str| {
            let named = |part: &&Value| part.get(kind).is_some_and(|part| part["id"] == *id);
            template.iter().filter(named).count() as f64
        };
        all.0 = of("Sequence", "A").max(of("Sequence", "B")).max(all.0);
        let mut special = 0.0;
        for (name, token) in step
            .get("special_tokens")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let ids = token
                .get("ids")
                .and_then(Value::as_array)
                .map_or(0, Vec::len);
            special += of("SpecialToken", name) * ids as f64;
        }
        all.1 = special.max(all.1);
    }
    all
}

fn check_growth(name: &str, growth: f64) -> Result<()> {
    if growth <= MAX_GROWTH {
        return Ok(());
    }
    Err(Error::damaged(
        name,
        format!(
            "its steps can make a text {growth:.0} times as long, but the limit is {MAX_GROWTH} times"
        ),
    ))
}

/// Returns the largest factor by which a character map can lengthen a text.
fn charsmap_growth(name: &str, map: &[u8]) -> Result<f64> {
    // A shorter map allocates nothing and is refused elsewhere.
    let Some((claimed, rest)) = map.split_first_chunk::<4>() else {
        return Ok(1.0);
    };
    let claimed = u32::from_le_bytes(*claimed);
    let pool = usize::try_from(claimed).ok().and_then(|at| rest.get(at..));
    let Some(pool) = pool else {
        return Err(Error::damaged(
            name,
            format!(
                "its character map claims {claimed} bytes of rules, but has {}",
                rest.len()
            ),
        ));
    };
    let longest = pool.split(|byte| *byte == 0).map(<[u8]>::len).max();
    Ok(longest.unwrap_or(0).max(1) as f64)
}

/// Returns the largest factor by which a step, including the steps inside it, can lengthen a text. In the oldest files,
/// steps have no `type`, so their kind is inferred from their fields.
fn step_growth(name: &str, step: &Value) -> Result<f64> {
    let mut growth = match step.get("type").and_then(Value::as_str) {
        // U+FDFA grows from 3 bytes to 33.
        Some("NFKC" | "NFKD") => 11.0,
        // Metaspace writes up to four bytes for a space.
        Some("Metaspace") => 4.0,
        Some("NFC" | "NFD" | "BertNormalizer") => 3.0,
        Some("Lowercase" | "ByteLevel") => 2.0,
        _ => 1.0,
    };
    // Every part of a text between added tokens gets its own.
    let prepended = step.get("prepend").and_then(Value::as_str);
    growth *= 1.0 + prepended.unwrap_or_default().len() as f64;
    for list in ["normalizers", "pretokenizers", "decoders"] {
        if let Some(steps) = step.get(list).and_then(Value::as_array) {
            growth *= sequence_growth(name, steps)?;
        }
    }
    if let Some(map) = step.get("precompiled_charsmap").and_then(Value::as_str)
        && let Ok(map) = BASE64_STANDARD.decode(map)
    {
        growth *= charsmap_growth(name, &map)?;
    }
    if let (Some(pattern), Some(content)) = (step.get("pattern"), step.get("content")) {
        let content = content.as_str().unwrap_or_default().len() as f64;
        let text = |kind| pattern.get(kind).and_then(Value::as_str);
        growth *= match (text("String"), text("Regex")) {
            (Some(pattern), _) if !pattern.is_empty() => content / pattern.len() as f64,
            (None, Some(pattern)) if shortest_match(pattern) > 0 => {
                content / shortest_match(pattern) as f64
            }
            // It may match at every position of the text.
            _ => content + 1.0,
        }
        .max(1.0);
    }
    Ok(growth)
}

/// Returns the largest factor by which steps that run one after the other can lengthen a text.
fn sequence_growth(name: &str, steps: &[Value]) -> Result<f64> {
    let mut growth = 1.0;
    let mut replaced = Vec::new();
    for step in steps {
        if let Some(replacement) = replaced_char(step) {
            replaced.push(replacement);
        } else {
            growth *= char_growth(&replaced) * step_growth(name, step)?;
            replaced.clear();
        }
    }
    Ok(growth * char_growth(&replaced))
}

/// Returns the character that a step replaces, and the replacement. Returns `None` for any other step.
fn replaced_char(step: &Value) -> Option<(char, &str)> {
    let is_replace = step.get("type")? == "Replace" && step.as_object()?.len() == 3;
    let pattern = step.get("pattern")?.get("String")?.as_str()?;
    let mut chars = pattern.chars();
    let (character, rest) = (chars.next()?, chars.next());
    let content = step.get("content")?.as_str()?;
    (is_replace && rest.is_none()).then_some((character, content))
}

/// Returns the largest factor by which replacements of single characters, one after the other, can lengthen a text. They
/// multiply only where one replaces what an earlier one has written.
fn char_growth(replaced: &[(char, &str)]) -> f64 {
    // The bytes that each character becomes in the end, from the last step to the first.
    let mut bytes: HashMap<char, f64> = HashMap::new();
    for (character, content) in replaced.iter().rev() {
        let of = |character: char| {
            let unchanged = character.len_utf8() as f64;
            bytes.get(&character).copied().unwrap_or(unchanged)
        };
        let all = content.chars().map(of).sum();
        bytes.insert(*character, all);
    }
    let growth = bytes
        .iter()
        .map(|(character, all)| all / character.len_utf8() as f64);
    growth.fold(1.0, f64::max)
}

/// Returns the length of a regular expression's shortest match in bytes, or 0 if it can match the empty string or
/// cannot be parsed here.
fn shortest_match(pattern: &str) -> usize {
    let parsed = Parser::new().parse(pattern).ok();
    parsed
        .and_then(|parsed| parsed.properties().minimum_len())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn growth_of(step: &Value) -> f64 {
        step_growth("tokenizer.json", step).unwrap()
    }

    #[test]
    fn growth_multiplies_over_all_steps() {
        let replace = |kind: &str, pattern: &str, content: &str| json!({"type": "Replace", "pattern": {kind: pattern}, "content": content});
        assert_eq!(growth_of(&Value::Null), 1.0);
        assert_eq!(growth_of(&replace("String", "ab", "abcdef")), 3.0);
        assert_eq!(growth_of(&replace("String", " ", "")), 1.0);
        assert_eq!(growth_of(&replace("Regex", " {2,}", " ")), 1.0);
        assert_eq!(growth_of(&replace("Regex", "x*", "a")), 2.0);
        assert_eq!(growth_of(&replace("Regex", "(?=x)", "aa")), 3.0);
        let twice = json!({"normalizers": [{"type": "NFKC"}, {"normalizers": [replace("String", "a", "aa")]}]});
        assert_eq!(growth_of(&twice), 22.0);
    }

    #[test]
    fn replacements_of_single_characters_multiply_only_if_they_meet() {
        let replace = |pattern: char, content: &str| {
            let pattern = json!({"String": pattern.to_string()});
            json!({"type": "Replace", "pattern": pattern, "content": content})
        };
        // As in Model2Vec's files: a space on both sides of each mark.
        let spaced = |mark: char| replace(mark, &format!(" {mark} "));
        let marks: Vec<Value> = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
            .chars()
            .map(spaced)
            .collect();
        let growth =
            |steps: &[Value]| growth_of(&json!({"type": "Sequence", "normalizers": steps}));
        assert_eq!(growth(&marks), 3.0);
        assert_eq!(growth(&[replace('a', "bb"), replace('b', "cc")]), 4.0);
        assert_eq!(growth(&[replace('b', "cc"), replace('a', "bb")]), 2.0);
        assert_eq!(growth(&[replace('a', "aa"), replace('a', "aa")]), 4.0);
        let between = json!({"type": "Lowercase"});
        assert_eq!(
            growth(&[replace('a', "bb"), between, replace('b', "cc")]),
            8.0
        );
        let doubled = (0..2000).map(|_| replace('a', "aa"));
        assert_eq!(growth(&doubled.collect::<Vec<_>>()), f64::INFINITY);
    }

    #[test]
    fn templates_are_counted_through_nested_sequences() {
        let text = json!({"Sequence": {"id": "A", "type_id": 0}});
        let token = json!({"SpecialToken": {"id": "x", "type_id": 0}});
        let template = |parts: &[&Value]| json!({"single": parts, "pair": [], "special_tokens": {"x": {"ids": [1, 2]}}});
        assert_eq!(repetitions(&Value::Null), (1.0, 0.0));
        assert_eq!(repetitions(&template(&[&token, &text, &token])), (1.0, 4.0));
        let twice = template(&[&text, &text, &token]);
        let nested = json!({"processors": [{"processors": [twice, twice]}, twice]});
        assert_eq!(repetitions(&nested), (8.0, 14.0));
    }

    #[test]
    fn a_map_that_claims_more_than_it_has_is_refused() {
        let check =
            |map: &[u8]| check_charsmap("spm.model", map).map_err(|error| error.to_string());
        assert_eq!(check(b""), Ok(()));
        assert_eq!(check(b"\x04\0\0\0\0\0\0\0a\0bc\0"), Ok(()));
        assert_eq!(
            check(b"\xff\xff\xff\xff\0\0\0\0"),
            Err("spm.model is damaged: its character map claims 4294967295 bytes of rules, but has 4".to_owned())
        );
        let long = [&b"\0\0\0\0"[..], &[b'a'; 20_000]].concat();
        assert!(check(&long).is_err_and(|text| text.contains("20000 times as long")));
    }
}
