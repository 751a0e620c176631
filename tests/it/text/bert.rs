//! Compares the engines on tokenizers with the steps of BERT.

use std::path::Path;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::support::{repository, shared};
use crate::text::engines::{
    Engines, compare_generated, compare_lines, compare_pieces, compare_texts, generated,
};

/// Characters and words of the classes that the steps tell apart.
const CLASSES: [&[&str]; 10] = [
    &["a", "word", "The", "UNAFFABLE", "x1", "42", "tokenization"],
    &[
        " ", "  ", "\t", "\n", "\r\n", "\u{b}", "\u{c}", "\u{a0}", "\u{3000}", "\u{2003}", "\u{85}",
    ],
    &[
        ".", ",", "!", "-", "'", "[", "]", "##", "$", "`", "^", "~", "\"",
    ],
    &[
        "é", "Å", "ñ", "İ", "ß", "ǅ", "ﬁ", "Ω", "Σας", "ϓ", "\u{344}", "Zoë", "naïve", "Đ",
    ],
    &[
        "\u{301}", "\u{323}", "\u{345}", "\u{334}", "\u{f73}", "\u{5b0}", "\u{64b}", "\u{93c}",
    ],
    &[
        "\u{302e}",
        "\u{1d165}",
        "\u{1d15e}",
        "\u{16ff0}",
        "\u{1e2ae}",
        "\u{16d68}",
    ],
    &[
        "漢字",
        "中",
        "㐀",
        "𠀀",
        "\u{f900}",
        "\u{2f800}",
        "々",
        "。",
        "、",
        "カ",
        "が",
        "か\u{3099}",
        "국",
        "한국어",
    ],
    &[
        "\0", "\u{7f}", "\u{fffd}", "\u{200d}", "\u{200b}", "\u{feff}", "\u{ad}", "\u{e000}",
        "\u{1}",
    ],
    &[
        "’", "“", "—", "…", "؟", "।", "\u{37e}", "\u{226e}", "\u{2000}", "\u{ff01}", "¿", "€",
    ],
    &[
        "привет",
        "Ёж",
        "й",
        "العربية",
        "שָׁלוֹם",
        "हिन्दी",
        "ไทย",
        "ka\u{302}",
        "😀",
        "👨\u{200d}👩",
        "❤\u{fe0f}",
    ],
];

/// Strings that occur in no vocabulary as a whole.
const TOKENS: &[&str] = &[
    "[MASK]", "[CLS]", "[SEP]", "[UNK]", "[PAD]", "[MASK", "[mask]",
];

/// Generates texts of few classes each, so that the rare ones meet.
fn text() -> impl Strategy<Value = String> {
    let class = || 0..CLASSES.len();
    (class(), class(), class()).prop_flat_map(|(first, second, third)| {
        let part = |class: usize| prop::sample::select(CLASSES[class]);
        let part = prop_oneof![
            6 => part(first),
            6 => part(second),
            6 => part(third),
            3 => Just(" "),
            1 => prop::sample::select(TOKENS),
        ];
        prop::collection::vec(part, 0..24).prop_map(|parts| parts.concat())
    })
}

/// A vocabulary with pieces for the words of [`CLASSES`], whole or in parts.
fn vocabulary() -> Map<String, Value> {
    let mut pieces: Vec<String> = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        .map(str::to_owned)
        .to_vec();
    let words = CLASSES.concat();
    for (number, word) in words.iter().enumerate() {
        let lower = word.to_lowercase();
        for word in [*word, &*lower] {
            let parts: Vec<char> = word.chars().collect();
            let half: String = parts[..parts.len() / 2].iter().collect();
            let rest: String = parts[parts.len() / 2..].iter().collect();
            match number % 3 {
                0 => pieces.push(word.to_owned()),
                1 => pieces.extend([half, format!("##{rest}")]),
                _ => pieces.extend(
                    parts
                        .iter()
                        .flat_map(|part| [format!("{part}"), format!("##{part}")]),
                ),
            }
        }
    }
    pieces.retain(|piece| !piece.is_empty() && piece != "##" && !piece.contains('\0'));
    let mut vocabulary = Map::new();
    for piece in pieces {
        let id = vocabulary.len();
        vocabulary.entry(piece).or_insert(id.into());
    }
    vocabulary
}

/// Opens both engines with the steps of BERT around a model, with this normalizer.
fn open(folder: &Path, normalizer: &Value, model: Value) -> Engines {
    let added = |(id, content): (usize, &str)| {
        json!({"id": id, "content": content, "single_word": false, "lstrip": content == "[MASK]",
               "rstrip": false, "normalized": false, "special": true})
    };
    let added: Vec<Value> = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        .into_iter()
        .enumerate()
        .map(added)
        .collect();
    let tokenizer = json!({
        "version": "1.0",
        "added_tokens": added,
        "normalizer": normalizer,
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
        "model": model,
    });
    Engines::open_json(folder, &tokenizer)
}

fn bert(clean: bool, chinese: bool, accents: Option<bool>, lower: bool) -> Value {
    json!({"type": "BertNormalizer", "clean_text": clean, "handle_chinese_chars": chinese,
           "strip_accents": accents, "lowercase": lower})
}

#[test]
fn engines_agree_on_the_steps_of_bert() {
    let word_piece = |longest: usize| {
        json!({"type": "WordPiece", "vocab": vocabulary(), "unk_token": "[UNK]",
               "continuing_subword_prefix": "##", "max_input_chars_per_word": longest})
    };
    let word_level = json!({"type": "WordLevel", "vocab": vocabulary(), "unk_token": "[UNK]"});
    let cases = [
        (bert(true, true, None, true), word_piece(100)),
        (bert(true, true, None, false), word_piece(100)),
        (bert(true, false, Some(false), true), word_piece(5)),
        (bert(false, true, Some(true), false), word_piece(100)),
        (bert(false, false, Some(false), false), word_level.clone()),
        (bert(true, true, Some(true), true), word_level),
        (json!({"type": "Lowercase"}), word_piece(100)),
        (Value::Null, word_piece(100)),
    ];
    for (normalizer, model) in cases {
        let folder = TempDir::new().unwrap();
        let engines = open(folder.path(), &normalizer, model);
        assert!(engines.native.is_native(), "{normalizer}");
        compare_lines(&engines, &repository("demo/golden_pairs.jsonl"));
        compare_pieces(&engines, 3);
        compare_texts(&engines, &text(), generated(400));
    }
}

#[test]
fn engines_agree_on_real_berts() {
    let Some(shared) = shared("engines_agree_on_real_berts") else {
        return;
    };
    for model in ["bert-base-cased", "gte", "chinese-roberta-wwm"] {
        let engines = Engines::open_folder(&shared.join("models").join(model));
        assert!(engines.native.is_native(), "{model}");
        compare_lines(&engines, &shared.join(format!("golden/{model}.jsonl")));
        compare_pieces(&engines, 29);
        compare_texts(&engines, &text(), generated(600));
        compare_generated(&engines, generated(300));
    }
}
