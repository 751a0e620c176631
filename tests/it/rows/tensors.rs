//! Rows of other matrices than the word embeddings, by the name of their tensor.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::records::{one, values};
use crate::support::checkpoints::float_tensors;
use crate::support::gguf_writer::GgufWriter;
use crate::support::{folder_without_checkpoint, on, tiny_model};

/// The rows of the word embeddings of these models: more than the vocabulary has pieces.
const SPARE: usize = 8;
const WORDS: &str = "model.embed_tokens.weight";
const HEAD: &str = "lm_head.weight";
const PROJECTION: &str = "model.layers.0.mlp.up_proj.weight";
const NORM: &str = "model.norm.weight";

/// Writes a safetensors file of float32 tensors of two columns, or of one dimension if there are no rows. All values of
/// a row are its number, after adding `first`.
fn write_safetensors(path: &Path, tensors: &[(&str, usize, usize)]) {
    let tensors = tensors.iter().map(|&(name, rows, first)| {
        let shape = if rows == 0 { vec![2] } else { vec![rows, 2] };
        let values = first..first + rows.max(1);
        let values: Vec<f32> = values.flat_map(|row| [row as f32; 2]).collect();
        (name, shape, values)
    });
    let tensors: Vec<_> = tensors.collect();
    let tensors = tensors
        .iter()
        .map(|(name, shape, values)| (*name, &shape[..], &values[..]));
    let file = float_tensors(&tensors.collect::<Vec<_>>());
    fs::write(path, file).unwrap();
}

/// Returns the number of rows of the word embeddings of a model with this tokenizer.
fn rows(folder: &TempDir) -> usize {
    let size = on(folder.path(), ["info", "--get", "vocabulary_size"]).ok();
    size.trim().parse::<usize>().unwrap() + SPARE
}

/// Returns a model whose word embeddings are not its only tensors, in one file.
fn whole() -> TempDir {
    let folder = folder_without_checkpoint();
    let rows = rows(&folder);
    let tensors = [
        (WORDS, rows, 0),
        (HEAD, rows, 10_000),
        (PROJECTION, 12, 20_000),
        (NORM, 0, 30_000),
    ];
    write_safetensors(&folder.path().join("model.safetensors"), &tensors);
    folder
}

/// Returns the same model in two files.
fn in_shards() -> TempDir {
    let folder = folder_without_checkpoint();
    let rows = rows(&folder);
    let file = |name: &str| folder.path().join(name);
    let (first, second) = (
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
    );
    write_safetensors(&file(first), &[(WORDS, rows, 0), (PROJECTION, 12, 20_000)]);
    write_safetensors(&file(second), &[(HEAD, rows, 10_000), (NORM, 0, 30_000)]);
    let map = json!({WORDS: first, PROJECTION: first, HEAD: second, NORM: second});
    let index = json!({"metadata": {}, "weight_map": map});
    fs::write(file("model.safetensors.index.json"), index.to_string()).unwrap();
    folder
}

/// Returns a GGUF file with the pieces `a`, `b` and `ab`, and several matrices.
fn gguf() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("m.gguf");
    let file = GgufWriter::default()
        .text("model", "gpt2")
        .text("pre", "gpt-2")
        .texts("tokens", &["a", "b", "ab"])
        .texts("merges", &["a b"])
        .with_matrices(&[
            ("token_embd.weight", 3, 0),
            ("output.weight", 3, 100),
            ("blk.0.ffn_up.weight", 12, 200),
        ]);
    fs::write(&path, file).unwrap();
    (folder, path)
}

#[test]
fn the_rows_of_a_named_tensor_are_those_of_tokens() {
    for folder in [whole(), in_shards()] {
        let model = folder.path();
        let banco = ["embed", "--piece", "▁banco", "--json"];
        let plain = one(&on(model, banco).ok()).row();
        let args = [&banco[..], &["--tensor", HEAD]].concat();
        let answer = on(model, args).ok();
        let found = one(&answer).row();
        assert_eq!((found.id, found.piece), (plain.id, plain.piece));
        assert_eq!(values(&answer), [10_000.0 + plain.id as f32; 2]);
        let text = on(model, ["embed", "banco", "--tensor", HEAD, "--json"]).ok();
        assert_eq!(text.lines().nth(1).map(values), Some(values(&answer)));
        // The name of the word embeddings is as good as none.
        let named = on(model, [&banco[..], &["--tensor", WORDS]].concat()).ok();
        assert_eq!(named, on(model, banco).ok());
    }
}

#[test]
fn every_command_of_rows_takes_the_name_of_a_tensor() {
    let folder = whole();
    let json = |args: &[&str], code| -> Value {
        let all = [args, &["--tensor", HEAD, "--json"]].concat();
        let answer = on(folder.path(), all).exit(code);
        serde_json::from_str(answer.stdout.lines().next().unwrap()).unwrap()
    };
    let stats = json(&["stats"], 0);
    assert_eq!(
        (&stats["tensor"], &stats["min"]),
        (&json!(HEAD), &json!(10_000.0))
    );
    let diff = json(&["diff", "--id", "4,7"], 1);
    assert_eq!(
        (&diff["values"], &diff["b"]["id"]),
        (&json!([-3.0, -3.0]), &json!(7))
    );
    let neighbor = json(&["neighbors", "--id", "4", "--metric", "l2", "-k", "1"], 0);
    assert_eq!(neighbor["id"], 3);
    assert!(neighbor["piece"].is_string(), "{neighbor}");
    let similarity = json(&["similarity", "--id", "4,7"], 0);
    assert!(similarity["piece"].is_string(), "{similarity}");
}

#[test]
fn rows_that_are_not_those_of_tokens_have_no_pieces() {
    for folder in [whole(), in_shards()] {
        let model = folder.path();
        let named = |args: &[&str]| on(model, [args, &["--tensor", PROJECTION]].concat());
        let answer = named(&["embed", "--id", "3", "--json"]).ok();
        assert_eq!(values(&answer), [20_003.0; 2]);
        assert_eq!(one(&answer).row().piece, None);
        let stats: Value = serde_json::from_str(&named(&["stats", "--json"]).ok()).unwrap();
        assert_eq!(stats["rows"], 12);
        assert_eq!(stats["smallest"][0]["piece"], Value::Null);
        let nearest = named(&["neighbors", "--id", "3", "--metric", "l2", "--json"]).ok();
        assert_eq!(nearest.lines().count(), 10);
        assert!(!nearest.contains("piece"), "{nearest}");
        let args: [&[&str]; 3] = [
            &["embed", "banco"],
            &["embed", "--piece", "▁banco"],
            &["neighbors", "banco"],
        ];
        for args in args {
            let answer = named(args).exit(2);
            let sentence = format!("error: `{PROJECTION}` has 12 rows, not one for each token");
            assert!(answer.stderr.starts_with(&sentence), "{}", answer.stderr);
            assert!(answer.stderr.contains("hint: select rows with `--id N`"));
        }
        let beyond = named(&["embed", "--id", "12"]).exit(2);
        assert!(beyond.stderr.contains("12"), "{}", beyond.stderr);
    }
}

#[test]
fn tensors_of_gguf_files_are_read_by_their_names() {
    let (_folder, model) = gguf();
    let named = |args: &[&str], tensor| on(&model, [args, &["--tensor", tensor]].concat());
    for args in [["embed", "ab", "--json"], ["embed", "--id=2", "--json"]] {
        let answer = named(&args, "output.weight").ok();
        assert_eq!(values(&answer), [102.0; 32]);
        assert_eq!(one(&answer).row().piece.as_deref(), Some("ab"));
    }
    let answer = named(&["embed", "--id=11", "--json"], "blk.0.ffn_up.weight").ok();
    assert_eq!(values(&answer), [211.0; 32]);
    assert_eq!(one(&answer).row().piece, None);
    let few = named(&["embed", "--id=1", "--json"], "blk.0.ffn_up.weight").ok();
    assert_eq!(one(&few).row().piece, None, "an id that a piece has");
    let refused = named(&["embed", "ab"], "blk.0.ffn_up.weight").exit(2);
    assert!(
        refused.stderr.contains("not one for each token"),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_tensor_in_another_gguf_shard_is_found() {
    let folder = TempDir::new().unwrap();
    let file = |number: usize| folder.path().join(format!("m-0000{number}-of-00002.gguf"));
    let writer = GgufWriter::default();
    fs::write(
        file(1),
        writer.with_matrices(&[("token_embd.weight", 3, 0)]),
    )
    .unwrap();
    fs::write(file(2), writer.with_matrices(&[("output.weight", 3, 100)])).unwrap();
    for model in [file(1), file(2), folder.path().to_owned()] {
        let args = ["embed", "--id=2", "--tensor=output.weight", "--json"];
        assert_eq!(values(&on(&model, args).ok()), [102.0; 32]);
        let missing = on(&model, ["embed", "--id=2", "--tensor=weight"]).exit(2);
        let hint = "hint: use one of its matrices: `output.weight`, `token_embd.weight`";
        assert!(missing.stderr.contains(hint), "{}", missing.stderr);
    }
}

#[test]
fn a_tensor_that_does_not_exist_or_is_no_matrix_is_refused_with_the_nearest_names() {
    let (_folder, file) = gguf();
    let (whole, shards) = (whole(), in_shards());
    let gguf_hint =
        "use one of its matrices: `output.weight`, `token_embd.weight`, `blk.0.ffn_up.weight`";
    let whole_hint = "use one of its matrices: `lm_head.weight`, ";
    let shards_hint = "use one of its tensors: `lm_head.weight`, ";
    let norm_hint = format!("use one of its matrices: `{HEAD}`, `{WORDS}`, ");
    let norm_problem = format!("`{NORM}` of ");
    for (model, tensor, problem, hint) in [
        (
            file.as_path(),
            "outptu.weight",
            "m.gguf has no tensor `outptu.weight`",
            gguf_hint,
        ),
        (
            whole.path(),
            "lm_head",
            "model.safetensors has no tensor `lm_head`",
            whole_hint,
        ),
        (
            shards.path(),
            "lm_head",
            "index.json has no tensor `lm_head`",
            shards_hint,
        ),
        (whole.path(), NORM, &norm_problem, &norm_hint),
        (
            shards.path(),
            NORM,
            "is not a matrix: its shape is [2]",
            "use one of its matrices: `lm_head",
        ),
    ] {
        let answer = on(model, ["embed", "--id", "1", "--tensor", tensor]).exit(2);
        assert!(answer.stderr.contains(problem), "{}", answer.stderr);
        assert!(
            answer.stderr.contains(&format!("hint: {hint}")),
            "{}",
            answer.stderr
        );
    }
}

#[test]
fn a_list_of_many_names_is_limited() {
    let folder = folder_without_checkpoint();
    let names: Vec<String> = (0..300).map(|n| format!("layers.{n}.weight")).collect();
    let mut tensors: Vec<_> = names.iter().map(|name| (name.as_str(), 1, 0)).collect();
    tensors.push((WORDS, 4, 0));
    write_safetensors(&folder.path().join("model.safetensors"), &tensors);
    let args = ["embed", "--id", "0", "--tensor", "layers.117"];
    let answer = on(folder.path(), args).exit(2);
    let hint = "hint: use one of its 301 matrices, such as `layers.117.weight`, `layers.";
    assert!(answer.stderr.contains(hint), "{}", answer.stderr);
    assert_eq!(answer.stderr.matches(".weight`").count(), 5);
}

#[test]
fn a_tensor_is_named_in_every_container() {
    for fixture in [
        "f32.safetensors",
        "zip_f32.bin",
        "legacy_f16.bin",
        "sharded_bin",
        "f16.gguf",
    ] {
        let model = tiny_model(fixture);
        let tensor = on(model.path(), ["info", "--get", "embedding.tensor"]).ok();
        let args = ["embed", "--id", "2", "--json"];
        let plain = on(model.path(), args).ok();
        let named = [&args[..], &["--tensor", tensor.trim()]].concat();
        assert_eq!(
            values(&on(model.path(), named).ok()),
            values(&plain),
            "{fixture}"
        );
    }
}

#[test]
fn a_checkpoint_without_word_embeddings_says_how_its_matrices_are_read() {
    let folder = folder_without_checkpoint();
    let file = folder.path().join("model.safetensors");
    write_safetensors(&file, &[("a.weight", 4, 0), ("b.bias", 0, 9)]);
    let answer = on(folder.path(), ["embed", "--id", "1"]).exit(4);
    let hint = "hint: `embed --tensor NAME` reads another one, such as `a.weight`\n";
    assert!(answer.stderr.ends_with(hint), "{}", answer.stderr);
    let args = ["embed", "--id", "1", "--tensor", "a.weight", "--json"];
    assert_eq!(values(&on(folder.path(), args).ok()), [1.0; 2]);
}

#[test]
fn scales_in_another_shard_are_refused() {
    let folder = in_shards();
    let index = folder.path().join("model.safetensors.index.json");
    let text = fs::read_to_string(&index).unwrap();
    let mut json: Value = serde_json::from_str(&text).unwrap();
    let map = json["weight_map"].as_object_mut().unwrap();
    let first = map[WORDS].clone();
    map.insert("lm_head.weight_scale".to_owned(), first);
    fs::write(&index, json.to_string()).unwrap();
    on(folder.path(), ["embed", "--id", "1"]).ok();
    let answer = on(folder.path(), ["embed", "--id", "1", "--tensor", HEAD]).exit(4);
    let problem = "lm_head.weight and its scales lm_head.weight_scale are in different files";
    assert!(answer.stderr.contains(problem), "{}", answer.stderr);
}

#[test]
fn a_file_of_vectors_has_no_tensors_to_name() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("words.vec");
    fs::write(&file, "2 3\nrey 1 2 3\nreina 4 5 6\n").unwrap();
    let answer = on(&file, ["embed", "rey", "--tensor", "vectors"]).exit(2);
    let sentence = "words.vec has no tensor `vectors`: it is a file of vectors";
    assert!(answer.stderr.contains(sentence), "{}", answer.stderr);
}
