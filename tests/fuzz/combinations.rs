//! Random tokenizers, encoded and decoded by the program's library and by the `tokenizers` crate itself.
//!
//! `TOKSCOPE_FUZZ=100000 cargo test --test fuzz combinations` tries as many, from `TOKSCOPE_FUZZ_FROM` on. With
//! `TOKSCOPE_FUZZ_DUMP=FILE`, the answers are written to a file, which `tests/fuzz/compare_with_python.py` compares with
//! those of the Python package.

use std::cell::Cell;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use serde_json::{Value, json};
use tokscope::tokenizer::{EncodeOptions, EngineChoice, OffsetUnit, Tokenizer};

use crate::combine::Choices;
use crate::targets::open_model;
use crate::{Stopwatch, TOO_LONG, number_from_env};

/// The tokenizers of an ordinary run.
const TOKENIZERS: u64 = 400;
const TEXTS: usize = 4;
/// Differences after which a run ends.
const MAX_FAILED: usize = 20;

thread_local! {
    /// True while this thread calls the crate, whose panics are expected.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// The answer to one text, in the form that Python prints. `None` if there is none.
type Answer = Option<Value>;

/// Runs `work` of the crate. Returns `None` if it fails or panics.
fn of_crate<T>(work: impl FnOnce() -> tokenizers::Result<T>) -> Option<T> {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        crate::targets::report_only_bugs();
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !QUIET.get() {
                report(panic);
            }
        }));
    });
    QUIET.set(true);
    let outcome = catch_unwind(AssertUnwindSafe(work));
    QUIET.set(false);
    outcome.ok()?.ok()
}

/// The crate's own tokenizer, used as the reference uses it.
struct Theirs {
    inner: tokenizers::Tokenizer,
    unknown: Option<(u32, String)>,
}

impl Theirs {
    fn open(json: &Value) -> Option<Self> {
        let inner = of_crate(|| {
            let mut inner = tokenizers::Tokenizer::from_bytes(json.to_string())?;
            inner.with_truncation(None)?;
            inner.with_padding(None);
            Ok(inner)
        })?;
        let model = &json["model"];
        let unknown = match model["unk_id"].as_u64() {
            Some(id) => Some(model["vocab"][id as usize][0].as_str().unwrap_or_default()),
            None => model["unk_token"].as_str(),
        };
        let id = |piece: &str| match model["unk_id"].as_u64() {
            Some(id) => Some(id as u32),
            None => inner.token_to_id(piece),
        };
        let unknown = unknown.and_then(|piece| Some((id(piece)?, piece.to_owned())));
        Some(Self { inner, unknown })
    }

    fn encode(&self, text: &str, pair: Option<&str>, special: bool) -> Answer {
        let encoding = of_crate(|| match pair {
            Some(pair) => self.inner.encode_char_offsets((text, pair), special),
            None => self.inner.encode_char_offsets(text, special),
        })?;
        let tokens: Vec<&str> = encoding
            .get_ids()
            .iter()
            .zip(encoding.get_tokens())
            .map(|(id, token)| match &self.unknown {
                Some((unknown, piece)) if unknown == id => piece.as_str(),
                _ => token.as_str(),
            })
            .collect();
        let [text, pair] = [text, pair.unwrap_or_default()].map(|text| text.chars().count());
        // The texts of a pair in some sequences of post-processors are told apart by the program only.
        let longest = text.max(pair);
        let offsets: Vec<_> = encoding
            .get_offsets()
            .iter()
            .map(|(start, end)| (start.min(&longest), end.min(&longest)))
            .collect();
        Some(json!({
            "ids": encoding.get_ids(), "tokens": tokens, "offsets": offsets, "type_ids": encoding.get_type_ids(),
            "words": encoding.get_word_ids(), "special": encoding.get_special_tokens_mask(),
        }))
    }

    fn decode(&self, ids: &[u32], skip: bool) -> Answer {
        of_crate(|| self.inner.decode(ids, skip)).map(Value::String)
    }
}

fn encode(ours: &Tokenizer, text: &str, pair: Option<&str>, special: bool) -> Answer {
    let options = EncodeOptions::default().special_tokens(special);
    let encoding = ours.encode(text, pair, &options).ok()?.into_first();
    let offsets = encoding.offsets_in(OffsetUnit::Char, text, pair);
    let tokens: Vec<&str> = encoding.tokens.iter().collect();
    Some(json!({
        "ids": encoding.ids, "tokens": tokens, "offsets": offsets, "type_ids": encoding.type_ids,
        "words": encoding.word_ids, "special": encoding.special_tokens_mask,
    }))
}

/// Asserts that two answers are alike. Prints only the fields that differ.
fn assert_alike(given: &Answer, expected: &Answer, about: impl Fn() -> String) {
    if given == expected {
        return;
    }
    if let (Some(given), Some(expected)) = (given, expected) {
        let names = given.as_object().unwrap().keys();
        for name in names.filter(|name| given[*name] != expected[*name]) {
            eprintln!("{name}: {} is not {}", given[name], expected[name]);
        }
    }
    panic!(
        "is some: {} and {}; {}",
        given.is_some(),
        expected.is_some(),
        about()
    );
}

fn ids_of(answer: &Value) -> Vec<u32> {
    serde_json::from_value(answer["ids"].clone()).unwrap()
}

/// Compares both on one random tokenizer. Returns the questions with their answers.
fn compare(number: u64) -> Value {
    let mut choices = Choices::new(number);
    let (json, added) = choices.tokenizer();
    let texts: Vec<String> = (0..TEXTS).map(|_| choices.text(&added)).collect();
    // The linked crate uses the tables of the compiler for these characters, and the reference older ones.
    let is_new = |text: &str| text.contains(['\u{16ea0}', '\u{a7ce}', '\u{11de0}']);
    let steps = [&json["normalizer"], &json["pre_tokenizer"]].map(Value::to_string);
    let comparable = !texts
        .iter()
        .chain(&added)
        .chain(&steps)
        .any(|text| is_new(text));
    let theirs = Theirs::open(&json);
    let mut asked = Vec::new();
    for choice in [EngineChoice::Auto, EngineChoice::Reference] {
        let ours = open_model(&[("tokenizer.json", json.to_string().as_bytes())]);
        let ours = ours
            .map(|ours| ours.with_engine(choice))
            .and_then(|ours| ours.prepare().map(|()| ours));
        let about = || format!("{number} {choice:?} {json}");
        let (ours, theirs) = match (ours, &theirs) {
            (Ok(ours), Some(theirs)) => (ours, theirs),
            (Err(_), None) => continue,
            (Ok(_), None) => panic!("the crate refuses {}", about()),
            // Steps that can multiply the length of a text are refused.
            (Err(error), Some(_)) if error.to_string().contains("but the limit is") => continue,
            (Err(error), Some(_)) => panic!("{error}: {}", about()),
        };
        for (index, text) in texts.iter().enumerate() {
            for pair in [None, texts.get(index + 1).filter(|pair| !pair.is_empty())] {
                let pair = pair.map(String::as_str);
                let expected = theirs.encode(text, pair, index % 2 == 0);
                let given = encode(&ours, text, pair, index % 2 == 0);
                if comparable {
                    let about = || format!("{text:?} {pair:?} {}", about());
                    assert_alike(&given, &expected, about);
                }
                let decoded = given.as_ref().map(|given| {
                    let ids = ids_of(given);
                    let decoded =
                        [false, true].map(|skip| ours.decode(&ids, skip).ok().map(Value::String));
                    // Of no ids, BPEDecoder counts below zero: a panic here, and nothing in a release build.
                    let expected = match ids[..] {
                        [] => Some("".into()),
                        _ => theirs.decode(&ids, false),
                    };
                    assert_eq!(decoded[0], expected, "{text:?} {ids:?} {}", about());
                    decoded
                });
                if pair.is_none() {
                    let options = EncodeOptions::default().special_tokens(index % 2 == 0);
                    let expected = given.as_ref().map(ids_of);
                    assert_eq!(
                        ours.ids(text, &options).ok(),
                        expected,
                        "{text:?} {}",
                        about()
                    );
                    let count = ours.count(text, &options).ok();
                    assert_eq!(count, expected.map(|ids| ids.len()), "{text:?} {}", about());
                }
                if choice == EngineChoice::Auto {
                    asked.push(json!({"text": text, "pair": pair, "special": index % 2 == 0, "answer": given, "decoded": decoded}));
                }
            }
        }
    }
    json!({"number": number, "tokenizer": json, "opens": theirs.is_some(), "asked": asked})
}

#[test]
fn random_tokenizers_answer_as_the_crate() {
    let first = number_from_env("TOKSCOPE_FUZZ_FROM").unwrap_or(0);
    let count = number_from_env("TOKSCOPE_FUZZ").unwrap_or(TOKENIZERS);
    let mut dump = std::env::var_os("TOKSCOPE_FUZZ_DUMP")
        .map(|path| BufWriter::new(File::create(path).unwrap()));
    let mut opened = 0;
    let mut failed = Vec::new();
    for number in first..first + count {
        let watch = Stopwatch::start();
        let Ok(asked) = catch_unwind(|| compare(number)) else {
            failed.push(number);
            assert!(failed.len() < MAX_FAILED, "{failed:?} differ");
            continue;
        };
        let time = watch.time();
        assert!(time < 4 * TOO_LONG, "{number} takes {time:?}");
        opened += u64::from(asked["opens"] == true);
        if let Some(dump) = &mut dump {
            writeln!(dump, "{asked}").unwrap();
        }
    }
    assert!(failed.is_empty(), "{failed:?} differ");
    // Most of them must be usable, or the test would prove little.
    assert!(opened * 3 > count * 2, "{opened} of {count}");
}
