//! Compares the engines on a `tokenizer.json` of every Unigram family.
//!
//! The vocabulary and the character map are those of the built-in model. The steps are those that the converters of
//! transformers 4.48.3 write for each family, and similar ones that must not be confused with them.

use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokscope::formats::sentencepiece::SentencePieceModel;
use tokscope::model_ref::ModelRef;
use tokscope::tokenizer::{EncodeOptions, EngineChoice, Tokenizer};

use crate::support::{files, repository, shared};
use crate::text::engines::{Engines, compare_generated, compare_lines, compare_pieces, generated};

/// The steps of a family, as JSON.
struct Family {
    name: &'static str,
    normalizer: Value,
    pre_tokenizer: Value,
    post_processor: Value,
}

fn model() -> SentencePieceModel {
    let bytes = std::fs::read(repository("demo/model/spm.model")).unwrap();
    SentencePieceModel::parse("spm.model", &bytes).unwrap()
}

fn charsmap() -> Value {
    let map = BASE64_STANDARD.encode(model().precompiled_charsmap);
    json!({"type": "Precompiled", "precompiled_charsmap": map})
}

fn sequence(steps: &[Value]) -> Value {
    json!({"type": "Sequence", "normalizers": steps})
}

fn pre_sequence(steps: &[Value]) -> Value {
    json!({"type": "Sequence", "pretokenizers": steps})
}

fn metaspace(scheme: &str) -> Value {
    json!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": true})
}

fn runs(content: &str) -> Value {
    json!({"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": content})
}

fn quotes(text: &str) -> Value {
    json!({"type": "Replace", "pattern": {"String": text}, "content": "\""})
}

fn strip(left: bool, right: bool) -> Value {
    json!({"type": "Strip", "strip_left": left, "strip_right": right})
}

fn step(name: &str) -> Value {
    json!({"type": name})
}

fn template(single: &[Value], pair: &[Value]) -> Value {
    json!({"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": {
        "[CLS]": {"id": "[CLS]", "ids": [1], "tokens": ["[CLS]"]},
        "[SEP]": {"id": "[SEP]", "ids": [2], "tokens": ["[SEP]"]},
    }})
}

fn text(id: &str, type_id: u32) -> Value {
    json!({"Sequence": {"id": id, "type_id": type_id}})
}

fn special(id: &str, type_id: u32) -> Value {
    json!({"SpecialToken": {"id": id, "type_id": type_id}})
}

/// Special tokens before and after each text.
fn tokens_around() -> Value {
    let (first, last) = (special("[CLS]", 0), special("[SEP]", 0));
    template(
        &[first.clone(), text("A", 0), last.clone()],
        &[first, text("A", 0), last, text("B", 1), special("[SEP]", 1)],
    )
}

/// Special tokens after each text only.
fn tokens_after() -> Value {
    template(
        &[text("A", 0), special("[SEP]", 0), special("[CLS]", 2)],
        &[
            text("A", 0),
            special("[SEP]", 0),
            text("B", 1),
            special("[SEP]", 1),
            special("[CLS]", 2),
        ],
    )
}

fn families() -> Vec<Family> {
    let legacy =
        json!({"type": "Metaspace", "replacement": "▁", "str_rep": "▁", "add_prefix_space": true});
    let punctuation = json!({"type": "Punctuation", "behavior": "Isolated"});
    let family = |name, normalizer, pre_tokenizer, post_processor| Family {
        name,
        normalizer,
        pre_tokenizer,
        post_processor,
    };
    vec![
        family(
            "DeBERTa",
            sequence(&[strip(true, true), charsmap(), runs(" ")]),
            pre_sequence(&[metaspace("always")]),
            tokens_around(),
        ),
        family(
            "DeBERTa that lowercases and splits by punctuation",
            sequence(&[step("Lowercase"), strip(true, true), charsmap(), runs(" ")]),
            pre_sequence(&[punctuation.clone(), metaspace("always")]),
            tokens_around(),
        ),
        family(
            "T5",
            charsmap(),
            pre_sequence(&[step("WhitespaceSplit"), legacy.clone()]),
            tokens_after(),
        ),
        family(
            "XLM-RoBERTa",
            sequence(&[charsmap(), strip(false, true), runs("▁")]),
            metaspace("always"),
            tokens_around(),
        ),
        family(
            "XLM-RoBERTa as converted by older versions",
            sequence(&[charsmap()]),
            pre_sequence(&[step("WhitespaceSplit"), legacy.clone()]),
            tokens_around(),
        ),
        family(
            "ALBERT",
            sequence(&[
                quotes("``"),
                quotes("''"),
                step("NFKD"),
                step("StripAccents"),
                step("Lowercase"),
                charsmap(),
                runs(" "),
            ]),
            metaspace("always"),
            tokens_around(),
        ),
        family(
            "XLNet",
            sequence(&[
                quotes("``"),
                quotes("''"),
                step("NFKD"),
                step("StripAccents"),
                charsmap(),
                runs(" "),
            ]),
            pre_sequence(&[step("WhitespaceSplit"), legacy]),
            tokens_after(),
        ),
        family(
            "Pegasus",
            sequence(&[charsmap(), runs("▁")]),
            pre_sequence(&[step("WhitespaceSplit"), metaspace("always")]),
            tokens_after(),
        ),
        family(
            "NFKC and punctuation",
            step("NFKC"),
            pre_sequence(&[punctuation, metaspace("always")]),
            Value::Null,
        ),
        family(
            "NFD, strip, and no prefix",
            sequence(&[step("NFD"), strip(true, true)]),
            metaspace("never"),
            Value::Null,
        ),
        family(
            "a prefix on the first word only",
            sequence(&[charsmap(), runs(" ")]),
            metaspace("first"),
            tokens_around(),
        ),
        family(
            "the processor of BERT",
            Value::Null,
            pre_sequence(&[step("WhitespaceSplit"), metaspace("always")]),
            json!({"type": "BertProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 1]}),
        ),
        family(
            "two spaces",
            sequence(&[json!({"type": "Replace", "pattern": {"String": "  "}, "content": "_"})]),
            metaspace("always"),
            Value::Null,
        ),
        family(
            "mBART without collapsed spaces",
            charsmap(),
            metaspace("always"),
            tokens_around(),
        ),
        family(
            "DeBERTa that lowercases",
            sequence(&[step("Lowercase"), strip(true, true), charsmap(), runs(" ")]),
            metaspace("always"),
            tokens_around(),
        ),
        family(
            "BigBird with the rules of Marian",
            sequence(&[step("Nmt"), step("NFKC"), runs(" ")]),
            metaspace("always"),
            tokens_around(),
        ),
        family(
            "a right end that is stripped, and all spaces",
            sequence(&[charsmap(), strip(false, true)]),
            metaspace("always"),
            Value::Null,
        ),
        family(
            "all spaces, and a prefix on the first word only",
            sequence(&[step("NFKC"), step("Lowercase")]),
            metaspace("first"),
            Value::Null,
        ),
        family(
            "white space that separates, and a prefix on the first word only",
            sequence(&[charsmap(), quotes("''")]),
            pre_sequence(&[step("WhitespaceSplit"), metaspace("first")]),
            Value::Null,
        ),
        family(
            "one word",
            charsmap(),
            json!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": false}),
            Value::Null,
        ),
        family(
            "white space that separates, and words that are not split",
            sequence(&[step("NFC"), charsmap(), runs(" ")]),
            pre_sequence(&[
                step("WhitespaceSplit"),
                json!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": false}),
            ]),
            Value::Null,
        ),
        family(
            "a prefix by normalizers",
            sequence(&[
                json!({"type": "Prepend", "prepend": "▁"}),
                json!({"type": "Replace", "pattern": {"String": " "}, "content": "▁"}),
            ]),
            Value::Null,
            Value::Null,
        ),
        family("no steps", Value::Null, Value::Null, Value::Null),
    ]
}

fn added(id: u32, content: &str, rules: &[&str]) -> Value {
    let has = |rule: &str| rules.contains(&rule);
    json!({
        "id": id,
        "content": content,
        "single_word": has("single_word"),
        "lstrip": has("lstrip"),
        "rstrip": has("rstrip"),
        "normalized": has("normalized"),
        "special": has("special"),
    })
}

/// The usual added tokens of a family, and a list with rare matching rules.
fn added_tokens() -> [Vec<Value>; 2] {
    let pieces = model().pieces.len() as u32;
    let usual = vec![
        added(0, "[PAD]", &["special"]),
        added(1, "[CLS]", &["special"]),
        added(2, "[SEP]", &["special"]),
        added(3, "[UNK]", &["special", "normalized"]),
        added(pieces, "<mask>", &["special", "lstrip"]),
    ];
    let mut rare = usual.clone();
    rare.extend([
        added(pieces + 1, "banco", &["single_word", "normalized"]),
        added(pieces + 2, "</s>", &["special", "rstrip"]),
        added(pieces + 3, "The a", &["normalized"]),
        added(pieces + 4, "①", &["normalized", "lstrip", "rstrip"]),
    ]);
    [usual, rare]
}

fn write(folder: &Path, family: &Family, added_tokens: &[Value]) {
    let model = model();
    let vocabulary: Vec<_> = model
        .pieces
        .iter()
        .map(|piece| json!([piece.text, f64::from(piece.score)]))
        .collect();
    let tokenizer = json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": added_tokens,
        "normalizer": family.normalizer,
        "pre_tokenizer": family.pre_tokenizer,
        "post_processor": family.post_processor,
        "decoder": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true},
        "model": {"type": "Unigram", "unk_id": 3, "vocab": vocabulary, "byte_fallback": false},
    });
    let json = serde_json::to_vec(&tokenizer).unwrap();
    std::fs::write(folder.join("tokenizer.json"), json).unwrap();
}

fn open(folder: &Path) -> Engines {
    Engines::open(&ModelRef::Directory(folder.to_owned()))
}

#[test]
fn engines_agree_on_every_family_of_unigram_tokenizers() {
    for family in families() {
        for added_tokens in added_tokens() {
            let folder = TempDir::new().unwrap();
            write(folder.path(), &family, &added_tokens);
            let engines = open(folder.path());
            assert!(engines.native.is_native(), "{}", family.name);
            println!("{}", family.name);
            compare_lines(&engines, &repository("demo/golden.jsonl"));
            compare_lines(&engines, &repository("demo/golden_pairs.jsonl"));
            compare_pieces(&engines, 5);
            compare_generated(&engines, generated(300));
        }
    }
}

#[test]
fn a_word_at_the_stripped_end_of_a_text_is_not_taken_for_one_in_its_middle() {
    let families = families();
    let family = families.iter().find(|family| family.name == "XLM-RoBERTa");
    let folder = TempDir::new().unwrap();
    write(folder.path(), family.unwrap(), &added_tokens()[0]);
    let engines = open(folder.path());
    // Enough words that the word cache is allocated.
    let many: String = (0..700).map(|word| format!("word{word} ")).collect();
    engines.compare(&many, None);
    for end in ["\r", "\u{a0}", "\u{3000}"] {
        engines.compare(&format!("a word{end}"), None);
        engines.compare(&format!("a word{end}\nand another"), None);
    }
}

#[test]
fn engines_agree_on_t5_and_xlnet() {
    let Some(shared) = shared("engines_agree_on_t5_and_xlnet") else {
        return;
    };
    for model in ["t5-small", "xlnet-base-cased"] {
        let engines = open(&shared.join("models").join(model));
        let golden = shared.join(format!("golden/{model}.jsonl"));
        compare_lines(&engines, &golden);
        compare_pieces(&engines, 7);
        compare_generated(&engines, generated(1_000));
    }
}

#[test]
fn engines_agree_on_a_sentencepiece_file_that_lowercases_and_splits() {
    let folder = TempDir::new().unwrap();
    let spm = repository("demo/model/spm.model");
    std::fs::copy(spm, folder.path().join("spm.model")).unwrap();
    for (lower, split) in [(true, false), (false, true), (true, true)] {
        let config = json!({"do_lower_case": lower, "split_by_punct": split});
        let config = serde_json::to_vec(&config).unwrap();
        std::fs::write(folder.path().join("tokenizer_config.json"), config).unwrap();
        let engines = open(folder.path());
        assert!(engines.native.is_native());
        compare_lines(&engines, &repository("demo/golden.jsonl"));
        compare_generated(&engines, generated(300));
    }
}

/// Changes the model of a `tokenizer.json`, and opens both engines.
fn with_model(folder: &Path, change: impl FnOnce(&mut Value)) -> Engines {
    let path = folder.join("tokenizer.json");
    let mut json: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    change(&mut json["model"]);
    std::fs::write(&path, serde_json::to_vec(&json).unwrap()).unwrap();
    let engines = open(folder);
    assert!(engines.native.is_native());
    engines
}

#[test]
fn engines_agree_on_byte_fallback() {
    for family in families() {
        let folder = TempDir::new().unwrap();
        write(folder.path(), &family, &added_tokens()[1]);
        // A character with a byte that has no piece is unknown.
        for missing in [None, Some(0xe6)] {
            let engines = with_model(folder.path(), |model| {
                model["byte_fallback"] = true.into();
                let pieces = model["vocab"].as_array_mut().unwrap();
                let known: Vec<Value> = pieces.iter().map(|piece| piece[0].clone()).collect();
                for byte in (0..=u8::MAX).filter(|byte| Some(*byte) != missing) {
                    let piece = json!(format!("<0x{byte:02X}>"));
                    if !known.contains(&piece) {
                        pieces.push(json!([piece, -20.0]));
                    }
                }
                if let Some(byte) = missing {
                    let piece = json!(format!("<0x{byte:02X}>"));
                    let place = pieces.iter_mut().find(|known| known[0] == piece);
                    place.unwrap()[0] = "another piece".into();
                }
            });
            let many: String = (0..700).map(|word| format!("wort{word}ß ")).collect();
            engines.compare(&many, None);
            for text in ["漢字 漢字, 木", "x漢y 漢 a漢字", "漢", "a\u{301}漢字\u{1}"] {
                engines.compare(text, None);
            }
            compare_lines(&engines, &repository("demo/golden.jsonl"));
            compare_generated(&engines, generated(30));
        }
    }
}

#[test]
fn a_model_without_an_unknown_piece_refuses_unknown_characters_as_the_reference_does() {
    for family in families() {
        let folder = TempDir::new().unwrap();
        write(folder.path(), &family, &added_tokens()[0]);
        let engines = with_model(folder.path(), |model| model["unk_id"] = Value::Null);
        let reference = Tokenizer::open(&files(&ModelRef::Directory(folder.path().to_owned())));
        let reference = reference.unwrap().with_engine(EngineChoice::Reference);
        let options = EncodeOptions::default();
        let many: String = (0..700).map(|_| "banco ").collect();
        for text in [
            &*many,
            "banco",
            "漢字",
            "banco 漢字",
            "banco",
            "漢字 banco",
            "banco banco",
        ] {
            let ours = engines.native.encode(text, None, &options);
            let theirs = reference.encode(text, None, &options);
            match (ours, theirs) {
                (Ok(ours), Ok(theirs)) => assert_eq!(ours, theirs, "{text}"),
                (Err(ours), Err(theirs)) => assert_eq!(ours.to_string(), theirs.to_string()),
                (ours, theirs) => panic!("{} {text}: {ours:?} {theirs:?}", family.name),
            }
        }
        assert!(engines.native.encode("漢字", None, &options).is_err());
    }
}
