//! Tokenizers and settings made to attack the program, each with the error it must cause.

use tokscope::formats::checkpoint::ShardIndex;
use tokscope::formats::model_config::ModelConfig;
use tokscope::formats::sentencepiece::SentencePieceModel;

use crate::checkpoint_attacks::header_sentence;
use crate::memory::{MAX_SMALL, with_peak};
use crate::targets::{open_model, use_model};
use crate::{Stopwatch, TOO_MUCH, repository};

/// Returns the `tokenizer.json` of a seed with one part replaced.
fn with(seed: &str, part: &str, value: serde_json::Value) -> Vec<u8> {
    let path = repository("fuzz/seeds/tokenizer_json").join(seed);
    let mut json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    json[part] = value;
    serde_json::to_vec(&json).unwrap()
}

/// Opens and uses a `tokenizer.json` and checks that this takes little memory. Returns the error message.
fn sentence(json: &[u8]) -> String {
    let (outcome, held) = with_peak(|| open_model(&[("tokenizer.json", json)]));
    // The file itself is read before it is parsed.
    assert!(held < MAX_SMALL + json.len(), "{held} bytes");
    with_peak(|| use_model(&[("tokenizer.json", json)]));
    outcome.map_or_else(|error| error.to_string(), |_| "it opens".to_owned())
}

const SEEDS: [&str; 3] = ["unigram_library.json", "wordpiece.json", "bpe.json"];

#[test]
fn a_character_map_that_claims_gigabytes_is_refused_without_allocating_them() {
    for seed in SEEDS {
        // FF FF FF FF and four bytes, in base64. The oldest files have steps without a type.
        for map in [
            serde_json::json!({"type": "Precompiled", "precompiled_charsmap": "/////wAAAAA="}),
            serde_json::json!({"precompiled_charsmap": "/////wAAAAA="}),
            serde_json::json!({"type": "Sequence", "normalizers": [{"type": "Precompiled", "precompiled_charsmap": "/////wAAAAA="}]}),
        ] {
            let sentence = sentence(&with(seed, "normalizer", map));
            assert!(
                sentence.ends_with("claims 4294967295 bytes of rules, but has 4"),
                "{sentence}"
            );
        }
    }
    let mut spm = std::fs::read(repository("fuzz/seeds/spm/with_map.model")).unwrap();
    let length = 4096_u32.to_le_bytes();
    let at = spm.windows(4).rposition(|bytes| bytes == length).unwrap();
    spm[at..at + 4].fill(0xff);
    let config = br#"{"tokenizer_class": "DebertaV2Tokenizer"}"#;
    let (error, held) = with_peak(|| {
        open_model(&[("tokenizer_config.json", config), ("spm.model", &spm)]).unwrap_err()
    });
    assert!(
        error.to_string().contains("claims 4294967295 bytes"),
        "{error}"
    );
    assert!(held < MAX_SMALL, "{held} bytes");
}

#[test]
fn a_malformed_character_map_does_not_panic() {
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
fn a_contradictory_step_does_not_panic_in_a_unigram_model() {
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
fn deeply_nested_steps_end_in_time() {
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
            let watch = Stopwatch::start();
            for seed in SEEDS {
                use_model(&[("tokenizer.json", &with(seed, part, steps.clone()))]);
            }
            let time = watch.time();
            assert!(time.as_secs() < 20, "{part} {name:?}: {time:?}");
        }
    }
}

#[test]
fn a_step_of_millions_of_values_is_refused() {
    let values = vec![r#"{"":0}"#; 1 << 20].join(",");
    for part in ["normalizer", "pre_tokenizer", "post_processor", "decoder"] {
        let json = format!(
            r#"{{"model":{{"vocab":{{"a":0}}}},"{part}":{{"type":"Sequence","x":[{values}]}}}}"#
        );
        let sentence = sentence(json.as_bytes());
        assert!(
            sentence.contains("a step has more than 65536 values"),
            "{sentence}"
        );
    }
}

#[test]
fn an_unknown_field_of_millions_of_values_takes_no_memory() {
    let values = vec!["0"; 1 << 20].join(",");
    for model in [
        format!(r#""type":"WordLevel","vocab":{{"a":0}},"unk_token":"a","x":[{values}]"#),
        format!(r#""type":"BPE","vocab":{{"a":0}},"merges":[[[{values}]]]"#),
        format!(r#""type":"Unigram","vocab":[["a",0]],"unk_id":0,"x":{{"y":[{values}]}}"#),
    ] {
        let sentence = sentence(format!(r#"{{"model":{{{model}}}}}"#).as_bytes());
        assert!(
            sentence.contains("its unknown fields have more than 65536 values"),
            "{sentence}"
        );
    }
    let json = with("wordpiece.json", "decoder", serde_json::Value::Null);
    for name in [
        "tokenizer_config.json",
        "special_tokens_map.json",
        "config.json",
    ] {
        let settings = format!(r#"{{"x":[{values}]}}"#);
        let files = [
            ("tokenizer.json", json.as_slice()),
            (name, settings.as_bytes()),
        ];
        let (outcome, held) = with_peak(|| open_model(&files).map(drop));
        assert!(outcome.is_ok());
        assert!(held < MAX_SMALL, "{name}: {held} bytes");
        let (_, held) = with_peak(|| ModelConfig::parse(name, settings.as_bytes()).unwrap());
        assert!(held < 1 << 20, "{held} bytes");
    }
    let index = format!(r#"{{"metadata":[{values}],"weight_map":{{"a":"b"}}}}"#);
    let (_, held) = with_peak(|| ShardIndex::parse("index", index.as_bytes()).unwrap());
    assert!(held < 1 << 20, "{held} bytes");
    let entry =
        format!(r#"{{"a":{{"dtype":"F16","shape":[0],"data_offsets":[0,0],"x":[{values}]}}}}"#);
    assert_eq!(header_sentence(&entry), "it opens");
}

#[test]
fn a_vocabulary_of_millions_of_pieces_is_refused() {
    let three_million = |item: &str| vec![item; 3 << 20].join(",");
    for json in [
        format!(
            r#"{{"model":{{"type":"Unigram","unk_id":0,"vocab":[{}]}}}}"#,
            three_million(r#"["",0]"#)
        ),
        format!(
            r#"{{"model":{{"type":"BPE","vocab":{{{}}}}}}}"#,
            three_million(r#""":0"#)
        ),
        format!(
            r#"{{"model":{{"type":"BPE","vocab":{{"a":0}},"merges":[{}]}}}}"#,
            three_million(r#"["",""]"#)
        ),
        format!(
            r#"{{"model":{{"vocab":{{"a":0}}}},"added_tokens":[{}]}}"#,
            three_million(r#"{"content":""}"#)
        ),
    ] {
        let (outcome, held) = with_peak(|| open_model(&[("tokenizer.json", json.as_bytes())]));
        let sentence = outcome.map_or_else(|error| error.to_string(), |_| "it opens".to_owned());
        assert!(
            sentence.contains("a list has more than 2097152 items"),
            "{sentence}"
        );
        assert!(held < TOO_MUCH, "{held} bytes");
    }
    let spm = [0x0a, 0].repeat(3 << 20);
    let (error, held) = with_peak(|| SentencePieceModel::parse("spm.model", &spm).unwrap_err());
    assert!(
        error.to_string().contains("more than 2 million pieces"),
        "{error}"
    );
    assert!(held < TOO_MUCH, "{held} bytes");
}

#[test]
fn hundreds_of_thousands_of_special_tokens_are_read_in_time() {
    let tokens: Vec<String> = (0..200_000).map(|token| format!("<{token}>")).collect();
    let decoder: serde_json::Map<String, serde_json::Value> = (0..)
        .zip(&tokens)
        .map(|(id, token)| (id.to_string(), serde_json::json!({"content": token})))
        .collect();
    let json = with("wordpiece.json", "decoder", serde_json::Value::Null);
    for (name, settings) in [
        (
            "tokenizer_config.json",
            serde_json::json!({"additional_special_tokens": tokens}),
        ),
        (
            "special_tokens_map.json",
            serde_json::json!({"additional_special_tokens": tokens}),
        ),
        (
            "tokenizer_config.json",
            serde_json::json!({"added_tokens_decoder": decoder}),
        ),
    ] {
        let settings = serde_json::to_vec(&settings).unwrap();
        let watch = Stopwatch::start();
        let outcome = open_model(&[("tokenizer.json", &json), (name, &settings)]);
        assert!(outcome.is_ok());
        let time = watch.time();
        assert!(time.as_secs() < 20, "{name}: {time:?}");
    }
}

#[test]
fn long_values_are_truncated_in_error_messages() {
    let long = "A".repeat(1 << 20);
    let json = with("wordpiece.json", "decoder", serde_json::Value::Null);
    for (name, settings) in [
        (
            "tokenizer_config.json",
            serde_json::json!({"added_tokens_decoder": long}),
        ),
        (
            "special_tokens_map.json",
            serde_json::json!({"additional_special_tokens": long}),
        ),
        ("added_tokens.json", serde_json::json!({"a": long})),
    ] {
        let settings = serde_json::to_vec(&settings).unwrap();
        let files: &[(&str, &[u8])] = &[("tokenizer.json", &json), (name, &settings)];
        let sentence = open_model(files).map(drop).unwrap_err().to_string();
        assert!(
            sentence.contains("A…A") && sentence.len() < 2000,
            "{sentence:.3000}"
        );
    }
}

#[test]
fn deep_nesting_is_refused_in_every_json_file() {
    let deep = |name: &str| {
        format!(
            r#"{{"{name}":{}1{}}}"#,
            "[".repeat(100_000),
            "]".repeat(100_000)
        )
    };
    let json = with("wordpiece.json", "decoder", serde_json::Value::Null);
    for (name, field) in [
        ("tokenizer.json", "normalizer"),
        ("tokenizer_config.json", "added_tokens_decoder"),
        ("tokenizer_config.json", "unknown"),
        ("special_tokens_map.json", "cls_token"),
        ("added_tokens.json", "token"),
    ] {
        let bytes = deep(field);
        let files: &[(&str, &[u8])] = &[("tokenizer.json", &json), (name, bytes.as_bytes())];
        let sentence = open_model(files).map(drop).unwrap_err().to_string();
        assert!(
            sentence.contains(name) && sentence.contains("is damaged"),
            "{sentence}"
        );
    }
    for field in ["vocab_size", "unknown", "text_config"] {
        let sentence = ModelConfig::parse("config.json", deep(field).as_bytes())
            .unwrap_err()
            .to_string();
        assert!(sentence.starts_with("config.json is damaged"), "{sentence}");
    }
    assert!(ShardIndex::parse("index", deep("weight_map").as_bytes()).is_err());
}

#[test]
fn repeated_names_are_read_as_by_the_reference() {
    let json = with("wordpiece.json", "decoder", serde_json::Value::Null);
    let open = |name, bytes: &[u8]| open_model(&[("tokenizer.json", &json), (name, bytes)]);
    let config = br#"{"tokenizer_class": "A", "tokenizer_class": "B"}"#;
    let tokenizer = open("tokenizer_config.json", config).unwrap();
    assert_eq!(tokenizer.class(), Some("B"));
    assert!(
        open(
            "special_tokens_map.json",
            br#"{"cls_token": "a", "cls_token": "b"}"#
        )
        .is_ok()
    );
    let config = br#"{"vocab_size": 1, "vocab_size": 2}"#;
    assert_eq!(
        ModelConfig::parse("config.json", config)
            .unwrap()
            .vocab_size,
        Some(2)
    );
}
