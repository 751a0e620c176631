//! The model of a command: its files, tokenizer, embedding matrix, and context window.

use std::borrow::Cow;
use std::sync::OnceLock;

use clap::Args;

use super::lock_state;
use super::session::{ModelChoice, Session};
use crate::embedding::EmbeddingMatrix;
use crate::error::{Error, Result};
use crate::formats::context_window::{ContextWindow, SENTENCE_BERT_CONFIG, sentence_bert_limit};
use crate::formats::gguf::{Gguf, model_file as gguf_file};
use crate::formats::model_config::ModelConfig;
use crate::formats::quote::quote;
use crate::record::Fetched;
use crate::render::numbers::quantity;
use crate::source::{FileKind, ModelFiles};
use crate::tokenizer::{EngineChoice, GgufPieces, Tokenizer};

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
            let files = self.open(&choice.model_ref()?)?;
            Ok(files.read_as(choice.reading.unwrap_or_default()))
        }
    }
}

/// A model with its embedding matrix and, unless it has none, its tokenizer.
pub struct Model {
    pub files: ModelFiles,
    pub matrix: EmbeddingMatrix,
    /// Empty if the model has none, or it is not opened yet.
    tokenizer: OnceLock<Tokenizer>,
    /// The vocabulary of a GGUF file, whose tokenizer is opened when a text or a piece is looked up.
    pieces: Option<GgufPieces>,
    /// True if there is a vocabulary, but the rows are not those of its tokens.
    has_other_rows: bool,
    engine: EngineChoice,
}

/// Options that control how a command reads the checkpoint of a model on the Hub.
#[derive(Debug, Clone, Default, Args)]
pub struct CheckpointOptions {
    /// Download and verify the whole checkpoint instead of fetching only the bytes that are needed
    #[arg(long)]
    pub download: bool,
    /// Read the rows of this matrix of the checkpoint, such as lm_head.weight, instead of the word embeddings
    #[arg(long, value_name = "NAME")]
    pub tensor: Option<String>,
}

impl Model {
    /// Opens the model of the command line. A checkpoint that is not cached is read by ranges, or downloaded as a whole
    /// under `--download`. A missing tokenizer is not an error, as rows can be selected by id.
    pub fn open(session: &Session, options: &CheckpointOptions) -> Result<Self> {
        let mut files = session.files()?;
        if options.download {
            files = files.whole();
        }
        let mut pieces = GgufPieces::open(&files)?;
        let (mut tokenizer, missing) = match pieces {
            Some(_) => (OnceLock::new(), None),
            None => match session.tokenizer(&files) {
                Ok(tokenizer) => (OnceLock::from(tokenizer), None),
                Err(error @ Error::MissingPart { .. }) => (OnceLock::new(), Some(error)),
                Err(error) => return Err(error),
            },
        };
        let opened = match &options.tensor {
            Some(name) => EmbeddingMatrix::open_tensor(&files, name),
            None => EmbeddingMatrix::open(&files),
        };
        let matrix = match (opened, missing) {
            (Ok(matrix), _) => matrix,
            // A model with neither needs a tokenizer first.
            (Err(Error::MissingPart { .. }), Some(missing)) => return Err(missing),
            (Err(error), _) => return Err(error),
        };
        let size = match (tokenizer.get(), &pieces) {
            (Some(tokenizer), _) => Some(tokenizer.vocabulary().size()),
            (None, pieces) => pieces.as_ref().map(GgufPieces::count),
        };
        let has_tokens = match (&options.tensor, size) {
            (Some(_), Some(size)) => has_rows_of_tokens(&files, &matrix, size as u64),
            (Some(_), None) => true,
            // The rows of a textual inversion are no tokens of the tokenizer beside it.
            (None, _) => matrix.has_ids(),
        };
        if !has_tokens {
            (tokenizer, pieces) = (OnceLock::new(), None);
        }
        let has_other_rows = options.tensor.is_some() && !has_tokens;
        Ok(Self {
            files,
            matrix,
            tokenizer,
            pieces,
            has_other_rows,
            engine: session.model.engine,
        })
    }

    /// Returns the tokenizer, for texts and pieces.
    ///
    /// # Errors
    /// Fails with [`Error::MissingPart`] if the model has none, or with the error of opening that of a GGUF file.
    pub fn tokenizer(&self) -> Result<&Tokenizer> {
        if let Some(tokenizer) = self.tokenizer.get() {
            return Ok(tokenizer);
        }
        if self.pieces.is_some() {
            let tokenizer = Tokenizer::open(&self.files)?.with_engine(self.engine);
            return Ok(self.tokenizer.get_or_init(|| tokenizer));
        }
        if self.has_other_rows {
            let tensor = quote(self.matrix.tensor());
            let rows = quantity(self.matrix.rows(), "row");
            let problem = format!("{tensor} has {rows}, not one for each token");
            return Err(Error::usage_hint(problem, "select rows with `--id N`"));
        }
        let error = Error::MissingPart {
            place: self.files.place(),
            what: "tokenizer for texts and pieces",
            hint: None,
        };
        Err(error.with_hint("select rows with `--id N`"))
    }

    /// Returns true if the model has a vocabulary, so that an id without a piece has no token.
    pub fn has_vocabulary(&self) -> bool {
        self.tokenizer.get().is_some() || self.pieces.is_some()
    }

    /// Returns the piece of an id, or the word of a row of word vectors. Returns `None` if no token has the id, or the
    /// model has no vocabulary.
    pub fn piece(&self, id: u32) -> Option<Cow<'_, str>> {
        if let Some(words) = self.matrix.words() {
            return words.shown_word(u64::from(id)).map(Cow::Owned);
        }
        match (self.tokenizer.get(), &self.pieces) {
            (Some(tokenizer), _) => tokenizer.piece(id).map(Cow::Borrowed),
            (None, pieces) => pieces.as_ref()?.piece(id),
        }
    }

    /// Returns the id of a piece or of a word, spelled exactly like this.
    ///
    /// # Errors
    /// Fails with [`Error::UnknownPiece`] if there is none, and with [`Error::MissingPart`] if the model has no tokenizer.
    pub fn id_of(&self, piece: &str) -> Result<u32> {
        let Some(words) = self.matrix.words() else {
            return self.tokenizer()?.id_of(piece);
        };
        let row = words.find(piece)?.and_then(|row| u32::try_from(row).ok());
        if let Some(row) = row {
            return Ok(row);
        }
        let mut others = [
            piece.to_lowercase(),
            capitalized(piece),
            piece.to_uppercase(),
        ]
        .into_iter();
        let near = others.find(|other| other != piece && matches!(words.find(other), Ok(Some(_))));
        Err(Error::UnknownPiece {
            piece: piece.to_owned(),
            near,
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

/// Returns true if a matrix has as many rows as the vocabulary has tokens, or as the word embeddings, which may have more.
fn has_rows_of_tokens(files: &ModelFiles, matrix: &EmbeddingMatrix, size: u64) -> bool {
    let rows = matrix.rows();
    rows == size || EmbeddingMatrix::open(files).is_ok_and(|words| words.rows() == rows)
}

fn capitalized(word: &str) -> String {
    let mut chars = word.chars();
    let first = chars.next().into_iter().flat_map(char::to_uppercase);
    first.chain(chars).collect()
}

/// Reads the `config.json` of a model. Returns `None` if it has none.
pub fn config(files: &ModelFiles) -> Result<Option<ModelConfig>> {
    match files.find("config.json")? {
        Some(file) => Ok(Some(ModelConfig::parse(file.name(), &file.read_all()?)?)),
        None => Ok(None),
    }
}

/// Reads the metadata of the GGUF file that is the model by itself, or that holds its matrix. Returns `None` if there is
/// none, or if it cannot be read, which opening the matrix reports.
pub fn gguf_config(files: &ModelFiles, matrix: Option<&EmbeddingMatrix>) -> Option<ModelConfig> {
    let is_gguf = matches!(files.only_kind(), Ok(Some(FileKind::Gguf)))
        || matrix.is_some_and(|matrix| gguf_file::is_gguf(matrix.file()));
    let (name, file) = is_gguf.then(|| gguf_file::find(files).ok()?)??;
    let gguf = Gguf::read(file.as_ref()).ok()?;
    gguf.config(file.as_ref(), &name).ok()
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
