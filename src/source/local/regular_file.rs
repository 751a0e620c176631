//! Files of a cache that must be regular ones, since opening a pipe or reading a device may never end.

use std::fs;
use std::io;
use std::path::Path;

/// Removes a pipe, a device, or a link to one from the path of a file that will be written. Does nothing if the path has
/// no file, or a regular one.
///
/// # Errors
/// Fails if it cannot be removed, as a folder cannot.
pub(crate) fn remove_unless_regular(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => fs::remove_file(path),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn only_what_is_no_regular_file_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "x").unwrap();
        symlink("file", at("link")).unwrap();
        symlink("/dev/zero", at("zero")).unwrap();
        let made = std::process::Command::new("mkfifo")
            .arg(at("pipe"))
            .status();
        assert!(made.unwrap().success(), "mkfifo makes a pipe");
        for name in ["file", "link", "zero", "pipe", "none"] {
            remove_unless_regular(&at(name)).unwrap();
        }
        let left: Vec<_> = folder.path().read_dir().unwrap().collect();
        assert_eq!(left.len(), 2);
        assert_eq!(fs::read(at("link")).unwrap(), b"x");
        assert!(remove_unless_regular(folder.path()).is_err());
    }
}
