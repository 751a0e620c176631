//! Compares the engines on models whose vocabulary lacks the unknown token, and on ids with many gaps.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::text::engines::{Engines, compare_generated, generated};
use crate::text::families::added;

/// Returns a model that names an unknown token which it does not have.
fn model(kind: &str, settings: &Value) -> Value {
    let words = ["a", "b", "ab", "n", "##b", "##n", "Ġ", "Ġa", ".", "abn"];
    let mut pieces: Vec<String> = words.map(str::to_owned).into();
    if settings["byte_fallback"] == true {
        pieces.extend((0..=b'c').map(|byte| format!("<{byte:#04X}>")));
    }
    let vocab: serde_json::Map<String, Value> = (pieces.into_iter().zip(0..))
        .map(|(piece, id)| (piece, json!(id)))
        .collect();
    let mut model = json!({"type": kind, "vocab": vocab, "unk_token": "[UNK]"});
    let fields = model.as_object_mut().unwrap();
    match kind {
        "BPE" => {
            fields.insert("merges".to_owned(), json!(["a b", "Ġ a"]));
        }
        "WordPiece" => {
            fields.insert("continuing_subword_prefix".to_owned(), json!("##"));
            fields.insert("max_input_chars_per_word".to_owned(), json!(5));
        }
        _ => {}
    }
    fields.extend(settings.as_object().unwrap().clone());
    model
}

fn open(folder: &TempDir, steps: &[Value; 2], model: &Value, tokens: &[Value]) -> Engines {
    let [normalizer, pre_tokenizer] = steps;
    let file = json!({
        "version": "1.0", "post_processor": null, "decoder": null, "added_tokens": tokens,
        "normalizer": normalizer, "pre_tokenizer": pre_tokenizer, "model": model,
    });
    Engines::open_json(folder.path(), &file)
}

const TEXTS: &[&str] = &[
    "",
    "a",
    "a b",
    "ab. abn",
    "abbn",
    "abnnnnnn",
    "ab x ab",
    "x",
    "é",
    "a. é",
    ".",
    "a, b",
    "\u{1}",
    "A ab",
    "aé",
    "a\u{301}",
    "漢 a",
    "[UNK]",
    "a [UNK] b",
    "x [UNK]",
    " [UNK] ab",
    "[unk]",
    " ",
    "c a",
];

#[test]
fn a_text_with_an_unknown_word_is_refused_if_the_unknown_token_is_missing() {
    let byte_level = json!({
        "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true,
    });
    let bert = json!({
        "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null,
        "lowercase": true,
    });
    let steps = [
        [Value::Null, json!({"type": "Whitespace"})],
        [Value::Null, Value::Null],
        [bert, json!({"type": "BertPreTokenizer"})],
        [
            json!({"type": "Lowercase"}),
            json!({"type": "WhitespaceSplit"}),
        ],
        [Value::Null, byte_level],
    ];
    let models = [
        model("WordLevel", &json!({})),
        model("WordPiece", &json!({})),
        model("BPE", &json!({})),
        model("BPE", &json!({"fuse_unk": true, "ignore_merges": true})),
        model("BPE", &json!({"byte_fallback": true})),
    ];
    let tokens = [
        vec![],
        vec![added(10, "[UNK]", &["special"])],
        vec![added(10, "[UNK]", &["lstrip", "normalized"])],
    ];
    let (mut encoded, mut refused) = (0, 0);
    for steps in &steps {
        for model in &models {
            for tokens in &tokens {
                let folder = TempDir::new().unwrap();
                let engines = open(&folder, steps, model, tokens);
                let is_exact = tokens.iter().all(|token| token["lstrip"] == false);
                assert_eq!(engines.native.is_native(), is_exact, "{steps:?} {model}");
                let many = "ab. abn a ".repeat(200);
                let texts = TEXTS.iter().map(|text| (*text).to_owned());
                for text in texts.chain([format!("{many}é"), many]) {
                    if engines.compare_answers(&text) {
                        encoded += 1;
                    } else {
                        refused += 1;
                    }
                }
            }
        }
    }
    assert!(encoded > 500 && refused > 500, "{encoded} {refused}");
}

#[test]
fn engines_agree_on_a_small_vocabulary_with_large_ids() {
    let folder = TempDir::new().unwrap();
    let pre_tokenizer = json!({"type": "BertPreTokenizer"});
    for kind in ["WordLevel", "WordPiece", "BPE"] {
        let mut model = model(kind, &json!({}));
        model["vocab"]["[UNK]"] = json!(100);
        model["vocab"]["a"] = json!(1062);
        model["vocab"]["co"] = json!(9000);
        let engines = open(&folder, &[Value::Null, pre_tokenizer.clone()], &model, &[]);
        assert!(engines.native.is_native());
        compare_generated(&engines, generated(60));
        engines.compare("ab. abn a co banco", None);
    }
}
