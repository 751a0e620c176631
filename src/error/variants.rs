//! The error type: one variant per failure, with the values of its sentence.

use std::fmt;
use std::io;

use thiserror::Error as ThisError;

use super::wording::{reason, shorten};

/// The result type of the crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure with the values that explain it.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum Error {
    // --- exit 2: usage and input ---------------------------------------------------------------------------------
    /// An invalid combination of arguments that clap cannot detect.
    #[error("{message}")]
    Usage {
        message: String,
        hint: Option<String>,
    },
    /// Text input that is not UTF-8.
    #[error("{input} is not UTF-8: the byte at offset {offset} is invalid")]
    NotUtf8 { input: String, offset: usize },
    /// An input that is not text, such as a compressed file.
    #[error("{input} is {kind}, not UTF-8 text")]
    NotText {
        input: String,
        kind: &'static str,
        hint: Option<String>,
    },
    /// A line of a stream that is not JSON, or has no text in the given field.
    #[error("line {line} of {input}: {problem}")]
    BadJsonLine {
        input: String,
        line: u64,
        problem: String,
        hint: Option<String>,
    },
    /// An invalid configuration file.
    #[error("line {line} of {file}: {problem}")]
    BadConfig {
        file: String,
        line: usize,
        problem: String,
        hint: Option<String>,
    },
    /// An argument or input that is not a token id.
    #[error("`{given}` is not a token id")]
    NotAnId { given: String },
    /// An id that is not in the vocabulary.
    #[error("id {id} is not in the vocabulary, whose ids are 0 to {last}")]
    UnknownId { id: u64, last: u64 },
    /// An id beyond the last row of the matrix.
    #[error("id {id} has no row: the embedding matrix has rows 0 to {last}")]
    NoSuchRow { id: u64, last: u64 },
    /// A piece that is not in the vocabulary.
    #[error("`{piece}` is not a piece of the vocabulary")]
    UnknownPiece {
        piece: String,
        /// A piece that exists and differs only in the leading `▁`.
        near: Option<String>,
    },
    /// A position outside the text. A negative one counts from the end.
    #[error("position {position} is outside the text, which has tokens 0 to {last}")]
    NoSuchPosition { position: i64, last: usize },
    /// A text of several tokens where exactly one is allowed.
    #[error("expected one token, but `{text}` is {}: {}", .pieces.len(), .pieces.join(" "))]
    NotOneToken { text: String, pieces: Vec<String> },
    /// A text without tokens where exactly one is required.
    #[error("the text `{text}` has no tokens")]
    NoToken { text: String },
    /// An array file that holds no vectors.
    #[error("{input} is not an array of vectors: {problem}")]
    BadArray { input: String, problem: String },
    /// An input file or stream that cannot be read.
    #[error("cannot read {input}: {}", reason(.source))]
    ReadInput { input: String, source: io::Error },
    /// An output that cannot be written.
    #[error("cannot write {output}: {}", reason(.source))]
    WriteOutput { output: String, source: io::Error },
    /// A model directory or repository without a file that the command needs.
    #[error("{place} has no {what}")]
    MissingPart {
        place: String,
        what: &'static str,
        hint: Option<String>,
    },
    /// A chat template that raises an exception of its own for the messages.
    #[error("the chat template in {template} refuses the messages: {message}")]
    TemplateRefused { template: String, message: String },
    /// A chat template that cannot render the messages.
    #[error("the chat template in {template} cannot render the messages: {problem}")]
    TemplateFailed { template: String, problem: String },
    /// A model reference that cannot be parsed.
    #[error("`{given}` is not a model: {problem}")]
    BadModelRef { given: String, problem: String },

    // --- exit 3: not reachable -----------------------------------------------------------------------------------
    /// No answer from the Hub.
    #[error("cannot reach {endpoint} for `{model}`: {problem}")]
    HubUnreachable {
        endpoint: String,
        model: String,
        problem: String,
        /// True if the cache holds files of the model.
        cached: bool,
    },
    /// A file that is not in the cache, while offline.
    #[error("`{model}` is not in the cache ({file}), and the network is off")]
    NotCached { model: String, file: String },
    /// A repository that does not exist, or that the caller may not see.
    #[error("the Hub has no model `{model}`, or it is private")]
    ModelNotFound { model: String, token: TokenUse },
    /// A model whose terms must be accepted first.
    #[error("`{model}` is gated: {endpoint} does not allow access to it")]
    Gated {
        model: String,
        endpoint: String,
        token: TokenUse,
    },
    /// A branch, tag or commit that does not exist.
    #[error("`{model}` has no revision `{revision}`")]
    RevisionNotFound { model: String, revision: String },
    /// A commit that the Hub cache has for a branch or tag, and that the Hub no longer has.
    #[error(
        "the Hub no longer has commit {commit} of `{model}`, which the cache has for `{revision}`"
    )]
    CommitGone {
        model: String,
        revision: String,
        commit: String,
    },
    /// Any other HTTP status of the Hub.
    #[error("{endpoint} answered {status} for {file} of `{model}`")]
    HubStatus {
        endpoint: String,
        model: String,
        file: String,
        status: u16,
    },
    /// A download that ended early. The received bytes are kept, and the next attempt resumes there.
    #[error("the download of {file} of `{model}` stopped at {done} of {size} bytes: {problem}")]
    DownloadBroken {
        model: String,
        file: String,
        done: u64,
        size: u64,
        problem: String,
    },
    /// A download whose bytes are not the ones that the Hub announced. It is discarded.
    #[error("the download of {file} of `{model}` does not match what the Hub announced: {problem}")]
    WrongDownload {
        model: String,
        file: String,
        problem: String,
    },
    /// A published file that has another digest than the published one. It is discarded.
    #[error("the download of {file} of `{model}` has the sha256 {found}, not {expected}")]
    OtherDigest {
        model: String,
        file: String,
        found: String,
        expected: &'static str,
    },
    /// A byte range that ended early.
    #[error(
        "the transfer of bytes {start} to {end} of {file} of `{model}` stopped after {done} bytes: {problem}"
    )]
    RangeBroken {
        model: String,
        file: String,
        start: u64,
        end: u64,
        done: u64,
        problem: String,
    },
    /// A server that answered a request for a byte range with something else. The answer is discarded.
    #[error("cannot read byte ranges of {file} of `{model}`: {problem}")]
    NoRanges {
        model: String,
        file: String,
        problem: String,
    },
    /// Fetched ranges that cannot be written to the app cache.
    #[error("cannot store bytes of {file} in the app cache: {problem}")]
    RangesNotKept { file: String, problem: String },
    /// A file that cannot be written to the Hub cache.
    #[error("cannot store {file} in the Hub cache at {cache}: {problem}")]
    CacheNotWritable {
        file: String,
        cache: String,
        problem: String,
    },

    // --- exit 4: damaged or unsupported files --------------------------------------------------------------------
    /// A model file whose bytes contradict its format.
    #[error("{file} is damaged: {problem}")]
    Damaged {
        file: String,
        problem: String,
        hint: Option<String>,
    },
    /// An intact model file of a kind that tokscope does not read.
    #[error("{file} is not supported: {problem}")]
    Unsupported {
        file: String,
        problem: String,
        hint: Option<String>,
    },
    /// A damaged file of the Hub cache that cannot be fetched again.
    #[error("{file} of `{model}` is damaged in the Hub cache: {problem}")]
    DamagedCache {
        model: String,
        file: String,
        problem: String,
    },
    /// A model file that exists but cannot be read.
    #[error("cannot read {file}: {}", reason(.source))]
    ReadModel { file: String, source: io::Error },
    /// A model file that another program truncated while it was mapped.
    #[error("{file} was truncated while it was being read")]
    BecameShorter { file: String },
}

/// Whether the Hub token was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenUse {
    /// No token is set.
    None,
    Sent,
    /// The token was not sent, because the connection is plain http.
    Withheld,
}

impl Error {
    /// Records in [`Error::HubUnreachable`] whether the cache holds files of the model. Other errors are returned
    /// unchanged.
    #[must_use]
    #[doc(hidden)]
    pub fn with_cached(mut self, holds: bool) -> Self {
        if let Self::HubUnreachable { cached, .. } = &mut self {
            *cached = holds;
        }
        self
    }

    /// Creates an [`Error::Usage`] without a hint.
    #[doc(hidden)]
    pub fn usage(message: impl Into<String>) -> Self {
        Self::Usage {
            message: message.into(),
            hint: None,
        }
    }

    /// Creates an [`Error::Usage`] with a hint.
    #[doc(hidden)]
    pub fn usage_hint(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage {
            message: shorten(message.into()),
            hint: Some(hint.into()),
        }
    }

    /// Creates an [`Error::TemplateRefused`].
    #[doc(hidden)]
    pub fn template_refused(template: String, message: &str) -> Self {
        Self::TemplateRefused {
            template,
            message: shorten(message.to_owned()),
        }
    }

    /// Creates an [`Error::TemplateFailed`].
    #[doc(hidden)]
    pub fn template_failed(template: String, problem: impl fmt::Display) -> Self {
        Self::TemplateFailed {
            template,
            problem: shorten(problem.to_string()),
        }
    }

    /// Creates an [`Error::Damaged`].
    #[doc(hidden)]
    pub fn damaged(file: impl Into<String>, problem: impl fmt::Display) -> Self {
        Self::Damaged {
            file: file.into(),
            problem: shorten(problem.to_string()),
            hint: None,
        }
    }

    /// Creates an [`Error::Unsupported`] without a hint.
    #[doc(hidden)]
    pub fn unsupported(file: impl Into<String>, problem: impl fmt::Display) -> Self {
        Self::Unsupported {
            file: file.into(),
            problem: shorten(problem.to_string()),
            hint: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Exit;

    #[test]
    fn an_io_error_reads_as_the_end_of_a_sentence() {
        let error = Error::ReadInput {
            input: "notes.txt".to_owned(),
            source: io::Error::from_raw_os_error(2),
        };
        assert_eq!(
            error.to_string(),
            "cannot read notes.txt: no such file or directory"
        );
        assert_eq!(error.exit(), Exit::Usage);
    }

    #[test]
    fn a_text_of_several_tokens_shows_them() {
        let error = Error::NotOneToken {
            text: "banco".to_owned(),
            pieces: vec!["▁ban".to_owned(), "co".to_owned()],
        };
        assert_eq!(
            error.to_string(),
            "expected one token, but `banco` is 2: ▁ban co"
        );
    }
}
