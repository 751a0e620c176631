//! Regular expressions in a `tokenizer.json` split and replace as in the reference, or the failure is reported.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokscope::error::Error;
use tokscope::tokenizer::{EncodeOptions, Tokenizer};

use crate::support::{files, on, repository, tokenizer};

/// The answers of tokenizers 0.21.4, written by `tests/fixtures/regex/make_golden.py`.
#[derive(Deserialize)]
struct Golden {
    tokenizers: String,
    texts: Vec<String>,
    patterns: Vec<Answer>,
}

#[derive(Deserialize)]
struct Answer {
    pattern: String,
    /// For each text, the lengths of its parts in characters, such as `1*3 4`. `None` if the pattern is refused.
    parts: Option<Vec<String>>,
    /// The texts of [`REPLACED`], with `<R>` in place of each match.
    replaced: Option<Vec<String>>,
}

const REPLACED: [usize; 3] = [0, 2, 6];

fn golden() -> Golden {
    let path = repository("tests/fixtures/regex/golden.json");
    let golden: Golden = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    assert_eq!(golden.tokenizers, tokscope::tokenizer::TOKENIZERS_VERSION);
    assert!(golden.patterns.len() > 200);
    golden
}

/// Returns a folder with a tokenizer whose tokens are the words that `steps` leave.
fn word_level(steps: &Value, pieces: &[&str]) -> TempDir {
    let pieces = pieces.iter().zip(1..);
    let mut vocab: serde_json::Map<String, Value> = pieces
        .map(|(piece, id)| ((*piece).to_owned(), json!(id)))
        .collect();
    vocab.insert("<unk>".to_owned(), json!(0));
    let mut json = json!({
        "version": "1.0",
        "added_tokens": [],
        "model": {"type": "WordLevel", "vocab": vocab, "unk_token": "<unk>"},
    });
    let fields = json.as_object_mut().unwrap();
    fields.extend(steps.as_object().unwrap().clone());
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("tokenizer.json"), json.to_string()).unwrap();
    folder
}

fn split(pattern: &str) -> Value {
    json!({"pre_tokenizer": {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false}})
}

fn replace(pattern: &str) -> Value {
    json!({"normalizer": {"type": "Replace", "pattern": {"Regex": pattern}, "content": "<R>"}})
}

fn open(folder: &Path) -> Result<Tokenizer, Error> {
    let tokenizer = Tokenizer::open(&files(&folder.to_str().unwrap().parse()?))?;
    tokenizer.prepare()?;
    Ok(tokenizer)
}

/// Returns the lengths of the tokens in characters, as `make_golden.py` writes them.
fn parts(tokenizer: &Tokenizer, text: &str) -> String {
    let encoding = tokenizer.encode(text, None, &EncodeOptions::default());
    let encoding = encoding.unwrap().into_first();
    let lengths = encoding
        .offsets
        .iter()
        .map(|(start, end)| text[*start..*end].chars().count());
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for length in lengths {
        match runs.last_mut() {
            Some((last, times)) if *last == length => *times += 1,
            _ => runs.push((length, 1)),
        }
    }
    let runs = runs.into_iter().map(|(length, times)| match times {
        1 => length.to_string(),
        _ => format!("{length}*{times}"),
    });
    runs.collect::<Vec<_>>().join(" ")
}

#[test]
fn regular_expressions_split_as_in_the_reference() {
    let golden = golden();
    for answer in &golden.patterns {
        let folder = word_level(&split(&answer.pattern), &[]);
        let Some(expected) = &answer.parts else {
            assert!(open(folder.path()).is_err(), "{}", answer.pattern);
            continue;
        };
        let tokenizer = open(folder.path()).unwrap();
        for (text, expected) in golden.texts.iter().zip(expected) {
            assert_eq!(
                parts(&tokenizer, text),
                *expected,
                "{} {text:?}",
                answer.pattern
            );
        }
    }
}

#[test]
fn regular_expressions_replace_as_in_the_reference() {
    let golden = golden();
    for answer in &golden.patterns {
        let pieces: Vec<&str> = answer
            .replaced
            .iter()
            .flatten()
            .map(String::as_str)
            .collect();
        let folder = word_level(&replace(&answer.pattern), &pieces);
        if answer.replaced.is_none() {
            assert!(open(folder.path()).is_err(), "{}", answer.pattern);
            continue;
        }
        let tokenizer = open(folder.path()).unwrap();
        for (index, piece) in REPLACED.into_iter().zip(pieces) {
            let text = &golden.texts[index];
            let encoding = tokenizer
                .encode(text, None, &EncodeOptions::default())
                .unwrap();
            let id = tokenizer.id_of(piece).unwrap();
            assert_eq!(
                encoding.into_first().ids,
                [id],
                "{} {text:?}",
                answer.pattern
            );
        }
    }
}

/// The pattern of GPT-2 backtracks once over each run of white space.
#[test]
fn a_million_line_breaks_do_not_stop_the_pattern_of_gpt2() {
    const PATTERN: &str =
        r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
    let folder = word_level(
        &split(PATTERN),
        &["Hello", " world", "'s", " ", "123", "abc"],
    );
    let breaks = 1_001_610;
    let text = format!("a{}Hello world's 123abc", "\n".repeat(breaks));
    let encoding = tokenizer(folder.path()).encode(&text, None, &EncodeOptions::default());
    let encoding = encoding.unwrap().into_first();
    assert_eq!(
        encoding.offsets[..3],
        [(0, 1), (1, breaks), (breaks, breaks + 1)]
    );
    assert_eq!(encoding.ids[3..], [1, 2, 3, 0, 6]);
}

/// Oniguruma stops after ten million steps back in one match, and so does the reference, with a panic. Half an answer
/// would be wrong from there on.
#[test]
fn a_pattern_that_gives_up_is_reported() {
    let nested = word_level(&split("(a+)+$"), &["a"]);
    let replaced = word_level(&replace("(a+)+$"), &["a"]);
    for folder in [&nested, &replaced] {
        let text = format!("{}b", "a".repeat(40));
        let answer = on(folder.path(), ["tokenize", &text]).exit(4);
        assert_eq!(answer.stdout, "");
        let sentence = "tokenizer.json is not supported: one of its regular expressions gives up on this text \
                        (retry-limit-in-match over)\n";
        assert!(answer.stderr.ends_with(sentence), "{}", answer.stderr);
    }
    // The pattern of Llama 3 steps back over a run of white space that no line break ends.
    let folder = word_level(&split(r"\s*[\r\n]+|\s+(?!\S)|\s+"), &[" "]);
    let count = |spaces: usize| {
        let text = format!("a{}", " ".repeat(spaces));
        on(folder.path(), ["count", "-"]).stdin(text).run()
    };
    assert_eq!(count(9_000_000).code, 0);
    assert_eq!(count(10_000_001).code, 4);
}

/// Memory for the steps of a match ends like any other memory, and never as an answer.
#[cfg(target_os = "linux")]
#[test]
fn a_match_that_runs_out_of_memory_is_reported() {
    let folder = word_level(&split(r"\s+(?!\S)|\s+"), &[" "]);
    let text = format!("a{}b", " ".repeat(8_000_000));
    let answer = on(folder.path(), ["tokenize", "--ids", "-"])
        .stdin(text)
        .run_within(400_000_000);
    assert!([2, 4].contains(&answer.code), "{answer:?}");
    assert_eq!(answer.stdout, "");
}
