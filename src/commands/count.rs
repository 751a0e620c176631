//! `count`: how many tokens files, trees and streams have, and whether that is within a budget.

mod budget;
mod config;
mod files;
mod finish;
mod plan;
mod table;
mod verdict;
mod walk;

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::input::encode_args::EncodeArgs;
use super::input::text_args::{InputOptions, TextArgs};
use super::input::text_format::{Reading, Text};
use super::model::{config as model_config, context_window};
use super::parts::{self, Sizes, count_text};
use super::session::Session;
use crate::error::{Error, Exit, Result};
use crate::record::{Count, Record, Total};
use crate::render::Annotation;
use crate::tokenizer::Tokenizer;
use budget::Budget;
use plan::{Annotate, Plan, Rows};
use table::{By, Sort, Spread};
use verdict::Offender;
use walk::Filters;

/// Count tokens of files, directories, standard input or a text
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Files and directories; `-` is standard input. In directories, ignored, hidden and binary files are left out
    #[arg(value_name = "PATH", conflicts_with = "text")]
    pub paths: Vec<PathBuf>,
    /// A text given on the command line
    #[arg(long, value_name = "TEXT")]
    pub text: Option<String>,
    /// Fail with exit code 1 if there are more than N tokens in all; N may end in k (thousand) or m (million)
    #[arg(long, value_name = "N")]
    pub budget: Option<Budget>,
    /// Fail with exit code 1 if a file, or a text, has more than N tokens
    #[arg(long, value_name = "N")]
    pub budget_per_file: Option<Budget>,
    #[command(flatten)]
    pub encode: EncodeArgs,
    /// Print the total only
    #[arg(long, conflicts_with_all = ["by", "sort", "top", "summary"])]
    pub total: bool,
    /// A table of files, directories, extensions or lines, with shares and bars
    #[arg(long, value_enum, value_name = "WHAT")]
    pub by: Option<By>,
    /// Order of the table
    #[arg(long, value_enum, value_name = "ORDER")]
    pub sort: Option<Sort>,
    /// The N largest only, the largest first unless --sort says otherwise
    #[arg(long, value_name = "N")]
    pub top: Option<usize>,
    /// Percentiles, in place of rows unless --by, --sort or --top ask for them
    #[arg(long)]
    pub summary: bool,
    /// What tokscope.toml says, which is looked for here and above; people are shown what is over its budget, and totals
    #[arg(long)]
    pub ci: bool,
    /// What this file says, in the form of tokscope.toml
    #[arg(long, value_name = "FILE", conflicts_with = "text")]
    pub config: Option<PathBuf>,
    /// Print annotations of what is over its budget [default with --ci: github in GitHub Actions, which sets GITHUB_ACTIONS]
    #[arg(long, value_enum, value_name = "WHOSE")]
    pub annotate: Option<Annotate>,
    /// Print the types that --type knows
    #[arg(long)]
    pub type_list: bool,
    #[command(flatten)]
    pub reading: Reading,
    #[command(flatten)]
    pub filters: Filters,
}

/// Runs the command.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    if args.type_list {
        session.only_for_people("--type-list")?;
        let lines = walk::type_list();
        lines.iter().try_for_each(|line| session.bare(line))?;
        return Ok(Exit::Done);
    }
    let plan = Plan::new(args, session.is_human())?;
    let choice = plan.model(session);
    let files = session.files_of(&choice)?;
    let tokenizer = session.tokenizer(&files)?;
    let window = match plan.is_report {
        true => context_window(model_config(&files)?.as_ref(), Some(&tokenizer)),
        false => None,
    };
    let mut counting = Counting {
        args,
        tokenizer: &tokenizer,
        window,
        plan,
        total: Total::default(),
        spread: Spread::default(),
        over: 0,
        offenders: Vec::new(),
        annotations: Vec::new(),
        failed: None,
    };
    if let Some(text) = &args.text {
        counting.texts(session, vec![text.clone()])?;
    } else if let Some(walk) = counting.plan.walk.take() {
        counting.walk(session, &walk)?;
    } else {
        counting.texts(session, Vec::new())?;
    }
    counting.finish(session)
}

/// What came of a text, or of some.
enum Tally {
    /// The path and line of a text.
    One(Option<String>, Option<u64>, Sizes),
    Plain(Plain),
}

/// The bare numbers of some texts, a line each, of which there is nothing else to say.
#[derive(Default)]
struct Plain {
    lines: Vec<u8>,
    texts: usize,
    sizes: Sizes,
}

impl Plain {
    fn push(&mut self, sizes: Sizes) {
        let mut digits = itoa::Buffer::new();
        self.lines
            .extend_from_slice(digits.format(sizes.tokens).as_bytes());
        self.lines.push(b'\n');
        self.texts += 1;
        self.sizes += sizes;
    }
}

impl Tally {
    /// Adds the next of texts that are counted by line, with bare numbers.
    fn join(&mut self, next: Self) -> Option<Self> {
        if let Self::One(_, _, first) = *self {
            let mut plain = Plain::default();
            plain.push(first);
            *self = Self::Plain(plain);
        }
        match (self, next) {
            (Self::Plain(plain), Self::One(_, _, sizes)) => plain.push(sizes),
            (_, next) => return Some(next),
        }
        None
    }
}

struct Counting<'a> {
    args: &'a Args,
    tokenizer: &'a Tokenizer,
    window: Option<u64>,
    plan: Plan,
    total: Total,
    spread: Spread,
    /// Files, or texts, that are over their budget.
    over: usize,
    /// Those of them that are still to be named.
    offenders: Vec<Offender>,
    /// Of what could not be counted.
    annotations: Vec<Annotation>,
    /// The exit code of the last file or line that could not be counted.
    failed: Option<Exit>,
}

impl Counting<'_> {
    /// One stream: a text of the command line, or standard input.
    fn texts(&mut self, session: &mut Session, texts: Vec<String>) -> Result<()> {
        if texts.is_empty() && !self.plan.reading.is_stream() && !session.stdin_is_terminal {
            let (tokenizer, options) = (self.tokenizer, &self.plan.options);
            let reading = &self.plan.reading;
            let stdin = &mut *session.stdin;
            let sizes = parts::count(tokenizer, options, reading, "standard input", stdin)?;
            return self.take(session, count(self.stdin_name(), None, sizes));
        }
        self.input(session, texts, Vec::new())
    }

    fn stdin_name(&self) -> Option<String> {
        self.plan.names_stdin.then(|| "-".to_owned())
    }

    fn input(
        &mut self,
        session: &mut Session,
        texts: Vec<String>,
        files: Vec<PathBuf>,
    ) -> Result<()> {
        let reading = self.plan.reading.clone();
        let input = TextArgs {
            texts,
            options: InputOptions { files, reading },
        };
        let (tokenizer, options) = (self.tokenizer, &self.plan.options.clone());
        // People see the numbers of tokens only.
        let bare = session.is_human();
        let work = |text: Text<'_>| {
            let sizes = match bare {
                true => Sizes {
                    tokens: tokenizer.count(&text.text, options)?,
                    ..Sizes::default()
                },
                false => count_text(tokenizer, &text.text, options)?,
            };
            Ok(Tally::One(text.path, text.line, sizes))
        };
        let is_plain = bare && self.plan.has_plain_rows();
        let join = |before: &mut Tally, next| match is_plain {
            true => before.join(next),
            false => Some(next),
        };
        input.for_each_joined_in_parallel(session, work, join, |session, counted| match counted {
            Ok(Tally::One(path, line, sizes)) => {
                let path = path.or_else(|| self.stdin_name());
                self.take(session, count(path, line, sizes))
            }
            Ok(Tally::Plain(plain)) => {
                self.add(plain.texts, plain.sizes);
                session.raw(&plain.lines)
            }
            Err((Some(line), error)) => {
                // The place of a number among bare ones stays its own.
                if session.is_human() && matches!(self.plan.rows, Rows::Each) {
                    session.bare("")?;
                }
                self.fail(session, Some(line), None, &error)
            }
            Err((None, error)) => Err(error),
        })
    }

    fn fail(
        &mut self,
        session: &mut Session,
        line: Option<u64>,
        path: Option<String>,
        error: &Error,
    ) -> Result<()> {
        self.failed = Some(error.exit());
        if self.plan.annotate {
            let failure = verdict::failure(path.as_deref(), line, error.to_string());
            self.annotations.push(failure);
        }
        session.emit_failure(line, path, error)
    }

    fn add(&mut self, texts: usize, sizes: Sizes) {
        self.total.files += texts;
        self.total.tokens += sizes.tokens;
        self.total.words += sizes.words;
        self.total.chars += sizes.chars;
        self.total.bytes += sizes.bytes;
        self.total.lines += sizes.lines;
    }

    fn take(&mut self, session: &mut Session, mut count: Count) -> Result<()> {
        let sizes = Sizes {
            tokens: count.tokens,
            words: count.words,
            chars: count.chars,
            bytes: count.bytes,
            lines: count.lines,
        };
        self.add(1, sizes);
        if self.plan.summary {
            self.spread.add(count.tokens);
        }
        let over = self.plan.budgets.judge(&mut count);
        if let (Some(by), Some(budget)) = (over, count.budget) {
            self.over += 1;
            let is_row = matches!(self.plan.rows, Rows::Each | Rows::Over);
            if is_row && count.path.is_none() && session.is_human() {
                session.note(&format!(
                    "over the budget of {budget} tokens a text by {by}"
                ))?;
            }
            if !is_row || self.plan.annotate {
                self.offenders.push(Offender {
                    path: count.path.clone(),
                    line: count.line,
                    tokens: count.tokens as u64,
                    budget,
                });
            }
        }
        match &mut self.plan.rows {
            Rows::None => Ok(()),
            Rows::Over if over.is_none() => Ok(()),
            Rows::Table(table) => {
                table.push(count);
                Ok(())
            }
            Rows::Each if session.is_human() && (count.path.is_none() || count.line.is_some()) => {
                session.bare(itoa::Buffer::new().format(count.tokens))
            }
            Rows::Each | Rows::Over => session.emit(&Record::Count(count)),
        }
    }
}

/// The record of what was counted.
fn count(path: Option<String>, line: Option<u64>, sizes: Sizes) -> Count {
    Count {
        path,
        line,
        tokens: sizes.tokens,
        words: sizes.words,
        chars: sizes.chars,
        bytes: sizes.bytes,
        lines: sizes.lines,
        ..Count::default()
    }
}
