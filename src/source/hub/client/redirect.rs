//! A `Location` header → the address that it leads to, unless it leads astray.
//!
//! Only http and https are spoken, and a redirect never leads to a place where more people can listen than at the place
//! that it comes from. What is refused is named by scheme and host alone: the rest of an address can hold a signature.

use super::failure::Failure;
use crate::source::hub::address::{Address, scheme_of};

/// Redirects that are followed one after the other: a renamed repository, the resolve cache, a CDN.
pub(super) const REDIRECTS: usize = 5;

/// Who can read what is sent to an address; a later one is safer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Privacy {
    /// Everybody on the way: http.
    Open,
    /// This machine: http to the loopback interface.
    Loopback,
    /// The host alone: https.
    Encrypted,
}

impl Privacy {
    pub(super) fn of(address: &Address) -> Self {
        if address.is_encrypted() {
            Self::Encrypted
        } else if address.is_loopback() {
            Self::Loopback
        } else {
            Self::Open
        }
    }
}

/// Where a redirect from `from` leads.
pub(super) fn follow(from: &Address, location: &str) -> Result<Address, Failure> {
    if let Some(scheme) = scheme_of(location)
        && !matches!(scheme.as_str(), "http" | "https")
    {
        return Err(Failure::Misled(format!(
            "it redirects to a `{scheme}:` address, and only https is followed"
        )));
    }
    let next = from.join(location).ok_or(Failure::NotTheHub)?;
    if Privacy::of(&next) < Privacy::of(from) {
        let place = next.origin();
        return Err(Failure::Misled(format!(
            "it redirects to {place}, which is not encrypted"
        )));
    }
    Ok(next)
}

/// The error of redirects that come to no end.
pub(super) fn without_end() -> Failure {
    Failure::Misled("it redirects without end".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    #[test]
    fn who_can_listen() {
        for (address, privacy) in [
            ("https://hub.example", Privacy::Encrypted),
            ("http://127.0.0.1:8080", Privacy::Loopback),
            ("http://127.9.9.9", Privacy::Loopback),
            ("http://[::1]:80", Privacy::Loopback),
            ("http://LocalHost:80", Privacy::Loopback),
            ("http://hub.example", Privacy::Open),
            ("http://127.0.0.1.hub.example", Privacy::Open),
            ("http://localhost.hub.example", Privacy::Open),
            ("http://10.0.0.1", Privacy::Open),
        ] {
            assert_eq!(Privacy::of(&url(address)), privacy, "{address}");
        }
    }

    #[test]
    fn where_redirects_lead() {
        let hub = url("https://hub.example/o/n/resolve/main/f");
        for (from, location, leads_to) in [
            (&hub, "/api/x", Some("https://hub.example/api/x")),
            (
                &hub,
                "https://cdn.example/x?S=1",
                Some("https://cdn.example/x?S=1"),
            ),
            (&hub, "//cdn.example/x", Some("https://cdn.example/x")),
            (&hub, "http://cdn.example/x", None),
            (&hub, "http://hub.example/o/n", None),
            (&hub, "http://127.0.0.1:631/", None),
            (&hub, "file:///etc/passwd", None),
            (&hub, "ftp://hub.example/f", None),
            (&hub, "data:text/plain,x", None),
            (&hub, "javascript:1", None),
            (&hub, "https://", None),
            (
                &url("http://127.0.0.1:1/x"),
                "http://127.0.0.1:2/",
                Some("http://127.0.0.1:2/"),
            ),
            (&url("http://127.0.0.1:1/x"), "http://cdn.example/", None),
            (
                &url("http://mirror.example/x"),
                "http://cdn.example/",
                Some("http://cdn.example/"),
            ),
        ] {
            let next = follow(from, location).ok();
            let next = next.map(|next| next.uri().to_string());
            assert_eq!(next.as_deref(), leads_to, "{from:?} {location}");
        }
    }

    #[test]
    fn what_is_refused_is_named_without_its_secrets() {
        let from = url("https://hub.example/");
        for (location, problem) in [
            (
                "http://ann:secret@cdn.example/x?Signature=abc",
                "it redirects to http://cdn.example, which is not encrypted",
            ),
            (
                "file:///home/ann/secret",
                "it redirects to a `file:` address, and only https is followed",
            ),
        ] {
            match follow(&from, location) {
                Err(Failure::Misled(found)) => assert_eq!(found, problem),
                other => panic!("{other:?}"),
            }
        }
    }
}
