//! Atomic writes of the files that a command produces for its user. Pipes and devices are written to directly.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::atomic_file::{self, Access, PendingFile};
use crate::error::{Error, Result};

/// Bytes written at a time.
const BUFFER_SIZE: usize = 1 << 16;

/// The reason why a file was not written.
#[derive(Debug)]
pub enum OutputError {
    /// The data to write could not be produced.
    Read(Error),
    Write(io::Error),
}

impl From<Error> for OutputError {
    fn from(error: Error) -> Self {
        Self::Read(error)
    }
}

impl From<io::Error> for OutputError {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

/// Where the bytes of an output go. Symbolic links have been followed.
enum Destination {
    /// A regular file, with the metadata of the present one if it exists.
    File(PathBuf, Option<Metadata>),
    /// A pipe, a device, or an open file of this process, such as `/dev/stdout`.
    Stream(PathBuf),
}

/// The number of links that are followed, as many as Linux follows.
const MAX_LINKS: usize = 40;

/// Writes an output. A regular file gets its name when it is complete, with the permissions of the file that it
/// replaces. Symbolic links stay, and anything else, such as a pipe, is written to directly.
///
/// # Errors
/// Fails with [`Error::WriteOutput`] if writing fails, and with the error in [`OutputError::Read`].
pub fn replace(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<(), OutputError>,
) -> Result<()> {
    let replace = || match Destination::find(path)? {
        Destination::File(path, present) => {
            // A private file is private from the start.
            let access = match present {
                Some(_) => Access::Private,
                None => Access::Shared,
            };
            let pending = PendingFile::begin(atomic_file::folder_of(&path), access)?;
            write_buffered(pending.file(), write)?;
            if let Some(present) = present {
                copy_permissions(&present, pending.file())?;
            }
            Ok(pending.persist(&path)?)
        }
        Destination::Stream(path) => {
            // Appends, since standard output may be a file that has content already.
            write_buffered(&OpenOptions::new().append(true).open(path)?, write)
        }
    };
    replace().map_err(|error| match error {
        OutputError::Read(error) => error,
        OutputError::Write(source) => Error::WriteOutput {
            output: path.display().to_string(),
            source,
        },
    })
}

fn write_buffered(
    file: &File,
    write: impl FnOnce(&mut dyn Write) -> Result<(), OutputError>,
) -> Result<(), OutputError> {
    let mut out = BufWriter::with_capacity(BUFFER_SIZE, file);
    write(&mut out)?;
    Ok(out.flush()?)
}

impl Destination {
    /// Follows the links of `path`, also to a file that does not exist.
    fn find(path: &Path) -> io::Result<Self> {
        let mut path = path.to_owned();
        for _ in 0..MAX_LINKS {
            let folder = atomic_file::folder_of(&path);
            if holds_open_files(folder) {
                return Ok(Self::Stream(path));
            }
            match fs::symlink_metadata(&path) {
                Ok(metadata) if metadata.is_symlink() => {
                    path = folder.join(fs::read_link(&path)?);
                }
                Ok(metadata) if metadata.is_file() => return Ok(Self::File(path, Some(metadata))),
                Ok(_) => return Ok(Self::Stream(path)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Ok(Self::File(path, None));
                }
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("too many symbolic links"))
    }
}

/// Returns true for the folders whose entries stand for open files of a process. They look like links, but the name of
/// the file that one links to may be gone.
fn holds_open_files(folder: &Path) -> bool {
    cfg!(unix)
        && fs::canonicalize(folder)
            .is_ok_and(|folder| folder.starts_with("/proc") || folder.starts_with("/dev/fd"))
}

/// Gives `file` the owner, group, and permissions of the file it replaces.
#[cfg(unix)]
fn copy_permissions(present: &Metadata, file: &File) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
    let mut mode = present.mode() & 0o777;
    // Most users may not set an owner. Another group must not get the permissions that were meant for the old one.
    if fchown(file, Some(present.uid()), Some(present.gid())).is_err()
        && file.metadata()?.gid() != present.gid()
    {
        mode = mode & 0o707 | (mode & 0o007) << 3;
    }
    file.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn copy_permissions(_: &Metadata, _: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};

    use super::*;

    fn put(path: &Path, text: &str) -> Result<()> {
        replace(path, |out| Ok(out.write_all(text.as_bytes())?))
    }

    #[test]
    fn an_output_keeps_the_permissions_of_the_present_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        fs::write(&path, "old").unwrap();
        for mode in [0o600, 0o640, 0o755] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            put(&path, "new").unwrap();
            let found = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(found & 0o7777, mode);
            assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        }
    }

    #[test]
    fn an_output_goes_through_symbolic_links() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("sub")).unwrap();
        symlink("sub/second", at("first")).unwrap();
        symlink("../target", at("sub/second")).unwrap();
        for text in ["created", "replaced"] {
            put(&at("first"), text).unwrap();
            assert!(at("first").is_symlink() && at("sub/second").is_symlink());
            assert!(!at("target").is_symlink());
            assert_eq!(fs::read_to_string(at("target")).unwrap(), text);
        }
        symlink("loop", at("loop")).unwrap();
        assert_eq!(
            put(&at("loop"), "x").unwrap_err().code(),
            "unwritable-output"
        );
        assert!(at("loop").is_symlink());
    }

    #[test]
    fn an_output_is_written_into_a_pipe() {
        let folder = tempfile::tempdir().unwrap();
        let (pipe, link) = (folder.path().join("pipe"), folder.path().join("link"));
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success(), "mkfifo makes a pipe");
        symlink("pipe", &link).unwrap();
        for path in [&pipe, &link] {
            let reader = std::thread::spawn({
                let pipe = pipe.clone();
                move || fs::read_to_string(pipe).unwrap()
            });
            put(path, "rows").unwrap();
            assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
            assert_eq!(reader.join().unwrap(), "rows");
        }
        assert!(link.is_symlink());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_output_is_appended_to_an_open_file_without_a_name() {
        use std::io::{Read, Seek};
        use std::os::fd::AsRawFd;
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"earlier ").unwrap();
        put(
            Path::new(&format!("/proc/self/fd/{}", file.as_raw_fd())),
            "rows",
        )
        .unwrap();
        file.rewind().unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "earlier rows");
    }
}
