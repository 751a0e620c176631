//! `completions`: prints shell completion scripts.
//!
//! Those for bash, zsh and fish ask the program for candidates ([`complete`](super::complete)). Those for other shells
//! are generated from the definition of the command line.

use clap::{Args as ClapArgs, Command};
use clap_complete::Shell;

use super::session::Session;
use crate::error::{Exit, Result};

const BASH: &str = include_str!("completion_scripts/tokscope.bash");
const ZSH: &str = include_str!("completion_scripts/tokscope.zsh");
const FISH: &str = include_str!("completion_scripts/tokscope.fish");

/// Print a completion script for a shell
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// The shell that reads the script
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Runs the command.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let script = match args.shell {
        Shell::Bash => BASH.as_bytes().to_vec(),
        Shell::Zsh => ZSH.as_bytes().to_vec(),
        Shell::Fish => FISH.as_bytes().to_vec(),
        shell => {
            let (mut command, mut script) = (visible((session.command_line)()), Vec::new());
            clap_complete::generate(shell, &mut command, "tokscope", &mut script);
            script
        }
    };
    session.raw(&script)?;
    Ok(Exit::Done)
}

/// Returns the program without its hidden commands.
fn visible(program: Command) -> Command {
    let commands = program.get_subcommands();
    let visible = commands.filter(|command| !command.is_hide_set()).cloned();
    Command::new("tokscope")
        .args(program.get_arguments().cloned())
        .subcommands(visible)
}
