//! `embed`: rows of the embedding matrix.

use std::ops::Range;
use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, ValueEnum};

use super::input::text_args::{InputOptions, TextArgs};
use super::model::{CheckpointOptions, Model, fetched};
use super::row_selection::RowRef;
use super::session::{Session, TextFormat};
use crate::embedding::EmbeddingMatrix;
use crate::embedding::export::{self, ArrayFormat, Rows};
use crate::embedding::projector;
use crate::embedding::similarity::row_facts;
use crate::error::{Error, Exit, Result};
use crate::formats::checkpoint::Dtype;
use crate::record::{Fetched, Record, Row};

/// Rows that are looked up and shown together.
const PART: usize = 256;

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
    /// All rows of the matrix, in the order of ids
    #[arg(long, conflicts_with_all = ["text", "ids", "pieces", "positions", "no_special_tokens"])]
    pub all: bool,
    /// Write the rows to a file: .npy, .safetensors, .csv, .tsv or .jsonl
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Element type in .npy and .safetensors files
    #[arg(long, value_enum, value_name = "TYPE", requires = "output")]
    pub dtype: Option<ElementType>,
    /// Write the files of TensorBoard's embedding projector to a folder
    #[arg(long, value_name = "DIR", conflicts_with_all = ["output", "full", "stats"])]
    pub projector: Option<PathBuf>,
    #[command(flatten)]
    pub checkpoint: CheckpointOptions,
}

/// The element type of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ElementType {
    /// As the checkpoint has it; bfloat16 as float32 in .npy files, which have no bfloat16
    Stored,
    /// float32
    F32,
}

/// The kind of file that a name asks for.
pub(super) enum OutputFormat {
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
    if let (Some(_), Some((path, OutputFormat::Text(_)))) = (args.dtype, &output) {
        return Err(Error::usage(format!(
            "--dtype is for .npy and .safetensors files, and {} holds decimal numbers",
            path.display()
        )));
    }
    let by_name = args.all || !args.ids.is_empty() || !args.pieces.is_empty();
    let text = if args.text.is_some() || !by_name {
        Some(read_text(args.text.as_deref(), session)?)
    } else {
        None
    };
    let model = Model::open(session, args.checkpoint)?;
    let named = if args.all {
        None
    } else {
        Some(select(args, &model, text.as_deref())?)
    };
    let rows = Selected {
        model: &model,
        named: named.as_deref(),
    };
    rows.fetch()?;
    let fetched = fetched(&model.files);
    let with_cost = |row: Row| Record::Row(Row { fetched, ..row });
    if let Some(folder) = &args.projector {
        rows.not_empty()?;
        let piece = |id| model.tokenizer.piece(id);
        projector::write(folder, &model.matrix, rows.ids(), piece)?;
        return Ok(Exit::Done);
    }
    match output {
        None => {
            for rows in rows.in_parts() {
                for record in records(&model.matrix, &rows, args.stats, args.full)? {
                    session.emit(&with_cost(record))?;
                }
            }
        }
        Some((path, OutputFormat::Array(format))) => {
            rows.not_empty()?;
            let ids: Vec<u32>;
            let rows = if args.all {
                Rows::All
            } else {
                ids = rows.ids().collect();
                Rows::Ids(&ids)
            };
            let wanted = match args.dtype {
                Some(ElementType::F32) => Some(Dtype::F32),
                Some(ElementType::Stored) | None => None,
            };
            let dtype = export::written_type(format, model.matrix.dtype(), wanted);
            export::write(path, format, &model.matrix, rows, dtype)?;
        }
        Some((path, OutputFormat::Text(format))) => {
            // The file appears whole or not at all.
            export::replace_file(path, |out| {
                let mut sink = (session.open_sink)(format, Box::new(out));
                for rows in rows.in_parts() {
                    for record in records(&model.matrix, &rows, args.stats, args.full)? {
                        sink.emit(&with_cost(record))?;
                    }
                }
                Ok(sink.finish()?)
            })?;
        }
    }
    Ok(Exit::Done)
}

/// The rows that were asked for: some that were named, or all.
#[derive(Clone, Copy)]
struct Selected<'s> {
    model: &'s Model,
    named: Option<&'s [RowRef]>,
}

impl<'s> Selected<'s> {
    fn not_empty(self) -> Result<()> {
        if self.named.is_some_and(<[RowRef]>::is_empty) {
            return Err(Error::usage(
                "the text has no tokens, so there are no rows to write",
            ));
        }
        Ok(())
    }

    /// Brings the rows to this machine together.
    fn fetch(self) -> Result<()> {
        match self.named {
            Some(_) => self.model.matrix.prefetch(&self.ids().collect::<Vec<_>>()),
            None => self.model.matrix.make_local(),
        }
    }

    fn ids(self) -> impl Iterator<Item = u32> + Clone {
        let named = self.named.unwrap_or_default().iter().map(|row| row.id);
        named.chain(self.all())
    }

    /// Every id that has a row, if all were asked for.
    fn all(self) -> Range<u32> {
        match self.named {
            Some(_) => 0..0,
            None => 0..u32::try_from(self.model.matrix.rows()).unwrap_or(u32::MAX),
        }
    }

    /// Some rows at a time, so that memory does not grow with their number.
    fn in_parts(self) -> impl Iterator<Item = Vec<RowRef>> {
        let named = self.named.unwrap_or_default().chunks(PART);
        let all = self.all().step_by(PART).map(move |first| {
            let last = first.saturating_add(PART as u32).min(self.all().end);
            let row = |id| RowRef {
                id,
                piece: self.model.tokenizer.piece(id).map(str::to_owned),
                position: None,
            };
            (first..last).map(row).collect()
        });
        named.map(<[RowRef]>::to_vec).chain(all)
    }
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
    rows.extend(RowRef::by_names(model, &args.ids, &args.pieces)?);
    // Before the first of them is shown.
    rows.iter()
        .try_for_each(|row| model.check_row(u64::from(row.id)))?;
    Ok(rows)
}

/// The text of an argument, or of standard input.
pub(super) fn read_text(text: Option<&str>, session: &mut Session) -> Result<String> {
    let input = TextArgs {
        texts: text.map(str::to_owned).into_iter().collect(),
        options: InputOptions::default(),
    };
    let mut whole = String::new();
    input.for_each(session, |_, text| {
        whole = text.map_err(|(_, error)| error)?.text.into_owned();
        Ok(())
    })?;
    Ok(whole)
}

/// The format that the name of a file asks for.
pub(super) fn output_format(path: &Path) -> Result<OutputFormat> {
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
