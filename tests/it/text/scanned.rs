//! Compares the engines with every pre-tokenizer that is scanned and does not map bytes, around models of each algorithm.

use std::path::Path;

use serde_json::{Value, json};
use tokscope::model_ref::ModelRef;

use crate::text::engines::{Engines, compare_generated, generated};

fn pre_tokenizers() -> Vec<Value> {
    let split = |behavior: &str| json!({"type": "Split", "pattern": {"String": "a"}, "behavior": behavior, "invert": false});
    let punctuation = |behavior: &str| json!({"type": "Punctuation", "behavior": behavior});
    let mut steps = vec![
        Value::Null,
        json!({"type": "Whitespace"}),
        json!({"type": "BertPreTokenizer"}),
        json!({"type": "CharDelimiterSplit", "delimiter": "e"}),
        json!({"type": "Digits", "individual_digits": true}),
        json!({"type": "Digits", "individual_digits": false}),
        json!({"type": "FixedLength", "length": 3}),
        json!({"type": "Sequence", "pretokenizers": [
            {"type": "WhitespaceSplit"}, {"type": "Punctuation", "behavior": "Isolated"},
            {"type": "Digits", "individual_digits": true},
        ]}),
    ];
    let behaviors = [
        "Removed",
        "Isolated",
        "MergedWithPrevious",
        "MergedWithNext",
        "Contiguous",
    ];
    for behavior in behaviors {
        steps.extend([punctuation(behavior), split(behavior)]);
    }
    steps
}

fn models() -> Vec<Value> {
    let pieces = [
        "[UNK]", "a", "b", "c", "n", "o", "an", "ban", "co", "banco", "dinero", "1", "12", ".",
        "The", "##a", "##n", "##co", "é",
    ];
    let vocab: serde_json::Map<_, _> = pieces
        .into_iter()
        .zip(0..)
        .map(|(piece, id)| (piece.to_owned(), json!(id)))
        .collect();
    let bpe = |unknown: Value, fuses: bool| {
        json!({
            "type": "BPE", "vocab": vocab, "merges": ["a n", "b an", "c o", "ban co"],
            "unk_token": unknown, "fuse_unk": fuses,
        })
    };
    vec![
        json!({"type": "WordLevel", "vocab": vocab, "unk_token": "[UNK]"}),
        json!({
            "type": "WordPiece", "vocab": vocab, "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
        }),
        bpe("[UNK]".into(), false),
        bpe("[UNK]".into(), true),
        bpe(Value::Null, false),
    ]
}

/// No normalizer, composition, that of CLIP, and one without accents.
fn normalizers() -> [Value; 4] {
    let step = |name: &str| json!({"type": name});
    let sequence = |steps: &[Value]| json!({"type": "Sequence", "normalizers": steps});
    let spaces = json!({"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": " "});
    [
        Value::Null,
        step("NFC"),
        sequence(&[step("NFC"), spaces, step("Lowercase")]),
        sequence(&[step("NFKD"), step("StripAccents")]),
    ]
}

fn open(folder: &Path, model: &Value, pre_tokenizer: &Value, normalizer: &Value) -> Engines {
    let token = |id: u32, content: &str, normalized: bool| {
        json!({
            "id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": normalized, "special": !normalized,
        })
    };
    let file = json!({
        "version": "1.0", "post_processor": null, "decoder": null,
        "added_tokens": [token(0, "[UNK]", false), token(19, "<s>", false), token(20, "ero", true)],
        "normalizer": normalizer,
        "pre_tokenizer": pre_tokenizer, "model": model,
    });
    std::fs::write(folder.join("tokenizer.json"), file.to_string()).unwrap();
    Engines::open(&ModelRef::Directory(folder.to_owned()))
}

#[test]
fn engines_agree_on_words_that_are_scanned() {
    let folder = tempfile::tempdir().unwrap();
    for pre_tokenizer in pre_tokenizers() {
        for model in models() {
            for normalizer in normalizers() {
                let engines = open(folder.path(), &model, &pre_tokenizer, &normalizer);
                let (engine, reason) = engines.native.engine();
                assert_eq!(engine, "native", "{normalizer} {pre_tokenizer} {model}");
                assert!(reason.ends_with("is known"), "{pre_tokenizer}: {reason}");
                compare_generated(&engines, generated(8));
                // Enough words that the word cache is used.
                let many = "Banco 12ban3\t\ne\u{301}.É  dinERO, x<s>anan ".repeat(120);
                engines.compare(&many, None);
            }
        }
    }
}

#[test]
fn a_token_may_lose_its_white_space_to_the_token_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let token = |id: u32, content: &str, normalized: bool| {
        json!({
            "id": id, "content": content, "single_word": false, "lstrip": id == 20, "rstrip": id == 19,
            "normalized": normalized, "special": false,
        })
    };
    let [null, first, .., last] = normalizers();
    for normalized in [false, true] {
        for normalizer in [&null, &first, &last] {
            for (pre_tokenizer, model) in [(0, 0), (1, 1), (1, 2), (0, 4)] {
                let file = json!({
                    "version": "1.0", "post_processor": null, "decoder": null,
                    "added_tokens": [token(0, "[UNK]", false), token(19, "<s>", normalized), token(20, " ", normalized)],
                    "normalizer": normalizer, "pre_tokenizer": pre_tokenizers()[pre_tokenizer],
                    "model": models()[model],
                });
                let path = folder.path().join("tokenizer.json");
                std::fs::write(path, file.to_string()).unwrap();
                let engines = Engines::open(&ModelRef::Directory(folder.path().to_owned()));
                for text in ["a <s>b", "a<s> b", "a<s>  b", "<s>   <s>", "é<s> é "] {
                    engines.compare_answers(text);
                }
            }
        }
    }
}
