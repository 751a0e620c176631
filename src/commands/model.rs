//! The model of a command: its files, tokenizer, embedding matrix, and context window.

use clap::Args;

use super::lock_state;
use super::session::{ModelChoice, Session};
use crate::embedding::EmbeddingMatrix;
use crate::error::{Error, Result};
use crate::formats::context_window::{ContextWindow, SENTENCE_BERT_CONFIG, sentence_bert_limit};
use crate::formats::model_config::ModelConfig;
use crate::record::Fetched;
use crate::source::ModelFiles;
use crate::tokenizer::Tokenizer;

impl Session<'_> {
    /// Opens the model named by the command line or, under `--locked`, by the lock file.
    pub fn files(&self) -> Result<ModelFiles> {
        self.files_of(&self.model)
    }

    /// Opens the model of `choice`, which may come from a configuration file.
    pub fn files_of(&self, choice: &ModelChoice) -> Result<ModelFiles> {
        if choice.locked {
            lock_state::open(self, choice)
        } else {
            self.open(&choice.model_ref()?)
        }
    }
}

/// A model with its tokenizer and embedding matrix, for the commands that need both.
pub struct Model {
    pub files: ModelFiles,
    pub tokenizer: Tokenizer,
    pub matrix: EmbeddingMatrix,
}

/// Options that control how a command reads the checkpoint of a model on the Hub.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct CheckpointOptions {
    /// Download and verify the whole checkpoint instead of fetching only the bytes that are needed
    #[arg(long)]
    pub download: bool,
}

impl Model {
    /// Opens the model of the command line. A checkpoint that is not cached is read by ranges, or downloaded as a whole
    /// under `--download`.
    pub fn open(session: &Session, options: CheckpointOptions) -> Result<Self> {
        let mut files = session.files()?;
        if options.download {
            files = files.whole();
        }
        let tokenizer = session.tokenizer(&files)?;
        let matrix = EmbeddingMatrix::open(&files)?;
        Ok(Self {
            files,
            tokenizer,
            matrix,
        })
    }

    /// Checks that an id has a row.
    pub fn check_row(&self, id: u64) -> Result<()> {
        let rows = self.matrix.rows();
        if id < rows {
            return Ok(());
        }
        let last = rows.saturating_sub(1);
        Err(Error::NoSuchRow { id, last })
    }
}

/// Reads the `config.json` of a model. Returns `None` if it has none.
pub fn config(files: &ModelFiles) -> Result<Option<ModelConfig>> {
    match files.find("config.json")? {
        Some(file) => Ok(Some(ModelConfig::parse(file.name(), &file.read_all()?)?)),
        None => Ok(None),
    }
}

/// Returns the context window of a model: the smallest that `config.json`, the tokenizer, or sentence-transformers sets.
/// Returns `None` if none does.
///
/// # Errors
/// Fails if a file cannot be read.
pub fn context_window(
    files: &ModelFiles,
    config: Option<&ModelConfig>,
    tokenizer: Option<&Tokenizer>,
) -> Result<Option<ContextWindow>> {
    let declared = config.and_then(|config| config.context_window.clone());
    let limit = tokenizer
        .and_then(Tokenizer::max_length)
        .map(|tokens| ContextWindow::new(tokens, "tokenizer_config.json", "model_max_length"));
    let of_sentences = match files.find_known(SENTENCE_BERT_CONFIG)? {
        Some(file) => sentence_bert_limit(file.name(), &file.read_all()?)?,
        None => None,
    };
    let windows = [declared, limit, of_sentences].into_iter().flatten();
    Ok(windows.min_by_key(|window| window.tokens))
}

/// Returns the number of bytes and requests so far, for the records of an answer.
pub fn fetched(files: &ModelFiles) -> Fetched {
    let fetched = files.fetched();
    Fetched {
        bytes_fetched: fetched.map(|fetched| fetched.bytes),
        requests: fetched.map(|fetched| fetched.requests),
    }
}
