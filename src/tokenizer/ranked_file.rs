//! Opens the tokenizers of files that have tokens with ranks: `.tiktoken` files and `tekken.json`; and RWKV's, whose
//! tokens have only ids.

use std::sync::Arc;

use super::class::Followed;
use super::conversion::{Conversion, RanksRecipe, Recipe, encoding_of};
use super::definition::Definition;
use super::native::alphabet;
use super::parsed_json::read_converted;
use super::special_tokens::SpecialTokens;
use crate::error::{Error, Result};
use crate::model_ref::ENCODINGS;
use crate::source::digest::hex;
use crate::source::{ByteSource, FileKind, ModelFiles};

pub const TEKKEN_JSON: &str = "tekken.json";

/// Returns the name and the kind of the file if the model is one of tokens with ranks.
///
/// # Errors
/// Fails with the error of finding or reading the file.
pub fn only(files: &ModelFiles) -> Result<Option<(&str, FileKind)>> {
    let kind = files.only_kind()?;
    let kinds = [FileKind::Tiktoken, FileKind::Tekken, FileKind::Rwkv];
    let kind = kind.filter(|kind| kinds.contains(kind));
    Ok(files.only().zip(kind))
}

/// Converts the file `name` of a model.
///
/// # Errors
/// Fails with [`Error::Unsupported`] if the encoding of a `.tiktoken` file is unknown, or with the error of reading or
/// converting the file.
pub fn definition(
    files: &ModelFiles,
    (name, kind): (&str, FileKind),
    file: Arc<dyn ByteSource>,
) -> Result<Definition> {
    let (file, recipe) = if kind == FileKind::Tiktoken {
        let file = files.with_digest(file)?;
        let sha256 = file.sha256().unwrap_or_default();
        let encoding = encoding_of(name, &sha256);
        let encoding = encoding.ok_or_else(|| unknown_encoding(&*file, &sha256))?;
        (file, RanksRecipe::Tiktoken(encoding))
    } else if kind == FileKind::Rwkv {
        (file, RanksRecipe::Rwkv)
    } else {
        (file, RanksRecipe::Tekken)
    };
    let mut conversion = Conversion {
        recipe: Recipe::Ranks(recipe),
        file_name: name.to_owned(),
        file,
        second: None,
    };
    let mut parsed = read_converted(files, &mut conversion)?;
    let file = Arc::clone(&conversion.file);
    let rest = parsed.take_rest(file.name())?;
    let has = |text: &str| (rest.added_tokens.iter()).any(|token| &*token.content == text);
    let config = recipe.settings(has);
    let tokens = SpecialTokens {
        map: config.special_tokens.clone(),
        ..SpecialTokens::default()
    };
    let class = Followed::default();
    let mut definition = parsed.into_definition(file, rest, config, tokens, class);
    definition.conversion = Some(Box::new(conversion));
    Ok(definition)
}

/// Returns true if every byte is a token, so that every text has tokens.
pub fn has_every_byte(definition: &Definition) -> bool {
    let conversion = definition.conversion.as_ref();
    conversion.is_some_and(|conversion| matches!(conversion.recipe, Recipe::Ranks(_)))
}

/// Returns the name of the encoding that a `.tiktoken` file is read as although it is not the published one.
pub fn assumed_encoding(definition: &Definition) -> Option<&'static str> {
    let conversion = definition.conversion.as_ref()?;
    let Recipe::Ranks(RanksRecipe::Tiktoken(encoding)) = &conversion.recipe else {
        return None;
    };
    let sha256 = hex(&conversion.file.sha256()?);
    (sha256 != encoding.file.sha256).then_some(encoding.name)
}

/// Decodes ids as tiktoken or mistral_common does: the bytes of all tokens together are a text, and invalid ones are
/// replaced. Returns `None` for another tokenizer.
///
/// # Errors
/// Fails with the first id that no token has.
pub fn decode(
    definition: &Definition,
    ids: &[u32],
    skip_special_tokens: bool,
) -> Option<Result<String, u32>> {
    let Recipe::Ranks(recipe) = &definition.conversion.as_ref()?.recipe else {
        return None;
    };
    // mistral_common decodes the tokens between special ones by themselves.
    let in_groups = matches!(recipe, RanksRecipe::Tekken);
    let (mut text, mut bytes) = (String::new(), Vec::new());
    for &id in ids {
        let special = definition.added_vocabulary.with_id(id);
        match (special, definition.piece(id)) {
            (Some(token), _) => {
                if in_groups {
                    text.push_str(&String::from_utf8_lossy(&std::mem::take(&mut bytes)));
                }
                if !skip_special_tokens {
                    bytes.extend_from_slice(token.content.as_bytes());
                }
            }
            (None, Some((piece, _))) => bytes.extend(piece.chars().filter_map(alphabet::byte)),
            (None, None) => return Some(Err(id)),
        }
    }
    text.push_str(&String::from_utf8_lossy(&bytes));
    Some(Ok(text))
}

fn unknown_encoding(file: &dyn ByteSource, sha256: &[u8; 32]) -> Error {
    let names = ENCODINGS.each_ref().map(|encoding| encoding.name);
    let error = Error::unsupported(
        file.name(),
        format!(
            "it does not say how it splits texts or what special tokens it has, and its sha256, {}, is not that of an \
             encoding of OpenAI",
            hex(sha256)
        ),
    );
    error.with_hint(format!(
        "use the model's tokenizer.json if it has one; if the file splits texts like an encoding of OpenAI and has its \
         special tokens, name it after the encoding: {}",
        names[1..].join(", ")
    ))
}
