//! Runs every parser on tens of thousands of bad files, or on more with `TOKSCOPE_FUZZ=<executions per target>`.
//!
//! A file is a seed (from `fuzz/seeds`, the built-in model, or `tests/fixtures`) that is mutated with reproducible random
//! numbers. The test fails, and prints the file as hex, on a panic, after more than a second, or if more than 256 MiB are
//! held. It is a separate binary because it counts allocations. `TOKSCOPE_FUZZ_FROM=<number>` sets the number of the
//! first execution. `TOKSCOPE_FUZZ_TRACE=1` writes each file before it is tried, to find the file that aborts the process
//! by a stack overflow or a failed allocation.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails at the first unexpected result and reports it"
)]

mod checkpoint_attacks;
mod combinations;
mod combine;
mod memory;
mod mutate;
mod targets;
mod tokenizer_attacks;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use targets::{TARGETS, Target};
use tokscope::formats::checkpoint::CONTAINERS;
use tokscope::formats::sentencepiece::SentencePieceModel;
use tokscope::tokenizer::native::compiled::{CompiledVocabulary, Contents};

/// An execution that takes longer than this three times is a hang. A debug build gets three times as long.
const TOO_LONG: Duration = Duration::from_secs(if cfg!(debug_assertions) { 3 } else { 1 });
/// Bytes that an execution must not hold, not counting the file itself.
const TOO_MUCH: usize = 256 << 20;
/// Bytes of a file that are printed when the test fails.
const MAX_PRINTED: usize = 4096;

/// Seeds in addition to those in `fuzz/seeds`. They are elsewhere in the repository.
const FIXTURES: &[(&str, &[&str])] = &[
    (
        "config",
        &["demo/model/config.json", "demo/model/tokenizer_config.json"],
    ),
    (
        "safetensors",
        &[
            "tests/fixtures/tiny/bf16.safetensors",
            "tests/fixtures/tiny/f16.safetensors",
        ],
    ),
    (
        "torch_zip",
        &[
            "tests/fixtures/tiny/zip_f16.bin",
            "tests/fixtures/tiny/zip_bf16.bin",
            "tests/fixtures/tiny/zip_f16_nested.bin",
            "tests/fixtures/tiny/zip_f16_storage_offset.bin",
            "tests/fixtures/tiny/zip_f16_transposed.bin",
            "tests/fixtures/tiny/zip_f32_parameter.bin",
            "tests/fixtures/tiny/evil_os_system.bin",
            "tests/fixtures/objects/zip_5.bin",
            "tests/fixtures/objects/quantized.bin",
        ],
    ),
    (
        "torch_legacy",
        &[
            "tests/fixtures/tiny/legacy_f16.bin",
            "tests/fixtures/objects/legacy_4.bin",
            "tests/fixtures/objects/module_legacy.bin",
        ],
    ),
    (
        "vectors",
        &[
            "tests/fixtures/matrices/glove.txt",
            "tests/fixtures/matrices/word2vec.txt",
            "tests/fixtures/matrices/fasttext.vec",
            "tests/fixtures/matrices/word2vec.bin",
            "tests/fixtures/matrices/word2vec_lines.bin",
            "tests/fixtures/matrices/fasttext.bin",
            "tests/fixtures/matrices/fasttext_words.bin",
        ],
    ),
    (
        "gguf",
        &[
            "tests/fixtures/tiny/f16.gguf",
            "tests/fixtures/gguf/q4_k.gguf",
            "tests/fixtures/gguf/q8_0.gguf",
        ],
    ),
    (
        "slow_spm",
        &[
            "tests/fixtures/slow_files/bpe.model",
            "tests/fixtures/slow_files/gemma.model",
            "tests/fixtures/slow_files/unigram.model",
            "tests/fixtures/sentencepiece/bpe-user.model",
            "tests/fixtures/sentencepiece/unigram-suffix.model",
            "tests/fixtures/sentencepiece/unigram-bytes.model",
            "tests/fixtures/sentencepiece/char.model",
            "tests/fixtures/sentencepiece/word.model",
            "tests/fixtures/sentencepiece/unigram-types.model",
            "tests/fixtures/sentencepiece/bpe-types.model",
            "tests/fixtures/sentencepiece/char-types.model",
            "tests/fixtures/sentencepiece/word-types.model",
        ],
    ),
    ("slow_text", &["tests/fixtures/slow_files/vocab.txt"]),
    (
        "ranks",
        &[
            "tests/fixtures/ranks/tokens.tiktoken",
            "tests/fixtures/ranks/tekken-v7.json",
            "tests/fixtures/rwkv/rwkv_vocab_small.txt",
        ],
    ),
    (
        "shard_index",
        &["tests/fixtures/tiny/sharded_bin/pytorch_model.bin.index.json"],
    ),
];

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(repository("fuzz/seeds").join(name))
        .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
        .unwrap_or_default();
    paths.sort();
    let fixtures = FIXTURES.iter().filter(|(target, _)| *target == name);
    paths.extend(fixtures.flat_map(|(_, files)| files.iter().map(|file| repository(file))));
    if name == "compiled" {
        return compiled_seeds();
    }
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Compiles the seeds of `spm`. They are not stored, because their layout changes between versions.
fn compiled_seeds() -> Vec<Vec<u8>> {
    let compiled = |bytes: &Vec<u8>| {
        let model = SentencePieceModel::parse("spm.model", bytes).unwrap();
        let compiled = CompiledVocabulary::new(&Contents::from(&model), [0; 32]);
        compiled.bytes().to_vec()
    };
    seeds("spm").iter().map(compiled).collect()
}

fn number_from_env(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} must be a number, not {text}")),
    )
}

/// Runs one execution. Returns the problem with it, or `None`.
fn problem(enter: fn(&[u8]), bytes: &[u8]) -> Option<String> {
    let watch = Stopwatch::start();
    let (outcome, held) = memory::with_peak(|| catch_unwind(AssertUnwindSafe(|| enter(bytes))));
    let time = watch.time();
    if outcome.is_err() {
        return Some("it panics".to_owned());
    }
    if held > TOO_MUCH {
        return Some(format!("it holds {held} bytes"));
    }
    // The best of three counts, because the disk may be busy.
    let again = || {
        let watch = Stopwatch::start();
        enter(bytes);
        watch.time()
    };
    (time > TOO_LONG && again() > TOO_LONG && again() > TOO_LONG)
        .then(|| format!("it takes {time:?}"))
}

/// Measures elapsed time without the time this thread waits for a processor, which depends on the load of the machine.
struct Stopwatch {
    /// The total waiting time at the start. `None` on systems that do not report it.
    waited: Option<Duration>,
    start: Instant,
}

impl Stopwatch {
    fn start() -> Self {
        Self {
            waited: Self::waited(),
            start: Instant::now(),
        }
    }

    fn time(&self) -> Duration {
        let passed = self.start.elapsed();
        match (self.waited, Self::waited()) {
            (Some(before), Some(now)) => passed.saturating_sub(now.saturating_sub(before)),
            _ => passed,
        }
    }

    /// Returns how long this thread has waited for a processor in total. On Linux it is the second number of `schedstat`,
    /// in nanoseconds.
    fn waited() -> Option<Duration> {
        let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        let nanoseconds = text.split_whitespace().nth(1)?.parse().ok()?;
        Some(Duration::from_nanos(nanoseconds))
    }
}

fn hex(bytes: &[u8]) -> String {
    let printed = &bytes[..bytes.len().min(MAX_PRINTED)];
    printed.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn run(name: &str) {
    targets::report_only_bugs();
    let target: &Target = TARGETS.iter().find(|target| target.name == name).unwrap();
    let seeds = seeds(name);
    if seeds.is_empty() && !repository("fuzz").exists() {
        eprintln!("skipped: {name} needs fuzz/seeds, which the published package lacks");
        return;
    }
    assert!(!seeds.is_empty(), "fuzz/seeds/{name} is missing");
    let trace = std::env::var_os("TOKSCOPE_FUZZ_TRACE")
        .map(|_| Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{name}")));
    let first = number_from_env("TOKSCOPE_FUZZ_FROM").unwrap_or(0);
    let count = number_from_env("TOKSCOPE_FUZZ").unwrap_or(target.executions as u64);
    let changed = (first..first + count).map(|number| mutate::changed(&seeds, number));
    let start = Instant::now();
    for (number, bytes) in seeds.iter().cloned().chain(changed).enumerate() {
        if let Some(path) = &trace {
            fs::write(path, &bytes).unwrap();
        }
        if let Some(problem) = problem(target.enter, &bytes) {
            panic!(
                "{name}, file {number} of {} bytes: {problem}\n{}",
                bytes.len(),
                hex(&bytes)
            );
        }
    }
    eprintln!("{name}: {count} executions in {:?}", start.elapsed());
}

macro_rules! tests {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                run(stringify!($name));
            }
        )*

        const TESTS: &[&str] = &[$(stringify!($name)),*];
    };
}

tests! {
    spm spm_tokenizer slow_spm slow_text ranks tokenizer_json config token_files safetensors shard_index torch_zip torch_legacy gguf gguf_vocabulary
    pickle npy vectors compiled ranges engines
}

#[test]
fn every_target_has_a_test_and_a_fuzz_target() {
    let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(names, TESTS);
    if !repository("fuzz").exists() {
        return;
    }
    for name in names {
        let path = repository("fuzz/fuzz_targets").join(format!("{name}.rs"));
        let text = fs::read_to_string(path).unwrap();
        assert!(text.contains(&format!("\"{name}\"")), "{text}");
    }
}

#[test]
fn every_container_has_a_target() {
    for container in CONTAINERS {
        let name = container.name.replace('-', "_");
        assert!(TESTS.contains(&name.as_str()), "{name}");
    }
}

#[test]
fn a_panic_a_hang_and_a_huge_allocation_are_detected() {
    assert_eq!(problem(|_| (), b""), None);
    assert!(problem(|_| panic!("on purpose"), b"").is_some_and(|text| text.contains("panics")));
    let allocate = |_: &[u8]| drop(std::hint::black_box(Vec::<u8>::with_capacity(TOO_MUCH + 1)));
    assert!(problem(allocate, b"").is_some_and(|text| text.contains("holds")));
    let sleep = |_: &[u8]| std::thread::sleep(TOO_LONG + Duration::from_millis(1));
    assert!(problem(sleep, b"").is_some_and(|text| text.contains("takes")));
}

#[test]
fn changed_files_differ_and_are_reproducible() {
    let seeds = [b"0123456789".to_vec(), b"abcdefghij".to_vec()];
    let all: std::collections::BTreeSet<_> = (0..500).map(|n| mutate::changed(&seeds, n)).collect();
    assert!(all.len() > 400, "{}", all.len());
    assert_eq!(mutate::changed(&seeds, 7), mutate::changed(&seeds, 7));
}

/// Returns the content of a file of this repository.
fn content(path: &str) -> String {
    fs::read_to_string(repository(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A name in RELIABILITY.md is `module::test`, or `test` followed by the word "in" and a path under `src`.
#[test]
fn every_test_named_in_the_fault_table_exists() {
    let table = content("RELIABILITY.md");
    let parts: Vec<&str> = table.split('`').collect();
    let mut named = 0;
    for index in (1..parts.len()).step_by(2) {
        let name = parts[index];
        let unit_tests = match parts[index + 1..] {
            [" in ", path, ..] if path.starts_with("src/") => Some(path.to_owned()),
            _ => None,
        };
        let (file, test) = match (name.rsplit_once("::"), unit_tests) {
            (Some(("module", _)), _) | (None, None) => continue,
            (Some(("fuzz", test)), _) => {
                assert!(TESTS.contains(&test), "{name}");
                continue;
            }
            (Some((module, test)), _) => {
                let folder = match module.starts_with("fuzz::") {
                    true => "tests",
                    false => "tests/it",
                };
                (format!("{folder}/{}.rs", module.replace("::", "/")), test)
            }
            (None, Some(file)) => (file, name),
        };
        named += 1;
        assert!(content(&file).contains(&format!("fn {test}(")), "{name}");
    }
    assert!(named > 30, "{named}");
}
