//! The word-embedding matrix of a model: finding it in a checkpoint, and reading its rows by byte range.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use candle_core::{Device, Tensor};
use candle_nn::{Embedding, Module};

use super::elements::append_f32;
use super::{gguf_file, tensor_names};
use crate::error::{Error, Result};
use crate::formats::checkpoint::{Checkpoint, Container, Dtype, ShardIndex, TensorInfo};
use crate::source::{ByteSource, FileKind, GgufShard, ModelFiles};

/// The names of checkpoints, in search order, each with the name of its index if it is sharded.
const CHECKPOINTS: &[(&str, &str)] = &[
    ("model.safetensors", "model.safetensors.index.json"),
    ("pytorch_model.bin", "pytorch_model.bin.index.json"),
];

/// Bytes per block of rows: half a second-level cache, so that a block is still cached when it is processed.
const BLOCK_BYTES: u64 = 1 << 18;

/// A word-embedding matrix of shape `[rows, columns]`, read from its file row by row.
#[derive(Debug)]
pub struct EmbeddingMatrix {
    file: Arc<dyn ByteSource>,
    /// The file's name within the model.
    name: String,
    container: Container,
    tensor: TensorInfo,
    rows: u64,
    columns: u64,
}

impl EmbeddingMatrix {
    /// Finds the matrix among the files of a model. Reads, and for a remote file fetches, only headers.
    ///
    /// # Errors
    /// Fails with [`Error::MissingPart`] if the model has no supported checkpoint, with [`Error::Unsupported`] if the
    /// checkpoint has no word-embedding matrix of floating-point numbers, with [`Error::Damaged`] if the checkpoint
    /// is malformed, and with the errors of reading files.
    pub fn open(files: &ModelFiles) -> Result<Self> {
        if let (Some(FileKind::Checkpoint), Some(name)) = (files.only_kind()?, files.only()) {
            let file = files.find_ranged(name)?;
            return Self::in_file(file.ok_or_else(|| files.no_such_file(name))?, name);
        }
        for (name, index_name) in CHECKPOINTS {
            if let Some(file) = files.find_ranged(name)? {
                return Self::in_file(file, name);
            }
            if let Some(index) = files.find(index_name)? {
                return Self::in_shard(files, index.as_ref());
            }
        }
        match gguf_file::find(files)? {
            Some((name, file)) => Self::in_gguf(files, &name, file),
            None => Err(no_checkpoint(files)),
        }
    }

    /// Opens the matrix in a GGUF file or, if this is one of several shards, in the first shard that has it.
    fn in_gguf(files: &ModelFiles, name: &str, file: Arc<dyn ByteSource>) -> Result<Self> {
        if let Some(matrix) = Self::find_in_file(Arc::clone(&file), name)? {
            return Ok(matrix);
        }
        let Some(shard) = GgufShard::parse(name) else {
            return Err(match Checkpoint::open(file.as_ref())?.tensors.is_empty() {
                true => Error::MissingPart {
                    place: file.name().to_owned(),
                    what: "tensors that tokscope can read",
                    hint: None,
                },
                false => no_matrix(file.name()),
            });
        };
        for other in shard.all().filter(|other| other != name) {
            let Some(file) = files.find_ranged(&other)? else {
                let problem =
                    format!("it has no word-embedding matrix, and its shard {other} is missing");
                return Err(Error::unsupported(file.name(), problem));
            };
            if let Some(matrix) = Self::find_in_file(file, &other)? {
                return Ok(matrix);
            }
        }
        Err(no_matrix(file.name()))
    }

    /// Returns the names that a checkpoint file may have, in search order.
    pub fn checkpoint_names() -> impl Iterator<Item = &'static str> {
        CHECKPOINTS
            .iter()
            .flat_map(|(name, index_name)| [*name, *index_name])
    }

    /// Opens the matrix in the shard that the index names.
    fn in_shard(files: &ModelFiles, index_file: &dyn ByteSource) -> Result<Self> {
        let index = ShardIndex::parse(index_file.name(), &index_file.read_all()?)?;
        let tensors: Vec<(&str, &str)> = index.tensors().collect();
        let position = tensor_names::find(tensors.iter().map(|(tensor, _)| (*tensor, true)));
        let Some((_, shard)) = position.and_then(|position| tensors.get(position)) else {
            return Err(no_matrix(index_file.name()));
        };
        let Some(file) = files.find_ranged(shard)? else {
            return Err(Error::damaged(
                index_file.name(),
                format!("it names {shard}, which {} does not have", files.place()),
            ));
        };
        Self::in_file(file, shard)
    }

    /// Opens the matrix in one checkpoint file, `name` within the model.
    pub(super) fn in_file(file: Arc<dyn ByteSource>, name: &str) -> Result<Self> {
        let found = Self::find_in_file(Arc::clone(&file), name)?;
        found.ok_or_else(|| no_matrix(file.name()))
    }

    /// Opens the matrix in one checkpoint file, `name` within the model; `None` if the file has none.
    fn find_in_file(file: Arc<dyn ByteSource>, name: &str) -> Result<Option<Self>> {
        let checkpoint = Checkpoint::open(file.as_ref())?;
        let candidates = (checkpoint.tensors.iter())
            .map(|tensor| (tensor.name.as_str(), tensor.shape.len() == 2));
        let unreadable = (checkpoint.skipped.iter()).map(|tensor| (tensor.name.as_str(), true));
        let Some(position) = tensor_names::find(candidates.chain(unreadable)) else {
            // The header of a shard without the matrix is read again by the next run.
            file.approve();
            return Ok(None);
        };
        let Some(tensor) = checkpoint.tensors.get(position) else {
            let tensor = &checkpoint.skipped[position - checkpoint.tensors.len()];
            return Err(Error::unsupported(
                file.name(),
                format!("tensor {} {}", tensor.name, tensor.reason),
            ));
        };
        let tensor = tensor.locate(file.as_ref())?;
        if !tensor.dtype.is_readable() {
            return Err(Error::unsupported(
                file.name(),
                format!(
                    "the elements of {} are {}, not floating-point numbers of 16, 32 or 64 bits",
                    tensor.name, tensor.dtype
                ),
            ));
        }
        let [rows, columns] = tensor.shape[..] else {
            return Ok(None);
        };
        if rows == 0 || columns == 0 {
            return Err(Error::damaged(
                file.name(),
                format!("{} is empty: its shape is [{rows}, {columns}]", tensor.name),
            ));
        }
        check_row_count(file.name(), &tensor.name, rows)?;
        file.approve();
        Ok(Some(Self {
            container: checkpoint.container,
            file,
            name: name.to_owned(),
            tensor,
            rows,
            columns,
        }))
    }

    /// Returns the number of rows. Rows are numbered from 0, and the number of a row is the id of its token.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Returns the number of values per row, which is the hidden size of the model.
    pub fn columns(&self) -> u64 {
        self.columns
    }

    /// Returns the stored element type.
    pub fn dtype(&self) -> Dtype {
        self.tensor.dtype
    }

    /// Returns the name of the tensor in the checkpoint.
    pub fn tensor(&self) -> &str {
        &self.tensor.name
    }

    /// Returns the name, within the model, of the file that holds the matrix.
    pub fn file(&self) -> &str {
        &self.name
    }

    /// Returns the container of that file.
    pub fn container(&self) -> Container {
        self.container
    }

    /// Returns the size of the matrix in its file, in bytes.
    pub fn size(&self) -> u64 {
        self.tensor.byte_range.end - self.tensor.byte_range.start
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

/// Returns the error for a model without a supported checkpoint. The hint names an unsupported checkpoint if there is
/// one.
fn no_checkpoint(files: &ModelFiles) -> Error {
    const UNSUPPORTED: &[&str] = &[".h5", ".msgpack", ".onnx", ".ot", ".ckpt"];
    let names: Vec<&str> = CHECKPOINTS.iter().map(|(name, _)| *name).collect();
    let error = files.missing(
        "checkpoint (model.safetensors or pytorch_model.bin, whole or in shards)",
        &names,
    );
    let list = files.list().unwrap_or_default();
    let other = list
        .iter()
        .find(|file| UNSUPPORTED.iter().any(|ending| file.name.ends_with(ending)));
    match other {
        Some(other) => error.with_hint(format!(
            "it has {}, which tokscope does not read",
            other.name
        )),
        None => error,
    }
}

fn no_matrix(file: &str) -> Error {
    Error::unsupported(
        file,
        format!(
            "it has no word-embedding matrix: no tensor of two dimensions is named {}",
            tensor_names::EMBEDDING_NAMES.join(", ")
        ),
    )
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
    fn the_hint_for_an_uncached_checkpoint_fetches_the_weights() {
        for file in EmbeddingMatrix::checkpoint_names() {
            let error = Error::NotCached {
                model: "o/n".to_owned(),
                file: file.to_owned(),
            };
            let hint = error.hint().unwrap();
            assert!(hint.contains(" --weights"), "{file}: {hint}");
        }
    }

    #[test]
    fn a_matrix_with_more_rows_than_ids_is_refused() {
        let most = u64::from(u32::MAX);
        assert!(check_row_count("model.safetensors", "wte.weight", most).is_ok());
        let error = check_row_count("model.safetensors", "wte.weight", most + 1).unwrap_err();
        let sentence = "wte.weight has 4294967296 rows, but ids are 32 bits wide";
        assert!(error.to_string().contains(sentence), "{error}");
    }
}
