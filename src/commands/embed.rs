//! `embed`: rows of the embedding matrix.

use std::io::BufWriter;
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;

use super::input::{InputOptions, TextArgs};
use super::rows::RowRef;
use super::{CheckpointOptions, Model, Session, TextFormat, fetched};
use crate::embedding::EmbeddingMatrix;
use crate::embedding::export::{self, ArrayFormat};
use crate::embedding::similarity::row_facts;
use crate::error::{Error, Exit, Result};
use crate::record::{Fetched, Record, Row};

/// Show the rows of the embedding matrix for the tokens of a text, or for ids or pieces
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// The text whose tokens' rows to show; `-` or nothing is standard input
    #[arg(value_name = "TEXT")]
    pub text: Option<String>,
    /// The row of an id (repeatable)
    #[arg(long = "id", value_name = "N", allow_negative_numbers = true)]
    pub ids: Vec<u64>,
    /// The row of a piece, spelled as the vocabulary has it (repeatable)
    #[arg(long = "piece", value_name = "PIECE")]
    pub pieces: Vec<String>,
    /// Only the token at this position of the text, from 0 (repeatable)
    #[arg(long = "at", value_name = "POSITION")]
    pub positions: Vec<usize>,
    /// Leave out the special tokens that the model adds
    #[arg(long)]
    pub no_special_tokens: bool,
    /// Show all values rather than the first
    #[arg(long, conflicts_with = "stats")]
    pub full: bool,
    /// Leave out the values: norm, min, max and mean only
    #[arg(long)]
    pub stats: bool,
    /// Write the rows to a file: .npy, .safetensors, .csv, .tsv or .jsonl
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub checkpoint: CheckpointOptions,
}

/// The kind of file that a name asks for.
enum OutputFormat {
    Array(ArrayFormat),
    Text(TextFormat),
}

/// The records of some rows.
///
/// # Errors
/// [`Error::NoSuchRow`] for an id beyond the matrix.
pub fn records(
    matrix: &EmbeddingMatrix,
    rows: &[RowRef],
    stats: bool,
    full: bool,
) -> Result<Vec<Row>> {
    let ids: Vec<u32> = rows.iter().map(|row| row.id).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let tensor = matrix.lookup(&ids)?;
    let unusable = |problem: candle_core::Error| Error::damaged(matrix.file(), problem);
    let facts = row_facts(&tensor).map_err(unusable)?;
    let values = tensor.to_vec2::<f32>().map_err(unusable)?;
    let rows = rows.iter().zip(facts).zip(values);
    Ok(rows
        .map(|((row, facts), values)| Row {
            position: row.position,
            id: row.id,
            piece: row.piece.clone(),
            dtype: matrix.dtype().name().to_owned(),
            norm: facts.norm,
            min: facts.min,
            max: facts.max,
            mean: facts.mean,
            values: (!stats).then_some(values),
            fetched: Fetched::default(),
            full,
        })
        .collect())
}

/// Runs the command.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let output = args
        .output
        .as_deref()
        .map(|path| output_format(path).map(|format| (path, format)))
        .transpose()?;
    let by_name = !args.ids.is_empty() || !args.pieces.is_empty();
    let text = if args.text.is_some() || !by_name {
        Some(read_text(args, session)?)
    } else {
        None
    };
    let model = Model::open_with(session, args.checkpoint)?;
    let rows = select(args, &model, text.as_deref())?;
    let ids: Vec<u32> = rows.iter().map(|row| row.id).collect();
    model.matrix.prefetch(&ids)?;
    let fetched = fetched(&model.files);
    let with_cost = |row: Row| Row { fetched, ..row };
    match output {
        None => {
            for record in records(&model.matrix, &rows, args.stats, args.full)? {
                session.emit(&Record::Row(with_cost(record)))?;
            }
        }
        Some((path, OutputFormat::Array(format))) => {
            if ids.is_empty() {
                return Err(Error::usage(
                    "the text has no tokens, so there are no rows to write",
                ));
            }
            export::write(path, format, &model.matrix, &ids)?;
        }
        Some((path, OutputFormat::Text(format))) => {
            let records = records(&model.matrix, &rows, args.stats, args.full)?;
            let records = records.into_iter().map(with_cost).collect();
            write_text(session, path, format, records)?;
        }
    }
    Ok(Exit::Done)
}

fn select(args: &Args, model: &Model, text: Option<&str>) -> Result<Vec<RowRef>> {
    let tokenizer = &model.tokenizer;
    let mut rows = Vec::new();
    if let Some(text) = text {
        rows = RowRef::by_text(tokenizer, text, !args.no_special_tokens)?;
        if !args.positions.is_empty() {
            rows = RowRef::by_position(&rows, &args.positions)?;
        }
    } else if !args.positions.is_empty() {
        return Err(Error::usage("--at needs a text"));
    }
    for &id in &args.ids {
        if id >= model.matrix.rows() {
            return Err(Error::NoSuchRow {
                id,
                last: model.matrix.rows().saturating_sub(1),
            });
        }
        rows.push(RowRef::by_id(tokenizer, id)?);
    }
    for piece in &args.pieces {
        rows.push(RowRef::by_piece(tokenizer, piece)?);
    }
    Ok(rows)
}

fn read_text(args: &Args, session: &mut Session) -> Result<String> {
    let input = TextArgs {
        texts: args.text.iter().cloned().collect(),
        options: InputOptions::default(),
    };
    let mut whole = String::new();
    input.for_each(session, |_, text| {
        whole = text.map_err(|(_, error)| error)?.text;
        Ok(())
    })?;
    Ok(whole)
}

fn output_format(path: &Path) -> Result<OutputFormat> {
    let extension = path
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default();
    match extension.to_ascii_lowercase().as_str() {
        "npy" => Ok(OutputFormat::Array(ArrayFormat::Npy)),
        "safetensors" => Ok(OutputFormat::Array(ArrayFormat::Safetensors)),
        "jsonl" => Ok(OutputFormat::Text(TextFormat::JsonLines)),
        "csv" => Ok(OutputFormat::Text(TextFormat::Csv)),
        "tsv" => Ok(OutputFormat::Text(TextFormat::Tsv)),
        _ => Err(Error::usage_hint(
            format!(
                "the name of {} does not say which format to write",
                path.display()
            ),
            "let it end in .npy, .safetensors, .csv, .tsv or .jsonl",
        )),
    }
}

/// Writes the records to a file that appears whole or not at all.
fn write_text(session: &Session, path: &Path, format: TextFormat, records: Vec<Row>) -> Result<()> {
    export::replace_file(path, |temporary| {
        let mut sink = (session.open_sink)(format, Box::new(BufWriter::new(temporary.as_file())));
        for record in records {
            sink.emit(&Record::Row(record))?;
        }
        sink.finish()
    })
}
