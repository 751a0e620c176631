//! How the commands on rows name a row: by text, by id, by piece.

use super::Model;
use crate::error::{Error, Result};
use crate::tokenizer::{EncodeOptions, Tokenizer};

/// A row that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowRef {
    pub id: u32,
    /// Absent for a row that no token has.
    pub piece: Option<String>,
    /// Position among the tokens of the text, where it was named by text.
    pub position: Option<usize>,
}

impl RowRef {
    /// The row of an id, whether or not a token has it; the matrix says which ids there are.
    pub fn by_id(tokenizer: &Tokenizer, id: u64) -> Result<Self> {
        // Ids are 32 bits wide wherever models are: a larger one has no row in any matrix.
        let id = u32::try_from(id).map_err(|_| tokenizer.unknown_id(id))?;
        Ok(Self {
            id,
            piece: tokenizer.piece(id).map(str::to_owned),
            position: None,
        })
    }

    /// The row of a piece, spelled as the vocabulary has it.
    pub fn by_piece(tokenizer: &Tokenizer, piece: &str) -> Result<Self> {
        Ok(Self {
            id: tokenizer.id_of(piece)?,
            piece: Some(piece.to_owned()),
            position: None,
        })
    }

    /// The row of a text of one token; special tokens of the template do not count.
    pub fn by_token(tokenizer: &Tokenizer, text: &str) -> Result<Self> {
        let mut rows = Self::by_text(tokenizer, text, false)?;
        match rows.len() {
            0 => Err(Error::NoToken {
                text: text.to_owned(),
            }),
            1 => Ok(Self {
                position: None,
                ..rows.remove(0)
            }),
            _ => Err(Error::NotOneToken {
                text: text.to_owned(),
                pieces: rows.into_iter().filter_map(|row| row.piece).collect(),
            }),
        }
    }

    /// The rows of the tokens of a text.
    pub fn by_text(tokenizer: &Tokenizer, text: &str, special_tokens: bool) -> Result<Vec<Self>> {
        let options = EncodeOptions {
            special_tokens,
            ..EncodeOptions::default()
        };
        let encoding = tokenizer.encode(text, None, &options)?.into_first();
        let tokens = encoding.ids.iter().zip(encoding.tokens.iter()).enumerate();
        Ok(tokens
            .map(|(position, (id, piece))| Self {
                id: *id,
                piece: Some(piece.to_owned()),
                position: Some(position),
            })
            .collect())
    }

    /// The rows of ids, then those of pieces.
    pub fn by_names(model: &Model, ids: &[u64], pieces: &[String]) -> Result<Vec<Self>> {
        let mut rows = Vec::new();
        for &id in ids {
            model.check_row(id)?;
            rows.push(Self::by_id(&model.tokenizer, id)?);
        }
        for piece in pieces {
            rows.push(Self::by_piece(&model.tokenizer, piece)?);
        }
        Ok(rows)
    }

    /// The rows at some positions of a text.
    pub fn by_position(rows: &[Self], positions: &[usize]) -> Result<Vec<Self>> {
        positions
            .iter()
            .map(|&position| {
                rows.get(position).cloned().ok_or(Error::NoSuchPosition {
                    position,
                    last: rows.len().saturating_sub(1),
                })
            })
            .collect()
    }
}
