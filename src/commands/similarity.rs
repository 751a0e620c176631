//! `similarity`: shows the cosines between rows.

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;

use super::input::encode_args::SpecialTokenArgs;
use super::input::ordered_parallel::map_in_parallel;
use super::input::text_args::read_text;
use super::model::{CheckpointOptions, Model};
use super::row_output::{FileFormat, FullArgs};
use super::row_selection::{RowRef, RowSelection};
use super::session::Session;
use crate::embedding::export::ArrayFormat;
use crate::embedding::similarity::Cosines;
use crate::error::{Error, Exit, Result};
use crate::formats::checkpoint::Dtype;
use crate::formats::npy;
use crate::record::{Record, Similarity};
use crate::render::{View, file_renderer};
use crate::source::output_file::{self, OutputError};

/// The number of rows of cosines computed at a time, so that memory does not grow with the square of the number of
/// rows.
const ROWS_AT_A_TIME: usize = 64;

/// Show the cosines between the tokens of a text, or between ids or pieces
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Compare the tokens of this text; `-` or nothing reads standard input
    #[arg(value_name = "TEXT")]
    pub text: Option<String>,
    #[command(flatten)]
    pub selection: RowSelection,
    #[command(flatten)]
    pub special_tokens: SpecialTokenArgs,
    #[command(flatten)]
    pub full: FullArgs,
    /// Write to a file
    ///
    /// The extension gives the format: .npy, .csv, .tsv, or .jsonl.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub checkpoint: CheckpointOptions,
}

/// Calls `each` with every row of the matrix of cosines, in order.
fn for_each<E: From<Error>>(
    model: &Model,
    rows: &[RowRef],
    mut each: impl FnMut(Similarity) -> Result<(), E>,
) -> Result<(), E> {
    let ids: Vec<u32> = rows.iter().map(|row| row.id).collect();
    let cosines = Cosines::new(&model.matrix, &ids)?;
    for (index, rows) in rows.chunks(ROWS_AT_A_TIME).enumerate() {
        let rows: Vec<_> = (index * ROWS_AT_A_TIME..).zip(rows).collect();
        let records = map_in_parallel(rows, |(position, row)| Similarity {
            position,
            id: row.id,
            piece: row.piece.clone(),
            cosines: cosines.with(row.id, &ids),
        });
        records.into_iter().try_for_each(&mut each)?;
    }
    Ok(())
}

/// Runs the command.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let output = args.output.as_deref();
    let output = output.map(|path| FileFormat::from_extension(path).map(|format| (path, format)));
    let output = output.transpose()?;
    if let Some((path, FileFormat::Array(ArrayFormat::Safetensors))) = &output {
        return Err(Error::usage_hint(
            format!(
                "a matrix of cosines cannot be written to {}",
                path.display()
            ),
            "use a name that ends in .npy, .csv, .tsv or .jsonl",
        ));
    }
    let text = match &args.text {
        None if !args.selection.is_empty() => None,
        text => Some(read_text(text.as_deref(), session)?),
    };
    let model = Model::open(session, args.checkpoint)?;
    let mut rows = Vec::new();
    if let Some(text) = text {
        rows = RowRef::from_text(&model.tokenizer, &text, &args.special_tokens.options())?;
    }
    rows.extend(args.selection.rows(&model)?);
    let Some((path, format)) = output else {
        let view = View::full(args.full.full);
        for_each(&model, &rows, |record| {
            session.emit_with(&Record::Similarity(record), view)
        })?;
        return Ok(Exit::Done);
    };
    match format {
        FileFormat::Array(_) => write_npy(path, &model, &rows)?,
        FileFormat::Records(format) => output_file::replace(path, |out| {
            let mut sink = file_renderer(format, Box::new(out));
            for_each(&model, &rows, |record| {
                sink.emit(&Record::Similarity(record), View::Plain)
                    .map_err(OutputError::from)
            })?;
            Ok(sink.finish()?)
        })?,
    }
    let (count, path) = (rows.len(), path.display());
    session.note(&format!("wrote {count} x {count} cosines to {path}"))?;
    Ok(Exit::Done)
}

/// Writes the matrix as float32, with NaN for undefined cosines.
fn write_npy(path: &Path, model: &Model, rows: &[RowRef]) -> Result<()> {
    output_file::replace(path, |out| {
        let count = rows.len() as u64;
        let header = npy::header(Dtype::F32, &[count, count]).unwrap_or_default();
        out.write_all(&header)?;
        for_each(model, rows, |record| {
            for cosine in record.cosines {
                out.write_all(&cosine.unwrap_or(f32::NAN).to_le_bytes())?;
            }
            Ok(())
        })
    })
}
