//! A run of `grep`: searches files, directories, and standard input, and reports the matches.

use std::io::BufReader;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::search::{FileMatches, Search};
use crate::commands::input::file_walk::FileWalk;
use crate::commands::input::found_file::{FoundFile, Unread};
use crate::commands::input::parallel_walk::{Visit, for_each_file};
use crate::commands::input::stream_start::check_stdin;
use crate::commands::session::Session;
use crate::error::{Error, Exit, Result};
use crate::record::{Match, Record};
use crate::render::View;

/// The state of a run.
pub struct Searching<'a> {
    search: &'a Search<'a>,
    found: bool,
    /// Number of files that were searched.
    files: usize,
    /// The exit code for the last file that could not be searched.
    failed: Option<Exit>,
}

impl<'a> Searching<'a> {
    pub fn new(search: &'a Search<'a>) -> Self {
        Self {
            search,
            found: false,
            files: 0,
            failed: None,
        }
    }

    /// Returns the exit code: that of the last file that failed, or else 0 if there was a match and 1 if not.
    pub fn exit(&self) -> Exit {
        match self.failed {
            Some(exit) => exit,
            None if self.found => Exit::Done,
            None => Exit::Negative,
        }
    }

    /// Searches files and directories.
    pub fn paths(&mut self, session: &mut Session, walk: &FileWalk) -> Result<()> {
        let search = self.search;
        let held = AtomicUsize::new(0);
        let search_file = |file: FoundFile| {
            let matches = search.file_matches(&file, &held);
            (file, matches)
        };
        for_each_file(session, walk, search_file, |session, visit| match visit {
            Visit::File((file, matches)) => self.file(session, &file, matches, &held),
            Visit::Stdin => self.stdin(session, Some("-")),
            Visit::Unreadable(path, error) => self.fail(session, path, &error),
        })?;
        if self.files == 0 && self.failed.is_none() {
            session.note("found no text files to search")?;
        }
        Ok(())
    }

    /// Searches standard input.
    pub fn stdin(&mut self, session: &mut Session, path: Option<&str>) -> Result<()> {
        if session.stdin_is_terminal {
            return Err(Error::usage_hint(
                "no text is given",
                "name files or directories, or pipe text in",
            ));
        }
        let empty = BufReader::with_capacity(0, Box::new(std::io::empty()) as _);
        let search = self.search;
        session.expect_stdin();
        check_stdin(session, search.utf8())?;
        let stdin = std::mem::replace(session.stdin, empty);
        self.files += 1;
        search.for_each_match(path, "standard input", stdin, |found, view| {
            self.emit(session, found, view)
        })
    }

    fn file(
        &mut self,
        session: &mut Session,
        file: &FoundFile,
        matches: Result<FileMatches, Unread>,
        held: &AtomicUsize,
    ) -> Result<()> {
        let outcome = match matches {
            Ok(FileMatches::All(matches)) => {
                held.fetch_sub(matches.len(), Ordering::Relaxed);
                let mut matches = matches.into_iter();
                matches.try_for_each(|(found, view)| self.emit(session, found, view))?;
                Ok(())
            }
            Ok(FileMatches::TooMany) => self.search_again(session, file),
            Err(unread) => Err(unread),
        };
        match outcome {
            Ok(()) => {
                self.files += 1;
                Ok(())
            }
            Err(Unread::Skipped(note)) => session.note(&note),
            Err(Unread::Failed(error @ Error::WriteOutput { .. })) => Err(error),
            Err(Unread::Failed(error)) => self.fail(session, file.name(), &error),
        }
    }

    /// Searches a file again that had too many matches to hold, and reports them as they are found.
    fn search_again(&mut self, session: &mut Session, file: &FoundFile) -> Result<(), Unread> {
        let (search, name) = (self.search, file.name());
        // The meter has counted the file already.
        let file = FoundFile {
            meter: None,
            ..file.clone()
        };
        file.read(search.utf8(), |reader| {
            search.for_each_match(Some(&name), &name, reader, |found, view| {
                self.emit(session, found, view)
            })
        })
    }

    fn emit(&mut self, session: &mut Session, found: Match, view: View) -> Result<()> {
        self.found = true;
        session.emit_with(&Record::Match(found), view)
    }

    fn fail(&mut self, session: &mut Session, path: String, error: &Error) -> Result<()> {
        self.failed = Some(error.exit());
        session.emit_file_failure(Some(path), error)
    }
}
