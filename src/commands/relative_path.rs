//! Paths relative to a folder, and to the root of a checkout.

use std::path::{Component, Path, PathBuf};

/// Makes a path relative to a folder that contains it. Returns `None` if the path is outside the folder. Symbolic links
/// are not resolved.
pub fn below(folder: &Path, path: &Path) -> Option<PathBuf> {
    let plain = |path: &Path| {
        let mut plain = PathBuf::new();
        for part in std::path::absolute(path).ok()?.components() {
            match part {
                Component::ParentDir => {
                    plain.pop();
                }
                part => plain.push(part),
            }
        }
        Some(plain)
    };
    Some(plain(path)?.strip_prefix(plain(folder)?).ok()?.to_owned())
}

/// Makes a path relative to the root of the checkout, as GitHub expects: `GITHUB_WORKSPACE`, or the root of the
/// repository if that variable is not set.
pub fn in_repository(path: &str) -> String {
    let workspace = std::env::var_os("GITHUB_WORKSPACE").map(PathBuf::from);
    let root = workspace.or_else(|| {
        let here = std::env::current_dir().ok()?;
        let is_root = |folder: &&Path| folder.join(".git").exists();
        here.ancestors().find(is_root).map(Path::to_owned)
    });
    match root.and_then(|root| below(&root, Path::new(path))) {
        Some(below) => below.display().to_string(),
        None => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_in_a_folder_is_made_relative_to_it() {
        let seen = |folder: &str, path: &str| {
            below(Path::new(folder), Path::new(path)).map(|path| path.display().to_string())
        };
        assert_eq!(seen("/a", "/a/b/../c.txt"), Some("c.txt".to_owned()));
        assert_eq!(seen("x/../y", "./y/z.txt"), Some("z.txt".to_owned()));
        assert_eq!(seen("/a", "/ab/c.txt"), None);
    }
}
