//! `tail`: the end of a text, in tokens.

use clap::Args as ClapArgs;

use super::input::text_args::TextArgs;
use super::session::Session;
use super::split::cutter::{Counting, Cutter};
use super::split::head_tail;
use crate::error::{Exit, Result};
use crate::record::Record;

/// Print the longest end of a text that has at most so many tokens
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(flatten)]
    pub input: TextArgs,
    /// Most tokens of what is printed, tokenized alone, special tokens counted
    #[arg(short = 'n', long = "tokens", value_name = "N")]
    pub tokens: usize,
    #[command(flatten)]
    pub counting: Counting,
}

/// Runs the command.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let tokenizer = session.tokenizer(&session.files()?)?;
    let cutter = Cutter::new(&tokenizer, args.tokens, args.counting, None)?;
    head_tail::run(&args.input, session, |text| cutter.back(text), Record::Tail)
}
