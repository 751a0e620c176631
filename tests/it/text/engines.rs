//! Compares the native engine with the `tokenizers` crate: ids, tokens, offsets, and word ids of any text.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde::Deserialize;
use serde_json::Value;
use tokscope::model_ref::ModelRef;
use tokscope::tokenizer::{EncodeOptions, EngineChoice, Tokenizer, Truncation};

use crate::support::{files, json_lines, repository, shared};

/// Both engines of one model.
pub struct Engines {
    pub native: Tokenizer,
    hf: Tokenizer,
}

impl Engines {
    pub fn open(model: &ModelRef) -> Self {
        let open = |choice| Tokenizer::open(&files(model)).unwrap().with_engine(choice);
        Self {
            // Leaves a text to the other engine if spaces other than those of ASCII are to be trimmed.
            native: open(EngineChoice::Auto),
            hf: open(EngineChoice::Reference),
        }
    }

    /// Opens the model of a folder.
    pub fn open_folder(folder: &Path) -> Self {
        Self::open(&ModelRef::Directory(folder.to_owned()))
    }

    /// Writes a `tokenizer.json` into a folder, and opens it.
    pub fn open_json(folder: &Path, tokenizer: &Value) -> Self {
        std::fs::write(folder.join("tokenizer.json"), tokenizer.to_string()).unwrap();
        Self::open_folder(folder)
    }

    /// Asserts that both engines encode a text or a pair alike, with several options.
    pub fn compare(&self, text: &str, pair: Option<&str>) {
        for (special_tokens, parse_special) in [(true, true), (false, false)] {
            let options = EncodeOptions::default()
                .special_tokens(special_tokens)
                .parse_special(parse_special);
            let ours = self.native.encode(text, pair, &options).unwrap();
            let theirs = self.hf.encode(text, pair, &options).unwrap();
            assert_eq!(ours, theirs, "{text:?} {pair:?} {options:?}");
            if pair.is_none() {
                let ids = self.native.ids(text, &options).unwrap();
                assert_eq!(ids, theirs.windows[0].ids, "{text:?}");
                let count = self.native.count(text, &options).unwrap();
                assert_eq!(count, theirs.windows[0].len(), "{text:?}");
            }
        }
        if pair.is_none() {
            self.check_cuts(text, true);
            self.check_cuts(text, false);
        }
        let options = EncodeOptions::default().truncation(Truncation {
            max_length: 12,
            stride: 2,
        });
        let ours = self.native.encode(text, pair, &options).unwrap();
        let theirs = self.hf.encode(text, pair, &options).unwrap();
        assert_eq!(ours, theirs, "{text:?} {pair:?} {options:?}");
    }
}

impl Engines {
    /// Asserts that both engines encode a text alike, or refuse it with the same error. Returns true if they encode it.
    pub fn compare_answers(&self, text: &str) -> bool {
        let options = EncodeOptions::default();
        let encode = |engine: &Tokenizer| {
            let encoded = engine.encode(text, None, &options);
            encoded.map_err(|error| error.to_string())
        };
        let ours = encode(&self.native);
        assert_eq!(ours, encode(&self.hf), "{text:?}");
        ours.is_ok()
    }

    /// Asserts that a text can be cut where the engine says so: the parts have the tokens of the whole. Of a text with many
    /// cuts, tries the last ones and some of the others.
    fn check_cuts(&self, text: &str, parse_special: bool) {
        let consecutive = if parse_special { 50 } else { 5 };
        let options = EncodeOptions::default()
            .special_tokens(false)
            .parse_special(parse_special);
        let count = |text: &str| self.native.count(text, &options).unwrap();
        let whole = count(text);
        let mut end = text.len();
        for tried in 1.. {
            let Some(at) = self.native.last_cut(&text.as_bytes()[..end], &options) else {
                return;
            };
            let parts = (&text[..at], &text[at..]);
            assert_eq!(count(parts.0) + count(parts.1), whole, "{parts:?}");
            end = if tried < consecutive { at + 1 } else { at / 2 };
        }
    }
}

#[derive(Deserialize)]
struct Line {
    text: String,
    pair: Option<String>,
}

/// Compares the engines on every text of a file of JSON lines.
pub fn compare_lines(engines: &Engines, path: &Path) {
    for line in json_lines::<Line>(path) {
        engines.compare(&line.text, line.pair.as_deref());
    }
}

/// Strings that segmentation, normalization, or alignment treats specially.
const SPECIAL_CASES: &[&str] = &[
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
    "'s",
    "'LL",
    "'\u{17f}",
    "12345",
    " 7",
    "\n\n",
    " \n ",
    "\t\t",
    "!!\n",
    "/\n",
    "\u{2003}\u{2003}",
    "camelCase",
    "HTTPServer",
    "नमस्ते",
    "สวัสดี",
    "안녕하세요",
    "これは",
    "<|endoftext|>",
    "<s>",
    "<bos>",
    "<0x0A>",
    "▁▁",
];

/// Generates texts of special and ordinary parts.
fn text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => prop::sample::select(SPECIAL_CASES).prop_map(str::to_owned),
        2 => "[a-zA-Z áéíóúñü.,]{1,12}",
        2 => "\\PC{1,6}",
        1 => prop::collection::vec(any::<char>(), 1..6).prop_map(|chars| chars.into_iter().collect()),
        1 => " {1,4}",
    ];
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

/// Compares the engines on texts of special and ordinary parts.
pub fn compare_generated(engines: &Engines, cases: u32) {
    compare_texts(engines, &text(), cases);
}

/// Compares the engines on texts that a strategy generates, the same in every run.
pub fn compare_texts(engines: &Engines, texts: &impl Strategy<Value = String>, cases: u32) {
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let seed = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    TestRunner::new_with_rng(config, seed)
        .run(texts, |text| {
            engines.compare(&text, None);
            Ok(())
        })
        .unwrap();
}

/// Compares the engines on the pieces of the vocabulary: every piece in long runs, else every `step`-th.
pub fn compare_pieces(engines: &Engines, step: usize) {
    let long = std::env::var_os("TOKSCOPE_GENERATED").is_some();
    let entries = engines.native.vocabulary().entries();
    for entry in entries.iter().step_by(if long { 1 } else { step }) {
        let piece = &entry.piece;
        engines.compare(&format!("{piece} a{piece}"), None);
        if long {
            engines.compare(piece, None);
        }
    }
}

/// Returns the number of texts to generate: `TOKSCOPE_GENERATED` in long runs.
pub fn generated(default: u32) -> u32 {
    let requested = std::env::var("TOKSCOPE_GENERATED").ok();
    requested
        .and_then(|number| number.parse().ok())
        .unwrap_or(default)
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

/// Opens the engines of the real DeBERTa for a test. Returns them with the folder of real data.
fn deberta(test: &str) -> Option<(Engines, PathBuf)> {
    let shared = shared(test)?;
    let engines = Engines::open_folder(&shared.join("models/deberta-v3-xsmall"));
    Some((engines, shared))
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
fn engines_agree_on_cached_words() {
    let Some((engines, _)) = deberta("engines_agree_on_cached_words") else {
        return;
    };
    // Enough words that the word cache is allocated.
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

/// The expected ids are those of transformers 4.48.3 with tokenizers 0.21. A grapheme that the character map replaces as a
/// whole shows where it ends.
#[test]
fn graphemes_follow_unicode_16() {
    let Some((engines, _)) = deberta("graphemes_follow_unicode_16") else {
        return;
    };
    let unicode_17 = "\u{1f1}\u{1ad6}";
    let unicode_16 = "\u{1f1}\u{897}";
    for engine in [&engines.native, &engines.hf] {
        let ids = |text| engine.ids(text, &EncodeOptions::default()).unwrap();
        assert_eq!(ids(unicode_17), [1, 74899, 3, 2]);
        assert_eq!(ids(unicode_16), [1, 74899, 2]);
    }
}
