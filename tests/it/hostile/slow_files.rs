//! Damaged vocabularies of models without a `tokenizer.json`.

use std::fs;

use tempfile::TempDir;

use crate::support::{on, repository};

/// A name and a content.
type File<'a> = (&'a str, &'a [u8]);

/// Returns a model of a class with these files.
fn model(class: &str, files: &[File<'_>]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let config = format!(r#"{{"tokenizer_class": "{class}"}}"#);
    fs::write(folder.path().join("tokenizer_config.json"), config).unwrap();
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

/// Asserts that a model is refused with exit code 4 and an error that ends with a sentence.
fn assert_refused(class: &str, files: &[File<'_>], sentence: &str) {
    let model = model(class, files);
    for engine in ["auto", "reference"] {
        let answer = on(model.path(), ["tokenize", "--engine", engine, "a b"]).exit(4);
        let first = answer.stderr.lines().next().unwrap_or_default();
        assert!(first.ends_with(sentence), "{class}: {}", answer.stderr);
    }
}

#[test]
fn a_vocabulary_cut_at_any_hundredth_is_refused() {
    let spm = fs::read(repository("demo/model/spm.model")).unwrap();
    let json: String = (0..3000).map(|id| format!("\"p{id}\": {id}, ")).collect();
    let json = format!("{{{json}\"[UNK]\": 3000}}");
    for part in 0..100 {
        let cut = |bytes: &[u8]| bytes[..bytes.len() * part / 100].to_vec();
        for (class, name, bytes) in [
            ("T5Tokenizer", "spiece.model", cut(&spm)),
            ("XLMRobertaTokenizer", "sentencepiece.bpe.model", cut(&spm)),
            ("GPT2Tokenizer", "vocab.json", cut(json.as_bytes())),
        ] {
            let model = model(class, &[(name, &bytes), ("merges.txt", b"#version: 0.2\n")]);
            let answer = on(model.path(), ["tokenize", "a"]).exit(4);
            let named = format!("{name} is damaged: ");
            assert!(
                answer.stderr.contains(&named),
                "{class}, {part} %: {}",
                answer.stderr
            );
        }
    }
}

#[test]
fn files_that_are_no_vocabulary_are_refused() {
    let merges: File<'_> = ("merges.txt", b"#version: 0.2\na b\n");
    let pieces: &[u8] = br#"{"a": 0, "b": 1, "ab": 2, "<|endoftext|>": 3}"#;
    let cases: &[(&str, &[File<'_>], &str)] = &[
        (
            "BertTokenizer",
            &[("vocab.txt", b"[UNK]\n\xff\n")],
            "vocab.txt is damaged: it is not UTF-8 at byte 6",
        ),
        (
            "BertTokenizer",
            &[("vocab.txt", b"")],
            "vocab.txt is damaged: it is empty",
        ),
        (
            "GPT2Tokenizer",
            &[("vocab.json", b"[[\"a\", 1.0]]"), merges],
            "vocab.json is damaged: it is a list, not an object of pieces with their ids",
        ),
        (
            "GPT2Tokenizer",
            &[
                ("vocab.json", pieces),
                ("merges.txt", b"#version: 0.2\na b c\n"),
            ],
            "merges.txt is damaged: line 2 is \"a b c\", which is not two pieces",
        ),
        (
            "GPT2Tokenizer",
            &[
                ("vocab.json", pieces),
                ("merges.txt", b"#version: 0.2\na x\n"),
            ],
            "vocab.json is damaged: Token `x` out of vocabulary",
        ),
        (
            "GPT2Tokenizer",
            &[("vocab.json", pieces), ("merges.txt", b"\n\xff\n")],
            "merges.txt is damaged: it is not UTF-8 at byte 1",
        ),
        (
            "LlamaTokenizer",
            &[("tokenizer.model", b"IQ== 0\nIg== 1\n")],
            "tokenizer.model is damaged: it has no pieces",
        ),
        (
            "T5Tokenizer",
            &[("spiece.model", b"\x0a\xff\xff\xff\xff\x0fx")],
            "spiece.model is damaged: it ends early, at byte 7: piece 0 begins at byte 0 and ends at byte 4294967301",
        ),
    ];
    for (class, files, sentence) in cases {
        assert_refused(class, files, sentence);
    }
}

/// A line of 8 MB is one piece, which no text matches.
#[test]
fn a_huge_line_is_one_piece() {
    let mut vocab = b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n".to_vec();
    vocab.extend(vec![b'x'; 8 << 20]);
    let model = model("BertTokenizer", &[("vocab.txt", &vocab)]);
    let answer = on(model.path(), ["tokenize", "--ids", "a xx"]).exit(0);
    assert_eq!(answer.stdout, "2 5 1 3\n");
}

#[test]
fn settings_that_the_reference_refuses_are_refused() {
    let files: &[File<'_>] = &[("vocab.txt", b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n")];
    for (setting, sentence) in [
        (
            r#""do_lower_case": 1"#,
            "`do_lower_case` in tokenizer_config.json must be true or false, not 1",
        ),
        (
            r#""strip_accents": "yes""#,
            "`strip_accents` in tokenizer_config.json must be true or false, not \"yes\"",
        ),
        (r#""cls_token": null"#, "the tokenizer has no cls_token"),
    ] {
        let model = model("BertTokenizer", files);
        let config = format!(r#"{{"tokenizer_class": "BertTokenizer", {setting}}}"#);
        fs::write(model.path().join("tokenizer_config.json"), config).unwrap();
        let answer = on(model.path(), ["tokenize", "a"]).exit(4);
        let sentence = format!("vocab.txt is not supported: {sentence}\n");
        assert!(answer.stderr.contains(&sentence), "{}", answer.stderr);
    }
}

#[test]
fn a_class_that_is_made_only_from_a_tokenizer_json_is_refused() {
    for (class, problem) in [
        (
            "GPTNeoXTokenizer",
            "a GPTNeoXTokenizerFast is made only from a tokenizer.json, which the model does not have",
        ),
        (
            "MyTokenizer",
            "tokenizer_config.json names MyTokenizer, which transformers does not have",
        ),
        (
            "MyTokenizer\", \"auto_map\": {}, \"x\": \"",
            "its MyTokenizer is a Python program of the model, which is not run",
        ),
        (
            "BertJapaneseTokenizer",
            "tokenizer_config.json names BertJapaneseTokenizer, which splits words with MeCab, Sudachi or Juman++ and \
             their dictionaries",
        ),
        (
            "Wav2Vec2CTCTokenizer",
            "tokenizer_config.json names Wav2Vec2CTCTokenizer, which turns the output of a speech model into \
             characters",
        ),
    ] {
        let files: &[File<'_>] = &[("vocab.json", b"{}"), ("merges.txt", b"\n\n")];
        assert_refused(
            class,
            files,
            &format!("vocab.json is not supported: {problem}"),
        );
    }
}
