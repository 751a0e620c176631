//! Atomic file writes: a file gets its name when it is complete.
//!
//! Until then it has no name, if the system and the file system support that (`O_TMPFILE` of Linux), so that nothing is
//! left of it if the process is killed. Otherwise it has a temporary name in the same folder, and is locked: the next
//! process that writes to the folder removes such a file if the process that wrote it has ended.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

use super::temporary_name::{
    PREFIX, TemporaryName, remove_if_abandoned, remove_leftovers, with_new_name,
};

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Only its owner.
    Private,
    /// Everyone the umask allows, as for any new file, because caches are shared between users.
    Shared,
}

/// A file that is being written. It is gone when this is dropped, unless it got its name.
#[derive(Debug)]
pub struct PendingFile {
    folder: PathBuf,
    file: File,
    /// `None` if the file has no name.
    temporary: Option<TemporaryName>,
}

impl PendingFile {
    /// Creates a file in `folder`, which must exist.
    ///
    /// # Errors
    /// Fails if the file cannot be created.
    pub fn begin(folder: &Path, access: Access) -> io::Result<Self> {
        match unnamed(folder, access) {
            Some(file) => Ok(Self {
                folder: folder.to_owned(),
                file,
                temporary: None,
            }),
            None => Self::named(folder, access),
        }
    }

    /// Creates a file with a temporary name.
    fn named(folder: &Path, access: Access) -> io::Result<Self> {
        remove_leftovers(folder);
        let options = options(access);
        let create = |path: &Path| options.clone().create_new(true).open(path);
        let (path, file) = with_new_name(folder, PREFIX, create)?;
        // Fails on some network file systems. There, the file will not be taken for abandoned, either.
        let _ = file.try_lock();
        Ok(Self {
            folder: folder.to_owned(),
            file,
            temporary: Some(TemporaryName::new(path)),
        })
    }

    /// Returns the file to write to.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Gives the complete file its name, which must be in the same folder. Replaces any existing file.
    ///
    /// # Errors
    /// Fails if the file cannot get the name. An existing file is then unchanged.
    pub fn persist(mut self, path: &Path) -> io::Result<()> {
        if let Some(temporary) = self.temporary.take() {
            return temporary.rename(path);
        }
        match link(&self.file, path) {
            // A link does not replace a file, but a rename does.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                match self.link_temporarily(path)?.rename(path) {
                    // Two processes found the same abandoned file, and one removed the new file of the other.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {
                        self.link_uniquely()?.rename(path)
                    }
                    result => result,
                }
            }
            Err(_) => self.copy()?.persist(path),
            Ok(()) => Ok(()),
        }
    }

    /// Gives the complete file a new name that begins with `prefix`.
    ///
    /// # Errors
    /// Fails if the file cannot get the name.
    pub fn persist_as_new(self, prefix: &str) -> io::Result<()> {
        let link = |path: &Path| link(&self.file, path);
        if self.temporary.is_none() && with_new_name(&self.folder, prefix, link).is_ok() {
            return Ok(());
        }
        let reserve = |path: &Path| File::create_new(path);
        let (path, _) = with_new_name(&self.folder, prefix, reserve)?;
        self.persist(&path)
    }

    /// Gives a file without a name a temporary one, until it is renamed to `path`. If the process is killed in between,
    /// the next one that writes to the path removes the file.
    fn link_temporarily(&self, path: &Path) -> io::Result<TemporaryName> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let temporary = self.folder.join(format!("{PREFIX}{name}"));
        remove_if_abandoned(&temporary);
        if link(&self.file, &temporary).is_ok() {
            return Ok(TemporaryName::new(temporary));
        }
        // Another process is writing to the same path, or the name is too long.
        self.link_uniquely()
    }

    /// Gives a file without a name a temporary one that no other process uses.
    fn link_uniquely(&self) -> io::Result<TemporaryName> {
        let (temporary, ()) = with_new_name(&self.folder, PREFIX, |path| link(&self.file, path))?;
        Ok(TemporaryName::new(temporary))
    }

    /// Copies a file that cannot be linked to a file with a temporary name.
    fn copy(&self) -> io::Result<Self> {
        let named = Self::named(&self.folder, Access::Private)?;
        let mut content = &self.file;
        content.rewind()?;
        io::copy(&mut content, &mut &named.file)?;
        let permissions = self.file.metadata()?.permissions();
        named.file.set_permissions(permissions)?;
        Ok(named)
    }
}

/// Writes `bytes` to `path`, replacing any existing file. Creates the folder if necessary.
///
/// # Errors
/// Fails if writing fails. An existing file is then unchanged.
pub fn replace(path: &Path, bytes: &[u8], access: Access) -> io::Result<()> {
    let folder = folder_of(path);
    fs::create_dir_all(folder)?;
    let pending = PendingFile::begin(folder, access)?;
    pending.file().write_all(bytes)?;
    pending.persist(path)
}

/// Writes `bytes` to a new file in `folder`, with a unique name that begins with `prefix`.
///
/// # Errors
/// Fails if writing fails.
pub fn add(folder: &Path, prefix: &str, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let pending = PendingFile::begin(folder, Access::Private)?;
    pending.file().write_all(bytes)?;
    pending.persist_as_new(prefix)
}

/// Makes `path` a symbolic link to `target`, replacing any existing file. The link is made in `folder`, on the same file
/// system.
///
/// # Errors
/// Fails if the link cannot be made. An existing file is then unchanged.
pub fn replace_with_link(folder: &Path, target: &Path, path: &Path) -> io::Result<()> {
    let (temporary, ()) = with_new_name(folder, PREFIX, |path| symlink(target, path))?;
    TemporaryName::new(temporary).rename(path)
}

#[cfg(unix)]
fn symlink(target: &Path, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

#[cfg(windows)]
fn symlink(target: &Path, path: &Path) -> io::Result<()> {
    let target = target.to_string_lossy().replace('/', "\\");
    std::os::windows::fs::symlink_file(target, path)
}

/// Returns the folder of a path, whether or not the file exists.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Returns options to create a file that can be read back.
fn options(access: Access) -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(match access {
            Access::Private => 0o600,
            Access::Shared => 0o666,
        });
    }
    #[cfg(not(unix))]
    let _ = access;
    options
}

/// The folder through which an open file gets a name.
#[cfg(target_os = "linux")]
const OPEN_FILES: &str = "/proc/self/fd";

/// Creates a file without a name. Returns `None` if it is not possible.
#[cfg(target_os = "linux")]
fn unnamed(folder: &Path, access: Access) -> Option<File> {
    use std::os::unix::fs::OpenOptionsExt;
    if !Path::new(OPEN_FILES).exists() {
        return None;
    }
    let mut options = options(access);
    options.custom_flags(libc::O_TMPFILE).open(folder).ok()
}

#[cfg(not(target_os = "linux"))]
fn unnamed(_: &Path, _: Access) -> Option<File> {
    None
}

/// Gives a file without a name its first name.
#[cfg(target_os = "linux")]
fn link(file: &File, path: &Path) -> io::Result<()> {
    use rustix::fs::{AtFlags, CWD, linkat};
    use std::os::fd::AsRawFd;
    let open = format!("{OPEN_FILES}/{}", file.as_raw_fd());
    Ok(linkat(CWD, open, CWD, path, AtFlags::SYMLINK_FOLLOW)?)
}

#[cfg(not(target_os = "linux"))]
fn link(_: &File, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::source::local::temporary_name::MIN_AGE;

    fn names(folder: &Path) -> Vec<String> {
        let entries = folder.read_dir().unwrap().map(|entry| entry.unwrap());
        let mut names: Vec<_> = entries.map(|entry| entry.file_name()).collect();
        names.sort();
        let names = names.into_iter().map(|name| name.into_string().unwrap());
        names.collect()
    }

    fn write(pending: PendingFile, text: &str) -> PendingFile {
        pending.file().write_all(text.as_bytes()).unwrap();
        pending
    }

    /// Every way to begin a file.
    const BEGIN: [fn(&Path, Access) -> io::Result<PendingFile>; 3] =
        [PendingFile::begin, PendingFile::named, |folder, access| {
            let unnamed = write(PendingFile::begin(folder, access)?, "lost");
            unnamed.file().set_len(0)?;
            unnamed.copy()
        }];

    #[test]
    fn a_file_gets_its_name_when_it_is_complete() {
        for begin in BEGIN {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("f");
            for text in ["first", "second", ""] {
                write(begin(folder.path(), Access::Shared).unwrap(), text)
                    .persist(&path)
                    .unwrap();
                assert_eq!(fs::read_to_string(&path).unwrap(), text);
                assert_eq!(names(folder.path()), ["f"]);
            }
            for _ in 0..3 {
                write(begin(folder.path(), Access::Private).unwrap(), "new")
                    .persist_as_new("rows-")
                    .unwrap();
            }
            drop(write(
                begin(folder.path(), Access::Private).unwrap(),
                "dropped",
            ));
            let names = names(folder.path());
            assert_eq!(names.len(), 4, "{names:?}");
            for name in &names[1..] {
                assert!(name.starts_with("rows-"), "{name}");
                assert_eq!(fs::read(folder.path().join(name)).unwrap(), b"new");
            }
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_has_no_name_before_it_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        fs::write(&path, "old").unwrap();
        let pending = write(
            PendingFile::begin(folder.path(), Access::Shared).unwrap(),
            "new",
        );
        if pending.temporary.is_some() {
            return; // The file system does not support it.
        }
        assert_eq!(names(folder.path()), ["f"]);
        // Of a process that was killed between the link and the rename, and of one that is not ready yet.
        let abandoned = folder.path().join(".tokscope-f");
        fs::write(&abandoned, "x").unwrap();
        pending.persist(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(folder.path()), [".tokscope-f", "f"]);
        make_old(&abandoned);
        replace(&path, b"newer", Access::Shared).unwrap();
        assert_eq!(names(folder.path()), ["f"]);
    }

    #[test]
    fn many_writers_of_one_file_do_not_disturb_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        let write = |text: &[u8]| {
            for _ in 0..1000 {
                replace(&path, text, Access::Shared).unwrap();
            }
        };
        std::thread::scope(|scope| {
            for text in [b"0", b"1", b"2", b"3"] {
                scope.spawn(move || write(text));
            }
        });
        assert_eq!(fs::read(&path).unwrap().len(), 1);
        assert_eq!(names(folder.path()), ["f"]);
    }

    fn make_old(path: &Path) {
        let file = OpenOptions::new().write(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - 2 * MIN_AGE).unwrap();
    }

    #[test]
    fn leftovers_are_removed_but_files_of_running_processes_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let running = PendingFile::named(folder.path(), Access::Private).unwrap();
        let running_name = names(folder.path())[0].clone();
        make_old(&folder.path().join(&running_name));
        for name in [".tokscope-new", ".tokscope-old", ".other", "tokscope-old"] {
            fs::write(folder.path().join(name), "x").unwrap();
            if name != ".tokscope-new" {
                make_old(&folder.path().join(name));
            }
        }
        fs::create_dir(folder.path().join(".tokscope-folder")).unwrap();
        replace_with_link(folder.path(), Path::new("x"), &folder.path().join("link")).unwrap();
        let other = PendingFile::named(folder.path(), Access::Private).unwrap();
        drop(other);
        let mut expected = vec![
            ".other".to_owned(),
            running_name,
            ".tokscope-folder".to_owned(),
            ".tokscope-new".to_owned(),
            "link".to_owned(),
            "tokscope-old".to_owned(),
        ];
        expected.sort();
        assert_eq!(names(folder.path()), expected);
        running.persist(&folder.path().join("f")).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn private_files_are_private() {
        use std::os::unix::fs::PermissionsExt;
        for begin in BEGIN {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("f");
            begin(folder.path(), Access::Private)
                .unwrap()
                .persist(&path)
                .unwrap();
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
