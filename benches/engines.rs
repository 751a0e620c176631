//! Compares the native engine with the `tokenizers` crate in one run: `cargo bench`.
//!
//! With `TOKSCOPE_SHARED` the model is DeBERTa-v3 and the texts are those of its golden encodings. Without it the
//! built-in model encodes its own texts. Throughput is in bytes of UTF-8.

#![allow(clippy::unwrap_used, reason = "a benchmark stops at the first error")]

use std::path::Path;
use std::sync::Arc;

use divan::Bencher;
use divan::counter::BytesCount;
use tokscope::model_ref::ModelRef;
use tokscope::source::{AppCache, HubSettings, ModelFiles, SourceOptions, Unobserved};
use tokscope::tokenizer::{EncodeOptions, EngineChoice, Tokenizer};

fn main() {
    divan::main();
}

fn model_and_texts() -> (ModelRef, Vec<String>) {
    let (model, golden) = match std::env::var_os("TOKSCOPE_SHARED") {
        Some(shared) => (
            ModelRef::Directory(Path::new(&shared).join("models/deberta-v3-xsmall")),
            Path::new(&shared).join("golden/deberta-v3-xsmall.jsonl"),
        ),
        None => (
            ModelRef::Demo,
            Path::new(env!("CARGO_MANIFEST_DIR")).join("demo/golden.jsonl"),
        ),
    };
    let text = |line: &str| {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        record["text"].as_str().unwrap().to_owned()
    };
    let lines = std::fs::read_to_string(golden).unwrap();
    (model, lines.lines().map(text).collect())
}

fn tokenizer(model: &ModelRef, engine: EngineChoice) -> Tokenizer {
    let options = SourceOptions {
        offline: true,
        hub: HubSettings::from_env(|_| None),
        cache: AppCache::disabled(),
        observer: Arc::new(Unobserved),
    };
    let files = ModelFiles::open(model, options).unwrap();
    Tokenizer::open(&files).unwrap().with_engine(engine)
}

const ENGINES: [EngineChoice; 2] = [EngineChoice::Native, EngineChoice::Reference];

/// Opens the model and encodes one word.
#[divan::bench(args = ENGINES, sample_count = 10)]
fn open(bencher: Bencher, engine: &EngineChoice) {
    let (model, _) = model_and_texts();
    bencher.bench(|| {
        let tokenizer = tokenizer(&model, *engine);
        tokenizer
            .encode("banco", None, &EncodeOptions::default())
            .unwrap()
    });
}

/// Encodes every text to ids, pieces, and offsets.
#[divan::bench(args = ENGINES, sample_count = 20)]
fn encode(bencher: Bencher, engine: &EngineChoice) {
    let (model, texts) = model_and_texts();
    let tokenizer = tokenizer(&model, *engine);
    let bytes: usize = texts.iter().map(String::len).sum();
    bencher.counter(BytesCount::new(bytes)).bench(|| {
        for text in &texts {
            divan::black_box(
                tokenizer
                    .encode(text, None, &EncodeOptions::default())
                    .unwrap(),
            );
        }
    });
}

/// Counts the tokens of every text.
#[divan::bench(args = ENGINES, sample_count = 20)]
fn count(bencher: Bencher, engine: &EngineChoice) {
    let (model, texts) = model_and_texts();
    let tokenizer = tokenizer(&model, *engine);
    let bytes: usize = texts.iter().map(String::len).sum();
    bencher.counter(BytesCount::new(bytes)).bench(|| {
        for text in &texts {
            divan::black_box(tokenizer.count(text, &EncodeOptions::default()).unwrap());
        }
    });
}
