//! The error type: one variant per failure, with the values of its sentence.

use std::fmt;
use std::io;

use thiserror::Error as ThisError;

use super::sentence::{reason, shorten};

/// Result of everything below the command line.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure with the values that explain it.
#[derive(Debug, ThisError)]
pub enum Error {
    // --- exit 2: usage and input ---------------------------------------------------------------------------------
    /// A combination of arguments that means nothing, beyond what clap itself refuses.
    #[error("{message}")]
    Usage {
        message: String,
        hint: Option<String>,
    },
    /// Text input that is not UTF-8.
    #[error("{input} is not UTF-8: the byte at offset {offset} is invalid")]
    NotUtf8 { input: String, offset: usize },
    /// A line of a record stream that is not JSON, or has no text where it was asked for.
    #[error("line {line} of {input}: {problem}")]
    BadJsonLine {
        input: String,
        line: u64,
        problem: String,
    },
    /// A configuration file that is not as it should be.
    #[error("line {line} of {file}: {problem}")]
    BadConfig {
        file: String,
        line: usize,
        problem: String,
        hint: Option<String>,
    },
    /// Something given as a token id that is not one.
    #[error("`{given}` is not a token id")]
    NotAnId { given: String },
    /// An id that no token has.
    #[error("id {id} is not in the vocabulary, whose ids are 0 to {last}")]
    UnknownId { id: u64, last: u64 },
    /// An id beyond the rows of the matrix.
    #[error("id {id} has no row: the embedding matrix has rows 0 to {last}")]
    NoSuchRow { id: u64, last: u64 },
    /// A piece that is not in the vocabulary.
    #[error("`{piece}` is not a piece of the vocabulary")]
    UnknownPiece {
        piece: String,
        /// A piece that exists and differs only in the leading `▁`.
        near: Option<String>,
    },
    /// A position outside the tokens of the text.
    #[error("position {position} is outside the text, which has tokens 0 to {last}")]
    NoSuchPosition { position: usize, last: usize },
    /// Text that had to be exactly one token.
    #[error("`{text}` is {} tokens, and one is wanted: {}", .pieces.len(), .pieces.join(" "))]
    NotOneToken { text: String, pieces: Vec<String> },
    /// Text that had to be one token and holds none.
    #[error("the text `{text}` has no token")]
    NoToken { text: String },
    /// An array file that vectors cannot be read from.
    #[error("{input} is not an array of vectors: {problem}")]
    BadArray { input: String, problem: String },
    /// An input file or stream that cannot be read.
    #[error("cannot read {input}: {}", reason(.source))]
    ReadInput { input: String, source: io::Error },
    /// An output that cannot be written.
    #[error("cannot write {output}: {}", reason(.source))]
    WriteOutput { output: String, source: io::Error },
    /// A model directory, or repository, that lacks what the command needs.
    #[error("{place} has no {what}")]
    MissingPart {
        place: String,
        what: &'static str,
        hint: Option<String>,
    },
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
        /// Whether the cache holds files of the model.
        cached: bool,
    },
    /// Offline, and the file is not in the cache.
    #[error("`{model}` is not in the cache ({file}), and the network is off")]
    NotCached { model: String, file: String },
    /// The Hub says that there is no such repository, or not for this caller.
    #[error("the Hub has no model `{model}`, or it is private")]
    ModelNotFound { model: String, token: TokenUse },
    /// A model that wants its terms accepted.
    #[error("`{model}` is gated: {endpoint} does not allow access to it")]
    Gated {
        model: String,
        endpoint: String,
        token: TokenUse,
    },
    /// A branch, tag or commit that does not exist.
    #[error("`{model}` has no revision `{revision}`")]
    RevisionNotFound { model: String, revision: String },
    /// An answer of the Hub that is none of the above.
    #[error("{endpoint} answered {status} for {file} of `{model}`")]
    HubStatus {
        endpoint: String,
        model: String,
        file: String,
        status: u16,
    },
    /// A download that ended early; what came is kept, and the next attempt goes on with it.
    #[error("the download of {file} of `{model}` stopped at {done} of {size} bytes: {problem}")]
    DownloadBroken {
        model: String,
        file: String,
        done: u64,
        size: u64,
        problem: String,
    },
    /// A download whose bytes are not the ones the Hub announced; nothing of it is kept.
    #[error("the download of {file} of `{model}` is not what the Hub announced: {problem}")]
    WrongDownload {
        model: String,
        file: String,
        problem: String,
    },
    /// A byte range that broke off.
    #[error("bytes {start} to {end} of {file} of `{model}` broke off after {done}: {problem}")]
    RangeBroken {
        model: String,
        file: String,
        start: u64,
        end: u64,
        done: u64,
        problem: String,
    },
    /// A byte range of a file was asked for, and something else came; nothing of it is used.
    #[error("no byte ranges of {file} of `{model}` are served: {problem}")]
    NoRanges {
        model: String,
        file: String,
        problem: String,
    },
    /// Bytes that are fetched as a whole find no room.
    #[error("cannot store bytes of {file} in tokscope's own cache: {problem}")]
    RangesNotKept { file: String, problem: String },
    /// The Hub cache cannot be written.
    #[error("cannot store {file} in the Hub cache at {cache}: {problem}")]
    CacheNotWritable {
        file: String,
        cache: String,
        problem: String,
    },

    // --- exit 4: damaged or unsupported files --------------------------------------------------------------------
    /// A model file whose bytes contradict its format.
    #[error("{file} is damaged: {problem}")]
    Damaged { file: String, problem: String },
    /// A model file that is sound but not of a kind this program reads.
    #[error("{file} is not supported: {problem}")]
    Unsupported {
        file: String,
        problem: String,
        hint: Option<String>,
    },
    /// A file of the Hub cache that is not what it is kept as, where it cannot be fetched again.
    #[error("{file} of `{model}` is damaged in the Hub cache: {problem}")]
    DamagedCache {
        model: String,
        file: String,
        problem: String,
    },
    /// A model file that is there and cannot be read.
    #[error("cannot read {file}: {}", reason(.source))]
    ReadModel { file: String, source: io::Error },
    /// A model file that another program cut short.
    #[error("{file} became shorter while it was read")]
    BecameShorter { file: String },
}

/// What became of the token of the Hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenUse {
    /// There is none.
    None,
    Sent,
    /// There is one, and it does not go over plain http.
    Withheld,
}

impl Error {
    /// The same error; of a Hub that is not reached, with whether the cache holds files of the model.
    #[must_use]
    pub fn with_cached(mut self, holds: bool) -> Self {
        if let Self::HubUnreachable { cached, .. } = &mut self {
            *cached = holds;
        }
        self
    }

    /// Wrong usage without a remedy to name.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::Usage {
            message: message.into(),
            hint: None,
        }
    }

    /// Wrong usage with its remedy.
    pub fn usage_hint(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage {
            message: shorten(message.into()),
            hint: Some(hint.into()),
        }
    }

    /// A damaged model file.
    pub fn damaged(file: impl Into<String>, problem: impl fmt::Display) -> Self {
        Self::Damaged {
            file: file.into(),
            problem: shorten(problem.to_string()),
        }
    }

    /// A model file of a kind that is not read.
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
            "`banco` is 2 tokens, and one is wanted: ▁ban co"
        );
    }
}
