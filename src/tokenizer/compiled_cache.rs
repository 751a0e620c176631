//! The part of the app cache that holds compiled vocabularies.
//!
//! A compiled vocabulary is found by the sha256 of its source file, and made from the bytes that were hashed. If it is
//! made from several files, or by their settings, it is found by the sha256 of all their digests. Verifying
//! the checksum of the compiled file takes longer than tokenizing a sentence, so a note records that this is done. As
//! long as the [`FileStamp`] proves that the compiled file has not been written since, it is not read in full again.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::native::compiled::{CompiledVocabulary, Contents, VERSION};
use crate::error::Result;
use crate::formats::sentencepiece::SentencePieceModel;
use crate::source::digest::hex;
use crate::source::{ByteSource, FileStamp, ModelFiles, Writer};

/// The minimum size of a source file, in bytes, for its vocabulary to be cached. Compiling a smaller one takes less
/// time than opening a cached file.
const MIN_SOURCE_LENGTH: u64 = 1 << 17;
/// The maximum size of a source file, in bytes. A larger one is not a tokenizer that can be read.
const MAX_SOURCE_LENGTH: u64 = 256 << 20;
/// The maximum size of a note, in bytes.
const MAX_NOTE: u64 = 4 << 10;

/// The place in the cache for the compiled vocabulary of one or more source files.
pub(super) struct CacheEntry<'a> {
    files: &'a ModelFiles,
    /// The sha256 of the source file, or of the digests of all files and settings. All zeros if the vocabulary is not
    /// cached.
    source: [u8; 32],
    /// The name in the app cache. `None` if the vocabulary is not cached.
    name: Option<String>,
}

impl<'a> CacheEntry<'a> {
    /// Finds the cache entry of `file`, and replaces the file by one whose bytes are those with the digest. Reads it
    /// only if its sha256 is not known.
    ///
    /// # Errors
    /// Fails like [`ByteSource::read`].
    pub fn locate(files: &'a ModelFiles, file: &mut Arc<dyn ByteSource>) -> Result<Self> {
        let is_cached = freeze(files, &mut [&mut *file])?;
        Ok(Self::new(files, file.sha256().filter(|_| is_cached)))
    }

    /// Finds the cache entry of what `sources` are converted to with the settings of a digest. Replaces the files as
    /// [`Self::locate`] does.
    ///
    /// # Errors
    /// Fails like [`ByteSource::read`].
    pub fn locate_all(
        files: &'a ModelFiles,
        sources: &mut [&mut Arc<dyn ByteSource>],
        settings: [u8; 32],
    ) -> Result<Self> {
        let is_cached = freeze(files, sources)?;
        let digests = sources
            .iter()
            .map(|file| file.sha256().filter(|_| is_cached));
        let digests: Option<Vec<[u8; 32]>> = [Some(settings)].into_iter().chain(digests).collect();
        let source = digests.map(|digests| Sha256::digest(digests.concat()).into());
        Ok(Self::new(files, source))
    }

    fn new(files: &'a ModelFiles, source: Option<[u8; 32]>) -> Self {
        Self {
            files,
            source: source.unwrap_or_default(),
            name: source.map(|source| format!("{}-v{VERSION}", hex(&source))),
        }
    }

    /// Opens the compiled vocabulary. Returns `None` if it is not cached or is damaged.
    pub fn find(&self) -> Option<CompiledVocabulary> {
        let name = self.name.as_ref()?;
        let made = self.files.find_derived(&vocabulary_name(name))?;
        // Taken first, so that the note does not match if the file is written while it is read.
        let stamp = made.stamp();
        let proof = stamp.as_ref().and_then(FileStamp::proof);
        if let Some(proof) = &proof
            && self.files.read_derived(&note_name(name), MAX_NOTE) == Some(note(proof))
        {
            return CompiledVocabulary::reopen(made, self.source);
        }
        let compiled = CompiledVocabulary::open(made, self.source)?;
        if let (Some(stamp), Some(proof)) = (stamp, proof)
            && stamp.is_settled(Writer::Tokscope)
        {
            self.files.store_derived(&note_name(name), &note(&proof));
        }
        Some(compiled)
    }

    /// Compiles a vocabulary, read from the files that were located, and caches it.
    pub fn make(&self, contents: &Contents<'_>) -> CompiledVocabulary {
        let compiled = CompiledVocabulary::new(contents, self.source);
        if let Some(name) = &self.name {
            let name = vocabulary_name(name);
            self.files.store_derived(&name, compiled.bytes());
        }
        compiled
    }
}

/// Returns a SentencePiece file, whose bytes no longer change if they were hashed, and its vocabulary.
///
/// # Errors
/// Fails if the file cannot be read.
pub fn read_sentencepiece(
    files: &ModelFiles,
    mut file: Arc<dyn ByteSource>,
) -> Result<(Arc<dyn ByteSource>, CompiledVocabulary)> {
    let entry = CacheEntry::locate(files, &mut file)?;
    let compiled = match entry.find() {
        Some(compiled) => compiled,
        None => {
            let model = SentencePieceModel::parse(file.name(), &file.read_all()?)?;
            entry.make(&Contents::from(&model))
        }
    };
    Ok((file, compiled))
}

/// Determines the digests of the files, unless their vocabulary is not worth caching. Returns true if it is.
fn freeze(files: &ModelFiles, sources: &mut [&mut Arc<dyn ByteSource>]) -> Result<bool> {
    let length = sources.iter().map(|file| file.len()).sum();
    let is_cached = (MIN_SOURCE_LENGTH..=MAX_SOURCE_LENGTH).contains(&length);
    if is_cached {
        for file in sources {
            **file = files.with_digest(Arc::clone(file))?;
        }
    }
    Ok(is_cached)
}

fn vocabulary_name(name: &str) -> String {
    format!("vocabularies/{name}")
}

fn note_name(name: &str) -> String {
    format!("checked/{name}")
}

fn note(proof: &str) -> Vec<u8> {
    format!("{proof}\n").into_bytes()
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;
    use std::thread::sleep;
    use std::time::Duration;

    use super::*;
    use crate::formats::algorithm::Algorithm;
    use crate::formats::sentencepiece::PieceKind;
    use crate::model_ref::ModelRef;
    use crate::source::{AppCache, HubSettings, MappedFile, SourceOptions, Unobserved, turn_clock};

    const SPM: &str = "spm.model";

    /// A folder with a model whose file is large enough, and the app cache. The clock is an hour late, so that the files
    /// count as settled.
    struct Scene {
        folder: tempfile::TempDir,
        files: ModelFiles,
    }

    impl Scene {
        /// Returns `None` if times prove nothing in the folder for temporary files, as in memory.
        fn new() -> Option<Self> {
            turn_clock(Duration::from_secs(3600));
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
            let scene = Self { folder, files };
            let file = MappedFile::open(&scene.source(), "f").unwrap();
            let proof = file.stamp().unwrap().proof();
            proof.map(|_| scene)
        }

        fn source(&self) -> PathBuf {
            self.folder.path().join("model").join(SPM)
        }

        /// Returns the only file in a folder of the cache.
        fn only_file(&self, cache_folder: &str) -> PathBuf {
            let folder = fs::read_dir(self.folder.path().join("own").join(cache_folder));
            let paths: Vec<PathBuf> = folder.unwrap().map(|entry| entry.unwrap().path()).collect();
            assert_eq!(paths.len(), 1);
            paths.into_iter().next().unwrap()
        }

        fn entry(&self) -> CacheEntry<'_> {
            self.entry_with_file().0
        }

        fn entry_with_file(&self) -> (CacheEntry<'_>, Arc<dyn ByteSource>) {
            let mut file = self.files.find(SPM).unwrap().unwrap();
            let entry = CacheEntry::locate(&self.files, &mut file).unwrap();
            (entry, file)
        }

        fn find(&self) -> Option<CompiledVocabulary> {
            self.entry().find()
        }

        fn make(&self, piece: &str) {
            let contents = Contents {
                pieces: vec![
                    ("?", 0.0, PieceKind::Unknown),
                    (piece, -1.0, PieceKind::Normal),
                ],
                gaps: Vec::new(),
                unknown_id: Some(0),
                algorithm: Algorithm::Unigram,
                byte_fallback: false,
                charsmap: &[],
                settings_start: 0,
                rest: &[],
                model: None,
            };
            self.entry().make(&contents);
        }

        /// Opens the vocabulary, so that both notes are written.
        fn note(&self) {
            assert!(self.find().is_some());
            self.only_file("sources");
            self.only_file("checked");
            // The next write gets another time.
            sleep(Duration::from_millis(20));
        }
    }

    #[test]
    fn files_with_a_note_are_not_read_again() {
        let Some(scene) = Scene::new() else { return };
        scene.make("first");
        scene.note();
        let compiled = scene.only_file("vocabularies");
        let mut bytes = fs::read(&compiled).unwrap();
        let at = bytes.windows(5).position(|five| five == b"first").unwrap();
        bytes[at..at + 5].copy_from_slice(b"other");
        fs::write(&compiled, bytes).unwrap();
        assert!(scene.find().is_none());
        let stamp = MappedFile::open(&compiled, "f").unwrap().stamp();
        let proof = stamp.unwrap().proof().unwrap();
        fs::write(scene.only_file("checked"), note(&proof)).unwrap();
        assert_eq!(scene.find().unwrap().piece(1), Some("other"));
    }

    #[test]
    fn files_written_after_the_note_are_read_again() {
        let Some(scene) = Scene::new() else { return };
        scene.make("first");
        scene.note();
        let compiled = scene.only_file("vocabularies");
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

    /// The file is replaced by one of the same length and modification time, at every step of the first run.
    #[test]
    fn a_vocabulary_is_made_of_the_bytes_that_were_hashed() {
        for is_noted in [false, true] {
            let Some(scene) = Scene::new() else { return };
            let bytes = |byte| vec![byte; MIN_SOURCE_LENGTH as usize];
            if is_noted {
                scene.entry();
                scene.only_file("sources");
                sleep(Duration::from_millis(20));
            }
            let (entry, file) = scene.entry_with_file();
            let digest = entry.source;
            fs::write(scene.source(), bytes(2)).unwrap();
            match file.read_all() {
                Ok(read) => {
                    assert!(!is_noted && read.as_ref() == bytes(1));
                    assert_eq!(file.sha256(), Some(digest));
                }
                Err(error) => {
                    let problem = "is damaged: it was changed while it was in use";
                    assert!(is_noted && error.to_string().ends_with(problem), "{error}");
                }
            }
            assert_ne!(scene.entry().source, digest);
        }
    }

    #[test]
    fn a_damaged_note_is_ignored() {
        let Some(scene) = Scene::new() else { return };
        scene.make("first");
        scene.note();
        let path = scene.only_file("checked");
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            fs::write(&path, &whole[..at]).unwrap();
            assert!(scene.find().is_some());
            assert_eq!(fs::read(&path).unwrap(), whole);
        }
    }
}
