//! The endpoint as it is shown and stored: without the parts that can be secret.

use sha2::{Digest as _, Sha256};

use super::address::Address;
use crate::source::digest::hex;

/// Stands for an endpoint that is not an address.
const UNKNOWN: &str = "the Hub";

/// Returns an endpoint for messages: scheme, host, port, and path. A user name, password, query, or fragment is not
/// shown, and neither is anything of an endpoint that is not an address.
pub(crate) fn shown(endpoint: &str) -> String {
    let end = endpoint.find(['?', '#']).unwrap_or(endpoint.len());
    let (start, rest) = endpoint.split_at(end);
    match Address::parse(start) {
        // An `@` after the host was meant to end a password that contains a slash, for example.
        Some(address) if !address.uri().path().contains('@') && !rest.contains('@') => {
            let path = address.uri().path().trim_end_matches('/');
            format!("{}{path}", address.origin())
        }
        _ => UNKNOWN.to_owned(),
    }
}

/// Returns the name of an endpoint in the app cache. Endpoints that may send different bytes have different names.
pub(crate) fn key(endpoint: &str) -> String {
    let digest = Sha256::digest(shown(endpoint));
    hex(digest.get(..8).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_an_endpoint_are_not_shown() {
        for (given, expected) in [
            (
                "https://ann:secret@hub.example/base",
                "https://hub.example/base",
            ),
            ("https://secret@hub.example", "https://hub.example"),
            (
                "https://hub.example/base/?token=secret",
                "https://hub.example/base",
            ),
            (
                "https://hub.example?token=secret/base",
                "https://hub.example",
            ),
            ("https://hub.example/#secret", "https://hub.example"),
            ("https://ann:se/cret@hub.example", UNKNOWN),
            ("https://ann:1/secret@hub.example", UNKNOWN),
            ("https://ann:1?secret@hub.example", UNKNOWN),
            ("https://ann:se cret@hub.example", "https://hub.example"),
            ("https://ann:secret@hub.example:99999", UNKNOWN),
            ("secret", UNKNOWN),
        ] {
            assert_eq!(shown(given), expected, "{given}");
        }
    }

    #[test]
    fn endpoints_that_differ_in_more_than_a_secret_have_different_keys() {
        let hub = key("https://huggingface.co");
        assert_eq!(hub, key("https://HuggingFace.co:443/"));
        assert_eq!(hub, key("https://ann:secret@huggingface.co"));
        for other in [
            "http://huggingface.co",
            "https://huggingface.co:8443",
            "https://huggingface.co/base",
            "https://hf-mirror.com",
        ] {
            assert_ne!(hub, key(other), "{other}");
        }
        assert_eq!(hub.len(), 16);
    }
}
