//! Rows of GGUF files on the Hub.

use std::fs;

use crate::loopback_hub::Access;
use crate::records::{one, values};
use crate::remote::{Remote, split_cost};
use crate::support::gguf_writer::GgufWriter;
use crate::support::repository;

fn fixture(name: &str) -> Vec<u8> {
    fs::read(repository("tests/fixtures/gguf").join(name)).unwrap()
}

/// Returns the bits of a row as the Python package `gguf` computes them.
fn expected(name: &str, columns: usize, id: usize) -> Vec<u32> {
    let bytes = fixture(name);
    let words = bytes.as_chunks().0.iter().copied().map(u32::from_le_bytes);
    words.skip(id * columns).take(columns).collect()
}

/// Publishes GGUF files as `o/n` and returns their commit.
fn publish(remote: &Remote, files: &[(&str, &str)]) -> String {
    let files: Vec<(&str, Vec<u8>)> = files
        .iter()
        .map(|(name, of)| (*name, fixture(of)))
        .collect();
    let files: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(name, of)| (*name, of.as_slice()))
        .collect();
    remote.hub.publish("o/n", Access::Public, &files)
}

#[test]
fn the_only_gguf_file_of_a_repository_is_its_model() {
    let remote = Remote::new();
    publish(
        &remote,
        &[("m-q4.gguf", "q4_k.gguf"), ("mmproj-m.gguf", "f16.gguf")],
    );
    let args = ["embed", "--id", "4", "--json"];
    let (row, cost) = split_cost(&remote.call("o/n", &args).ok());
    let bits: Vec<u32> = values(&row.to_string())
        .iter()
        .map(|value| value.to_bits())
        .collect();
    assert_eq!(bits, expected("q4_k.f32", 256, 4));
    let served = remote.served("m-q4.gguf");
    let bytes: usize = served.iter().map(|one| one.bytes).sum();
    assert_eq!(cost, Some((bytes as u64, served.len() as u64)));
    assert_eq!(bytes, fixture("q4_k.gguf").len());

    // The second call asks nothing.
    let (again, cost) = split_cost(&remote.call("o/n", &args).ok());
    assert_eq!((again, cost), (row, None));
    assert_eq!(remote.hub.served(), []);
}

#[test]
fn one_of_several_gguf_files_must_be_named() {
    let remote = Remote::new();
    let commit = publish(
        &remote,
        &[("a/q4.gguf", "q4_k.gguf"), ("q8.gguf", "q8_0.gguf")],
    );
    let answer = remote.call("o/n", &["embed", "--id", "1"]).exit(2);
    assert!(
        answer
            .stderr
            .contains("`o/n` has 2 GGUF files, and no other checkpoint"),
        "{}",
        answer.stderr
    );
    let hint = "name one of the GGUF files, as in `--model hf://o/n/a/q4.gguf`";
    assert!(answer.stderr.contains(hint), "{}", answer.stderr);
    let answer = remote.call("o/n@main", &["embed", "--id", "1"]).exit(2);
    let hint = "as in `--model hf://o/n@main/a/q4.gguf`";
    assert!(answer.stderr.contains(hint), "{}", answer.stderr);
    let at_commit = format!("hf://o/n@{commit}/q8.gguf");
    for (model, dtype) in [
        ("hf://o/n/a/q4.gguf", "Q4_K"),
        ("hf://o/n/q8.gguf", "Q8_0"),
        ("hf://o/n@main/q8.gguf", "Q8_0"),
        (at_commit.as_str(), "Q8_0"),
    ] {
        let info = one(&remote.call(model, &["info", "--json"]).ok()).info();
        assert_eq!(info.model, "o/n");
        assert_eq!(info.commit.as_deref(), Some(commit.as_str()));
        assert_eq!(info.embedding.unwrap().dtype, dtype);
        assert_eq!(info.files.len(), 1);
        assert!(info.config.unwrap().quantization.is_some());
        remote.hub.served();
        let offline = ["--offline", "embed", "--id", "0", "--json"];
        assert_eq!(one(&remote.call(model, &offline).ok()).row().dtype, dtype);
        assert_eq!(remote.hub.served(), []);
    }
    let answer = remote
        .call("hf://o/n/q5.gguf", &["embed", "--id", "1"])
        .exit(2);
    let problem = "`hf://o/n/q5.gguf` is not a model: there is no such file";
    assert!(answer.stderr.contains(problem), "{}", answer.stderr);
}

#[test]
fn a_file_of_a_repository_is_chosen_by_an_option() {
    let remote = Remote::new();
    let file = |tokens: [&str; 3]| {
        GgufWriter::default()
            .text("model", "gpt2")
            .text("pre", "gpt-2")
            .texts("tokens", &tokens.map(str::to_owned))
            .texts("merges", &["a b"])
            .finish(3)
    };
    let (first, second) = (file(["a", "b", "ab"]), file(["b", "ab", "a"]));
    remote.hub.publish(
        "o/n",
        Access::Public,
        &[("a/q4.gguf", &first), ("q8.gguf", &second)],
    );
    let ids = |args: &[&str]| remote.call("o/n", &[args, &["tokenize", "--ids", "ab"]].concat());
    assert_eq!(ids(&["--model-file", "a/q4.gguf"]).ok(), "2\n");
    assert_eq!(ids(&["--model-file", "q8.gguf"]).ok(), "1\n");
    let answer = ids(&["--model-file", "q5.gguf"]).exit(2).stderr;
    let problem = "`hf://o/n/q5.gguf` is not a model: there is no such file";
    assert!(answer.contains(problem), "{answer}");
    let twice = ["--model-file", "q8.gguf", "tokenize", "ab"];
    let answer = remote.call("hf://o/n/a/q4.gguf", &twice).exit(2).stderr;
    let problem = "`--model-file q8.gguf` contradicts `hf://o/n/a/q4.gguf`";
    assert!(answer.contains(problem), "{answer}");
}

#[test]
fn the_lock_file_of_a_file_locks_that_file() {
    let remote = Remote::new();
    let file = |tokens: [&str; 3]| {
        GgufWriter::default()
            .text("model", "gpt2")
            .text("pre", "gpt-2")
            .texts("tokens", &tokens.map(str::to_owned))
            .texts("merges", &["a b"])
            .finish(3)
    };
    let (first, second) = (file(["a", "b", "ab"]), file(["b", "ab", "a"]));
    let files: [(&str, &[u8]); 2] = [("q4.gguf", &first), ("q8.gguf", &second)];
    remote.hub.publish("o/n", Access::Public, &files);
    let folder = tempfile::tempdir().unwrap();
    let lock = folder.path().join("one.lock");
    let lock = ["--lock-file", lock.to_str().unwrap()];
    let call = |model: &str, args: &[&str]| remote.call(model, &[&lock, args].concat());
    call("o/n", &["--model-file", "q8.gguf", "lock"]).ok();
    let ids = ["tokenize", "--ids", "ab"];
    assert_eq!(call("hf://o/n/q8.gguf", &ids).ok(), "1\n");
    call("hf://o/n/q8.gguf", &["check"]).ok();
    let answer = call("hf://o/n/q4.gguf", &ids).exit(2).stderr;
    assert!(
        answer.contains("`hf://o/n/q4.gguf` is requested, but "),
        "{answer}"
    );
    assert!(answer.contains("/q8.gguf`"), "{answer}");
}

#[test]
fn the_shard_with_the_matrix_is_read_alone() {
    let remote = Remote::new();
    let header = crate::support::checkpoints::gguf_header(&[]);
    let matrix = fixture("q6_k.gguf");
    let files: [(&str, &[u8]); 3] = [
        ("q6/m-00001-of-00003.gguf", &header),
        ("q6/m-00002-of-00003.gguf", &matrix),
        ("q6/m-00003-of-00003.gguf", &header),
    ];
    remote.hub.publish("o/n", Access::Public, &files);
    let row = one(&remote.call("o/n", &["embed", "--id", "2", "--json"]).ok()).row();
    assert_eq!(row.dtype, "Q6_K");
    assert_eq!(remote.served("m-00003-of-00003.gguf"), []);
    let pulled = remote.call("o/n", &["pull", "--weights", "--json"]).ok();
    assert_eq!(pulled.matches(r#""type":"file""#).count(), 3, "{pulled}");
}

#[test]
fn the_vocabulary_of_a_remote_gguf_file_is_read_by_ranges() {
    let remote = Remote::new();
    let tokens: Vec<String> = ["a", "b", "ab"].map(str::to_owned).into();
    let filler = (0..20_000).map(|id| format!("<filler {id}>"));
    let tokens: Vec<String> = tokens.into_iter().chain(filler).collect();
    let file = GgufWriter::default()
        .text("model", "gpt2")
        .text("pre", "gpt-2")
        .texts("tokens", &tokens)
        .texts("merges", &["a b"])
        .finish(tokens.len());
    let header = file.len() - tokens.len() * 128;
    remote
        .hub
        .publish("o/n", Access::Public, &[("m.gguf", &file)]);
    let model = "hf://o/n/m.gguf";
    let ids = remote.call(model, &["tokenize", "--ids", "abba"]).ok();
    assert_eq!(ids, "2 1 0\n");
    // Only the header was fetched, and it is kept.
    let served = remote.served("m.gguf");
    let bytes: usize = served.iter().map(|one| one.bytes).sum();
    assert!((header..2 * header).contains(&bytes), "{bytes} of {header}");
    assert!(served.len() <= 6, "{}", served.len());
    let last = ["embed", "--id", "20002", "--json"];
    let (row, cost) = split_cost(&remote.call(model, &last).ok());
    assert!(row.contains("<filler 19999>"), "{row}");
    assert_eq!(cost.map(|(bytes, _)| bytes), Some(128), "one row");
    remote.hub.served();
    let info = one(&remote.call(model, &["info", "--json"]).ok()).info();
    assert_eq!(info.tokenizer.unwrap().vocabulary_size, tokens.len());
    assert_eq!(remote.served("m.gguf").len(), 0);
}

#[test]
fn rows_of_another_tensor_are_read_by_ranges() {
    let remote = Remote::new();
    let tokens: Vec<String> = (0..20_000).map(|id| format!("<token {id}>")).collect();
    let file = GgufWriter::default()
        .text("model", "gpt2")
        .text("pre", "gpt-2")
        .texts("tokens", &tokens)
        .texts::<&str>("merges", &[])
        .with_matrices(&[
            ("token_embd.weight", tokens.len(), 0),
            ("output.weight", tokens.len(), 50_000),
        ]);
    remote
        .hub
        .publish("o/n", Access::Public, &[("m.gguf", &file)]);
    let embed = ["embed", "--id", "7", "--json"];
    remote.call("o/n", &embed).ok();
    remote.hub.served();
    let args = [&embed[..], &["--tensor", "output.weight"]].concat();
    let (row, cost) = split_cost(&remote.call("o/n", &args).ok());
    assert_eq!(values(&row.to_string()), [50_007.0; 32]);
    assert!(row.contains("<token 7>"), "{row}");
    // The header is known from the first call.
    assert_eq!(cost.map(|(bytes, _)| bytes), Some(128), "one row");
}
