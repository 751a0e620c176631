//! `neighbors`: the rows nearest to a row, to a vector, or to a sum of them.

use std::path::{Path, PathBuf};

use clap::builder::PossibleValue;
use clap::{Args as ClapArgs, ValueEnum};

use super::input::read_limited;
use super::model::{CheckpointOptions, Model};
use super::row_selection::{RowRef, RowSelection, without_special_tokens};
use super::session::Session;
use super::vocab;
use crate::embedding::EmbeddingMatrix;
use crate::embedding::metric::Metric;
use crate::embedding::nearest::{SearchOptions, nearest};
use crate::embedding::query::{Query, Sign, Term};
use crate::error::{Error, Exit, Result};
use crate::formats::npy::{self, Vectors};
use crate::record::{Neighbor, Record};

/// Bytes of the vectors of an array file.
const MAX_VECTORS: u64 = 1 << 30;

/// Find the tokens whose rows are nearest, in the matrix as it is stored
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// A text of one token; each one is a query of its own
    #[arg(value_name = "TOKEN")]
    pub tokens: Vec<String>,
    #[command(flatten)]
    pub selection: RowSelection,
    /// The vectors of a NumPy array file (repeatable)
    #[arg(long = "vector", value_name = "FILE.npy")]
    pub vectors: Vec<PathBuf>,
    /// Add the row of a text of one token to each query (repeatable)
    #[arg(long, value_name = "TOKEN")]
    pub plus: Vec<String>,
    /// Subtract the row of a text of one token from each query (repeatable)
    #[arg(long, value_name = "TOKEN")]
    pub minus: Vec<String>,
    /// Show at most K rows in each list
    #[arg(short, long = "limit", value_name = "K", default_value_t = 10)]
    pub k: usize,
    /// Measure of nearness
    #[arg(long, value_enum, default_value_t, value_name = "METRIC")]
    pub metric: Metric,
    /// Search only among the tokens of a text
    #[arg(long, value_name = "TEXT")]
    pub among: Option<String>,
    /// Select the pieces that match a regular expression
    #[arg(long, value_name = "REGEX")]
    pub grep: Option<String>,
    /// Search the rows that no token has, too
    #[arg(long)]
    pub all_rows: bool,
    #[command(flatten)]
    pub checkpoint: CheckpointOptions,
}

impl ValueEnum for Metric {
    fn value_variants<'a>() -> &'a [Self] {
        Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Self::Cosine => "Cosine of the angle: 1 for the same direction",
            Self::Dot => "Dot product",
            Self::L2 => "Euclidean distance: 0 for the same row",
        };
        Some(PossibleValue::new(self.name()).help(help))
    }
}

/// A query and how it is spelled.
struct Named {
    query: Query,
    name: String,
}

/// Runs the command.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let named = args.tokens.len() + args.selection.len() + args.vectors.len();
    if named + args.plus.len() + args.minus.len() == 0 {
        return Err(Error::usage_hint(
            "there is no token to start from",
            "`tokscope neighbors TOKEN`, `--id N`, `--piece P`, `--vector FILE.npy`, or a sum with `--plus T --minus T`",
        ));
    }
    let pattern = args.grep.as_deref().map(vocab::pattern).transpose()?;
    let model = Model::open(session, args.checkpoint)?;
    let tokenizer = &model.tokenizer;
    let rows = u32::try_from(model.matrix.rows()).unwrap_or(u32::MAX);
    let mut among = None;
    if let Some(text) = &args.among {
        let tokens = RowRef::from_text(tokenizer, text, &without_special_tokens())?;
        let mut ids: Vec<u32> = tokens.iter().map(|row| row.id).collect();
        ids.sort_unstable();
        ids.dedup();
        ids.retain(|id| *id < rows);
        among = Some(ids);
    }
    if let Some(pattern) = pattern {
        let ids = among.unwrap_or_else(|| (0..rows).collect()).into_iter();
        let matches = |piece| pattern.is_match(piece);
        among = Some(
            ids.filter(|id| tokenizer.piece(*id).is_some_and(matches))
                .collect(),
        );
    }
    let accepts = |id| {
        let listed = among
            .as_ref()
            .is_none_or(|ids| ids.binary_search(&id).is_ok());
        listed && (args.all_rows || tokenizer.piece(id).is_some())
    };
    let options = SearchOptions {
        metric: args.metric,
        k: args.k,
        accepts: &accepts,
        candidates: among.as_deref(),
    };
    let queries = queries(args, &model, &options)?;
    let (queries, names): (Vec<Query>, Vec<String>) = queries
        .into_iter()
        .map(|Named { query, name }| (query, name))
        .unzip();
    let answers = nearest(&model.matrix, &queries, &options)?;
    let several = answers.len() > 1;
    for (index, (found, name)) in answers.into_iter().zip(names).enumerate() {
        for (rank, (id, score)) in (1..).zip(found) {
            session.emit(&Record::Neighbor(Neighbor {
                rank,
                id,
                piece: tokenizer.piece(id).map(str::to_owned),
                score,
                metric: args.metric.name(),
                query: index + 1,
                query_name: name.clone(),
                of_several: several,
            }))?;
        }
    }
    Ok(Exit::Done)
}

/// The queries of the arguments: each row and vector that is named, with what is added and subtracted, or these alone.
fn queries(args: &Args, model: &Model, options: &SearchOptions) -> Result<Vec<Named>> {
    let (tokenizer, matrix) = (&model.tokenizer, &model.matrix);
    let mut rows = Vec::new();
    for token in &args.tokens {
        rows.push(RowRef::from_token(tokenizer, token)?);
    }
    rows.extend(args.selection.rows(model)?);
    let plus = args.plus.iter().map(|token| (token, Sign::Plus));
    let minus = args.minus.iter().map(|token| (token, Sign::Minus));
    let mut summands = Vec::new();
    for (token, sign) in plus.chain(minus) {
        summands.push((RowRef::from_token(tokenizer, token)?, sign));
    }
    // Before anything is fetched for them.
    let mut given = Vec::new();
    for path in &args.vectors {
        given.extend(vectors(path, matrix.columns())?);
    }
    if options.reads_all(matrix) {
        // So that the rows of the queries need no requests of their own.
        matrix.make_local()?;
    } else {
        let rows = rows.iter().chain(summands.iter().map(|(row, _)| row));
        matrix.prefetch(&rows.map(|row| row.id).collect::<Vec<_>>())?;
    }
    let mut bases = Vec::new();
    for row in rows {
        bases.push(named_row(matrix, row, Sign::Plus)?);
    }
    bases.extend(given);
    let summands: Vec<NamedTerm> = summands
        .into_iter()
        .map(|(row, sign)| named_row(matrix, row, sign))
        .collect::<Result<_>>()?;
    if bases.is_empty() {
        return Ok(vec![named(summands, args.metric)?]);
    }
    bases
        .into_iter()
        .map(|base| {
            let terms = [base].into_iter().chain(summands.iter().cloned());
            named(terms.collect(), args.metric)
        })
        .collect()
}

/// A summand with how it is spelled.
type NamedTerm = (Term, String);

fn named_row(matrix: &EmbeddingMatrix, row: RowRef, sign: Sign) -> Result<NamedTerm> {
    let term = Term {
        vector: matrix.row(u64::from(row.id))?,
        id: Some(row.id),
        sign,
        name: format!("the row of id {}", row.id),
    };
    let name = row.piece.unwrap_or_else(|| format!("id {}", row.id));
    Ok((term, name))
}

fn vectors(path: &Path, columns: u64) -> Result<Vec<NamedTerm>> {
    let input = path.display().to_string();
    let read = read_limited::read_with_magic(path, npy::MAGIC, MAX_VECTORS);
    let bytes = read.map_err(|source| Error::ReadInput {
        input: input.clone(),
        source,
    })?;
    let vectors = Vectors::parse(&input, &bytes)?;
    if vectors.columns() as u64 != columns {
        return Err(Error::BadArray {
            input,
            problem: format!(
                "its vectors have {} values, and the rows of the matrix {columns}",
                vectors.columns()
            ),
        });
    }
    let mut terms = Vec::new();
    for (index, vector) in (0..vectors.rows())
        .filter_map(|row| vectors.row(row))
        .enumerate()
    {
        let name = format!("{input}[{index}]");
        if !vector.iter().all(|value| value.is_finite()) {
            return Err(Error::BadArray {
                input,
                problem: format!("vector {index} has a value that is no finite float32"),
            });
        }
        let term = Term {
            vector,
            id: None,
            sign: Sign::Plus,
            name: name.clone(),
        };
        terms.push((term, name));
    }
    Ok(terms)
}

fn named(terms: Vec<NamedTerm>, metric: Metric) -> Result<Named> {
    let mut spelled = String::new();
    for (term, name) in &terms {
        spelled.push_str(match (term.sign, spelled.is_empty()) {
            (Sign::Plus, true) => "",
            (Sign::Plus, false) => " + ",
            (Sign::Minus, true) => "- ",
            (Sign::Minus, false) => " - ",
        });
        spelled.push_str(name);
    }
    let terms: Vec<Term> = terms.into_iter().map(|(term, _)| term).collect();
    Ok(Named {
        query: Query::new(&terms, metric)?,
        name: spelled,
    })
}
