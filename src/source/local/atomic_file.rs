//! Files that appear whole or not at all: written under another name beside their own, and renamed.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

/// The prefix of unfinished files, by which a file that a killed process has left can be recognized.
const PREFIX: &str = ".tokscope-";

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Its owner alone.
    Private,
    /// Whoever the umask allows, as with any new file: caches are shared between users.
    Shared,
}

/// Starts a file in `folder`, which exists. It is removed if it is dropped before it gets its name.
///
/// # Errors
/// The error of creating it.
pub fn begin(folder: &Path, access: Access) -> io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    builder.prefix(PREFIX);
    #[cfg(unix)]
    if access == Access::Shared {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    #[cfg(not(unix))]
    let _ = access;
    builder.tempfile_in(folder)
}

/// Writes `bytes` as the file at `path`, in place of one that is there. Its folder is made if need be.
///
/// # Errors
/// The error of writing; the earlier file stays as it was.
pub fn replace(path: &Path, bytes: &[u8], access: Access) -> io::Result<()> {
    let folder = folder_of(path);
    fs::create_dir_all(folder)?;
    let mut file = begin(folder, access)?;
    file.write_all(bytes)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// The folder that a file is in, or would be in.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Writes `bytes` as a new file in `folder`, with a name that begins with `prefix` and that no other file has.
///
/// # Errors
/// The error of writing.
pub fn add(folder: &Path, prefix: &str, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut file = begin(folder, Access::Private)?;
    file.write_all(bytes)?;
    let name = file.path().file_name().and_then(|name| name.to_str());
    let name = name.unwrap_or_default().trim_start_matches(PREFIX);
    let path = folder.join(format!("{prefix}{name}"));
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
