//! Counts one stream: a text from the command line, standard input, or the lines of a file.

use std::path::PathBuf;

use super::chats::{self, CountedChat};
use super::counting::Counting;
use super::plan::Rows;
use super::sizes::Sizes;
use crate::commands::input::stream_start::check_stdin;
use crate::commands::input::text_args::{InputArgs, InputWays, TextArgs};
use crate::commands::input::text_format::Text;
use crate::commands::session::Session;
use crate::error::Result;

/// The result for one text, or for several texts that need only their token counts.
enum Counted {
    /// The path and line of a text, and its sizes.
    Text(Option<String>, Option<u64>, Sizes),
    Numbers(Numbers),
    /// The path of conversations, and their sizes.
    Chats(Option<String>, Vec<CountedChat>),
}

/// Token counts of several texts, formatted one per line.
#[derive(Default)]
struct Numbers {
    lines: Vec<u8>,
    texts: usize,
    sizes: Sizes,
}

impl Numbers {
    fn push(&mut self, sizes: Sizes) {
        let mut digits = itoa::Buffer::new();
        self.lines
            .extend_from_slice(digits.format(sizes.tokens).as_bytes());
        self.lines.push(b'\n');
        self.texts += 1;
        self.sizes += sizes;
    }
}

impl Counted {
    /// Merges the result for the next text into this one, as numbers. Returns `next` if it is not the result of a
    /// single text.
    fn merge(&mut self, next: Self) -> Option<Self> {
        if matches!(next, Self::Chats(..)) {
            return Some(next);
        }
        if let Self::Text(_, _, first) = *self {
            let mut numbers = Numbers::default();
            numbers.push(first);
            *self = Self::Numbers(numbers);
        }
        match (self, next) {
            (Self::Numbers(numbers), Self::Text(_, _, sizes)) => numbers.push(sizes),
            (_, next) => return Some(next),
        }
        None
    }
}

impl Counting<'_> {
    /// Counts a text given on the command line.
    pub fn text(&mut self, session: &mut Session, text: String) -> Result<()> {
        self.stream(session, vec![text], Vec::new())
    }

    /// Counts standard input.
    pub fn stdin(&mut self, session: &mut Session) -> Result<()> {
        session.expect_stdin();
        let is_stream = self.plan.input_format.is_stream();
        if is_stream || session.stdin_is_terminal || self.chat.is_some() {
            return self.stream(session, Vec::new(), Vec::new());
        }
        check_stdin(session, self.plan.input_format.utf8)?;
        let sizes = Sizes::of_input(
            self.tokenizer,
            &self.plan.options,
            &self.plan.input_format,
            "standard input",
            &mut *session.stdin,
        )?;
        self.add_text(session, self.stdin_name(), None, sizes)
    }

    /// Counts the lines of a file.
    pub fn lines(&mut self, session: &mut Session, path: PathBuf) -> Result<()> {
        self.stream(session, Vec::new(), vec![path])
    }

    fn stdin_name(&self) -> Option<String> {
        self.plan.names_stdin.then(|| "-".to_owned())
    }

    fn stream(
        &mut self,
        session: &mut Session,
        texts: Vec<String>,
        files: Vec<PathBuf>,
    ) -> Result<()> {
        let input_format = self.plan.input_format.clone();
        let input = TextArgs {
            texts,
            input: InputArgs {
                files,
                format: input_format,
            },
            ways: InputWays::PathOrTextFlag,
            are_found: true,
        };
        let (tokenizer, options) = (self.tokenizer, &self.plan.options.clone());
        // The human format shows token counts only; bytes tell whether there was any text.
        let tokens_only = session.is_human();
        let chat = self.chat;
        let measure = |text: Text<'_>| {
            if let Some(chat) = chat {
                let chats = chats::count(tokenizer, chat, &text, !tokens_only)?;
                return Ok(Counted::Chats(text.path, chats));
            }
            let sizes = if tokens_only {
                Sizes {
                    tokens: tokenizer.count(&text.text, options)?,
                    bytes: text.text.len(),
                    ..Sizes::default()
                }
            } else {
                Sizes::of_text(tokenizer, &text.text, options)?
            };
            Ok(Counted::Text(text.path, text.line, sizes))
        };
        let numbers_only = tokens_only && self.plan.has_plain_rows();
        let merge = |before: &mut Counted, next| {
            if numbers_only {
                before.merge(next)
            } else {
                Some(next)
            }
        };
        input.for_each_joined_in_parallel(session, measure, merge, |session, counted| match counted
        {
            Ok(Counted::Text(path, line, sizes)) => {
                let path = path.or_else(|| self.stdin_name());
                self.add_text(session, path, line, sizes)
            }
            Ok(Counted::Chats(path, chats)) => {
                let path = path.or_else(|| self.stdin_name());
                self.add_chats(session, path, chats)
            }
            Ok(Counted::Numbers(numbers)) => {
                self.add_to_total(numbers.texts, numbers.sizes);
                session.raw(&numbers.lines)
            }
            Err(bad) if bad.ends_run() => Err(bad.error),
            Err(bad) => {
                // An empty line keeps the numbers in step with the lines of the input.
                if session.is_human() && matches!(self.plan.rows, Rows::Each) {
                    session.bare("")?;
                }
                let path = bad.path.or_else(|| self.stdin_name());
                self.fail(session, bad.line, path, &bad.error)
            }
        })
    }
}
