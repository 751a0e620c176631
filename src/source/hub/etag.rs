//! The ETag of a file on the Hub: the digest of its content, which verifies downloads.

use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::source::digest::{hex, parse_sha256};

/// The ETag of a file on the Hub: the sha256 of a large file's content, or git's id of a small one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Etag {
    hex: String,
    algorithm: Algorithm,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Sha256,
    /// sha1 of `blob <length>\0<content>`: <https://git-scm.com/book/en/v2/Git-Internals-Git-Objects>.
    GitBlob,
}

impl Etag {
    /// Parses a header's value, `"…"` or `W/"…"`. Returns `None` unless it is one of the two digests in hexadecimal,
    /// which makes it a plain file name.
    pub(crate) fn parse(header: &str) -> Option<Self> {
        let hex = header.trim().trim_start_matches("W/").trim_matches('"');
        let algorithm = match hex.len() {
            64 => Algorithm::Sha256,
            40 => Algorithm::GitBlob,
            _ => return None,
        };
        hex.bytes()
            .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
            .then(|| Self {
                hex: hex.to_owned(),
                algorithm,
            })
    }

    /// Returns the digest in hexadecimal, the name of the blob.
    pub(crate) fn as_str(&self) -> &str {
        &self.hex
    }

    /// Returns the digest if it is a SHA-256.
    pub(crate) fn sha256(&self) -> Option<[u8; 32]> {
        parse_sha256(&self.hex)
    }

    /// Returns a hasher for `size` bytes of content.
    pub(crate) fn hasher(&self, size: u64) -> Hasher {
        match self.algorithm {
            Algorithm::Sha256 => Hasher::Sha256(Sha256::new()),
            Algorithm::GitBlob => {
                let mut sha1 = Sha1::new();
                sha1.update(format!("blob {size}\0"));
                Hasher::GitBlob(sha1)
            }
        }
    }
}

/// A digest in progress.
#[derive(Debug)]
pub(crate) enum Hasher {
    Sha256(Sha256),
    GitBlob(Sha1),
}

impl Hasher {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(sha256) => sha256.update(bytes),
            Self::GitBlob(sha1) => sha1.update(bytes),
        }
    }

    /// Returns true if the hashed content has the digest `etag`.
    pub(crate) fn matches(self, etag: &Etag) -> bool {
        let digest = match self {
            Self::Sha256(sha256) => hex(&sha256.finalize()),
            Self::GitBlob(sha1) => hex(&sha1.finalize()),
        };
        digest == etag.hex
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The digests were made with `printf 'hello\n' | sha256sum` and `printf 'hello\n' | git hash-object --stdin`.
    #[test]
    fn digests_match_those_of_sha256sum_and_git() {
        for etag in [
            "\"5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03\"",
            "W/\"ce013625030ba8dba906f756967f9e9ca394464a\"",
        ] {
            let etag = Etag::parse(etag).unwrap();
            for (content, same) in [("hello\n", true), ("hullo\n", false)] {
                let mut hasher = etag.hasher(6);
                let (head, tail) = content.split_at(2);
                hasher.update(head.as_bytes());
                hasher.update(tail.as_bytes());
                assert_eq!(hasher.matches(&etag), same);
            }
        }
    }

    #[test]
    fn anything_but_a_digest_is_refused() {
        let path = format!("\"{}\"", "../".repeat(13) + "x");
        assert_eq!(path.len(), 42);
        for header in [
            "",
            "\"abc\"",
            &path,
            "CE013625030BA8DBA906F756967F9E9CA394464A",
        ] {
            assert_eq!(Etag::parse(header), None, "{header}");
        }
    }
}
