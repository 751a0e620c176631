//! The context of a command: its model options, its standard input, and the sink for its records.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use super::input::line_blocks::Input;
use super::input::meter::Meter;
use crate::error::{Error, Result};
use crate::model_ref::ModelRef;
use crate::record::{Failure, Record};
use crate::render::{Annotation, Format, Sink, View};
use crate::source::{AppCache, HubSettings, ModelFiles, Observer, Reading, SourceOptions};
use crate::tokenizer::{EngineChoice, Side, Tokenizer};

/// The model options of the command line.
#[derive(Debug, Clone, Copy)]
pub struct ModelChoice<'s> {
    pub name: &'s str,
    /// True if a flag or variable names the model, false for the default model.
    pub chosen: bool,
    pub revision: Option<&'s str>,
    /// The file of the repository or directory that is the model.
    pub file: Option<&'s str>,
    pub offline: bool,
    /// Bypass the app cache.
    pub no_cache: bool,
    pub engine: EngineChoice,
    /// Take the `tokenizer.json` as it stands.
    pub as_is: bool,
    /// The reading that a flag, a variable, or a configuration file names. `None` for the default.
    pub reading: Option<Reading>,
    /// The side of a translation model.
    pub side: Option<Side>,
    /// Use only the model that the lock file names.
    pub locked: bool,
    pub lock_file: &'s Path,
}

impl ModelChoice<'_> {
    /// Returns the named model, or the default one.
    ///
    /// # Errors
    /// Fails with [`Error::BadModelRef`] if the name is invalid, or with [`Error::Usage`] if a revision is given for a
    /// model that has no revisions, or a file for one that is a file.
    pub fn model_ref(&self) -> Result<ModelRef> {
        let mut model: ModelRef = self.name.parse()?;
        if let Some(revision) = self.revision {
            model = model.with_revision(revision)?;
        }
        match self.file {
            Some(file) => model.with_file(file),
            None => Ok(model),
        }
    }
}

/// The context that a command runs in.
pub struct Session<'s> {
    /// The model options of the command line. Nothing is opened until the command asks for files.
    pub model: ModelChoice<'s>,
    pub observer: Arc<dyn Observer>,
    pub stdin: &'s mut Input,
    pub stdin_is_terminal: bool,
    /// The number of bytes in standard input, if it is a file.
    pub stdin_size: Option<u64>,
    /// Measures the input that has been read, if progress is shown.
    pub meter: Option<Arc<Meter>>,
    pub stdout_is_terminal: bool,
    pub format: Format,
    pub sink: &'s mut dyn Sink,
    /// True after the first record that is not an error.
    pub has_records: bool,
    /// Standard error, for annotations.
    pub stderr: Box<dyn Write>,
    /// The definition of the command line, from which completions and manual pages are generated.
    pub command_line: fn() -> clap::Command,
}

impl Session<'_> {
    /// Opens a model with the network and cache options of the command line.
    pub fn open(&self, model: &ModelRef) -> Result<ModelFiles> {
        let options = SourceOptions {
            offline: self.model.offline,
            hub: HubSettings::from_process_env(),
            cache: if self.model.no_cache {
                AppCache::disabled()
            } else {
                AppCache::from_env(|name| std::env::var_os(name))
            },
            observer: Arc::clone(&self.observer),
        };
        let files = ModelFiles::open(model, options)?;
        let files = files.read_as(self.model.reading.unwrap_or_default());
        Ok(if self.model.as_is {
            files.as_is()
        } else {
            files
        })
    }

    /// Opens the tokenizer of a model with the engine that the command line names.
    pub fn tokenizer(&self, files: &ModelFiles) -> Result<Tokenizer> {
        let tokenizer = Tokenizer::open(files)?.with_side(self.model.side)?;
        if let Some(assumption) = tokenizer.assumption() {
            self.observer.note(assumption);
        }
        Ok(tokenizer.with_engine(self.model.engine))
    }

    /// Opens the tokenizer of a model, with the engine built. A tokenizer that cannot be built ends the command here,
    /// and not at each text.
    pub fn encoder(&self, files: &ModelFiles) -> Result<Tokenizer> {
        let tokenizer = self.tokenizer(files)?;
        tokenizer.prepare()?;
        Ok(tokenizer)
    }

    /// Returns true if the output is for people: tables, or a bare number if the answer is a single number.
    pub fn is_human(&self) -> bool {
        self.format == Format::Human
    }

    /// Writes a record.
    pub fn emit(&mut self, record: &Record) -> Result<()> {
        self.emit_with(record, View::Plain)
    }

    /// Writes a record. The human format shows it in the given view.
    pub fn emit_with(&mut self, record: &Record, view: View) -> Result<()> {
        self.has_records |= !matches!(record, Record::Error(_));
        self.hide_progress();
        self.sink.emit(record, view).map_err(stdout_failed)
    }

    /// Returns true if a total would be shown now. Some formats cannot show one after other rows.
    pub fn shows_totals(&self) -> bool {
        self.format.has_totals_after_rows() || !self.has_records
    }

    /// Writes an annotation: to standard output in the human format, otherwise to standard error.
    pub fn annotate(&mut self, annotation: &Annotation) -> Result<()> {
        let command = annotation.to_command();
        if self.is_human() {
            return self.raw(command.as_bytes());
        }
        self.flush()?;
        let written = self.stderr.write_all(command.as_bytes());
        written.map_err(stdout_failed)
    }

    /// Removes the progress bar from the terminal, if this is where the output goes.
    fn hide_progress(&self) {
        if self.stdout_is_terminal {
            self.observer.progress_hidden();
        }
    }

    /// Announces that standard input will be read.
    pub fn expect_stdin(&self) {
        if let Some(meter) = &self.meter {
            meter.expect(self.stdin_size);
        }
    }

    /// Writes a bare line.
    pub fn bare(&mut self, line: &str) -> Result<()> {
        self.hide_progress();
        self.sink.bare(line).map_err(stdout_failed)
    }

    /// Writes bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) -> Result<()> {
        self.hide_progress();
        self.sink.raw(bytes).map_err(stdout_failed)
    }

    /// Flushes buffered output.
    pub fn flush(&mut self) -> Result<()> {
        self.sink.flush().map_err(stdout_failed)
    }

    /// Writes an error record in place of the answer that failed.
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

    /// Writes an error record in place of the answers of a whole file. People get the remedy, too, if the file has no
    /// text.
    pub fn emit_file_failure(&mut self, path: Option<String>, error: &Error) -> Result<()> {
        self.emit_failure(None, path, error)?;
        match (error, error.hint()) {
            (Error::NotText { .. } | Error::BadJsonLine { .. }, Some(hint)) if self.is_human() => {
                self.note(&hint)
            }
            _ => Ok(()),
        }
    }

    /// Writes a note to standard error, after flushing the output so that the two stay in order.
    pub fn note(&mut self, message: &str) -> Result<()> {
        self.flush()?;
        self.observer.note(message);
        Ok(())
    }

    /// Rejects a flag that prints bare text if a machine-readable format was chosen.
    pub fn only_for_people(&self, flag: &str) -> Result<()> {
        if self.is_human() {
            return Ok(());
        }
        Err(Error::usage_hint(
            format!("{flag} prints bare text and has no other format"),
            format!("drop {flag} or `--format`"),
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
