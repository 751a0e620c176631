//! `decode`: ids → text.

use std::io::{BufRead, Cursor};

use clap::Args as ClapArgs;

use super::input::stream_answers::StreamAnswers;
use super::input::text_format::utf8;
use super::session::Session;
use crate::error::{Error, Exit, Result};
use crate::record::{Decode, Record};
use crate::tokenizer::Tokenizer;

/// Turn token ids back into text
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Ids, separated by spaces or commas, or a JSON array; `-` or nothing is standard input
    #[arg(value_name = "ID", allow_negative_numbers = true)]
    pub ids: Vec<String>,
    /// Leave special tokens out of the text
    #[arg(long)]
    pub skip_special_tokens: bool,
    /// One line for each id: id, piece, text
    #[arg(long)]
    pub each: bool,
    /// Treat each line as an input of its own
    #[arg(long)]
    pub lines: bool,
}

/// The record of one list of ids.
///
/// # Errors
/// [`Error::UnknownId`] for an id that no token has.
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
        each: false,
    })
}

/// Runs the command.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let tokenizer = session.tokenizer(&session.files()?)?;
    let read_own = !args.ids.is_empty() && args.ids != ["-"];
    let given = args.ids.join(" ");
    if args.ids.is_empty() && session.stdin_is_terminal {
        return Err(Error::usage_hint(
            "there are no ids",
            "give them as arguments or through a pipe",
        ));
    }
    let mut answers = StreamAnswers::lines(session.human);
    let mut own = Cursor::new(given.into_bytes());
    let mut offset = 0;
    for line in 1.. {
        let mut bytes = Vec::new();
        let reader: &mut dyn BufRead = if read_own { &mut own } else { session.stdin };
        let read = if args.lines {
            reader.read_until(b'\n', &mut bytes)
        } else {
            reader.read_to_end(&mut bytes)
        };
        let start = offset;
        let length = read.map_err(|source| Error::ReadInput {
            input: "standard input".to_owned(),
            source,
        })?;
        offset += length;
        if args.lines && length == 0 {
            break;
        }
        let place = args.lines.then_some(line);
        let input = utf8("standard input", bytes, false, start);
        let outcome = input.and_then(|input| answer(&tokenizer, &input, args));
        let outcome = outcome.map_err(|error| (place, error));
        answers.take(session, outcome, |session, records| {
            let mut records = records.into_iter();
            records.try_for_each(|record| {
                session.emit(&Record::Decode(Decode {
                    line: place,
                    ..record
                }))
            })
        })?;
        if !args.lines {
            break;
        }
    }
    Ok(answers.exit(Exit::Done))
}

fn answer(tokenizer: &Tokenizer, input: &str, args: &Args) -> Result<Vec<Decode>> {
    let ids = parse_ids(tokenizer, input)?;
    if !args.each {
        return Ok(vec![record(tokenizer, &ids, args.skip_special_tokens)?]);
    }
    let lists = ids.chunks(1).map(|id| {
        let decode = record(tokenizer, id, args.skip_special_tokens)?;
        Ok(Decode {
            each: true,
            ..decode
        })
    });
    lists.collect()
}

/// Ids as people and programs write them: `1 2`, `1,2`, `[1, 2]`.
fn parse_ids(tokenizer: &Tokenizer, input: &str) -> Result<Vec<u32>> {
    let list = input.trim();
    let list = list
        .strip_prefix('[')
        .and_then(|list| list.strip_suffix(']'))
        .unwrap_or(list);
    list.split(|c: char| c == ',' || c.is_whitespace())
        .filter(|id| !id.is_empty())
        .map(|id| {
            let number: u64 = id.parse().map_err(|_| Error::NotAnId {
                given: id.to_owned(),
            })?;
            u32::try_from(number).map_err(|_| tokenizer.unknown_id(number))
        })
        .collect()
}
