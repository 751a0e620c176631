//! `diff`: compares two rows of the embedding matrix.

use clap::Args as ClapArgs;

use super::input::encode_args::SpecialTokenArgs;
use super::model::{CheckpointOptions, Model, fetched};
use super::row_output::ValueArgs;
use super::row_selection::{RowRef, RowSelection};
use super::session::Session;
use crate::embedding::EmbeddingMatrix;
use crate::embedding::similarity::compare;
use crate::error::{Error, Exit, Result};
use crate::record::{Diff, Fetched, Record, RowName};
use crate::render::View;

/// Compare two rows of the embedding matrix; exit 0 if they are identical, 1 if they differ
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// A text that is one token; give two
    #[arg(value_name = "TOKEN", num_args = 0..=2)]
    pub tokens: Vec<String>,
    #[command(flatten)]
    pub selection: RowSelection,
    /// A text given on the command line
    #[arg(long, value_name = "TEXT", requires = "positions")]
    pub text: Option<String>,
    /// Select the token at a position of the text, from 0 (repeatable)
    #[arg(long = "at", value_name = "POSITION", requires = "text")]
    pub positions: Vec<usize>,
    #[command(flatten)]
    pub special_tokens: SpecialTokenArgs,
    #[command(flatten)]
    pub values: ValueArgs,
    #[command(flatten)]
    pub checkpoint: CheckpointOptions,
}

/// Computes the record for two rows.
///
/// # Errors
/// Fails with [`Error::NoSuchRow`] for an id beyond the matrix.
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
        values: (!args.values.stats).then_some(comparison.difference),
        fetched: Fetched::default(),
    })
}

/// Runs the command.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let named = args.tokens.len() + args.selection.len() + args.positions.len();
    if named != 2 {
        return Err(Error::usage_hint(
            format!("expected two rows, found {named}"),
            "use `tokscope diff TOKEN TOKEN`, `--id N --id M`, `--piece P --piece Q` or `--text TEXT --at I --at J`",
        ));
    }
    let model = Model::open(session, args.checkpoint)?;
    let tokenizer = &model.tokenizer;
    let mut rows = Vec::new();
    for token in &args.tokens {
        rows.push(RowRef::from_token(tokenizer, token)?);
    }
    rows.extend(args.selection.rows(&model)?);
    if let Some(text) = &args.text {
        let tokens = RowRef::from_text(tokenizer, text, &args.special_tokens.options())?;
        rows.extend(RowRef::at_positions(&tokens, &args.positions)?);
    }
    let [a, b] = &rows[..] else {
        return Err(Error::usage(format!(
            "expected two rows, found {}",
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
    session.emit_with(&Record::Diff(diff), View::full(args.values.full.full))?;
    Ok(exit)
}
