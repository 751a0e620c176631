//! The app cache: a folder of files that tokscope made or fetched, and can make or fetch again.
//!
//! The folder is `$XDG_CACHE_HOME/tokscope` (`~/.cache/tokscope`) and separate from the Hub cache. Nothing depends on
//! it: a file that cannot be read counts as missing, and a failed write only costs time.

use std::io;
use std::path::PathBuf;

use super::hub::settings::is_true;
use super::local::atomic_file::{self, Access};
use super::local::mapped_file::MappedFile;

/// A cache in a folder, or a disabled cache.
#[derive(Debug, Clone, Default)]
pub struct AppCache {
    folder: Option<PathBuf>,
}

impl AppCache {
    /// Returns a cache that finds and stores nothing.
    pub fn disabled() -> Self {
        Self::default()
    }

    /// Returns the cache in a folder, which is created when the first file is stored.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: Some(folder.into()),
        }
    }

    /// Returns the cache that the environment names. It is disabled if `TOKSCOPE_NO_CACHE` is on or there is no home
    /// directory.
    pub fn from_env(lookup: impl Fn(&str) -> Option<String>) -> Self {
        if lookup("TOKSCOPE_NO_CACHE").is_some_and(|value| is_true(&value)) {
            return Self::disabled();
        }
        // The XDG base directory specification requires relative paths to be ignored.
        let absolute = |name: &str| {
            let path = PathBuf::from(lookup(name)?);
            path.is_absolute().then_some(path)
        };
        let base =
            absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")));
        Self {
            folder: base.map(|base| base.join("tokscope")),
        }
    }

    /// Opens a file of the cache; `None` if there is no such file or it cannot be read.
    pub fn find(&self, name: &str) -> Option<MappedFile> {
        let path = self.folder.as_ref()?.join(name);
        MappedFile::open(&path, name).ok()
    }

    /// Returns the path of a file or folder, whether or not it exists; `None` if the cache is disabled.
    pub(crate) fn path(&self, name: &str) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(name))
    }

    /// Stores a file atomically, even if several processes store it at once. Does nothing if the cache is disabled.
    ///
    /// # Errors
    /// Fails if writing fails.
    pub fn store(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let Some(folder) = &self.folder else {
            return Ok(());
        };
        atomic_file::replace(&folder.join(name), bytes, Access::Private)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::ByteSource;

    #[test]
    fn a_stored_file_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let cache = AppCache::in_folder(folder.path().join("tokscope"));
        assert!(cache.find("a/b").is_none());
        cache.store("a/b", b"first").unwrap();
        cache.store("a/b", b"second").unwrap();
        let file = cache.find("a/b").unwrap();
        assert_eq!(file.read_all().unwrap().as_ref(), b"second");
        assert_eq!(
            std::fs::read_dir(folder.path().join("tokscope/a"))
                .unwrap()
                .count(),
            1
        );
    }

    #[test]
    fn the_environment_names_or_disables_the_cache() {
        let env = |pairs: &'static [(&str, &str)]| {
            move |name: &str| {
                let pair = pairs.iter().find(|pair| pair.0 == name)?;
                Some(pair.1.to_owned())
            }
        };
        let folder = |pairs| AppCache::from_env(env(pairs)).folder;
        assert_eq!(folder(&[("HOME", "/h")]), Some("/h/.cache/tokscope".into()));
        let xdg = [("HOME", "/h"), ("XDG_CACHE_HOME", "/x")];
        assert_eq!(
            AppCache::from_env(|name| Some(xdg.iter().find(|pair| pair.0 == name)?.1.to_owned()))
                .folder,
            Some("/x/tokscope".into())
        );
        assert_eq!(
            folder(&[("HOME", "/h"), ("XDG_CACHE_HOME", "relative")]),
            Some("/h/.cache/tokscope".into())
        );
        assert_eq!(folder(&[("HOME", "/h"), ("TOKSCOPE_NO_CACHE", "1")]), None);
        assert_eq!(folder(&[]), None);
        assert!(AppCache::disabled().store("x", b"").is_ok());
    }

    #[test]
    fn a_cache_that_cannot_be_written_is_an_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let cache = AppCache::in_folder(file.path());
        assert!(cache.store("x", b"").is_err());
        assert!(cache.find("x").is_none());
    }
}
