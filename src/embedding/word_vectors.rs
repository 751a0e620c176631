//! Matrices of files that hold nothing else: word vectors, and arrays of NumPy.

use std::ops::Range;
use std::sync::Arc;

use super::computed_rows::ComputeRows;
use super::matrix::{EmbeddingMatrix, Stored, check_shape};
use crate::error::{Error, Result};
use crate::formats::checkpoint::{Dtype, TensorInfo};
use crate::formats::npy;
use crate::formats::vectors::{VectorFile, WordIndex};
use crate::source::{ByteSource, FileStamp, ModelFiles, Writer};

/// The name of the matrix in records: such files do not name it.
const TENSOR: &str = "vectors";
/// The smallest file whose words are stored in the app cache, in bytes. Finding those of a smaller one takes no time.
const MIN_CACHED: u64 = 4 << 20;

/// Opens the matrix of a file of vectors, `name` within the model.
///
/// # Errors
/// Fails with [`Error::Unsupported`] or [`Error::Damaged`] if the file cannot be used, and with the errors of reading it.
pub fn open(files: &ModelFiles, name: &str) -> Result<EmbeddingMatrix> {
    let missing = || files.no_such_file(name);
    let ranged = files.find_ranged(name)?.ok_or_else(missing)?;
    let head = ranged.read(0..ranged.len().min(npy::MAX_HEAD))?;
    if head.starts_with(npy::MAGIC) {
        let tensor = array(ranged.as_ref(), &head)?;
        drop(head);
        check_shape(ranged.name(), &tensor)?;
        ranged.approve();
        let stored = Stored::of(&tensor);
        let matrix = EmbeddingMatrix::of_tensor(ranged, (name, "npy"), tensor, stored);
        return Ok(EmbeddingMatrix {
            has_ids: false,
            ..matrix
        });
    }
    drop(head);
    // The words are all over the file.
    let file = files.find(name)?.ok_or_else(missing)?;
    let size = file.len();
    let vectors = Arc::new(read_words(files, file)?);
    let shape = (vectors.rows(), vectors.columns());
    let rule = Box::new(WordVectors(Arc::clone(&vectors)));
    let name = (name, vectors.format());
    let stored = Stored {
        dtype: Dtype::F32,
        size,
        dequantized: false,
    };
    let matrix = EmbeddingMatrix::computed(rule, name, TENSOR, shape, stored)?;
    Ok(EmbeddingMatrix {
        has_ids: false,
        words: Some(vectors),
        ..matrix
    })
}

/// Returns the matrix of an array file.
fn array(file: &dyn ByteSource, head: &[u8]) -> Result<TensorInfo> {
    let layout = npy::Layout::parse(head, file.len());
    let layout = layout.map_err(|problem| Error::unsupported(file.name(), problem))?;
    if layout.big_endian {
        let error = Error::unsupported(file.name(), "its elements are big-endian");
        return Err(error.with_hint("save it with `array.astype(array.dtype.newbyteorder(\"<\"))`"));
    }
    let (rows, columns) = (layout.rows as u64, layout.columns as u64);
    let strides = match layout.fortran_order {
        true => vec![1, rows],
        false => vec![columns, 1],
    };
    Ok(TensorInfo {
        name: TENSOR.to_owned(),
        dtype: layout.dtype,
        shape: vec![rows, columns],
        strides,
        byte_range: layout.start..file.len(),
    })
}

/// Finds the words of a file, in the app cache if they are there.
fn read_words(files: &ModelFiles, file: Arc<dyn ByteSource>) -> Result<VectorFile> {
    let stamp = file.stamp().filter(|_| file.len() >= MIN_CACHED);
    let proof = stamp.as_ref().and_then(FileStamp::proof);
    let place = stamp.as_ref().and_then(FileStamp::identity);
    let place = place.map(|identity| format!("vectors/{identity}"));
    let Some((stamp, (proof, place))) = stamp.as_ref().zip(proof.zip(place)) else {
        return VectorFile::open(file, None, |_| {});
    };
    let cached = files.find_derived(&place).and_then(|cached| {
        let bytes = cached.read_all().ok()?;
        WordIndex::from_bytes(&bytes, &proof)
    });
    let store = |index: &WordIndex| {
        if stamp.is_settled(Writer::Anyone) {
            files.store_derived(&place, &index.to_bytes(&proof));
        }
    };
    VectorFile::open(file, cached, store)
}

/// The rows of a file of word vectors.
#[derive(Debug)]
struct WordVectors(Arc<VectorFile>);

impl ComputeRows for WordVectors {
    fn file(&self) -> &Arc<dyn ByteSource> {
        self.0.file()
    }

    fn append(&self, rows: Range<u64>, values: &mut Vec<f32>) -> Result<()> {
        self.0.append(rows, values)
    }

    fn bytes_of(&self, row: u64) -> Range<u64> {
        self.0.bytes_of(row)
    }

    fn bytes(&self) -> Range<u64> {
        0..self.0.file().len()
    }
}
