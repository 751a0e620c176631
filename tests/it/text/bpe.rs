//! Compares the engines on real byte-pair encodings: byte-level ones of several pre-tokenizers, and those that take a
//! text for a single word.

use std::collections::HashMap;

use serde_json::json;
use tokscope::model_ref::ModelRef;
use tokscope::tokenizer::{EncodeOptions, Tokenizer};

use crate::support::{files, shared};
use crate::text::engines::{Engines, compare_generated, compare_lines, compare_pieces, generated};

/// Compares the engines on the reference texts of a model, on its pieces, and on generated texts.
fn compare(test: &str, model: &str) {
    let Some(shared) = shared(test) else {
        return;
    };
    let folder = shared.join("models").join(model);
    let engines = Engines::open(&ModelRef::Directory(folder));
    assert!(engines.native.is_native(), "{model}");
    compare_lines(&engines, &shared.join(format!("golden/{model}.jsonl")));
    compare_lines(
        &engines,
        &shared.join("golden/deberta-v3-xsmall.pairs.jsonl"),
    );
    let step = engines.native.vocabulary().size() / 300;
    compare_pieces(&engines, step.max(1));
    compare_generated(&engines, generated(150));
}

macro_rules! models {
    ($($test:ident: $model:literal,)*) => {$(
        #[test]
        fn $test() {
            compare(stringify!($test), $model);
        }
    )*};
}

models! {
    engines_agree_on_gpt2: "gpt2",
    engines_agree_on_roberta: "roberta-base",
    engines_agree_on_phi_2: "phi-2",
    engines_agree_on_whisper: "whisper-tiny",
    engines_agree_on_modernbert: "modernbert",
    engines_agree_on_clip: "clip-base",
    engines_agree_on_gpt_4o: "gpt-4o",
    engines_agree_on_llama_3: "llama3",
    engines_agree_on_qwen_3: "qwen3",
    engines_agree_on_llama_2: "llama2",
    engines_agree_on_gemma_3: "gemma3",
}

/// Such words are merged with a heap; the search in a list would take hours.
#[test]
fn long_words_have_the_tokens_of_the_crate() {
    let Some(shared) = shared("long_words_have_the_tokens_of_the_crate") else {
        return;
    };
    for model in ["gpt2", "llama2"] {
        let folder = shared.join("models").join(model);
        let engines = Engines::open(&ModelRef::Directory(folder));
        for part in ["a", "aĠ", "7", "👍🏽", "漢字", "ab", "\n", "▁"] {
            engines.compare(&part.repeat(20_000), None);
        }
    }
}

#[test]
fn a_model_that_leaves_out_merges_at_random_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = json!({
        "version": "1.0", "added_tokens": [], "normalizer": null, "pre_tokenizer": null,
        "post_processor": null, "decoder": null,
        "model": {"type": "BPE", "dropout": 0.5, "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]},
    });
    let open = |file: &serde_json::Value| {
        let path = folder.path().join("tokenizer.json");
        std::fs::write(path, file.to_string()).unwrap();
        let model = ModelRef::Directory(folder.path().to_owned());
        Tokenizer::open(&files(&model)).unwrap()
    };
    let options = EncodeOptions::default();
    let error = open(&file).ids("ab", &options).unwrap_err().to_string();
    let problem = "leaves out merges at random (`dropout` is 0.5)";
    assert!(error.contains(problem), "{error}");
    file["model"]["dropout"] = json!(0.0);
    let tokenizer = open(&file);
    assert!(tokenizer.is_native());
    assert_eq!(tokenizer.ids("abb", &options).unwrap(), [2, 1]);
}

/// A long word is cut into parts where no merge joins its characters.
#[test]
fn the_parts_of_a_long_first_word_are_one_word() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = (0..=u8::MAX).map(|byte| format!("<{byte:#04X}>"));
    let pieces = ["?", "▁", "a", "b", "ab"].map(str::to_owned).into_iter();
    let vocabulary: HashMap<String, usize> = pieces.chain(bytes).zip(0..).collect();
    let file = json!({
        "version": "1.0", "added_tokens": [], "normalizer": null, "post_processor": null, "decoder": null,
        "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true},
        "model": {
            "type": "BPE", "unk_token": "?", "byte_fallback": true, "merges": ["a b"],
            "vocab": vocabulary,
        },
    });
    std::fs::write(folder.path().join("tokenizer.json"), file.to_string()).unwrap();
    let engines = Engines::open(&ModelRef::Directory(folder.path().to_owned()));
    assert!(engines.native.is_native());
    let long = "ab".repeat(20);
    for text in [
        &long,
        &format!("{long} {long} a"),
        &format!(" {long} b"),
        &format!("a {long}"),
    ] {
        engines.compare(text, None);
    }
}
