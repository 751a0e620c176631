//! `diff`: compares two rows of the embedding matrix.

use clap::Args as ClapArgs;

use super::input::encode_args::SpecialTokenArgs;
use super::model::{CheckpointOptions, Model, fetched};
use super::number_ranges::Positions;
use super::operand::{MeanArgs, Operand};
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
    /// A text that is one token, or several with --mean; give two
    #[arg(value_name = "TOKEN", num_args = 0..=2)]
    pub tokens: Vec<String>,
    #[command(flatten)]
    pub mean: MeanArgs,
    #[command(flatten)]
    pub selection: RowSelection,
    /// A text given on the command line
    #[arg(long, value_name = "TEXT", requires = "positions")]
    pub text: Option<String>,
    /// Select tokens of the text by position: from 0, or from the end such as -1; one, several such as 1,3, or a range such
    /// as 1-7 (repeatable)
    #[arg(
        long = "at",
        value_name = "POSITION",
        allow_hyphen_values = true,
        requires = "text"
    )]
    pub positions: Vec<Positions>,
    #[command(flatten)]
    pub special_tokens: SpecialTokenArgs,
    #[command(flatten)]
    pub values: ValueArgs,
    #[command(flatten)]
    pub checkpoint: CheckpointOptions,
}

/// Computes the record for two rows, or means of rows.
///
/// # Errors
/// Fails with [`Error::NoSuchRow`] for an id beyond the matrix.
pub fn record(matrix: &EmbeddingMatrix, a: &Operand, b: &Operand, args: &Args) -> Result<Diff> {
    matrix.prefetch(&[a.ids(), b.ids()].concat())?;
    let [first, second] = [a.values(matrix)?, b.values(matrix)?];
    let identical = match (a.row(), b.row()) {
        (Some(a), Some(b)) => {
            matrix.row_bytes(u64::from(a.id))? == matrix.row_bytes(u64::from(b.id))?
        }
        _ => first
            .iter()
            .map(|value| value.to_bits())
            .eq(second.iter().map(|value| value.to_bits())),
    };
    let comparison =
        compare(&first, &second).map_err(|problem| Error::damaged(matrix.file(), problem))?;
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

fn name(operand: &Operand) -> RowName {
    match operand {
        Operand::Row(row) => RowName {
            id: Some(row.id),
            piece: row.piece.clone(),
            position: row.position,
            ..RowName::default()
        },
        Operand::Mean { text, .. } => RowName {
            text: Some(text.clone()),
            mean_of: operand.ids(),
            ..RowName::default()
        },
    }
}

/// Runs the command.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    args.selection.note_about_numbers(&args.tokens, session)?;
    let mut named = Some(args.tokens.len().saturating_add(args.selection.len()));
    for positions in &args.positions {
        // `None` if the number depends on the text, which is not read yet.
        named = named
            .zip(positions.length())
            .map(|(named, more)| named.saturating_add(more));
    }
    if let Some(named) = named.filter(|named| *named != 2) {
        return Err(not_two_rows(named));
    }
    let model = Model::open(session, &args.checkpoint)?;
    let mut operands = Vec::new();
    for token in &args.tokens {
        operands.push(Operand::from_text(&model, token, args.mean)?);
    }
    let mut rows = args.selection.rows(&model)?;
    if let Some(text) = &args.text {
        let tokens = RowRef::from_text(&model, text, &args.special_tokens.options())?;
        rows.extend(RowRef::at_positions(&tokens, &args.positions)?);
    }
    operands.extend(rows.into_iter().map(Operand::Row));
    let [a, b] = &operands[..] else {
        return Err(not_two_rows(operands.len()));
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

fn not_two_rows(found: usize) -> Error {
    Error::usage_hint(
        format!("expected two rows, found {found}"),
        "use `tokscope diff TOKEN TOKEN`, `--id N,M`, `--piece P --piece Q` or `--text TEXT --at I,J`",
    )
}
