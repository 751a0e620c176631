//! `similarity`: shows the cosines between rows.

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;

use super::input::encode_args::SpecialTokenArgs;
use super::input::ordered_parallel::map_in_parallel;
use super::input::text_args::read_text;
use super::model::{CheckpointOptions, Model};
use super::operand::{MeanArgs, Operand};
use super::row_output::{FileFormat, FullArgs};
use super::row_selection::{RowRef, RowSelection};
use super::session::Session;
use crate::embedding::export::ArrayFormat;
use crate::embedding::similarity::Cosines;
use crate::error::{Error, Exit, Result};
use crate::formats::checkpoint::Dtype;
use crate::formats::npy;
use crate::record::{Record, Similarity};
use crate::render::numbers::thousands;
use crate::render::{View, file_renderer};
use crate::source::output_file::{self, OutputError};

/// The number of rows of cosines computed at a time, so that memory does not grow with the square of the number of
/// rows.
const ROWS_AT_A_TIME: usize = 64;

/// Show the cosines between the tokens of a text, or between words, ids or pieces
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// One text: compare its tokens; `-` or nothing reads standard input. Several: compare them with each other, each a
    /// single token, or several with --mean
    #[arg(value_name = "TEXT")]
    pub texts: Vec<String>,
    #[command(flatten)]
    pub mean: MeanArgs,
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
    rows: &[Operand],
    mut each: impl FnMut(Similarity) -> Result<(), E>,
) -> Result<(), E> {
    let ids: Vec<Vec<u32>> = rows.iter().map(Operand::ids).collect();
    let cosines = Cosines::new(&model.matrix, &ids)?;
    for (index, rows) in rows.chunks(ROWS_AT_A_TIME).enumerate() {
        let rows: Vec<_> = (index * ROWS_AT_A_TIME..).zip(rows).collect();
        let records = map_in_parallel(rows, |(position, row)| record(position, row, &cosines));
        records.into_iter().try_for_each(&mut each)?;
    }
    Ok(())
}

fn record(position: usize, row: &Operand, cosines: &Cosines) -> Similarity {
    let cosines = cosines.of(position);
    match row {
        Operand::Row(row) => Similarity {
            position,
            id: Some(row.id),
            piece: row.piece.clone(),
            cosines,
            ..Similarity::default()
        },
        Operand::Mean { text, .. } => Similarity {
            position,
            text: Some(text.clone()),
            mean_of: row.ids(),
            cosines,
            ..Similarity::default()
        },
    }
}

/// Returns the rows that the arguments name. Reads standard input if they name none.
fn select(args: &Args, texts: &[String], model: &Model) -> Result<Vec<Operand>> {
    let mut rows = Vec::new();
    if let ([text], false) = (texts, args.mean.mean) {
        let options = args.special_tokens.options();
        let tokens = RowRef::from_text(model, text, &options)?;
        rows.extend(tokens.into_iter().map(Operand::Row));
    } else {
        for text in texts {
            rows.push(Operand::from_text(model, text, args.mean)?);
        }
    }
    rows.extend(args.selection.rows(model)?.into_iter().map(Operand::Row));
    Ok(rows)
}

/// Returns the texts of the arguments, or of standard input if nothing is named.
fn texts(args: &Args, session: &mut Session) -> Result<Vec<String>> {
    if args.texts.is_empty() && args.selection.is_empty() {
        return Ok(vec![read_text(None, session)?]);
    }
    let texts = args.texts.iter();
    texts.map(|text| read_text(Some(text), session)).collect()
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
    args.selection.note_about_numbers(&args.texts, session)?;
    let texts = texts(args, session)?;
    let model = Model::open(session, &args.checkpoint)?;
    let rows = select(args, &texts, &model)?;
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
    let (count, path) = (thousands(rows.len() as u64), path.display());
    session.note(&format!("wrote {count} x {count} cosines to {path}"))?;
    Ok(Exit::Done)
}

/// Writes the matrix as float32, with NaN for undefined cosines.
fn write_npy(path: &Path, model: &Model, rows: &[Operand]) -> Result<()> {
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
