//! `head`: prints the beginning of a text.

use clap::Args as ClapArgs;

use super::session::Session;
use super::split::head_tail::{self, PartArgs};
use crate::error::{Exit, Result};
use crate::record::Record;

/// Print as much of the beginning of a text as fits in N tokens
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(flatten)]
    pub part: PartArgs,
}

/// Runs the command.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    head_tail::run(&args.part, session, head_tail::beginning, Record::Head)
}
