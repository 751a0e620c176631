use super::*;
use crate::error::Exit;
use crate::formats::checkpoint::Checkpoint;
use crate::source::MemoryFile;

const HEADER: usize = 24;

/// A tensor: name, dimensions with the innermost first, type, offset.
type Entry<'e> = (&'e str, &'e [u64], u32, u64);

/// Opens a file with these tensors and `length` bytes of data.
fn open(tensors: &[Entry], length: usize) -> Result<Checkpoint> {
    let mut bytes = b"GGUF\x03\0\0\0".to_vec();
    bytes.extend((tensors.len() as u64).to_le_bytes());
    bytes.extend([0; 8]);
    assert_eq!(bytes.len(), HEADER);
    for (name, dimensions, kind, offset) in tensors {
        bytes.extend((name.len() as u64).to_le_bytes());
        bytes.extend(name.as_bytes());
        bytes.extend((dimensions.len() as u32).to_le_bytes());
        bytes.extend(dimensions.iter().flat_map(|size| size.to_le_bytes()));
        bytes.extend(kind.to_le_bytes());
        bytes.extend(offset.to_le_bytes());
    }
    bytes.resize(bytes.len().next_multiple_of(32) + length, 0);
    Checkpoint::open(&MemoryFile::new("m.gguf", bytes))
}

#[track_caller]
fn refused(tensors: &[Entry], length: usize) -> String {
    open(tensors, length).expect_err("refused").to_string()
}

#[test]
fn shapes_are_turned_around() {
    let checkpoint = open(&[("a", &[4, 3], 0, 0), ("b", &[32, 2], 8, 64)], 64 + 68).unwrap();
    let file = MemoryFile::new("m.gguf", Vec::new());
    let a = checkpoint.find("a").unwrap().locate(&file).unwrap();
    assert_eq!((a.shape, a.strides), (vec![3, 4], vec![4, 1]));
    assert_eq!(a.byte_range.end - a.byte_range.start, 48);
    let b = checkpoint.find("b").unwrap().locate(&file).unwrap();
    assert_eq!((b.dtype, b.shape), (Dtype::Q8_0, vec![2, 32]));
    assert_eq!(b.byte_range.end - b.byte_range.start, 2 * 34);
}

#[test]
fn types_that_cannot_be_read_are_named() {
    let checkpoint = open(&[("a", &[256, 3], 16, 0), ("b", &[1], 1000, 0)], 0).unwrap();
    let reasons: Vec<&str> = checkpoint
        .skipped
        .iter()
        .map(|t| t.reason.as_str())
        .collect();
    let unknown = "is of the type number 1000 of ggml, which is unknown";
    assert_eq!(reasons, ["is of the type `IQ2_XXS`", unknown]);
    for (number, _) in OTHER_TYPES {
        assert_eq!(Dtype::from_ggml(*number), None);
    }
}

#[test]
fn tensors_outside_the_file_are_refused() {
    let sentence = refused(&[("a", &[4, 3], 0, 0)], 47);
    assert!(
        sentence.contains("tensor `a` is at bytes 96 to 144 of a file of 143"),
        "{sentence}"
    );
    let sentence = refused(&[("a", &[1], 0, 1 << 63)], 47);
    assert!(sentence.contains("of a file of"), "{sentence}");
    let sentence = refused(&[("a", &[1], 0, u64::MAX - 31)], 47);
    assert!(
        sentence.contains("too large for 64-bit sizes"),
        "{sentence}"
    );
    for sizes in [&[1 << 32, 1 << 32][..], &[u64::MAX, 2], &[1 << 62]] {
        let sentence = refused(&[("a", sizes, 0, 0)], 47);
        assert!(
            sentence.contains("too large for 64-bit sizes"),
            "{sentence}"
        );
    }
    // A product that wraps to zero.
    let sentence = refused(&[("a", &[32, 1 << 60, 1 << 60], 8, 0)], 47);
    assert!(
        sentence.contains("too large for 64-bit sizes"),
        "{sentence}"
    );
}

#[test]
fn tensors_that_overlap_or_are_not_aligned_are_refused() {
    let sentence = refused(&[("a", &[16], 0, 0), ("b", &[4], 0, 32)], 64);
    assert!(
        sentence.contains("tensors `a` and `b` overlap"),
        "{sentence}"
    );
    let sentence = refused(&[("a", &[4], 0, 16)], 64);
    assert!(
        sentence.contains("offset 16, which is not a multiple of the alignment 32"),
        "{sentence}"
    );
    assert!(open(&[("a", &[8], 0, 0), ("b", &[8], 0, 32)], 64).is_ok());
    // A tensor without elements shares no byte.
    assert!(open(&[("a", &[16], 0, 0), ("b", &[0], 0, 32)], 64).is_ok());
}

#[test]
fn rows_of_part_of_a_block_are_refused() {
    let sentence = refused(&[("a", &[48, 2], 8, 0)], 1000);
    assert!(sentence.contains("rows of 48 elements"), "{sentence}");
}

#[test]
fn a_file_truncated_at_any_percent_is_refused() {
    for name in ["q4_k", "iq4_xs", "bf16"] {
        let path = format!(
            "{}/tests/fixtures/gguf/{name}.gguf",
            env!("CARGO_MANIFEST_DIR")
        );
        let bytes = std::fs::read(path).unwrap();
        let file = MemoryFile::new("m.gguf", bytes.clone());
        let checkpoint = Checkpoint::open(&file).unwrap();
        let matrix = checkpoint.find("token_embd.weight").unwrap();
        // After the last tensor, there is only padding.
        let end = matrix.locate(&file).unwrap().byte_range.end as usize;
        for percent in 0..100 {
            let part = bytes[..end * percent / 100].to_vec();
            let error = Checkpoint::open(&MemoryFile::new("m.gguf", part)).unwrap_err();
            assert_eq!(error.exit(), Exit::Damaged, "{name} {percent} %: {error}");
        }
    }
}
