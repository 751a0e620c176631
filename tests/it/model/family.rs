//! SentencePiece files of which no other file names the family.

use std::fs;

use crate::records::Record;
use crate::support::{demo, folder_without_checkpoint, on};

const NOTE: &str = "spm.model is read as DeBERTa's, but neither tokenizer_config.json nor config.json says that it is";

fn undeclared() -> tempfile::TempDir {
    let model = folder_without_checkpoint();
    fs::remove_file(model.path().join("config.json")).unwrap();
    fs::write(model.path().join("tokenizer_config.json"), "{}").unwrap();
    model
}

#[test]
fn an_spm_model_of_an_undeclared_family_is_reported() {
    let model = undeclared();
    let args = ["tokenize", "--ids", "il banco"];
    let answer = on(model.path(), args).exit(0);
    assert_eq!(answer.stdout, demo(args).exit(0).stdout);
    assert_eq!(answer.stderr, format!("note: {NOTE}\n"));
    let info = on(model.path(), ["info", "--json"]).exit(0);
    let Record::Info(record) = serde_json::from_str(&info.stdout).unwrap() else {
        panic!("{}", info.stdout);
    };
    let findings = record.findings.iter();
    let found = findings.filter(|finding| finding.code == "assumed-family");
    let found: Vec<(&str, &str)> = found
        .map(|finding| (finding.level.as_str(), finding.message.as_str()))
        .collect();
    assert_eq!((found, info.stderr.as_str()), (vec![("warning", NOTE)], ""));

    for (name, config) in [
        ("config.json", r#"{"model_type": "deberta-v2"}"#),
        (
            "tokenizer_config.json",
            r#"{"tokenizer_class": "DebertaV2Tokenizer"}"#,
        ),
    ] {
        let model = undeclared();
        fs::write(model.path().join(name), config).unwrap();
        assert_eq!(on(model.path(), args).exit(0).stderr, "", "{name}");
    }
}

#[test]
fn an_spm_model_that_is_not_debertas_is_read_as_the_file_asks() {
    for piece in ["[CLS]", "[SEP]", "[PAD]", "[UNK]"] {
        let model = undeclared();
        let path = model.path().join("spm.model");
        let mut spm = fs::read(&path).unwrap();
        let at = spm
            .windows(piece.len())
            .position(|bytes| bytes == piece.as_bytes());
        spm[at.unwrap()] = b'<';
        fs::write(&path, &spm).unwrap();
        let answer = on(model.path(), ["tokenize", "--ids", "il banco"]).exit(0);
        let sentence = "note: spm.model is read as SentencePiece itself reads it, without special tokens around a \
                        text: no file names the class of the tokenizer\n";
        assert_eq!(answer.stderr, sentence);
        // A declared class may have other special tokens.
        let class = r#"{"tokenizer_class": "DebertaV2Tokenizer"}"#;
        fs::write(model.path().join("tokenizer_config.json"), class).unwrap();
        if piece == "[PAD]" {
            on(model.path(), ["tokenize", "il banco"]).exit(0);
        }
    }
}

#[test]
fn vocabularies_without_a_class_are_read_as_their_pieces_tell() {
    let tokens = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
    for (more, text, ids, class) in [
        ("the\n##re\n", "There", "2 5 6 3\n", "BertTokenizer's"),
        (
            "The\n##re\nthe\n",
            "There",
            "2 5 6 3\n",
            "BertTokenizer's with case",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("vocab.txt"), format!("{tokens}{more}")).unwrap();
        for model in [folder.path().to_owned(), folder.path().join("vocab.txt")] {
            let answer = on(&model, ["tokenize", "--ids", text]).exit(0);
            assert_eq!(answer.stdout, ids);
            let note = format!(
                "note: vocab.txt is read as {class}, but no file of the model names its class\n"
            );
            assert_eq!(answer.stderr, note);
        }
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("notes.txt"), "some\nprose\n").unwrap();
    let answer = on(&folder.path().join("notes.txt"), ["tokenize", "x"]).exit(4);
    assert!(
        answer.stderr.contains("no file names the class"),
        "{}",
        answer.stderr
    );
}
