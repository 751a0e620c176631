//! Attacks by name: files that were made to break the program, and what it says to them.

use crate::memory::most_held;
use crate::repository;
use crate::targets::{open_model, use_model};

/// Bytes that a small file may make the program hold.
const LITTLE: usize = 16 << 20;

/// The `tokenizer.json` of a seed with another normalizer or decoder.
fn with(seed: &str, part: &str, value: serde_json::Value) -> Vec<u8> {
    let path = repository("fuzz/seeds/tokenizer_json").join(seed);
    let mut json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    json[part] = value;
    serde_json::to_vec(&json).unwrap()
}

/// What opening and using it comes to, which takes little memory.
fn sentence(json: &[u8]) -> String {
    let (outcome, held) = most_held(|| open_model(&[("tokenizer.json", json)]));
    assert!(held < LITTLE, "{held} bytes");
    most_held(|| use_model(&[("tokenizer.json", json)]));
    outcome.map_or_else(|error| error.to_string(), |_| "it opens".to_owned())
}

const SEEDS: [&str; 3] = ["unigram_library.json", "wordpiece.json", "bpe.json"];

#[test]
fn a_character_map_that_claims_gigabytes_is_refused_before_they_are_allocated() {
    for seed in SEEDS {
        // FF FF FF FF and four bytes, in base64; with its name and, as the oldest files have it, without.
        for map in [
            serde_json::json!({"type": "Precompiled", "precompiled_charsmap": "/////wAAAAA="}),
            serde_json::json!({"precompiled_charsmap": "/////wAAAAA="}),
            serde_json::json!({"type": "Sequence", "normalizers": [{"type": "Precompiled", "precompiled_charsmap": "/////wAAAAA="}]}),
        ] {
            let sentence = sentence(&with(seed, "normalizer", map));
            assert!(
                sentence.ends_with("claims 4294967295 bytes of rules and has 4"),
                "{sentence}"
            );
        }
    }
    let mut spm = std::fs::read(repository("fuzz/seeds/spm/with_map.model")).unwrap();
    let length = 4096_u32.to_le_bytes();
    let at = spm.windows(4).rposition(|bytes| bytes == length).unwrap();
    spm[at..at + 4].fill(0xff);
    let config = br#"{"tokenizer_class": "DebertaV2Tokenizer"}"#;
    let (error, held) = most_held(|| {
        open_model(&[("tokenizer_config.json", config), ("spm.model", &spm)]).unwrap_err()
    });
    assert!(
        error.to_string().contains("claims 4294967295 bytes"),
        "{error}"
    );
    assert!(held < LITTLE, "{held} bytes");
}

#[test]
fn a_character_map_that_is_none_makes_no_panic() {
    for map in [
        serde_json::json!("A"),
        serde_json::json!("AAAA"),
        serde_json::json!("AAAAAA=="),
        serde_json::json!(null),
        serde_json::json!(7),
    ] {
        let step = serde_json::json!({"type": "Precompiled", "precompiled_charsmap": map});
        for seed in SEEDS {
            use_model(&[("tokenizer.json", &with(seed, "normalizer", step.clone()))]);
        }
    }
}

#[test]
fn a_step_that_contradicts_itself_makes_no_panic_in_a_unigram_model_either() {
    let step = serde_json::json!({"type": "FixedLength", "length": 0});
    let json = with("unigram_library.json", "pre_tokenizer", step);
    use_model(&[("tokenizer.json", &json)]);
}

#[test]
fn a_normalizer_that_multiplies_a_text_is_refused() {
    let step = |kind: &str, pattern: &str, content: &str| serde_json::json!({"type": "Replace", "pattern": {kind: pattern}, "content": content});
    for replace in [
        step("String", "a", "aaaaaaaaaa"),
        step("Regex", "a", "aaaaaaaaaa"),
        step("Regex", "a*", "aaa"),
        step("String", "", "aaa"),
    ] {
        let steps = vec![replace; 30];
        for seed in SEEDS {
            let bomb = serde_json::json!({"type": "Sequence", "normalizers": steps});
            let refused = sentence(&with(seed, "normalizer", bomb));
            assert!(refused.contains("times as long"), "{refused}");
            let bomb = serde_json::json!({"type": "Sequence", "decoders": steps});
            let refused = sentence(&with(seed, "decoder", bomb));
            assert!(refused.contains("times as long"), "{refused}");
        }
    }
}

#[test]
fn steps_within_steps_end() {
    for (part, list) in [
        ("normalizer", "normalizers"),
        ("pre_tokenizer", "pretokenizers"),
        ("decoder", "decoders"),
        ("post_processor", "processors"),
    ] {
        for name in [Some("Sequence"), None] {
            let mut steps = serde_json::json!({list: []});
            for _ in 0..50 {
                steps = serde_json::json!({list: [steps]});
                if let Some(name) = name {
                    steps["type"] = name.into();
                }
            }
            let start = std::time::Instant::now();
            for seed in SEEDS {
                use_model(&[("tokenizer.json", &with(seed, part, steps.clone()))]);
            }
            let time = start.elapsed();
            assert!(time.as_secs() < 20, "{part} {name:?}: {time:?}");
        }
    }
}
