//! The tokenizer that a class of transformers 5.24 builds from the pieces of a file.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::kinds::{Bpe, Build, Class, FileKind, Model, Unknown};
use super::pieces::{self, Pieces};
use super::steps::{Source, Steps};
use crate::error::{Error, Result};
use crate::formats::class_settings::ClassSettings;
use crate::formats::json::parse;
use crate::formats::merge_list::MergeList;
use crate::formats::model_settings::ModelSettings;
use crate::formats::piece_list::{Numbers, PieceList};
use crate::formats::sentencepiece::SentencePieceModel;
use crate::formats::tokenizer_json::{ModelJson, RestJson, TokenizerJson};
use crate::source::ByteSource;

/// How a class builds its tokenizer.
#[derive(Debug)]
pub struct RebuildRecipe {
    pub class: &'static Class,
    pub build: &'static Build,
    pub settings: ClassSettings,
    /// The texts of the named special tokens, in the order of `SpecialTokensMap::named`.
    pub tokens: [Option<String>; 7],
    pub kind: FileKind,
}

impl RebuildRecipe {
    /// Returns all that determines the result, besides the file.
    pub fn description(&self) -> String {
        let Self {
            class,
            settings,
            tokens,
            kind,
            ..
        } = self;
        format!("{:?} {settings:?} {tokens:?} {kind:?}", class.names)
    }

    /// Builds the tokenizer.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`] if the file cannot be used, with [`Error::Unsupported`] if the class does not build
    /// a tokenizer from it, or with the error of reading it.
    pub fn convert(
        &self,
        file: &dyn ByteSource,
        second: Option<&dyn ByteSource>,
    ) -> Result<TokenizerJson> {
        let (name, bytes) = (file.name(), file.read_all()?);
        match self.kind {
            FileKind::Json => {
                let json = TokenizerJson::parse(name, &bytes)?;
                let charsmap = charsmap(&json.rest.normalizer);
                let pieces = Pieces {
                    vocab: json.model.vocab,
                    merges: json.model.merges,
                    unknown: None,
                };
                let mut built = self.build(name, pieces, charsmap.as_deref())?;
                let rest = RestJson {
                    truncation_direction: json.rest.truncation_direction,
                    padding_token: json.rest.padding_token,
                    post_processor: json.rest.post_processor,
                    ..built.rest
                };
                built.rest = rest;
                Ok(built)
            }
            FileKind::Merges => {
                let merges = match second {
                    Some(merges) => pieces::merges(merges.name(), &merges.read_all()?)?,
                    None => MergeList::default(),
                };
                let pieces = Pieces {
                    vocab: parse(name, &bytes)?,
                    merges: Some(merges),
                    unknown: None,
                };
                self.build(name, pieces, None)
            }
            FileKind::Lines => self.build(name, pieces::lines(name, &bytes)?, None),
            FileKind::SentencePiece => {
                let model = SentencePieceModel::parse(name, &bytes)?;
                let charsmap = Some(&*model.precompiled_charsmap).filter(|map| !map.is_empty());
                let pieces = pieces::of_sentencepiece(&model);
                self.build(name, pieces, charsmap)
            }
        }
    }

    fn build(&self, name: &str, pieces: Pieces, charsmap: Option<&[u8]>) -> Result<TokenizerJson> {
        let refused = |problem: String| {
            let class = self.class.names.first().copied().unwrap_or_default();
            let problem = format!("{class} of transformers 5.24 does not load it: {problem}");
            Error::unsupported(name, problem)
        };
        let source = Source {
            class: self.class,
            settings: &self.settings,
            charsmap,
        };
        let pieces = match self.build.languages {
            Some(languages) => pieces.with_languages(languages, |index| self.token(index)),
            None => pieces,
        };
        let texts = &pieces.vocab.texts;
        let mut needed = self.build.needs.iter().map(|index| self.token(*index));
        if let Some(token) = needed.find(|token| texts.iter().all(|piece| piece != *token)) {
            return Err(refused(format!("{token} is not a piece")));
        }
        let steps = source.build(self.build).map_err(refused)?;
        let Steps {
            normalizer,
            pre_tokenizer,
            decoder,
        } = steps;
        let rest = RestJson {
            normalizer,
            pre_tokenizer,
            decoder,
            ..RestJson::default()
        };
        rest.check(name)?;
        let model = self.model(pieces).map_err(refused)?;
        Ok(TokenizerJson { model, rest })
    }

    /// Returns the text of a named special token.
    pub fn token(&self, index: usize) -> &str {
        self.tokens[index].as_deref().unwrap_or("None")
    }

    /// Returns the text of the unknown token.
    pub fn unknown_token(&self) -> &str {
        self.token(2)
    }

    fn model(&self, pieces: Pieces) -> Result<ModelJson, String> {
        match self.build.model {
            Model::Unigram(unknown) => self.unigram(unknown, pieces),
            Model::Bpe(bpe) => Ok(self.bpe(bpe, pieces)),
            Model::WordPiece => Ok(ModelJson {
                kind: Some("WordPiece".to_owned()),
                vocab: with_ids(pieces.vocab),
                settings: ModelSettings {
                    unk_token: Some(self.unknown_token().to_owned()),
                    continuing_subword_prefix: Some("##".to_owned()),
                    max_input_chars_per_word: Some(100),
                    ..ModelSettings::default()
                },
                ..ModelJson::default()
            }),
        }
    }

    fn unigram(&self, unknown: Unknown, pieces: Pieces) -> Result<ModelJson, String> {
        let Numbers::Scores(scores) = &pieces.vocab.numbers else {
            return Err("it has no Unigram model".to_owned());
        };
        let text = self.unknown_token();
        let scored = || pieces.vocab.texts.iter().zip(scores);
        let position = |found: Option<usize>| found.and_then(|at| u32::try_from(at).ok());
        let is_zero = |(piece, score): (&str, &f64)| piece == text && *score == 0.0;
        let without_score = || position(scored().position(is_zero));
        let unk_id = match unknown {
            Unknown::Id(id) => id,
            Unknown::WithoutScore(id) => without_score().or(pieces.unknown).unwrap_or(id),
            Unknown::WithoutScoreOr(id) => without_score().unwrap_or(id),
            Unknown::Named(id) => {
                position(scored().position(|(piece, _)| piece == text)).unwrap_or(id)
            }
            Unknown::OfFile(id) => pieces.unknown.unwrap_or(id),
            Unknown::AfterFirst => {
                let after = scored().skip(1).position(is_zero).map(|at| at + 1);
                position(after)
                    .ok_or_else(|| format!("no piece but the first is {text} with the score 0"))?
            }
        };
        if unk_id as usize >= scores.len() {
            return Err(format!(
                "its unknown piece has the id {unk_id}, but it has {} pieces",
                scores.len()
            ));
        }
        Ok(ModelJson {
            kind: Some("Unigram".to_owned()),
            vocab: pieces.vocab,
            unk_id: Some(unk_id),
            settings: ModelSettings {
                byte_fallback: Some(false),
                ..ModelSettings::default()
            },
            ..ModelJson::default()
        })
    }

    fn bpe(&self, bpe: Bpe, pieces: Pieces) -> ModelJson {
        let unk_token = bpe.has_unknown.then(|| self.unknown_token().to_owned());
        ModelJson {
            kind: Some("BPE".to_owned()),
            vocab: with_ids(pieces.vocab),
            merges: Some(pieces.merges.unwrap_or_default()),
            settings: ModelSettings {
                unk_token,
                end_of_word_suffix: bpe.suffix.map(str::to_owned),
                fuse_unk: Some(bpe.fuses_unknown),
                byte_fallback: Some(bpe.byte_fallback),
                ..ModelSettings::default()
            },
            ..ModelJson::default()
        }
    }
}

/// Returns pieces with ids. Pieces with scores get their places.
fn with_ids(vocab: PieceList) -> PieceList {
    let numbers = match vocab.numbers {
        Numbers::Scores(scores) => {
            Numbers::Ids((0..u32::try_from(scores.len()).unwrap_or(u32::MAX)).collect())
        }
        ids => ids,
    };
    PieceList {
        texts: vocab.texts,
        numbers,
    }
}

/// Returns the first character map of a normalizer, which may be in a sequence.
fn charsmap(normalizer: &Value) -> Option<Vec<u8>> {
    let steps = match normalizer.get("normalizers").and_then(Value::as_array) {
        Some(steps) if normalizer["type"] == "Sequence" => steps.as_slice(),
        _ => std::slice::from_ref(normalizer),
    };
    let map = steps.iter().find_map(|step| {
        let map = (step.get("type")? == "Precompiled").then(|| step.get("precompiled_charsmap"))?;
        map?.as_str()
    });
    STANDARD.decode(map?).ok()
}
