//! `vocab` of a file of word vectors: its words in place of pieces.

use std::cmp::Reverse;

use regex::Regex;

use super::model::{CheckpointOptions, Model};
use super::number_ranges::Ids;
use super::piece_order::Sort;
use super::row_selection::RowSelection;
use super::session::Session;
use crate::error::{Error, Exit, Result};
use crate::record::{Piece, Record};

/// The kind of every word.
const KIND: &str = "normal";

/// The words to list.
#[derive(Debug, Clone, Copy)]
pub struct Words<'a> {
    pub selection: &'a RowSelection,
    pub pattern: Option<&'a Regex>,
    pub order: Option<Sort>,
    pub limit: usize,
}

/// Runs the command. Words are read as they are written, unless `--sort` needs all of them first.
pub fn run(args: &Words<'_>, session: &mut Session) -> Result<Exit> {
    let Words { pattern, limit, .. } = *args;
    if args.order == Some(Sort::Score) {
        return Err(Error::usage_hint(
            "words of vectors have no scores to sort by",
            "use `--sort id`, `piece` or `length`",
        ));
    }
    let model = Model::open(session, &CheckpointOptions::default())?;
    if model.matrix.words().is_none() {
        // An array has rows without words: the error says so.
        model.tokenizer()?;
    }
    let rows = u32::try_from(model.matrix.rows()).unwrap_or(u32::MAX);
    let mut named = Vec::new();
    for id in args.selection.ids.iter().flat_map(Ids::iter) {
        model.check_row(id)?;
        named.extend(u32::try_from(id));
    }
    for piece in &args.selection.pieces {
        named.push(model.id_of(piece)?);
    }
    let all = (pattern.is_some() || args.selection.is_empty()).then_some(0..rows);
    let named = named.into_iter().map(|id| (id, true));
    let matching = all.into_iter().flatten().map(|id| (id, false));
    let words = named.chain(matching).filter_map(|(id, is_named)| {
        let word = model.piece(id)?.into_owned();
        let is_match = is_named || pattern.is_none_or(|pattern| pattern.is_match(&word));
        is_match.then_some((id, word))
    });
    let mut found = false;
    let emit = |session: &mut Session, (id, piece): (u32, String)| {
        let record = Piece {
            id,
            piece,
            kind: KIND,
            score: None,
            special: false,
            added: false,
        };
        session.emit(&Record::Piece(record))
    };
    if args.order.is_none() {
        let mut words = words.peekable();
        found |= words.peek().is_some();
        for word in words.take(limit) {
            emit(session, word)?;
        }
    } else {
        let mut words: Vec<(u32, String)> = words.collect();
        found |= !words.is_empty();
        words.sort_by_key(|(id, _)| *id);
        match args.order {
            Some(Sort::Piece) => words.sort_by(|a, b| a.1.cmp(&b.1)),
            Some(Sort::Length) => {
                words.sort_by_cached_key(|(_, word)| Reverse(word.chars().count()));
            }
            _ => {}
        }
        for word in words.into_iter().take(limit) {
            emit(session, word)?;
        }
    }
    Ok(if found { Exit::Done } else { Exit::Negative })
}
