//! `vocab`: lists the vocabulary or a part of it.

use clap::Args as ClapArgs;
use regex::Regex;

use super::piece_order::Sort;
use super::row_selection::RowSelection;
use super::session::Session;
use super::vector_words::{self, Words};
use crate::error::{Error, Exit, Result};
use crate::record::{Piece, Record};
use crate::source::FileKind;
use crate::tokenizer::VocabularyEntry;

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

fn words<'a>(args: &'a Args, pattern: Option<&'a Regex>) -> Words<'a> {
    Words {
        selection: &args.selection,
        pattern,
        order: args.sort,
        limit: args.k.unwrap_or(usize::MAX),
    }
}

/// Runs the command. Named entries come first, in the order they were named, followed by matching entries in order of
/// id, unless `--sort` is given.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let pattern = args.grep.as_deref().map(pattern).transpose()?;
    let files = session.files()?;
    if files.only_kind()? == Some(FileKind::Vectors) {
        return vector_words::run(&words(args, pattern.as_ref()), session);
    }
    let tokenizer = session.tokenizer(&files)?;
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
