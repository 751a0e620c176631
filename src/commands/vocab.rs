//! `vocab`: lists the vocabulary or a part of it.

use std::cmp::Reverse;

use clap::{Args as ClapArgs, ValueEnum};
use regex::Regex;

use super::row_selection::RowSelection;
use super::session::Session;
use crate::error::{Error, Exit, Result};
use crate::record::{Piece, Record};
use crate::tokenizer::{Vocabulary, VocabularyEntry};

/// List the vocabulary: id, piece, kind, and score; exit 1 if no piece matches
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(flatten)]
    pub selection: RowSelection,
    /// Consider only pieces that match a regular expression
    #[arg(long, value_name = "REGEX")]
    pub grep: Option<String>,
    /// Order of the table
    #[arg(long, value_enum, value_name = "ORDER")]
    pub sort: Option<Sort>,
    /// Show at most K rows in each list
    #[arg(short, long = "limit", value_name = "K")]
    pub k: Option<usize>,
}

/// An order of pieces. Equal ones are in order of id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Sort {
    Id,
    /// By code point
    Piece,
    /// Longest first, in characters
    Length,
    /// Highest first; only a Unigram vocabulary has scores
    Score,
}

impl Sort {
    /// Sorts entries.
    ///
    /// # Errors
    /// Fails with [`Error::Usage`] if the order is by score and no entry of the vocabulary has one.
    fn sort(self, entries: &mut [&VocabularyEntry], vocabulary: &Vocabulary) -> Result<()> {
        entries.sort_by_key(|entry| entry.id);
        match self {
            Self::Id => {}
            Self::Piece => entries.sort_by(|a, b| a.piece.cmp(&b.piece)),
            Self::Length => {
                entries.sort_by_cached_key(|entry| Reverse(entry.piece.chars().count()))
            }
            Self::Score => {
                if vocabulary
                    .entries()
                    .iter()
                    .all(|entry| entry.score.is_none())
                {
                    return Err(Error::usage_hint(
                        "the pieces of this vocabulary have no scores to sort by",
                        "use `--sort id`, `piece` or `length`",
                    ));
                }
                let score = |entry: &VocabularyEntry| entry.score.unwrap_or(f64::NEG_INFINITY);
                entries.sort_by(|a, b| score(b).total_cmp(&score(a)));
            }
        }
        Ok(())
    }
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
/// id, unless `--sort` is given.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let pattern = args.grep.as_deref().map(pattern).transpose()?;
    let tokenizer = session.tokenizer(&session.files()?)?;
    let vocabulary = tokenizer.vocabulary();
    let mut entries = Vec::new();
    if !args.selection.is_empty() {
        let ids = args.selection.token_ids(&tokenizer)?;
        entries.extend(ids.into_iter().filter_map(|id| vocabulary.get(id)));
    }
    if let Some(pattern) = &pattern {
        let all = vocabulary.entries().iter();
        entries.extend(all.filter(|entry| pattern.is_match(&entry.piece)));
    } else if args.selection.is_empty() {
        entries.extend(vocabulary.entries());
    }
    if let Some(order) = args.sort {
        order.sort(&mut entries, vocabulary)?;
    }
    let exit = if entries.is_empty() {
        Exit::Negative
    } else {
        Exit::Done
    };
    entries.truncate(args.k.unwrap_or(usize::MAX));
    for entry in entries {
        session.emit(&Record::Piece(record(entry)))?;
    }
    Ok(exit)
}
