//! `vocab`: the vocabulary, whole or in part.

use clap::Args as ClapArgs;
use regex::Regex;

use super::session::Session;
use crate::error::{Error, Exit, Result};
use crate::record::{Piece, Record};
use crate::tokenizer::vocabulary::Entry;

/// List the vocabulary: id, piece, kind, score
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// The piece of an id (repeatable)
    #[arg(long = "id", value_name = "N")]
    pub ids: Vec<u64>,
    /// A piece, spelled as the vocabulary has it (repeatable)
    #[arg(long = "piece", value_name = "PIECE")]
    pub pieces: Vec<String>,
    /// The pieces that a regular expression matches
    #[arg(long, value_name = "REGEX")]
    pub grep: Option<String>,
}

/// The record of an entry.
pub fn record(entry: &Entry) -> Piece {
    Piece {
        id: entry.id,
        piece: entry.piece.clone(),
        kind: entry.kind.name(),
        score: entry.score,
        special: entry.special,
        added: entry.added,
    }
}

/// The regular expression of `--grep`.
///
/// # Errors
/// [`Error::Usage`] if it is none.
pub fn pattern(pattern: &str) -> Result<Regex> {
    Regex::new(pattern).map_err(|problem| {
        let what = match problem {
            regex::Error::CompiledTooBig(_) => "too large a regular expression",
            _ => "not a regular expression",
        };
        Error::usage_hint(
            format!("`{pattern}` is {what}"),
            "the syntax is that of Rust's regex crate; a literal dot or bracket needs a backslash",
        )
    })
}

/// Runs the command: what is named, in the order of its naming, else all that match, in the order of ids.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let pattern = args.grep.as_deref().map(pattern).transpose()?;
    let tokenizer = session.tokenizer(&session.files()?)?;
    let vocabulary = tokenizer.vocabulary();
    let named = args.ids.iter().map(|&id| {
        let entry = u32::try_from(id).ok().and_then(|id| vocabulary.get(id));
        entry.ok_or_else(|| tokenizer.unknown_id(id))
    });
    let pieces = args.pieces.iter().map(|piece| {
        let id = tokenizer.id_of(piece)?;
        vocabulary
            .get(id)
            .ok_or_else(|| tokenizer.unknown_id(u64::from(id)))
    });
    let named: Vec<&Entry> = named.chain(pieces).collect::<Result<_>>()?;
    if !named.is_empty() {
        for entry in named {
            session.emit(&Record::Piece(record(entry)))?;
        }
        if pattern.is_none() {
            return Ok(Exit::Done);
        }
    }
    for entry in vocabulary.entries() {
        if pattern
            .as_ref()
            .is_none_or(|pattern| pattern.is_match(&entry.piece))
        {
            session.emit(&Record::Piece(record(entry)))?;
        }
    }
    Ok(Exit::Done)
}
