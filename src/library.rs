//! The library: a small, stable face over the modules that the program is made of.

use std::sync::Arc;

use crate::embedding;
use crate::embedding::metric::Metric;
use crate::embedding::nearest::{SearchOptions, nearest};
use crate::embedding::query::{Query, Sign, Term};
use crate::error::{Error, Result};
use crate::model_ref::ModelRef;
use crate::source::{AppCache, HubSettings, ModelFiles, Reading, SourceOptions, Unobserved};
use crate::tokenizer::{self, EncodeOptions, Encoded, Encoding};

/// Options for opening the tokenizer or the embedding matrix of a model.
///
/// A model is named as on the command line: `owner/name` or `owner/name@revision` on the Hub, the path of a directory
/// or of a GGUF file, or `demo`, a small model that is built in. The environment variables of `huggingface_hub` apply, such as `HF_HOME`,
/// `HF_TOKEN`, and `HF_ENDPOINT`. Files are shared with Python through the Hub cache.
///
/// ```no_run
/// use tokscope::OpenOptions;
///
/// let options = OpenOptions::new().revision("main").offline(true);
/// let tokenizer = options.tokenizer("microsoft/deberta-v3-xsmall")?;
/// let matrix = options.matrix("microsoft/deberta-v3-xsmall")?;
/// # Ok::<(), tokscope::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct OpenOptions {
    offline: bool,
    revision: Option<String>,
    download: bool,
    as_is: bool,
    reading: Reading,
}

impl OpenOptions {
    pub fn new() -> Self {
        Self::default()
    }

    /// Uses only cached files, without the network. `HF_HUB_OFFLINE=1` in the environment does the same.
    #[must_use]
    pub fn offline(self, offline: bool) -> Self {
        Self { offline, ..self }
    }

    /// Opens the model at a branch, a tag, `refs/pr/N`, or a commit, instead of at `main`.
    #[must_use]
    pub fn revision(self, revision: impl Into<String>) -> Self {
        Self {
            revision: Some(revision.into()),
            ..self
        }
    }

    /// Downloads a checkpoint as a whole and verifies its digest, instead of fetching only the bytes of the rows read.
    #[must_use]
    pub fn download(self, download: bool) -> Self {
        Self { download, ..self }
    }

    /// Takes a `tokenizer.json` as it stands, like the `tokenizers` library, without the model's other files and without
    /// the changes that its class makes.
    #[must_use]
    pub fn as_is(self, as_is: bool) -> Self {
        Self { as_is, ..self }
    }

    /// Reads the files of the tokenizer as a library does, by default as transformers 4.48.3.
    #[must_use]
    pub fn reading(self, reading: Reading) -> Self {
        Self { reading, ..self }
    }

    /// Opens the tokenizer of a model.
    ///
    /// # Errors
    /// Fails with [`Error::BadModelRef`] if `model` names no model, with [`Error::MissingPart`] if the model has no
    /// tokenizer, with [`Error::Damaged`] or [`Error::Unsupported`] if its files cannot be used, and with
    /// [`Error::HubUnreachable`], [`Error::NotCached`], [`Error::ModelNotFound`], or [`Error::Gated`] if they cannot be
    /// fetched.
    pub fn tokenizer(&self, model: &str) -> Result<Tokenizer> {
        let inner = tokenizer::Tokenizer::open(&self.files(model)?)?;
        Ok(Tokenizer { inner })
    }

    /// Opens the embedding matrix of a model.
    ///
    /// # Errors
    /// Fails like [`OpenOptions::tokenizer`], and with [`Error::Unsupported`] if the checkpoint has no word-embedding
    /// matrix of floating-point numbers.
    pub fn matrix(&self, model: &str) -> Result<EmbeddingMatrix> {
        let inner = embedding::EmbeddingMatrix::open(&self.files(model)?)?;
        Ok(EmbeddingMatrix { inner })
    }

    fn files(&self, model: &str) -> Result<ModelFiles> {
        let mut model: ModelRef = model.parse()?;
        if let Some(revision) = &self.revision {
            model = model.with_revision(revision)?;
        }
        let options = SourceOptions {
            offline: self.offline,
            hub: HubSettings::from_process_env(),
            cache: AppCache::from_env(|name| std::env::var_os(name)),
            observer: Arc::new(Unobserved),
        };
        let files = ModelFiles::open(&model, options)?.read_as(self.reading);
        let files = if self.as_is { files.as_is() } else { files };
        Ok(if self.download { files.whole() } else { files })
    }
}

/// The tokenizer of a model.
///
/// Encodes and decodes exactly as transformers 4.48.3 does with its fast tokenizers. Opening reads the files; the first
/// encoding builds the engine. A tokenizer can be shared between threads.
///
/// ```
/// use tokscope::Tokenizer;
///
/// let tokenizer = Tokenizer::open("demo")?;
/// let encoding = tokenizer.encode("banco de madera")?;
/// assert_eq!(encoding.tokens.join(" "), "[CLS] ▁banco ▁de ▁madera [SEP]");
/// assert_eq!(encoding.offsets[1], (0, 5));
/// assert_eq!(tokenizer.decode_without_special_tokens(&encoding.ids)?, "banco de madera");
/// # Ok::<(), tokscope::Error>(())
/// ```
#[derive(Debug)]
pub struct Tokenizer {
    inner: tokenizer::Tokenizer,
}

impl Tokenizer {
    /// Opens the tokenizer of a model with default [`OpenOptions`].
    ///
    /// # Errors
    /// Fails like [`OpenOptions::tokenizer`].
    pub fn open(model: &str) -> Result<Self> {
        OpenOptions::new().tokenizer(model)
    }

    /// Encodes a text, special tokens included.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`] if the files of the tokenizer contradict themselves.
    pub fn encode(&self, text: &str) -> Result<Encoding> {
        let encoded = self.encode_with(text, None, &EncodeOptions::default())?;
        Ok(encoded.into_first())
    }

    /// Encodes a text or a pair of texts with options, such as a maximum length.
    ///
    /// # Errors
    /// Fails like [`Tokenizer::encode`], and with [`Error::Usage`] if the windows of `options` are too small.
    pub fn encode_with(
        &self,
        text: &str,
        pair: Option<&str>,
        options: &EncodeOptions,
    ) -> Result<Encoded> {
        self.inner.encode(text, pair, options)
    }

    /// Returns the number of tokens of a text, special tokens included. Faster than [`Tokenizer::encode`].
    ///
    /// # Errors
    /// Fails like [`Tokenizer::encode`].
    pub fn count(&self, text: &str) -> Result<usize> {
        self.inner.count(text, &EncodeOptions::default())
    }

    /// Decodes ids to text, special tokens included.
    ///
    /// # Errors
    /// Fails with [`Error::UnknownId`] if an id is not in the vocabulary.
    pub fn decode(&self, ids: &[u32]) -> Result<String> {
        self.inner.decode(ids, false)
    }

    /// Decodes ids to text, leaving out special tokens.
    ///
    /// # Errors
    /// Fails like [`Tokenizer::decode`].
    pub fn decode_without_special_tokens(&self, ids: &[u32]) -> Result<String> {
        self.inner.decode(ids, true)
    }

    /// Returns the piece of an id, such as `▁banco`; `None` if the id is not in the vocabulary.
    pub fn piece(&self, id: u32) -> Option<&str> {
        self.inner.piece(id)
    }

    /// Returns the id of a piece, spelled exactly as in the vocabulary.
    ///
    /// # Errors
    /// Fails with [`Error::UnknownPiece`] if the vocabulary does not have it.
    pub fn id(&self, piece: &str) -> Result<u32> {
        self.inner.id_of(piece)
    }
}

/// The word-embedding matrix of a model, of shape `[rows, columns]`.
///
/// Opening it reads only the headers of the checkpoint. Rows are read when they are asked for: from a mapped local file,
/// or, if a checkpoint of the Hub is not in the cache, by HTTP range requests. Row `id` is the embedding of token `id`.
///
/// ```
/// use tokscope::{EmbeddingMatrix, Metric, Tokenizer};
///
/// let (tokenizer, matrix) = (Tokenizer::open("demo")?, EmbeddingMatrix::open("demo")?);
/// let id = tokenizer.id("▁banco")?;
/// let row = matrix.row(id)?;
/// assert_eq!(row.len() as u64, matrix.columns());
///
/// let neighbors = matrix.nearest(&row, 3, Metric::Cosine)?;
/// assert_eq!(neighbors[0].id, id);
/// # Ok::<(), tokscope::Error>(())
/// ```
#[derive(Debug)]
pub struct EmbeddingMatrix {
    inner: embedding::EmbeddingMatrix,
}

impl EmbeddingMatrix {
    /// Opens the embedding matrix of a model with default [`OpenOptions`].
    ///
    /// # Errors
    /// Fails like [`OpenOptions::matrix`].
    pub fn open(model: &str) -> Result<Self> {
        OpenOptions::new().matrix(model)
    }

    /// The number of rows. It may exceed the size of the vocabulary: many models have spare rows.
    pub fn row_count(&self) -> u64 {
        self.inner.rows()
    }

    /// The number of values per row: the hidden size of the model.
    pub fn columns(&self) -> u64 {
        self.inner.columns()
    }

    /// Returns the row of an id as float32 values, one per column. Exact unless the checkpoint stores float64; values of
    /// quantized types are those of ggml's reference.
    ///
    /// # Errors
    /// Fails with [`Error::NoSuchRow`] if the id is beyond the matrix, and with the errors of reading or fetching.
    pub fn row(&self, id: u32) -> Result<Vec<f32>> {
        self.inner.row(u64::from(id))
    }

    /// Returns the rows of `ids`, in their order. Fetches rows of a remote checkpoint in few requests.
    ///
    /// # Errors
    /// Fails like [`EmbeddingMatrix::row`].
    pub fn rows(&self, ids: &[u32]) -> Result<Vec<Vec<f32>>> {
        self.inner.prefetch(ids)?;
        ids.iter().map(|id| self.row(*id)).collect()
    }

    /// Returns the `k` rows nearest to `vector`, nearest first, ties by id. Reads the whole matrix, on all cores; scores
    /// are computed in float64. Rows whose score is NaN are left out.
    ///
    /// # Errors
    /// Fails with [`Error::Usage`] if `vector` does not have one finite value per column, or is zero and the metric is
    /// [`Metric::Cosine`], and with the errors of reading or fetching.
    pub fn nearest(&self, vector: &[f32], k: usize, metric: Metric) -> Result<Vec<Neighbor>> {
        if vector.len() as u64 != self.columns() {
            return Err(Error::usage(format!(
                "the vector has {} values, but the rows of the matrix have {}",
                vector.len(),
                self.columns()
            )));
        }
        if !vector.iter().all(|value| value.is_finite()) {
            return Err(Error::usage("the vector has a value that is not finite"));
        }
        let term = Term {
            vector: vector.to_vec(),
            ids: Vec::new(),
            sign: Sign::Plus,
            name: "the vector".to_owned(),
        };
        let options = SearchOptions {
            metric,
            k,
            accepts: &|_| true,
            candidates: None,
        };
        let query = Query::new(&[term], metric)?;
        let mut found = nearest(&self.inner, &[query], &options)?;
        let ranked = found.pop().unwrap_or_default();
        Ok(ranked
            .into_iter()
            .map(|(id, score)| Neighbor {
                id,
                score: score as f32,
            })
            .collect())
    }
}

/// A row found by [`EmbeddingMatrix::nearest`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Neighbor {
    /// The number of the row, which is the id of its token.
    pub id: u32,
    /// The score by the metric: a cosine, a dot product, or a Euclidean distance.
    pub score: f32,
}
