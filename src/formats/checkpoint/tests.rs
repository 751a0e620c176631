use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use half::{bf16, f16};
use proptest::prelude::*;
use serde_json::Value;

use super::tensor::{contiguous_strides, element_span};
use super::torch_object::pickled::{MATRIX, Pickled, dict, pickle};
use super::*;
use crate::source::{ByteSource, MemoryFile};

const NAME: &str = "deberta.embeddings.word_embeddings.weight";

fn fixture(name: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tiny")).join(name)
}

fn open(path: &Path) -> MemoryFile {
    let name = path.file_name().unwrap().to_string_lossy();
    MemoryFile::new(name, std::fs::read(path).unwrap())
}

fn expected() -> Value {
    serde_json::from_slice(&std::fs::read(fixture("expected.json")).unwrap()).unwrap()
}

/// Returns the bytes of element `[row, column]`, computed as the documentation of `TensorInfo` says.
fn element(file: &MemoryFile, tensor: &TensorInfo, row: u64, column: u64) -> Vec<u8> {
    let [row_stride, column_stride] = tensor.strides[..] else {
        panic!("not a matrix");
    };
    let at =
        tensor.byte_range.start + tensor.dtype.size() * (row * row_stride + column * column_stride);
    assert!(at + tensor.dtype.size() <= tensor.byte_range.end);
    file.read(at..at + tensor.dtype.size())
        .unwrap()
        .into_owned()
}

/// Compares the rows in `expected.json`, bit for bit.
#[track_caller]
fn holds_the_matrix(file: &MemoryFile, name: &str, dtype: Dtype) {
    let checkpoint = Checkpoint::open(file).unwrap();
    let header = checkpoint.find(name).unwrap();
    assert_eq!(
        (header.dtype, header.shape.as_slice()),
        (dtype, [300, 8].as_slice())
    );
    let tensor = header.locate(file).unwrap();
    let expected = expected();
    let rows = match dtype {
        Dtype::F16 => &expected["f16_bits"],
        Dtype::BF16 => &expected["bf16_bits"],
        _ => &expected["values"],
    };
    let rows = rows.as_object().unwrap();
    assert_eq!(rows.len(), 7);
    for (row, values) in rows {
        for (column, value) in values.as_array().unwrap().iter().enumerate() {
            let bytes = match dtype {
                Dtype::F16 => f16::from_bits(value.as_u64().unwrap() as u16)
                    .to_le_bytes()
                    .to_vec(),
                Dtype::BF16 => bf16::from_bits(value.as_u64().unwrap() as u16)
                    .to_le_bytes()
                    .to_vec(),
                Dtype::F32 => (value.as_f64().unwrap() as f32).to_le_bytes().to_vec(),
                _ => value.as_f64().unwrap().to_le_bytes().to_vec(),
            };
            let row = row.parse().unwrap();
            assert_eq!(
                element(file, &tensor, row, column as u64),
                bytes,
                "[{row}, {column}]"
            );
        }
    }
}

/// Fixtures with the same matrix: file, container, dtype.
const FIXTURES: &[(&str, &str, Dtype)] = &[
    ("bf16.safetensors", "safetensors", Dtype::BF16),
    ("f16.safetensors", "safetensors", Dtype::F16),
    ("f32.safetensors", "safetensors", Dtype::F32),
    ("f16.gguf", "gguf", Dtype::F16),
    ("legacy_f16.bin", "torch-legacy", Dtype::F16),
    ("zip_bf16.bin", "torch-zip", Dtype::BF16),
    ("zip_f16.bin", "torch-zip", Dtype::F16),
    ("zip_f16_nested.bin", "torch-zip", Dtype::F16),
    ("zip_f16_storage_offset.bin", "torch-zip", Dtype::F16),
    ("zip_f16_transposed.bin", "torch-zip", Dtype::F16),
    ("zip_f32.bin", "torch-zip", Dtype::F32),
    ("zip_f32_parameter.bin", "torch-zip", Dtype::F32),
    ("zip_f64.bin", "torch-zip", Dtype::F64),
];

#[test]
fn every_container_has_a_fixture() {
    for container in CONTAINERS {
        assert!(
            FIXTURES.iter().any(|fixture| fixture.1 == container.name),
            "{container:?}"
        );
    }
}

#[test]
fn every_readable_dtype_has_a_fixture() {
    // `embedding::blocks` has fixtures for the quantized ones.
    for dtype in Dtype::readable().filter(|dtype| !dtype.is_quantized()) {
        assert!(FIXTURES.iter().any(|fixture| fixture.2 == dtype), "{dtype}");
    }
}

#[test]
fn the_same_matrix_is_in_every_container() {
    for &(file, container, dtype) in FIXTURES {
        let file = open(&fixture(file));
        let checkpoint = Checkpoint::open(&file).unwrap();
        assert_eq!(checkpoint.container.name, container);
        assert_eq!(checkpoint.tensors.len(), 3);
        holds_the_matrix(&file, NAME, dtype);
    }
    let file = open(&fixture("zip_f16_no_prefix.bin"));
    holds_the_matrix(&file, NAME.strip_prefix("deberta.").unwrap(), Dtype::F16);
}

#[test]
fn the_same_matrix_is_in_sharded_checkpoints() {
    for index in [
        "sharded_bin/pytorch_model.bin.index.json",
        "sharded_safetensors/model.safetensors.index.json",
    ] {
        let path = fixture(index);
        let index = ShardIndex::parse("index", &std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(index.files().len(), 3);
        for (tensor, file) in index.tensors() {
            let file = open(&path.with_file_name(file));
            let checkpoint = Checkpoint::open(&file).unwrap();
            let tensor = checkpoint.find(tensor).unwrap();
            tensor.locate(&file).unwrap();
        }
        let file = path.with_file_name(index.file_of(NAME).unwrap());
        holds_the_matrix(&open(&file), NAME, Dtype::F16);
    }
}

#[test]
fn a_pickle_that_would_run_a_command_is_refused_by_name() {
    let error = Checkpoint::open(&open(&fixture("evil_os_system.bin"))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "evil_os_system.bin is damaged: its pickle refers to `posix.system`, which is not allowed"
    );
}

/// The checkpoint files directly in the fixture directory.
static CHECKPOINTS: LazyLock<Vec<MemoryFile>> = LazyLock::new(|| {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(fixture(""))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.is_file()
                && path
                    .extension()
                    .is_some_and(|extension| extension != "json")
        })
        .collect();
    paths.sort();
    paths.iter().map(|path| open(path)).collect()
});

#[test]
fn every_truncated_checkpoint_is_refused() {
    assert_eq!(CHECKPOINTS.len(), 15);
    for file in CHECKPOINTS.iter() {
        let bytes = file.read_all().unwrap();
        // Headers end within the first 1000 bytes, and directories are in the last 1000. Elements are between them.
        let elements = 1000..bytes.len().saturating_sub(1000);
        let lengths =
            (0..bytes.len()).filter(|length| !elements.contains(length) || length % 97 == 0);
        for length in lengths {
            let truncated = MemoryFile::new("truncated", bytes[..length].to_vec());
            assert!(
                Checkpoint::open(&truncated).is_err(),
                "{} of {}",
                length,
                file.name()
            );
        }
    }
}

/// Checks that every tensor that can be located lies within the file.
fn assert_tensors_are_within(file: &MemoryFile) {
    let Ok(checkpoint) = Checkpoint::open(file) else {
        return;
    };
    for header in &checkpoint.tensors {
        let Ok(tensor) = header.locate(file) else {
            continue;
        };
        assert!(tensor.byte_range.start <= tensor.byte_range.end);
        assert!(tensor.byte_range.end <= file.len());
        let count: u64 = tensor.shape.iter().product();
        assert!(count * tensor.dtype.size() <= tensor.byte_range.end - tensor.byte_range.start);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn tensors_of_a_changed_checkpoint_stay_within_the_file(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 1..4),
    ) {
        let mut bytes = CHECKPOINTS[which.index(CHECKPOINTS.len())].read_all().unwrap().into_owned();
        for (at, value, front) in changes {
            // The headers of every file are in its first or last 1000 bytes.
            let span = bytes.len().min(1000);
            let at = if front { at.index(span) } else { bytes.len() - 1 - at.index(span) };
            bytes[at] = value;
        }
        assert_tensors_are_within(&MemoryFile::new("changed", bytes));
    }

    #[test]
    fn arbitrary_bytes_after_a_magic_number_never_panic(
        magic in prop::sample::select(vec![b"PK\x03\x04".as_slice(), torch_legacy::MAGIC, b"\x20\0\0\0\0\0\0\0{"]),
        rest in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        assert_tensors_are_within(&MemoryFile::new("random", [magic, &rest].concat()));
    }
}

#[test]
fn other_file_formats_are_named() {
    let refused = |head: &[u8]| open::recognize("w.bin", head).unwrap_err();
    let pointer = refused(b"version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 1\n");
    assert_eq!(
        pointer.to_string(),
        "w.bin is not supported: it is a git-LFS pointer, not the file itself"
    );
    assert_eq!(
        pointer.hint().unwrap(),
        "run `git lfs pull` in its repository to fetch the file"
    );
    for page in [
        "<!DOCTYPE html>\n<html>",
        "\r\n <!doctype HTML>",
        "<html lang=\"en\">",
    ] {
        assert_eq!(
            refused(page.as_bytes()).to_string(),
            "w.bin is damaged: it is an HTML page, which a server sent in place of the file"
        );
    }
    for (head, sentence) in [
        (b"".as_slice(), "is damaged: it is empty"),
        (
            b"\x89HDF\r\n\x1a\n\0",
            "is not supported: it is an HDF5 file, as TensorFlow writes",
        ),
        (b"\x93NUMPY\x01\0", "is not supported: it is a NumPy array"),
        (
            b"PK\x05\x06\0\0\0\0",
            "is not supported: it is an empty zip archive",
        ),
        (
            b"\x1f\x8b\x08",
            "is not supported: it is compressed with gzip",
        ),
        (
            b"\x80\x04\x95\0",
            "is not supported: it is a pickle that torch.save did not write",
        ),
        (
            b"hello world",
            "is not supported: it is not a safetensors, torch or GGUF checkpoint",
        ),
        (
            b"P",
            "is not supported: it is not a safetensors, torch or GGUF checkpoint",
        ),
    ] {
        assert_eq!(refused(head).to_string(), format!("w.bin {sentence}"));
    }
}

#[test]
fn extents_are_checked_without_overflow() {
    let span = |shape: &[u64], strides: &[u64], offset, length| {
        element_span(Dtype::F16, shape, strides, offset, length)
    };
    assert_eq!(span(&[], &[], 3, 8), Ok(6..8));
    assert_eq!(span(&[2, 3], &[3, 1], 1, 14), Ok(2..14));
    assert_eq!(span(&[2, 3], &[1, 2], 0, 12), Ok(0..12));
    assert_eq!(span(&[0, 3], &[3, 1], 4, 8), Ok(8..8));
    assert_eq!(span(&[5], &[0], 0, 2), Ok(0..2));
    assert_eq!(
        span(&[2, 3], &[3, 1], 1, 13),
        Err("reaches to byte 14 of a storage of 13 bytes".to_owned())
    );
    assert!(span(&[0], &[1], 5, 8).is_err());
    assert!(span(&[1], &[1, 1], 0, 2).is_err());
    let max = u64::MAX;
    for (shape, strides, offset) in [
        (vec![max], vec![1], 0),
        (vec![max], vec![max], 0),
        (vec![2], vec![max], 0),
        (vec![1 << 32, 1 << 32], vec![0, 0], 0),
        (vec![1], vec![1], max),
        (vec![1], vec![1], max / 2),
        (vec![0], vec![1], max),
        (vec![2, 2], vec![max, max], 0),
    ] {
        assert!(
            span(&shape, &strides, offset, max).is_err(),
            "{shape:?} {strides:?} {offset}"
        );
    }
    assert_eq!(contiguous_strides(&[4, 3, 2]), Some(vec![6, 2, 1]));
    assert_eq!(contiguous_strides(&[4, 0, 2]), Some(vec![2, 2, 1]));
    assert_eq!(contiguous_strides(&[1, max, 2]), None);
}

#[test]
fn a_small_file_cannot_hold_a_huge_matrix() {
    // One row, a billion times. torch writes expanded tensors like this, and tensors other than the matrix may be
    // expanded.
    let expanded = Pickled {
        shape: &[1_000_000_000, 2],
        strides: &[0, 1],
        ..MATRIX
    };
    let system = pickle(b"}\x8c\x0dlittle_endian\x88s");
    let bytes = [
        [torch_legacy::MAGIC, b"."].concat(),
        pickle(b"M\xe9\x03"),
        system,
        pickle(&dict(&[
            ("expanded", expanded.opcodes()),
            ("w", MATRIX.opcodes()),
        ])),
        pickle(b"]\x8c\x010a"),
        6_i64.to_le_bytes().to_vec(),
        vec![0; 12],
    ];
    let file = MemoryFile::new("m.bin", bytes.concat());
    let checkpoint = Checkpoint::open(&file).unwrap();
    assert!(checkpoint.find("w").unwrap().locate(&file).is_ok());
    assert_eq!(
        checkpoint
            .find("expanded")
            .unwrap()
            .locate(&file)
            .unwrap_err()
            .to_string(),
        "m.bin is not supported: tensor `expanded` of shape [1000000000, 2] repeats its elements: its strides are [0, 1]"
    );
}
