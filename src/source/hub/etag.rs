//! The digest by which the Hub names a file's content, and with which a download is checked.

use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::source::digest::hex;

/// The ETag of a file of the Hub: for a large file the sha256 of its content, for a small one the id git gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Etag {
    hex: String,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sha256,
    /// sha1 of `blob <length>\0<content>`: <https://git-scm.com/book/en/v2/Git-Internals-Git-Objects>.
    GitBlob,
}

impl Etag {
    /// Parses the header's value: `"…"`, `W/"…"`. None for anything that is not one of the two digests, and with it
    /// for everything that would not be a plain file name.
    pub(crate) fn parse(header: &str) -> Option<Self> {
        let hex = header.trim().trim_start_matches("W/").trim_matches('"');
        let kind = match hex.len() {
            64 => Kind::Sha256,
            40 => Kind::GitBlob,
            _ => return None,
        };
        hex.bytes()
            .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
            .then(|| Self {
                hex: hex.to_owned(),
                kind,
            })
    }

    /// The digest in hex: the name of the blob.
    pub(crate) fn as_str(&self) -> &str {
        &self.hex
    }

    /// Starts on a content of `size` bytes.
    pub(crate) fn hasher(&self, size: u64) -> Hasher {
        match self.kind {
            Kind::Sha256 => Hasher::Sha256(Sha256::new()),
            Kind::GitBlob => {
                let mut sha1 = Sha1::new();
                sha1.update(format!("blob {size}\0"));
                Hasher::GitBlob(sha1)
            }
        }
    }
}

/// A digest on its way.
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

    /// Whether the content was the one that `etag` names.
    pub(crate) fn is(self, etag: &Etag) -> bool {
        let digest = match self {
            Self::Sha256(sha256) => hex(&sha256.finalize()),
            Self::GitBlob(sha1) => hex(&sha1.finalize()),
        };
        digest == etag.hex
    }
}

/// What is known of a file of the Hub: its digest, and its size in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileIdentity {
    pub(crate) etag: Etag,
    pub(crate) size: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf 'hello\n' | sha256sum`, `printf 'hello\n' | git hash-object --stdin`.
    #[test]
    fn known_digests() {
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
                assert_eq!(hasher.is(&etag), same);
            }
        }
    }

    #[test]
    fn what_is_no_digest_is_no_etag() {
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
