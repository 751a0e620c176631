//! Reads the vocabulary of a GGUF file into the [`Definition`] of its tokenizer.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::class::Followed;
use super::conversion::gguf::{Kind, Roles, spelling};
use super::conversion::{Conversion, Recipe};
use super::definition::Definition;
use super::parsed_json::read_converted;
use super::special_tokens::SpecialTokens;
use crate::error::Result;
use crate::formats::config::{SpecialTokensMap, TokenizerConfig};
use crate::formats::gguf::{Gguf, VocabularySettings, model_file};
use crate::record::{GgufInfo, SpecialToken};
use crate::source::{ByteSource, FileStart, GgufShard, ModelFiles};

/// The GGUF file of a model that has the vocabulary.
pub struct Found {
    /// The name within the model.
    pub name: String,
    pub file: Arc<dyn ByteSource>,
    pub header: Gguf,
    /// The settings, or the error of reading them.
    pub settings: Result<VocabularySettings>,
}

/// Finds the GGUF file of a model with its vocabulary: the only one or, if it is one of several shards, the first.
/// Returns `None` if there is none.
///
/// # Errors
/// Fails with the error of finding the file or reading its header.
pub fn find(files: &ModelFiles) -> Result<Option<Found>> {
    let (name, file) = match model_file::find(files) {
        Ok(Some(found)) => found,
        Ok(None) => return Ok(None),
        // A directory with several such files needs another tokenizer first.
        Err(_) if files.only().is_none() => return Ok(None),
        Err(error) => return Err(error),
    };
    if let Some(found) = read(files, &name, file)? {
        return Ok(Some(found));
    }
    let Some(first) = GgufShard::parse(&name).and_then(|shard| shard.all().next()) else {
        return Ok(None);
    };
    match files.find_ranged(&first)? {
        Some(file) if first != name => read(files, &first, file),
        _ => Ok(None),
    }
}

/// Reads the header of a file; `None` if it has no vocabulary.
fn read(files: &ModelFiles, name: &str, file: Arc<dyn ByteSource>) -> Result<Option<Found>> {
    let header = model_file::header(files, &*file)?;
    file.approve();
    Ok(match header.vocabulary_settings(&*file) {
        Ok(None) => None,
        Ok(Some(settings)) => Some(Ok(settings)),
        Err(error) => Some(Err(error)),
    }
    .map(|settings| Found {
        name: name.to_owned(),
        file,
        header,
        settings,
    }))
}

/// Reads the tokenizer of a model from its GGUF file; `None` if it has none.
///
/// # Errors
/// Fails with [`Error::Unsupported`](crate::error::Error::Unsupported) if the vocabulary is of a kind that cannot be
/// converted, with [`Error::Damaged`](crate::error::Error::Damaged) if it is malformed, or with the error of finding or
/// reading the file.
pub fn definition(files: &ModelFiles) -> Result<Option<Definition>> {
    let Some(found) = find(files)? else {
        return Ok(None);
    };
    let (file, header, settings) = (found.file, found.header, found.settings?);
    let config = TokenizerConfig::default();
    let tokens = SpecialTokens {
        map: named_tokens(&header, &settings, &*file)?,
        ..SpecialTokens::default()
    };
    let info = describe(&header, &settings, &*file)?;
    let mut conversion = Conversion {
        recipe: Recipe::Gguf,
        file_name: found.name,
        file: Arc::new(FileStart::new(file, header.data_start)),
        second: None,
    };
    let mut parsed = read_converted(files, &mut conversion)?;
    let file = Arc::clone(&conversion.file);
    let rest = parsed.take_rest(file.name())?;
    let mut definition = parsed.into_definition(file, rest, config, tokens, Followed::default());
    definition.conversion = Some(Box::new(conversion));
    definition.gguf = Some(Box::new(info));
    Ok(Some(definition))
}

/// Describes the metadata about a vocabulary.
fn describe(
    header: &Gguf,
    settings: &VocabularySettings,
    file: &dyn ByteSource,
) -> Result<GgufInfo> {
    let eot_token = match settings.ids.eot {
        Some(id) => {
            let token = header.tokens(file, &[id])?.pop().flatten();
            token.map(|token| SpecialToken {
                token,
                id: Some(id),
            })
        }
        None => None,
    };
    Ok(GgufInfo {
        model: settings.model.clone(),
        pre: settings.pre.clone(),
        eot_token,
        chat_template: header.has_chat_template(),
    })
}

/// Returns the named special tokens.
fn named_tokens(
    header: &Gguf,
    settings: &VocabularySettings,
    file: &dyn ByteSource,
) -> Result<SpecialTokensMap> {
    let kind = Kind::of(file.name(), settings)?;
    let roles = Roles::of(kind, settings, header.token_count());
    let ids = roles.ids();
    let texts = header.tokens(file, &ids)?;
    let texts = ids.into_iter().zip(texts).filter_map(|(id, text)| {
        let text = text?;
        let piece = match kind {
            Kind::Bert => spelling(&text, header.token_kind(file, id).ok()?, true).into_owned(),
            _ => text,
        };
        Some((id, piece))
    });
    Ok(roles.map(&texts.collect::<BTreeMap<_, _>>()))
}
