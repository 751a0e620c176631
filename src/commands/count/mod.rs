//! `count`: counts the tokens of files, directories, and streams, and checks budgets.

mod args;
mod budget;
mod chats;
mod config;
mod config_reader;
mod counting;
mod distribution;
mod over_budget;
mod plan;
mod report;
mod sizes;
mod stream;
mod table;
mod tree;

pub use args::Args;

use super::input::chat_args::note_media;
use super::input::file_filters::PathArgs;
use super::model::{config as model_config, context_window};
use super::session::Session;
use crate::error::{Exit, Result};
use counting::Counting;
use plan::{Input, Plan};

/// Runs the command.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    if args.paths.type_list {
        PathArgs::print_types(session)?;
        return Ok(Exit::Done);
    }
    let mut plan = Plan::new(args, session.is_human())?;
    let files = session.files_of(&plan.model(session))?;
    let tokenizer = session.encoder(&files)?;
    let chat = args.chat.open(&files, &tokenizer)?;
    let context_window = if plan.is_report {
        let config = model_config(&files)?;
        context_window(&files, config.as_ref(), Some(&tokenizer))?.map(|window| window.tokens)
    } else {
        None
    };
    let input = std::mem::take(&mut plan.input);
    let mut counting = Counting::new(&tokenizer, files.model(), context_window, plan);
    counting.chat = chat.as_ref();
    match input {
        Input::Text(text) => counting.text(session, text)?,
        Input::Stdin => counting.stdin(session)?,
        Input::Paths(walk) => counting.paths(session, &walk)?,
    }
    note_media(session, counting.media_parts)?;
    counting.report(session)
}
