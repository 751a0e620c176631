//! The tokenizer of a model: encodes texts, decodes ids, and looks up pieces.

use std::borrow::Cow;
use std::sync::OnceLock;

use super::class::Decoding;
use super::decoding;
use super::definition::{Definition, Origin};
use super::encoding::Encoded;
use super::engines::{self, Native};
use super::hf_engine::{self, HfEngine};
use super::hf_guard::guarded;
use super::options::{EncodeOptions, EngineChoice, Side};
use super::runner::Runner;
use super::translation::Look;
use super::vocabulary::Vocabulary;
use super::windows::{TokenizedText, to_hf};
use super::{deberta, open, open_gguf, ranked_file};
use crate::error::{Error, Result};
use crate::source::ModelFiles;

/// The tokenizer of a model.
///
/// Opening a tokenizer only reads its files. An engine is built when the first text is encoded, so that look-ups of ids
/// and pieces do not wait for one.
#[derive(Debug)]
pub struct Tokenizer {
    pub(super) definition: Definition,
    pub(super) choice: EngineChoice,
    side: Option<Side>,
    native: OnceLock<Option<Box<Native>>>,
    hf: OnceLock<HfEngine>,
    /// The engine of texts with a gap, if the class fills them in.
    pub(super) infilling: OnceLock<HfEngine>,
}

impl Tokenizer {
    /// Opens the tokenizer of a model: its `tokenizer.json`, or else the files of its class.
    ///
    /// # Errors
    /// Fails with [`Error::MissingPart`] if the model has no such file, with [`Error::Damaged`] or [`Error::Unsupported`] if
    /// a file cannot be used, or with the error of fetching a file.
    pub fn open(files: &ModelFiles) -> Result<Self> {
        Ok(Self::new(open::definition(files)?))
    }

    /// Returns the names of the files that [`Tokenizer::open`] reads if the model has them.
    ///
    /// # Errors
    /// Fails with the error of fetching or reading a file with settings.
    pub fn file_names(files: &ModelFiles) -> Result<Vec<String>> {
        let mut names = open::vocabulary_names(files)?;
        // A file that cannot be read is an error of opening the tokenizer.
        if !open::has_vocabulary_file(files)?
            && let Ok(Some(found)) = open_gguf::find(files)
            && !names.contains(&found.name)
        {
            names.push(found.name);
        }
        names.extend(open::SETTINGS_NAMES.map(str::to_owned));
        names.push("config.json".to_owned());
        Ok(names)
    }

    pub(super) fn new(definition: Definition) -> Self {
        Self {
            definition,
            choice: EngineChoice::default(),
            side: None,
            native: OnceLock::new(),
            hf: OnceLock::new(),
            infilling: OnceLock::new(),
        }
    }

    /// Returns the same tokenizer with a different choice of engine.
    #[must_use]
    pub fn with_engine(self, choice: EngineChoice) -> Self {
        Self { choice, ..self }
    }

    /// Returns the same tokenizer for texts of one side of a translation model. By default, texts are of the source, and
    /// ids of the target.
    ///
    /// # Errors
    /// Fails with [`Error::Usage`] if the tokenizer has no sides.
    pub fn with_side(self, side: Option<Side>) -> Result<Self> {
        let has_sides = self
            .definition
            .runner
            .as_ref()
            .is_some_and(|runner| runner.has_sides());
        if side.is_some() && !has_sides {
            let hint = "leave out `--side`";
            let problem =
                "`--side` is for translation models with two sides, such as Marian's and M2M100";
            return Err(Error::usage_hint(problem, hint));
        }
        Ok(Self { side, ..self })
    }

    /// Returns the name of the engine that encodes, and the reason for that choice.
    pub fn engine(&self) -> (&'static str, String) {
        if self.definition.runner.is_some() {
            let algorithm = self.definition.algorithm();
            let reason = format!("a {algorithm} model, run as SentencePiece runs it");
            return ("native", reason);
        }
        if let Some(native) = self.native() {
            let algorithm = self.definition.algorithm();
            let steps = if native.engine.has_own_steps() {
                "and every step of it is known"
            } else {
                "with steps of the tokenizers library around it"
            };
            return ("native", format!("a {algorithm} model, {steps}"));
        }
        let reason = match &self.definition.origin {
            _ if self.choice == EngineChoice::Reference => "the reference engine was requested".to_owned(),
            Origin::Json { algorithm, .. } => {
                format!("a {algorithm} model with pieces or settings that the native engine does not support")
            }
            Origin::Compiled { .. } => {
                "the tokenizer has a step, added token or piece that the native engine does not support"
                    .to_owned()
            }
        };
        ("reference", reason)
    }

    /// Returns true if texts are encoded by the native engine.
    pub fn is_native(&self) -> bool {
        self.definition.runner.is_some() || self.native().is_some()
    }

    /// Returns what runs SentencePiece, if that encodes and decodes.
    pub(super) fn runner(&self) -> Result<Option<&Runner>> {
        match &self.definition.runner {
            Some(_) if self.choice == EngineChoice::Reference => {
                let file = self.file();
                Err(Error::usage_hint(
                    format!("the tokenizers crate cannot run {file} as SentencePiece does"),
                    "leave out `--engine reference`",
                ))
            }
            runner => Ok(runner.as_deref()),
        }
    }

    /// Returns the native engine, which is built on the first call. Returns `None` if it is not exact for this
    /// tokenizer, or if the other engine was chosen.
    pub(super) fn native(&self) -> Option<&Native> {
        if self.choice == EngineChoice::Reference {
            return None;
        }
        self.native
            .get_or_init(|| engines::native(&self.definition).map(Box::new))
            .as_deref()
    }

    /// Returns the engine of the `tokenizers` crate, which is built on the first call.
    fn hf(&self) -> Result<&HfEngine> {
        let file = self.definition.file().name();
        let engine = match self.hf.get() {
            Some(engine) => engine,
            None => {
                let engine = guarded(file, || engines::hf(&self.definition))?;
                self.hf.get_or_init(|| engine)
            }
        };
        // Checked last: a file that no engine can use has an error of its own.
        if self.choice == EngineChoice::Native {
            let problem = if self.is_native() {
                "the native engine cannot encode this text exactly".to_owned()
            } else {
                format!("the native engine cannot run {file} exactly")
            };
            return Err(Error::usage_hint(problem, "use `--engine reference`"));
        }
        Ok(engine)
    }

    /// Builds the engine that encodes, so that a tokenizer without one is refused before the first text.
    ///
    /// # Errors
    /// [`Error::Damaged`] or [`Error::Unsupported`] if no engine can use the files, [`Error::Usage`] if the native
    /// engine was chosen and is not exact.
    pub fn prepare(&self) -> Result<()> {
        if self.runner()?.is_some() {
            return Ok(());
        }
        if !self.is_native() {
            self.hf()?.check_encodes()?;
        }
        Ok(())
    }

    /// Builds the decoder, so that a tokenizer without one is refused before the first ids.
    ///
    /// # Errors
    /// As [`Tokenizer::prepare`].
    pub fn prepare_decoder(&self) -> Result<()> {
        if self.runner()?.is_some() {
            return Ok(());
        }
        if matches!(self.definition.origin, Origin::Json { .. }) {
            self.hf()?;
        }
        Ok(())
    }

    /// Encodes a text or a pair. An empty second text means no pair, as in the reference.
    ///
    /// # Errors
    /// Fails with [`Error::Usage`] if the windows of `options` are too small, or if the native engine was chosen but is
    /// not exact. Fails with [`Error::Damaged`] if the tokenizer file contradicts itself.
    pub fn encode(
        &self,
        text: &str,
        pair: Option<&str>,
        options: &EncodeOptions,
    ) -> Result<Encoded> {
        let options = &*self.effective(options);
        if let Some(encoded) = self.infill(text, pair, options)? {
            return Ok(encoded);
        }
        let pair = pair.filter(|pair| !pair.is_empty());
        if let Some(runner) = self.runner()? {
            return guarded(self.definition.file().name(), || {
                let find = |text: &str| self.definition.model_id(text);
                let look = Look {
                    piece: &|id| self.piece(id),
                    find: &find,
                };
                runner.encode(&look, self.side, (text, pair), options)
            });
        }
        if let Some(Native { engine, windows }) = self.native() {
            if options.truncation.is_none()
                && let Some(encoding) = engine.encode(text, pair, options)
            {
                return Ok(Encoded {
                    windows: vec![encoding],
                    truncated_tokens: 0,
                });
            }
            let first = engine.encode_sequence(text, 0, options);
            let second = pair.map(|pair| engine.encode_sequence(pair, 1, options));
            if let (Some(first), None | Some(Some(_))) = (first, &second) {
                let tokenized = |text, tokens| TokenizedText {
                    text,
                    tokens: to_hf(tokens),
                };
                return guarded(&windows.file, || {
                    let second = pair.zip(second.flatten());
                    let second = second.map(|(pair, tokens)| tokenized(pair, tokens));
                    windows.finish(tokenized(text, first), second, options)
                });
            }
        }
        self.hf()?.encode(text, pair, options)
    }

    /// Returns the options with the settings of the model: with `split_special_tokens`, special tokens in a text are
    /// never recognized.
    pub(super) fn effective<'o>(&self, options: &'o EncodeOptions) -> Cow<'o, EncodeOptions> {
        if options.parse_special && self.definition.splits_special_tokens() {
            return Cow::Owned(options.clone().parse_special(false));
        }
        Cow::Borrowed(options)
    }

    /// Decodes ids to text.
    ///
    /// # Errors
    /// Fails with [`Error::UnknownId`] for an id that no token has. The reference silently skips such ids.
    pub fn decode(&self, ids: &[u32], skip_special_tokens: bool) -> Result<String> {
        if let Some(text) = ranked_file::decode(&self.definition, ids, skip_special_tokens) {
            return text.map_err(|id| self.unknown_id(u64::from(id)));
        }
        let ids = &*decoding::decoded_ids(&self.definition, ids, skip_special_tokens);
        let mut pieces = Vec::with_capacity(ids.len());
        for &id in ids {
            let piece = decoding::decoded_piece(&self.definition, id);
            let (piece, special) = piece.ok_or_else(|| self.unknown_id(u64::from(id)))?;
            if !(skip_special_tokens && special) {
                pieces.push(piece.to_owned());
            }
        }
        if let Some(runner) = self.runner()? {
            let look = Look {
                piece: &|id| self.piece(id),
                find: &|text| self.definition.model_id(text),
            };
            let text = runner.decode(&look, self.side, ids, skip_special_tokens);
            return Ok(match self.definition.config.clean_up_tokenization_spaces {
                true => decoding::clean_up_spaces(&text),
                false => text,
            });
        }
        // BPEDecoder of the crate counts below zero if there is nothing to decode.
        if pieces.is_empty() {
            return Ok(String::new());
        }
        let text = match &self.definition.origin {
            Origin::Compiled { rest: None, .. } => deberta::decode(&pieces),
            Origin::Compiled {
                file,
                rest: Some(rest),
                ..
            } => {
                let decoder = guarded(file.name(), || {
                    serde_json::from_value(rest.decoder.clone())
                        .map_err(|problem| Error::damaged(file.name(), problem))
                })?;
                hf_engine::decode(file.name(), Option::as_ref(&decoder), pieces)?
            }
            Origin::Json { .. } => self.hf()?.decode(pieces)?,
        };
        let decoding = self.definition.class.decoding();
        let text = if decoding == Decoding::WordSuffix {
            decoding::without_suffix(&text, self.end_of_word_suffix()?.as_deref())
        } else {
            text
        };
        let text = if self.definition.config.clean_up_tokenization_spaces {
            decoding::clean_up_spaces(&text)
        } else {
            text
        };
        Ok(if decoding == Decoding::Transcript {
            decoding::without_timestamps(&text)
        } else {
            text
        })
    }

    /// Returns the suffix of a word's last piece, if the model has one.
    fn end_of_word_suffix(&self) -> Result<Option<String>> {
        if let Origin::Compiled { compiled, .. } = &self.definition.origin {
            let settings = compiled.settings().unwrap_or_default();
            return Ok(settings.end_of_word_suffix);
        }
        Ok(self.hf()?.end_of_word_suffix().map(str::to_owned))
    }

    /// Returns the piece of an id.
    pub fn piece(&self, id: u32) -> Option<&str> {
        self.definition.piece(id).map(|(piece, _)| piece)
    }

    /// Returns the id of a piece, spelled exactly as in the vocabulary.
    ///
    /// # Errors
    /// Fails with [`Error::UnknownPiece`], which suggests a similar piece if there is one.
    pub fn id_of(&self, piece: &str) -> Result<u32> {
        self.definition.find(piece).ok_or_else(|| {
            let word = piece.strip_prefix(['▁', 'Ġ', ' ']).unwrap_or(piece);
            let near = ["▁", "Ġ", "##", ""]
                .map(|mark| format!("{mark}{word}"))
                .into_iter()
                .find(|near| self.definition.find(near).is_some());
            Error::UnknownPiece {
                piece: piece.to_owned(),
                near,
            }
        })
    }

    /// Returns the error for an id outside the vocabulary.
    pub fn unknown_id(&self, id: u64) -> Error {
        Error::UnknownId {
            id,
            last: u64::from(self.vocabulary().last_id()),
        }
    }

    /// Returns every piece, in order of id.
    pub fn vocabulary(&self) -> &Vocabulary {
        self.definition.vocabulary()
    }

    /// Returns the algorithm: Unigram, BPE, WordPiece, or WordLevel.
    pub fn algorithm(&self) -> &str {
        self.definition.algorithm()
    }

    /// Returns the name of the file that the tokenizer was read from.
    pub fn file(&self) -> &str {
        self.definition.file_name()
    }
}
