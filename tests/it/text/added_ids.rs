//! The ids of added tokens in vocabularies whose ids have holes or were chosen, against the `tokenizers` crate.

use std::collections::BTreeSet;
use std::fs;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokscope::tokenizer::EncodeOptions;

use crate::support::{on, tokenizer};

/// Contents of pieces and of added tokens, so that many are both.
const CONTENTS: &[&str] = &[
    "<unk>", "a", "b", "c", "A", "ab", "<x>", "<y>", "<Z>", "[PAD]", " d", "é", "",
];

fn added_token(id: u32, content: &str, special: bool, normalized: bool) -> Value {
    json!({"id": id, "content": content, "special": special, "normalized": normalized,
           "lstrip": false, "rstrip": false, "single_word": false})
}

fn folder(json: &Value) -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("tokenizer.json"), json.to_string()).unwrap();
    folder
}

/// Returns a model of pieces with these ids. The ids of Unigram pieces are their places in the list.
fn model(kind: &str, pieces: &[(&str, u32)]) -> Value {
    if kind == "Unigram" {
        let pieces: Vec<_> = pieces
            .iter()
            .map(|(piece, id)| json!([piece, -f64::from(*id)]))
            .collect();
        return json!({"type": kind, "unk_id": 0, "vocab": pieces});
    }
    let pieces = pieces
        .iter()
        .map(|(piece, id)| ((*piece).to_owned(), json!(id)));
    let vocab = Value::Object(pieces.collect());
    match kind {
        "BPE" => json!({"type": kind, "vocab": vocab, "merges": [], "unk_token": "<unk>"}),
        "WordPiece" => json!({"type": kind, "vocab": vocab, "unk_token": "<unk>",
                              "continuing_subword_prefix": "##", "max_input_chars_per_word": 100}),
        _ => json!({"type": kind, "vocab": vocab, "unk_token": "<unk>"}),
    }
}

fn random_tokenizer() -> impl Strategy<Value = Value> {
    let kind = select(&["Unigram", "BPE", "WordPiece", "WordLevel"][..]);
    let contents = CONTENTS[1..].to_vec();
    let pieces = subsequence(contents, 0..=8).prop_flat_map(|pieces| {
        let ids = prop_oneof![
            Just((1..20).collect::<Vec<u32>>()),
            Just(vec![1, 5, 2, 9, 40, 7, 8, 6, 30, 3]),
            subsequence((1..30).collect::<Vec<u32>>(), 12).prop_shuffle(),
        ];
        ids.prop_map(move |ids| pieces.iter().copied().zip(ids).collect::<Vec<_>>())
    });
    let added = (0..CONTENTS.len(), 0_u32..50, any::<bool>(), any::<bool>());
    let added = prop::collection::vec(added, 0..9);
    (kind, pieces, added, any::<bool>()).prop_map(|(kind, mut pieces, added, lower)| {
        pieces.insert(0, ("<unk>", 0));
        let added = added.into_iter().map(|(content, id, special, normalized)| {
            added_token(id, CONTENTS[content], special, normalized)
        });
        json!({
            "version": "1.0",
            "added_tokens": added.collect::<Vec<_>>(),
            "normalizer": lower.then(|| json!({"type": "Lowercase"})),
            "pre_tokenizer": {"type": "WhitespaceSplit"},
            "model": model(kind, &pieces),
        })
    })
}

#[test]
fn added_tokens_have_the_ids_of_the_crate_in_any_vocabulary() {
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &[31; 32]);
    let config = Config {
        cases: 600,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, random);
    let outcome = runner.run(&random_tokenizer(), |json| {
        let theirs = tokenizers::Tokenizer::from_bytes(json.to_string()).unwrap();
        let folder = folder(&json);
        let ours = tokenizer(folder.path());
        for content in CONTENTS.iter().filter(|content| !content.is_empty()) {
            let id = ours.id_of(content).ok();
            prop_assert_eq!(id, theirs.token_to_id(content), "{}", content);
        }
        for id in 0..70 {
            let piece = theirs.id_to_token(id);
            prop_assert_eq!(ours.piece(id), piece.as_deref(), "{}", id);
            let listed = ours.vocabulary().get(id).map(|entry| entry.piece.as_str());
            prop_assert_eq!(listed, piece.as_deref(), "{}", id);
        }
        prop_assert_eq!(ours.vocabulary().size(), theirs.get_vocab_size(true));
        let contents: BTreeSet<_> = theirs.get_vocab(true).into_keys().collect();
        for content in &contents {
            let found = ours.vocabulary().find(content).map(|entry| entry.id);
            prop_assert_eq!(found, theirs.token_to_id(content), "{}", content);
        }
        for text in ["a <x>b [PAD]", "<Z>ab<y> é d A"] {
            let encoded = ours.encode(text, None, &EncodeOptions::default()).unwrap();
            let expected = theirs.encode(text, true).unwrap();
            prop_assert_eq!(&encoded.into_first().ids, expected.get_ids(), "{}", text);
        }
        Ok(())
    });
    outcome.unwrap();
}

/// The answers were given by tokenizers 0.21.4 in Python. A new token gets the number of pieces, 5, which is the id of
/// `b`.
#[test]
fn an_added_token_that_takes_over_an_id_is_shown_by_every_command() {
    let pieces = [("<unk>", 0), ("a", 1), ("b", 5), ("c", 6), ("d", 9)];
    let json = json!({
        "version": "1.0",
        "added_tokens": [
            added_token(20, "<x>", true, false),
            added_token(21, "d", false, false),
            added_token(22, "<y>", false, false),
        ],
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "model": model("WordLevel", &pieces),
    });
    let folder = folder(&json);
    let run = |args: &[&str]| on(folder.path(), args).ok();
    assert_eq!(
        run(&["tokenize", "--ids", "<x> a b c d <y>"]),
        "5 1 5 6 9 10\n"
    );
    assert_eq!(
        run(&["decode", "5", "1", "6", "9", "10"]),
        "<x> a c d <y>\n"
    );
    let listed = run(&["vocab", "--format", "tsv"]);
    let listed: Vec<_> = listed
        .lines()
        .skip(1)
        .map(|line| line.split('\t').take(2).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(listed, ["0 <unk>", "1 a", "5 <x>", "6 c", "9 d", "10 <y>"]);
    let info: Value = serde_json::from_str(&run(&["info", "--json"])).unwrap();
    assert_eq!(info["tokenizer"]["vocabulary_size"], 7, "{info}");
}
