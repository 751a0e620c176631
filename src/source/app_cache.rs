//! The app cache: a folder of files that tokscope made or fetched, and can make or fetch again.
//!
//! The folder is `$XDG_CACHE_HOME/tokscope` (`~/.cache/tokscope`) and separate from the Hub cache. Nothing depends on
//! it: a file that cannot be read counts as missing, and a failed write only costs time.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::cache_sweep::{clear, sweep};
use super::hub::expansion::expand;
use super::hub::settings::is_true;
use super::local::atomic_file::{self, Access};
use super::local::mapped_file::MappedFile;
use super::local::read_limited;

/// The number of bytes that the cache may have, unless `TOKSCOPE_CACHE_SIZE` is set.
const DEFAULT_MAX_BYTES: u64 = 10_000_000_000;
/// After a file of this many bytes is stored, the size of the cache is limited. After a smaller one, it is only limited
/// once in a while.
const LARGE: u64 = 1 << 20;
const SWEEP_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);
/// An empty file that was written when the size of the cache was limited last.
const SWEPT: &str = "swept";

/// A cache in a folder, or a disabled cache.
#[derive(Debug, Clone)]
pub struct AppCache {
    folder: Option<PathBuf>,
    /// The number of bytes that the files may have.
    max_bytes: u64,
    /// The value of `TOKSCOPE_CACHE_SIZE`, if it is not a size.
    invalid_size: Option<String>,
}

impl AppCache {
    /// Returns a cache that finds and stores nothing.
    pub fn disabled() -> Self {
        Self {
            folder: None,
            max_bytes: DEFAULT_MAX_BYTES,
            invalid_size: None,
        }
    }

    /// Returns the cache in a folder, which is created when the first file is stored.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: Some(folder.into()),
            ..Self::disabled()
        }
    }

    /// Returns the cache that the environment names. It is disabled if `TOKSCOPE_NO_CACHE` is on or there is no home
    /// directory.
    pub fn from_env(lookup: impl Fn(&str) -> Option<OsString>) -> Self {
        let is_on = |value: OsString| value.to_str().is_some_and(is_true);
        if lookup("TOKSCOPE_NO_CACHE").is_some_and(is_on) {
            return Self::disabled();
        }
        let home = lookup("HOME")
            .map(PathBuf::from)
            .filter(|home| home.is_absolute());
        let cache_home = lookup("XDG_CACHE_HOME").map(|path| {
            // As huggingface_hub does with this variable.
            expand(path, home.as_deref().unwrap_or(Path::new("")), &lookup)
        });
        // The XDG base directory specification requires relative paths to be ignored.
        let base = cache_home.filter(|path| path.is_absolute());
        let base = base.or_else(|| home.map(|home| home.join(".cache")));
        let size = lookup("TOKSCOPE_CACHE_SIZE").map(|size| size.to_string_lossy().into_owned());
        let size = size.filter(|size| !size.trim().is_empty());
        let max_bytes = size.as_deref().map(parse_size);
        Self {
            folder: base.map(|base| base.join("tokscope")),
            max_bytes: max_bytes.flatten().unwrap_or(DEFAULT_MAX_BYTES),
            invalid_size: size.filter(|_| max_bytes == Some(None)),
        }
    }

    /// Opens a file of the cache; `None` if there is no such file or it cannot be read.
    pub fn find(&self, name: &str) -> Option<MappedFile> {
        let path = self.folder.as_ref()?.join(name);
        MappedFile::open(&path, name).ok()
    }

    /// Reads a file of at most `max_bytes`; `None` if there is no such file or it cannot be read.
    pub fn read(&self, name: &str, max_bytes: u64) -> Option<Vec<u8>> {
        let path = self.folder.as_ref()?.join(name);
        read_limited::read(&path, max_bytes).ok()
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
        atomic_file::replace(&folder.join(name), bytes, Access::Private)?;
        self.sweep_if_due(bytes.len() as u64);
        Ok(())
    }

    /// Removes all files, except those that are being downloaded. Returns the number of removed files and of the bytes
    /// that they took on the disk.
    pub fn clear(&self) -> (u64, u64) {
        self.folder.as_deref().map_or((0, 0), clear)
    }

    /// Removes the files that were used longest ago if the cache is too large, after `stored` bytes were added. Does so
    /// only if they are many, or if it was last done more than a day ago.
    pub(crate) fn sweep_if_due(&self, stored: u64) {
        let Some(folder) = &self.folder else {
            return;
        };
        let now = SystemTime::now();
        let swept = folder.join(SWEPT);
        let is_recent = |path: &Path| {
            let last = path.metadata().and_then(|metadata| metadata.modified());
            // A time in the future counts as now.
            last.is_ok_and(|last| now.duration_since(last).unwrap_or_default() < SWEEP_INTERVAL)
        };
        if stored < LARGE && is_recent(&swept) {
            return;
        }
        // Written first, so that other processes leave the work to this one.
        if atomic_file::replace(&swept, b"", Access::Private).is_ok() {
            sweep(folder, self.max_bytes, now);
        }
    }

    /// Returns a note if the limit of the environment is not a size, so that it has no effect on a file of `stored` bytes.
    pub(crate) fn note_about_size(&self, stored: u64) -> Option<String> {
        let invalid = self.invalid_size.as_ref().filter(|_| stored >= LARGE)?;
        Some(format!(
            "`TOKSCOPE_CACHE_SIZE` must be a number of bytes such as `500M` or `20G`, not `{invalid}`: the limit is 10 GB"
        ))
    }
}

/// Parses a number of bytes, with a factor of 1000 for each of `K`, `M`, `G`, `T`, and an optional `B`. Returns `None` if
/// it is not one.
fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_uppercase();
    let text = text.strip_suffix('B').unwrap_or(&text);
    let factors = [('K', 1), ('M', 2), ('G', 3), ('T', 4)];
    let factor = factors.iter().find(|(letter, _)| text.ends_with(*letter));
    let (digits, power) = match factor {
        Some((letter, power)) => (text.strip_suffix(*letter)?, *power),
        None => (text, 0),
    };
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = digits.parse().ok().filter(|_| is_number)?;
    number.checked_mul(1000_u64.pow(power))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File, FileTimes};

    use super::*;
    use crate::source::ByteSource;

    #[test]
    fn a_size_is_a_number_of_bytes() {
        for (text, size) in [
            ("0", Some(0)),
            (" 123 ", Some(123)),
            ("5k", Some(5000)),
            ("500M", Some(500_000_000)),
            ("2 G", None),
            ("10gb", Some(10_000_000_000)),
            ("1T", Some(1_000_000_000_000)),
            ("7B", Some(7)),
            ("", None),
            ("G", None),
            ("B", None),
            ("-1", None),
            ("+1", None),
            ("1.5G", None),
            ("1KM", None),
            ("99999999999T", None),
        ] {
            assert_eq!(parse_size(text), size, "{text}");
        }
        let cache = |value: &'static str| {
            AppCache::from_env(move |name| {
                let pairs = [("HOME", "/h"), ("TOKSCOPE_CACHE_SIZE", value)];
                Some(pairs.iter().find(|pair| pair.0 == name)?.1.into())
            })
        };
        for (value, size, is_invalid) in [
            ("", DEFAULT_MAX_BYTES, false),
            ("5M", 5_000_000, false),
            ("lots", DEFAULT_MAX_BYTES, true),
        ] {
            let cache = cache(value);
            assert_eq!(cache.max_bytes, size, "{value}");
            assert_eq!(cache.note_about_size(LARGE).is_some(), is_invalid);
            assert_eq!(cache.note_about_size(1), None);
        }
    }

    #[test]
    fn the_cache_is_limited_after_large_files_and_once_a_day() {
        let folder = tempfile::tempdir().unwrap();
        let cache = AppCache {
            max_bytes: 0,
            ..AppCache::in_folder(folder.path())
        };
        let old = folder.path().join("old");
        let make_old = |path: &Path, days: u32| {
            let time = SystemTime::now() - days * SWEEP_INTERVAL;
            let times = FileTimes::new().set_modified(time).set_accessed(time);
            let file = File::options()
                .write(true)
                .create(true)
                .truncate(false)
                .open(path);
            file.unwrap().set_times(times).unwrap();
        };
        for (stored, last, is_limited) in [
            (1, None, true),
            (1, Some(0), false),
            (LARGE, Some(0), true),
            (1, Some(2), true),
        ] {
            make_old(&old, 3);
            let _ = fs::remove_file(folder.path().join(SWEPT));
            if let Some(days) = last {
                make_old(&folder.path().join(SWEPT), days);
            }
            cache.store("new", &vec![0; stored as usize]).unwrap();
            assert_eq!(!old.exists(), is_limited, "{stored} {last:?}");
            assert!(folder.path().join("new").exists());
        }
    }

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
                Some(pair.1.into())
            }
        };
        let folder = |pairs| AppCache::from_env(env(pairs)).folder;
        assert_eq!(folder(&[("HOME", "/h")]), Some("/h/.cache/tokscope".into()));
        let xdg = [("HOME", "/h"), ("XDG_CACHE_HOME", "/x")];
        assert_eq!(
            AppCache::from_env(|name| Some(xdg.iter().find(|pair| pair.0 == name)?.1.into()))
                .folder,
            Some("/x/tokscope".into())
        );
        assert_eq!(
            folder(&[("HOME", "/h"), ("XDG_CACHE_HOME", "relative")]),
            Some("/h/.cache/tokscope".into())
        );
        assert_eq!(
            folder(&[("HOME", "/h"), ("XDG_CACHE_HOME", "$HOME/~")]),
            Some("/h/~/tokscope".into())
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
