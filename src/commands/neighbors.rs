//! `neighbors`: the rows nearest to a row, or to a sum of rows.

use clap::Args as ClapArgs;

use super::rows::RowRef;
use super::{CheckpointOptions, Model, Session};
use crate::embedding::similarity::{Metric, Query, nearest};
use crate::error::{Error, Exit, Result};
use crate::record::{Neighbor, Record};

/// Find the tokens whose rows are nearest, in the matrix as it is stored
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// A text of one token
    #[arg(value_name = "TOKEN")]
    pub token: Option<String>,
    /// The row of an id
    #[arg(long, value_name = "N")]
    pub id: Option<u64>,
    /// The row of a piece, spelled as the vocabulary has it
    #[arg(long, value_name = "PIECE")]
    pub piece: Option<String>,
    /// Add the row of a text of one token (repeatable)
    #[arg(long, value_name = "TOKEN")]
    pub plus: Vec<String>,
    /// Subtract the row of a text of one token (repeatable)
    #[arg(long, value_name = "TOKEN")]
    pub minus: Vec<String>,
    /// How many to show
    #[arg(short, value_name = "K", default_value_t = 10)]
    pub k: usize,
    /// What is near
    #[arg(long, value_enum, default_value_t, value_name = "METRIC")]
    pub metric: Metric,
    #[command(flatten)]
    pub checkpoint: CheckpointOptions,
}

/// The records of the `k` nearest rows that have a token, the query's own left out.
///
/// # Errors
/// [`Error::NoSuchRow`] if a row of the query is beyond the matrix.
pub fn records(
    model: &Model,
    plus: &[u32],
    minus: &[u32],
    metric: Metric,
    k: usize,
) -> Result<Vec<Neighbor>> {
    // All of it is read, so that the rows of the query need no requests of their own.
    model.matrix.make_local()?;
    let query = Query::new(&model.matrix, plus, minus, metric)?;
    let vocabulary = model.tokenizer.vocabulary();
    let found = nearest(&model.matrix, &query, metric, k, |id| {
        vocabulary.get(id).is_some()
    })?;
    Ok(found
        .into_iter()
        .enumerate()
        .map(|(index, (id, score))| Neighbor {
            rank: index + 1,
            id,
            piece: model.tokenizer.piece(id).map(str::to_owned),
            score,
            metric: metric.name(),
        })
        .collect())
}

/// Runs the command.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let named = [
        args.token.is_some(),
        args.id.is_some(),
        args.piece.is_some(),
    ];
    if !named.contains(&true) && args.plus.is_empty() && args.minus.is_empty() {
        return Err(Error::usage_hint(
            "there is no token to start from",
            "`tokscope neighbors TOKEN`, `--id N`, `--piece P`, or a sum with `--plus T --minus T`",
        ));
    }
    let model = Model::open_with(session, args.checkpoint)?;
    let tokenizer = &model.tokenizer;
    let mut plus = Vec::new();
    if let Some(token) = &args.token {
        plus.push(RowRef::by_token(tokenizer, token)?.id);
    }
    if let Some(id) = args.id {
        plus.push(RowRef::by_id(tokenizer, id)?.id);
    }
    if let Some(piece) = &args.piece {
        plus.push(RowRef::by_piece(tokenizer, piece)?.id);
    }
    for token in &args.plus {
        plus.push(RowRef::by_token(tokenizer, token)?.id);
    }
    let mut minus = Vec::new();
    for token in &args.minus {
        minus.push(RowRef::by_token(tokenizer, token)?.id);
    }
    for record in records(&model, &plus, &minus, args.metric, args.k)? {
        session.emit(&Record::Neighbor(record))?;
    }
    Ok(Exit::Done)
}
