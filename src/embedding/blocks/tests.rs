use std::path::Path;

use super::*;
use crate::formats::checkpoint::Checkpoint;
use crate::source::{ByteSource, MemoryFile};

/// Returns a fixture, and the float32 values that the `gguf` package computes from it.
fn fixture(dtype: Dtype) -> (MemoryFile, Vec<u8>) {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/gguf"));
    let name = dtype.name().to_lowercase();
    let read = |extension| std::fs::read(folder.join(format!("{name}.{extension}"))).unwrap();
    (MemoryFile::new(name.clone(), read("gguf")), read("f32"))
}

#[test]
fn every_quantized_type_has_the_values_of_the_reference() {
    let quantized: Vec<Dtype> = Dtype::readable()
        .filter(|dtype| dtype.is_quantized())
        .collect();
    assert_eq!(quantized.len(), 13);
    for dtype in quantized {
        let (file, expected) = fixture(dtype);
        let checkpoint = Checkpoint::open(&file).unwrap();
        let header = checkpoint.find("token_embd.weight").unwrap();
        assert_eq!(header.dtype, dtype);
        let tensor = header.locate(&file).unwrap();
        let mut values = Vec::new();
        append_f32(dtype, &file.read(tensor.byte_range).unwrap(), &mut values);
        let bytes: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        let first = bytes.iter().zip(&expected).position(|(a, b)| a != b);
        assert_eq!((first, bytes.len()), (None, expected.len()), "{dtype}");
        // The fixture tests something.
        let distinct: std::collections::BTreeSet<u32> =
            values.iter().map(|x| x.to_bits()).collect();
        assert!(distinct.len() > 100, "{dtype}: {}", distinct.len());
    }
}

#[test]
fn an_incomplete_block_gives_no_values() {
    for dtype in Dtype::readable().filter(|dtype| dtype.is_quantized()) {
        let mut values = Vec::new();
        append_f32(dtype, &vec![0; dtype.size() as usize - 1], &mut values);
        assert!(values.is_empty(), "{dtype}");
    }
}
