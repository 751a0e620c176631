//! The Hub cache, in the layout of huggingface_hub and shared with other programs that use that layout.
//!
//! ```text
//! <cache>/models--owner--name/
//!   refs/main                        the commit of `main` when the Hub was last asked
//!   snapshots/<commit>/spm.model     → ../../blobs/<etag>
//!   .no_exist/<commit>/vocab.txt     an empty marker: the commit has no such file
//!   blobs/<etag>                     content, named by its digest; <etag>.incomplete during a download
//! <cache>/.locks/models--owner--name/<etag>.lock
//! ```
//!
//! The layout is described in <https://huggingface.co/docs/huggingface_hub/guides/manage-cache>.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use hf_hub::{Cache, CacheRepo, Repo, RepoType};

use super::etag::Etag;
use crate::model_ref::{HubModel, ModelRef};
use crate::source::file_entry::FileEntry;
use crate::source::local::atomic_file::{self, Access, PendingFile};
use crate::source::local::file_lock::FileLock;
use crate::source::local::read_limited;

/// The maximum size of a ref, in bytes. It holds a commit.
const MAX_REF: u64 = 1 << 16;

/// Returns the ids of the models in a cache that have files, sorted.
pub fn cached_models(cache_dir: &Path) -> Vec<String> {
    let Ok(entries) = cache_dir.read_dir() else {
        return Vec::new();
    };
    let has_files = |folder: &Path| {
        let snapshots = folder.join("snapshots").read_dir();
        snapshots.is_ok_and(|mut snapshots| snapshots.next().is_some())
    };
    let models = entries.flatten().filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        // The Hub allows no `--` in names.
        let id = name.strip_prefix("models--")?.replacen("--", "/", 1);
        let is_id = matches!(format!("hf://{id}").parse(), Ok(ModelRef::Hub(_)));
        (is_id && has_files(&entry.path())).then_some(id)
    });
    let mut models: Vec<String> = models.collect();
    models.sort_unstable();
    models
}

/// The folder of one model in the Hub cache.
#[derive(Debug)]
pub(crate) struct CachedModel {
    snapshots: CacheRepo,
    folder: PathBuf,
    locks: PathBuf,
}

impl CachedModel {
    pub(crate) fn new(cache_dir: &Path, model: &HubModel) -> Self {
        let repository = Repo::new(model.id(), RepoType::Model);
        let name = repository.folder_name();
        Self {
            snapshots: Cache::new(cache_dir.to_owned()).repo(repository),
            locks: cache_dir.join(".locks").join(&name),
            folder: cache_dir.join(name),
        }
    }

    /// Returns the commit of `revision`, if it is known without the Hub.
    pub(crate) fn commit(&self, revision: &str) -> Option<String> {
        if is_commit(revision) {
            return Some(revision.to_owned());
        }
        let text = self.read_ref(revision)?;
        is_commit(text.trim()).then(|| text.trim().to_owned())
    }

    /// Returns the content of a ref if it is not a commit. A crash can leave a ref empty or truncated.
    pub(crate) fn damaged_ref(&self, revision: &str) -> Option<String> {
        let text = self.read_ref(revision)?;
        (!is_commit(text.trim())).then_some(text)
    }

    fn read_ref(&self, revision: &str) -> Option<String> {
        if is_commit(revision) {
            return None;
        }
        let path = self.folder.join("refs").join(revision);
        let bytes = read_limited::read(&path, MAX_REF).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Records the commit of `revision`. Readers see the old commit or the new one, never a part of either.
    ///
    /// # Errors
    /// Fails if writing fails.
    pub(crate) fn write_ref(&self, revision: &str, commit: &str) -> io::Result<()> {
        let path = self.folder.join("refs").join(revision);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        // Written outside `refs`, because every file in that folder counts as a ref.
        let pending = PendingFile::begin(&self.folder, Access::Shared)?;
        pending.file().write_all(commit.as_bytes())?;
        pending.persist(&path)
    }

    /// Returns the folder with the files of a commit.
    pub(crate) fn snapshot(&self, commit: &str) -> PathBuf {
        self.snapshots.pointer_path(commit)
    }

    /// Returns the path of a file in the snapshot, or `None` if its content is missing.
    pub(crate) fn file(&self, commit: &str, name: &str) -> Option<PathBuf> {
        let path = self.snapshot(commit).join(name);
        path.is_file().then_some(path)
    }

    /// Returns the digest in the name of the blob that a file of the snapshot links to; `None` if it is not a link, as
    /// on systems without links.
    pub(crate) fn etag(&self, commit: &str, name: &str) -> Option<Etag> {
        let target = fs::read_link(self.snapshot(commit).join(name)).ok()?;
        Etag::parse(target.file_name()?.to_str()?)
    }

    /// Returns true if the snapshot has a link of this name, dangling or not.
    pub(crate) fn has_link(&self, commit: &str, name: &str) -> bool {
        self.snapshot(commit).join(name).is_symlink()
    }

    /// Returns true if a marker says that the commit has no such file.
    pub(crate) fn is_absent(&self, commit: &str, name: &str) -> bool {
        self.absence_marker(commit, name).exists()
    }

    /// Records that the commit has no such file.
    ///
    /// # Errors
    /// Fails if writing fails.
    pub(crate) fn mark_absent(&self, commit: &str, name: &str) -> io::Result<()> {
        let marker = self.absence_marker(commit, name);
        if let Some(parent) = marker.parent() {
            fs::create_dir_all(parent)?;
        }
        File::create(marker).map(drop)
    }

    fn absence_marker(&self, commit: &str, name: &str) -> PathBuf {
        self.folder.join(".no_exist").join(commit).join(name)
    }

    /// Lists the files of the snapshot by name. The list is empty if there is no snapshot.
    pub(crate) fn files(&self, commit: &str) -> Vec<FileEntry> {
        let root = self.snapshot(commit);
        let mut entries = Vec::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            let Ok(children) = folder.read_dir() else {
                continue;
            };
            for path in children.flatten().map(|child| child.path()) {
                let Ok(metadata) = path.metadata() else {
                    continue;
                };
                if metadata.is_dir() {
                    folders.push(path);
                } else if let Some(name) = path.strip_prefix(&root).ok().and_then(Path::to_str) {
                    entries.push(FileEntry {
                        name: name.replace(std::path::MAIN_SEPARATOR, "/"),
                        size: Some(metadata.len()),
                        cached: true,
                    });
                }
            }
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        entries
    }

    /// Returns the path of a blob.
    pub(crate) fn blob(&self, etag: &str) -> PathBuf {
        self.folder.join("blobs").join(etag)
    }

    /// Returns the path of a blob during its download. Like huggingface_hub, tokscope resumes such a file.
    pub(crate) fn incomplete_blob(&self, etag: &str) -> PathBuf {
        self.folder.join("blobs").join(format!("{etag}.incomplete"))
    }

    /// Links `name` in the snapshot to a blob.
    ///
    /// # Errors
    /// Fails if writing fails.
    pub(crate) fn link(&self, commit: &str, name: &str, etag: &str) -> io::Result<()> {
        let pointer = self.snapshot(commit).join(name);
        if let Some(parent) = pointer.parent() {
            fs::create_dir_all(parent)?;
        }
        let up = "../".repeat(2 + name.matches('/').count());
        let target = PathBuf::from(format!("{up}blobs/{etag}"));
        if fs::read_link(&pointer).is_ok_and(|existing| existing == target) {
            return Ok(());
        }
        // The link gets its place by a rename, since another process may be reading through the one it replaces.
        match atomic_file::replace_with_link(&self.folder, &target, &pointer) {
            // Links are not supported (exFAT) or not permitted (Windows). huggingface_hub makes a copy in this case,
            // too.
            Err(_) => {
                let pending = PendingFile::begin(&self.folder, Access::Shared)?;
                io::copy(&mut File::open(self.blob(etag))?, &mut pending.file())?;
                pending.persist(&pointer)
            }
            Ok(()) => Ok(()),
        }
    }

    /// Locks one blob for writing. huggingface_hub and hf-hub lock the same file in the same way. Calls `wait`
    /// repeatedly while another process holds the lock.
    ///
    /// # Errors
    /// Fails if the lock file cannot be created or locked.
    pub(crate) fn lock(&self, etag: &str, wait: impl FnMut()) -> io::Result<FileLock> {
        fs::create_dir_all(&self.locks)?;
        FileLock::acquire(&self.locks.join(format!("{etag}.lock")), wait)
    }
}

/// Returns true if a revision is a full commit, which is also a plain file name.
pub(crate) fn is_commit(revision: &str) -> bool {
    revision.len() == 40 && revision.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model_ref::ModelRef;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    fn model(given: &str) -> HubModel {
        match given.parse() {
            Ok(ModelRef::Hub(model)) => model,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_ref_holds_a_commit_or_is_ignored() {
        let cache = tempfile::tempdir().unwrap();
        let cached = CachedModel::new(cache.path(), &model("hf://o/n"));
        assert_eq!(cached.commit("refs/pr/1"), None);
        cached.write_ref("refs/pr/1", COMMIT).unwrap();
        assert_eq!(cached.commit("refs/pr/1").as_deref(), Some(COMMIT));
        let path = cache.path().join("models--o--n/refs/refs/pr/1");
        assert_eq!(fs::read_to_string(&path).unwrap(), COMMIT);
        fs::write(&path, "../../elsewhere").unwrap();
        assert_eq!(cached.commit("refs/pr/1"), None);
        assert_eq!(cached.commit(COMMIT).as_deref(), Some(COMMIT));
    }

    #[test]
    fn links_lead_to_the_blob_from_any_depth() {
        let cache = tempfile::tempdir().unwrap();
        let cached = CachedModel::new(cache.path(), &model("hf://gpt2"));
        let blob = cached.blob("e1");
        fs::create_dir_all(blob.parent().unwrap()).unwrap();
        fs::write(blob, "content").unwrap();
        for name in ["a.json", "onnx/deep/a.json", "a.json", "replaced.json"] {
            if name == "replaced.json" {
                fs::write(cached.snapshot(COMMIT).join(name), "a file").unwrap();
            }
            cached.link(COMMIT, name, "e1").unwrap();
            let path = cached.file(COMMIT, name).unwrap();
            assert_eq!(fs::read_to_string(path).unwrap(), "content");
        }
        let names: Vec<_> = cached
            .files(COMMIT)
            .into_iter()
            .map(|file| file.name)
            .collect();
        assert_eq!(names, ["a.json", "onnx/deep/a.json", "replaced.json"]);
        fs::remove_file(cached.blob("e1")).unwrap();
        assert_eq!(cached.file(COMMIT, "a.json"), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_ref_that_is_a_pipe_or_endless_counts_as_missing() {
        let cache = tempfile::tempdir().unwrap();
        let cached = CachedModel::new(cache.path(), &model("hf://o/n"));
        let refs = cached.folder.join("refs");
        fs::create_dir_all(&refs).unwrap();
        let made = std::process::Command::new("mkfifo")
            .arg(refs.join("main"))
            .status();
        assert!(made.unwrap().success(), "mkfifo makes a pipe");
        std::os::unix::fs::symlink("/dev/zero", refs.join("zero")).unwrap();
        for revision in ["main", "zero"] {
            assert_eq!(cached.read_ref(revision), None);
        }
        cached.write_ref("main", COMMIT).unwrap();
        assert_eq!(cached.read_ref("main").as_deref(), Some(COMMIT));
    }

    #[test]
    fn a_lock_is_waited_for() {
        let cache = tempfile::tempdir().unwrap();
        let cached = CachedModel::new(cache.path(), &model("hf://o/n"));
        let mut held = Some(cached.lock("e1", || panic!("it is free")).unwrap());
        let mut waits = 0;
        cached
            .lock("e1", || {
                waits += 1;
                if waits == 3 {
                    held.take();
                }
            })
            .unwrap();
        assert_eq!(waits, 3);
    }
}
