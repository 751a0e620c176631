//! The rules for following redirects.
//!
//! Only redirects to http and https are followed, and none to an address less private than the one it comes from.
//! Messages about refused redirects show only the scheme and host, because the rest of an address can contain a
//! signature.

use super::failure::Failure;
use crate::source::hub::address::{Address, scheme_of};

/// The maximum number of redirects in a row. A renamed repository, the resolve cache, and a CDN need three.
pub(super) const MAX_REDIRECTS: usize = 5;

/// Who can read the traffic to an address, from least to most private.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Privacy {
    /// Anyone on the network path: http.
    Open,
    /// Only this machine: http to the loopback interface.
    Loopback,
    /// Only the host: https.
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

/// Returns the address that a redirect from `from` leads to.
///
/// # Errors
/// Fails with [`Failure::Misled`] if the redirect is not followed, and with [`Failure::NotTheHub`] if it is not an
/// address.
pub(super) fn follow(from: &Address, location: &str) -> Result<Address, Failure> {
    if let Some(scheme) = scheme_of(location)
        && !matches!(scheme.as_str(), "http" | "https")
    {
        return Err(Failure::Misled(format!(
            "it redirects to a `{scheme}:` address, but only https is followed"
        )));
    }
    let next = from.join(location).ok_or(Failure::NotTheHub)?;
    if Privacy::of(&next) < Privacy::of(from) {
        let origin = next.origin();
        return Err(Failure::Misled(format!(
            "it redirects to {origin}, which is not encrypted"
        )));
    }
    Ok(next)
}

/// Returns the failure for more than [`MAX_REDIRECTS`] redirects.
pub(super) fn too_many_redirects() -> Failure {
    Failure::Misled(format!("it redirects more than {MAX_REDIRECTS} times"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    #[test]
    fn privacy_depends_on_scheme_and_host() {
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
    fn redirects_to_less_private_addresses_are_refused() {
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
    fn refused_addresses_are_shown_without_secrets() {
        let from = url("https://hub.example/");
        for (location, problem) in [
            (
                "http://ann:secret@cdn.example/x?Signature=abc",
                "it redirects to http://cdn.example, which is not encrypted",
            ),
            (
                "file:///home/ann/secret",
                "it redirects to a `file:` address, but only https is followed",
            ),
        ] {
            match follow(&from, location) {
                Err(Failure::Misled(found)) => assert_eq!(found, problem),
                other => panic!("{other:?}"),
            }
        }
    }
}
