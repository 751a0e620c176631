//! `count`: how many tokens files, trees and streams have, and whether that is within a budget.

mod budget;
mod config;
mod plan;
mod table;
mod verdict;
mod walk;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};

use clap::Args as ClapArgs;

use super::input::{InputOptions, Reading, Text, TextArgs};
use super::parts::{self, count_text, count_tokens};
use super::{Session, config as model_config, context_window, in_parallel, stdout_failed};
use crate::error::{Error, Exit, Result};
use crate::record::{Annotation, Count, Record, Total};
use crate::source::Observer;
use crate::tokenizer::Tokenizer;
use budget::Budget;
use plan::{Annotate, Plan, Rows};
use table::{By, Sort, Spread};
use verdict::Offender;
use walk::{Filters, Found, Item};

/// Count tokens of files, directories, standard input or a text
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Files and directories; `-` is standard input. In directories, ignored, hidden and binary files are left out
    #[arg(value_name = "PATH", conflicts_with = "text")]
    pub paths: Vec<PathBuf>,
    /// Count the tokens of this text
    #[arg(long, value_name = "TEXT")]
    pub text: Option<String>,
    /// Fail with exit code 1 if there are more than N tokens in all; N may end in k (thousand) or m (million)
    #[arg(long, value_name = "N")]
    pub budget: Option<Budget>,
    /// Fail with exit code 1 if a file, or a text, has more than N tokens
    #[arg(long, value_name = "N")]
    pub budget_per_file: Option<Budget>,
    /// Do not count the special tokens that the model adds
    #[arg(long)]
    pub no_special_tokens: bool,
    /// Take added tokens that are spelled out in the text, such as `[MASK]`, as text
    #[arg(long)]
    pub no_parse_special: bool,
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
    let plan = Plan::new(args, session.human)?;
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

/// Files that are read before the first of them is reported.
const FILES_AT_A_TIME: usize = 256;

/// Paths that may have been found and not been counted yet.
const FILES_AHEAD: usize = 1 << 16;

impl Counting<'_> {
    /// One stream: a text of the command line, or standard input.
    fn texts(&mut self, session: &mut Session, texts: Vec<String>) -> Result<()> {
        if texts.is_empty() && !self.plan.reading.is_stream() && !session.stdin_is_terminal {
            let (tokenizer, options) = (self.tokenizer, &self.plan.options);
            let reading = &self.plan.reading;
            let stdin = &mut *session.stdin;
            let mut count = parts::count(tokenizer, options, reading, "standard input", stdin)?;
            count.path = self.stdin_name();
            return self.take(session, count);
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
        let options = InputOptions { files, reading };
        TextArgs { texts, options }.for_each_batch(session, |session, batch| {
            let (tokenizer, options) = (self.tokenizer, &self.plan.options);
            // People see the numbers of tokens only.
            let bare = session.human;
            let counts = in_parallel(batch, |item| {
                let Text { text, line, path } = item?;
                let mut count = if bare {
                    count_tokens(tokenizer, &text, options)
                } else {
                    count_text(tokenizer, &text, options)
                }
                .map_err(|error| (line, error))?;
                (count.path, count.line) = (path, line);
                Ok(count)
            });
            counts.into_iter().try_for_each(|count| match count {
                Ok(mut count) => {
                    count.path = count.path.or_else(|| self.stdin_name());
                    self.take(session, count)
                }
                Err((Some(line), error)) => {
                    // The place of a number among bare ones stays its own.
                    if session.human && matches!(self.plan.rows, Rows::Each) {
                        session.bare("")?;
                    }
                    self.fail(session, Some(line), None, &error)
                }
                Err((None, error)) => Err(error),
            })
        })
    }

    /// Counts files and trees while they are walked.
    fn walk(&mut self, session: &mut Session, walk: &walk::Walk) -> Result<()> {
        let (sender, receiver) = sync_channel(FILES_AHEAD);
        let found = AtomicUsize::new(0);
        let watched = !matches!(self.plan.rows, Rows::Each) || !session.stdout_is_terminal;
        let watched = watched.then(|| Progress {
            observer: Arc::clone(&session.observer),
            done: AtomicUsize::new(0),
            found: &found,
        });
        std::thread::scope(|scope| {
            let found = &found;
            scope.spawn(move || {
                walk.each(|item| {
                    found.fetch_add(1, Ordering::Relaxed);
                    sender.send(item).is_ok()
                });
            });
            // Whoever walks stops when nobody takes what is found.
            self.items(session, receiver, watched.as_ref())
        })
    }

    /// Counts files on all cores, and reports them in their order.
    fn items(
        &mut self,
        session: &mut Session,
        found: Receiver<Item>,
        progress: Option<&Progress>,
    ) -> Result<()> {
        loop {
            let batch: Vec<Item> = found.iter().take(FILES_AT_A_TIME).collect();
            if batch.is_empty() {
                return Ok(());
            }
            let (tokenizer, plan) = (self.tokenizer, &self.plan);
            let outcomes = in_parallel(batch, |item| {
                let outcome = match item {
                    Item::File(found) if plan.reading.is_stream() => Outcome::Lines(found),
                    Item::File(found) => Outcome::Whole(found.name(), found.count(tokenizer, plan)),
                    other => Outcome::Other(other),
                };
                if let Some(progress) = progress {
                    progress.step();
                }
                outcome
            });
            for outcome in outcomes {
                self.outcome(session, outcome)?;
            }
        }
    }

    fn outcome(&mut self, session: &mut Session, outcome: Outcome) -> Result<()> {
        match outcome {
            Outcome::Whole(_, Ok(Counted::Text(count))) => self.take(session, count),
            Outcome::Whole(path, Ok(Counted::NotText)) => {
                session.note(&format!("skipped {path}: it is not text"))
            }
            Outcome::Whole(path, Ok(Counted::NotUtf8(at))) => session.note(&format!(
                "skipped {path}: it is not UTF-8, the byte at offset {at} is invalid"
            )),
            // An error stands in the file's place, and the rest goes on.
            Outcome::Whole(path, Err(error)) => self.fail(session, None, Some(path), &error),
            Outcome::Lines(found) => self.lines(session, found),
            Outcome::Other(Item::Unreadable(path, error)) => {
                self.fail(session, None, Some(path), &error)
            }
            Outcome::Other(Item::Note(note)) => session.note(&note),
            Outcome::Other(Item::Stdin | Item::File(_)) => self.texts(session, Vec::new()),
        }
    }

    /// Counts the lines of a file.
    fn lines(&mut self, session: &mut Session, found: Found) -> Result<()> {
        if found.named {
            return self.input(session, Vec::new(), vec![found.path]);
        }
        match found.open() {
            Ok(Some(_)) => {}
            Ok(None) => return session.note(&format!("skipped {}: it is not text", found.name())),
            Err(error) => return self.fail(session, None, Some(found.name()), &error),
        }
        let name = found.name();
        match self.input(session, Vec::new(), vec![found.path]) {
            Err(error @ Error::ReadInput { .. }) => self.fail(session, None, Some(name), &error),
            other => other,
        }
    }

    /// Takes a record of failure, in the place of what could not be counted.
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

    fn take(&mut self, session: &mut Session, mut count: Count) -> Result<()> {
        self.total.files += 1;
        self.total.tokens += count.tokens;
        self.total.words += count.words;
        self.total.chars += count.chars;
        self.total.bytes += count.bytes;
        self.total.lines += count.lines;
        if self.plan.summary {
            self.spread.add(count.tokens);
        }
        let over = self.plan.budgets.judge(&mut count);
        if let (Some(by), Some(budget)) = (over, count.budget) {
            self.over += 1;
            let is_row = matches!(self.plan.rows, Rows::Each | Rows::Over);
            if is_row && count.path.is_none() && session.human {
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
            Rows::Each if session.human && (count.path.is_none() || count.line.is_some()) => {
                session.bare(&count.tokens.to_string())
            }
            Rows::Each | Rows::Over => session.emit(&Record::Count(count)),
        }
    }

    /// What is known when all is counted, and the verdict.
    fn finish(mut self, session: &mut Session) -> Result<Exit> {
        session.observer.count_finished();
        let budgets = &self.plan.budgets;
        if let Some(budget) = budgets.total {
            self.total.budget = Some(budget);
            self.total.within_budget = Some(self.total.tokens as u64 <= budget);
        }
        let has_budgets = budgets.per_file.is_some() || !budgets.rules.is_empty();
        self.total.over_budget = has_budgets.then_some(self.over);
        if self.total.files == 0 && self.failed.is_none() && !self.is_text() {
            session.note("there are no files of text to count")?;
        }
        let rows_shown = self.rows(session)?;
        if self.plan.summary
            && let Some(summary) = self.spread.finish(self.window)
        {
            session.emit(&Record::Summary(summary))?;
        }
        let over_in_all = self.totals(session)?;
        if !rows_shown {
            for offender in &self.offenders {
                session.note(&offender.sentence())?;
            }
        }
        self.annotate(session)?;
        Ok(match self.failed {
            Some(exit) => exit,
            None if self.over > 0 || over_in_all => Exit::Negative,
            None => Exit::Done,
        })
    }

    /// Nothing was to be walked.
    fn is_text(&self) -> bool {
        self.args.text.is_some() || self.plan.is_stream && self.args.paths.is_empty()
    }

    /// Shows the rows that were held back. Whether every file has had its row.
    fn rows(&mut self, session: &mut Session) -> Result<bool> {
        match std::mem::replace(&mut self.plan.rows, Rows::None) {
            Rows::None => Ok(false),
            Rows::Each | Rows::Over => Ok(true),
            Rows::Table(table) => {
                let rows = table.finish(self.total.tokens, self.window);
                let is_file = |row: &Record| matches!(row, Record::Count(_));
                let shown = rows.len() == self.total.files && rows.iter().all(is_file);
                rows.iter().try_for_each(|row| session.emit(row))?;
                Ok(shown)
            }
        }
    }

    /// The sums, where they say more than the rows did. Whether one is over its budget.
    fn totals(&mut self, session: &mut Session) -> Result<bool> {
        let shows = session.sink.shows_totals();
        let mut over = false;
        for sum in self.plan.budgets.sums() {
            let sentence = verdict::group_over(&sum);
            over |= sentence.is_some();
            session.emit(&Record::Group(sum))?;
            if let (Some(sentence), false) = (sentence, shows) {
                session.note(&sentence)?;
            }
        }
        let (total, budget) = (self.args.total, self.total.budget);
        // A bare number has no place for a verdict.
        let bare = session.human && (self.plan.is_stream || total) && !self.plan.is_report;
        let several = self.total.files > 1 && !self.plan.reading.is_stream();
        if self.plan.is_report {
            let unit = if self.plan.reading.is_stream() {
                "text"
            } else {
                "file"
            };
            self.total.unit = Some(unit);
        }
        if total && session.human {
            session.bare(&self.total.tokens.to_string())?;
        } else if total || several || self.plan.is_report || (budget.is_some() && !bare) {
            session.emit(&Record::Total(self.total.clone()))?;
        }
        if let Some(sentence) = verdict::total_over(&self.total) {
            over = true;
            if bare || !shows {
                session.note(&sentence)?;
            }
        }
        Ok(over)
    }

    /// Annotations, the worst first: of many, GitHub shows the first.
    fn annotate(&mut self, session: &mut Session) -> Result<()> {
        if !self.plan.annotate {
            return Ok(());
        }
        self.offenders
            .sort_by_key(|offender| std::cmp::Reverse(offender.by()));
        let sums = self.plan.budgets.sums();
        let sums = sums.filter_map(|sum| verdict::group_annotation(&sum));
        let total = verdict::total_annotation(&self.total);
        let offenders = self.offenders.iter().map(Offender::annotation);
        let all = std::mem::take(&mut self.annotations).into_iter();
        for annotation in all.chain(total).chain(sums).chain(offenders) {
            session.sink.annotate(&annotation).map_err(stdout_failed)?;
        }
        Ok(())
    }
}

/// What became of an item of the walk.
enum Outcome {
    Whole(String, Result<Counted>),
    /// The lines of a file are still to be counted.
    Lines(Found),
    Other(Item),
}

/// A file of which the tokens were to be counted.
enum Counted {
    Text(Count),
    /// Of a tree: it is left out.
    NotText,
    NotUtf8(usize),
}

impl Found {
    fn count(&self, tokenizer: &Tokenizer, plan: &Plan) -> Result<Counted> {
        let Some(text) = self.open()? else {
            return Ok(Counted::NotText);
        };
        let name = self.name();
        let count = parts::count(tokenizer, &plan.options, &plan.reading, &name, text);
        let mut count = match count {
            Err(Error::NotUtf8 { offset, .. }) if !self.named => {
                return Ok(Counted::NotUtf8(offset));
            }
            count => count?,
        };
        count.path = Some(name);
        Ok(Counted::Text(count))
    }
}

/// Tells how far a walk is.
struct Progress<'a> {
    observer: Arc<dyn Observer>,
    done: AtomicUsize,
    found: &'a AtomicUsize,
}

impl Progress<'_> {
    fn step(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        self.observer
            .count_progress(done, self.found.load(Ordering::Relaxed));
    }
}

/// The name among `names` that someone may have meant.
fn near<'n>(name: &str, names: &mut dyn Iterator<Item = &'n str>) -> Option<&'n str> {
    /// How much of two names has to be the same.
    const ENOUGH: f64 = 0.7;
    let length = name.chars().count();
    // Of names that are as near, one of the same length: letters are swapped more often than left out.
    let unlike = |known: &'n str| {
        let distance = strsim::osa_distance(name, known);
        (distance, length.abs_diff(known.chars().count()), known)
    };
    let (distance, _, near) = names.map(unlike).min()?;
    let length = length.max(near.chars().count()).max(1);
    (1.0 - distance as f64 / length as f64 >= ENOUGH).then_some(near)
}
