//! `tokenize`: splits text into tokens.

use std::sync::atomic::{AtomicUsize, Ordering};

use clap::Args as ClapArgs;

use super::input::chat_args::{ChatArgs, ChatInput, RenderedChat, note_media};
use super::input::encode_args::EncodeArgs;
use super::input::stream_answers::StreamAnswers;
use super::input::text_args::TextArgs;
use super::input::text_counts::TextCounts;
use super::input::text_format::Text;
use super::model::{config, context_window};
use super::other_tools::Tool;
use super::session::{Session, stdout_failed};
use crate::error::{Error, Exit, Result};
use crate::record::{Record, Tokenize};
use crate::render::{Encoder, digits};
use crate::tokenizer::{EncodeOptions, OffsetUnit, Tokenizer, Truncation};

/// Split text into tokens, with ids, pieces, and offsets
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(flatten)]
    pub input: TextArgs,
    /// Encode each text as a pair with this second text
    #[arg(long, value_name = "TEXT")]
    pub pair: Option<String>,
    #[command(flatten)]
    pub encode: EncodeArgs,
    /// Allow at most N tokens, including special tokens
    #[arg(long, value_name = "N")]
    pub max_length: Option<usize>,
    /// Print the rest of the text as further windows, each of which repeats the last N tokens of the window before it
    #[arg(long, value_name = "N", requires = "max_length")]
    pub stride: Option<usize>,
    /// Unit of the offsets
    #[arg(long, value_enum, default_value_t, value_name = "UNIT")]
    pub offset_unit: OffsetUnit,
    /// Print ids only, one line per text
    #[arg(long, conflicts_with = "pieces")]
    pub ids: bool,
    /// Print pieces only, one line per text
    #[arg(long)]
    pub pieces: bool,
    /// Print what another tool would print for the same text, one line per text
    #[arg(long = "as", value_enum, value_name = "TOOL", conflicts_with_all = ["pieces", "stride"])]
    pub tool: Option<Tool>,
    // Must stay last: its help heading would apply to any flags after it.
    #[command(flatten)]
    pub chat: ChatArgs,
}

impl Args {
    fn encode_options(&self) -> EncodeOptions {
        let mut options = self.encode.options();
        options.special_tokens &= !self.tool.is_some_and(Tool::has_no_special_tokens);
        options.truncation = self.max_length.map(|max_length| Truncation {
            max_length,
            stride: self.stride.unwrap_or(0),
        });
        options
    }
}

/// Facts about the model that every record repeats.
#[derive(Debug)]
pub struct ModelFacts {
    pub name: String,
    pub commit: Option<String>,
    pub context_window: Option<u64>,
    pub reading: Option<&'static str>,
}

/// Computes the records for one text: one per window if a stride is given, otherwise one.
///
/// # Errors
/// Fails with [`Error::Usage`] if `--max-length` and `--stride` leave no room for the text.
pub fn records(
    tokenizer: &Tokenizer,
    model: &ModelFacts,
    text: Text<'_>,
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
    let words = |text: &str| TextCounts::of(text).words;
    let words = words(&text.text) + pair.map_or(0, words);
    let Text { text, line, path } = text;
    let windows = encoded.windows.into_iter().take(shown).enumerate();
    let texts = std::iter::repeat_n(text.into_owned(), shown);
    Ok(windows
        .zip(texts)
        .map(|((index, mut encoding), text)| Tokenize {
            model: model.name.clone(),
            commit: model.commit.clone(),
            line,
            path: path.clone(),
            offsets: match args.offset_unit {
                OffsetUnit::Byte => std::mem::take(&mut encoding.offsets),
                unit => encoding.offsets_in(unit, &text, pair),
            },
            offset_unit: args.offset_unit.name(),
            count: encoding.len(),
            words,
            text,
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
            reading: model.reading,
            chat: None,
        })
        .collect())
}

/// Runs the command.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let bare = args.ids || args.pieces || args.tool.is_some();
    if let Some(tool) = args.tool {
        session.only_for_people("--as")?;
        refuse_unsupported(tool, args)?;
    } else if bare {
        session.only_for_people(if args.ids { "--ids" } else { "--pieces" })?;
    }
    let files = session.files()?;
    let tokenizer = session.encoder(&files)?;
    let window = context_window(&files, config(&files)?.as_ref(), Some(&tokenizer))?;
    let model = ModelFacts {
        context_window: window.map(|window| window.tokens),
        name: files.model(),
        commit: files.commit(),
        reading: tokenizer.reading().recorded(),
    };
    let encoder = session.format.encoder().filter(|_| !bare);
    let chat = args.chat.open(&files, &tokenizer)?;
    let mut input = args.input.clone();
    if chat.is_some() {
        refuse_with_chat(args)?;
        input = input.of_json();
    }
    let media_parts = AtomicUsize::new(0);
    let mut answers = StreamAnswers::lines(bare);
    let work = |text: Text<'_>| match &chat {
        None => answer(&tokenizer, &model, text, args, encoder),
        Some(chat) => {
            let path = text.path.clone();
            let rendered = chat.render(&text)?.into_iter();
            let mut records = Vec::new();
            for rendered in rendered {
                let media = rendered.conversation.media_parts();
                media_parts.fetch_add(media, Ordering::Relaxed);
                records.push(chat_record(
                    &tokenizer,
                    &model,
                    chat,
                    rendered,
                    path.clone(),
                    args,
                )?);
            }
            shown(records, args, encoder)
        }
    };
    input.for_each_joined_in_parallel(session, work, Answer::join, |session, outcome| {
        answers.take(session, outcome, |session, answer| match answer {
            Answer::Bare(lines) => lines.iter().try_for_each(|line| session.bare(line)),
            Answer::Encoded(bytes) => session.raw(&bytes),
            Answer::Records(records) => {
                let mut records = records.into_iter();
                records.try_for_each(|record| session.emit(&Record::Tokenize(record)))
            }
        })
    })?;
    note_media(session, media_parts.into_inner())?;
    Ok(answers.exit(Exit::Done))
}

/// Computes the record of a rendered conversation.
fn chat_record(
    tokenizer: &Tokenizer,
    model: &ModelFacts,
    chat: &ChatInput,
    rendered: RenderedChat,
    path: Option<String>,
    args: &Args,
) -> Result<Tokenize> {
    let encoded = tokenizer.encode(&rendered.prompt.text, None, &ChatInput::OPTIONS)?;
    let mut encoding = encoded.into_first();
    let parts = chat.parts_with_ids(&rendered, &encoding);
    let text = rendered.prompt.text;
    Ok(Tokenize {
        model: model.name.clone(),
        commit: model.commit.clone(),
        line: rendered.conversation.line,
        path,
        offsets: match args.offset_unit {
            OffsetUnit::Byte => std::mem::take(&mut encoding.offsets),
            unit => encoding.offsets_in(unit, &text, None),
        },
        offset_unit: args.offset_unit.name(),
        count: encoding.len(),
        words: TextCounts::of(&text).words,
        text,
        ids: encoding.ids,
        tokens: encoding.tokens,
        type_ids: encoding.type_ids,
        special_tokens_mask: encoding.special_tokens_mask,
        word_ids: encoding.word_ids,
        context_window: model.context_window,
        chat: Some(parts),
        reading: model.reading,
        ..Tokenize::default()
    })
}

/// Rejects flags that do not go with conversations.
fn refuse_with_chat(args: &Args) -> Result<()> {
    let flag = match args {
        _ if args.pair.is_some() => "--pair",
        _ if args.max_length.is_some() => "--max-length",
        _ if args.tool.is_some() => "--as",
        _ => return Ok(()),
    };
    Err(Error::usage(format!("{flag} cannot be used with `--chat`")))
}

/// The output for one text or for several adjacent texts.
enum Answer {
    /// Lines of pieces, or another tool's output.
    Bare(Vec<String>),
    /// Lines of ids, or records in the output format.
    Encoded(Vec<u8>),
    Records(Vec<Tokenize>),
}

impl Answer {
    /// Appends the answer to the next text, or returns it if it is of a different kind.
    fn join(&mut self, next: Self) -> Option<Self> {
        match (self, next) {
            (Self::Bare(lines), Self::Bare(next)) => lines.extend(next),
            (Self::Encoded(bytes), Self::Encoded(next)) => bytes.extend(next),
            (Self::Records(records), Self::Records(next)) => records.extend(next),
            (_, next) => return Some(next),
        }
        None
    }
}

fn answer(
    tokenizer: &Tokenizer,
    model: &ModelFacts,
    text: Text<'_>,
    args: &Args,
    encoder: Option<Encoder>,
) -> Result<Answer> {
    if args.ids && args.pair.is_none() && args.max_length.is_none() {
        let ids = tokenizer.ids(&text.text, &args.encode_options())?;
        return Ok(Answer::Encoded(digits::line_of(&ids)));
    }
    if let Some(tool) = args.tool {
        let pair = args.pair.as_deref();
        let encoded = tokenizer.encode(&text.text, pair, &args.encode_options())?;
        let encoding = encoded.into_first();
        let line = tool.line(tokenizer, model.context_window, &text.text, encoding)?;
        return Ok(Answer::Bare(vec![line]));
    }
    shown(records(tokenizer, model, text, args)?, args, encoder)
}

/// Returns the output for records.
fn shown(records: Vec<Tokenize>, args: &Args, encoder: Option<Encoder>) -> Result<Answer> {
    if args.ids {
        let lines = records.iter().map(|record| digits::line_of(&record.ids));
        return Ok(Answer::Encoded(lines.collect::<Vec<_>>().concat()));
    }
    if args.pieces {
        let lines = records.iter().map(|record| record.tokens.join(" "));
        return Ok(Answer::Bare(lines.collect()));
    }
    let Some(encoder) = encoder else {
        return Ok(Answer::Records(records));
    };
    let mut lines = records
        .into_iter()
        .map(|record| encoder(&Record::Tokenize(record)).map_err(stdout_failed));
    let mut bytes = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        bytes.extend(line?);
    }
    Ok(Answer::Encoded(bytes))
}

/// Rejects flags that have no equivalent in the other tool.
fn refuse_unsupported(tool: Tool, args: &Args) -> Result<()> {
    let flag = match tool {
        tool if args.ids && tool != Tool::Spm => "--ids",
        Tool::Hf => return Ok(()),
        _ if args.pair.is_some() => "--pair",
        _ if args.max_length.is_some() => "--max-length",
        _ => return Ok(()),
    };
    Err(Error::usage(format!(
        "{flag} cannot be used with `--as {}`",
        tool.name()
    )))
}
