//! Files made to attack the program, each with the error it must cause.

use tokscope::formats::checkpoint::{Checkpoint, ShardIndex};
use tokscope::formats::model_config::ModelConfig;
use tokscope::formats::sentencepiece::SentencePieceModel;
use tokscope::source::MemoryFile;

use crate::memory::with_peak;
use crate::targets::{archive, open_model, use_model};
use crate::{Stopwatch, repository};

/// Bytes that the program may hold for a small file.
const MAX_SMALL: usize = 16 << 20;
/// Bytes that the program may hold for any file, not counting the file itself.
const MAX_ANY: usize = 256 << 20;

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

/// Opens a checkpoint and checks that this takes less than `limit` bytes of memory. Returns the error message.
fn checkpoint_sentence(bytes: Vec<u8>, limit: usize) -> String {
    let file = MemoryFile::new("checkpoint", bytes);
    let (outcome, held) = with_peak(|| Checkpoint::open(&file).map(drop));
    assert!(held < limit, "{held} bytes");
    outcome.map_or_else(|error| error.to_string(), |()| "it opens".to_owned())
}

/// Opens a torch checkpoint with this pickle in a valid archive. Returns the error message.
fn pickle_sentence(pickle: &[u8]) -> String {
    let bytes = archive(&[("a/data.pkl", pickle), ("a/data/0", &[0; 64])]);
    checkpoint_sentence(bytes, MAX_ANY)
}

/// Opens a safetensors file with this header and no data. Returns the error message.
fn header_sentence(header: &str) -> String {
    let bytes = [&(header.len() as u64).to_le_bytes(), header.as_bytes()].concat();
    checkpoint_sentence(bytes, MAX_ANY)
}

#[test]
fn a_pickle_with_a_memo_bomb_is_refused() {
    // `q` memoizes a value, `h` pushes it again: lists of lists of lists, each a hundred times as large if it were copied.
    let mut pickle = b"\x80\x02]q\x00".to_vec();
    for level in 0..250_u8 {
        pickle.extend([b']', b'q', level + 1, b'(']);
        pickle.extend([b'h', level].repeat(100));
        pickle.push(b'e');
    }
    pickle.push(b'.');
    assert!(pickle_sentence(&pickle).ends_with("holds a list, not a dictionary of tensors"));
    // Values that are memoized and never used.
    let mut pickle = b"\x80\x02N".to_vec();
    for index in 0..=1_u32 << 20 {
        pickle.push(b'r');
        pickle.extend(index.to_le_bytes());
    }
    assert!(pickle_sentence(&pickle).ends_with("has more than 1048576 memoized values"));
}

#[test]
fn a_pickle_with_a_mark_bomb_is_refused() {
    let marks = [b"\x80\x02".to_vec(), vec![b'('; 1 << 20]].concat();
    assert!(pickle_sentence(&marks).ends_with("has more than 1000 open marks"));
    let values = [b"\x80\x02(".to_vec(), vec![b'N'; 1 << 20], b"t.".to_vec()].concat();
    assert!(pickle_sentence(&values).contains("has more than 131072 values"));
}

#[test]
fn a_pickle_of_millions_of_containers_is_refused() {
    for container in [&b"]0"[..], b"}0", b"N\x850", b")0"] {
        let pickle = [
            b"\x80\x02".to_vec(),
            container.repeat(1 << 20),
            b"N.".to_vec(),
        ]
        .concat();
        let sentence = pickle_sentence(&pickle);
        let known = [
            "has more than 1048576 containers",
            "has more than 2097152 opcodes",
        ];
        let refused = known.iter().any(|known| sentence.ends_with(known));
        assert!(refused || sentence.contains("holds None"), "{sentence}");
    }
    let nested = [
        b"\x80\x02N".to_vec(),
        vec![0x85; (1 << 21) - 3],
        b".".to_vec(),
    ]
    .concat();
    assert!(pickle_sentence(&nested).ends_with("has more than 1048576 containers"));
}

#[test]
fn a_zip_bomb_is_not_unpacked() {
    let mut bytes = archive(&[("a/data.pkl", b"\x80\x02}."), ("a/data/0", &[0; 64])]);
    // Sets the method in both headers of the entry to 8, deflate.
    bytes[8] = 8;
    let at = bytes
        .windows(4)
        .position(|part| part == b"PK\x01\x02")
        .unwrap();
    bytes[at + 10] = 8;
    let sentence = checkpoint_sentence(bytes, MAX_SMALL);
    assert!(
        sentence.contains("is compressed (zip method 8), but torch does not"),
        "{sentence}"
    );
}

#[test]
fn zip_entries_that_overlap_are_refused() {
    let mut bytes = archive(&[("a/data.pkl", b"\x80\x02}."), ("a/data/0", &[0; 64])]);
    let first = bytes
        .windows(4)
        .position(|part| part == b"PK\x01\x02")
        .unwrap();
    let second = first + 46 + "a/data.pkl".len();
    // Makes the second entry start where the first one does.
    bytes[second + 42..second + 46].fill(0);
    let sentence = checkpoint_sentence(bytes, MAX_SMALL);
    assert!(sentence.contains("must end before byte 0"), "{sentence}");
}

#[test]
fn a_zip_directory_that_claims_gigabytes_is_refused() {
    let mut bytes = archive(&[("a/data.pkl", b"\x80\x02}."), ("a/data/0", &[0; 64])]);
    let end = bytes.len() - 22;
    bytes[end + 12..end + 16].fill(0xff);
    let sentence = checkpoint_sentence(bytes, MAX_SMALL);
    assert!(
        sentence.contains("its zip directory has 4294967295 bytes"),
        "{sentence}"
    );
}

#[test]
fn a_safetensors_header_of_a_million_tensors_is_refused() {
    let entry = |name| format!(r#""{name}":{{"dtype":"F16","shape":[],"data_offsets":[0,0]}}"#);
    let entries: Vec<String> = (0..1 << 20).map(entry).collect();
    let sentence = header_sentence(&format!("{{{}}}", entries.join(",")));
    assert!(
        sentence.contains("its header: it has more than 524288 names"),
        "{sentence}"
    );
}

#[test]
fn a_contradictory_safetensors_header_is_refused() {
    for (header, problem) in [
        (
            r#"{"a":{"dtype":"F16","shape":[4294967296,4294967296,2],"data_offsets":[0,0]}}"#,
            "too large for 64-bit sizes",
        ),
        (
            r#"{"a":{"dtype":"F16","shape":[18446744073709551616],"data_offsets":[0,0]}}"#,
            "invalid",
        ),
        (
            r#"{"a":{"dtype":"F16","shape":[-1],"data_offsets":[0,0]}}"#,
            "invalid value",
        ),
        (
            r#"{"a":{"dtype":"F16","shape":[1e3],"data_offsets":[0,0]}}"#,
            "invalid type",
        ),
        (
            r#"{"a":{"dtype":"F16","shape":[NaN],"data_offsets":[0,0]}}"#,
            "expected value",
        ),
        (
            r#"{"a":{"dtype":"F16","shape":[],"data_offsets":[0,18446744073709551615]}}"#,
            "is at bytes 0 to",
        ),
        (
            r#"{"a":{"dtype":"F16","shape":[],"data_offsets":[0,0]},"a":{}}"#,
            "missing field `dtype`",
        ),
    ] {
        let sentence = header_sentence(header);
        assert!(sentence.contains(problem), "{sentence}");
    }
    let deep = format!(
        r#"{{"__metadata__":{}{}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert!(header_sentence(&deep).contains("invalid type: sequence"));
    let name = [&7_u64.to_le_bytes()[..], b"{\"\xff\":0}"].concat();
    assert!(checkpoint_sentence(name, MAX_SMALL).contains("its header: "));
}

#[test]
fn an_index_of_a_million_tensors_is_refused() {
    let entries: Vec<String> = (0..1 << 20)
        .map(|name| format!(r#""{name}":"b""#))
        .collect();
    let json = format!(r#"{{"weight_map":{{{}}}}}"#, entries.join(","));
    let (error, held) = with_peak(|| ShardIndex::parse("index", json.as_bytes()).unwrap_err());
    assert!(
        error.to_string().contains("it has more than 524288 names"),
        "{error}"
    );
    assert!(held < MAX_ANY, "{held} bytes");
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
        assert!(held < MAX_ANY, "{held} bytes");
    }
    let spm = [0x0a, 0].repeat(3 << 20);
    let (error, held) = with_peak(|| SentencePieceModel::parse("spm.model", &spm).unwrap_err());
    assert!(
        error.to_string().contains("more than 2 million pieces"),
        "{error}"
    );
    assert!(held < MAX_ANY, "{held} bytes");
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
