//! Files and trees, counted on all cores while they are walked, and reported in the order of the walk.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};

use super::Counting;
use super::plan::{Plan, Rows};
use super::walk::{Found, Item, Walk};
use crate::commands::input::ordered_parallel::map_in_parallel;
use crate::commands::parts;
use crate::commands::session::Session;
use crate::error::{Error, Result};
use crate::record::Count;
use crate::source::Observer;
use crate::tokenizer::Tokenizer;

/// Files that are read before the first of them is reported.
const FILES_AT_A_TIME: usize = 256;

/// Paths that may have been found and not been counted yet.
const FILES_AHEAD: usize = 1 << 16;

impl Counting<'_> {
    /// Counts files and trees while they are walked.
    pub(super) fn walk(&mut self, session: &mut Session, walk: &Walk) -> Result<()> {
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
            let outcomes = map_in_parallel(batch, |item| {
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
        match parts::count(tokenizer, &plan.options, &plan.reading, &name, text) {
            Err(Error::NotUtf8 { offset, .. }) if !self.named => Ok(Counted::NotUtf8(offset)),
            sizes => Ok(Counted::Text(super::count(Some(name), None, sizes?))),
        }
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
