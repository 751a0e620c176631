//! The native engine against the reference engine: ids, tokens, offsets and word ids of any text.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde::Deserialize;
use tokscope::model_ref::ModelRef;
use tokscope::tokenizer::{EncodeOptions, EngineChoice, Tokenizer, Truncation};

use crate::support::{files, json_lines, repository, shared};

/// Both engines of one model.
pub struct Engines {
    pub native: Tokenizer,
    reference: Tokenizer,
}

impl Engines {
    pub fn open(model: &ModelRef) -> Self {
        let open = |choice| Tokenizer::open(&files(model)).unwrap().with_engine(choice);
        Self {
            native: open(EngineChoice::Native),
            reference: open(EngineChoice::Reference),
        }
    }

    pub fn compare(&self, text: &str, pair: Option<&str>) {
        for (special_tokens, parse_special) in [(true, true), (false, false)] {
            let options = EncodeOptions {
                special_tokens,
                parse_special,
                truncation: None,
            };
            let ours = self.native.encode(text, pair, &options).unwrap();
            let theirs = self.reference.encode(text, pair, &options).unwrap();
            assert_eq!(ours, theirs, "{text:?} {pair:?} {options:?}");
            if pair.is_none() {
                let ids = self.native.ids(text, &options).unwrap();
                assert_eq!(ids, theirs.windows[0].ids, "{text:?}");
                let count = self.native.count(text, &options).unwrap();
                assert_eq!(count, theirs.windows[0].len(), "{text:?}");
            }
        }
        if pair.is_none() {
            self.cut(text);
        }
        let options = EncodeOptions {
            truncation: Some(Truncation {
                max_length: 12,
                stride: 2,
            }),
            ..EncodeOptions::default()
        };
        let ours = self.native.encode(text, pair, &options).unwrap();
        let theirs = self.reference.encode(text, pair, &options).unwrap();
        assert_eq!(ours, theirs, "{text:?} {pair:?} {options:?}");
    }
}

impl Engines {
    /// Cuts a text wherever it may be cut: the parts have the tokens of the whole.
    fn cut(&self, text: &str) {
        let options = EncodeOptions {
            special_tokens: false,
            ..EncodeOptions::default()
        };
        let count = |text: &str| self.native.count(text, &options).unwrap();
        let mut end = text.len();
        while let Some(at) = self.native.last_cut(&text.as_bytes()[..end], &options) {
            let parts = (&text[..at], &text[at..]);
            assert_eq!(count(parts.0) + count(parts.1), count(text), "{parts:?}");
            end = at + 1;
        }
    }
}

#[derive(Deserialize)]
struct Line {
    text: String,
    pair: Option<String>,
}

pub fn compare_lines(engines: &Engines, path: &Path) {
    for line in json_lines::<Line>(path) {
        engines.compare(&line.text, line.pair.as_deref());
    }
}

/// Characters that segmentation, normalization or alignment treat in a way of their own.
const ODD: &[&str] = &[
    "[MASK]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[PAD]",
    "[UNK",
    "<0x41>",
    "</s>",
    "<mask>",
    " <mask> ",
    "``",
    "''",
    "▁",
    " ",
    "  ",
    "   ",
    "\n",
    "\r\n",
    "\r",
    "\t",
    "\0",
    "\u{7f}",
    "\u{85}",
    "\u{a0}",
    "\u{ad}",
    "\u{200b}",
    "\u{200c}",
    "\u{200d}",
    "\u{2028}",
    "\u{2060}",
    "\u{202e}",
    "\u{3000}",
    "\u{feff}",
    "\u{fffd}",
    "e\u{301}",
    "A\u{302}\u{300}",
    "\u{301}",
    "\u{300}\u{301}",
    "ﬁ",
    "ﷺ",
    "①",
    "½",
    "İ",
    "ß",
    "Ω",
    "Å",
    "ｱ",
    "ｶﾞ",
    "［ＵＮＫ］",
    "각",
    "\u{1100}\u{1161}\u{11a8}",
    "漢字",
    "𠮷",
    "क्षि",
    "ก็",
    "ำ",
    "\u{600}1",
    "٣",
    "👩‍👩‍👧",
    "🇪🇸",
    "👍🏽",
    "❤\u{fe0f}",
    "…",
    "─",
    "a",
    "Z",
    "9",
    ".",
    ",",
    "'",
    "banco",
    "dinero",
    "The",
    "internationalization",
];

/// Texts of odd and ordinary parts.
fn text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => prop::sample::select(ODD).prop_map(str::to_owned),
        2 => "[a-zA-Z áéíóúñü.,]{1,12}",
        2 => "\\PC{1,6}",
        1 => prop::collection::vec(any::<char>(), 1..6).prop_map(|chars| chars.into_iter().collect()),
        1 => " {1,4}",
    ];
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

pub fn compare_generated(engines: &Engines, cases: u32) {
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let seed = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    TestRunner::new_with_rng(config, seed)
        .run(&text(), |text| {
            engines.compare(&text, None);
            Ok(())
        })
        .unwrap();
}

/// Compares on the pieces of the vocabulary, alone and in context: every one in long runs, else one in so many.
pub fn compare_pieces(engines: &Engines, one_in: usize) {
    let long = std::env::var_os("TOKSCOPE_GENERATED").is_some();
    let entries = engines.native.vocabulary().entries();
    for entry in entries.iter().step_by(if long { 1 } else { one_in }) {
        let piece = &entry.piece;
        engines.compare(&format!("{piece} a{piece}"), None);
        if long {
            engines.compare(piece, None);
        }
    }
}

/// How many texts to generate: `TOKSCOPE_GENERATED` in long runs.
pub fn generated(usually: u32) -> u32 {
    let asked = std::env::var("TOKSCOPE_GENERATED").ok();
    asked
        .and_then(|number| number.parse().ok())
        .unwrap_or(usually)
}

#[test]
fn engines_agree_on_the_built_in_model() {
    let engines = Engines::open(&ModelRef::Demo);
    compare_lines(&engines, &repository("demo/golden.jsonl"));
    compare_lines(&engines, &repository("demo/golden_pairs.jsonl"));
    for entry in engines.native.vocabulary().entries() {
        engines.compare(&entry.piece, None);
        engines.compare(&format!("a{} {}", entry.piece, entry.piece), None);
    }
    compare_generated(&engines, generated(2_000));
}

/// The engines of the real DeBERTa, and the folder of real data, for a test.
fn deberta(test: &str) -> Option<(Engines, PathBuf)> {
    let shared = shared(test)?;
    let model = ModelRef::Directory(shared.join("models/deberta-v3-xsmall"));
    Some((Engines::open(&model), shared))
}

#[test]
fn engines_agree_on_deberta() {
    let Some((engines, shared)) = deberta("engines_agree_on_deberta") else {
        return;
    };
    for file in ["deberta-v3-xsmall.jsonl", "deberta-v3-xsmall.pairs.jsonl"] {
        compare_lines(&engines, &shared.join("golden").join(file));
    }
    compare_pieces(&engines, 7);
    compare_generated(&engines, generated(4_000));
}

#[test]
fn engines_agree_on_words_that_came_before() {
    let Some((engines, _)) = deberta("engines_agree_on_words_that_came_before") else {
        return;
    };
    // Enough words that there is memory for them.
    let many: String = (0..700).map(|word| format!("word{word}, ")).collect();
    engines.compare(&many, None);
    let words = [
        "word",
        "x",
        "don't",
        "ﬁne",
        "e\u{301}",
        "日本",
        "½",
        "\u{5}a",
        "a\u{5}",
        "[MASK]",
        "[",
        "▁a",
        "a▁",
        "\u{600}",
        "Ǳ",
        "\u{301}",
        "unbelievably-long-word",
        "Rindfleischetikettierungs",
    ];
    for word in words {
        for mark in ('!'..='~').filter(char::is_ascii_punctuation) {
            let text = format!(
                "{word}{mark} {word}{mark} {word} {word}{mark}{mark} {mark} {mark}{word}  {mark}{word}{mark}\t{word}{mark}"
            );
            engines.compare(&text, None);
        }
        for space in [
            " ", "  ", "   ", "\t", " \u{5}", "  \u{5}", "\u{5} ", "\u{a0}", " \n ",
        ] {
            engines.compare(&format!("{space}{word}{space}{word},{space}"), None);
            engines.compare(&format!("{word}.{space}{space}{word}"), None);
        }
    }
}

/// What transformers 4.48.3 gives with tokenizers 0.21: a character that replaces a grapheme shows how far that goes.
#[test]
fn graphemes_are_those_of_unicode_16() {
    let Some((engines, _)) = deberta("graphemes_are_those_of_unicode_16") else {
        return;
    };
    let of_17 = "\u{1f1}\u{1ad6}";
    let of_16 = "\u{1f1}\u{897}";
    for engine in [&engines.native, &engines.reference] {
        let ids = |text| engine.ids(text, &EncodeOptions::default()).unwrap();
        assert_eq!(ids(of_17), [1, 74899, 3, 2]);
        assert_eq!(ids(of_16), [1, 74899, 2]);
    }
}
