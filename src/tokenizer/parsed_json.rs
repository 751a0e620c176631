//! A `tokenizer.json`, read from a file or converted from others, before it becomes a [`Definition`].

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;

use super::added_vocabulary::{AddedVocabulary, CrateVersion};
use super::class::{Followed, Ids};
use super::compile;
use super::compiled_cache::CacheEntry;
use super::conversion::Conversion;
use super::definition::{Definition, Origin};
use super::model_pieces::ModelPieces;
use super::native::compiled::{CompiledVocabulary, Contents};
use super::special_tokens::SpecialTokens;
use crate::error::Result;
use crate::formats::config::{AddedTokenConfig, SpecialTokensMap, TokenizerConfig};
use crate::formats::json::parse;
use crate::formats::tokenizer_json::{RestJson, TokenizerJson};
use crate::source::{ByteSource, ModelFiles};

/// A `tokenizer.json`: compiled unless its model is left to the `tokenizers` crate.
pub enum ParsedJson {
    Compiled(Arc<CompiledVocabulary>),
    Listed(Box<ListedJson>),
}

/// A `tokenizer.json` with its pieces as a list.
pub struct ListedJson {
    algorithm: String,
    unknown_id: Option<u32>,
    pieces: ModelPieces,
    pub rest: RestJson,
}

impl ListedJson {
    /// Takes the parts of a file. Leaves its settings and merges.
    pub fn take(json: &mut TokenizerJson) -> Self {
        Self {
            algorithm: json.model.algorithm().to_owned(),
            unknown_id: json.model.unk_id,
            pieces: ModelPieces::new(std::mem::take(&mut json.model.vocab)),
            rest: std::mem::take(&mut json.rest),
        }
    }
}

impl ParsedJson {
    /// Takes the part of the file outside its vocabulary. It was checked before it was compiled.
    pub fn take_rest(&mut self, name: &str) -> Result<RestJson> {
        match self {
            Self::Listed(json) => Ok(std::mem::take(&mut json.rest)),
            Self::Compiled(compiled) => parse(name, compiled.rest()),
        }
    }

    /// Adds tokens to those of the file, and changes its steps as the class does.
    pub fn into_definition(
        self,
        file: Arc<dyn ByteSource>,
        mut rest: RestJson,
        config: TokenizerConfig,
        mut tokens: SpecialTokens,
        mut class: Followed,
    ) -> Definition {
        let (size, ids) = match &self {
            Self::Listed(json) => {
                let codes = class.texts(&config.class);
                let texts = rest.added_tokens.iter().map(|token| &*token.content);
                let texts = texts
                    .chain(tokens.texts())
                    .chain(codes.iter().map(|code| &**code));
                (json.pieces.size(), json.pieces.ids_of(&texts.collect()))
            }
            Self::Compiled(compiled) => (compiled.size(), HashMap::new()),
        };
        let stated: HashMap<Arc<str>, u32> = if rest.has_stated_ids {
            let tokens = rest.added_tokens.iter().zip(&rest.added_token_ids);
            let stated =
                tokens.filter_map(|(token, id)| Some((Arc::clone(&token.content), (*id)?)));
            stated.collect()
        } else {
            HashMap::new()
        };
        // Added tokens mostly have successive ids.
        let next = Cell::new(0);
        let find_piece = |text: &str| match &self {
            _ if stated.contains_key(text) => stated.get(text).copied(),
            Self::Listed(_) => ids.get(text).copied(),
            Self::Compiled(compiled) => {
                let id = compiled.find_near(text, next.get())?;
                next.set(id.wrapping_add(1));
                Some(id)
            }
        };
        let mut added_vocabulary = AddedVocabulary::new(size);
        added_vocabulary.add(&rest.added_tokens, find_piece);
        tokens.list_own(&rest, &added_vocabulary);
        let added = tokens.to_add(&added_vocabulary);
        added_vocabulary.add(&added, find_piece);
        let ids_of_all = Ids {
            tokens: &tokens.map,
            find: &|text| added_vocabulary.id(text).or_else(|| find_piece(text)),
        };
        class.rewrite(&config.class, &added, &ids_of_all, &mut rest);
        rest.added_tokens = Vec::new();
        let rest = Box::new(rest);
        let origin = match self {
            Self::Listed(json) => Origin::Json {
                file,
                algorithm: json.algorithm,
                unknown_id: json.unknown_id,
                pieces: Box::new(json.pieces),
                rest,
            },
            Self::Compiled(compiled) => Origin::Compiled {
                file,
                compiled,
                rest: Some(rest),
            },
        };
        Definition::new(origin, config, tokens.map, added, added_vocabulary, class)
    }
}

/// What a class of transformers 5 adds to a vocabulary.
pub struct Rebuilt {
    /// The named special tokens.
    pub named: SpecialTokensMap,
    /// The tokens that are added, call by call.
    pub calls: Vec<Vec<AddedTokenConfig>>,
    pub class: Followed,
}

impl ParsedJson {
    /// Adds tokens as transformers 5 does, call by call, and sets the post-processor that `ending` makes of that of the
    /// file, given a look-up of ids.
    ///
    /// # Errors
    /// Fails with the sentence of `ending`.
    pub fn into_rebuilt(
        self,
        file: Arc<dyn ByteSource>,
        mut rest: RestJson,
        config: TokenizerConfig,
        rebuilt: Rebuilt,
        ending: impl FnOnce(
            &dyn Fn(&str) -> Option<u32>,
            &serde_json::Value,
        ) -> Result<serde_json::Value, String>,
    ) -> Result<Definition, String> {
        let Rebuilt {
            named,
            calls,
            mut class,
        } = rebuilt;
        let own = std::mem::take(&mut rest.added_tokens);
        let find_piece = |text: &str| match &self {
            Self::Listed(json) => json.pieces.find(text),
            Self::Compiled(compiled) => compiled.find(text),
        };
        let size = match &self {
            Self::Listed(json) => json.pieces.size(),
            Self::Compiled(compiled) => compiled.size(),
        };
        let mut added_vocabulary = AddedVocabulary::new(size).of_version(CrateVersion::V23);
        added_vocabulary.add(&own, find_piece);
        for tokens in &calls {
            added_vocabulary.add(tokens, find_piece);
        }
        let find = |text: &str| added_vocabulary.id(text).or_else(|| find_piece(text));
        rest.post_processor = ending(&find, &rest.post_processor)?;
        class.changed.post_processor = true;
        let rest = Box::new(rest);
        let origin = match self {
            Self::Listed(json) => Origin::Json {
                file,
                algorithm: json.algorithm,
                unknown_id: json.unknown_id,
                pieces: Box::new(json.pieces),
                rest,
            },
            Self::Compiled(compiled) => Origin::Compiled {
                file,
                compiled,
                rest: Some(rest),
            },
        };
        let added = calls.into_iter().flatten().collect();
        Ok(Definition::new(
            origin,
            config,
            named,
            added,
            added_vocabulary,
            class,
        ))
    }
}

/// Returns the file that was read, whose bytes no longer change if they were hashed, and its content.
pub fn read_json(
    files: &ModelFiles,
    mut file: Arc<dyn ByteSource>,
) -> Result<(Arc<dyn ByteSource>, ParsedJson)> {
    let entry = CacheEntry::locate(files, &mut file)?;
    let read = || TokenizerJson::parse(file.name(), &file.read_all()?);
    let parsed = find_or_make(&entry, read)?;
    Ok((file, parsed))
}

/// Converts the files of a model, or finds the vocabulary that an earlier conversion was compiled to.
///
/// # Errors
/// Fails like [`Conversion::convert`].
pub fn read_converted(files: &ModelFiles, conversion: &mut Conversion) -> Result<ParsedJson> {
    let settings = conversion.settings_digest();
    let second = conversion.second.iter_mut();
    let mut sources: Vec<_> = [&mut conversion.file].into_iter().chain(second).collect();
    let entry = CacheEntry::locate_all(files, &mut sources, settings)?;
    find_or_make(&entry, || conversion.convert())
}

fn find_or_make(
    entry: &CacheEntry<'_>,
    read: impl FnOnce() -> Result<TokenizerJson>,
) -> Result<ParsedJson> {
    if let Some(compiled) = entry.find() {
        return Ok(ParsedJson::Compiled(Arc::new(compiled)));
    }
    let mut json = read()?;
    let listed = ListedJson::take(&mut json);
    let contents = compile::contents(&json.model, &listed.algorithm, &listed.pieces);
    let rest = serde_json::to_vec(&listed.rest);
    Ok(match (contents, rest) {
        (Some(contents), Ok(rest)) => {
            let contents = Contents {
                rest: &rest,
                ..contents
            };
            ParsedJson::Compiled(Arc::new(entry.make(&contents)))
        }
        _ => ParsedJson::Listed(Box::new(listed)),
    })
}
