//! The failures of requests, and the decision whether to try again.

use std::io;
use std::time::Duration;

use ureq::http::StatusCode;
use ureq::http::header::{HeaderMap, HeaderValue, RETRY_AFTER};

use super::headers::ERROR_CODE;
use crate::error::Error;
use crate::source::hub::errors::{DISCONNECTED, NOT_THE_HUB, Subject, TIMED_OUT, describe};

/// The number of attempts after the first one.
const RETRIES: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// A longer `Retry-After` is reported as an error instead of obeyed.
const MAX_PAUSE: Duration = Duration::from_secs(30);

/// The reason why an attempt at a request failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// No connection, or no answer on it.
    Transport(ureq::Error),
    /// The deadline for the whole answer has passed.
    DeadlinePassed,
    /// A status that refuses the request.
    Refused {
        status: StatusCode,
        code: Option<String>,
        retry_after: Option<Duration>,
    },
    /// The answer is not the Hub's.
    NotTheHub,
    /// The answer has more than this number of bytes.
    TooLong(usize),
    /// The answer lists more than this number of files.
    TooManyFiles(usize),
    /// A redirect that is not followed, or a proxy that cannot be used, with the reason.
    Misled(String),
    /// The connection broke or was silent for too long, with a description.
    Broken(String),
    /// The address of a file was refused. Signed addresses expire.
    Expired(StatusCode),
    /// The answer is not the range that was requested, with a description.
    NotThatRange(String),
}

impl Failure {
    /// Classifies the error of a request that has a deadline.
    pub(super) fn within_deadline(error: ureq::Error) -> Self {
        match error {
            ureq::Error::Timeout(_) => Self::DeadlinePassed,
            error => Self::Transport(error),
        }
    }

    /// Classifies the error of a request for the bytes of a file.
    pub(super) fn in_transfer(error: ureq::Error) -> Self {
        match error {
            ureq::Error::Timeout(_) => Self::Broken(TIMED_OUT.to_owned()),
            ureq::Error::Protocol(_) | ureq::Error::LargeResponseHeader(..) => {
                Self::Broken(DISCONNECTED.to_owned())
            }
            ureq::Error::Io(error) if is_break(error.kind()) => {
                Self::Broken(DISCONNECTED.to_owned())
            }
            error => Self::Transport(error),
        }
    }

    /// Returns the failure for a status that refuses the request.
    pub(super) fn refused(status: StatusCode, headers: &HeaderMap) -> Self {
        let text = |value: &HeaderValue| value.to_str().ok().map(str::to_owned);
        let seconds = headers.get(RETRY_AFTER).and_then(text);
        let seconds = seconds.and_then(|text| text.trim().parse().ok());
        Self::Refused {
            status,
            code: headers.get(&ERROR_CODE).and_then(text),
            retry_after: seconds.map(Duration::from_secs),
        }
    }

    /// Returns the time to wait before the next attempt; `None` if another attempt is pointless.
    pub(super) fn pause(&self, attempt: u32) -> Option<Duration> {
        if attempt >= RETRIES {
            return None;
        }
        let backoff = FIRST_PAUSE * 2_u32.pow(attempt);
        match self {
            Self::Transport(error) => {
                (!matches!(error, ureq::Error::Http(_) | ureq::Error::BadUri(_))).then_some(backoff)
            }
            Self::Refused {
                status,
                retry_after,
                ..
            } => {
                let is_temporary = status.is_server_error()
                    || matches!(
                        *status,
                        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT
                    );
                is_temporary
                    .then(|| retry_after.unwrap_or(backoff))
                    .filter(|pause| *pause <= MAX_PAUSE)
            }
            Self::Broken(_) => Some(backoff),
            Self::DeadlinePassed
            | Self::NotTheHub
            | Self::TooLong(_)
            | Self::TooManyFiles(_)
            | Self::Misled(_)
            | Self::Expired(_)
            | Self::NotThatRange(_) => None,
        }
    }

    /// Returns the error about `file`.
    pub(super) fn error(&self, subject: &Subject, file: &str) -> Error {
        match self {
            Self::Transport(error) => subject.unreachable(describe(error)),
            Self::Refused { status, code, .. } => {
                subject.refused(file, status.as_u16(), code.as_deref())
            }
            Self::DeadlinePassed => subject.unreachable(TIMED_OUT),
            Self::NotTheHub => subject.unreachable(NOT_THE_HUB),
            Self::TooLong(limit) => {
                subject.unreachable(format!("its answer has more than {limit} bytes"))
            }
            Self::TooManyFiles(limit) => {
                subject.unreachable(format!("its answer lists more than {limit} files"))
            }
            Self::Misled(problem) | Self::Broken(problem) => subject.unreachable(problem.clone()),
            Self::Expired(status) => subject.unexpected_status(file, status.as_u16()),
            Self::NotThatRange(problem) => Error::NoRanges {
                model: subject.model.clone(),
                file: file.to_owned(),
                problem: problem.clone(),
            },
        }
    }
}

/// Returns true for errors of an established connection.
fn is_break(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::NotConnected
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof
    )
}
