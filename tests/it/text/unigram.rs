//! Compares the engines on Unigram models: real ones, a SentencePiece file, byte fallback, and no unknown piece.

use serde_json::{Value, json};
use tempfile::TempDir;
use tokscope::tokenizer::{EncodeOptions, EngineChoice};

use crate::support::{repository, shared, tokenizer};
use crate::text::engines::{Engines, compare_generated, compare_lines, compare_pieces, generated};
use crate::text::families::{self, added_tokens};

#[test]
fn a_word_at_the_stripped_end_of_a_text_is_not_taken_for_one_in_its_middle() {
    let families = families::families();
    let family = families.iter().find(|family| family.name == "XLM-RoBERTa");
    let folder = TempDir::new().unwrap();
    let engines = families::open(folder.path(), family.unwrap(), &added_tokens()[0]);
    // Enough words that the word cache is allocated.
    let many: String = (0..700).map(|word| format!("word{word} ")).collect();
    engines.compare(&many, None);
    for end in ["\r", "\u{a0}", "\u{3000}"] {
        engines.compare(&format!("a word{end}"), None);
        engines.compare(&format!("a word{end}\nand another"), None);
    }
}

#[test]
fn engines_agree_on_t5_and_xlnet() {
    let Some(shared) = shared("engines_agree_on_t5_and_xlnet") else {
        return;
    };
    for model in ["t5-small", "xlnet-base-cased"] {
        let engines = Engines::open_folder(&shared.join("models").join(model));
        let golden = shared.join(format!("golden/{model}.jsonl"));
        compare_lines(&engines, &golden);
        compare_pieces(&engines, 7);
        compare_generated(&engines, generated(1_000));
    }
}

#[test]
fn engines_agree_on_a_sentencepiece_file_that_lowercases_and_splits() {
    let folder = TempDir::new().unwrap();
    let spm = repository("demo/model/spm.model");
    std::fs::copy(spm, folder.path().join("spm.model")).unwrap();
    for (lower, split) in [(true, false), (false, true), (true, true)] {
        let config = json!({"do_lower_case": lower, "split_by_punct": split});
        let config = serde_json::to_vec(&config).unwrap();
        std::fs::write(folder.path().join("tokenizer_config.json"), config).unwrap();
        let engines = Engines::open_folder(folder.path());
        assert!(engines.native.is_native());
        compare_lines(&engines, &repository("demo/golden.jsonl"));
        compare_generated(&engines, generated(300));
    }
}

#[test]
fn engines_agree_on_byte_fallback() {
    for family in families::families() {
        let folder = TempDir::new().unwrap();
        // The vocabulary has a piece for every byte. A character with a byte that has none is unknown.
        for missing in [None, Some("<0xE6>")] {
            let change = |model: &mut Value| {
                model["byte_fallback"] = true.into();
                if let Some(missing) = missing {
                    let mut pieces = model["vocab"].as_array_mut().unwrap().iter_mut();
                    pieces.find(|piece| piece[0] == missing).unwrap()[0] = "another piece".into();
                }
            };
            let engines =
                families::open_changed(folder.path(), &family, &added_tokens()[1], change);
            let many: String = (0..700).map(|word| format!("wort{word}ß ")).collect();
            engines.compare(&many, None);
            for text in ["漢字 漢字, 木", "x漢y 漢 a漢字", "漢", "a\u{301}漢字\u{1}"] {
                engines.compare(text, None);
            }
            compare_lines(&engines, &repository("demo/golden.jsonl"));
            compare_generated(&engines, generated(30));
        }
    }
}

#[test]
fn a_model_without_an_unknown_piece_refuses_unknown_characters_as_the_reference_does() {
    for family in families::families() {
        let folder = TempDir::new().unwrap();
        let engines = families::open_changed(folder.path(), &family, &added_tokens()[0], |model| {
            model["unk_id"] = Value::Null;
        });
        let reference = tokenizer(folder.path()).with_engine(EngineChoice::Reference);
        let options = EncodeOptions::default();
        let many: String = (0..700).map(|_| "banco ").collect();
        for text in [
            &*many,
            "banco",
            "漢字",
            "banco 漢字",
            "banco",
            "漢字 banco",
            "banco banco",
        ] {
            let ours = engines.native.encode(text, None, &options);
            let theirs = reference.encode(text, None, &options);
            match (ours, theirs) {
                (Ok(ours), Ok(theirs)) => assert_eq!(ours, theirs, "{text}"),
                (Err(ours), Err(theirs)) => assert_eq!(ours.to_string(), theirs.to_string()),
                (ours, theirs) => panic!("{} {text}: {ours:?} {theirs:?}", family.name),
            }
        }
        assert!(engines.native.encode("漢字", None, &options).is_err());
    }
}
