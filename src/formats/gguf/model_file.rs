//! The GGUF file of a model.

use std::sync::Arc;

use super::header::Gguf;
use super::text_places::TextPlaces;
use crate::error::{Error, Result};
use crate::formats::placeholder_file;
use crate::source::{ByteSource, FileKind, GgufShard, ModelFiles};

/// The start of the names of files for the encoders of images and sound, which are no models of text.
const PROJECTOR: &str = "mmproj";
/// The folder of the app cache for the places of texts.
const NOTES: &str = "gguf";
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

/// Reads the header of the file. The places of the texts in a long header are noted in the app cache, so that later it is
/// not read as a whole.
///
/// # Errors
/// Fails like [`Gguf::read`].
pub fn header(files: &ModelFiles, file: &dyn ByteSource) -> Result<Gguf> {
    let Some(stamp) = file.stamp() else {
        return Gguf::read(file);
    };
    let noted = files.noted(NOTES, &stamp);
    if let Some(places) = noted.and_then(|text| TextPlaces::parse(&text))
        && let Ok(header) = Gguf::read_with(file, places)
    {
        return Ok(header);
    }
    let header = Gguf::read(file)?;
    if !header.places.is_empty() {
        files.note(NOTES, &stamp, &header.places.to_text());
    }
    Ok(header)
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

    /// A wrong note shows that notes are used, as long as it fits the file.
    #[cfg(target_os = "linux")]
    #[test]
    fn the_places_of_texts_are_noted_and_wrong_ones_not_believed() {
        use std::fs;
        use std::time::Duration;

        use crate::model_ref::ModelRef;
        use crate::source::{AppCache, HubSettings, SourceOptions, Unobserved, turn_clock};

        turn_clock(Duration::from_secs(3600));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.gguf");
        let mut bytes =
            b"GGUF\x03\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0a".to_vec();
        let (count, start) = (20_000_u64, 49);
        bytes.extend(
            [
                &9_u32.to_le_bytes()[..],
                &8_u32.to_le_bytes(),
                &count.to_le_bytes(),
            ]
            .concat(),
        );
        assert_eq!(bytes.len(), start);
        bytes.resize(start + count as usize * 8, 0);
        fs::write(&path, &bytes).unwrap();
        let options = SourceOptions {
            offline: true,
            hub: HubSettings::from_env(|_| None),
            cache: AppCache::in_folder(folder.path().join("own")),
            observer: Arc::new(Unobserved),
        };
        let files = ModelFiles::open(&ModelRef::File(path), options).unwrap();
        let (_, file) = find(&files).unwrap().unwrap();
        let stamp = file.stamp().unwrap();
        let right = header(&files, &*file).unwrap().places;
        if stamp.proof().is_none() {
            // The folder for temporary files is in memory, for example.
            return;
        }
        let noted = files.noted(NOTES, &stamp).unwrap();
        assert_eq!(TextPlaces::parse(&noted).as_ref(), Some(&right));
        for (place, is_used) in [("160048", true), ("999999999", false)] {
            files.note(NOTES, &stamp, &noted.replace("160049", place));
            let found = header(&files, &*file).unwrap().places;
            assert_eq!(found != right, is_used, "{place}");
        }
        files.note(NOTES, &stamp, "x");
        assert_eq!(header(&files, &*file).unwrap().places, right);
    }
}
