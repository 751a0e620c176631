//! `tokenize`: text → tokens.

use clap::Args as ClapArgs;

use super::input::{Text, TextArgs, words};
use super::{Session, config, context_window, in_parallel};
use crate::error::{Exit, Result};
use crate::record::{Record, Tokenize};
use crate::tokenizer::{EncodeOptions, OffsetUnit, Tokenizer, Truncation};

/// Split text into tokens, with ids, pieces and offsets
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(flatten)]
    pub input: TextArgs,
    /// A second text, encoded with each text as a pair
    #[arg(long, value_name = "TEXT")]
    pub pair: Option<String>,
    /// Leave out the special tokens that the model adds
    #[arg(long)]
    pub no_special_tokens: bool,
    /// Cut to N tokens, special tokens counted
    #[arg(long, value_name = "N")]
    pub max_length: Option<usize>,
    /// Print what was cut as further windows that repeat N tokens of the one before
    #[arg(long, value_name = "N", requires = "max_length")]
    pub stride: Option<usize>,
    /// What offsets count
    #[arg(long, value_enum, default_value_t, value_name = "UNIT")]
    pub offset_unit: OffsetUnit,
    /// Take added tokens that are spelled out in the text, such as `[MASK]`, as text
    #[arg(long)]
    pub no_parse_special: bool,
    /// Print ids only, a line a text
    #[arg(long, conflicts_with = "pieces")]
    pub ids: bool,
    /// Print pieces only, a line a text
    #[arg(long)]
    pub pieces: bool,
}

impl Args {
    fn encode_options(&self) -> EncodeOptions {
        EncodeOptions {
            special_tokens: !self.no_special_tokens,
            parse_special: !self.no_parse_special,
            truncation: self.max_length.map(|max_length| Truncation {
                max_length,
                stride: self.stride.unwrap_or(0),
            }),
        }
    }
}

/// What the records of every text say of the model.
#[derive(Debug)]
pub struct ModelFacts {
    pub name: String,
    pub commit: Option<String>,
    pub context_window: Option<u64>,
}

/// The records of one text: one, and with a stride one more for every window that overflowed.
///
/// # Errors
/// [`Error::Usage`] if the text cannot be cut as asked.
pub fn records(
    tokenizer: &Tokenizer,
    model: &ModelFacts,
    text: &Text,
    args: &Args,
) -> Result<Vec<Tokenize>> {
    let pair = args.pair.as_deref().filter(|pair| !pair.is_empty());
    let encoded = tokenizer.encode(&text.text, pair, &args.encode_options())?;
    let shown = if args.stride.is_some() {
        encoded.windows.len()
    } else {
        1
    };
    let truncated_tokens = Some(encoded.truncated_tokens).filter(|count| *count > 0);
    Ok(encoded
        .windows
        .into_iter()
        .take(shown)
        .enumerate()
        .map(|(index, encoding)| Tokenize {
            model: model.name.clone(),
            commit: model.commit.clone(),
            line: text.line,
            path: text.path.clone(),
            offsets: encoding.offsets_in(args.offset_unit, &text.text, pair),
            offset_unit: args.offset_unit.name(),
            count: encoding.len(),
            words: words(&text.text) + pair.map_or(0, words),
            text: text.text.clone(),
            pair: pair.map(str::to_owned),
            sequence_ids: pair.map(|_| encoding.sequence_ids),
            ids: encoding.ids,
            tokens: encoding.tokens,
            type_ids: encoding.type_ids,
            special_tokens_mask: encoding.special_tokens_mask,
            word_ids: encoding.word_ids,
            context_window: model.context_window,
            truncated: truncated_tokens.is_some(),
            truncated_tokens: truncated_tokens.filter(|_| index == 0),
            window: Some(index).filter(|index| *index > 0),
        })
        .collect())
}

/// Runs the command.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let bare = args.ids || args.pieces;
    if bare {
        session.only_for_people(if args.ids { "--ids" } else { "--pieces" })?;
    }
    let files = session.files()?;
    let tokenizer = session.tokenizer(&files)?;
    let model = ModelFacts {
        context_window: context_window(config(&files)?.as_ref(), Some(&tokenizer)),
        name: files.model(),
        commit: files.commit(),
    };
    let mut exit = Exit::Done;
    args.input.for_each_batch(session, |session, batch| {
        let answers = in_parallel(batch, |item| {
            item.and_then(|text| {
                records(&tokenizer, &model, &text, args).map_err(|error| (text.line, error))
            })
        });
        answers.into_iter().try_for_each(|answer| match answer {
            Ok(records) => records.into_iter().try_for_each(|record| {
                if bare {
                    session.bare(&bare_line(&record, args.ids))
                } else {
                    session.emit(&Record::Tokenize(record))
                }
            }),
            Err((line @ Some(_), error)) => {
                exit = error.exit();
                if bare {
                    session.bare("")?;
                }
                session.emit_failure(line, None, &error)
            }
            Err((None, error)) => Err(error),
        })
    })?;
    Ok(exit)
}

fn bare_line(record: &Tokenize, ids: bool) -> String {
    if ids {
        let ids: Vec<String> = record.ids.iter().map(u32::to_string).collect();
        ids.join(" ")
    } else {
        record.tokens.join(" ")
    }
}
