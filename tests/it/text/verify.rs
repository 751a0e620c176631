//! `verify`: both engines over the same texts.

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use tokscope::formats::sentencepiece::SentencePieceModel;
use tokscope::tokenizer::native::compiled::{CompiledVocabulary, Contents};

use crate::records::{one, records};
use crate::support::{Call, demo, folder_without_checkpoint, on};

/// Three texts, two of which the wrong engine encodes differently.
const TEXTS: &str = "dinero\nbanco\nbanco y dinero\n";

/// A model whose native engine is wrong.
struct WrongEngine {
    model: TempDir,
    cache: TempDir,
}

impl WrongEngine {
    /// Puts a compiled vocabulary without `▁dinero` into the app cache, in place of the right one.
    fn new() -> Self {
        let model = folder_without_checkpoint();
        let cache = tempfile::tempdir().unwrap();
        let path = model.path().join("spm.model");
        let mut bytes = fs::read(&path).unwrap();
        // Small files are not compiled into the cache. Field 100, of 1 MiB, is in no schema and is skipped.
        bytes.extend([0xa2, 0x06, 0x80, 0x80, 0x40]);
        bytes.resize(bytes.len() + (1 << 20), 0);
        fs::write(&path, &bytes).unwrap();
        let scene = Self { model, cache };
        scene.call(&["tokenize", "dinero"]).ok();
        let compiled = only_file(&scene.cache.path().join("tokscope/vocabularies"));
        let mut spm = SentencePieceModel::parse("spm.model", &bytes).unwrap();
        let dinero = spm.pieces.iter_mut().find(|piece| piece.text == "▁dinero");
        dinero.unwrap().text = "▁dinerx".to_owned();
        let name = compiled.file_name().unwrap().to_str().unwrap();
        let wrong = CompiledVocabulary::new(&Contents::from(&spm), sha256(name));
        fs::write(&compiled, wrong.bytes()).unwrap();
        scene
    }

    fn call(&self, args: &[&str]) -> Call {
        on(self.model.path(), args).env("XDG_CACHE_HOME", self.cache.path())
    }

    fn verify(&self, args: &[&str]) -> Call {
        self.call(&[&["verify", "--lines"], args].concat())
            .stdin(TEXTS)
    }
}

fn only_file(folder: &Path) -> std::path::PathBuf {
    let paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(paths.len(), 1, "{paths:?}");
    paths[0].clone()
}

/// Reads the digest that a compiled vocabulary is named by.
fn sha256(name: &str) -> [u8; 32] {
    let byte = |index| u8::from_str_radix(&name[2 * index..2 * index + 2], 16).unwrap();
    std::array::from_fn(byte)
}

#[test]
fn engines_that_agree_are_a_positive_answer() {
    let out = demo(["verify", "--lines", "--json"]).stdin(TEXTS).ok();
    let verify = one(&out).verify();
    assert_eq!((verify.texts, verify.differences), (3, 0));
    assert_eq!(verify.tokens, 11);
}

#[test]
fn nothing_to_compare_is_not_agreement() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.txt");
    fs::write(&empty, "").unwrap();
    let empty = empty.to_str().unwrap();
    for args in [&["--lines"][..], &["--jsonl"], &[], &[empty]] {
        let answer = demo([&["verify", "--json"], args].concat()).exit(2);
        assert_eq!(one(&answer.stdout).verify().differences, 0);
        assert!(
            answer
                .stderr
                .starts_with("error: found no text to compare\n"),
            "{}",
            answer.stderr
        );
    }
    let blank = demo(["verify", "--lines", "--json"]).stdin("\n\n").exit(2);
    assert_eq!(one(&blank.stdout).verify().texts, 2);
    demo(["verify", empty, "-"]).stdin("banco").exit(0);
}

#[test]
fn a_difference_is_shown_and_is_a_negative_answer() {
    let scene = WrongEngine::new();
    let answer = scene.verify(&["--json"]).exit(1);
    assert_eq!(answer.stderr, "");
    let mut found = records(&answer.stdout);
    let verify = found.pop().unwrap().verify();
    assert_eq!((verify.texts, verify.tokens), (3, 11));
    assert_eq!(verify.differences, 2);
    let found: Vec<_> = found.into_iter().map(|one| one.difference()).collect();
    let places: Vec<_> = found.iter().map(|one| (one.line, one.position)).collect();
    assert_eq!(places, [(Some(1), 1), (Some(3), 3)]);
    assert_eq!(found[0].text, "dinero");
    assert_eq!(found[0].reference, ["[CLS]", "▁dinero", "[SEP]"]);
    assert_eq!(found[0].reference_offsets, [(0, 0), (0, 6), (0, 0)]);
    assert!(found[0].native.len() > 3, "{:?}", found[0]);
    assert_eq!(found[0].native.len(), found[0].native_offsets.len());
    assert_eq!(found[0].native[0], "[CLS]");
}

#[test]
fn all_differences_are_counted_and_some_are_shown() {
    let scene = WrongEngine::new();
    for (show, shown) in [("0", 0), ("1", 1), ("2", 2)] {
        let answer = scene.verify(&["--json", "--show", show]).exit(1);
        let mut found = records(&answer.stdout);
        assert_eq!(found.pop().unwrap().verify().differences, 2);
        assert_eq!(found.len(), shown);
    }
    let shown = scene.verify(&["--show", "1"]).exit(1).stdout;
    assert!(shown.starts_with("line 1 token 1\n"), "{shown}");
    assert!(
        shown.contains("  reference  [CLS] ▁dinero [SEP]\n"),
        "{shown}"
    );
    assert!(
        shown.ends_with("3 texts, 11 tokens: 2 texts differ\n"),
        "{shown}"
    );
}

#[test]
fn differences_and_their_number_are_two_tables_of_csv() {
    let scene = WrongEngine::new();
    let answer = scene.verify(&["--format", "csv", "--show", "1"]).exit(1);
    let lines: Vec<&str> = answer.stdout.lines().collect();
    assert_eq!(lines.len(), 4, "{}", answer.stdout);
    assert_eq!(lines[0], "path,line,position,text,native,reference");
    assert!(lines[1].starts_with(",1,1,dinero,[CLS] "), "{}", lines[1]);
    assert!(
        lines[1].ends_with(" [SEP],[CLS] ▁dinero [SEP]"),
        "{}",
        lines[1]
    );
    assert_eq!(lines[2..], ["texts,tokens,differences", "3,11,2"]);
}

#[test]
fn the_name_of_a_differing_file_is_escaped() {
    let scene = WrongEngine::new();
    let path = scene.cache.path().join("a\u{1b}[2J.txt");
    fs::write(&path, "dinero").unwrap();
    let answer = scene.call(&["verify", path.to_str().unwrap()]).exit(1);
    assert!(
        answer.stdout.contains("a␛[2J.txt token 1\n"),
        "{}",
        answer.stdout
    );
    assert!(!answer.stdout.contains('\u{1b}'), "{}", answer.stdout);
}
