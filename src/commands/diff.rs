//! `diff`: two rows, element by element.

use clap::Args as ClapArgs;

use super::model::{CheckpointOptions, Model, fetched};
use super::row_selection::RowRef;
use super::session::Session;
use crate::embedding::EmbeddingMatrix;
use crate::embedding::similarity::compare;
use crate::error::{Error, Exit, Result};
use crate::record::{Diff, Fetched, Record, RowName};

/// Compare two rows of the embedding matrix; exit 0 if they are identical, 1 if they differ
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// A text of one token, twice
    #[arg(value_name = "TOKEN", num_args = 0..=2)]
    pub tokens: Vec<String>,
    /// The row of an id, twice
    #[arg(long = "id", value_name = "N")]
    pub ids: Vec<u64>,
    /// The row of a piece, spelled as the vocabulary has it, twice
    #[arg(long = "piece", value_name = "PIECE")]
    pub pieces: Vec<String>,
    /// A text, of which --at names two tokens
    #[arg(long, value_name = "TEXT", requires = "positions")]
    pub text: Option<String>,
    /// A position in the text, from 0, special tokens counted; twice
    #[arg(long = "at", value_name = "POSITION", requires = "text")]
    pub positions: Vec<usize>,
    /// Do not count special tokens in --at
    #[arg(long)]
    pub no_special_tokens: bool,
    /// Show the difference of all values rather than the first
    #[arg(long, conflicts_with = "stats")]
    pub full: bool,
    /// Leave out the differences of the values
    #[arg(long)]
    pub stats: bool,
    #[command(flatten)]
    pub checkpoint: CheckpointOptions,
}

/// The comparison of two rows.
///
/// # Errors
/// [`Error::NoSuchRow`] for an id beyond the matrix.
pub fn record(matrix: &EmbeddingMatrix, a: &RowRef, b: &RowRef, args: &Args) -> Result<Diff> {
    matrix.prefetch(&[a.id, b.id])?;
    let identical = matrix.row_bytes(u64::from(a.id))? == matrix.row_bytes(u64::from(b.id))?;
    let rows = matrix.lookup(&[a.id, b.id])?;
    let comparison = rows
        .get(0)
        .and_then(|first| compare(&first, &rows.get(1)?))
        .map_err(|problem| Error::damaged(matrix.file(), problem))?;
    let name = |row: &RowRef| RowName {
        id: row.id,
        piece: row.piece.clone(),
        position: row.position,
    };
    Ok(Diff {
        a: name(a),
        b: name(b),
        identical,
        max_abs: comparison.max_abs,
        l2: comparison.l2,
        cosine: comparison.cosine,
        values: (!args.stats).then_some(comparison.difference),
        fetched: Fetched::default(),
        full: args.full,
    })
}

/// Runs the command.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let named = args.tokens.len() + args.ids.len() + args.pieces.len() + args.positions.len();
    if named != 2 {
        return Err(Error::usage_hint(
            format!("two rows are wanted, not {named}"),
            "`tokscope diff TOKEN TOKEN`, `--id N --id M`, `--piece P --piece Q` or `--text TEXT --at I --at J`",
        ));
    }
    let model = Model::open(session, args.checkpoint)?;
    let tokenizer = &model.tokenizer;
    let mut rows = Vec::new();
    for token in &args.tokens {
        rows.push(RowRef::by_token(tokenizer, token)?);
    }
    for &id in &args.ids {
        rows.push(RowRef::by_id(tokenizer, id)?);
    }
    for piece in &args.pieces {
        rows.push(RowRef::by_piece(tokenizer, piece)?);
    }
    if let Some(text) = &args.text {
        let tokens = RowRef::by_text(tokenizer, text, !args.no_special_tokens)?;
        rows.extend(RowRef::by_position(&tokens, &args.positions)?);
    }
    let [a, b] = &rows[..] else {
        return Err(Error::usage(format!(
            "two rows are wanted, not {}",
            rows.len()
        )));
    };
    let diff = record(&model.matrix, a, b, args)?;
    let fetched = fetched(&model.files);
    let diff = Diff { fetched, ..diff };
    let exit = if diff.identical {
        Exit::Done
    } else {
        Exit::Negative
    };
    session.emit(&Record::Diff(diff))?;
    Ok(exit)
}
