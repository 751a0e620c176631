//! Plans a count from the command line and the configuration file.

use std::path::{Path, PathBuf};

use super::args::Args;
use super::budget::{Budget, Budgets};
use super::config::{self, Config};
use super::table::{By, Table};
use crate::commands::input::file_filters::{FileFilters, current_dir};
use crate::commands::input::file_walk::FileWalk;
use crate::commands::input::text_format::InputFormat;
use crate::commands::relative_path::below;
use crate::commands::session::{ModelChoice, Session};
use crate::error::{Error, Result};
use crate::source::Reading;
use crate::tokenizer::EncodeOptions;

/// Where the texts come from.
#[derive(Default)]
pub enum Input {
    /// The text given on the command line.
    Text(String),
    #[default]
    Stdin,
    Paths(Box<FileWalk>),
}

/// Which rows are shown, and when.
pub enum Rows {
    None,
    /// Each row as soon as its text is counted.
    Each,
    /// Rows that are over budget, as soon as they are counted.
    OverBudget,
    /// A table, once everything is counted.
    Table(Table),
}

/// What to count, and how to show it.
pub struct Plan {
    model: Option<String>,
    revision: Option<String>,
    model_file: Option<String>,
    /// The reading that the configuration file names.
    reading: Option<Reading>,
    pub input: Input,
    /// True if files and directories are counted.
    pub is_walk: bool,
    /// True if the only input is a text or standard input, which has no name.
    pub is_stream: bool,
    /// True if standard input is one of several inputs, and is therefore shown as `-`.
    pub names_stdin: bool,
    pub input_format: InputFormat,
    pub options: EncodeOptions,
    pub budgets: Budgets,
    pub rows: Rows,
    pub summary: bool,
    pub total_only: bool,
    /// True if the human format shows a report even where a bare number would do.
    pub is_report: bool,
    pub is_ci: bool,
    /// True if the command line selects some of the files that the configuration file has budgets for.
    pub is_selection: bool,
    pub annotate: bool,
}

impl Plan {
    /// Makes a plan. Options take precedence over the configuration file.
    ///
    /// # Errors
    /// Fails with [`Error::Usage`] if options contradict one another, or with the error of reading the file.
    pub fn new(args: &Args, human: bool) -> Result<Self> {
        let file = match (&args.config, args.ci) {
            (Some(file), _) => Some(file.clone()),
            (None, true) => config::find(),
            (None, false) => None,
        };
        let config = match &file {
            Some(file) => Config::read(file)?,
            None => Config::default(),
        };
        let base = config.base();
        let budgets = budgets(args, config.budgets, &base);
        if args.ci && file.is_none() && budgets.is_empty() {
            return Err(Error::usage_hint(
                format!(
                    "found no {} in this directory or above it in the repository, and no budget is given",
                    config::FILE
                ),
                "name a file with `--config FILE`, or set a budget with `--budget N` or `--budget-per-file N`",
            ));
        }
        let input_format = input_format(args)?;
        let options = args.encode.options();
        let rows = rows(args, &input_format, human);
        let paths = if !args.paths.paths.is_empty() || args.text.is_some() {
            args.paths.paths.clone()
        } else if config.paths.is_empty() && file.is_some() {
            vec![base.clone()]
        } else {
            config.paths
        };
        let is_selection = selects(args, &base);
        Ok(Self {
            model: config.model,
            revision: config.revision,
            model_file: config.model_file,
            reading: config.reading,
            is_walk: !paths.is_empty(),
            is_stream: paths.is_empty() || paths == [Path::new("-")],
            names_stdin: paths.len() > 1,
            input: input(args, paths, config.filters, base)?,
            input_format,
            options: EncodeOptions {
                special_tokens: options.special_tokens && !config.no_special_tokens,
                ..options
            },
            budgets,
            summary: args.summary,
            total_only: args.total,
            is_report: args.ci || args.summary || matches!(rows, Rows::Table(_)),
            rows,
            is_ci: args.ci,
            is_selection,
            annotate: annotates(args),
        })
    }

    /// Returns true if the output for a text is nothing but its number of tokens.
    pub fn has_plain_rows(&self) -> bool {
        matches!(self.rows, Rows::Each)
            && !self.summary
            && self.budgets.per_file.is_none()
            && self.budgets.rules.is_empty()
    }

    /// Returns the model to count with. A flag or environment variable takes precedence over the configuration file.
    pub fn model<'p>(&'p self, session: &'p Session) -> ModelChoice<'p> {
        let mut choice = session.model;
        if !choice.chosen {
            choice.name = self.model.as_deref().unwrap_or(choice.name);
            choice.revision = choice.revision.or(self.revision.as_deref());
            choice.file = choice.file.or(self.model_file.as_deref());
        }
        choice.reading = choice.reading.or(self.reading);
        choice
    }
}

/// Returns true if paths or filters of the command line may leave out files in the folder of the configuration file.
fn selects(args: &Args, base: &Path) -> bool {
    let paths = &args.paths.paths;
    let names_all = paths.is_empty() || paths.iter().any(|path| below(path, base).is_some());
    !names_all || args.paths.filters.selection().is_some()
}

fn budgets(args: &Args, configured: Budgets, base: &Path) -> Budgets {
    let mut budgets = configured;
    budgets.base = base.to_owned();
    if let Some(Budget(budget)) = args.budget {
        budgets.total = Some(budget);
    }
    if let Some(Budget(budget)) = args.budget_per_file {
        budgets.per_file = Some(budget);
        for rule in &mut budgets.rules {
            rule.per_file = None;
        }
    }
    budgets
}

/// Returns the input. Globs in the configuration file are relative to `base`; globs on the command line are relative to
/// the current directory.
fn input(
    args: &Args,
    paths: Vec<PathBuf>,
    configured: FileFilters,
    mut base: PathBuf,
) -> Result<Input> {
    let given = &args.paths.filters;
    if let Some(text) = &args.text {
        given.refuse_selection()?;
        return Ok(Input::Text(text.clone()));
    }
    if paths.is_empty() {
        given.refuse_selection()?;
        return Ok(Input::Stdin);
    }
    let mut filters = configured;
    if !given.globs.is_empty() {
        filters.globs.clone_from(&given.globs);
        base = current_dir();
    }
    if !given.types.is_empty() || !given.types_not.is_empty() {
        filters.types.clone_from(&given.types);
        filters.types_not.clone_from(&given.types_not);
    }
    filters.hidden |= given.hidden;
    filters.no_ignore |= given.no_ignore;
    filters.follow |= given.follow;
    let walk = FileWalk::new(paths, &filters, &base)?;
    Ok(Input::Paths(Box::new(walk)))
}

fn rows(args: &Args, input_format: &InputFormat, human: bool) -> Rows {
    match (args.by, args.sort, args.top) {
        _ if args.total => Rows::None,
        (None, None, None) if args.summary => Rows::None,
        (None, None, None) if args.ci && human => Rows::OverBudget,
        (None, None, None) => Rows::Each,
        (by, sort, top) => {
            let default = if input_format.is_stream() {
                By::Line
            } else {
                By::File
            };
            Rows::Table(Table::new(by.unwrap_or(default), sort, top))
        }
    }
}

fn input_format(args: &Args) -> Result<InputFormat> {
    let mut input_format = args.input_format.clone();
    input_format.is_json = args.chat.chat;
    if args.by == Some(By::Line) && !input_format.jsonl && !args.chat.chat {
        input_format.lines = true;
    }
    let by_file = matches!(args.by, Some(By::File | By::Dir | By::Ext));
    if by_file && input_format.is_stream() {
        let flag = if input_format.jsonl {
            "--jsonl"
        } else {
            "--lines"
        };
        return Err(Error::usage(format!(
            "`--by file`, `dir` and `ext` need whole files, but `{flag}` splits files into texts"
        )));
    }
    Ok(input_format)
}

fn annotates(args: &Args) -> bool {
    if args.ci {
        args.annotate.is_github_by_default()
    } else {
        args.annotate.is_github()
    }
}
