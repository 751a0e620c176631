//! A row of a large GGUF file costs its header and the row.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::EmbeddingMatrix;
use super::choice::MatrixChoice;
use crate::error::Result;
use crate::source::ByteSource;

/// A file that is all zeros after its header, and counts the bytes that are read.
#[derive(Debug)]
struct Sparse {
    header: Vec<u8>,
    length: u64,
    read: AtomicU64,
}

impl ByteSource for Sparse {
    fn name(&self) -> &'static str {
        "m.gguf"
    }

    fn len(&self) -> u64 {
        self.length
    }

    fn read(&self, range: Range<u64>) -> Result<Cow<'_, [u8]>> {
        assert!(range.end <= self.length, "{range:?}");
        let count = range.end - range.start;
        self.read.fetch_add(count, Ordering::Relaxed);
        let header = self.header.get(range.start as usize..);
        let mut bytes = header.unwrap_or_default().to_vec();
        bytes.resize(count as usize, 0);
        Ok(Cow::Owned(bytes))
    }
}

#[test]
fn a_row_of_a_large_file_reads_the_header_and_the_row() {
    const COLUMNS: u64 = 4096;
    const ROWS: u64 = 1_000_000;
    const WIDTH: u64 = COLUMNS / 256 * 144;
    const Q4_K: u32 = 12;
    let name = b"token_embd.weight";
    let header = [
        &b"GGUF\x03\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"[..],
        &(name.len() as u64).to_le_bytes(),
        name,
        &2_u32.to_le_bytes(),
        &COLUMNS.to_le_bytes(),
        &ROWS.to_le_bytes(),
        &Q4_K.to_le_bytes(),
        &0_u64.to_le_bytes(),
    ]
    .concat();
    let length = header.len().next_multiple_of(32) as u64 + ROWS * WIDTH;
    let file = Arc::new(Sparse {
        header,
        length,
        read: AtomicU64::new(0),
    });
    let matrix = EmbeddingMatrix::in_file(
        Arc::<Sparse>::clone(&file),
        "m.gguf",
        MatrixChoice::WordEmbeddings,
    )
    .unwrap();
    let before = file.read.load(Ordering::Relaxed);
    assert!(before <= (64 << 10) + 64, "{before}");
    assert_eq!(matrix.row(ROWS - 1).unwrap(), [0.0; COLUMNS as usize]);
    assert_eq!(file.read.load(Ordering::Relaxed) - before, WIDTH);
    assert_eq!(matrix.row(ROWS).unwrap_err().code(), "no-such-row");
}
