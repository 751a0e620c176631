//! The families of Unigram tokenizers: compares the engines on a `tokenizer.json` of each.
//!
//! The vocabulary and the character map are those of the built-in model. The steps are those that the converters of
//! transformers 4.48.3 write for each family, and similar ones that must not be confused with them.

use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokscope::formats::sentencepiece::SentencePieceModel;

use crate::support::repository;
use crate::text::engines::{Engines, compare_generated, compare_lines, compare_pieces, generated};

/// The steps of a family, as JSON.
pub struct Family {
    pub name: &'static str,
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

/// Replaces runs of white space, line feeds, carriage returns and tabs by a space.
fn replace_white() -> Value {
    let pattern = json!({"Regex": r"\s{2,}|[\n\r\t]"});
    json!({"type": "Replace", "pattern": pattern, "content": " "})
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

pub fn families() -> Vec<Family> {
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
            "DeBERTa in transformers 5",
            sequence(&[replace_white(), step("NFC"), strip(false, true)]),
            pre_sequence(&[metaspace("always")]),
            tokens_around(),
        ),
        family(
            "DeBERTa in transformers 5 without a space before a text",
            sequence(&[
                step("Lowercase"),
                replace_white(),
                step("NFC"),
                strip(false, true),
            ]),
            pre_sequence(&[punctuation.clone(), metaspace("first")]),
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

/// Returns an added token with the rules that are named.
pub fn added(id: u32, content: &str, rules: &[&str]) -> Value {
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
pub fn added_tokens() -> [Vec<Value>; 2] {
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

/// Writes the `tokenizer.json` of a family into a folder, and opens both engines.
pub fn open(folder: &Path, family: &Family, added_tokens: &[Value]) -> Engines {
    open_changed(folder, family, added_tokens, |_| ())
}

/// Like [`open`], with a change to the model.
pub fn open_changed(
    folder: &Path,
    family: &Family,
    added_tokens: &[Value],
    change: impl FnOnce(&mut Value),
) -> Engines {
    let vocabulary: Vec<_> = model()
        .pieces
        .iter()
        .map(|piece| json!([piece.text, f64::from(piece.score)]))
        .collect();
    let mut tokenizer = json!({
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
    change(&mut tokenizer["model"]);
    let engines = Engines::open_json(folder, &tokenizer);
    assert!(engines.native.is_native(), "{}", family.name);
    engines
}

#[test]
fn engines_agree_on_every_family_of_unigram_tokenizers() {
    for family in families() {
        for added_tokens in added_tokens() {
            let folder = TempDir::new().unwrap();
            let engines = open(folder.path(), &family, &added_tokens);
            println!("{}", family.name);
            compare_lines(&engines, &repository("demo/golden.jsonl"));
            compare_lines(&engines, &repository("demo/golden_pairs.jsonl"));
            compare_pieces(&engines, 5);
            compare_generated(&engines, generated(300));
        }
    }
}
