//! Every character through every step that looks at characters, against the reference.
//!
//! The tables of characters have versions, which are listed in `docs/explanation/exactness.md`.

use std::fs;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokscope::formats::sentencepiece::SentencePieceModel;
use tokscope::tokenizer::{EncodeOptions, OffsetUnit, TOKENIZERS_VERSION, Tokenizer};

use crate::support::{repository, tokenizer};

/// The answers of tokenizers 0.21.4, written by `tests/fixtures/unicode/make_golden.py`.
#[derive(Deserialize)]
struct Golden {
    tokenizers: String,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    name: String,
    /// `normalizer`, `pre_tokenizer`, or `added`.
    kind: String,
    step: Value,
    /// The checksum of each block of [`BLOCK`] characters, in hexadecimal.
    blocks: String,
}

const BLOCK: u32 = 4096;
const BLOCKS: u32 = 0x11_0000 / BLOCK;

impl Step {
    fn tokenizer(&self) -> Tokenizer {
        let mut step = self.step.clone();
        if step["type"] == "Precompiled" {
            let bytes = fs::read(repository("demo/model/spm.model")).unwrap();
            let map = SentencePieceModel::parse("spm.model", &bytes)
                .unwrap()
                .precompiled_charsmap;
            step["precompiled_charsmap"] = json!(BASE64_STANDARD.encode(map));
        }
        let vocab: serde_json::Map<_, _> = (0..=255_u8)
            .map(|byte| (format!("<0x{byte:02X}>"), json!(byte)))
            .collect();
        let mut json = json!({
            "version": "1.0",
            "added_tokens": [],
            "model": {"type": "BPE", "vocab": vocab, "merges": [], "byte_fallback": true},
        });
        if self.kind == "added" {
            let mut token = json!({"id": 256, "content": "<x>", "single_word": false, "lstrip": false,
                                   "rstrip": false, "normalized": false, "special": true});
            token
                .as_object_mut()
                .unwrap()
                .extend(step.as_object().unwrap().clone());
            json["added_tokens"] = json!([token]);
        } else {
            json[&self.kind] = step;
        }
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("tokenizer.json"), json.to_string()).unwrap();
        tokenizer(folder.path())
    }

    /// Returns every character of a block between letters, or around an added token.
    fn text(&self, block: u32) -> String {
        let characters = (block * BLOCK..(block + 1) * BLOCK).filter_map(char::from_u32);
        let around = |character: char| match self.kind.as_str() {
            "added" => format!("{character}<x>{character}a"),
            _ => format!("a{character}b"),
        };
        characters.map(around).collect()
    }

    /// Returns the checksum of the ids, offsets, and words of a block.
    fn checksum(&self, tokenizer: &Tokenizer, block: u32) -> String {
        let text = self.text(block);
        let options = EncodeOptions::default().special_tokens(false);
        let encoding = tokenizer
            .encode(&text, None, &options)
            .unwrap()
            .into_first();
        let offsets = encoding.offsets_in(OffsetUnit::Char, &text, None);
        let mut sum = crc32fast::Hasher::new();
        for ((id, (start, end)), word) in encoding.ids.iter().zip(offsets).zip(&encoding.word_ids) {
            for number in [*id, start as u32, end as u32, word.unwrap()] {
                sum.update(&number.to_le_bytes());
            }
        }
        format!("{:08x}", sum.finalize())
    }
}

/// Returns true for blocks that are worth the time of an ordinary run: not those of ideographs, Hangul, private use, and
/// planes without characters.
fn has_various_characters(block: u32) -> bool {
    !matches!(block, 4..=8 | 11..=12 | 14 | 23 | 24 | 32..272)
}

/// `TOKSCOPE_UNICODE=1` compares all blocks.
#[test]
fn every_character_goes_through_every_step_as_in_the_reference() {
    let path = repository("tests/fixtures/unicode/golden.json");
    let golden: Golden = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    assert_eq!(golden.tokenizers, TOKENIZERS_VERSION);
    assert!(golden.steps.len() > 30);
    let all = std::env::var_os("TOKSCOPE_UNICODE").is_some();
    for step in &golden.steps {
        let tokenizer = step.tokenizer();
        for block in (0..BLOCKS).filter(|block| all || has_various_characters(*block)) {
            // The block of the surrogates is half empty.
            let expected = &step.blocks[8 * block as usize..][..8];
            assert_eq!(
                step.checksum(&tokenizer, block),
                expected,
                "{}, block {block:x}",
                step.name
            );
        }
    }
}
