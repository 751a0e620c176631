//! Failures of the network and answers of the Hub → the error that says what a person can do about it.
//!
//! What the Hub's statuses and `X-Error-Code` mean: `hf_raise_for_status` of huggingface_hub.

use std::io;

use crate::error::{Error, TokenUse};

/// What a request was about, as its errors name it.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// `owner/name`.
    pub(crate) model: String,
    pub(crate) revision: String,
    /// The endpoint, without secrets.
    pub(crate) endpoint: String,
    pub(crate) token: TokenUse,
}

impl Asked {
    /// The Hub answered, and not with what was asked for.
    pub(crate) fn refused(&self, file: &str, status: u16, code: Option<&str>) -> Error {
        match (status, code) {
            (_, Some("GatedRepo")) | (403, _) => Error::Gated {
                model: self.model.clone(),
                endpoint: self.endpoint.clone(),
                token: self.token,
            },
            (_, Some("RevisionNotFound")) => self.no_revision(),
            // A private repository is not told from none at all, and none at all not from a lack of a token.
            (401, _) | (_, Some("RepoNotFound")) => self.no_model(),
            _ => self.not_given(file, status),
        }
    }

    /// A file did not come, with this status and for no reason that is known.
    pub(crate) fn not_given(&self, file: &str, status: u16) -> Error {
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

    /// No answer, or none of the Hub's.
    pub(crate) fn unreachable(&self, problem: impl Into<String>) -> Error {
        Error::HubUnreachable {
            endpoint: self.endpoint.clone(),
            model: self.model.clone(),
            problem: problem.into(),
            cached: false,
        }
    }
}

/// A login page of a network, a proxy's error page, an endpoint that is something else.
pub(crate) const NOT_THE_HUB: &str = "its answer is not one of a Hub";
pub(crate) const TIMED_OUT: &str = "timed out";
pub(crate) const BROKE: &str = "the connection broke";
const NAME_NOT_KNOWN: &str = "name not known";

/// The reason of a failed request in a few words. Addresses are left out: they can hold secrets.
pub(crate) fn transport(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(_) => TIMED_OUT.to_owned(),
        ureq::Error::HostNotFound => NAME_NOT_KNOWN.to_owned(),
        ureq::Error::Io(error) => connection(error),
        ureq::Error::LargeResponseHeader(_, most) => {
            format!("the headers of its answer have more than {most} bytes")
        }
        ureq::Error::ConnectProxyFailed(problem) => format!("no way through the proxy: {problem}"),
        error => in_words(&error.to_string()),
    }
}

/// The reason of a failed connection, or of a failed TLS handshake on it.
fn connection(error: &io::Error) -> String {
    if let Some(words) = known(error.kind()) {
        return words.to_owned();
    }
    in_words(&error.to_string())
}

fn in_words(text: &str) -> String {
    if text.contains("failed to lookup address") {
        NAME_NOT_KNOWN.to_owned()
    } else if text.contains("certificate") {
        "its certificate is not trusted".to_owned()
    } else if text.contains("://") {
        "the connection failed".to_owned()
    } else {
        let words = text.split(" (os error").next().unwrap_or(text);
        words.to_lowercase()
    }
}

fn known(kind: io::ErrorKind) -> Option<&'static str> {
    Some(match kind {
        io::ErrorKind::ConnectionRefused => "connection refused",
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => BROKE,
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

    fn asked(token: TokenUse) -> Asked {
        Asked {
            model: "o/n".to_owned(),
            revision: "v9".to_owned(),
            endpoint: "https://hub.example".to_owned(),
            token,
        }
    }

    #[test]
    fn answers_of_the_hub() {
        for (status, code, wanted) in [
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
            let error = asked(TokenUse::None).refused("f", status, code);
            assert_eq!(error.code(), wanted, "{status} {code:?}");
            assert_eq!(error.exit() as u8, 3);
        }
        let hint = |token| asked(token).refused("f", 401, None).hint().unwrap();
        assert!(hint(TokenUse::None).contains("HF_TOKEN"));
        assert!(hint(TokenUse::Sent).contains("token in use"));
        assert!(hint(TokenUse::Withheld).contains("not sent"));
    }

    #[test]
    fn reasons_in_a_few_words() {
        let words = |error: io::Error| transport(&ureq::Error::Io(error));
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        assert_eq!(words(refused), "connection refused");
        let dns =
            io::Error::other("failed to lookup address information: Name or service not known");
        assert_eq!(words(dns), "name not known");
        let certificate = io::Error::other("invalid peer certificate: UnknownIssuer");
        assert_eq!(words(certificate), "its certificate is not trusted");
        let secret = io::Error::other("no luck with https://cdn.example/x?Signature=abc");
        assert_eq!(words(secret), "the connection failed");
    }
}
