//! The word-embedding matrix of a model: where it is, and its rows by byte range.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use candle_core::{Device, Tensor};
use candle_nn::{Embedding, Module};

use super::elements::append_f32;
use super::tensor_names;
use crate::error::{Error, Result};
use crate::formats::checkpoint::{Checkpoint, Container, TensorInfo};
use crate::formats::dtype::Dtype;
use crate::formats::shard_index::ShardIndex;
use crate::source::{ByteSource, ModelFiles};

/// Checkpoints in the order in which they are looked for: single files and indexes of sharded ones.
const CHECKPOINTS: &[(&str, bool)] = &[
    ("model.safetensors", false),
    ("model.safetensors.index.json", true),
    ("pytorch_model.bin", false),
    ("pytorch_model.bin.index.json", true),
];

/// Bytes of a block of rows: half of a second-level cache, so that what is read is still there when it is looked at.
const BLOCK_BYTES: u64 = 1 << 18;

/// A matrix of `rows` x `columns` floating-point numbers, still in its file.
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
    /// Finds the matrix among the files of a model; only headers are read, and of a model of the Hub only they are
    /// fetched.
    ///
    /// # Errors
    /// [`Error::MissingPart`] if the model has no checkpoint that is read, [`Error::Unsupported`] if the checkpoint
    /// has no such matrix, and the errors of the formats.
    pub fn open(files: &ModelFiles) -> Result<Self> {
        for &(name, is_index) in CHECKPOINTS {
            let found = match is_index {
                true => files.find(name)?,
                false => files.find_ranged(name)?,
            };
            let Some(file) = found else {
                continue;
            };
            if !is_index {
                return Self::in_file(file, name);
            }
            let index = ShardIndex::parse(file.name(), &file.read_all()?)?;
            let tensors: Vec<(&str, &str)> = index.tensors().collect();
            let found = tensor_names::find(tensors.iter().map(|(tensor, _)| (*tensor, true)));
            let Some((_, shard)) = found.and_then(|found| tensors.get(found)) else {
                return Err(no_matrix(file.name()));
            };
            let Some(shard_file) = files.find_ranged(shard)? else {
                return Err(Error::damaged(
                    file.name(),
                    format!("it names {shard}, which {} does not have", files.place()),
                ));
            };
            return Self::in_file(shard_file, shard);
        }
        Err(no_checkpoint(files))
    }

    /// The names under which a model may hold its checkpoint.
    pub fn checkpoint_names() -> impl Iterator<Item = &'static str> {
        CHECKPOINTS.iter().map(|(name, _)| *name)
    }

    /// The matrix in one checkpoint file.
    pub(super) fn in_file(file: Arc<dyn ByteSource>, name: &str) -> Result<Self> {
        let checkpoint = Checkpoint::open(file.as_ref())?;
        let candidates = checkpoint
            .tensors
            .iter()
            .map(|tensor| (tensor.name.as_str(), tensor.shape.len() == 2));
        let found = tensor_names::find(candidates).ok_or_else(|| no_matrix(file.name()))?;
        let tensor = checkpoint.tensors[found].locate(file.as_ref())?;
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
            return Err(no_matrix(file.name()));
        };
        if rows == 0 || columns == 0 {
            return Err(Error::damaged(
                file.name(),
                format!("{} is empty: its shape is [{rows}, {columns}]", tensor.name),
            ));
        }
        file.approve();
        Ok(Self {
            container: checkpoint.container,
            file,
            name: name.to_owned(),
            tensor,
            rows,
            columns,
        })
    }

    /// Number of rows: ids from 0 to `rows() - 1` have one.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Values per row: the hidden size.
    pub fn columns(&self) -> u64 {
        self.columns
    }

    /// Stored element type.
    pub fn dtype(&self) -> Dtype {
        self.tensor.dtype
    }

    /// Name of the tensor in the checkpoint.
    pub fn tensor(&self) -> &str {
        &self.tensor.name
    }

    /// Name, within the model, of the file that holds the matrix.
    pub fn file(&self) -> &str {
        &self.name
    }

    /// Format of that file.
    pub fn container(&self) -> Container {
        self.container
    }

    /// Bytes of the matrix in its file, from its first element to its last.
    pub fn size(&self) -> u64 {
        self.tensor.byte_range.end - self.tensor.byte_range.start
    }

    /// Makes the rows of `ids` ready together, where fetching them one after the other would cost more; ids beyond the
    /// matrix are passed over.
    ///
    /// # Errors
    /// Whatever fetching fails with.
    pub fn prefetch(&self, ids: &[u32]) -> Result<()> {
        let ids = ids.iter().map(|id| u64::from(*id));
        let rows = ids.filter(|id| *id < self.rows);
        let ranges: Vec<Range<u64>> = rows.flat_map(|id| self.row_ranges(id)).collect();
        self.file.prefetch(&ranges)
    }

    /// Brings the whole matrix to this machine, for a reader that goes over all of it.
    ///
    /// # Errors
    /// Whatever fetching fails with.
    pub fn make_local(&self) -> Result<()> {
        self.file.make_local(self.tensor.byte_range.clone())
    }

    /// Where the bytes of a row of the matrix are: in one place, or, where the matrix is transposed, one by one.
    fn row_ranges(&self, id: u64) -> impl Iterator<Item = Range<u64>> {
        let size = self.tensor.dtype.size();
        let start = self.tensor.byte_range.start + id * self.tensor.strides[0] * size;
        let step = self.tensor.strides[1] * size;
        let (places, width) = match step == size || self.columns <= 1 {
            true => (1, self.columns * size),
            false => (self.columns, size),
        };
        (0..places).map(move |place| start + place * step..start + place * step + width)
    }

    /// The stored bytes of a row, little-endian, in the order of its columns.
    ///
    /// # Errors
    /// [`Error::NoSuchRow`] for an id beyond the matrix.
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
        // A transposed matrix: the elements of a row lie apart.
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

    /// A row as float32: exact, unless the stored type is float64.
    ///
    /// # Errors
    /// [`Error::NoSuchRow`] for an id beyond the matrix.
    pub fn row(&self, id: u64) -> Result<Vec<f32>> {
        let bytes = self.row_bytes(id)?;
        let mut values = Vec::new();
        append_f32(self.tensor.dtype, &bytes, &mut values);
        Ok(values)
    }

    /// The rows of `ids` as a float32 tensor of shape `[ids, columns]`: the embedding layer applied to the ids.
    ///
    /// Each different row is read once; an embedding layer over just those rows looks them up.
    ///
    /// # Errors
    /// [`Error::NoSuchRow`] for an id beyond the matrix.
    pub fn lookup(&self, ids: &[u32]) -> Result<Tensor> {
        let mut different: Vec<u32> = ids.to_vec();
        different.sort_unstable();
        different.dedup();
        self.prefetch(&different)?;
        let mut values = Vec::new();
        for &id in &different {
            let bytes = self.row_bytes(u64::from(id))?;
            append_f32(self.tensor.dtype, &bytes, &mut values);
        }
        let columns = usize::try_from(self.columns).unwrap_or(usize::MAX);
        let places: Vec<u32> = ids
            .iter()
            .map(|id| different.partition_point(|other| other < id) as u32)
            .collect();
        let look_up = || {
            let rows = Tensor::from_vec(values, (different.len(), columns), &Device::Cpu)?;
            let ids = Tensor::from_vec(places, ids.len(), &Device::Cpu)?;
            Embedding::new(rows, columns).forward(&ids)
        };
        look_up().map_err(|problem: candle_core::Error| Error::damaged(self.file.name(), problem))
    }

    /// The stored bytes of several rows, one after another, each as [`EmbeddingMatrix::row_bytes`] has it, for a reader
    /// that goes over them once; `buffer` is where they may be put.
    ///
    /// # Errors
    /// [`Error::NoSuchRow`] for a row beyond the matrix.
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

    /// The rows in blocks that a core's second-level cache holds, for a reader that goes over all of them: the matrix is brought to this
    /// machine first.
    ///
    /// # Errors
    /// Whatever fetching fails with.
    pub fn blocks(&self) -> Result<Vec<Range<u64>>> {
        self.make_local()?;
        let step = BLOCK_BYTES.div_ceil(self.row_width().max(1));
        Ok((0..self.rows.div_ceil(step))
            .map(|block| block * step..((block + 1) * step).min(self.rows))
            .collect())
    }

    /// Bytes of a row.
    pub fn row_width(&self) -> u64 {
        self.columns * self.tensor.dtype.size()
    }
}

/// The error for a model without a checkpoint that is read, which names the one that it has instead.
fn no_checkpoint(files: &ModelFiles) -> Error {
    const OTHERS: &[&str] = &[".gguf", ".h5", ".msgpack", ".onnx", ".ot", ".ckpt"];
    let error = files.missing(
        "checkpoint (model.safetensors or pytorch_model.bin, whole or in shards)",
        CHECKPOINTS[0].0,
    );
    let list = files.list().unwrap_or_default();
    let other = list
        .iter()
        .find(|file| OTHERS.iter().any(|ending| file.name.ends_with(ending)));
    match (error, other) {
        (Error::MissingPart { place, what, .. }, Some(other)) => Error::MissingPart {
            place,
            what,
            hint: Some(format!(
                "it has {}, which tokscope does not read",
                other.name
            )),
        },
        (error, _) => error,
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
