//! `grep`: finds where tokens occur in files, directories, and streams.

mod line_context;
mod search;
mod searching;

use clap::Args as ClapArgs;

use super::input::encode_args::AddedTokenArgs;
use super::input::file_filters::PathArgs;
use super::input::file_walk::FileWalk;
use super::input::text_format::Utf8Args;
use super::row_selection::RowSelection;
use super::session::Session;
use crate::error::{Error, Exit, Result};
use crate::tokenizer::Tokenizer;
use search::Search;
use searching::Searching;

/// Find where tokens occur in files, directories, or standard input; exit 1 if there is no match
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(flatten)]
    pub selection: RowSelection,
    /// Search for text that the vocabulary has no piece for
    #[arg(long)]
    pub unknown: bool,
    #[command(flatten)]
    pub added_tokens: AddedTokenArgs,
    #[command(flatten)]
    pub utf8: Utf8Args,
    // Must stay last: its help heading would apply to any flags after it.
    #[command(flatten)]
    pub paths: PathArgs,
}

/// Runs the command.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    if args.paths.type_list {
        PathArgs::print_types(session)?;
        return Ok(Exit::Done);
    }
    let walk = FileWalk::from_args(&args.paths)?;
    let tokenizer = session.encoder(&session.files()?)?;
    let ids = searched_ids(&tokenizer, args)?;
    let options = args.added_tokens.options_without_special_tokens();
    let search = Search::new(&tokenizer, ids, options, args.utf8);
    let mut searching = Searching::new(&search);
    match walk {
        Some(walk) => searching.paths(session, &walk)?,
        None => searching.stdin(session, None)?,
    }
    Ok(searching.exit())
}

/// Returns the ids to search for.
///
/// # Errors
/// Fails with [`Error::UnknownId`] or [`Error::UnknownPiece`] for a token that does not exist, and with
/// [`Error::Usage`] if there is nothing to search for.
fn searched_ids(tokenizer: &Tokenizer, args: &Args) -> Result<Vec<u32>> {
    let mut ids = args.selection.token_ids(tokenizer)?;
    if args.unknown {
        ids.push(tokenizer.unknown_token().ok_or_else(|| {
            Error::usage("the model has no unknown token: its pieces can spell every text")
        })?);
    }
    if ids.is_empty() {
        return Err(Error::usage_hint(
            "nothing to search for",
            "name tokens with `--id N` or `--piece PIECE`, or use `--unknown`",
        ));
    }
    Ok(ids)
}
