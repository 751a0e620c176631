//! Counts files and the files of directories.

use super::chats::{self, CountedChat};
use super::counting::Counting;
use super::sizes::Sizes;
use crate::commands::input::file_walk::FileWalk;
use crate::commands::input::found_file::{FoundFile, Unread};
use crate::commands::input::parallel_walk::{Visit, for_each_file};
use crate::commands::session::Session;
use crate::error::{Error, Result};

/// A file from a walk, after the parallel part of the work.
enum CountedFile {
    Whole(String, Result<Sizes, Unread>),
    Chats(String, Result<Vec<CountedChat>, Unread>),
    /// A file whose lines are still to be counted, on all threads, when it is delivered.
    Lines(FoundFile),
}

impl Counting<'_> {
    /// Counts the files of a walk.
    pub fn paths(&mut self, session: &mut Session, walk: &FileWalk) -> Result<()> {
        let (tokenizer, chat, has_parts) = (self.tokenizer, self.chat, !session.is_human());
        let (options, input_format) = (self.plan.options.clone(), self.plan.input_format.clone());
        let count_file = |file: FoundFile| {
            if input_format.is_stream() {
                return CountedFile::Lines(file);
            }
            let name = file.name();
            if let Some(chat) = chat {
                let chats = file.read(input_format.utf8, |reader| {
                    let text = chats::read(&name, reader, input_format.utf8)?;
                    chats::count(tokenizer, chat, &text, has_parts)
                });
                return CountedFile::Chats(name, chats);
            }
            let sizes = file.read(input_format.utf8, |reader| {
                Sizes::of_input(tokenizer, &options, &input_format, &name, reader)
            });
            CountedFile::Whole(name, sizes)
        };
        for_each_file(session, walk, count_file, |session, visit| match visit {
            Visit::File(CountedFile::Whole(path, Ok(sizes))) => {
                self.add_text(session, Some(path), None, sizes)
            }
            Visit::File(CountedFile::Chats(path, Ok(chats))) => {
                self.add_chats(session, Some(path), chats)
            }
            Visit::File(
                CountedFile::Whole(path, Err(unread)) | CountedFile::Chats(path, Err(unread)),
            ) => self.unread(session, path, unread),
            Visit::File(CountedFile::Lines(file)) => self.lines_of(session, file),
            Visit::Stdin => self.stdin(session),
            Visit::Unreadable(path, error) => self.fail(session, None, Some(path), &error),
        })
    }

    fn unread(&mut self, session: &mut Session, path: String, unread: Unread) -> Result<()> {
        match unread {
            Unread::Skipped(note) => session.note(&note),
            Unread::Failed(error) => self.fail(session, None, Some(path), &error),
        }
    }

    fn lines_of(&mut self, session: &mut Session, file: FoundFile) -> Result<()> {
        let name = file.name();
        // Its lines are measured when they are read.
        let unmetered = FoundFile {
            meter: None,
            ..file.clone()
        };
        if let (false, Err(unread)) = (file.named, unmetered.open(self.plan.input_format.utf8)) {
            return self.unread(session, name, unread);
        }
        match self.lines(session, file.path) {
            Err(
                error @ (Error::ReadInput { .. }
                | Error::NotText { .. }
                | Error::BadJsonLine { .. }),
            ) => self.fail(session, None, Some(name), &error),
            other => other,
        }
    }
}
