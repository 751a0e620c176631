//! Textual inversions: as matrices, and as queries of `neighbors`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::records::values;
use crate::support::checkpoints::{COLUMNS, checkpoint, float_tensors};
use crate::support::{demo, folder_without_checkpoint, tokscope};

fn write(folder: &Path, name: &str, tensors: &[(&str, &[usize], &[f32])]) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, float_tensors(tensors)).unwrap();
    path
}

fn rows(file: &Path) -> Vec<Vec<f32>> {
    let args = ["-m", file.to_str().unwrap(), "embed", "--all", "--json"];
    let answer = tokscope(args).ok();
    assert!(!answer.contains("piece"), "{answer}");
    answer.lines().map(values).collect()
}

#[test]
fn the_vectors_of_a_textual_inversion_are_rows() {
    // The tokenizer beside the file does not name its rows.
    let folder = folder_without_checkpoint();
    let path = folder.path();
    let two: &[f32] = &[1.0, 2.0, 3.0, 4.0];
    let file = write(path, "a.safetensors", &[("emb_params", &[2, 2], two)]);
    assert_eq!(rows(&file), [[1.0, 2.0], [3.0, 4.0]]);
    let file = write(path, "b.safetensors", &[("<my-style>", &[4], two)]);
    assert_eq!(rows(&file), [[1.0, 2.0, 3.0, 4.0]]);
    let sdxl: &[(&str, &[usize], &[f32])] = &[("clip_g", &[1, 4], two), ("clip_l", &[2, 2], two)];
    let file = write(path, "c.safetensors", sdxl);
    assert_eq!(rows(&file), [[1.0, 2.0], [3.0, 4.0]]);
    let file = path.join("d.pt");
    fs::write(&file, checkpoint("torch-zip", "string_to_param.*")).unwrap();
    let args = ["-m", file.to_str().unwrap(), "info", "--json"];
    let info: Value = serde_json::from_str(&tokscope(args).ok()).unwrap();
    assert_eq!(info["embedding"]["tensor"], "string_to_param.*");
    assert_eq!(info["embedding"]["columns"], COLUMNS);
}

#[test]
fn the_vectors_of_a_textual_inversion_are_queries() {
    let folder = TempDir::new().unwrap();
    let row = values(&demo(["embed", "--id", "364", "--json"]).ok());
    let other = vec![1.0; 3];
    let tensors: &[(&str, &[usize], &[f32])] = &[
        ("clip_l", &[1, 3], &other),
        ("clip_g", &[1, row.len()], &row),
    ];
    let file = write(folder.path(), "style.safetensors", tensors);
    let args = [
        "neighbors",
        "--vector",
        file.to_str().unwrap(),
        "-k",
        "1",
        "--json",
    ];
    let nearest: Value = serde_json::from_str(&demo(args).ok()).unwrap();
    assert_eq!(nearest["id"], 364);
    assert!(
        nearest["query_name"]
            .as_str()
            .unwrap()
            .ends_with("style.safetensors[0]")
    );
}

#[test]
fn files_that_are_no_textual_inversions_are_refused() {
    let folder = TempDir::new().unwrap();
    let refused = |file: &Path, sentence: &str| {
        let answer = demo(["neighbors", "--vector", file.to_str().unwrap()]).run();
        assert!(answer.code == 2 || answer.code == 4, "{}", answer.code);
        assert!(answer.stderr.contains(sentence), "{}", answer.stderr);
    };
    let short = write(
        folder.path(),
        "short.safetensors",
        &[("emb_params", &[1, 3], &[1.0; 3])],
    );
    refused(
        &short,
        "it has no textual inversion with vectors of 64 values",
    );
    let nan = write(
        folder.path(),
        "nan.safetensors",
        &[("emb_params", &[64], &[f32::NAN; 64])],
    );
    refused(&nan, "vector 0 has a value that is not a finite float32");
    let cut = folder.path().join("cut.safetensors");
    let bytes = fs::read(&short).unwrap();
    for percent in 20..100 {
        fs::write(&cut, &bytes[..bytes.len() * percent / 100]).unwrap();
        refused(&cut, "cut.safetensors");
    }
}
