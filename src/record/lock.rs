//! A lock file, and the differences between it and a model.

use serde::Serialize;

/// A model that was locked, or compared with its lock file.
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
    /// Number of differences; present in the record of `check`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub differences: Option<usize>,
    /// The reading, unless it is the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reading: Option<&'static str>,
}

/// A difference between a model and its lock file.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Drift {
    pub kind: &'static str,
    /// The file, revision, id of an added token, part of the reference, or text that differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The locked digest, commit, token, version, or pieces of a text. Absent if the item is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locked: Option<String>,
    /// The current value. Absent if the item is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locked_ids: Option<Vec<u32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found_ids: Option<Vec<u32>>,
    pub message: String,
}
