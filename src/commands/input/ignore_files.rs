//! A check of the ignore files of a directory, before a walk reads them.

use std::fs;
use std::path::{Path, PathBuf};

/// The ignore files of a directory.
const NAMES: [&str; 3] = [".ignore", ".gitignore", ".git/info/exclude"];

/// Returns an ignore file of a directory that is a pipe or a device, so that reading it might never end.
pub fn find_endless(folder: &Path) -> Option<PathBuf> {
    let mut files = NAMES.iter().map(|name| folder.join(name));
    files.find(|file| is_endless(file))
}

/// Returns such a file for a directory where a walk begins. The ignore files of the directories above it apply too.
pub fn find_endless_for_root(root: &Path) -> Option<PathBuf> {
    find_endless(root).or_else(|| {
        let absolute = fs::canonicalize(root).ok()?;
        absolute.ancestors().skip(1).find_map(find_endless)
    })
}

fn is_endless(file: &Path) -> bool {
    // A folder of that name has no rules, and a link to `/dev/null` is a common way to have none.
    fs::metadata(file).is_ok_and(|found| !found.is_file() && !found.is_dir())
        && fs::canonicalize(file).is_ok_and(|target| target != Path::new("/dev/null"))
}
