//! Resolves `--id`, `--piece`, and texts to rows.

use std::borrow::Cow;

use clap::Args;

use super::model::Model;
use super::number_ranges::{Ids, Positions};
use super::session::Session;
use crate::error::{Error, Result};
use crate::tokenizer::{EncodeOptions, Tokenizer};

/// Tokens and rows named on the command line, for every command that takes `--id` and `--piece`.
#[derive(Debug, Clone, Default, Args)]
pub struct RowSelection {
    /// Select by id, from 0: one, several such as 1,2, or a range such as 5-9 (repeatable)
    #[arg(long = "id", value_name = "N", allow_negative_numbers = true)]
    pub ids: Vec<Ids>,
    /// Select by piece, as spelled in the vocabulary (repeatable)
    #[arg(long = "piece", value_name = "PIECE")]
    pub pieces: Vec<String>,
}

impl RowSelection {
    pub fn len(&self) -> usize {
        let ids = self.ids.iter().map(Ids::count);
        ids.fold(self.pieces.len(), usize::saturating_add)
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the ids of the named tokens, first those of `--id`, then those of `--piece`.
    ///
    /// # Errors
    /// Fails with [`Error::UnknownId`] or [`Error::UnknownPiece`] if the vocabulary has no such token.
    pub fn token_ids(&self, tokenizer: &Tokenizer) -> Result<Vec<u32>> {
        let known = |id: u64| {
            let id = u32::try_from(id).ok()?;
            tokenizer.piece(id).map(|_| id)
        };
        let ids = self
            .ids
            .iter()
            .flat_map(Ids::iter)
            .map(|id| known(id).ok_or_else(|| tokenizer.unknown_id(id)));
        let pieces = self.pieces.iter().map(|piece| tokenizer.id_of(piece));
        ids.chain(pieces).collect()
    }

    /// Returns the named rows, first those of `--id`, which need not have a token, then those of `--piece`.
    ///
    /// # Errors
    /// Fails with [`Error::NoSuchRow`] for an id beyond the matrix, or with [`Error::UnknownPiece`].
    pub fn rows(&self, model: &Model) -> Result<Vec<RowRef>> {
        let ids = self.ids.iter().flat_map(Ids::iter);
        let ids = ids.map(|id| RowRef::from_id(model, id));
        let pieces = self
            .pieces
            .iter()
            .map(|piece| RowRef::from_piece(model, piece));
        ids.chain(pieces).collect()
    }

    /// Writes a note about a text that is a number beside `--id`, since a second id was probably meant.
    ///
    /// # Errors
    /// Fails if the note cannot be written.
    pub fn note_about_numbers<'t>(
        &self,
        texts: impl IntoIterator<Item = &'t String>,
        session: &mut Session,
    ) -> Result<()> {
        let is_number = |text: &&String| text.parse::<Ids>().is_ok();
        match texts.into_iter().find(is_number) {
            Some(text) if !self.ids.is_empty() => session.note(&format!(
                "`{text}` is a text here: to select several ids, separate them by commas, as in `--id 1,{text}`"
            )),
            _ => Ok(()),
        }
    }
}

/// A selected row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowRef {
    pub id: u32,
    /// `None` if no token has the id.
    pub piece: Option<String>,
    /// The position of the token in its text, if the row was selected by text.
    pub position: Option<usize>,
}

impl RowRef {
    /// Returns the row with an id, whether or not a token has the id.
    pub fn new(model: &Model, id: u32) -> Self {
        Self {
            id,
            piece: model.piece(id).map(Cow::into_owned),
            position: None,
        }
    }

    /// Returns the row with an id, after checking that it exists.
    ///
    /// # Errors
    /// Fails with [`Error::NoSuchRow`] for an id beyond the matrix.
    pub fn from_id(model: &Model, id: u64) -> Result<Self> {
        model.check_row(id)?;
        // A matrix with more rows than 32-bit ids cannot be opened.
        let last = model.matrix.rows().saturating_sub(1);
        let small = u32::try_from(id).map_err(|_| Error::NoSuchRow { id, last })?;
        Ok(Self::new(model, small))
    }

    /// Returns the row of a piece, as spelled in the vocabulary.
    pub fn from_piece(model: &Model, piece: &str) -> Result<Self> {
        Ok(Self {
            id: model.id_of(piece)?,
            piece: Some(piece.to_owned()),
            position: None,
        })
    }

    /// Returns the rows of all tokens of a text. In a file of word vectors, these are the rows of the text itself, if it is
    /// one of the words, or else of its parts between white space.
    pub fn from_text(model: &Model, text: &str, options: &EncodeOptions) -> Result<Vec<Self>> {
        if model.matrix.words().is_some() {
            return Self::from_words(model, text);
        }
        let encoding = model.tokenizer()?.encode(text, None, options)?.into_first();
        let tokens = encoding.ids.iter().zip(encoding.tokens.iter()).enumerate();
        Ok(tokens
            .map(|(position, (id, piece))| Self {
                id: *id,
                piece: Some(piece.to_owned()),
                position: Some(position),
            })
            .collect())
    }

    fn from_words(model: &Model, text: &str) -> Result<Vec<Self>> {
        if let Ok(row) = Self::from_piece(model, text) {
            let position = Some(0);
            return Ok(vec![Self { position, ..row }]);
        }
        let words = text.split_whitespace().enumerate();
        words
            .map(|(position, word)| {
                let row = Self::from_piece(model, word)?;
                let position = Some(position);
                Ok(Self { position, ..row })
            })
            .collect()
    }

    /// Returns the rows at the given positions of a text.
    ///
    /// # Errors
    /// As [`Positions::of`].
    pub fn at_positions(rows: &[Self], positions: &[Positions]) -> Result<Vec<Self>> {
        let mut selected = Vec::new();
        for positions in positions {
            let positions = positions.of(rows.len())?.into_iter();
            selected.extend(positions.filter_map(|position| rows.get(position).cloned()));
        }
        Ok(selected)
    }
}

/// Returns options for encoding text without the special tokens of the template.
pub fn without_special_tokens() -> EncodeOptions {
    EncodeOptions {
        special_tokens: false,
        ..EncodeOptions::default()
    }
}
