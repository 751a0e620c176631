use super::*;

fn sequence(steps: &[Value]) -> Value {
    json!({"type": "Sequence", "pretokenizers": steps})
}

fn byte_level(add_prefix_space: bool, use_regex: bool) -> Value {
    json!({"type": "ByteLevel", "add_prefix_space": add_prefix_space, "trim_offsets": true, "use_regex": use_regex})
}

fn split(pattern: &Value, behavior: &str, invert: bool) -> Value {
    json!({"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert})
}

const LLAMA_3: &str = concat!(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|",
    r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
);
const CLIP: &str =
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";

#[test]
fn byte_level_steps_map_bytes_and_may_add_a_space() {
    let flags = |step: &Value| {
        let recognized = PreTokenizer::from_json(step).unwrap();
        (recognized.byte_level, recognized.add_prefix_space)
    };
    assert_eq!(flags(&Value::Null), (false, false));
    assert_eq!(flags(&json!({"type": "Whitespace"})), (false, false));
    assert_eq!(flags(&byte_level(false, true)), (true, false));
    assert_eq!(flags(&byte_level(true, false)), (true, true));
    let nested = sequence(&[sequence(&[byte_level(true, true)])]);
    assert_eq!(flags(&nested), (true, true));
    // The pattern of GPT-2 is the default.
    let default = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false});
    assert_eq!(flags(&default), (true, false));
}

/// A step that is not understood in every part is left to the crate.
#[test]
fn other_steps_are_not_recognized() {
    let llama = json!({"Regex": LLAMA_3});
    let isolated = split(&llama, "Isolated", false);
    let digits = json!({"type": "Digits", "individual_digits": true});
    let clip = split(&json!({"Regex": CLIP}), "Removed", true);
    assert!(
        PreTokenizer::from_json(&sequence(&[isolated.clone(), byte_level(false, false)])).is_some()
    );
    let others = [
        json!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true}),
        json!({"type": "Other"}),
        json!("Whitespace"),
        json!({}),
        json!({"type": "Split"}),
        json!({"type": "Digits"}),
        json!({"type": "Punctuation", "behavior": "Elsewhere"}),
        json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": null}),
        json!({"type": "Sequence"}),
        json!({"type": "FixedLength", "length": 0}),
        json!({"type": "CharDelimiterSplit"}),
        split(
            &json!({"Regex": LLAMA_3.replace("{1,3}", "{1,4}")}),
            "Isolated",
            false,
        ),
        split(
            &json!({"Regex": format!("(?:{LLAMA_3})")}),
            "Isolated",
            false,
        ),
        split(
            &json!({"Regex": LLAMA_3.replace(r"\r", r"\\r")}),
            "Isolated",
            false,
        ),
        split(&llama, "Contiguous", false),
        split(&llama, "MergedWithNext", false),
        split(&llama, "Removed", false),
        split(&llama, "Isolated", true),
        split(&json!({"String": ""}), "Isolated", false),
        split(&json!({"String": "a"}), "Isolated", true),
        split(&json!({"String": "a", "Regex": "a"}), "Isolated", false),
        split(&json!({"Regex": "a"}), "Isolated", false),
        // Two patterns, and steps in another order.
        sequence(&[isolated.clone(), byte_level(false, true)]),
        sequence(&[isolated.clone(), isolated.clone()]),
        sequence(&[byte_level(false, false), isolated.clone()]),
        sequence(&[byte_level(false, true), digits.clone()]),
        sequence(&[isolated.clone(), digits.clone(), byte_level(false, false)]),
        // Every part would get a space.
        sequence(&[digits.clone(), byte_level(true, true)]),
        // A group of three numbers would be split.
        sequence(&[
            split(&json!({"Regex": r"\p{N}{1,3}"}), "Isolated", false),
            split(
                &json!({"Regex": LLAMA_3.replace("{1,3}", "")}),
                "Isolated",
                false,
            ),
        ]),
        // The markers are words.
        clip.clone(),
        sequence(&[clip.clone(), byte_level(false, false)]),
        sequence(&[
            split(&json!({"Regex": CLIP}), "Isolated", false),
            byte_level(false, true),
        ]),
        sequence(&[digits, clip, byte_level(false, true)]),
    ];
    for step in others {
        assert!(PreTokenizer::from_json(&step).is_none(), "{step}");
    }
}
