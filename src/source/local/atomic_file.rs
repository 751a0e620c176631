//! Atomic file writes: a file is written under a temporary name in the same folder, then renamed.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

/// The prefix of temporary names. It identifies files left behind by a killed process.
const PREFIX: &str = ".tokscope-";

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Only its owner.
    Private,
    /// Everyone the umask allows, as for any new file, because caches are shared between users.
    Shared,
}

/// Creates a temporary file in `folder`, which must exist. The file is removed when dropped, unless it was renamed
/// first.
///
/// # Errors
/// Fails if the file cannot be created.
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

/// Writes `bytes` to `path`, replacing any existing file. Creates the folder if necessary.
///
/// # Errors
/// Fails if writing fails. An existing file is then unchanged.
pub fn replace(path: &Path, bytes: &[u8], access: Access) -> io::Result<()> {
    let folder = folder_of(path);
    fs::create_dir_all(folder)?;
    let mut file = begin(folder, access)?;
    file.write_all(bytes)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Returns the folder of a path, whether or not the file exists.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Writes `bytes` to a new file in `folder`, with a unique name that begins with `prefix`.
///
/// # Errors
/// Fails if writing fails.
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
