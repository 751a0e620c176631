//! Files that are truncated while they are mapped.
//!
//! `neighbors --vector PIPE` opens the model before it reads the vector, so the test can truncate the checkpoint before it
//! writes to the pipe.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;

use tokscope::embedding::EmbeddingMatrix;
use tokscope::embedding::statistics::statistics;
use tokscope::model_ref::ModelRef;

use crate::support::{Call, files, folder_without_checkpoint, make_pipe, on};

/// The size of a float32 matrix that is large enough for its end to be on other pages than its header.
const ROWS: usize = 4000;
const COLUMNS: usize = 16;
/// Bytes that remain of the file: the header and the first rows.
const REMAINING: u64 = 8192;

fn model() -> tempfile::TempDir {
    let folder = folder_without_checkpoint();
    let length = ROWS * COLUMNS * 4;
    let header = format!(
        r#"{{"deberta.embeddings.word_embeddings.weight":{{"dtype":"F32","shape":[{ROWS},{COLUMNS}],"data_offsets":[0,{length}]}}}}"#
    );
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(0.5_f32.to_le_bytes().repeat(length / 4));
    fs::write(folder.path().join("model.safetensors"), bytes).unwrap();
    folder
}

fn shrink(path: &Path) {
    let file = File::options().write(true).open(path).unwrap();
    file.set_len(REMAINING).unwrap();
}

fn vector() -> Vec<u8> {
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': (1, {COLUMNS}), }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(1_f32.to_le_bytes().repeat(COLUMNS));
    bytes
}

fn pipe(folder: &Path) -> std::path::PathBuf {
    let pipe = folder.join("vector.npy");
    make_pipe(&pipe);
    pipe
}

/// Runs a call that reads a vector from a pipe, and truncates the checkpoint before it writes the vector.
fn run_truncated(call: Call, checkpoint: &Path, pipe: &Path) -> (Option<i32>, String, String) {
    let mut child = call.start();
    // Opening a pipe waits for its reader.
    let mut writer = File::options().write(true).open(pipe).unwrap();
    shrink(checkpoint);
    writer.write_all(&vector()).unwrap();
    drop(writer);
    let (mut stdout, mut stderr) = (String::new(), String::new());
    let mut out = child.stdout.take().unwrap();
    out.read_to_string(&mut stdout).unwrap();
    let mut err = child.stderr.take().unwrap();
    err.read_to_string(&mut stderr).unwrap();
    (child.wait().unwrap().code(), stdout, stderr)
}

/// Checks that `neighbors` names a checkpoint that shrinks while it is mapped.
fn neighbors_names_the_checkpoint(args: &[&str]) {
    let model = model();
    let (checkpoint, pipe) = (model.path().join("model.safetensors"), pipe(model.path()));
    let args = ["neighbors"].iter().chain(args).chain(&["--vector"]);
    let call = on(model.path(), args.map(Path::new).chain([&*pipe]));
    let answer = run_truncated(call, &checkpoint, &pipe);
    let sentence = format!(
        "error: {} was truncated while it was being read\n",
        checkpoint.display()
    );
    assert_eq!(answer, (Some(4), String::new(), sentence));
}

#[test]
fn a_checkpoint_that_shrinks_under_a_single_row_is_named() {
    neighbors_names_the_checkpoint(&["--id", "3999"]);
}

#[test]
fn a_checkpoint_that_shrinks_under_the_whole_matrix_is_named() {
    neighbors_names_the_checkpoint(&[]);
}

#[test]
fn statistics_of_a_matrix_that_shrinks_are_an_error() {
    let model = model();
    let files = files(&ModelRef::Directory(model.path().to_owned()));
    let matrix = EmbeddingMatrix::open(&files).unwrap();
    shrink(&model.path().join("model.safetensors"));
    let error = statistics(&matrix).unwrap_err();
    assert_eq!((error.code(), error.exit() as u8), ("became-shorter", 4));
}

#[test]
fn control_characters_in_the_name_of_a_shrinking_file_are_escaped() {
    let outer = tempfile::tempdir().unwrap();
    let model = outer.path().join("a\u{1b}]52;c;eA==\u{7}\u{202e}");
    fs::rename(persistent_model(), &model).unwrap();
    let (checkpoint, pipe) = (model.join("model.safetensors"), pipe(outer.path()));
    let args = ["neighbors", "--id", "3999", "--vector"];
    let call = on(&model, args.iter().map(Path::new).chain([&*pipe]));
    let (code, _, stderr) = run_truncated(call, &checkpoint, &pipe);
    assert_eq!(code, Some(4));
    assert!(
        stderr.contains("a␛]52;c;eA==␇<U+202E>/model.safetensors was truncated"),
        "{stderr:?}"
    );
}

/// Creates a model in a folder that is not removed at the end, so that it can be moved.
fn persistent_model() -> std::path::PathBuf {
    model().keep()
}
