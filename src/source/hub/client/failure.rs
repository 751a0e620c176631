//! The failures of requests, and the decision whether to try again.

use std::io;
use std::time::{Duration, SystemTime};

use ureq::http::StatusCode;
use ureq::http::header::{DATE, HeaderMap, RETRY_AFTER};

use super::headers::{ERROR_CODE, header};
use super::http_date;
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
    /// The body of the answer is encoded in this way, which was not asked for.
    Encoded(String),
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
        Self::Refused {
            status,
            code: header(headers, &ERROR_CODE).map(str::to_owned),
            retry_after: retry_after(headers, SystemTime::now()),
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
                    .then(|| retry_after.unwrap_or_default().max(backoff))
                    .filter(|pause| *pause <= MAX_PAUSE)
            }
            Self::Broken(_) => Some(backoff),
            Self::DeadlinePassed
            | Self::NotTheHub
            | Self::Encoded(_)
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
            Self::Encoded(encoding) => subject.unreachable(format!(
                "its answer is encoded ({encoding}), which was not asked for"
            )),
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

/// Returns the time that a server asks to wait: a number of seconds, or the time until a date. The clock of the server
/// counts, if it sent its time.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let wanted = header(headers, &RETRY_AFTER)?.trim();
    if !wanted.is_empty() && wanted.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number too large to parse is a long time, too.
        return Some(Duration::from_secs(wanted.parse().unwrap_or(u64::MAX)));
    }
    let sent = header(headers, &DATE).and_then(|date| http_date::parse(date, now));
    let sent = sent.and_then(|sent| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(sent)));
    http_date::time_until(wanted, sent.unwrap_or(now))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_a_number_of_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let server = "Sun, 06 Nov 1994 08:00:00 GMT";
        for (wanted, sent, seconds) in [
            ("2", None, Some(2)),
            (" 2 ", Some(server), Some(2)),
            ("0", None, Some(0)),
            ("99999999999999999999999", None, Some(u64::MAX)),
            ("Sun, 06 Nov 1994 08:49:47 GMT", None, Some(10)),
            ("Sunday, 06-Nov-94 08:49:47 GMT", None, Some(10)),
            ("Sun Nov  6 08:49:47 1994", None, Some(10)),
            ("Sun, 06 Nov 1994 08:00:03 GMT", Some(server), Some(3)),
            ("Sun, 06 Nov 1994 08:00:03 GMT", Some("today"), Some(0)),
            ("Sat, 05 Nov 1994 08:49:37 GMT", None, Some(0)),
            ("Sun, 06 Nov 9994 08:49:37 GMT", None, Some(252_455_616_000)),
            ("", None, None),
            ("-1", None, None),
            ("1.5", None, None),
            ("tomorrow", None, None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, wanted.parse().unwrap());
            if let Some(sent) = sent {
                headers.insert(DATE, sent.parse().unwrap());
            }
            let found = retry_after(&headers, now);
            assert_eq!(
                found.map(|time| time.as_secs()),
                seconds,
                "{wanted:?} {sent:?}"
            );
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }

    #[test]
    fn a_pause_is_at_least_the_backoff_and_at_most_half_a_minute() {
        let pause = |seconds| {
            let failure = Failure::Refused {
                status: StatusCode::TOO_MANY_REQUESTS,
                code: None,
                retry_after: Some(Duration::from_secs(seconds)),
            };
            failure.pause(0)
        };
        assert_eq!(pause(0), Some(FIRST_PAUSE));
        assert_eq!(pause(30), Some(Duration::from_secs(30)));
        assert_eq!([31, u64::MAX].map(pause), [None, None]);
    }
}
