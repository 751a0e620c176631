//! Everything a command needs from outside: the model options, standard input, and the sink for its records.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use super::input::line_blocks::Input;
use crate::error::{Error, Result};
use crate::model_ref::ModelRef;
use crate::record::{Failure, Record, Sink};
use crate::source::{AppCache, HubSettings, ModelFiles, Observer, SourceOptions};
use crate::tokenizer::{EngineChoice, Tokenizer};

/// Text formats that records can be written to a file in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextFormat {
    JsonLines,
    Csv,
    Tsv,
}

/// Makes the renderer that writes records of a text format to a file.
pub type OpenSink = for<'w> fn(TextFormat, Box<dyn Write + 'w>) -> Box<dyn Sink + 'w>;

/// The model options of the command line.
#[derive(Debug, Clone, Copy)]
pub struct ModelChoice<'s> {
    pub name: &'s str,
    /// True if a flag or a variable names the model, false for the default one.
    pub chosen: bool,
    pub revision: Option<&'s str>,
    pub offline: bool,
    /// Do not use the app cache.
    pub no_cache: bool,
    pub engine: EngineChoice,
    /// Use only the model that the lock file names.
    pub locked: bool,
    pub lock_file: &'s Path,
}

impl ModelChoice<'_> {
    /// Returns the named model, or the default one.
    ///
    /// # Errors
    /// Fails with [`Error::BadModelRef`] if the name is invalid, and with [`Error::Usage`] if a revision is given for a
    /// model that has none.
    pub fn model_ref(&self) -> Result<ModelRef> {
        let model: ModelRef = self.name.parse()?;
        match self.revision {
            Some(revision) => model.with_revision(revision),
            None => Ok(model),
        }
    }
}

/// The context that a command runs in.
pub struct Session<'s> {
    /// The model options of the command line; nothing is opened before a command asks for its files.
    pub model: ModelChoice<'s>,
    pub observer: Arc<dyn Observer>,
    pub stdin: &'s mut Input,
    pub stdin_is_terminal: bool,
    pub stdout_is_terminal: bool,
    pub sink: &'s mut dyn Sink,
    /// The output is for people: tables, and bare numbers if there is only one.
    pub human: bool,
    pub open_sink: OpenSink,
    /// The definition of the command line, from which completions and manual pages are generated.
    pub command_line: fn() -> clap::Command,
}

impl Session<'_> {
    /// Opens a model with the network and cache options of the command line.
    pub fn open(&self, model: &ModelRef) -> Result<ModelFiles> {
        let options = SourceOptions {
            offline: self.model.offline,
            hub: HubSettings::from_process_env()?,
            cache: if self.model.no_cache {
                AppCache::none()
            } else {
                AppCache::from_env(|name| std::env::var(name).ok())
            },
            observer: Arc::clone(&self.observer),
        };
        ModelFiles::open(model, options)
    }

    /// Opens the tokenizer of a model with the engine that the command line names.
    pub fn tokenizer(&self, files: &ModelFiles) -> Result<Tokenizer> {
        Ok(Tokenizer::open(files)?.with_engine(self.model.engine))
    }

    /// Writes a record.
    pub fn emit(&mut self, record: &Record) -> Result<()> {
        self.sink.emit(record).map_err(stdout_failed)
    }

    /// Writes a bare line.
    pub fn bare(&mut self, line: &str) -> Result<()> {
        self.sink.bare(line).map_err(stdout_failed)
    }

    /// Writes bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) -> Result<()> {
        self.sink.raw(bytes).map_err(stdout_failed)
    }

    /// Flushes buffered output.
    pub fn flush(&mut self) -> Result<()> {
        self.sink.flush().map_err(stdout_failed)
    }

    /// Writes an error record in place of the record that failed.
    pub fn emit_failure(
        &mut self,
        line: Option<u64>,
        path: Option<String>,
        error: &Error,
    ) -> Result<()> {
        self.emit(&Record::Error(Failure {
            line,
            path,
            code: error.code(),
            message: error.to_string(),
        }))
    }

    /// Writes a note to standard error, after flushing the output so that the two stay in order.
    pub fn note(&mut self, message: &str) -> Result<()> {
        self.flush()?;
        self.observer.note(message);
        Ok(())
    }

    /// Refuses a flag that prints bare text if a machine-readable format was chosen.
    pub fn only_for_people(&self, flag: &str) -> Result<()> {
        if self.human {
            return Ok(());
        }
        Err(Error::usage_hint(
            format!("{flag} prints bare text, which has no other format"),
            format!("leave out {flag}, or `--format`"),
        ))
    }
}

/// Returns the error for a failed write to standard output.
pub fn stdout_failed(source: io::Error) -> Error {
    Error::WriteOutput {
        output: "standard output".to_owned(),
        source,
    }
}
