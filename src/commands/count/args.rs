//! The command line of `count`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::budget::Budget;
use super::table::{By, Sort};
use crate::commands::annotate::AnnotateArgs;
use crate::commands::input::chat_args::ChatArgs;
use crate::commands::input::encode_args::EncodeArgs;
use crate::commands::input::file_filters::PathArgs;
use crate::commands::input::text_format::InputFormat;

/// Count tokens of files, directories, standard input, or a text
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// A text given on the command line
    #[arg(long, value_name = "TEXT", conflicts_with = "paths")]
    pub text: Option<String>,
    /// Fail with exit code 1 if there are more than N tokens in total; N may end in k (thousand) or m (million)
    #[arg(long, value_name = "N")]
    pub budget: Option<Budget>,
    /// Fail with exit code 1 if any file or text has more than N tokens
    #[arg(long, value_name = "N")]
    pub budget_per_file: Option<Budget>,
    #[command(flatten)]
    pub encode: EncodeArgs,
    /// Print the total only
    #[arg(long, conflicts_with_all = ["by", "sort", "top", "summary"])]
    pub total: bool,
    /// Print a table of files, directories, extensions or lines, with shares and bars
    #[arg(long, value_enum, value_name = "WHAT")]
    pub by: Option<By>,
    /// Order of the table
    #[arg(long, value_enum, value_name = "ORDER")]
    pub sort: Option<Sort>,
    /// Print only the N largest rows, the largest first unless --sort is given
    #[arg(long, value_name = "N")]
    pub top: Option<usize>,
    /// Print percentiles instead of rows, unless --by, --sort or --top ask for rows too
    #[arg(long)]
    pub summary: bool,
    /// Use the settings of tokscope.toml in this directory or one above; print only exceeded budgets and totals
    #[arg(long)]
    pub ci: bool,
    /// Use the settings of this file, which has the format of tokscope.toml
    #[arg(long, value_name = "FILE", conflicts_with = "text")]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    pub annotate: AnnotateArgs,
    #[command(flatten)]
    pub input_format: InputFormat,
    #[command(flatten)]
    pub chat: ChatArgs,
    // Must stay last: its help heading would apply to any flags after it.
    #[command(flatten)]
    pub paths: PathArgs,
}
