//! Finds the word-embedding matrix among the files of a model.

use std::sync::Arc;

use super::choice::MatrixChoice;
use super::computed_rows::ComputeRows;
use super::matrix::{EmbeddingMatrix, Stored, check_shape, shape};
use super::remapped_rows::RemappedRows;
use super::scaled_rows::{self, ScaledRows};
use super::{adapter, inversion, tensor_names, word_vectors};
use crate::error::{Error, Result};
use crate::formats::checkpoint::{Checkpoint, ShardIndex};
use crate::formats::gguf::{MAGIC, model_file as gguf_file};
use crate::formats::placeholder_file;
use crate::source::{ByteSource, FileKind, GgufShard, ModelFiles};

/// The names of checkpoints, in search order, each with the name of its index if it is sharded.
const CHECKPOINTS: &[(&str, &str)] = &[
    ("model.safetensors", "model.safetensors.index.json"),
    ("pytorch_model.bin", "pytorch_model.bin.index.json"),
];

impl EmbeddingMatrix {
    /// Finds the matrix among the files of a model. Reads, and for a remote file fetches, only headers.
    ///
    /// # Errors
    /// Fails with [`Error::MissingPart`] if the model has no supported checkpoint, with [`Error::Unsupported`] if the
    /// checkpoint has no word-embedding matrix of floating-point numbers, with [`Error::Damaged`] if the checkpoint
    /// is malformed, and with the errors of reading files.
    pub fn open(files: &ModelFiles) -> Result<Self> {
        Self::choose(files, MatrixChoice::WordEmbeddings)
    }

    /// Finds the tensor with exactly this name among the files of a model, as [`EmbeddingMatrix::open`] does the word
    /// embeddings. The caller decides whether its rows are those of tokens.
    ///
    /// # Errors
    /// As [`EmbeddingMatrix::open`], and with [`Error::Usage`] if there is no such tensor or it is not a matrix.
    pub fn open_tensor(files: &ModelFiles, name: &str) -> Result<Self> {
        let matrix = Self::choose(files, MatrixChoice::Named(name))?;
        let has_ids = false;
        Ok(Self { has_ids, ..matrix })
    }

    fn choose(files: &ModelFiles, choice: MatrixChoice) -> Result<Self> {
        placeholder_file::refuse_only(files)?;
        match (files.only_kind()?, files.only()) {
            (Some(FileKind::Checkpoint), Some(name)) => {
                let file = files.find_ranged(name)?;
                let file = file.ok_or_else(|| files.no_such_file(name))?;
                return Self::in_single_file(file, name, choice);
            }
            (Some(FileKind::Vectors), Some(name)) => {
                return match choice {
                    MatrixChoice::WordEmbeddings => word_vectors::open(files, name),
                    MatrixChoice::Named(_) => Err(Error::usage(format!(
                        "{name} has no {}: it is a file of vectors, which have no names",
                        choice.noun()
                    ))),
                };
            }
            (Some(kind), _) if kind.is_tokenizer() => {
                return Err(Error::MissingPart {
                    place: files.place(),
                    what: "embedding matrix: it is the file of a tokenizer",
                    hint: Some(
                        "name the directory with the checkpoint, or the checkpoint itself"
                            .to_owned(),
                    ),
                });
            }
            _ => {}
        }
        for (name, index_name) in CHECKPOINTS {
            if let Some(file) = files.find_ranged(name)? {
                return Self::in_file(file, &files.full_name(name), choice);
            }
            if let Some(index) = files.find(index_name)? {
                return Self::in_shard(files, index.as_ref(), choice);
            }
        }
        if let Some((name, file)) = adapter::find(files)? {
            let found = Self::find_in_file(Arc::clone(&file), &files.full_name(name), choice)?;
            return match (found, choice) {
                (Some(matrix), _) => Ok(matrix),
                (None, MatrixChoice::Named(_)) => Err(choice.not_found(file.name(), &[&*file])),
                (None, MatrixChoice::WordEmbeddings) => {
                    Err(adapter::no_matrix(files, file.as_ref())?)
                }
            };
        }
        match gguf_file::find(files)? {
            Some((name, file)) => Self::in_gguf(files, &name, file, choice),
            None => Err(no_checkpoint(files)),
        }
    }

    /// Opens the matrix in a GGUF file or, if this is one of several shards, in the first shard that has it.
    fn in_gguf(
        files: &ModelFiles,
        name: &str,
        file: Arc<dyn ByteSource>,
        choice: MatrixChoice,
    ) -> Result<Self> {
        let checkpoint = gguf_checkpoint(files, file.as_ref())?;
        if let Some(matrix) = Self::find_in(&checkpoint, Arc::clone(&file), name, choice)? {
            return Ok(matrix);
        }
        let Some(shard) = GgufShard::parse(name) else {
            return Err(match checkpoint.tensors.is_empty() {
                true => Error::MissingPart {
                    place: file.name().to_owned(),
                    what: "tensors that tokscope can read",
                    hint: None,
                },
                false => choice.not_found(file.name(), &[&*file]),
            });
        };
        let mut shards = vec![Arc::clone(&file)];
        for other in shard.all().filter(|other| other != name) {
            let Some(shard) = files.find_ranged(&other)? else {
                let noun = choice.noun();
                let problem = format!("it has no {noun}, and its shard {other} is missing");
                return Err(Error::unsupported(file.name(), problem));
            };
            if let Some(matrix) = Self::find_in_file(Arc::clone(&shard), &other, choice)? {
                return Ok(matrix);
            }
            shards.push(shard);
        }
        let shards: Vec<&dyn ByteSource> = shards.iter().map(AsRef::as_ref).collect();
        Err(choice.not_found(file.name(), &shards))
    }

    /// Returns the names that a checkpoint file may have, in search order.
    pub fn checkpoint_names() -> impl Iterator<Item = &'static str> {
        CHECKPOINTS
            .iter()
            .flat_map(|(name, index_name)| [*name, *index_name])
            .chain(adapter::ADAPTERS)
    }

    /// Opens the matrix in the shard that the index names.
    fn in_shard(
        files: &ModelFiles,
        index_file: &dyn ByteSource,
        choice: MatrixChoice,
    ) -> Result<Self> {
        let index = ShardIndex::parse(index_file.name(), &index_file.read_all()?)?;
        let tensors: Vec<(&str, &str)> = index.tensors().collect();
        let position = choice.find(tensors.iter().map(|(tensor, _)| (*tensor, true)));
        let Some((matrix, shard)) = position.and_then(|position| tensors.get(position)) else {
            let names = tensors.iter().map(|(tensor, _)| *tensor);
            return Err(choice.not_among(index_file.name(), "tensors", names));
        };
        let is_elsewhere = |name: &String| index.file_of(name).is_some_and(|file| file != *shard);
        if let Some(scales) = scaled_rows::scale_names(matrix).find(is_elsewhere) {
            let problem = format!("{matrix} and its scales {scales} are in different files");
            return Err(Error::unsupported(index_file.name(), problem));
        }
        let Some(file) = files.find_ranged(shard)? else {
            return Err(Error::damaged(
                index_file.name(),
                format!("it names {shard}, which {} does not have", files.place()),
            ));
        };
        Self::in_file(file, &files.full_name(shard), choice)
    }

    /// Opens the matrix in a checkpoint file that is the model by itself: that of a model, or a textual inversion.
    fn in_single_file(file: Arc<dyn ByteSource>, name: &str, choice: MatrixChoice) -> Result<Self> {
        if let Some(matrix) = Self::find_in_file(Arc::clone(&file), name, choice)? {
            return Ok(matrix);
        }
        let found = match choice {
            MatrixChoice::WordEmbeddings => Self::of_inversion(Arc::clone(&file), name, None)?,
            MatrixChoice::Named(_) => None,
        };
        found.ok_or_else(|| choice.not_found(file.name(), &[&*file]))
    }

    /// Opens the vectors of a textual inversion: those with `columns` values, or the first. Returns `None` if the file
    /// has none.
    ///
    /// # Errors
    /// Fails with [`Error::Unsupported`] or [`Error::Damaged`] if the file cannot be read.
    pub fn of_inversion(
        file: Arc<dyn ByteSource>,
        name: &str,
        columns: Option<u64>,
    ) -> Result<Option<Self>> {
        let checkpoint = Checkpoint::open(file.as_ref())?;
        let Some(tensor) = inversion::find(file.as_ref(), &checkpoint, columns)? else {
            return Ok(None);
        };
        file.approve();
        let stored = Stored::of(&tensor);
        let name = (name, checkpoint.container.name);
        let matrix = Self::of_tensor(file, name, tensor, stored);
        Ok(Some(Self {
            has_ids: false,
            ..matrix
        }))
    }

    /// Opens the matrix in one checkpoint file, `name` within the model.
    pub(super) fn in_file(
        file: Arc<dyn ByteSource>,
        name: &str,
        choice: MatrixChoice,
    ) -> Result<Self> {
        let found = Self::find_in_file(Arc::clone(&file), name, choice)?;
        found.ok_or_else(|| choice.not_found(file.name(), &[&*file]))
    }

    /// Opens the matrix in one checkpoint file, `name` within the model; `None` if the file has none.
    fn find_in_file(
        file: Arc<dyn ByteSource>,
        name: &str,
        choice: MatrixChoice,
    ) -> Result<Option<Self>> {
        let checkpoint = Checkpoint::open(file.as_ref())?;
        Self::find_in(&checkpoint, file, name, choice)
    }

    /// Opens the matrix among the tensors of a file, `name` within the model; `None` if there is none.
    fn find_in(
        checkpoint: &Checkpoint,
        file: Arc<dyn ByteSource>,
        name: &str,
        choice: MatrixChoice,
    ) -> Result<Option<Self>> {
        let candidates = (checkpoint.tensors.iter())
            .map(|tensor| (tensor.name.as_str(), tensor.shape.len() == 2));
        let unreadable = (checkpoint.skipped.iter()).map(|tensor| (tensor.name.as_str(), true));
        let Some(position) = choice.find(candidates.chain(unreadable)) else {
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
        choice.check(file.name(), tensor, checkpoint)?;
        let tensor = tensor.locate(file.as_ref())?;
        check_shape(file.name(), &tensor)?;
        let remapped = match tensor_names::is_of_model2vec(&tensor.name) {
            true => RemappedRows::find(&file, checkpoint, &tensor)?,
            false => None,
        };
        let scaled = match remapped {
            Some(_) => None,
            None => ScaledRows::find(&file, checkpoint, &tensor)?,
        };
        if !tensor.dtype.is_readable() && remapped.is_none() && scaled.is_none() {
            return Err(Error::unsupported(
                file.name(),
                format!(
                    "the elements of {} are {}, not floating-point numbers of 8, 16, 32 or 64 bits",
                    tensor.name, tensor.dtype
                ),
            ));
        }
        file.approve();
        let mut stored = Stored::of(&tensor);
        stored.dequantized |= scaled.as_ref().is_some_and(ScaledRows::is_scaled);
        let name = (name, checkpoint.container.name);
        let (rows, columns) = shape(&tensor);
        let rule: (Box<dyn ComputeRows>, u64) = match (remapped, scaled) {
            (Some((rule, ids)), _) => (Box::new(rule), ids),
            (None, Some(rule)) => (Box::new(rule), rows),
            (None, None) => return Ok(Some(Self::of_tensor(file, name, tensor, stored))),
        };
        let size = (rule.1, columns);
        Self::computed(rule.0, name, &tensor.name, size, stored).map(Some)
    }
}

/// Returns the tensors of a GGUF file, or of another checkpoint that is named like one.
fn gguf_checkpoint(files: &ModelFiles, file: &dyn ByteSource) -> Result<Checkpoint> {
    let magic = MAGIC.len() as u64;
    if file.len() < magic || *file.read(0..magic)? != *MAGIC {
        return Checkpoint::open(file);
    }
    Checkpoint::of_gguf(file, &gguf_file::header(files, file)?)
}

/// Returns the error for a model without a supported checkpoint. The hint names an unsupported checkpoint if there is
/// one.
fn no_checkpoint(files: &ModelFiles) -> Error {
    const UNSUPPORTED: &[&str] = &[".h5", ".msgpack", ".onnx", ".ot"];
    // Read if they are named.
    const OTHER_NAMES: &[&str] = &[".ckpt", ".pt", ".pth", ".vec", ".npy"];
    let names: Vec<&str> = CHECKPOINTS.iter().map(|(name, _)| *name).collect();
    let error = files.missing(
        "checkpoint (model.safetensors or pytorch_model.bin, whole or in shards)",
        &names,
    );
    let list = files.list().unwrap_or_default();
    let find = |endings: &[&str]| {
        let is_one = |name: &str| endings.iter().any(|ending| name.ends_with(ending));
        list.iter().find(|file| is_one(&file.name))
    };
    match (find(OTHER_NAMES), find(UNSUPPORTED)) {
        (Some(named), _) => error.with_hint(format!(
            "it has {}: name that file, as in `--model {}`",
            named.name,
            files.reference_to(&named.name)
        )),
        (None, Some(other)) => error.with_hint(format!(
            "it has {}, which tokscope does not read",
            other.name
        )),
        (None, None) => error,
    }
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
}
