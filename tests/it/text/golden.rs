//! Recorded encodings and decodings of the reference: no difference is allowed.

use std::path::Path;

use serde::Deserialize;
use tokscope::model_ref::ModelRef;
use tokscope::tokenizer::{EncodeOptions, Encoding, OffsetUnit, Tokenizer, Truncation};

use crate::support::{files, json_lines, repository, shared, tokenizer};

/// Families other than DeBERTa, each with a real `tokenizer.json`.
const FAMILIES: [&str; 6] = [
    "gpt2",
    "bert-base-cased",
    "roberta-base",
    "t5-small",
    "xlnet-base-cased",
    "modernbert",
];

#[derive(Deserialize)]
struct Golden {
    text: String,
    pair: Option<String>,
    ids: Vec<u32>,
    tokens: Vec<String>,
    type_ids: Option<Vec<u32>>,
    /// In characters, as Python counts them.
    offsets: Vec<(usize, usize)>,
    byte_offsets: Option<Vec<(usize, usize)>>,
    special_tokens_mask: Option<Vec<u32>>,
}

#[derive(Deserialize)]
struct GoldenTruncation {
    text: String,
    pair: Option<String>,
    max_length: usize,
    #[serde(default)]
    stride: usize,
    /// The windows of a single text.
    #[serde(default)]
    windows: Vec<GoldenWindow>,
    /// The ids of the first window of a pair.
    ids: Option<Vec<u32>>,
    type_ids: Option<Vec<u32>>,
}

#[derive(Deserialize)]
struct GoldenWindow {
    ids: Vec<u32>,
    offsets: Vec<(usize, usize)>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum GoldenDecode {
    Single {
        id: u32,
        piece: String,
        text: String,
    },
    Sequence {
        ids: Vec<u32>,
        text: String,
        text_skip_special: String,
    },
}

/// Compares tokens. For text that the vocabulary cannot spell, ours have the unknown piece and the golden ones the text.
fn same_tokens(tokenizer: &Tokenizer, encoding: &Encoding, golden: &[String]) -> bool {
    encoding.tokens.len() == golden.len()
        && encoding
            .ids
            .iter()
            .zip(encoding.tokens.iter())
            .zip(golden)
            .all(|((id, ours), theirs)| {
                let unknown = tokenizer
                    .vocabulary()
                    .get(*id)
                    .is_some_and(|entry| entry.piece == *ours);
                ours == theirs || (unknown && tokenizer.id_of(theirs).is_err())
            })
}

/// Returns the number of texts in a file, and of those that are encoded differently.
fn differences(tokenizer: &Tokenizer, path: &Path) -> (usize, usize) {
    let golden: Vec<Golden> = json_lines(path);
    let mut different = 0;
    for case in &golden {
        let pair = case.pair.as_deref();
        let encoding = tokenizer
            .encode(&case.text, pair, &EncodeOptions::default())
            .unwrap()
            .into_first();
        let pair = pair.filter(|pair| !pair.is_empty());
        let same = encoding.ids == case.ids
            && same_tokens(tokenizer, &encoding, &case.tokens)
            && encoding.offsets_in(OffsetUnit::Char, &case.text, pair) == case.offsets
            && case
                .byte_offsets
                .as_ref()
                .is_none_or(|offsets| encoding.offsets == *offsets)
            && case
                .type_ids
                .as_ref()
                .is_none_or(|ids| encoding.type_ids == *ids)
            && case
                .special_tokens_mask
                .as_ref()
                .is_none_or(|mask| encoding.special_tokens_mask == *mask);
        if !same {
            different += 1;
            eprintln!(
                "{}: {:?}\n  ours   {:?}\n  golden {:?}",
                path.display(),
                case.text,
                encoding.tokens,
                case.tokens
            );
        }
    }
    (golden.len(), different)
}

#[test]
fn the_built_in_tokenizer_encodes_as_the_reference() {
    let tokenizer = Tokenizer::open(&files(&ModelRef::Demo)).unwrap();
    for file in ["demo/golden.jsonl", "demo/golden_pairs.jsonl"] {
        let (texts, different) = differences(&tokenizer, &repository(file));
        assert!(texts > 5);
        assert_eq!(different, 0, "{file}");
    }
}

#[test]
fn deberta_encodes_as_the_reference() {
    let Some(shared) = shared("deberta_encodes_as_the_reference") else {
        return;
    };
    let tokenizer = tokenizer(&shared.join("models/deberta-v3-xsmall"));
    for (file, least) in [
        ("deberta-v3-xsmall.jsonl", 1695),
        ("deberta-v3-xsmall.pairs.jsonl", 6),
    ] {
        let (texts, different) = differences(&tokenizer, &shared.join("golden").join(file));
        assert!(texts >= least, "{file} has {texts} texts");
        assert_eq!(different, 0, "{file}");
    }
}

#[test]
fn six_other_families_encode_as_the_reference() {
    let Some(shared) = shared("six_other_families_encode_as_the_reference") else {
        return;
    };
    for family in FAMILIES {
        let tokenizer = tokenizer(&shared.join("models").join(family));
        let (texts, different) =
            differences(&tokenizer, &shared.join(format!("golden/{family}.jsonl")));
        assert!(texts >= 500, "{family} has {texts} texts");
        assert_eq!(different, 0, "{family}");
    }
}

#[test]
fn deberta_truncates_as_the_reference() {
    let Some(shared) = shared("deberta_truncates_as_the_reference") else {
        return;
    };
    let tokenizer = tokenizer(&shared.join("models/deberta-v3-xsmall"));
    let golden: Vec<GoldenTruncation> =
        json_lines(&shared.join("golden/deberta-v3-xsmall.truncation.jsonl"));
    assert!(golden.len() >= 8);
    for case in golden {
        let options = EncodeOptions::default().truncation(Truncation {
            max_length: case.max_length,
            stride: case.stride,
        });
        let pair = case.pair.as_deref();
        let whole = tokenizer
            .encode(&case.text, pair, &EncodeOptions::default())
            .unwrap()
            .into_first();
        let encoded = tokenizer.encode(&case.text, pair, &options).unwrap();
        assert_eq!(
            encoded.truncated_tokens,
            whole.len() - encoded.windows[0].len()
        );
        assert!(
            case.ids
                .as_ref()
                .is_none_or(|ids| encoded.windows[0].ids == *ids),
            "{:?}",
            case.text
        );
        assert!(
            case.type_ids
                .as_ref()
                .is_none_or(|ids| encoded.windows[0].type_ids == *ids),
            "{:?}",
            case.text
        );
        if pair.is_none() {
            assert_eq!(encoded.windows.len(), case.windows.len(), "{:?}", case.text);
        }
        for (window, golden) in encoded.windows.iter().zip(&case.windows) {
            assert_eq!(window.ids, golden.ids, "{:?}", case.text);
            assert_eq!(
                window.offsets_in(OffsetUnit::Char, &case.text, pair),
                golden.offsets,
                "{:?}",
                case.text
            );
        }
    }
}

#[test]
fn deberta_decodes_as_the_reference() {
    let Some(shared) = shared("deberta_decodes_as_the_reference") else {
        return;
    };
    let tokenizer = tokenizer(&shared.join("models/deberta-v3-xsmall"));
    let golden: Vec<GoldenDecode> =
        json_lines(&shared.join("golden/deberta-v3-xsmall.decode.jsonl"));
    assert!(golden.len() > 1000);
    for case in golden {
        match case {
            GoldenDecode::Single { id, piece, text } => {
                assert_eq!(tokenizer.piece(id), Some(piece.as_str()));
                assert_eq!(tokenizer.decode(&[id], false).unwrap(), text, "{id}");
            }
            GoldenDecode::Sequence {
                ids,
                text,
                text_skip_special,
            } => {
                assert_eq!(tokenizer.decode(&ids, false).unwrap(), text, "{ids:?}");
                assert_eq!(
                    tokenizer.decode(&ids, true).unwrap(),
                    text_skip_special,
                    "{ids:?}"
                );
            }
        }
    }
}

/// The vocabulary is read from the files without an engine, but must have the same pieces.
#[test]
fn the_vocabulary_equals_that_of_the_tokenizers_crate() {
    let Some(shared) = shared("the_vocabulary_equals_that_of_the_tokenizers_crate") else {
        return;
    };
    for family in FAMILIES {
        let folder = shared.join("models").join(family);
        let theirs = tokenizers::Tokenizer::from_file(folder.join("tokenizer.json")).unwrap();
        let ours = tokenizer(&folder);
        let vocabulary = ours.vocabulary();
        assert_eq!(vocabulary.size(), theirs.get_vocab_size(true), "{family}");
        let added = theirs.get_added_tokens_decoder();
        for (piece, id) in theirs.get_vocab(true) {
            assert_eq!(ours.id_of(&piece).unwrap(), id, "{family} {piece:?}");
            assert_eq!(ours.piece(id).map(str::to_owned), theirs.id_to_token(id));
            let entry = vocabulary.get(id).unwrap();
            assert_eq!(entry.added, added.contains_key(&id), "{family} {piece:?}");
            assert_eq!(
                entry.special,
                added.get(&id).is_some_and(|token| token.special),
                "{family} {piece:?}"
            );
        }
    }
}
