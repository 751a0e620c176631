//! Opens a SentencePiece file on its own.

use std::sync::Arc;

use super::added_vocabulary::AddedVocabulary;
use super::assumed;
use super::class::{Followed, Found};
use super::compiled_cache::read_sentencepiece;
use super::definition::{Definition, Origin};
use super::runner::Runner;
use super::sentencepiece::SentencePiece;
use crate::error::Result;
use crate::formats::config::{Slot, SpecialTokenConfig, SpecialTokensMap, TokenizerConfig};
use crate::source::{ByteSource, ModelFiles};

/// Reads the SentencePiece file of a model, whatever its class makes of it.
///
/// # Errors
/// Fails with [`Error::MissingPart`](crate::error::Error::MissingPart) if it has none, or like [`definition`].
pub fn of_model(files: &ModelFiles) -> Result<Definition> {
    let Some((name, file)) = assumed::sentencepiece(files)? else {
        return Err(files.missing("SentencePiece file", assumed::sentencepiece_names()));
    };
    let class = Found::Undeclared {
        reason: String::new(),
    };
    let mut definition = definition(files, TokenizerConfig::default(), name, file, &class)?;
    definition.assumption = None;
    Ok(definition)
}

/// Reads a SentencePiece file as SentencePiece itself does.
///
/// # Errors
/// Fails with [`Error::Damaged`](crate::error::Error::Damaged) if SentencePiece refuses the file, or with the error of
/// reading it.
pub fn definition(
    files: &ModelFiles,
    mut config: TokenizerConfig,
    name: String,
    file: Arc<dyn ByteSource>,
    class: &Found,
) -> Result<Definition> {
    let (file, compiled) = read_sentencepiece(files, file)?;
    let compiled = Arc::new(compiled);
    let model = SentencePiece::new(file.name(), Arc::clone(&compiled), &file.read_all()?)?;
    config.tokenizer_class = None;
    config.clean_up_tokenization_spaces = false;
    let mut map = SpecialTokensMap::default();
    let slots = [
        &mut map.unk_token,
        &mut map.bos_token,
        &mut map.eos_token,
        &mut map.pad_token,
    ];
    for (slot, piece) in slots.into_iter().zip(model.special()) {
        if let Some(piece) = piece {
            *slot = Slot::Given(SpecialTokenConfig::Text(piece.to_owned()));
        }
    }
    let runner = Runner::alone(model, file.name(), name.clone());
    let added_vocabulary = AddedVocabulary::new(compiled.size());
    let origin = Origin::Compiled {
        file,
        compiled,
        rest: None,
    };
    let followed = Followed::default();
    let mut definition =
        Definition::new(origin, config, map, Vec::new(), added_vocabulary, followed);
    definition.assumption = Some(assumed::as_sentencepiece(&name, class));
    definition.runner = Some(Box::new(runner));
    Ok(definition)
}
