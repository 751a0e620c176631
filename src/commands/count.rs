//! `count`: how many tokens files, trees and streams have.

use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args as ClapArgs;
use ignore::WalkBuilder;

use super::input::{InputOptions, Reading, Text, TextArgs};
use super::parts::{self, count_text, count_tokens};
use super::{Session, in_parallel};
use crate::error::{Error, Exit, Result};
use crate::record::{Count, Record, Total};
use crate::tokenizer::{EncodeOptions, Tokenizer};

/// Count tokens of files, directories, standard input or a text
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Files and directories; `-` is standard input. In directories, ignored, hidden and binary files are left out
    #[arg(value_name = "PATH", conflicts_with = "text")]
    pub paths: Vec<String>,
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
    #[arg(long)]
    pub total: bool,
    #[command(flatten)]
    pub reading: Reading,
}

/// A number of tokens, as people write it: `8000`, `8k`, `1.5m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget(pub u64);

impl FromStr for Budget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (digits, factor) = match text.strip_suffix(['k', 'K']) {
            Some(digits) => (digits, 1_000),
            None => match text.strip_suffix(['m', 'M']) {
                Some(digits) => (digits, 1_000_000),
                None => (text, 1),
            },
        };
        let digits = digits.replace('_', "");
        let tokens = match digits.parse::<u64>() {
            Ok(number) => number.checked_mul(factor),
            // "1.5k" is exact in thousandths; "1.5" alone is no number of tokens.
            Err(_)
                if factor > 1
                    && digits
                        .bytes()
                        .all(|byte| byte.is_ascii_digit() || byte == b'.') =>
            {
                digits
                    .parse::<f64>()
                    .ok()
                    .map(|number| (number * factor as f64).round() as u64)
            }
            Err(_) => None,
        };
        tokens
            .map(Self)
            .ok_or_else(|| "a number of tokens is written like 8000, 8k or 1.5m".to_owned())
    }
}

/// Runs the command.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let tokenizer = session.tokenizer(&session.files()?)?;
    let mut counting = Counting {
        args,
        tokenizer: &tokenizer,
        options: EncodeOptions {
            special_tokens: !args.no_special_tokens,
            parse_special: !args.no_parse_special,
            truncation: None,
        },
        total: Total::default(),
        over: false,
        stdin_name: None,
        failed: None,
    };
    if let Some(text) = &args.text {
        counting.texts(session, vec![text.clone()])?;
    } else if args.paths.is_empty() {
        counting.texts(session, Vec::new())?;
    } else {
        for path in &args.paths {
            counting.path(session, path)?;
        }
    }
    counting.finish(session)
}

struct Counting<'a> {
    args: &'a Args,
    tokenizer: &'a Tokenizer,
    options: EncodeOptions,
    total: Total,
    /// A file, or text, is over its budget.
    over: bool,
    /// What standard input is called where it is one of several inputs.
    stdin_name: Option<String>,
    /// The exit code of the last file or line that could not be counted.
    failed: Option<Exit>,
}

impl Counting<'_> {
    /// One stream: a text of the command line, or standard input.
    fn texts(&mut self, session: &mut Session, texts: Vec<String>) -> Result<()> {
        if texts.is_empty() && !self.args.reading.is_stream() && !session.stdin_is_terminal {
            let (tokenizer, options) = (self.tokenizer, &self.options);
            let reading = &self.args.reading;
            let stdin = &mut *session.stdin;
            let mut count = parts::count(tokenizer, options, reading, "standard input", stdin)?;
            count.path.clone_from(&self.stdin_name);
            return self.take(session, count);
        }
        let options = self.input_options(Vec::new());
        self.input(session, &TextArgs { texts, options })
    }

    fn input_options(&self, files: Vec<PathBuf>) -> InputOptions {
        InputOptions {
            files,
            reading: self.args.reading.clone(),
        }
    }

    fn input(&mut self, session: &mut Session, input: &TextArgs) -> Result<()> {
        let (tokenizer, options) = (self.tokenizer, &self.options.clone());
        // People see the numbers of tokens only.
        let bare = session.human;
        let work = |text: Text| {
            let count = if bare {
                count_tokens(tokenizer, &text.text, options)
            } else {
                count_text(tokenizer, &text.text, options)
            };
            Ok(Count {
                path: text.path,
                line: text.line,
                ..count?
            })
        };
        input.for_each_in_parallel(session, work, |session, count| match count {
            Ok(mut count) => {
                count.path = count.path.or_else(|| self.stdin_name.clone());
                self.take(session, count)
            }
            Err((Some(line), error)) => {
                self.failed = Some(error.exit());
                if session.human && !self.args.total {
                    session.bare("")?;
                }
                session.emit_failure(Some(line), None, &error)
            }
            Err((None, error)) => Err(error),
        })
    }

    fn path(&mut self, session: &mut Session, path: &str) -> Result<()> {
        if path == "-" {
            self.stdin_name = (self.args.paths.len() > 1).then(|| path.to_owned());
            return self.texts(session, Vec::new());
        }
        if self.args.reading.is_stream() {
            let input = TextArgs {
                texts: Vec::new(),
                options: self.input_options(vec![path.into()]),
            };
            return self.input(session, &input);
        }
        if !Path::new(path).is_dir() {
            return self.files(session, vec![Found::named(path)]);
        }
        let mut found = Vec::new();
        for entry in WalkBuilder::new(path).sort_by_file_path(Path::cmp).build() {
            match entry {
                Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_file()) => {
                    found.push(Found::in_tree(entry.path()));
                }
                Ok(_) => {}
                Err(error) => {
                    self.failed = Some(Exit::Usage);
                    session.note(&format!("skipped: {error}"))?;
                }
            }
            if found.len() == FILES_AT_A_TIME {
                self.files(session, std::mem::take(&mut found))?;
            }
        }
        self.files(session, found)
    }

    /// Counts files on all cores, and reports them in their order.
    fn files(&mut self, session: &mut Session, found: Vec<Found>) -> Result<()> {
        let (tokenizer, options, args) = (self.tokenizer, &self.options, self.args);
        let outcomes = in_parallel(found, |found| {
            let outcome = found.count(tokenizer, options, args);
            (found.path, outcome)
        });
        for (path, outcome) in outcomes {
            match outcome {
                Ok(Some(count)) => self.take(session, count)?,
                Ok(None) => session.note(&format!("skipped {path}: it is not text"))?,
                // An error stands in the file's place, and the rest goes on.
                Err(error) => {
                    self.failed = Some(error.exit());
                    session.emit_failure(None, Some(path), &error)?;
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, session: &mut Session, mut count: Count) -> Result<()> {
        self.total.files += 1;
        self.total.tokens += count.tokens;
        self.total.words += count.words;
        self.total.chars += count.chars;
        self.total.bytes += count.bytes;
        self.total.lines += count.lines;
        if let Some(Budget(budget)) = self.args.budget_per_file {
            let within = count.tokens as u64 <= budget;
            self.over |= !within;
            count.budget = Some(budget);
            count.within_budget = Some(within);
            if !within && count.path.is_none() && session.human {
                let by = count.tokens as u64 - budget;
                session.note(&format!(
                    "over the budget of {budget} tokens a text by {by}"
                ))?;
            }
        }
        if self.args.total {
            return Ok(());
        }
        if session.human && (count.path.is_none() || count.line.is_some()) {
            return session.bare(&count.tokens.to_string());
        }
        session.emit(&Record::Count(count))
    }

    /// The total, where it says more than the counts did, and the verdict.
    fn finish(mut self, session: &mut Session) -> Result<Exit> {
        if let Some(Budget(budget)) = self.args.budget {
            let within = self.total.tokens as u64 <= budget;
            self.over |= !within;
            self.total.budget = Some(budget);
            self.total.within_budget = Some(within);
        }
        if self.total.files == 0 && self.failed.is_none() && !self.args.paths.is_empty() {
            session.note("there are no files of text to count")?;
        }
        // A bare number has no place for a verdict.
        let stream = self.args.paths.is_empty() || self.args.paths == ["-"];
        let bare = session.human && (stream || self.args.total);
        let several = self.total.files > 1 && !self.args.reading.is_stream();
        if self.args.total && session.human {
            session.bare(&self.total.tokens.to_string())?;
        } else if self.args.total || several || (self.args.budget.is_some() && !bare) {
            session.emit(&Record::Total(self.total.clone()))?;
        }
        if let (true, Some(Budget(budget)), Some(false)) =
            (bare, self.args.budget, self.total.within_budget)
        {
            let by = self.total.tokens as u64 - budget;
            session.note(&format!("over the budget of {budget} tokens by {by}"))?;
        }
        Ok(match self.failed {
            Some(exit) => exit,
            None if self.over => Exit::Negative,
            None => Exit::Done,
        })
    }
}

/// Files that are read before the first of them is reported.
const FILES_AT_A_TIME: usize = 256;

/// A file to be counted.
struct Found {
    path: String,
    /// It was named, rather than found in a tree: then it is an error if it is no text.
    named: bool,
}

impl Found {
    fn named(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            named: true,
        }
    }

    fn in_tree(path: &Path) -> Self {
        Self {
            path: path.display().to_string(),
            named: false,
        }
    }

    /// The count; none for a file of a tree that is no text.
    fn count(
        &self,
        tokenizer: &Tokenizer,
        options: &EncodeOptions,
        args: &Args,
    ) -> Result<Option<Count>> {
        let text = open_text(Path::new(&self.path), self.named);
        let text = text.map_err(|source| Error::ReadInput {
            input: self.path.clone(),
            source,
        })?;
        let Some(text) = text else {
            return Ok(None);
        };
        let count = parts::count(tokenizer, options, &args.reading, &self.path, text);
        let mut count = match count {
            Err(Error::NotUtf8 { .. }) if !self.named => return Ok(None),
            count => count?,
        };
        count.path = Some(self.path.clone());
        Ok(Some(count))
    }
}

/// The bytes of a file, to be read; none if a zero byte near the start says that they are no text, unless `named`.
fn open_text(path: &Path, named: bool) -> io::Result<Option<impl Read>> {
    /// As far as git and ripgrep look for a zero byte.
    const LOOK: u64 = 8 * 1024;
    let mut file = std::fs::File::open(path)?;
    let mut head = Vec::new();
    file.by_ref().take(LOOK).read_to_end(&mut head)?;
    if head.contains(&0) && !named {
        return Ok(None);
    }
    Ok(Some(Cursor::new(head).chain(file)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_are_read_as_people_write_them() {
        for (text, tokens) in [
            ("8000", 8_000),
            ("8k", 8_000),
            ("128K", 128_000),
            ("1.5m", 1_500_000),
            ("8_000", 8_000),
        ] {
            assert_eq!(text.parse(), Ok(Budget(tokens)), "{text}");
        }
        for text in [
            "",
            "k",
            "-1",
            "8kb",
            "1.5",
            "1e3",
            "inf",
            "99999999999999999999",
        ] {
            assert!(text.parse::<Budget>().is_err(), "{text}");
        }
    }
}
