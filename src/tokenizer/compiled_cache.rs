//! The compiled vocabulary of a file, in tokscope's own cache.
//!
//! It is found by the sha256 of the file. To hash the file and to sum up the compiled one takes longer than to tokenize a
//! sentence, so what both were then is noted: as long as neither was written since, neither is read again.

use sha2::{Digest as _, Sha256};

use super::native::compiled::{CompiledVocabulary, Contents, VERSION};
use crate::error::Result;
use crate::formats::lock_file::hex;
use crate::source::{ByteSource, FileState, ModelFiles};

/// Files of at least this many bytes are worth it: others are compiled before a file could be opened.
const WORTH_KEEPING: u64 = 1 << 20;

/// Where the compiled vocabulary of a file is kept, if it is.
pub(super) struct CacheEntry<'a> {
    files: &'a ModelFiles,
    /// The sha256 of the file; zeros if it is not worth keeping anything.
    source: [u8; 32],
    name: Option<String>,
    /// What the file was before it was hashed.
    state: Option<FileState>,
    note: Option<Note>,
}

/// What is noted of a file, and the vocabulary compiled from it.
#[derive(Debug, PartialEq, Eq)]
struct Note {
    /// The state of the file in which it had this sha256.
    state: String,
    sha256: [u8; 32],
    /// The state of the compiled vocabulary in which it was right.
    compiled: String,
}

impl<'a> CacheEntry<'a> {
    /// Reads `file` only if it is not known what it holds.
    ///
    /// # Errors
    /// As [`ByteSource::read`].
    pub fn of(files: &'a ModelFiles, file: &dyn ByteSource) -> Result<Self> {
        let mut place = Self {
            files,
            source: [0; 32],
            name: None,
            state: None,
            note: None,
        };
        if file.len() < WORTH_KEEPING {
            return Ok(place);
        }
        place.state = file.state();
        place.note = place.noted();
        place.source = match &place.note {
            Some(note) => note.sha256,
            None => Sha256::digest(file.read_all()?).into(),
        };
        place.name = Some(format!("vocabularies/{}-v{VERSION}", hex(&place.source)));
        Ok(place)
    }

    /// The compiled vocabulary, if it is there and right.
    pub fn find(&self) -> Option<CompiledVocabulary> {
        let made = self.files.made_earlier(self.name.as_ref()?)?;
        let state = made.state();
        if let (Some(note), Some(state)) = (&self.note, &state)
            && note.compiled == state.to_string()
        {
            return CompiledVocabulary::reopen(made, self.source);
        }
        let compiled = CompiledVocabulary::open(made, self.source)?;
        self.keep_note(state.as_ref());
        Some(compiled)
    }

    /// Compiles a vocabulary, and keeps it.
    pub fn make(&self, contents: &Contents<'_>) -> CompiledVocabulary {
        let compiled = CompiledVocabulary::new(contents, self.source);
        if let Some(name) = &self.name {
            self.files.keep(name, compiled.bytes());
        }
        compiled
    }

    /// The note of the file as it is.
    fn noted(&self) -> Option<Note> {
        let state = self.state.as_ref()?;
        let kept = self.files.made_earlier(&note_name(state)?)?;
        Note::parse(kept.bytes()).filter(|note| note.state == state.to_string())
    }

    fn keep_note(&self, compiled: Option<&FileState>) {
        if let (Some(state), Some(compiled)) = (&self.state, compiled)
            && state.is_settled()
            && compiled.is_settled()
            && let Some(name) = note_name(state)
        {
            let note = Note {
                state: state.to_string(),
                sha256: self.source,
                compiled: compiled.to_string(),
            };
            self.files.keep(&name, &note.to_bytes());
        }
    }
}

fn note_name(state: &FileState) -> Option<String> {
    Some(format!("sources/{}", state.place()?))
}

impl Note {
    /// None if it is damaged.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut lines = str::from_utf8(bytes).ok()?.lines();
        let (state, digest, compiled) = (lines.next()?, lines.next()?, lines.next()?);
        let mut sha256 = [0; 32];
        for (index, byte) in sha256.iter_mut().enumerate() {
            *byte = u8::from_str_radix(digest.get(2 * index..2 * index + 2)?, 16).ok()?;
        }
        let note = Self {
            state: state.to_owned(),
            sha256,
            compiled: compiled.to_owned(),
        };
        (note.to_bytes() == bytes).then_some(note)
    }

    /// A line each, and one with the checksum of the others.
    fn to_bytes(&self) -> Vec<u8> {
        let lines = format!("{}\n{}\n{}\n", self.state, hex(&self.sha256), self.compiled);
        let checksum = crc32fast::hash(lines.as_bytes());
        format!("{lines}{checksum:08x}\n").into_bytes()
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::sync::Arc;
    use std::thread::sleep;
    use std::time::Duration;

    use super::*;
    use crate::formats::sentencepiece::{Algorithm, PieceKind};
    use crate::model_ref::ModelRef;
    use crate::source::{HubSettings, MappedFile, OwnCache, SourceOptions, Unobserved};

    const SPM: &str = "spm.model";

    /// A folder with a file that is worth it, and the own cache.
    struct Place {
        folder: tempfile::TempDir,
        files: ModelFiles,
    }

    impl Place {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let model = folder.path().join("model");
            fs::create_dir(&model).unwrap();
            fs::write(model.join(SPM), vec![1; WORTH_KEEPING as usize]).unwrap();
            let options = SourceOptions {
                offline: true,
                hub: HubSettings::from_env(|_| None).unwrap(),
                cache: OwnCache::in_folder(folder.path().join("own")),
                observer: Arc::new(Unobserved),
            };
            let files = ModelFiles::open(&ModelRef::Directory(model), options).unwrap();
            Self { folder, files }
        }

        fn source(&self) -> PathBuf {
            self.folder.path().join("model").join(SPM)
        }

        fn only_file(&self, of: &str) -> Option<PathBuf> {
            let folder = fs::read_dir(self.folder.path().join("own").join(of)).ok()?;
            let paths: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
            assert_eq!(paths.len(), 1);
            paths.into_iter().next()
        }

        fn find(&self) -> Option<CompiledVocabulary> {
            let file = self.files.find(SPM).unwrap().unwrap();
            CacheEntry::of(&self.files, file.as_ref()).unwrap().find()
        }

        fn make(&self, piece: &str) {
            let file = self.files.find(SPM).unwrap().unwrap();
            let contents = Contents {
                pieces: vec![
                    ("?", 0.0, PieceKind::Unknown),
                    (piece, -1.0, PieceKind::Normal),
                ],
                unknown_id: 0,
                algorithm: Algorithm::Unigram,
                byte_fallback: false,
                charsmap: &[],
                rest: &[],
            };
            CacheEntry::of(&self.files, file.as_ref())
                .unwrap()
                .make(&contents);
        }

        /// Waits until files are settled, and has them noted.
        fn note(&self) -> Note {
            sleep(Duration::from_millis(100));
            assert!(self.find().is_some());
            Note::parse(&fs::read(self.only_file("sources").unwrap()).unwrap()).unwrap()
        }

        fn state(path: &Path) -> String {
            let file = MappedFile::open(path, "f").unwrap();
            file.state().unwrap().to_string()
        }
    }

    #[test]
    fn what_is_noted_is_not_read_again() {
        let place = Place::new();
        place.make("first");
        let mut note = place.note();
        let compiled = place.only_file("vocabularies").unwrap();
        let mut bytes = fs::read(&compiled).unwrap();
        let at = bytes.windows(5).position(|five| five == b"first").unwrap();
        bytes[at..at + 5].copy_from_slice(b"other");
        fs::write(&compiled, bytes).unwrap();
        fs::write(place.source(), vec![2; WORTH_KEEPING as usize]).unwrap();
        assert!(place.find().is_none());
        note.state = Place::state(&place.source());
        note.compiled = Place::state(&compiled);
        fs::write(place.only_file("sources").unwrap(), note.to_bytes()).unwrap();
        assert_eq!(place.find().unwrap().piece(1), Some("other"));
    }

    #[test]
    fn what_was_written_since_is_read_again() {
        let place = Place::new();
        place.make("first");
        place.note();
        let compiled = place.only_file("vocabularies").unwrap();
        let mut bytes = fs::read(&compiled).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(&compiled, bytes).unwrap();
        assert!(place.find().is_none(), "damaged");
        place.make("first");
        place.note();
        fs::write(place.source(), vec![2; WORTH_KEEPING as usize]).unwrap();
        assert!(place.find().is_none(), "of another source");
    }

    #[test]
    fn a_damaged_note_is_none() {
        let place = Place::new();
        place.make("first");
        place.note();
        let path = place.only_file("sources").unwrap();
        let note = fs::read(&path).unwrap();
        for at in 0..note.len() {
            let mut flipped = note.clone();
            flipped[at] ^= 1;
            for damaged in [&note[..at], &flipped] {
                fs::write(&path, damaged).unwrap();
                assert_eq!(Note::parse(damaged), None);
                assert!(place.find().is_some());
            }
        }
    }
}
