//! Errors for requests that failed or that the Hub refused.
//!
//! Statuses and the `X-Error-Code` header are interpreted as in `hf_raise_for_status` of huggingface_hub.

use std::io;

use crate::error::{Error, TokenUse};

/// The subject of a request, as named in its errors.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    /// `owner/name`.
    pub(crate) model: String,
    pub(crate) revision: String,
    /// The endpoint, without secrets.
    pub(crate) endpoint: String,
    pub(crate) token: TokenUse,
}

impl Subject {
    /// Returns the error for an answer that refuses `file`.
    pub(crate) fn refused(&self, file: &str, status: u16, code: Option<&str>) -> Error {
        match (status, code) {
            (_, Some("GatedRepo")) | (403, _) => Error::Gated {
                model: self.model.clone(),
                endpoint: self.endpoint.clone(),
                token: self.token,
            },
            (_, Some("RevisionNotFound")) => self.no_revision(),
            // The Hub answers 401 if the repository does not exist, is private, or needs a token.
            (401, _) | (_, Some("RepoNotFound")) => self.no_model(),
            _ => self.unexpected_status(file, status),
        }
    }

    /// Returns the error for a status without a known reason.
    pub(crate) fn unexpected_status(&self, file: &str, status: u16) -> Error {
        Error::HubStatus {
            endpoint: self.endpoint.clone(),
            model: self.model.clone(),
            file: file.to_owned(),
            status,
        }
    }

    fn no_model(&self) -> Error {
        Error::ModelNotFound {
            model: self.model.clone(),
            token: self.token,
        }
    }

    fn no_revision(&self) -> Error {
        Error::RevisionNotFound {
            model: self.model.clone(),
            revision: self.revision.clone(),
        }
    }

    /// Returns the error for a missing answer, or for an answer that is not the Hub's.
    pub(crate) fn unreachable(&self, problem: impl Into<String>) -> Error {
        Error::HubUnreachable {
            endpoint: self.endpoint.clone(),
            model: self.model.clone(),
            problem: problem.into(),
            cached: false,
        }
    }
}

/// The problem with a network's login page, a proxy's error page, or an endpoint that is not a Hub.
pub(crate) const NOT_THE_HUB: &str = "it does not answer like a Hub";
pub(crate) const TIMED_OUT: &str = "timed out";
pub(crate) const DISCONNECTED: &str = "the connection broke";
const NO_ADDRESS: &str = "it leads to an address that is not valid";
const UNKNOWN_NAME: &str = "unknown host name";

/// Describes why a request failed in a few words, without addresses, which can contain secrets.
pub(crate) fn describe(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(_) => TIMED_OUT.to_owned(),
        ureq::Error::HostNotFound => UNKNOWN_NAME.to_owned(),
        ureq::Error::Io(error) => match kind_in_words(error.kind()) {
            Some(words) => words.to_owned(),
            None => shortened(&error.to_string()),
        },
        ureq::Error::LargeResponseHeader(_, most) => {
            format!("the headers of its answer have more than {most} bytes")
        }
        ureq::Error::ConnectProxyFailed(problem) => {
            format!("the proxy refused the connection: {problem}")
        }
        // Its message has the address.
        ureq::Error::BadUri(_) => NO_ADDRESS.to_owned(),
        error => shortened(&error.to_string()),
    }
}

/// Shortens the message of an error to a few words.
fn shortened(text: &str) -> String {
    if text.contains("failed to lookup address") {
        UNKNOWN_NAME.to_owned()
    } else if text.contains("certificate") {
        "its certificate is not trusted".to_owned()
    } else if text.contains("://") {
        "the connection failed".to_owned()
    } else {
        let words = text.split(" (os error").next().unwrap_or(text);
        words.to_lowercase()
    }
}

fn kind_in_words(kind: io::ErrorKind) -> Option<&'static str> {
    Some(match kind {
        io::ErrorKind::ConnectionRefused => "connection refused",
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => DISCONNECTED,
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown => {
            "the network is unreachable"
        }
        io::ErrorKind::HostUnreachable => "the host is unreachable",
        io::ErrorKind::TimedOut => TIMED_OUT,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(token: TokenUse) -> Subject {
        Subject {
            model: "o/n".to_owned(),
            revision: "v9".to_owned(),
            endpoint: "https://hub.example".to_owned(),
            token,
        }
    }

    #[test]
    fn refusals_map_to_error_codes() {
        for (status, code, expected) in [
            (401, None, "model-not-found"),
            (401, Some("RepoNotFound"), "model-not-found"),
            (404, Some("RepoNotFound"), "model-not-found"),
            (401, Some("GatedRepo"), "gated"),
            (403, Some("GatedRepo"), "gated"),
            (403, None, "gated"),
            (404, Some("RevisionNotFound"), "revision-not-found"),
            (404, None, "hub-status"),
            (429, None, "hub-status"),
            (503, None, "hub-status"),
        ] {
            let error = subject(TokenUse::None).refused("f", status, code);
            assert_eq!(error.code(), expected, "{status} {code:?}");
            assert_eq!(error.exit() as u8, 3);
        }
        let hint = |token| subject(token).refused("f", 401, None).hint().unwrap();
        assert!(hint(TokenUse::None).contains("HF_TOKEN"));
        assert!(hint(TokenUse::Sent).contains("your token"));
        assert!(hint(TokenUse::Withheld).contains("not sent"));
    }

    #[test]
    fn failures_are_described_without_addresses() {
        let words = |error: io::Error| describe(&ureq::Error::Io(error));
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        assert_eq!(words(refused), "connection refused");
        let dns =
            io::Error::other("failed to lookup address information: Name or service not known");
        assert_eq!(words(dns), "unknown host name");
        let certificate = io::Error::other("invalid peer certificate: UnknownIssuer");
        assert_eq!(words(certificate), "its certificate is not trusted");
        let secret = io::Error::other("no luck with https://cdn.example/x?Signature=abc");
        assert_eq!(words(secret), "the connection failed");
        let secret = ureq::Error::BadUri("/x?Signature=abc is missing scheme".to_owned());
        assert_eq!(describe(&secret), NO_ADDRESS);
    }
}
