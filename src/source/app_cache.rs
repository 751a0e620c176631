//! tokscope's own cache: files that are made from others and can be made again.
//!
//! It is a folder of its own, `$XDG_CACHE_HOME/tokscope` (`~/.cache/tokscope`), never the Hub's. Nothing depends on
//! it: what cannot be read is made again, what cannot be written is done without.

use std::io;
use std::path::PathBuf;

use super::hub::settings::is_true;
use super::local::atomic_file::{self, Access};
use super::local::mapped_file::MappedFile;

/// The folder, or none where there is to be no cache.
#[derive(Debug, Clone, Default)]
pub struct AppCache {
    folder: Option<PathBuf>,
}

impl AppCache {
    /// No cache: nothing is found and nothing is kept.
    pub fn none() -> Self {
        Self::default()
    }

    /// The cache in a folder, which is made when something is first kept.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: Some(folder.into()),
        }
    }

    /// The cache that the environment names: none under `TOKSCOPE_NO_CACHE=1`, or where there is no home.
    pub fn from_env(lookup: impl Fn(&str) -> Option<String>) -> Self {
        if lookup("TOKSCOPE_NO_CACHE").is_some_and(|value| is_true(&value)) {
            return Self::none();
        }
        // The XDG base directory specification has relative paths ignored.
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

    /// The file of that name, if it is there and can be read.
    pub fn find(&self, name: &str) -> Option<MappedFile> {
        let path = self.folder.as_ref()?.join(name);
        MappedFile::open(&path, name).ok()
    }

    /// The place of a file or folder of that name, whether or not it is there; none without a cache.
    pub(crate) fn place(&self, name: &str) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(name))
    }

    /// Keeps a file: it appears whole or not at all, whoever else does the same at the same time.
    ///
    /// # Errors
    /// Whatever writing fails with. Without a cache nothing is kept, and nothing fails.
    pub fn keep(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
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
    fn what_is_kept_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let cache = AppCache::in_folder(folder.path().join("tokscope"));
        assert!(cache.find("a/b").is_none());
        cache.keep("a/b", b"first").unwrap();
        cache.keep("a/b", b"second").unwrap();
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
    fn the_environment_says_where_and_whether() {
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
        assert!(AppCache::none().keep("x", b"").is_ok());
    }

    #[test]
    fn a_cache_that_cannot_be_written_says_so() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let cache = AppCache::in_folder(file.path());
        assert!(cache.keep("x", b"").is_err());
        assert!(cache.find("x").is_none());
    }
}
