//! The command line: the global options, the [`Command`], and the list of commands in the help.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, ValueHint};

use crate::commands::Command;
use crate::commands::topics::{self, GROUPS};
use crate::render::Format;
use crate::render::style::ColorChoice;
use crate::render::width::terminal_width;
use crate::source::Reading;
use crate::tokenizer::{EngineChoice, Side};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// The model used if none is named.
pub const DEFAULT_MODEL: &str = "microsoft/deberta-v3-xsmall";

/// The widest line of help.
const MAX_HELP_WIDTH: usize = 110;

/// A tokenizer and embedding-row inspector for models on the Hugging Face Hub
#[derive(Debug, Parser)]
#[command(name = "tokscope", version, styles = STYLES, propagate_version = true)]
#[command(
    infer_long_args = false,
    arg_required_else_help = true,
    max_term_width = MAX_HELP_WIDTH
)]
pub struct Cli {
    #[command(flatten)]
    pub global: GlobalOptions,
    #[command(subcommand)]
    pub command: Command,
}

/// Options that every command accepts.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalOptions {
    /// owner/name, owner/name@revision, hf://owner/name, hf://owner/name/FILE, a directory, a file, ollama:NAME,
    /// tiktoken:NAME, or `demo` (built in)
    /// [default: microsoft/deberta-v3-xsmall]
    #[arg(
        short,
        long,
        global = true,
        value_name = "REF",
        env = "TOKSCOPE_MODEL",
        hide_env_values = true,
        value_parser = OsStringValueParser::new().map(|name| name.to_string_lossy().into_owned())
    )]
    pub model: Option<String>,
    /// Branch, tag, refs/pr/N, or commit
    #[arg(long, global = true, value_name = "REV")]
    pub revision: Option<String>,
    /// One file of the repository or directory as the model, such as one of several GGUF files
    #[arg(long, global = true, value_name = "NAME")]
    pub model_file: Option<String>,
    /// Use exactly the model and commit of the lock file
    #[arg(long, global = true)]
    pub locked: bool,
    /// Use this lock file instead of ./tokscope.lock; implies --locked
    #[arg(long, global = true, value_name = "FILE")]
    pub lock_file: Option<PathBuf>,
    /// Never use the network [env: HF_HUB_OFFLINE, TRANSFORMERS_OFFLINE]
    #[arg(long, global = true)]
    pub offline: bool,
    /// Ignore tokscope's own cache of compiled vocabularies and fetched rows [env: TOKSCOPE_NO_CACHE]
    #[arg(long, global = true)]
    pub no_cache: bool,
    /// Engine that encodes text: the native one where it is exact, or the tokenizers crate
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "ENGINE"
    )]
    pub engine: EngineChoice,
    /// Take tokenizer.json as it stands, like the tokenizers library, without the changes of the model's class
    #[arg(long, global = true)]
    pub as_is: bool,
    /// Library whose reading of the tokenizer's files is followed [default: transformers-4] [env: TOKSCOPE_READING]
    #[arg(long, global = true, value_enum, value_name = "READING")]
    pub reading: Option<Reading>,
    /// Side of a translation model (Marian, M2M100) [default: source for text, target for ids]
    #[arg(long, global = true, value_enum, value_name = "SIDE")]
    pub side: Option<Side>,
    /// Number of threads [default: one per core] [env: RAYON_NUM_THREADS]
    #[arg(long, global = true, value_name = "N")]
    pub threads: Option<usize>,
    /// Output format
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORMAT"
    )]
    pub format: Format,
    /// Same as --format json
    #[arg(long, global = true, conflicts_with = "format")]
    pub json: bool,
    /// When to color the output
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub color: ColorChoice,
    /// Print only errors on stderr
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print more on stderr
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

/// Returns the definition of the command line, with the examples and exit codes of every command.
pub fn command() -> clap::Command {
    let mut command = Cli::command().after_help(topics::PROGRAM.after_help());
    for topic in topics::all() {
        command = command.mut_subcommand(topic.command, |command| {
            command.after_help(topic.after_help())
        });
    }
    command = with_hints(command);
    let list = list_of_commands(&command, help_width());
    let header = STYLES.get_header();
    command.help_template(format!(
        "{{before-help}}{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{list}\
         {header}Global options:{header:#}\n{{options}}{{after-help}}"
    ))
}

/// Says for every value what it is, by its name, so that shells complete it.
fn with_hints(command: clap::Command) -> clap::Command {
    let hinted = |arg: clap::Arg| {
        let names = arg.get_value_names().unwrap_or_default();
        let hint = names.first().map(|name| value_hint(name));
        match hint.filter(|_| arg.get_action().takes_values()) {
            Some(hint) => arg.value_hint(hint),
            None => arg,
        }
    };
    command
        .mut_args(hinted)
        .mut_subcommands(|command| command.mut_args(hinted))
}

/// Returns what a value is by its name, which means the same in every command.
fn value_hint(name: &str) -> ValueHint {
    match name {
        "FILE" | "PATH" | "TEMPLATE" => ValueHint::AnyPath,
        "FILE.npy" => ValueHint::FilePath,
        "DIR" => ValueHint::DirPath,
        _ => ValueHint::Other,
    }
}

/// Parses a command line.
///
/// # Errors
/// Fails with clap's message, which may be the help that was asked for.
pub fn parse(arguments: &[OsString]) -> Result<Cli, clap::Error> {
    match parse_by(Cli::command(), arguments) {
        // What only help says takes long to put together, so it is left out until help, or an error, is printed.
        Err(error) if error.kind() != ErrorKind::DisplayVersion => parse_by(command(), arguments),
        parsed => parsed,
    }
}

fn parse_by(mut definition: clap::Command, arguments: &[OsString]) -> Result<Cli, clap::Error> {
    let matches = definition.try_get_matches_from_mut(arguments)?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut definition))
}

/// Returns the width of the help, found as clap finds it.
fn help_width() -> usize {
    let columns = || std::env::var("COLUMNS").ok()?.parse().ok();
    let width = terminal_width(io::stdout()).or_else(|| terminal_width(io::stderr()));
    width.or_else(columns).unwrap_or(100).min(MAX_HELP_WIDTH)
}

/// Returns the list of commands by group, wrapped to a width.
fn list_of_commands(command: &clap::Command, width: usize) -> String {
    let (header, literal) = (STYLES.get_header(), STYLES.get_literal());
    let longest = topics::all()
        .map(|topic| topic.command.len())
        .max()
        .unwrap_or(0);
    let mut list = String::new();
    for group in GROUPS {
        let _ = writeln!(list, "{header}{}:{header:#}", group.title);
        for topic in group.topics {
            let about = command
                .find_subcommand(topic.command)
                .and_then(|command| command.get_about());
            let about = about.map(ToString::to_string).unwrap_or_default();
            // The exit codes are listed in the command's own help.
            let about = about.split(';').next().unwrap_or_default();
            let _ = write!(list, "  {literal}{:longest$}{literal:#}", topic.command);
            for line in wrapped(about, width.saturating_sub(longest + 4)) {
                let _ = writeln!(list, "  {line}");
                let _ = write!(list, "  {:longest$}", "");
            }
            // Remove the indentation of a line that does not follow.
            list.truncate(list.trim_end().len());
            list.push('\n');
        }
        list.push('\n');
    }
    list
}

/// Breaks a text into lines of at most `width` characters, at spaces.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        if let Some(line) = lines.last_mut() {
            if line.is_empty() {
                line.push_str(word);
                continue;
            }
            if line.chars().count() + 1 + word.chars().count() <= width {
                line.push(' ');
                line.push_str(word);
                continue;
            }
        }
        lines.push(word.to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_commands_fits_its_width() {
        for width in [40, 60, 80, 110] {
            let list = list_of_commands(&Cli::command(), width);
            let list = anstream::adapter::strip_str(&list).to_string();
            for line in list.lines() {
                assert!(line.chars().count() <= width, "{width}: {line}");
            }
            for topic in topics::all() {
                let start = format!("\n  {} ", topic.command);
                assert!(list.contains(&start), "{width}: {}", topic.command);
            }
        }
    }

    #[test]
    fn every_command_is_in_one_group() {
        let mut listed: Vec<&str> = topics::all().map(|topic| topic.command).collect();
        let command = Cli::command();
        let all = command
            .get_subcommands()
            .filter(|command| !command.is_hide_set());
        let mut all: Vec<&str> = all.map(clap::Command::get_name).collect();
        listed.sort_unstable();
        all.sort_unstable();
        assert_eq!(listed, all);
    }
}
