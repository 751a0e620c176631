//! Why an attempt at a request failed, and whether another one has a chance.

use std::io;
use std::time::Duration;

use ureq::http::StatusCode;
use ureq::http::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};

use crate::error::Error;
use crate::source::hub::errors::{Asked, BROKE, NOT_THE_HUB, TIMED_OUT, transport};

pub(super) const ERROR_CODE: HeaderName = HeaderName::from_static("x-error-code");
/// Attempts after the first one that fails in a way that may pass.
const RETRIES: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// A longer `Retry-After` is an answer for the person, not for the program.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Why one attempt at a request failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// There is no connection, or no answer on it.
    Transport(ureq::Error),
    /// The time for all of the answer is over.
    OutOfTime,
    Refused {
        status: StatusCode,
        code: Option<String>,
        retry_after: Option<Duration>,
    },
    NotTheHub,
    /// The answer is longer than any that is waited for, in bytes.
    TooLong(usize),
    /// A redirect leads where nothing is fetched: where, in a few words.
    Misled(String),
    /// The answer broke off, or was silent for too long: in a few words.
    Broken(String),
    /// The address of a file was refused: signed ones are good for a while.
    Expired(StatusCode),
    /// What came is not the range that was asked for: what is wrong with it.
    NotThatRange(String),
}

impl Failure {
    /// The failure of a request that has one limit for all of it.
    pub(super) fn within_deadline(error: ureq::Error) -> Self {
        match error {
            ureq::Error::Timeout(_) => Self::OutOfTime,
            error => Self::Transport(error),
        }
    }

    /// The failure of a request for bytes, of which a part may be here.
    pub(super) fn in_transfer(error: ureq::Error) -> Self {
        match error {
            ureq::Error::Timeout(_) => Self::Broken(TIMED_OUT.to_owned()),
            ureq::Error::Protocol(_) | ureq::Error::LargeResponseHeader(..) => {
                Self::Broken(BROKE.to_owned())
            }
            ureq::Error::Io(error) if is_break(error.kind()) => Self::Broken(BROKE.to_owned()),
            error => Self::Transport(error),
        }
    }

    /// The answer of a server that does not give what was asked for.
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

    /// How long to wait before the next attempt; none if there is no use in one.
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
                let passing = status.is_server_error()
                    || matches!(
                        *status,
                        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT
                    );
                passing
                    .then(|| retry_after.unwrap_or(backoff))
                    .filter(|pause| *pause <= LONGEST_PAUSE)
            }
            Self::Broken(_) => Some(backoff),
            Self::OutOfTime
            | Self::NotTheHub
            | Self::TooLong(_)
            | Self::Misled(_)
            | Self::Expired(_)
            | Self::NotThatRange(_) => None,
        }
    }

    /// The error about `file`.
    pub(super) fn error(&self, asked: &Asked, file: &str) -> Error {
        match self {
            Self::Transport(error) => asked.unreachable(transport(error)),
            Self::Refused { status, code, .. } => {
                asked.refused(file, status.as_u16(), code.as_deref())
            }
            Self::OutOfTime => asked.unreachable(TIMED_OUT),
            Self::NotTheHub => asked.unreachable(NOT_THE_HUB),
            Self::TooLong(limit) => {
                asked.unreachable(format!("its answer has more than {limit} bytes"))
            }
            Self::Misled(problem) | Self::Broken(problem) => asked.unreachable(problem.clone()),
            Self::Expired(status) => asked.not_given(file, status.as_u16()),
            Self::NotThatRange(problem) => Error::NoRanges {
                model: asked.model.clone(),
                file: file.to_owned(),
                problem: problem.clone(),
            },
        }
    }
}

/// Returns true if a connection that was there is gone.
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
