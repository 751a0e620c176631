//! Why an attempt at a request failed, and whether another one has a chance.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use super::{ERROR_CODE, RETRIES};
use crate::error::Error;
use crate::source::hub_error::{Asked, NOT_THE_HUB, transport};

const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// A longer `Retry-After` is an answer for the person, not for the program.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Why one attempt at a request failed.
#[derive(Debug)]
pub(super) enum Failure {
    Transport(reqwest::Error),
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
    /// The answer of a server that does not give what was asked for.
    pub(super) fn refused(status: StatusCode, headers: &HeaderMap) -> Self {
        let text = |value: &reqwest::header::HeaderValue| value.to_str().ok().map(str::to_owned);
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
            Self::Transport(error) => (!error.is_builder()).then_some(backoff),
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
            Self::NotTheHub
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
