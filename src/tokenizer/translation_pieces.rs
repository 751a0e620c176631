//! The pieces in the `vocab.json` of a translation model.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::compile;
use super::compiled_cache::CacheEntry;
use super::definition::Origin;
use super::model_pieces::ModelPieces;
use super::native::compiled::CompiledVocabulary;
use super::runner::Runner;
use crate::error::{Error, Result};
use crate::formats::algorithm::Algorithm;
use crate::formats::json::parse;
use crate::formats::model_settings::ModelSettings;
use crate::formats::piece_list::{Numbers, PieceList};
use crate::formats::tokenizer_json::{ModelJson, RestJson};
use crate::source::{ByteSource, ModelFiles};

/// The pieces with their ids: compiled, unless most ids lack one.
pub enum TranslationPieces {
    Compiled(Arc<CompiledVocabulary>),
    Listed(ModelPieces),
}

impl TranslationPieces {
    /// Reads a `vocab.json`, or finds what an earlier run compiled it to. Replaces the file by one whose bytes no longer
    /// change if they were hashed.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`] if the file is not an object of pieces with their ids, or with the error of reading
    /// it.
    pub fn read(files: &ModelFiles, file: &mut Arc<dyn ByteSource>, unknown: &str) -> Result<Self> {
        let settings = Sha256::digest(format!("translation {unknown}")).into();
        let entry = CacheEntry::locate_all(files, &mut [&mut *file], settings)?;
        if let Some(compiled) = entry.find() {
            return Ok(Self::Compiled(Arc::new(compiled)));
        }
        let pieces = ModelPieces::new(list(file.as_ref())?);
        // Nothing but the pieces is of a word-level model: SentencePiece finds the words.
        let model = ModelJson {
            settings: ModelSettings {
                unk_token: Some(unknown.to_owned()),
                ..ModelSettings::default()
            },
            ..ModelJson::default()
        };
        let contents = compile::contents(&model, Algorithm::WordLevel.name(), &pieces);
        Ok(match contents {
            Some(contents) => Self::Compiled(Arc::new(entry.make(&contents))),
            None => Self::Listed(pieces),
        })
    }

    /// Adds pieces with the ids after the last.
    ///
    /// # Errors
    /// Fails with the error of reading the file.
    pub fn with_more(self, file: &Arc<dyn ByteSource>, more: Vec<(String, u32)>) -> Result<Self> {
        let pieces = match self {
            Self::Listed(pieces) => pieces,
            Self::Compiled(_) => ModelPieces::new(list(file.as_ref())?),
        };
        let more = more.iter().map(|(piece, id)| (*id, &**piece));
        let all = pieces.iter().map(|(id, piece, _)| (id, piece)).chain(more);
        let (ids, texts): (Vec<u32>, Vec<&str>) = all.unzip();
        Ok(Self::Listed(ModelPieces::new(PieceList {
            texts: texts.into_iter().collect(),
            numbers: Numbers::Ids(ids),
        })))
    }

    /// Returns the number of pieces.
    pub fn size(&self) -> usize {
        match self {
            Self::Compiled(compiled) => compiled.size(),
            Self::Listed(pieces) => pieces.size(),
        }
    }

    /// Returns the id of a piece.
    pub fn find(&self, piece: &str) -> Option<u32> {
        match self {
            Self::Compiled(compiled) => compiled.find(piece),
            Self::Listed(pieces) => pieces.find(piece),
        }
    }

    /// Returns the origin of a tokenizer with these pieces.
    pub fn into_origin(
        self,
        file: Arc<dyn ByteSource>,
        runner: &Runner,
        unknown_id: u32,
    ) -> Origin {
        let rest = Box::new(RestJson::default());
        match self {
            Self::Compiled(compiled) => Origin::Compiled {
                file,
                compiled,
                rest: Some(rest),
            },
            Self::Listed(pieces) => Origin::Json {
                file,
                algorithm: runner.algorithm().name().to_owned(),
                unknown_id: Some(unknown_id),
                pieces: Box::new(pieces),
                rest,
            },
        }
    }
}

fn list(file: &dyn ByteSource) -> Result<PieceList> {
    let name = file.name();
    let list: PieceList = parse(name, &file.read_all()?)?;
    match list.numbers {
        Numbers::Ids(_) => Ok(list),
        Numbers::Scores(_) => {
            let problem = "it is a list, not an object of pieces with their ids";
            Err(Error::damaged(name, problem))
        }
    }
}
