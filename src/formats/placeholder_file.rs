//! Recognizes files that are often found in place of a model file: git-LFS pointers, web pages, empty files.

use crate::error::{Error, Result};
use crate::source::ModelFiles;

/// The byte order mark that some programs write before text.
pub const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Refuses a placeholder, given the first bytes of the file (64 are enough).
///
/// # Errors
/// Fails with [`Error::Unsupported`] for a git-LFS pointer, and with [`Error::Damaged`] for a web page or an empty
/// file.
pub fn refuse(file: &str, head: &[u8]) -> Result<()> {
    if head.is_empty() {
        return Err(Error::damaged(file, "it is empty"));
    }
    if head.starts_with(b"version https://git-lfs") {
        return Err(Error::Unsupported {
            file: file.to_owned(),
            problem: "it is a git-LFS pointer, not the file itself".to_owned(),
            hint: Some("run `git lfs pull` in its repository to fetch the file".to_owned()),
        });
    }
    let text: Vec<u8> = head
        .trim_ascii_start()
        .iter()
        .take(64)
        .map(u8::to_ascii_lowercase)
        .collect();
    if text.starts_with(b"<!doctype html") || text.starts_with(b"<html") {
        return Err(Error::damaged(
            file,
            "it is an HTML page, which a server sent in place of the file",
        ));
    }
    Ok(())
}

/// Refuses a local file that a reference names if it is a placeholder. Remote files are checked when they are read.
///
/// # Errors
/// Fails like [`refuse`], or with the error of reading the file.
pub fn refuse_only(files: &ModelFiles) -> Result<()> {
    match files.only() {
        Some(name) if files.are_local() => match files.find_ranged(name)? {
            Some(file) => refuse(file.name(), &file.read(0..file.len().min(64))?),
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_placeholder_is_named() {
        for (bytes, problem) in [
            (
                &b"version https://git-lfs.github.com/spec/v1\noid"[..],
                "git-LFS pointer",
            ),
            (b"\n<!DOCTYPE HTML>", "HTML page"),
            (b"<html><body>", "HTML page"),
            (b"", "empty"),
        ] {
            let error = refuse("spm.model", bytes).unwrap_err();
            assert!(error.to_string().contains(problem), "{error}");
        }
        assert!(refuse("config.json", b"{}").is_ok());
    }
}
