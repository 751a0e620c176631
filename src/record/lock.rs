//! A lock file, and how a model differs from it.

use serde::Serialize;

/// What was locked, or compared with a lock file.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Lock {
    /// The lock file.
    pub path: String,
    pub model: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    pub files: usize,
    pub vocabulary_size: usize,
    pub texts: usize,
    /// How many were found, by `check`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub differences: Option<usize>,
}

/// Something that is not as it was locked.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Drift {
    pub kind: &'static str,
    /// The file, the revision, the id of the added token, the part of the reference, or the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A digest, a commit, a token, a version, or the pieces of a text; absent for what is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locked: Option<String>,
    /// The same, as it is; absent for what is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locked_ids: Option<Vec<u32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found_ids: Option<Vec<u32>>,
    pub message: String,
}
