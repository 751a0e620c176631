//! `embed`: shows or writes rows of the embedding matrix.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use clap::{Args as ClapArgs, ValueEnum};

use super::input::encode_args::SpecialTokenArgs;
use super::input::text_args::read_text;
use super::model::{CheckpointOptions, Model, fetched};
use super::number_ranges::Positions;
use super::row_output::{FileFormat, ValueArgs};
use super::row_selection::{RowRef, RowSelection};
use super::session::Session;
use crate::embedding::EmbeddingMatrix;
use crate::embedding::export::{self, ArrayFormat, Rows};
use crate::embedding::projector;
use crate::embedding::similarity::row_facts;
use crate::error::{Error, Exit, Result};
use crate::formats::checkpoint::Dtype;
use crate::record::{Fetched, Record, Row};
use crate::render::numbers::quantity;
use crate::render::{Format, View, file_renderer};
use crate::source::output_file::{self, OutputError};
use crate::source::{Observer, Progress, ProgressUnit};

/// The number of rows looked up and written at a time.
const ROWS_AT_A_TIME: usize = 256;

/// Show the rows of the embedding matrix for the tokens of a text, or for ids or pieces
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Show the rows of the tokens of this text; `-` or nothing reads standard input
    #[arg(value_name = "TEXT")]
    pub text: Option<String>,
    #[command(flatten)]
    pub selection: RowSelection,
    /// Select tokens of the text by position: from 0, or from the end such as -1; one, several such as 1,3, or a range such
    /// as 1-7 (repeatable)
    #[arg(long = "at", value_name = "POSITION", allow_hyphen_values = true)]
    pub positions: Vec<Positions>,
    #[command(flatten)]
    pub special_tokens: SpecialTokenArgs,
    #[command(flatten)]
    pub values: ValueArgs,
    /// Show all rows of the matrix, in order of id
    #[arg(long, conflicts_with_all = ["text", "ids", "pieces", "positions", "no_special_tokens"])]
    pub all: bool,
    /// Write to a file
    ///
    /// The extension gives the format: .npy, .safetensors, .csv, .tsv, or .jsonl.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Element type in .npy and .safetensors files
    #[arg(long, value_enum, value_name = "TYPE", requires = "output")]
    pub dtype: Option<ElementType>,
    /// Write the files of TensorBoard's embedding projector to a directory
    #[arg(long, value_name = "DIR", conflicts_with_all = ["output", "full", "stats"])]
    pub projector: Option<PathBuf>,
    #[command(flatten)]
    pub checkpoint: CheckpointOptions,
}

/// The element type of an output file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ElementType {
    /// As in the checkpoint; float32 for quantized types, and for bfloat16 in .npy files
    Stored,
    /// float32
    F32,
}

/// Computes the records for the given rows.
///
/// # Errors
/// Fails with [`Error::NoSuchRow`] for an id beyond the matrix.
pub fn records(matrix: &EmbeddingMatrix, rows: &[RowRef], values: ValueArgs) -> Result<Vec<Row>> {
    let ids: Vec<u32> = rows.iter().map(|row| row.id).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let tensor = matrix.lookup(&ids)?;
    let damaged = |problem: candle_core::Error| Error::damaged(matrix.file(), problem);
    let facts = row_facts(&tensor).map_err(damaged)?;
    let vectors = tensor.to_vec2::<f32>().map_err(damaged)?;
    let rows = rows.iter().zip(facts).zip(vectors);
    Ok(rows
        .map(|((row, facts), vector)| Row {
            position: row.position,
            id: row.id,
            piece: row.piece.clone(),
            dtype: matrix.stored_dtype().name().to_owned(),
            dequantized: matrix.is_dequantized(),
            norm: facts.norm,
            min: facts.min,
            max: facts.max,
            mean: facts.mean,
            values: (!values.stats).then_some(vector),
            fetched: Fetched::default(),
        })
        .collect())
}

/// Runs the command.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let output = output(args)?;
    let is_named = args.all || !args.selection.is_empty();
    args.selection.note_about_numbers(&args.text, session)?;
    let text = if args.text.is_some() || !is_named {
        Some(read_text(args.text.as_deref(), session)?)
    } else {
        None
    };
    let model = Model::open(session, &args.checkpoint)?;
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
    if let Some(folder) = &args.projector {
        rows.check_not_empty()?;
        let piece = |id| model.piece(id);
        projector::write(folder, &model.matrix, rows.ids(), piece)?;
        note_written(session, rows.count(), &model.matrix, folder)?;
        return Ok(Exit::Done);
    }
    match output {
        None => {
            let view = View::full(args.values.full.full);
            let progress = RowProgress::new(session);
            rows.for_each_record(args.values, &progress, |record| {
                session.emit_with(&record, view)
            })?;
        }
        Some((path, format)) => {
            match format {
                FileFormat::Array(format) => write_array(path, format, args.dtype, rows)?,
                FileFormat::Records(format) => {
                    let progress = RowProgress::new(session);
                    write_records(path, format, args.values, &progress, rows)?;
                }
            }
            note_written(session, rows.count(), &model.matrix, path)?;
        }
    }
    Ok(Exit::Done)
}

/// Returns the output file and its format, if there is one.
fn output(args: &Args) -> Result<Option<(&Path, FileFormat)>> {
    let Some(path) = args.output.as_deref() else {
        return Ok(None);
    };
    let format = FileFormat::from_extension(path)?;
    if args.dtype.is_some() && matches!(format, FileFormat::Records(_)) {
        return Err(Error::usage(format!(
            "--dtype applies to .npy and .safetensors files, but {} holds decimal numbers",
            path.display()
        )));
    }
    Ok(Some((path, format)))
}

/// Returns the rows that the arguments name, after checking that each is in the matrix.
fn select(args: &Args, model: &Model, text: Option<&str>) -> Result<Vec<RowRef>> {
    let mut rows = Vec::new();
    if let Some(text) = text {
        rows = RowRef::from_text(model, text, &args.special_tokens.options())?;
        if !args.positions.is_empty() {
            rows = RowRef::at_positions(&rows, &args.positions)?;
        }
    } else if !args.positions.is_empty() {
        return Err(Error::usage("--at needs a text"));
    }
    rows.extend(args.selection.rows(model)?);
    // Check every row before the first is written.
    rows.iter()
        .try_for_each(|row| model.check_row(u64::from(row.id)))?;
    Ok(rows)
}

/// Says what was written, which the file does not show.
fn note_written(
    session: &mut Session,
    rows: u64,
    matrix: &EmbeddingMatrix,
    path: &Path,
) -> Result<()> {
    let (rows, path) = (quantity(rows, "row"), path.display());
    let values = quantity(matrix.columns(), "value");
    session.note(&format!("wrote {rows} of {values} to {path}"))
}

fn write_array(
    path: &Path,
    format: ArrayFormat,
    dtype: Option<ElementType>,
    rows: Selected<'_>,
) -> Result<()> {
    rows.check_not_empty()?;
    let matrix = &rows.model.matrix;
    let requested = match dtype {
        Some(ElementType::F32) => Some(Dtype::F32),
        Some(ElementType::Stored) | None => None,
    };
    let dtype = export::written_type(format, matrix.dtype(), requested);
    if rows.named.is_none() {
        return export::write(path, format, matrix, Rows::All, dtype);
    }
    let ids: Vec<u32> = rows.ids().collect();
    export::write(path, format, matrix, Rows::Ids(&ids), dtype)
}

fn write_records(
    path: &Path,
    format: Format,
    values: ValueArgs,
    progress: &RowProgress,
    rows: Selected<'_>,
) -> Result<()> {
    output_file::replace(path, |out| {
        let mut sink = file_renderer(format, Box::new(out));
        rows.for_each_record(values, progress, |record| {
            sink.emit(&record, View::Plain).map_err(OutputError::from)
        })?;
        Ok(sink.finish()?)
    })
}

/// Reports how many rows have been written.
struct RowProgress {
    observer: Arc<dyn Observer>,
    start: Instant,
}

impl RowProgress {
    fn new(session: &Session) -> Self {
        Self {
            observer: Arc::clone(&session.observer),
            start: Instant::now(),
        }
    }

    fn report(&self, done: u64, total: u64) {
        self.observer.progress(&Progress {
            done,
            total: Some(total),
            unit: ProgressUnit::Rows,
            files: None,
            elapsed: self.start.elapsed(),
        });
    }
}

/// The selected rows: some by name, or all of them.
#[derive(Clone, Copy)]
struct Selected<'s> {
    model: &'s Model,
    /// `None` selects every row of the matrix.
    named: Option<&'s [RowRef]>,
}

impl<'s> Selected<'s> {
    fn check_not_empty(self) -> Result<()> {
        if self.named.is_some_and(<[RowRef]>::is_empty) {
            return Err(Error::usage(
                "the text has no tokens, so there are no rows to write",
            ));
        }
        Ok(())
    }

    /// Fetches all rows that are not yet on this machine, together.
    fn fetch(self) -> Result<()> {
        match self.named {
            Some(_) => self.model.matrix.prefetch(&self.ids().collect::<Vec<_>>()),
            None => self.model.matrix.make_local(),
        }
    }

    fn count(self) -> u64 {
        match self.named {
            Some(rows) => rows.len() as u64,
            None => self.model.matrix.rows(),
        }
    }

    fn ids(self) -> impl Iterator<Item = u32> + Clone {
        let named = self.named.unwrap_or_default().iter().map(|row| row.id);
        named.chain(self.all_ids())
    }

    /// Returns the ids of the whole matrix, or an empty range if rows are named.
    fn all_ids(self) -> Range<u32> {
        match self.named {
            Some(_) => 0..0,
            None => 0..u32::try_from(self.model.matrix.rows()).unwrap_or(u32::MAX),
        }
    }

    /// Returns the rows in batches, so that memory does not grow with their number.
    fn batches(self) -> impl Iterator<Item = Vec<RowRef>> {
        let named = self.named.unwrap_or_default().chunks(ROWS_AT_A_TIME);
        let all = self.all_ids().step_by(ROWS_AT_A_TIME).map(move |first| {
            let end = first.saturating_add(ROWS_AT_A_TIME as u32);
            let ids = first..end.min(self.all_ids().end);
            ids.map(|id| RowRef::new(self.model, id)).collect()
        });
        named.map(<[RowRef]>::to_vec).chain(all)
    }

    /// Calls `each` with the record of every row, in order.
    fn for_each_record<E: From<Error>>(
        self,
        values: ValueArgs,
        progress: &RowProgress,
        mut each: impl FnMut(Record) -> Result<(), E>,
    ) -> Result<(), E> {
        let fetched = fetched(&self.model.files);
        let mut done = 0;
        for rows in self.batches() {
            progress.report(done, self.count());
            done += rows.len() as u64;
            for row in records(&self.model.matrix, &rows, values)? {
                each(Record::Row(Row { fetched, ..row }))?;
            }
        }
        Ok(())
    }
}
