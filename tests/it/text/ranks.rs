//! Tokens with ranks: `.tiktoken` files and `tekken.json`, against tiktoken 0.14 and mistral_common 1.13.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tempfile::TempDir;
use tokscope::model_ref::ModelRef;
use tokscope::tokenizer::{EncodeOptions, EngineChoice, Tokenizer};

use crate::loopback_hub::Access;
use crate::records::one;
use crate::remote::Remote;
use crate::support::{files, json_lines, on, repository, shared};

/// A line of `golden.jsonl`, which `make_golden.py` describes.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Versions {
        tiktoken: String,
        mistral_common: String,
    },
    Answer(Answer),
}

#[derive(Deserialize)]
struct Answer {
    file: String,
    text: String,
    ids: Vec<u32>,
    ordinary: Option<Vec<u32>>,
    #[serde(default)]
    shuffled: Vec<u32>,
    #[serde(default)]
    decoded: String,
    skipped: Option<String>,
}

pub fn fixture(name: &str) -> PathBuf {
    repository("tests/fixtures/ranks").join(name)
}

/// A folder with the file of an encoding, which has its name.
pub struct Encoding(TempDir, PathBuf);

impl Encoding {
    pub fn new(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (from, name) = match name.ends_with(".json") {
            true => (name, "tekken.json".to_owned()),
            false => ("tokens.tiktoken", format!("{name}.tiktoken")),
        };
        let path = folder.path().join(name);
        fs::copy(fixture(from), &path).unwrap();
        Self(folder, path)
    }

    pub fn path(&self) -> &Path {
        &self.1
    }
}

fn open(path: &Path) -> Tokenizer {
    Tokenizer::open(&files(&ModelRef::File(path.to_owned()))).unwrap()
}

#[test]
fn tokens_with_ranks_are_those_of_tiktoken_and_mistral_common() {
    let mut lines = json_lines::<Line>(&fixture("golden.jsonl")).into_iter();
    let Some(Line::Versions {
        tiktoken,
        mistral_common,
    }) = lines.next()
    else {
        panic!("the first line has the versions");
    };
    assert_eq!((&*tiktoken, &*mistral_common), ("0.14.0", "1.13.1"));
    let mut opened: Option<(String, [Tokenizer; 2])> = None;
    let mut compared = 0;
    for line in lines {
        let Line::Answer(answer) = line else {
            panic!("the other lines have answers");
        };
        if opened.as_ref().is_none_or(|(file, _)| *file != answer.file) {
            let encoding = Encoding::new(&answer.file);
            let native = open(encoding.path());
            assert!(native.is_native(), "{}", answer.file);
            let reference = open(encoding.path()).with_engine(EngineChoice::Reference);
            opened = Some((answer.file.clone(), [native, reference]));
        }
        let Some((file, [tokenizer, reference])) = &opened else {
            continue;
        };
        let context = format!("{file} {:?}", answer.text);
        let options = EncodeOptions::default();
        let encoding = tokenizer.encode(&answer.text, None, &options).unwrap();
        assert_eq!(encoding.into_first().ids, answer.ids, "{context}");
        assert_eq!(reference.ids(&answer.text, &options).unwrap(), answer.ids);
        assert_eq!(tokenizer.ids(&answer.text, &options).unwrap(), answer.ids);
        let count = tokenizer.count(&answer.text, &options).unwrap();
        assert_eq!(count, answer.ids.len(), "{context}");
        let ordinary = answer.ordinary.as_ref().unwrap_or(&answer.ids);
        let options = options.parse_special(false);
        assert_eq!(&tokenizer.ids(&answer.text, &options).unwrap(), ordinary);
        assert_eq!(&reference.ids(&answer.text, &options).unwrap(), ordinary);
        let decoded = tokenizer.decode(&answer.shuffled, false).unwrap();
        assert_eq!(decoded, answer.decoded, "{context} {:?}", answer.shuffled);
        if let Some(skipped) = &answer.skipped {
            let decoded = tokenizer.decode(&answer.shuffled, true).unwrap();
            assert_eq!(&decoded, skipped, "{context} {:?}", answer.shuffled);
        }
        compared += 1;
    }
    assert!(compared > 500, "{compared}");
}

/// Every split of such a word has the same rank, so the leftmost one counts.
#[test]
fn a_word_that_repeats_itself_is_merged_from_the_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r50k_base.tiktoken");
    let bytes = fs::read_to_string(fixture("tokens.tiktoken")).unwrap();
    let bytes: Vec<&str> = bytes.lines().take(256).collect();
    // aa 256, aaa 257: the pairs (aa, a) and (a, aa) make the same token.
    fs::write(&path, bytes.join("\n") + "\nYWE= 256\nYWFh 257\n").unwrap();
    let tokenizer = open(&path);
    let options = EncodeOptions::default();
    for (length, expected) in [
        (3, vec![257]),
        (4, vec![256, 256]),
        (5, vec![256, 257]),
        (7, vec![256, 256, 257]),
    ] {
        let ids = tokenizer.ids(&"a".repeat(length), &options).unwrap();
        assert_eq!(ids, expected, "{length}");
    }
}

#[test]
fn every_command_reads_a_file_of_tokens_with_ranks() {
    for name in ["cl100k_base", "tekken-v3.json", "tekken-v7.json"] {
        let encoding = Encoding::new(name);
        let path = encoding.path();
        let bos = u8::from(name.ends_with(".json"));
        let info = on(path, ["info", "--json"]).exit(0).stdout;
        assert!(info.contains(r#""engine":"native""#), "{info}");
        assert_eq!(
            info.contains("assumed-encoding"),
            name == "cl100k_base",
            "{info}"
        );
        let tokens = on(path, ["tokenize", "--json", "a  b"]).exit(0).stdout;
        assert!(tokens.contains(r#""Ġ""#), "{tokens}");
        let count = on(path, ["count", "-"]).stdin("é a").exit(0).stdout;
        assert!(!count.is_empty());
        let ids = on(path, ["tokenize", "--ids", "é"]).exit(0).stdout;
        let text = on(path, ["decode", "--skip-special-tokens", "--", ids.trim()])
            .exit(0)
            .stdout;
        assert_eq!(text, "é\n");
        assert_eq!(
            ids.split_whitespace().count(),
            usize::from(bos) + 1,
            "{ids}"
        );
        let pieces = on(path, ["vocab", "--grep", "^aaaa$"]).exit(0).stdout;
        assert!(pieces.contains("aaaa"), "{pieces}");
    }
    // A directory with nothing else is a model, too.
    let tekken = Encoding::new("tekken-v3.json");
    let folder = on(tekken.0.path(), ["tokenize", "--ids", "a b"]).exit(0);
    assert_eq!(
        folder.stdout,
        on(tekken.path(), ["tokenize", "--ids", "a b"])
            .exit(0)
            .stdout
    );
}

/// Every token has one merge, although several ways to split it have its rank.
#[test]
fn tokens_with_ranks_are_converted_to_a_tokenizer_json() {
    for name in [
        "r50k_base",
        "o200k_base",
        "tekken-v3.json",
        "tekken-v7.json",
    ] {
        let encoding = Encoding::new(name);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokenizer.json");
        let args = ["convert", "--to", "tokenizer.json", "--json", "-o"].map(OsStr::new);
        let call = on(encoding.path(), args.into_iter().chain([path.as_os_str()]));
        let answer = call.exit(0);
        let is_tekken = name.starts_with("tekken");
        let note = "to load the file as this model is read, set `split_special_tokens` to true";
        assert_eq!(answer.stderr.contains(note), is_tekken, "{}", answer.stderr);
        assert_eq!(one(&answer.stdout).convert().texts, 76);
        // The ids of special tokens are far above those of the others.
        let text = "aaaaaaa aaaa ab 1234 <|endoftext|> é";
        let ids = on(encoding.path(), ["tokenize", "--ids", text]).ok();
        if !is_tekken {
            assert_eq!(on(folder.path(), ["tokenize", "--ids", text]).ok(), ids);
        }
        let by_reference = ["tokenize", "--engine", "reference", "--ids", text];
        assert_eq!(on(encoding.path(), by_reference).ok(), ids);
        // Standard output has the file and nothing else.
        let call = on(
            encoding.path(),
            ["convert", "--to", "tokenizer.json", "-o", "-"],
        );
        assert_eq!(call.exit(0).stdout, fs::read_to_string(&path).unwrap());
    }
    // Two texts with one id, of which the crate would write one.
    let encoding = Encoding::new("o200k_harmony");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokenizer.json");
    let args = ["convert", "--to", "tokenizer.json", "-o"].map(OsStr::new);
    on(encoding.path(), args.into_iter().chain([path.as_os_str()])).ok();
    let text = [
        "tokenize",
        "--ids",
        "<|endofprompt|><|reserved_200018|><|start|>",
    ];
    assert_eq!(on(folder.path(), text).ok(), "200018 200018 200006\n");
}

#[test]
fn a_tiktoken_file_of_no_known_encoding_is_refused_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("qwen.tiktoken");
    fs::copy(fixture("tokens.tiktoken"), &path).unwrap();
    let answer = on(&path, ["tokenize", "a"]).exit(4);
    for part in [
        "it does not say how it splits texts",
        "name it after the encoding: r50k_base",
    ] {
        assert!(answer.stderr.contains(part), "{}", answer.stderr);
    }
    // The ids of special tokens are taken.
    let path = folder.path().join("r50k_base.tiktoken");
    let mut text = fs::read_to_string(fixture("tokens.tiktoken")).unwrap();
    for rank in 700..50_257 {
        let token = base64_of(format!("x{rank}").as_bytes());
        text += &format!("{token} {rank}\n");
    }
    fs::write(&path, text).unwrap();
    let answer = on(&path, ["tokenize", "a"]).exit(4);
    let problem = "it has a token with the id 50256, which is that of <|endoftext|> in r50k_base";
    assert!(answer.stderr.contains(problem), "{}", answer.stderr);
}

fn base64_of(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::prelude::BASE64_STANDARD.encode(bytes)
}

/// The published file has the digest that names its encoding, whatever its name is.
#[test]
fn a_published_file_is_known_by_its_digest() {
    let Some(shared) = shared("a_published_file_is_known_by_its_digest") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("anything.tiktoken");
    fs::copy(shared.join("models/tiktoken/cl100k_base.tiktoken"), &path).unwrap();
    let ids = on(
        &path,
        ["tokenize", "--ids", "tiktoken is great! <|endoftext|>"],
    )
    .exit(0);
    assert_eq!(ids.stdout, "83 1609 5963 374 2294 0 220 100257\n");
    let tekken = open(&shared.join("models/tekken/tekken.json"));
    assert_eq!(tekken.vocabulary().entries().len(), 131_072);
    let ids = tekken
        .ids("tekken is great!", &EncodeOptions::default())
        .unwrap();
    assert_eq!(ids.first(), Some(&1));
}

/// Opens a `tekken.json` with another pattern.
fn with_pattern(pattern: &str) -> (TempDir, PathBuf) {
    let text = fs::read_to_string(fixture("tekken-v7.json")).unwrap();
    let mut file: serde_json::Value = serde_json::from_str(&text).unwrap();
    file["config"]["pattern"] = pattern.into();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tekken.json");
    fs::write(&path, file.to_string()).unwrap();
    (folder, path)
}

#[test]
fn a_pattern_that_would_be_read_otherwise_is_refused() {
    for (pattern, problem) in [
        (
            r"\w+|\s",
            "its pattern has a part that has no exact counterpart here",
        ),
        (
            r"\s++$",
            "its pattern has a part that has no exact counterpart here",
        ),
        (r"(?:a", "its pattern is malformed"),
    ] {
        let (_folder, path) = with_pattern(pattern);
        let answer = on(&path, ["tokenize", "a b"]).exit(4);
        assert!(answer.stderr.contains(problem), "{}", answer.stderr);
    }
    // What the pattern does not match has no tokens, as in tiktoken.
    let (_folder, path) = with_pattern(r"\p{L}+");
    let answer = on(&path, ["tokenize", "--ids", "1 a 2"]).exit(0);
    let byte = 24 + u32::from(b'a');
    assert_eq!(answer.stdout, format!("1 {byte}\n"));
}

#[test]
fn a_file_of_tokens_that_is_cut_off_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (from, to) in [
        ("tokens.tiktoken", "o200k_base.tiktoken"),
        ("tekken-v3.json", "tekken.json"),
    ] {
        let bytes = fs::read(fixture(from)).unwrap();
        let path = folder.path().join(to);
        for percent in 0..100 {
            let part = &bytes[..bytes.len() * percent / 100];
            fs::write(&path, part).unwrap();
            let opened = Tokenizer::open(&files(&ModelRef::File(path.clone())));
            // The lines of all bytes are enough for a vocabulary.
            let is_short = part.iter().filter(|byte| **byte == b'\n').count() < 256;
            match opened {
                Ok(tokenizer) => {
                    assert!(!is_short && to.ends_with(".tiktoken"), "{to} {percent}");
                    tokenizer.ids("a b", &EncodeOptions::default()).unwrap();
                }
                Err(error) => assert_eq!(error.exit() as u8, 4, "{to} {percent} {error}"),
            }
        }
    }
}

#[test]
fn a_repository_with_nothing_but_a_tekken_json_is_a_model() {
    let remote = Remote::new();
    let tekken = fs::read(fixture("tekken-v7.json")).unwrap();
    let files = [("tekken.json", &*tekken)];
    remote.hub.publish("o/n", Access::Public, &files);
    let args = ["tokenize", "--ids", "a b"];
    let ids = remote.call("o/n", &args).ok();
    remote.hub.served();
    let offline = [&["--offline"], &args[..]].concat();
    assert_eq!(remote.call("o/n", &offline).ok(), ids);
    assert_eq!(remote.call("o/n", &args).ok(), ids);
    assert_eq!(remote.hub.served(), []);
}
