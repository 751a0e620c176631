//! `decode`: turns token ids back into text.

use std::io::{BufRead, Cursor};

use clap::Args as ClapArgs;

use super::input::stream_answers::StreamAnswers;
use super::input::stream_start::check_stdin;
use super::input::text_format::{BadText, Utf8Args};
use super::session::Session;
use crate::error::{Error, Exit, Result};
use crate::record::{Decode, Record};
use crate::render::View;
use crate::tokenizer::Tokenizer;

/// Turn token ids back into text
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Ids separated by spaces or commas, or a JSON array; `-` or nothing reads standard input
    #[arg(value_name = "ID", allow_negative_numbers = true)]
    pub ids: Vec<String>,
    /// Omit special tokens from the text
    #[arg(long)]
    pub skip_special_tokens: bool,
    /// Print one line per id: id, piece, and text
    #[arg(long)]
    pub each: bool,
    /// Treat each line as a separate input
    #[arg(long)]
    pub lines: bool,
}

/// Computes the record for one list of ids.
///
/// # Errors
/// Fails with [`Error::UnknownId`] for an id that no token has.
pub fn record(tokenizer: &Tokenizer, ids: &[u32], skip_special_tokens: bool) -> Result<Decode> {
    let text = tokenizer.decode(ids, skip_special_tokens)?;
    Ok(Decode {
        line: None,
        tokens: ids
            .iter()
            .filter_map(|&id| tokenizer.piece(id))
            .map(str::to_owned)
            .collect(),
        ids: ids.to_vec(),
        text,
        reading: tokenizer.reading().recorded(),
    })
}

/// Runs the command.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let tokenizer = session.tokenizer(&session.files()?)?;
    if args.ids.is_empty() && session.stdin_is_terminal {
        return Err(Error::usage_hint(
            "no ids are given",
            "pass ids as arguments or pipe them in",
        ));
    }
    let is_stdin = args.ids.is_empty() || args.ids == ["-"];
    tokenizer.prepare_decoder()?;
    if is_stdin {
        session.expect_stdin();
        check_stdin(session, Utf8Args::default())?;
    }
    let mut argument = Cursor::new(args.ids.join(" ").into_bytes());
    let view = if args.each {
        View::TableRow
    } else {
        View::Plain
    };
    let mut answers = StreamAnswers::lines(session.is_human());
    let mut offset = 0;
    for line in 1.. {
        let input: &mut dyn BufRead = if is_stdin {
            session.stdin
        } else {
            &mut argument
        };
        let bytes = read(input, args.lines)?;
        let length = bytes.len();
        if args.lines && length == 0 {
            break;
        }
        let line = args.lines.then_some(line);
        let outcome = Utf8Args::default()
            .decode("standard input", bytes, offset)
            .and_then(|input| records(&tokenizer, &input, line, args))
            .map_err(|error| {
                Box::new(BadText {
                    error,
                    line,
                    path: None,
                })
            });
        answers.take(session, outcome, |session, records| {
            let mut records = records.into_iter();
            records.try_for_each(|record| session.emit_with(&Record::Decode(record), view))
        })?;
        if !args.lines {
            break;
        }
        offset += length;
    }
    Ok(answers.exit(Exit::Done))
}

/// Reads one line, or the whole input.
fn read(input: &mut dyn BufRead, by_line: bool) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = if by_line {
        input.read_until(b'\n', &mut bytes)
    } else {
        input.read_to_end(&mut bytes)
    };
    read.map_err(|source| Error::ReadInput {
        input: "standard input".to_owned(),
        source,
    })?;
    Ok(bytes)
}

/// Computes the records for one input: one for the whole list of ids, or one per id under `--each`.
fn records(
    tokenizer: &Tokenizer,
    input: &str,
    line: Option<u64>,
    args: &Args,
) -> Result<Vec<Decode>> {
    let ids = parse_ids(tokenizer, input)?;
    let decode = |ids: &[u32]| {
        Ok(Decode {
            line,
            ..record(tokenizer, ids, args.skip_special_tokens)?
        })
    };
    if args.each {
        ids.chunks(1).map(decode).collect()
    } else {
        Ok(vec![decode(&ids)?])
    }
}

/// Parses a list of ids: `1 2`, `1,2`, or `[1, 2]`.
fn parse_ids(tokenizer: &Tokenizer, input: &str) -> Result<Vec<u32>> {
    let input = input.trim();
    let in_brackets = input
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    in_brackets
        .unwrap_or(input)
        .split(|c: char| c == ',' || c.is_whitespace())
        .filter(|id| !id.is_empty())
        .map(|id| {
            let number: u64 = id.parse().map_err(|_| Error::NotAnId {
                given: id.to_owned(),
            })?;
            u32::try_from(number).map_err(|_| tokenizer.unknown_id(number))
        })
        .collect()
}
