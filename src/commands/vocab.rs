//! `vocab`: lists the vocabulary or a part of it.

use clap::Args as ClapArgs;
use regex::Regex;

use super::row_selection::RowSelection;
use super::session::Session;
use crate::error::{Error, Exit, Result};
use crate::record::{Piece, Record};
use crate::tokenizer::VocabularyEntry;

/// List the vocabulary: id, piece, kind, and score
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(flatten)]
    pub selection: RowSelection,
    /// Consider only pieces that match a regular expression
    #[arg(long, value_name = "REGEX")]
    pub grep: Option<String>,
}

/// Returns the record of an entry.
pub fn record(entry: &VocabularyEntry) -> Piece {
    Piece {
        id: entry.id,
        piece: entry.piece.clone(),
        kind: entry.kind.name(),
        score: entry.score,
        special: entry.special,
        added: entry.added,
    }
}

/// Compiles the regular expression of `--grep`.
///
/// # Errors
/// Fails with [`Error::Usage`] if it is invalid or too large.
pub fn pattern(pattern: &str) -> Result<Regex> {
    Regex::new(pattern).map_err(|problem| {
        let what = match problem {
            regex::Error::CompiledTooBig(_) => "too large for a regular expression",
            _ => "not a regular expression",
        };
        Error::usage_hint(
            format!("`{pattern}` is {what}"),
            "use the syntax of Rust's regex crate, with a backslash before a literal dot or bracket",
        )
    })
}

/// Runs the command. Named entries come first, in the order they were named, followed by matching entries in order of
/// id.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let pattern = args.grep.as_deref().map(pattern).transpose()?;
    let tokenizer = session.tokenizer(&session.files()?)?;
    let vocabulary = tokenizer.vocabulary();
    if !args.selection.is_empty() {
        let ids = args.selection.token_ids(&tokenizer)?;
        for entry in ids.into_iter().filter_map(|id| vocabulary.get(id)) {
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
