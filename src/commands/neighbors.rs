//! `neighbors`: finds the rows nearest to a row, a vector, or a sum of both.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::builder::PossibleValue;
use clap::{Args as ClapArgs, ValueEnum};

use super::model::{CheckpointOptions, Model};
use super::operand::{MeanArgs, Operand};
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
use crate::render::View;
use crate::source::{ByteSource, FileKind, MappedFile, read_limited};

/// The maximum size of an array file, in bytes.
const MAX_ARRAY_FILE: u64 = 1 << 30;

/// Find the tokens whose rows in the embedding matrix are nearest
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// A text that is one token, or several with --mean; each is a separate query
    #[arg(value_name = "TOKEN")]
    pub tokens: Vec<String>,
    #[command(flatten)]
    pub mean: MeanArgs,
    #[command(flatten)]
    pub selection: RowSelection,
    /// Search for the vectors of a NumPy array file or of a textual inversion (repeatable)
    #[arg(long = "vector", value_name = "FILE.npy")]
    pub vectors: Vec<PathBuf>,
    /// Add the row of a token to each query (repeatable)
    #[arg(long, value_name = "TOKEN")]
    pub plus: Vec<String>,
    /// Subtract the row of a token from each query (repeatable)
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
    /// Consider only pieces that match a regular expression
    #[arg(long, value_name = "REGEX")]
    pub grep: Option<String>,
    /// Include rows that have no token
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

/// A query and its name in the output, such as `▁rey - ▁hombre`.
struct NamedQuery {
    query: Query,
    name: String,
    /// The ids of each mean in it.
    means: Vec<Vec<u32>>,
}

/// A term of a query and its name in the output.
#[derive(Debug, Clone)]
struct NamedTerm {
    term: Term,
    name: String,
    /// The ids of the rows if the term is their mean.
    mean_of: Option<Vec<u32>>,
}

/// Runs the command.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let bases = args.tokens.len() + args.selection.len() + args.vectors.len();
    if bases + args.plus.len() + args.minus.len() == 0 {
        return Err(Error::usage_hint(
            "no token to search for is given",
            "use `tokscope neighbors TOKEN`, `--id N`, `--piece P`, `--vector FILE.npy`, or a sum with `--plus T --minus T`",
        ));
    }
    args.selection.note_about_numbers(&args.tokens, session)?;
    let pattern = args.grep.as_deref().map(vocab::pattern).transpose()?;
    let model = Model::open(session, &args.checkpoint)?;
    let rows = u32::try_from(model.matrix.rows()).unwrap_or(u32::MAX);
    let mut candidates = None;
    if let Some(text) = &args.among {
        candidates = Some(ids_of_text(&model, text, rows)?);
    }
    if let Some(pattern) = pattern {
        if model.matrix.words().is_none() {
            model.tokenizer()?;
        }
        let ids = candidates.unwrap_or_else(|| (0..rows).collect());
        let is_match = |id: &u32| {
            let piece = model.piece(*id);
            piece.is_some_and(|piece| pattern.is_match(&piece))
        };
        candidates = Some(ids.into_iter().filter(is_match).collect());
    }
    let is_candidate = |id| {
        let is_listed = candidates
            .as_ref()
            .is_none_or(|ids: &Vec<u32>| ids.binary_search(&id).is_ok());
        let has_token = || !model.has_vocabulary() || model.piece(id).is_some();
        is_listed && (args.all_rows || has_token())
    };
    let options = SearchOptions {
        metric: args.metric,
        k: args.k,
        accepts: &is_candidate,
        candidates: candidates.as_deref(),
    };
    let named = queries(args, &model, &options)?;
    let (queries, names): (Vec<Query>, Vec<_>) = named
        .into_iter()
        .map(|NamedQuery { query, name, means }| (query, (name, means)))
        .unzip();
    let answers = nearest(&model.matrix, &queries, &options)?;
    let view = if answers.len() > 1 {
        View::OfSeveral
    } else {
        View::Plain
    };
    for (index, (neighbors, (name, means))) in answers.into_iter().zip(names).enumerate() {
        for (rank, (id, score)) in (1..).zip(neighbors) {
            let neighbor = Neighbor {
                rank,
                id,
                piece: model.piece(id).map(Cow::into_owned),
                score,
                metric: args.metric.name(),
                query: index + 1,
                query_name: name.clone(),
                means: means.clone(),
            };
            session.emit_with(&Record::Neighbor(neighbor), view)?;
        }
    }
    Ok(Exit::Done)
}

/// Returns the ids of the tokens of a text that have a row, in ascending order and without duplicates.
fn ids_of_text(model: &Model, text: &str, rows: u32) -> Result<Vec<u32>> {
    let tokens = RowRef::from_text(model, text, &without_special_tokens())?;
    let mut ids: Vec<u32> = tokens.iter().map(|row| row.id).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.retain(|id| *id < rows);
    Ok(ids)
}

/// Returns the queries: each named row or vector plus all `--plus` and minus all `--minus` rows. Without a named row or
/// vector, the `--plus` and `--minus` rows alone are the only query.
fn queries(args: &Args, model: &Model, options: &SearchOptions) -> Result<Vec<NamedQuery>> {
    let matrix = &model.matrix;
    let mut rows = Vec::new();
    for token in &args.tokens {
        rows.push(Operand::from_text(model, token, args.mean)?);
    }
    rows.extend(args.selection.rows(model)?.into_iter().map(Operand::Row));
    let plus = args.plus.iter().map(|token| (token, Sign::Plus));
    let minus = args.minus.iter().map(|token| (token, Sign::Minus));
    let mut summands = Vec::new();
    for (token, sign) in plus.chain(minus) {
        summands.push((Operand::from_text(model, token, args.mean)?, sign));
    }
    // Check array files before fetching anything.
    let mut vectors = Vec::new();
    for path in &args.vectors {
        vectors.extend(read_vectors(path, matrix.columns())?);
    }
    if options.reads_all(matrix) {
        // The queries' own rows then need no separate requests.
        matrix.make_local()?;
    } else {
        let rows = rows.iter().chain(summands.iter().map(|(row, _)| row));
        matrix.prefetch(&rows.flat_map(Operand::ids).collect::<Vec<_>>())?;
    }
    let mut bases = Vec::new();
    for row in rows {
        bases.push(row_term(matrix, &row, Sign::Plus)?);
    }
    bases.extend(vectors);
    let summands: Vec<NamedTerm> = summands
        .into_iter()
        .map(|(row, sign)| row_term(matrix, &row, sign))
        .collect::<Result<_>>()?;
    if bases.is_empty() {
        return Ok(vec![sum(summands, args.metric)?]);
    }
    bases
        .into_iter()
        .map(|base| {
            let terms = [base].into_iter().chain(summands.iter().cloned());
            sum(terms.collect(), args.metric)
        })
        .collect()
}

fn row_term(matrix: &EmbeddingMatrix, operand: &Operand, sign: Sign) -> Result<NamedTerm> {
    Ok(NamedTerm {
        term: Term {
            vector: operand.values(matrix)?,
            ids: operand.ids(),
            sign,
            name: match operand {
                Operand::Row(row) => format!("the row of id {}", row.id),
                Operand::Mean { text, .. } => format!("the mean of the rows of `{text}`"),
            },
        },
        name: operand.name(),
        mean_of: operand.mean().map(|(_, ids)| ids),
    })
}

/// Reads the vectors of an array file. Each must have `columns` values, all of them finite.
fn read_vectors(path: &Path, columns: u64) -> Result<Vec<NamedTerm>> {
    let input = path.display().to_string();
    if let Some(vectors) = read_inversion(path, &input, columns)? {
        return terms(&input, vectors.into_iter());
    }
    let read = read_limited::read_with_magic(path, npy::MAGIC, MAX_ARRAY_FILE);
    let bytes = read.map_err(|source| Error::ReadInput {
        input: input.clone(),
        source,
    })?;
    let vectors = Vectors::parse(&input, &bytes)?;
    let bad = |problem: String| Error::BadArray {
        input: input.clone(),
        problem,
    };
    if vectors.columns() as u64 != columns {
        let found = vectors.columns();
        return Err(bad(format!(
            "its vectors have {found} values, but the rows of the matrix have {columns}"
        )));
    }
    terms(
        &input,
        (0..vectors.rows()).filter_map(|row| vectors.row(row)),
    )
}

/// Reads the vectors of a textual inversion that have `columns` values. Returns `None` if the file is not a checkpoint.
fn read_inversion(path: &Path, input: &str, columns: u64) -> Result<Option<Vec<Vec<f32>>>> {
    // Other kinds of files have errors of their own.
    let Ok(file) = MappedFile::open(path, input) else {
        return Ok(None);
    };
    let head = file.read(0..file.len().min(64))?.into_owned();
    if FileKind::of(input, &head) != FileKind::Checkpoint {
        return Ok(None);
    }
    let found = EmbeddingMatrix::of_inversion(Arc::new(file), input, Some(columns))?;
    let matrix = found.ok_or_else(|| Error::BadArray {
        input: input.to_owned(),
        problem: format!("it has no textual inversion with vectors of {columns} values"),
    })?;
    let rows = (0..matrix.rows()).map(|row| matrix.row(row));
    rows.collect::<Result<_>>().map(Some)
}

/// Returns the vectors of a file as terms, after checking that their values are finite.
fn terms(input: &str, vectors: impl Iterator<Item = Vec<f32>>) -> Result<Vec<NamedTerm>> {
    let mut terms = Vec::new();
    for (index, vector) in vectors.enumerate() {
        if !vector.iter().all(|value| value.is_finite()) {
            let problem = format!("vector {index} has a value that is not a finite float32");
            return Err(Error::BadArray {
                input: input.to_owned(),
                problem,
            });
        }
        let name = format!("{input}[{index}]");
        let term = Term {
            vector,
            ids: Vec::new(),
            sign: Sign::Plus,
            name: name.clone(),
        };
        terms.push(NamedTerm {
            term,
            name,
            mean_of: None,
        });
    }
    Ok(terms)
}

/// Adds up terms, and names the sum after its terms.
fn sum(terms: Vec<NamedTerm>, metric: Metric) -> Result<NamedQuery> {
    let mut sum_name = String::new();
    for NamedTerm { term, name, .. } in &terms {
        sum_name.push_str(match (term.sign, sum_name.is_empty()) {
            (Sign::Plus, true) => "",
            (Sign::Plus, false) => " + ",
            (Sign::Minus, true) => "- ",
            (Sign::Minus, false) => " - ",
        });
        sum_name.push_str(name);
    }
    let means = terms
        .iter()
        .filter_map(|term| term.mean_of.clone())
        .collect();
    let terms: Vec<Term> = terms.into_iter().map(|named| named.term).collect();
    Ok(NamedQuery {
        query: Query::new(&terms, metric)?,
        name: sum_name,
        means,
    })
}
