//! `chat`: renders conversations with the model's chat template.

use clap::Args as ClapArgs;

use super::input::chat_args::{ChatInput, RenderedChat, TemplateArgs, note_media};
use super::input::stream_answers::StreamAnswers;
use super::input::text_args::TextArgs;
use super::input::text_format::Text;
use super::session::Session;
use crate::error::{Exit, Result};
use crate::record::{Chat, Record};
use crate::tokenizer::Tokenizer;

/// Render conversations with the model's chat template
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(flatten)]
    pub input: TextArgs,
    #[command(flatten)]
    pub template: TemplateArgs,
}

/// The model of the records.
struct Model<'m> {
    tokenizer: &'m Tokenizer,
    name: String,
    commit: Option<String>,
}

/// Computes the record of a rendered conversation.
fn record(
    model: &Model<'_>,
    chat: &ChatInput,
    text: &Text<'_>,
    rendered: RenderedChat,
) -> Result<Chat> {
    let encoded = model
        .tokenizer
        .encode(&rendered.prompt.text, None, &ChatInput::OPTIONS)?;
    let encoding = encoded.into_first();
    let parts = chat.parts(&rendered, &encoding);
    Ok(Chat {
        model: model.name.clone(),
        commit: model.commit.clone(),
        line: rendered.conversation.line,
        path: text.path.clone(),
        text: rendered.prompt.text,
        count: encoding.len(),
        chat: parts,
        reading: model.tokenizer.reading().recorded(),
    })
}

/// Runs the command.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let files = session.files()?;
    let tokenizer = session.encoder(&files)?;
    let chat = args.template.open(&files, &tokenizer)?;
    let model = Model {
        tokenizer: &tokenizer,
        name: files.model(),
        commit: files.commit(),
    };
    let input = args.input.clone().of_json();
    let is_human = session.is_human();
    let mut answers = StreamAnswers::records();
    let work = |text: Text<'_>| {
        let rendered = chat.render(&text)?.into_iter();
        let media = |rendered: &RenderedChat| rendered.conversation.media_parts();
        rendered
            .map(|rendered| {
                let media = media(&rendered);
                let record = match is_human {
                    true => Chat {
                        text: rendered.prompt.text,
                        ..Chat::default()
                    },
                    false => record(&model, &chat, &text, rendered)?,
                };
                Ok((record, media))
            })
            .collect::<Result<Vec<_>>>()
    };
    let mut media_parts = 0;
    input.for_each_in_parallel(session, work, |session, outcome| {
        answers.take(session, outcome, |session, chats| {
            chats.into_iter().try_for_each(|(chat, media)| {
                media_parts += media;
                session.emit(&Record::Chat(chat))
            })
        })
    })?;
    note_media(session, media_parts)?;
    Ok(answers.exit(Exit::Done))
}
