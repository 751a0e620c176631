//! `man`: prints manual pages, generated from the definition of the command line.

use clap::Args as ClapArgs;
use clap_mangen::Man;

use super::session::{Session, stdout_failed};
use crate::error::{Error, Exit, Result};

/// Print the manual page of tokscope or one of its commands, for `man -l -`
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// The command; without it, print the page of tokscope itself
    #[arg(value_name = "COMMAND")]
    pub command: Option<String>,
}

/// Runs the command.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let mut command = (session.command_line)();
    command.build();
    if let Some(name) = &args.command {
        command = command.find_subcommand(name).cloned().ok_or_else(|| {
            Error::usage_hint(
                format!("there is no command `{name}`"),
                "`tokscope --help` lists the commands",
            )
        })?;
    }
    let mut page = Vec::new();
    Man::new(command).render(&mut page).map_err(stdout_failed)?;
    session.raw(&page)?;
    Ok(Exit::Done)
}
