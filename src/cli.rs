//! The command line: the global options and the [`Command`].

use std::path::PathBuf;

use clap::Parser;
use clap::builder::styling::{AnsiColor, Styles};
use clap::builder::{OsStringValueParser, TypedValueParser};

use crate::commands::Command;
use crate::render::Format;
use crate::render::style::ColorChoice;
use crate::tokenizer::EngineChoice;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// The model used if none is named.
pub const DEFAULT_MODEL: &str = "microsoft/deberta-v3-xsmall";

const EXAMPLES: &str = "\
Examples:
  tokscope --model demo tokenize \"banco de madera\"     tokens of the built-in toy model, no network needed
  tokscope tokenize \"banco de madera\" --json           the same for DeBERTa-v3, as a line of JSON
  tokscope count README.md src --budget 100k           exit 1 if over the budget
  tokscope embed \"banco\" -o banco.npy                  rows of the embedding matrix
  tokscope neighbors dinero                            nearest tokens in the matrix

Exit codes: 0 done, 1 a negative answer, 2 wrong usage or input, 3 not reachable, 4 damaged or unsupported model file";

/// A tokenizer and embedding-row inspector for models on the Hugging Face Hub
#[derive(Debug, Parser)]
#[command(name = "tokscope", version, styles = STYLES, after_help = EXAMPLES, propagate_version = true)]
#[command(
    infer_long_args = false,
    arg_required_else_help = true,
    max_term_width = 110
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
    /// owner/name, owner/name@revision, hf://owner/name, a directory, or `demo` (built in)
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
