//! Records of the commands that cut, find, convert, lock and compare.

use serde::Serialize;

/// A place where a token that was looked for occurs.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Match {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Line, and byte of it, both from 1, at which the token begins.
    pub line: usize,
    pub column: usize,
    /// Bytes of the text that the token stands for.
    pub start: usize,
    pub end: usize,
    pub id: u32,
    pub piece: String,
    /// The text of the token, and what is near it on its line.
    pub before: String,
    pub text: String,
    pub after: String,
    /// Whether the line has more before, and behind.
    #[serde(skip)]
    pub cut: (bool, bool),
}

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

/// A part of a text that has no more than so many tokens.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Chunk {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Its number among those of the text, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<usize>,
    /// Bytes of the text at which it begins and ends.
    pub start: usize,
    pub end: usize,
    /// Bytes that the part before has too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlap: Option<usize>,
    /// Number of tokens of the part alone, special tokens included where they are counted.
    pub count: usize,
    /// Whether anything of the text was left out, of `head` and `tail`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truncated: Option<bool>,
    pub ids: Vec<u32>,
    pub text: String,
}

/// A tokenizer file that was written in another format, and what proves that it says the same.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Convert {
    pub model: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The format.
    pub to: &'static str,
    pub path: String,
    /// In bytes.
    pub size: u64,
    pub sha256: String,
    /// Texts and pairs that it was proved on, and tokens of them.
    pub texts: usize,
    pub tokens: usize,
}
