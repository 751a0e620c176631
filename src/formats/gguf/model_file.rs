//! The GGUF file of a model.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::formats::placeholder_file;
use crate::source::{ByteSource, FileKind, GgufShard, ModelFiles};

/// The start of the names of files for the encoders of images and sound, which are no models of text.
const PROJECTOR: &str = "mmproj";
/// The most bytes of the name of a file.
const MAX_NAME: u64 = 4096;

/// Finds the GGUF file of a model, or its first shard: the one that the reference names, or the only one. Returns its
/// name within the model, and the file for partial reads; `None` if the model has none.
///
/// # Errors
/// Fails with [`Error::BadModelRef`] if the reference names a file that does not exist, with [`Error::Usage`] if it names
/// none and the model has several, and with the errors of finding files.
pub fn find(files: &ModelFiles) -> Result<Option<(String, Arc<dyn ByteSource>)>> {
    let name = match (files.only(), files.only_kind()?) {
        (Some(only), Some(FileKind::Gguf)) => Some(only.to_owned()),
        (Some(_), _) => None,
        (None, _) => the_only_one(files)?,
    };
    let Some(name) = name else {
        return Ok(None);
    };
    match files.find_ranged(&name)? {
        Some(file) => {
            if file.is_empty() {
                placeholder_file::refuse(file.name(), &[])?;
            }
            Ok(Some((name, file)))
        }
        None => Err(files.no_such_file(&name)),
    }
}

/// Returns true if a file is named like a GGUF file, on its own or in Ollama's store.
pub fn is_gguf(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(".gguf") || name.starts_with("sha256-")
}

fn the_only_one(files: &ModelFiles) -> Result<Option<String>> {
    if let Some(name) = noted(files) {
        return Ok(Some(name));
    }
    let mut names = files.names()?;
    names.retain(|name| is_model(name));
    match names.as_slice() {
        [name] => {
            if let Some(note) = note_name(files) {
                files.store_derived(&note, name.as_bytes());
            }
            Ok(names.pop())
        }
        [] => Ok(None),
        [first, ..] => {
            let place = files.place();
            let named = files.reference_to(first);
            Err(Error::usage_hint(
                format!(
                    "{place} has {} GGUF files, and no other checkpoint",
                    names.len()
                ),
                format!("name one of the GGUF files, as in `--model {named}`"),
            ))
        }
    }
}

/// Returns the name of the only GGUF file of a commit, if an earlier run has asked the Hub for it.
fn noted(files: &ModelFiles) -> Option<String> {
    let name = files.read_derived(&note_name(files)?, MAX_NAME)?;
    String::from_utf8(name).ok().filter(|name| is_model(name))
}

/// Returns the name of the file in the app cache for the result of a search; `None` if the model has no commit.
fn note_name(files: &ModelFiles) -> Option<String> {
    Some(format!("only-gguf/{}", files.commit()?))
}

/// Returns true if a file may be the model, or its first shard.
pub fn is_model(name: &str) -> bool {
    let is_projector = name
        .rsplit('/')
        .next()
        .is_some_and(|name| name.starts_with(PROJECTOR));
    let is_first = GgufShard::parse(name).is_none_or(|shard| shard.number == 1);
    is_gguf(name) && is_first && !is_projector
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projectors_and_later_shards_are_not_the_model() {
        assert!(is_model("m-q4.gguf"));
        assert!(is_model("Q8/m-00001-of-00002.gguf"));
        assert!(is_model("M.GGUF"));
        assert!(!is_model("Q8/m-00002-of-00002.gguf"));
        assert!(!is_model("q/mmproj-m-f16.gguf"));
        assert!(!is_model("model.safetensors"));
    }
}
