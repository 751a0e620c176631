//! The matrix of a checkpoint to read: the word embeddings, or the tensor with a given name.

use super::tensor_names::{self, EMBEDDING_NAMES};
use crate::error::{Error, Result};
use crate::formats::checkpoint::{Checkpoint, TensorHeader};
use crate::formats::quote::quote;
use crate::source::ByteSource;

/// The maximum number of names in a hint.
const MAX_NAMES: usize = 5;
/// The maximum number of names that are compared with a misspelled one.
const MAX_COMPARED: usize = 20_000;
/// The longest name that is compared letter by letter, in bytes.
const MAX_SPELLED: usize = 256;

/// The matrix to read.
#[derive(Debug, Clone, Copy)]
pub enum MatrixChoice<'a> {
    WordEmbeddings,
    /// The tensor with exactly this name.
    Named(&'a str),
}

impl MatrixChoice<'_> {
    /// Returns the index of the tensor among `(name, is_matrix)` tensors, or `None` if there is none.
    pub fn find<'t>(
        self,
        mut tensors: impl Iterator<Item = (&'t str, bool)> + Clone,
    ) -> Option<usize> {
        match self {
            Self::WordEmbeddings => tensor_names::find(tensors),
            Self::Named(wanted) => tensors.position(|(name, _)| name == wanted),
        }
    }

    /// Checks that a tensor that was named has two dimensions.
    ///
    /// # Errors
    /// Fails with [`Error::Usage`].
    pub fn check(self, file: &str, tensor: &TensorHeader, checkpoint: &Checkpoint) -> Result<()> {
        let (Self::Named(wanted), true) = (self, tensor.shape.len() != 2) else {
            return Ok(());
        };
        let (name, shape) = (quote(wanted), &tensor.shape);
        let problem = format!("{name} of {file} is not a matrix: its shape is {shape:?}");
        Err(with_names(
            problem,
            wanted,
            "matrices",
            matrices(checkpoint),
        ))
    }

    /// Returns what is looked for, as an error names it.
    pub fn noun(self) -> String {
        match self {
            Self::WordEmbeddings => "word-embedding matrix".to_owned(),
            Self::Named(wanted) => format!("tensor {}", quote(wanted)),
        }
    }

    /// Returns the error for files without the tensor, of which the first is named.
    pub fn not_found(self, file: &str, all: &[&dyn ByteSource]) -> Error {
        let checkpoints: Vec<Checkpoint> = (all.iter())
            .filter_map(|file| Checkpoint::open(*file).ok())
            .collect();
        self.not_among(file, "matrices", checkpoints.iter().flat_map(matrices))
    }

    /// Returns the error for a file whose tensors have other names. A list of `kind` offers the nearest.
    pub fn not_among<'n>(
        self,
        file: &str,
        kind: &str,
        names: impl Iterator<Item = &'n str>,
    ) -> Error {
        let Self::Named(wanted) = self else {
            let known = EMBEDDING_NAMES.join(", ");
            let problem = format!(
                "it has no word-embedding matrix: no tensor of two dimensions is named {known}"
            );
            let error = Error::unsupported(file, problem);
            let names: Vec<String> = names.take(MAX_NAMES).map(quote).collect();
            return match names.is_empty() {
                true => error,
                false => error.with_hint(format!(
                    "`embed --tensor NAME` reads another one, such as {}",
                    names.join(", ")
                )),
            };
        };
        let problem = format!("{file} has no {}", self.noun());
        with_names(problem, wanted, kind, names)
    }
}

fn matrices(checkpoint: &Checkpoint) -> impl Iterator<Item = &str> {
    let tensors = checkpoint.tensors.iter();
    let matrices = tensors.filter(|tensor| tensor.shape.len() == 2);
    matrices.map(|tensor| tensor.name.as_str())
}

/// Returns an error whose hint lists names: first those that contain the wanted one, then those spelled most like it.
fn with_names<'n>(
    problem: String,
    wanted: &str,
    kind: &str,
    names: impl Iterator<Item = &'n str>,
) -> Error {
    let distance = |name: &'n str| {
        let edits = match wanted.len().max(name.len()) <= MAX_SPELLED {
            true => strsim::osa_distance(wanted, name),
            false => usize::MAX,
        };
        (!name.contains(wanted), edits, name)
    };
    let mut nearest: Vec<_> = names.take(MAX_COMPARED).map(distance).collect();
    nearest.sort_unstable();
    let shown: Vec<String> = (nearest.iter().take(MAX_NAMES))
        .map(|(.., name)| quote(name))
        .collect();
    let shown = shown.join(", ");
    match nearest.len() {
        0 => Error::usage(problem),
        1..=MAX_NAMES => Error::usage_hint(problem, format!("use one of its {kind}: {shown}")),
        count => {
            let hint = format!("use one of its {count} {kind}, such as {shown}");
            Error::usage_hint(problem, hint)
        }
    }
}
