//! Compares the engines on real byte-pair encodings: byte-level ones of several pre-tokenizers, and those that take a
//! text for a single word.

use tokscope::model_ref::ModelRef;

use crate::support::shared;
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
