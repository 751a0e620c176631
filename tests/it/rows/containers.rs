//! One small matrix in every container that torch and safetensors write. Its rows are the same in each, bit for bit.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use half::{bf16, f16};
use serde::Deserialize;
use tokscope::formats::checkpoint::CONTAINERS;

use crate::records::{one, values};
use crate::support::{checkpoints, on, repository, standin, tiny_model};

/// The content of `expected.json`: rows by id, as stored bits and as numbers.
#[derive(Deserialize)]
struct Expected {
    tensor: String,
    rows: u64,
    columns: u64,
    f16_bits: BTreeMap<u32, Vec<u16>>,
    bf16_bits: BTreeMap<u32, Vec<u16>>,
    values: BTreeMap<u32, Vec<f32>>,
}

/// Every checkpoint: file or folder, the file that holds the matrix, container, dtype.
const CHECKPOINTS: &[(&str, &str, &str, &str)] = &[
    (
        "bf16.safetensors",
        "model.safetensors",
        "safetensors",
        "BF16",
    ),
    ("f16.safetensors", "model.safetensors", "safetensors", "F16"),
    ("f32.safetensors", "model.safetensors", "safetensors", "F32"),
    ("f16.gguf", "model.gguf", "gguf", "F16"),
    ("legacy_f16.bin", "pytorch_model.bin", "torch-legacy", "F16"),
    ("zip_bf16.bin", "pytorch_model.bin", "torch-zip", "BF16"),
    ("zip_f16.bin", "pytorch_model.bin", "torch-zip", "F16"),
    (
        "zip_f16_nested.bin",
        "pytorch_model.bin",
        "torch-zip",
        "F16",
    ),
    (
        "zip_f16_no_prefix.bin",
        "pytorch_model.bin",
        "torch-zip",
        "F16",
    ),
    (
        "zip_f16_storage_offset.bin",
        "pytorch_model.bin",
        "torch-zip",
        "F16",
    ),
    (
        "zip_f16_transposed.bin",
        "pytorch_model.bin",
        "torch-zip",
        "F16",
    ),
    ("zip_f32.bin", "pytorch_model.bin", "torch-zip", "F32"),
    (
        "zip_f32_parameter.bin",
        "pytorch_model.bin",
        "torch-zip",
        "F32",
    ),
    ("zip_f64.bin", "pytorch_model.bin", "torch-zip", "F64"),
    (
        "sharded_bin",
        "pytorch_model-00002-of-00003.bin",
        "torch-zip",
        "F16",
    ),
    (
        "sharded_safetensors",
        "model-00002-of-00003.safetensors",
        "safetensors",
        "F16",
    ),
];

const EVIL: &str = "evil_os_system.bin";

fn expected() -> Expected {
    let json = fs::read(repository("tests/fixtures/tiny/expected.json")).unwrap();
    serde_json::from_slice(&json).unwrap()
}

impl Expected {
    fn row(&self, id: u32, dtype: &str) -> Vec<f32> {
        match dtype {
            "F16" => self.f16_bits[&id]
                .iter()
                .map(|bits| f16::from_bits(*bits).to_f32())
                .collect(),
            "BF16" => self.bf16_bits[&id]
                .iter()
                .map(|bits| bf16::from_bits(*bits).to_f32())
                .collect(),
            _ => self.values[&id].clone(),
        }
    }
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// Reads the rows of some ids with the program.
fn rows(model: &Path, ids: &[u32]) -> Vec<Vec<f32>> {
    let mut args = vec!["embed".to_owned(), "--json".to_owned()];
    args.extend(
        ids.iter()
            .flat_map(|id| ["--id".to_owned(), id.to_string()]),
    );
    on(model, args).ok().lines().map(values).collect()
}

#[test]
fn every_fixture_is_tested() {
    let mut found: Vec<String> = fs::read_dir(repository("tests/fixtures/tiny"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| ![EVIL, "expected.json"].contains(&name.as_str()))
        .collect();
    found.sort();
    let mut tested: Vec<&str> = CHECKPOINTS.iter().map(|checkpoint| checkpoint.0).collect();
    tested.sort_unstable();
    assert_eq!(found, tested);
}

#[test]
fn the_lists_of_the_tests_have_every_container() {
    let all: BTreeSet<&str> = CONTAINERS.iter().map(|container| container.name).collect();
    for list in [checkpoints::CONTAINERS, standin::CONTAINERS] {
        assert_eq!(
            list.map(|(name, _)| name)
                .into_iter()
                .collect::<BTreeSet<_>>(),
            all
        );
    }
    let tested: BTreeSet<&str> = CHECKPOINTS.iter().map(|checkpoint| checkpoint.2).collect();
    assert_eq!(tested, all);
}

#[test]
fn every_container_gives_the_same_rows() {
    let expected = expected();
    let ids: Vec<u32> = expected.values.keys().copied().collect();
    assert!(ids.len() >= 7);
    for (fixture, _, _, dtype) in CHECKPOINTS {
        let model = tiny_model(fixture);
        for (id, row) in ids.iter().zip(rows(model.path(), &ids)) {
            assert_eq!(
                bits(&row),
                bits(&expected.row(*id, dtype)),
                "row {id} of {fixture}"
            );
        }
    }
}

#[test]
fn info_names_the_container_and_the_tensor() {
    let expected = expected();
    for (fixture, file, container, dtype) in CHECKPOINTS {
        let model = tiny_model(fixture);
        let info = one(&on(model.path(), ["info", "--json"]).ok()).info();
        let matrix = info.embedding.unwrap();
        let tensor = match *fixture {
            "zip_f16_no_prefix.bin" => "embeddings.word_embeddings.weight",
            _ => expected.tensor.as_str(),
        };
        assert_eq!(matrix.tensor, tensor, "{fixture}");
        assert_eq!(
            (matrix.rows, matrix.columns),
            (expected.rows, expected.columns),
            "{fixture}"
        );
        assert_eq!(
            (matrix.file.as_str(), matrix.container.as_str()),
            (*file, *container),
            "{fixture}"
        );
        assert_eq!(matrix.dtype, *dtype, "{fixture}");
    }
}

#[test]
fn all_commands_on_rows_agree_over_containers() {
    let answers = |fixture: &str| {
        let model = tiny_model(fixture);
        let diff = on(model.path(), ["diff", "--id", "1", "--id", "299", "--json"])
            .exit(1)
            .stdout;
        let neighbors = on(model.path(), ["neighbors", "--id", "150", "--json"]).ok();
        (diff, neighbors)
    };
    let expected = answers("zip_f16.bin");
    for (fixture, _, _, dtype) in CHECKPOINTS {
        if *dtype != "BF16" {
            assert_eq!(answers(fixture), expected, "{fixture}");
        }
    }
}

#[test]
fn safetensors_is_preferred_to_other_checkpoints() {
    let model = tiny_model("bf16.safetensors");
    let other = repository("tests/fixtures/tiny/zip_f16.bin");
    fs::copy(other, model.path().join("pytorch_model.bin")).unwrap();
    assert_eq!(
        on(model.path(), ["info", "--get", "embedding.file"]).ok(),
        "model.safetensors\n"
    );
    assert_eq!(
        on(model.path(), ["info", "--get", "embedding.dtype"]).ok(),
        "BF16\n"
    );
}

#[test]
fn ids_without_a_row_are_refused_by_number() {
    let model = tiny_model("zip_f16.bin");
    for args in [
        &["embed", "banco"][..],
        &["neighbors", "banco"],
        &["diff", "banco", "money"],
    ] {
        let answer = on(model.path(), args).exit(2);
        assert_eq!(answer.stdout, "");
        assert_eq!(
            answer.stderr,
            "error: id 364 has no row: the embedding matrix has rows 0 to 299\n"
        );
    }
}

#[test]
fn a_missing_shard_is_named() {
    for (fixture, shard) in [
        ("sharded_bin", "pytorch_model-00002-of-00003.bin"),
        ("sharded_safetensors", "model-00002-of-00003.safetensors"),
    ] {
        let model = tiny_model(fixture);
        fs::remove_file(model.path().join(shard)).unwrap();
        let answer = on(model.path(), ["embed", "--id", "1"]).run();
        assert!([2, 4].contains(&answer.code), "{}", answer.stderr);
        assert!(answer.stderr.contains(shard), "{}", answer.stderr);
    }
}

#[test]
fn a_pickle_that_calls_a_function_is_refused_and_not_run() {
    let model = tiny_model(EVIL);
    let before = names(model.path());
    let answer = on(model.path(), ["embed", "--id", "1"])
        .current_dir(model.path())
        .exit(4);
    assert_eq!(answer.stdout, "");
    assert!(
        answer.stderr.contains("os.system") || answer.stderr.contains("posix.system"),
        "{}",
        answer.stderr
    );
    // The call in the pickle would leave a file behind.
    assert_eq!(names(model.path()), before);
    let answer = on(model.path(), ["info"]).exit(4);
    assert!(answer.stderr.contains(".system"), "{}", answer.stderr);
}

fn names(folder: &Path) -> Vec<std::ffi::OsString> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    names
}
