//! The word-embedding matrix of a model, and the reading of its rows by byte range.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use candle_core::{Device, Tensor};
use candle_nn::{Embedding, Module};

use super::computed_rows::{ComputeRows, ComputedRows};
use super::elements::append_f32;
use crate::error::{Error, Result};
use crate::formats::checkpoint::{Dtype, TensorInfo};
use crate::formats::vectors::VectorFile;
use crate::source::ByteSource;

/// Bytes per block of rows: half a second-level cache, so that a block is still cached when it is processed.
const BLOCK_BYTES: u64 = 1 << 18;

/// A word-embedding matrix of shape `[rows, columns]`, read from its file row by row.
#[derive(Debug)]
pub struct EmbeddingMatrix {
    /// The file, or the rows computed from it.
    pub(super) file: Arc<dyn ByteSource>,
    /// The file's name within the model.
    pub(super) name: String,
    pub(super) container: &'static str,
    pub(super) tensor: TensorInfo,
    pub(super) rows: u64,
    pub(super) columns: u64,
    pub(super) stored: Stored,
    /// False if the rows are numbered by their place only, and no token has the number.
    pub(super) has_ids: bool,
    /// The words of a file of vectors.
    pub(super) words: Option<Arc<VectorFile>>,
}

/// The form of a matrix in its file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stored {
    pub(super) dtype: Dtype,
    /// Bytes of the matrix.
    pub(super) size: u64,
    /// True if the values are computed from the stored ones.
    pub(super) dequantized: bool,
}

impl Stored {
    /// Returns the form of a tensor.
    pub(super) fn of(tensor: &TensorInfo) -> Self {
        Self {
            dtype: tensor.dtype,
            size: tensor.byte_range.end - tensor.byte_range.start,
            dequantized: tensor.dtype.is_quantized(),
        }
    }
}

impl EmbeddingMatrix {
    /// Returns the matrix of a tensor in a file, given the file's name within the model and its format. The numbers of
    /// rows are ids.
    pub(super) fn of_tensor(
        file: Arc<dyn ByteSource>,
        (name, container): (&str, &'static str),
        tensor: TensorInfo,
        stored: Stored,
    ) -> Self {
        let (rows, columns) = shape(&tensor);
        Self {
            file,
            name: name.to_owned(),
            container,
            tensor,
            rows,
            columns,
            stored,
            has_ids: true,
            words: None,
        }
    }

    /// Returns the matrix of `[rows, columns]` that a rule computes.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`] if it is empty or its size overflows.
    pub(super) fn computed(
        rule: Box<dyn ComputeRows>,
        name: (&str, &'static str),
        tensor: &str,
        (rows, columns): (u64, u64),
        stored: Stored,
    ) -> Result<Self> {
        let place = rule.file().name().to_owned();
        let computed = ComputedRows::new(rule, tensor, rows, columns);
        let Some((computed, tensor)) = computed else {
            let problem = "its matrix is too large for 64-bit sizes";
            return Err(Error::damaged(place, problem));
        };
        check_shape(&place, &tensor)?;
        Ok(Self::of_tensor(Arc::new(computed), name, tensor, stored))
    }

    /// Returns the number of rows. Rows are numbered from 0, and the number of a row is the id of its token.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Returns the number of values per row, which is the hidden size of the model.
    pub fn columns(&self) -> u64 {
        self.columns
    }

    /// Returns the element type of the bytes of a row. This is the stored type, unless the rows are computed.
    pub fn dtype(&self) -> Dtype {
        self.tensor.dtype
    }

    /// Returns the element type in the file.
    pub fn stored_dtype(&self) -> Dtype {
        self.stored.dtype
    }

    /// Returns true if the values are computed from stored ones, with scales.
    pub fn is_dequantized(&self) -> bool {
        self.stored.dequantized
    }

    /// Returns true if the number of a row is the id of a token. That of a textual inversion is not.
    pub fn has_ids(&self) -> bool {
        self.has_ids
    }

    /// Returns the words that label the rows, if this is a file of word vectors.
    pub fn words(&self) -> Option<&VectorFile> {
        self.words.as_deref()
    }

    /// Returns the name of the tensor in the checkpoint.
    pub fn tensor(&self) -> &str {
        &self.tensor.name
    }

    /// Returns the name, within the model, of the file that holds the matrix.
    pub fn file(&self) -> &str {
        &self.name
    }

    /// Returns the name of the format of that file.
    pub fn container(&self) -> &'static str {
        self.container
    }

    /// Returns the size of the matrix in its file, in bytes.
    pub fn size(&self) -> u64 {
        self.stored.size
    }

    /// Fetches the rows of `ids` together, which costs fewer requests than one by one. Ids beyond the matrix are
    /// ignored.
    ///
    /// # Errors
    /// Returns the errors of fetching.
    pub fn prefetch(&self, ids: &[u32]) -> Result<()> {
        let ids = ids.iter().map(|id| u64::from(*id));
        let rows = ids.filter(|id| *id < self.rows);
        let ranges: Vec<Range<u64>> = rows.flat_map(|id| self.row_ranges(id)).collect();
        self.file.prefetch(&ranges)
    }

    /// Fetches the whole matrix, unless it is a local file already.
    ///
    /// # Errors
    /// Returns the errors of fetching.
    pub fn make_local(&self) -> Result<()> {
        self.file.make_local(self.tensor.byte_range.clone())
    }

    /// Returns the byte ranges of a row in the file: one range, or one per element if the matrix is stored transposed.
    fn row_ranges(&self, id: u64) -> impl Iterator<Item = Range<u64>> {
        let size = self.tensor.dtype.size();
        // Quantized matrices are never transposed, and no block is in two rows.
        let start = id * self.tensor.strides[0] / self.tensor.dtype.block_length() * size;
        let start = self.tensor.byte_range.start + start;
        let step = self.tensor.strides[1] * size;
        let (ranges, width) = if step == size || self.columns <= 1 {
            (1, self.row_width())
        } else {
            (self.columns, size)
        };
        (0..ranges).map(move |index| start + index * step..start + index * step + width)
    }

    /// Reads the bytes of a row as stored: little-endian, in the order of the columns.
    ///
    /// # Errors
    /// Fails with [`Error::NoSuchRow`] if the id is beyond the matrix.
    pub fn row_bytes(&self, id: u64) -> Result<Cow<'_, [u8]>> {
        if id >= self.rows {
            return Err(Error::NoSuchRow {
                id,
                last: self.rows.saturating_sub(1),
            });
        }
        let mut ranges = self.row_ranges(id);
        let first = ranges.next().unwrap_or_default();
        let first = self.file.read(first)?;
        // More than one range: the matrix is stored transposed.
        let mut ranges = ranges.peekable();
        if ranges.peek().is_none() {
            return Ok(first);
        }
        let mut bytes = first.into_owned();
        for range in ranges {
            bytes.extend_from_slice(&self.file.read(range)?);
        }
        Ok(Cow::Owned(bytes))
    }

    /// Reads a row as float32 values, one per column. Exact unless the matrix is stored as float64.
    ///
    /// # Errors
    /// Fails with [`Error::NoSuchRow`] if the id is beyond the matrix, and with the errors of reading the file.
    pub fn row(&self, id: u64) -> Result<Vec<f32>> {
        let bytes = self.row_bytes(id)?;
        let mut values = Vec::new();
        append_f32(self.tensor.dtype, &bytes, &mut values);
        Ok(values)
    }

    /// Returns the rows of `ids` as a float32 tensor of shape `[ids, columns]`. This is the embedding layer applied to
    /// the ids.
    ///
    /// Each distinct row is read once, and an embedding layer over these rows looks up the ids.
    ///
    /// # Errors
    /// Fails with [`Error::NoSuchRow`] if an id is beyond the matrix.
    pub fn lookup(&self, ids: &[u32]) -> Result<Tensor> {
        let mut distinct: Vec<u32> = ids.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        self.prefetch(&distinct)?;
        let mut values = Vec::new();
        for &id in &distinct {
            let bytes = self.row_bytes(u64::from(id))?;
            append_f32(self.tensor.dtype, &bytes, &mut values);
        }
        let columns = usize::try_from(self.columns).unwrap_or(usize::MAX);
        let positions: Vec<u32> = ids
            .iter()
            .map(|id| distinct.partition_point(|other| other < id) as u32)
            .collect();
        let look_up = || {
            let rows = Tensor::from_vec(values, (distinct.len(), columns), &Device::Cpu)?;
            let ids = Tensor::from_vec(positions, ids.len(), &Device::Cpu)?;
            Embedding::new(rows, columns).forward(&ids)
        };
        look_up().map_err(|problem: candle_core::Error| Error::damaged(self.file.name(), problem))
    }

    /// Reads the bytes of consecutive rows, each as [`EmbeddingMatrix::row_bytes`] returns it. The bytes are borrowed
    /// from the file if it is in memory, else from `buffer`.
    ///
    /// # Errors
    /// Fails with [`Error::NoSuchRow`] if a row is beyond the matrix.
    pub fn rows_bytes<'b>(&'b self, rows: Range<u64>, buffer: &'b mut Vec<u8>) -> Result<&'b [u8]> {
        if rows.end > self.rows {
            return Err(Error::NoSuchRow {
                id: rows.end.saturating_sub(1),
                last: self.rows.saturating_sub(1),
            });
        }
        let width = self.row_width();
        if self.tensor.strides == [self.columns, 1] {
            let start = self.tensor.byte_range.start;
            let range = start + rows.start * width..start + rows.end * width;
            return self.file.read_once(range, buffer);
        }
        buffer.clear();
        for row in rows {
            buffer.extend_from_slice(&self.row_bytes(row)?);
        }
        Ok(buffer)
    }

    /// Splits all rows into blocks that fit a core's second-level cache. Fetches the whole matrix first.
    ///
    /// # Errors
    /// Returns the errors of fetching.
    pub fn blocks(&self) -> Result<Vec<Range<u64>>> {
        self.make_local()?;
        let step = BLOCK_BYTES.div_ceil(self.row_width().max(1));
        Ok((0..self.rows.div_ceil(step))
            .map(|block| block * step..((block + 1) * step).min(self.rows))
            .collect())
    }

    /// Returns the size of a row in bytes.
    pub fn row_width(&self) -> u64 {
        self.columns / self.tensor.dtype.block_length() * self.tensor.dtype.size()
    }
}

/// Returns the rows and columns of a matrix.
pub(super) fn shape(tensor: &TensorInfo) -> (u64, u64) {
    match tensor.shape[..] {
        [rows, columns] => (rows, columns),
        _ => (0, 0),
    }
}

/// Checks that a matrix has elements, and not more rows than there are ids.
pub(super) fn check_shape(file: &str, tensor: &TensorInfo) -> Result<()> {
    let (rows, columns) = shape(tensor);
    if rows == 0 || columns == 0 {
        let shape = &tensor.shape;
        return Err(Error::damaged(
            file,
            format!("{} is empty: its shape is {shape:?}", tensor.name),
        ));
    }
    check_row_count(file, &tensor.name, rows)
}

/// Fails with [`Error::Unsupported`] if a matrix has more rows than there are ids, which are 32 bits wide.
fn check_row_count(file: &str, tensor: &str, rows: u64) -> Result<()> {
    if rows <= u64::from(u32::MAX) {
        return Ok(());
    }
    let problem = format!("{tensor} has {rows} rows, but ids are 32 bits wide");
    Err(Error::unsupported(file, problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_with_more_rows_than_ids_is_refused() {
        let most = u64::from(u32::MAX);
        assert!(check_row_count("model.safetensors", "wte.weight", most).is_ok());
        let error = check_row_count("model.safetensors", "wte.weight", most + 1).unwrap_err();
        let sentence = "wte.weight has 4294967296 rows, but ids are 32 bits wide";
        assert!(error.to_string().contains(sentence), "{error}");
    }
}
