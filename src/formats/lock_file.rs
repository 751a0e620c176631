//! The lock file `tokscope.lock`, which records the files of a model and the encodings of some texts.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
use crate::source::digest::hex;

/// The default name of the lock file.
pub const LOCK_FILE: &str = "tokscope.lock";
/// The format version that is written and read.
const VERSION: u64 = 1;

/// A lock file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LockFile {
    /// The version of the format. Set by [`LockFile::sealed`].
    pub version: u64,
    /// The model, as in records.
    pub model: String,
    /// The requested branch, tag, or commit of a Hub model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The file that is the model by itself, if one of a Hub model's repository was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_file: Option<String>,
    /// The commit of a Hub model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// True if the `tokenizer.json` was taken as it stands.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub as_is: bool,
    /// The reading of the files, unless it is the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<String>,
    pub engine: LockedEngine,
    pub files: Vec<LockedFile>,
    pub vocabulary: LockedVocabulary,
    /// Digest of all texts and their ids. Set by [`LockFile::sealed`].
    pub ids_sha256: String,
    pub texts: Vec<LockedText>,
}

/// The engine that encoded the texts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedEngine {
    /// `native` or `reference`.
    pub name: String,
    /// The version of the `tokenizers` crate.
    pub tokenizers: String,
    /// The version of transformers that serves as the reference.
    pub transformers: String,
}

/// A file of the model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedFile {
    pub name: String,
    pub size: u64,
    pub sha256: String,
}

/// The vocabulary of the tokenizer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedVocabulary {
    pub size: usize,
    /// Digest of all ids with their pieces, kinds, and scores.
    pub sha256: String,
    pub added_tokens: Vec<LockedToken>,
}

/// An added token.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedToken {
    pub id: u32,
    pub token: String,
    pub special: bool,
}

/// A text and its encoding.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedText {
    pub text: String,
    /// Written as one string, so that every text takes four lines of the file.
    #[serde(with = "space_separated")]
    pub ids: Vec<u32>,
    /// The pieces, separated by spaces, for human readers.
    pub tokens: String,
}

impl LockFile {
    /// Returns the lock file with the current version and the digest of its texts.
    #[must_use]
    pub fn sealed(self) -> Self {
        Self {
            version: VERSION,
            ids_sha256: ids_digest(&self.texts),
            ..self
        }
    }

    /// Returns the content of the file.
    ///
    /// # Errors
    /// Fails with [`Error::Usage`] if serialization fails, which cannot happen for a valid lock file.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec_pretty(self).map_err(|problem| {
            Error::usage(format!("the lock file cannot be written: {problem}"))
        })?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Returns the model that a lock file locks, even if other parts of it are damaged; `None` for any other file.
    pub fn locked_name(bytes: &[u8]) -> Option<String> {
        #[derive(Deserialize)]
        struct Locked {
            model: String,
            #[serde(rename = "version")]
            _version: u64,
        }
        let locked: Locked = serde_json::from_slice(bytes).ok()?;
        Some(locked.model)
    }

    /// Parses the file called `name`.
    ///
    /// # Errors
    /// Returns a sentence about the file if it is not a lock file, has another version, or was modified.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Version {
            version: u64,
        }

        let damaged =
            |problem: String| format!("{name} is not a lock file written by tokscope: {problem}");
        let version: Version =
            serde_json::from_slice(bytes).map_err(|problem| damaged(problem.to_string()))?;
        if version.version != VERSION {
            return Err(damaged(format!(
                "its version is {}, but this tokscope reads version {VERSION}",
                version.version
            )));
        }
        let lock: Self =
            serde_json::from_slice(bytes).map_err(|problem| damaged(problem.to_string()))?;
        if lock.ids_sha256 != ids_digest(&lock.texts) {
            return Err(damaged("its texts do not match their digest".to_owned()));
        }
        let is_commit = |commit: &String| {
            commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        if let Some(commit) = lock.commit.as_ref().filter(|commit| !is_commit(commit)) {
            return Err(damaged(format!(
                "its commit must be 40 hexadecimal digits, not {commit:?}"
            )));
        }
        Ok(lock)
    }
}

fn ids_digest(texts: &[LockedText]) -> String {
    let mut digest = Sha256::new();
    for text in texts {
        digest.update((text.text.len() as u64).to_le_bytes());
        digest.update(&text.text);
        digest.update((text.ids.len() as u64).to_le_bytes());
        for id in &text.ids {
            digest.update(id.to_le_bytes());
        }
    }
    hex(&digest.finalize())
}

/// Serializes ids as one string.
mod space_separated {
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(ids: &[u32], serializer: S) -> Result<S::Ok, S::Error> {
        let ids: Vec<String> = ids.iter().map(u32::to_string).collect();
        serializer.serialize_str(&ids.join(" "))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u32>, D::Error> {
        let ids = String::deserialize(deserializer)?;
        let parse_id = |id: &str| {
            id.parse()
                .map_err(|_| D::Error::custom(format!("{id:?} is not a token id")))
        };
        ids.split_ascii_whitespace().map(parse_id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock() -> LockFile {
        LockFile {
            model: "o/n".to_owned(),
            commit: Some("0".repeat(40)),
            texts: vec![LockedText {
                text: "a".to_owned(),
                ids: vec![1, 20, 2],
                tokens: "[CLS] ▁a [SEP]".to_owned(),
            }],
            ..LockFile::default()
        }
        .sealed()
    }

    #[test]
    fn a_written_lock_file_is_read_back() {
        let bytes = lock().to_bytes().unwrap();
        assert_eq!(LockFile::parse("tokscope.lock", &bytes).unwrap(), lock());
    }

    #[test]
    fn a_modified_lock_file_is_refused() {
        let json = String::from_utf8(lock().to_bytes().unwrap()).unwrap();
        for (from, to, problem) in [
            (
                "\"version\": 1",
                "\"version\": 2",
                "its version is 2, but this tokscope reads version 1",
            ),
            (
                "\"1 20 2\"",
                "\"1 21 2\"",
                "its texts do not match their digest",
            ),
            ("\"1 20 2\"", "\"1 x 2\"", "\"x\" is not a token id at line"),
            (
                "0000\",",
                "000g\",",
                "its commit must be 40 hexadecimal digits, not \"0",
            ),
            ("{\n", "[\n", "expected"),
            ("\"files\"", "\"file\"", "missing field `files`"),
        ] {
            let changed = json.replacen(from, to, 1);
            assert_ne!(changed, json, "{from}");
            let error = LockFile::parse("tokscope.lock", changed.as_bytes()).unwrap_err();
            let sentence = error.to_string();
            assert!(sentence.contains(problem), "{sentence}");
            assert!(!sentence.contains('\n'));
        }
        for length in 0..json.len() - 1 {
            assert!(LockFile::parse("l", &json.as_bytes()[..length]).is_err());
        }
    }
}
