//! The vector that a command computes with: a row, or the mean of the rows of a text.

use clap::Args;

use super::model::Model;
use super::row_selection::{RowRef, without_special_tokens};
use crate::embedding::EmbeddingMatrix;
use crate::embedding::similarity::mean;
use crate::error::{Error, Result};

/// `--mean`, for commands that take texts of one token.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct MeanArgs {
    /// Take the mean of the rows of a text that is several tokens
    #[arg(long)]
    pub mean: bool,
}

/// A row, or the mean of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operand {
    Row(RowRef),
    Mean {
        text: String,
        /// At least two.
        rows: Vec<RowRef>,
    },
}

impl Operand {
    /// Returns the row of a text that is one token, not counting the special tokens of the template. Under `--mean`, a
    /// text of several tokens stands for the mean of their rows.
    ///
    /// # Errors
    /// Fails with [`Error::NoToken`] if the text has no tokens, or with [`Error::NotOneToken`] if it has several and
    /// `--mean` is not given.
    pub fn from_text(model: &Model, text: &str, args: MeanArgs) -> Result<Self> {
        let mut rows = RowRef::from_text(model, text, &without_special_tokens())?;
        match rows.len() {
            0 => Err(Error::NoToken {
                text: text.to_owned(),
            }),
            1 => Ok(Self::Row(RowRef {
                position: None,
                ..rows.remove(0)
            })),
            _ if args.mean => Ok(Self::Mean {
                text: text.to_owned(),
                rows,
            }),
            _ => Err(Error::NotOneToken {
                text: text.to_owned(),
                pieces: rows.into_iter().filter_map(|row| row.piece).collect(),
            }),
        }
    }

    /// Returns the ids of the rows.
    pub fn ids(&self) -> Vec<u32> {
        match self {
            Self::Row(row) => vec![row.id],
            Self::Mean { rows, .. } => rows.iter().map(|row| row.id).collect(),
        }
    }

    /// Returns the row, or `None` for a mean.
    pub fn row(&self) -> Option<&RowRef> {
        match self {
            Self::Row(row) => Some(row),
            Self::Mean { .. } => None,
        }
    }

    /// Returns the text and the ids of a mean, or `None` for a row.
    pub fn mean(&self) -> Option<(&str, Vec<u32>)> {
        match self {
            Self::Row(_) => None,
            Self::Mean { text, .. } => Some((text, self.ids())),
        }
    }

    /// Returns the name in the output: a piece, or `mean(▁do nd e)`.
    pub fn name(&self) -> String {
        match self {
            Self::Row(row) => match &row.piece {
                Some(piece) => piece.clone(),
                None => format!("id {}", row.id),
            },
            Self::Mean { rows, .. } => {
                let pieces = rows.iter().filter_map(|row| row.piece.as_deref());
                format!("mean({})", pieces.collect::<Vec<_>>().join(" "))
            }
        }
    }

    /// Reads the vector.
    ///
    /// # Errors
    /// Fails with [`Error::NoSuchRow`] if an id is beyond the matrix.
    pub fn values(&self, matrix: &EmbeddingMatrix) -> Result<Vec<f32>> {
        mean(matrix, &self.ids())
    }
}
