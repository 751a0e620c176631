//! The part of the app cache that holds compiled vocabularies.
//!
//! A compiled vocabulary is found by the sha256 of its source file. Hashing the source and verifying the checksum of
//! the compiled file take longer than tokenizing a sentence, so a note records the [`FileStamp`] of both files once
//! that is done. As long as neither file has been written since, neither is read in full again.

use sha2::{Digest as _, Sha256};

use super::native::compiled::{CompiledVocabulary, Contents, VERSION};
use crate::error::Result;
use crate::source::digest::hex;
use crate::source::{ByteSource, FileStamp, ModelFiles};

/// The minimum size of a source file, in bytes, for its vocabulary to be cached. Compiling a smaller one takes less
/// time than opening a cached file.
const MIN_SOURCE_LENGTH: u64 = 1 << 20;

/// The place in the cache for the compiled vocabulary of one source file.
pub(super) struct CacheEntry<'a> {
    files: &'a ModelFiles,
    /// The sha256 of the source file. All zeros if the file is too small to be cached.
    source: [u8; 32],
    /// The name in the app cache. `None` if the file is too small to be cached.
    name: Option<String>,
    /// The stamp of the file before it was hashed.
    stamp: Option<FileStamp>,
    note: Option<Note>,
}

/// A record that a source file was hashed and the checksum of its compiled vocabulary verified.
#[derive(Debug, PartialEq, Eq)]
struct Note {
    /// The stamp of the source file when it was hashed.
    stamp: String,
    sha256: [u8; 32],
    /// The stamp of the compiled file when its checksum was verified.
    compiled: String,
}

impl<'a> CacheEntry<'a> {
    /// Finds the cache entry of `file`. Reads the file only if no note has its sha256.
    ///
    /// # Errors
    /// Fails like [`ByteSource::read`].
    pub fn locate(files: &'a ModelFiles, file: &dyn ByteSource) -> Result<Self> {
        let mut entry = Self {
            files,
            source: [0; 32],
            name: None,
            stamp: None,
            note: None,
        };
        if file.len() < MIN_SOURCE_LENGTH {
            return Ok(entry);
        }
        entry.stamp = file.stamp();
        entry.note = entry.read_note();
        entry.source = match &entry.note {
            Some(note) => note.sha256,
            None => Sha256::digest(file.read_all()?).into(),
        };
        entry.name = Some(format!("vocabularies/{}-v{VERSION}", hex(&entry.source)));
        Ok(entry)
    }

    /// Opens the compiled vocabulary. Returns `None` if it is not cached or is damaged.
    pub fn find(&self) -> Option<CompiledVocabulary> {
        let made = self.files.find_derived(self.name.as_ref()?)?;
        let stamp = made.stamp();
        if let (Some(note), Some(stamp)) = (&self.note, &stamp)
            && note.compiled == stamp.to_string()
        {
            return CompiledVocabulary::reopen(made, self.source);
        }
        let compiled = CompiledVocabulary::open(made, self.source)?;
        self.write_note(stamp.as_ref());
        Some(compiled)
    }

    /// Compiles a vocabulary and caches it.
    pub fn make(&self, contents: &Contents<'_>) -> CompiledVocabulary {
        let compiled = CompiledVocabulary::new(contents, self.source);
        if let Some(name) = &self.name {
            self.files.store_derived(name, compiled.bytes());
        }
        compiled
    }

    /// Reads the note for the file. Returns `None` if there is no note or the file has been written since.
    fn read_note(&self) -> Option<Note> {
        let stamp = self.stamp.as_ref()?;
        let cached = self.files.find_derived(&note_name(stamp)?)?;
        Note::parse(cached.bytes()).filter(|note| note.stamp == stamp.to_string())
    }

    /// Writes a note for the file and its compiled vocabulary, unless one of them was written so recently that its
    /// stamp might miss a later change.
    fn write_note(&self, compiled: Option<&FileStamp>) {
        if let (Some(stamp), Some(compiled)) = (&self.stamp, compiled)
            && stamp.is_settled()
            && compiled.is_settled()
            && let Some(name) = note_name(stamp)
        {
            let note = Note {
                stamp: stamp.to_string(),
                sha256: self.source,
                compiled: compiled.to_string(),
            };
            self.files.store_derived(&name, &note.to_bytes());
        }
    }
}

fn note_name(stamp: &FileStamp) -> Option<String> {
    Some(format!("sources/{}", stamp.identity()?))
}

impl Note {
    /// Parses a note. Returns `None` if it is damaged.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut lines = str::from_utf8(bytes).ok()?.lines();
        let (stamp, digest, compiled) = (lines.next()?, lines.next()?, lines.next()?);
        let mut sha256 = [0; 32];
        for (index, byte) in sha256.iter_mut().enumerate() {
            *byte = u8::from_str_radix(digest.get(2 * index..2 * index + 2)?, 16).ok()?;
        }
        let note = Self {
            stamp: stamp.to_owned(),
            sha256,
            compiled: compiled.to_owned(),
        };
        (note.to_bytes() == bytes).then_some(note)
    }

    /// Returns one line per field, and a last line with the checksum of the others.
    fn to_bytes(&self) -> Vec<u8> {
        let lines = format!("{}\n{}\n{}\n", self.stamp, hex(&self.sha256), self.compiled);
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
    use crate::source::{AppCache, HubSettings, MappedFile, SourceOptions, Unobserved};

    const SPM: &str = "spm.model";

    /// A folder with a model whose file is large enough, and the app cache.
    struct Scene {
        folder: tempfile::TempDir,
        files: ModelFiles,
    }

    impl Scene {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let model = folder.path().join("model");
            fs::create_dir(&model).unwrap();
            fs::write(model.join(SPM), vec![1; MIN_SOURCE_LENGTH as usize]).unwrap();
            let options = SourceOptions {
                offline: true,
                hub: HubSettings::from_env(|_| None),
                cache: AppCache::in_folder(folder.path().join("own")),
                observer: Arc::new(Unobserved),
            };
            let files = ModelFiles::open(&ModelRef::Directory(model), options).unwrap();
            Self { folder, files }
        }

        fn source(&self) -> PathBuf {
            self.folder.path().join("model").join(SPM)
        }

        /// Returns the only file in a folder of the cache.
        fn only_file(&self, cache_folder: &str) -> Option<PathBuf> {
            let folder = fs::read_dir(self.folder.path().join("own").join(cache_folder)).ok()?;
            let paths: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
            assert_eq!(paths.len(), 1);
            paths.into_iter().next()
        }

        fn find(&self) -> Option<CompiledVocabulary> {
            let file = self.files.find(SPM).unwrap().unwrap();
            CacheEntry::locate(&self.files, file.as_ref())
                .unwrap()
                .find()
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
            CacheEntry::locate(&self.files, file.as_ref())
                .unwrap()
                .make(&contents);
        }

        /// Waits until the files count as settled, opens the vocabulary, and returns the note.
        fn note(&self) -> Note {
            sleep(Duration::from_millis(100));
            assert!(self.find().is_some());
            Note::parse(&fs::read(self.only_file("sources").unwrap()).unwrap()).unwrap()
        }

        fn stamp(path: &Path) -> String {
            let file = MappedFile::open(path, "f").unwrap();
            file.stamp().unwrap().to_string()
        }
    }

    #[test]
    fn files_with_a_note_are_not_read_again() {
        let scene = Scene::new();
        scene.make("first");
        let mut note = scene.note();
        let compiled = scene.only_file("vocabularies").unwrap();
        let mut bytes = fs::read(&compiled).unwrap();
        let at = bytes.windows(5).position(|five| five == b"first").unwrap();
        bytes[at..at + 5].copy_from_slice(b"other");
        fs::write(&compiled, bytes).unwrap();
        fs::write(scene.source(), vec![2; MIN_SOURCE_LENGTH as usize]).unwrap();
        assert!(scene.find().is_none());
        note.stamp = Scene::stamp(&scene.source());
        note.compiled = Scene::stamp(&compiled);
        fs::write(scene.only_file("sources").unwrap(), note.to_bytes()).unwrap();
        assert_eq!(scene.find().unwrap().piece(1), Some("other"));
    }

    #[test]
    fn files_written_after_the_note_are_read_again() {
        let scene = Scene::new();
        scene.make("first");
        scene.note();
        let compiled = scene.only_file("vocabularies").unwrap();
        let mut bytes = fs::read(&compiled).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(&compiled, bytes).unwrap();
        assert!(scene.find().is_none(), "damaged");
        scene.make("first");
        scene.note();
        fs::write(scene.source(), vec![2; MIN_SOURCE_LENGTH as usize]).unwrap();
        assert!(scene.find().is_none(), "of another source");
    }

    #[test]
    fn a_damaged_note_is_ignored() {
        let scene = Scene::new();
        scene.make("first");
        scene.note();
        let path = scene.only_file("sources").unwrap();
        let note = fs::read(&path).unwrap();
        for at in 0..note.len() {
            let mut flipped = note.clone();
            flipped[at] ^= 1;
            for damaged in [&note[..at], &flipped] {
                fs::write(&path, damaged).unwrap();
                assert_eq!(Note::parse(damaged), None);
                assert!(scene.find().is_some());
            }
        }
    }
}
