//! Options and configuration file → what is counted, how it is shown, and what it may come to.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::Args;
use super::budget::{Budget, Budgets};
use super::config::{self, Config};
use super::table::{By, Table};
use super::walk::Walk;
use crate::commands::input::text_format::Reading;
use crate::commands::session::{ModelChoice, Session};
use crate::error::{Error, Result};
use crate::tokenizer::EncodeOptions;

/// Whose log takes annotations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Annotate {
    /// Workflow commands of GitHub Actions.
    Github,
    None,
}

/// Which rows are shown, and when.
pub enum Rows {
    None,
    /// Each when it is counted.
    Each,
    /// Those that are over their budget, when they are counted.
    Over,
    /// When all are counted.
    Table(Table),
}

/// A count that has not begun.
pub struct Plan {
    model: Option<String>,
    revision: Option<String>,
    /// None if a text, or standard input, is counted.
    pub walk: Option<Walk>,
    /// Standard input is one of several inputs.
    pub names_stdin: bool,
    /// There is one input, which has no name.
    pub is_stream: bool,
    pub reading: Reading,
    pub options: EncodeOptions,
    pub budgets: Budgets,
    pub rows: Rows,
    pub summary: bool,
    /// People are shown more than bare numbers, whatever is counted.
    pub is_report: bool,
    pub annotate: bool,
}

impl Plan {
    /// Whether all that is said of a text is its number of tokens.
    pub fn has_plain_rows(&self) -> bool {
        matches!(self.rows, Rows::Each)
            && !self.summary
            && self.budgets.per_file.is_none()
            && self.budgets.rules.is_empty()
    }

    /// Options come first, and then what the configuration file says, where there is one to be read.
    ///
    /// # Errors
    /// [`Error::Usage`] for options that do not go together, and whatever reading the file fails with.
    pub fn new(args: &Args, human: bool) -> Result<Self> {
        let file = match (&args.config, args.ci) {
            (Some(file), _) => Some(file.clone()),
            (None, true) => config::find(),
            (None, false) => None,
        };
        let mut config = match &file {
            Some(file) => Config::read(file)?,
            None => Config::default(),
        };
        let mut base = config.folder.clone();
        if base.as_os_str().is_empty() {
            base = ".".into();
        }
        if config.paths.is_empty() && file.is_some() {
            config.paths = vec![base.clone()];
        }
        let mut budgets = config.budgets;
        budgets.folder.clone_from(&base);
        let paths = match args.paths.is_empty() && args.text.is_none() {
            true => config.paths,
            false => args.paths.clone(),
        };

        let mut filters = config.filters;
        let given = &args.filters;
        if !given.globs.is_empty() {
            filters.globs.clone_from(&given.globs);
            base = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
        }
        if !given.types.is_empty() || !given.types_not.is_empty() {
            filters.types.clone_from(&given.types);
            filters.types_not.clone_from(&given.types_not);
        }
        filters.hidden |= given.hidden;
        filters.no_ignore |= given.no_ignore;
        filters.follow |= given.follow;

        if let Some(Budget(budget)) = args.budget {
            budgets.total = Some(budget);
        }
        if let Some(Budget(budget)) = args.budget_per_file {
            budgets.per_file = Some(budget);
            for rule in &mut budgets.rules {
                rule.per_file = None;
            }
        }
        if args.ci && file.is_none() && budgets.is_empty() {
            return Err(Error::usage_hint(
                format!(
                    "there is no {} here, or above up to the root of the repository, and no budget",
                    config::FILE
                ),
                "`--config FILE` names one; `--budget N` and `--budget-per-file N` do without",
            ));
        }

        let reading = reading(args)?;
        let rows = match (args.by, args.sort, args.top) {
            _ if args.total => Rows::None,
            (None, None, None) if args.summary => Rows::None,
            (None, None, None) if args.ci && human => Rows::Over,
            (None, None, None) => Rows::Each,
            (by, sort, top) => {
                let by = by.unwrap_or(if reading.is_stream() {
                    By::Line
                } else {
                    By::File
                });
                Rows::Table(Table::new(by, sort, top))
            }
        };
        let is_github = || std::env::var("GITHUB_ACTIONS").is_ok_and(|value| value == "true");
        Ok(Self {
            model: config.model,
            revision: config.revision,
            names_stdin: paths.len() > 1,
            is_stream: paths.is_empty() || paths == [Path::new("-")],
            walk: match paths.is_empty() {
                true => None,
                false => Some(Walk::new(paths, &filters, &base)?),
            },
            reading,
            options: EncodeOptions {
                special_tokens: !args.encode.special_tokens.no_special_tokens
                    && !config.no_special_tokens,
                parse_special: !args.encode.added_tokens.no_parse_special,
                truncation: None,
            },
            budgets,
            summary: args.summary,
            is_report: args.ci || args.summary || matches!(rows, Rows::Table(_)),
            rows,
            annotate: match args.annotate {
                Some(annotate) => annotate == Annotate::Github,
                None => args.ci && is_github(),
            },
        })
    }

    /// The model that is asked: a flag and a variable of the environment come before the file.
    pub fn model<'p>(&'p self, session: &'p Session) -> ModelChoice<'p> {
        let mut choice = session.model;
        if !choice.chosen {
            choice.name = self.model.as_deref().unwrap_or(choice.name);
            choice.revision = choice.revision.or(self.revision.as_deref());
        }
        choice
    }
}

fn reading(args: &Args) -> Result<Reading> {
    let mut reading = args.reading.clone();
    if args.by == Some(By::Line) && !reading.jsonl {
        reading.lines = true;
    }
    let whole = matches!(args.by, Some(By::File | By::Dir | By::Ext));
    if whole && reading.is_stream() {
        let flag = if reading.jsonl { "--jsonl" } else { "--lines" };
        return Err(Error::usage(format!(
            "--by file, dir and ext are for whole files, and {flag} takes them apart"
        )));
    }
    Ok(reading)
}
