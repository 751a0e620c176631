//! `completions`: prints shell completion scripts, generated from the definition of the command line.

use clap::Args as ClapArgs;
use clap_complete::Shell;

use super::session::Session;
use crate::error::{Exit, Result};

/// Print a completion script for a shell
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// The shell that reads the script
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Runs the command.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(
        args.shell,
        &mut (session.command_line)(),
        "tokscope",
        &mut script,
    );
    session.raw(&script)?;
    Ok(Exit::Done)
}
