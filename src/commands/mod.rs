//! One file, one subcommand: its `Args`, a pure function that computes records, and `run`.
//!
//! What a command needs of the world comes in through its [`Session`]: the model, standard input, and the sink that
//! takes the records.

pub mod check;
pub mod chunk;
pub mod completions;
pub mod convert;
pub mod count;
pub mod decode;
pub mod diff;
pub mod embed;
pub mod grep;
pub mod head;
pub mod info;
pub mod input;
pub mod lock;
pub mod lock_state;
pub mod man;
pub mod neighbors;
pub mod other_tools;
pub mod parts;
pub mod pull;
pub mod row_selection;
pub mod similarity;
pub mod split;
pub mod stats;
pub mod tail;
pub mod tokenize;
pub mod verify;
pub mod vocab;

use std::io::{self, BufReader, Read, Write};
use std::path::Path;
use std::sync::Arc;

use clap::Args as ClapArgs;
use rayon::prelude::*;

use crate::embedding::EmbeddingMatrix;
use crate::error::{Error, Result};
use crate::formats::config::ModelConfig;
use crate::model_ref::ModelRef;
use crate::record::{Failure, Fetched, Record, Sink};
use crate::source::{HubSettings, ModelFiles, Observer, OwnCache, SourceOptions};
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
    /// It is named by a flag or a variable, and is not the default.
    pub chosen: bool,
    pub revision: Option<&'s str>,
    pub offline: bool,
    /// Do without tokscope's own cache.
    pub no_cache: bool,
    pub engine: EngineChoice,
    /// Use the model that the lock file names, and nothing else.
    pub locked: bool,
    pub lock_file: &'s Path,
}

impl ModelChoice<'_> {
    /// The model that is named, or the default one.
    ///
    /// # Errors
    /// [`Error::BadModelRef`], and [`Error::Usage`] for a revision that it cannot have.
    pub fn model_ref(&self) -> Result<ModelRef> {
        let model: ModelRef = self.name.parse()?;
        match self.revision {
            Some(revision) => model.with_revision(revision),
            None => Ok(model),
        }
    }
}

/// A stream of input, of which it can be told whether more is at hand.
pub type Input = BufReader<Box<dyn Read + Send>>;

/// The world as a command sees it.
pub struct Session<'s> {
    /// What the command line says of the model; read when a command asks for its files.
    pub model: ModelChoice<'s>,
    pub observer: Arc<dyn Observer>,
    pub stdin: &'s mut Input,
    pub stdin_is_terminal: bool,
    pub stdout_is_terminal: bool,
    pub sink: &'s mut dyn Sink,
    /// The answer is for people: tables, and bare numbers where there is only one.
    pub human: bool,
    pub open_sink: OpenSink,
    /// The definition of the command line, for what is generated from it.
    pub command_line: fn() -> clap::Command,
}

impl Session<'_> {
    /// The files of the model that the command line names, or under `--locked` the lock file.
    pub fn files(&self) -> Result<ModelFiles> {
        self.files_of(&self.model)
    }

    /// The files of a model that is chosen in place of that, by a file of settings say.
    pub fn files_of(&self, choice: &ModelChoice) -> Result<ModelFiles> {
        match choice.locked {
            true => lock_state::open(self),
            false => self.open(&choice.model_ref()?),
        }
    }

    /// The files of a model, reached as the command line says.
    pub fn open(&self, model: &ModelRef) -> Result<ModelFiles> {
        let options = SourceOptions {
            offline: self.model.offline,
            hub: HubSettings::from_process_env()?,
            cache: if self.model.no_cache {
                OwnCache::none()
            } else {
                OwnCache::from_env(|name| std::env::var(name).ok())
            },
            observer: Arc::clone(&self.observer),
        };
        ModelFiles::open(model, options)
    }

    /// The tokenizer among those files, with the engine that the command line names.
    pub fn tokenizer(&self, files: &ModelFiles) -> Result<Tokenizer> {
        Ok(Tokenizer::open(files)?.with_engine(self.model.engine))
    }

    /// Sends a record to the reader.
    pub fn emit(&mut self, record: &Record) -> Result<()> {
        self.sink.emit(record).map_err(stdout_failed)
    }

    /// Sends a bare line to the reader.
    pub fn bare(&mut self, line: &str) -> Result<()> {
        self.sink.bare(line).map_err(stdout_failed)
    }

    /// Sends records that have been made into bytes.
    pub fn raw(&mut self, bytes: &[u8]) -> Result<()> {
        self.sink.raw(bytes).map_err(stdout_failed)
    }

    /// Sends on what is held back.
    pub fn flush(&mut self) -> Result<()> {
        self.sink.flush().map_err(stdout_failed)
    }

    /// Sends the failure of one record of a stream to the reader, in its place.
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

    /// Says something to the person, beside the answer.
    pub fn note(&mut self, message: &str) -> Result<()> {
        self.sink.flush().map_err(stdout_failed)?;
        self.observer.note(message);
        Ok(())
    }

    /// Refuses a bare form of the answer, named by its flag, where a format was asked for.
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

fn stdout_failed(source: io::Error) -> Error {
    Error::WriteOutput {
        output: "standard output".to_owned(),
        source,
    }
}

/// What `work` makes of every item, in their order, on all cores where there are several items.
fn in_parallel<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Send + Sync) -> Vec<R> {
    if items.len() < 2 {
        // A single text does not wait for threads to start.
        return items.into_iter().map(work).collect();
    }
    items.into_par_iter().map(work).collect()
}

/// The parsed `config.json` of a model, if it has one.
fn config(files: &ModelFiles) -> Result<Option<ModelConfig>> {
    match files.find("config.json")? {
        Some(file) => Ok(Some(ModelConfig::parse(file.name(), &file.read_all()?)?)),
        None => Ok(None),
    }
}

/// Tokens that fit the model: `max_position_embeddings`, or where the tokenizer's own limit is smaller, that.
fn context_window(config: Option<&ModelConfig>, tokenizer: Option<&Tokenizer>) -> Option<u64> {
    let declared = config
        .and_then(|config| config.max_position_embeddings)
        .filter(|tokens| *tokens > 0);
    let limit = tokenizer.and_then(Tokenizer::max_length);
    match (declared, limit) {
        (Some(declared), Some(limit)) => Some(declared.min(limit)),
        (declared, limit) => declared.or(limit),
    }
}

/// Tokenizer and matrix of a model, for the commands that need both.
pub struct Model {
    pub files: ModelFiles,
    pub tokenizer: Tokenizer,
    pub matrix: EmbeddingMatrix,
}

/// How the commands on rows reach the checkpoint of a model of the Hub.
#[derive(Debug, Clone, Copy, Default, ClapArgs)]
pub struct CheckpointOptions {
    /// Fetch the whole checkpoint into the Hub cache, verified, rather than the bytes that are needed
    #[arg(long)]
    pub download: bool,
}

impl Model {
    /// The model, with its checkpoint read by ranges where it is not in the cache.
    pub fn open(session: &Session) -> Result<Self> {
        Self::open_with(session, CheckpointOptions::default())
    }

    pub fn open_with(session: &Session, options: CheckpointOptions) -> Result<Self> {
        let files = match options.download {
            true => session.files()?.whole(),
            false => session.files()?,
        };
        let tokenizer = session.tokenizer(&files)?;
        let matrix = EmbeddingMatrix::open(&files)?;
        Ok(Self {
            files,
            tokenizer,
            matrix,
        })
    }

    /// Refuses an id beyond the matrix.
    fn check_row(&self, id: u64) -> Result<()> {
        let rows = self.matrix.rows();
        if id < rows {
            return Ok(());
        }
        let last = rows.saturating_sub(1);
        Err(Error::NoSuchRow { id, last })
    }
}

/// What the answer has cost so far, as records carry it.
fn fetched(files: &ModelFiles) -> Fetched {
    let fetched = files.fetched();
    Fetched {
        bytes_fetched: fetched.map(|fetched| fetched.bytes),
        requests: fetched.map(|fetched| fetched.requests),
    }
}
