//! Absolute `http:` and `https:` addresses, parsed by the HTTP client's own parser.
//!
//! The host of an address decides whether a request carries the token, so it must be the host that the client connects
//! to. References in a `Location` or `Link` header are resolved as in RFC 3986, section 5.2.

use std::fmt;
use std::fmt::Write as _;
use std::net::IpAddr;

use ureq::http::Uri;

/// An absolute `http:` or `https:` address with a host.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address(Uri);

/// Shows only the origin, because the rest of an address can contain a signature.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({})", self.origin())
    }
}

impl Address {
    /// Parses an address. Returns `None` if it is not an absolute `http:` or `https:` address.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let uri: Uri = encode(text, is_allowed).parse().ok()?;
        let authority = uri.authority()?;
        let after_user = authority.as_str().rsplit('@').next()?;
        let port = after_user.strip_prefix(authority.host())?;
        let has_port = port.is_empty() || port.strip_prefix(':')?.parse::<u16>().is_ok();
        let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
        (is_web && has_port && !authority.host().is_empty()).then_some(Self(uri))
    }

    pub(crate) fn uri(&self) -> &Uri {
        &self.0
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        self.0.scheme_str() == Some("https")
    }

    /// Returns the host in lower case, without the brackets of an IPv6 address.
    pub(crate) fn host(&self) -> String {
        let host = self.0.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        host.to_ascii_lowercase()
    }

    /// Returns true if the host is this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        let host = self.host();
        match host.parse::<IpAddr>() {
            Ok(address) => address.is_loopback(),
            // RFC 6761: this name always means the local machine.
            Err(_) => host == "localhost",
        }
    }

    pub(crate) fn port(&self) -> u16 {
        let standard = if self.is_encrypted() { 443 } else { 80 };
        self.0.port_u16().unwrap_or(standard)
    }

    /// Returns `scheme://host`, with the port unless it is the scheme's default. Addresses with the same origin lead to
    /// the same server. An origin contains no secrets.
    pub(crate) fn origin(&self) -> String {
        let (scheme, standard) = if self.is_encrypted() {
            ("https", 443)
        } else {
            ("http", 80)
        };
        let host = self.0.host().unwrap_or_default().to_ascii_lowercase();
        match self.port() {
            port if port == standard => format!("{scheme}://{host}"),
            port => format!("{scheme}://{host}:{port}"),
        }
    }

    /// Resolves a reference relative to this address; `None` if the result is not an `http:` or `https:` address.
    pub(crate) fn join(&self, reference: &str) -> Option<Self> {
        let reference = reference.trim().split('#').next().unwrap_or_default();
        if scheme_of(reference).is_some() {
            return Self::parse(reference);
        }
        let scheme = self.0.scheme_str()?;
        if reference.starts_with("//") {
            return Self::parse(&format!("{scheme}:{reference}"));
        }
        let root = format!("{scheme}://{}", self.0.authority()?);
        let (path, query) = match reference.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (reference, None),
        };
        let own = self.0.path();
        let path = match path {
            "" => own.to_owned(),
            path if path.starts_with('/') => without_dots(path),
            path => {
                let folder = own.rfind('/').map_or("/", |slash| &own[..=slash]);
                without_dots(&format!("{folder}{path}"))
            }
        };
        let query = match reference {
            "" => self.0.query(),
            _ => query,
        };
        let query = query.map_or(String::new(), |query| format!("?{query}"));
        Self::parse(&format!("{root}{path}{query}"))
    }

    /// Returns the address with `segments` appended to its path, each as one segment, and without a query.
    pub(crate) fn child<'s>(&self, segments: impl IntoIterator<Item = &'s str>) -> Option<Self> {
        let scheme = self.0.scheme_str()?;
        let path = self.0.path().trim_end_matches('/');
        let mut text = format!("{scheme}://{}{path}", self.0.authority()?);
        for segment in segments {
            text.push('/');
            text.push_str(&encode(segment, is_allowed_in_segment));
        }
        Self::parse(&text)
    }

    /// Returns the address with this query, which must not need encoding.
    pub(crate) fn with_query(&self, query: &str) -> Option<Self> {
        self.join(&format!("?{query}"))
    }
}

/// Returns the scheme of a reference in lower case, if it has one.
pub(crate) fn scheme_of(reference: &str) -> Option<String> {
    let (scheme, _) = reference.trim_start().split_once(':')?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    is_scheme.then(|| scheme.to_ascii_lowercase())
}

/// Removes `.` and `..` from a path (RFC 3986, section 5.2.4).
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut ends_in_folder = false;
    for segment in path.split('/').skip(1) {
        ends_in_folder = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." => drop(kept.pop()),
            segment => kept.push(segment),
        }
    }
    if ends_in_folder {
        kept.push("");
    }
    format!("/{}", kept.join("/"))
}

/// Returns true for characters that an address may contain unencoded: reserved, unreserved, and `%` (RFC 3986, section
/// 2).
fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte)
}

/// Returns true for characters that a path segment may contain unencoded.
fn is_allowed_in_segment(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte)
}

/// Percent-encodes all bytes except those that are `allowed`.
fn encode(text: &str, allowed: impl Fn(u8) -> bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            byte if allowed(byte) => encoded.push(char::from(byte)),
            byte => {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    #[test]
    fn only_web_addresses_with_a_host_are_addresses() {
        for text in [
            "https://hub.example",
            "http://127.0.0.1:8080/base",
            "http://[::1]:80/",
            "https://ann:secret@hub.example:443/x?y=z",
        ] {
            assert!(Address::parse(text).is_some(), "{text}");
        }
        for text in [
            "",
            "hub.example",
            "/path",
            "https://",
            "https:///path",
            "https:hub.example",
            "ftp://hub.example/",
            "file:///etc/passwd",
            "http://hub.example:99999/",
            "http://hub.example:80x/",
            "http://ho st/",
            "http://[::1/",
        ] {
            assert!(Address::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn origins_are_compared_by_scheme_host_and_port() {
        for (text, origin) in [
            ("https://Hub.Example:443/x", "https://hub.example"),
            ("http://hub.example:80", "http://hub.example"),
            ("http://hub.example:443", "http://hub.example:443"),
            ("http://ann:secret@[::1]:8080/x?y", "http://[::1]:8080"),
        ] {
            assert_eq!(address(text).origin(), origin);
        }
        assert_eq!(
            format!("{:?}", address("https://ann:s@cdn.example/x?Signature=abc")),
            "Address(https://cdn.example)"
        );
    }

    /// Cases of RFC 3986, section 5.4, and a few more.
    #[test]
    fn references_are_resolved() {
        let base = address("http://a.example/b/c/d;p?q");
        for (reference, resolved) in [
            ("g", "http://a.example/b/c/g"),
            ("./g", "http://a.example/b/c/g"),
            ("g/", "http://a.example/b/c/g/"),
            ("/g", "http://a.example/g"),
            ("//g.example", "http://g.example/"),
            ("?y", "http://a.example/b/c/d;p?y"),
            ("g?y", "http://a.example/b/c/g?y"),
            ("g#s", "http://a.example/b/c/g"),
            ("", "http://a.example/b/c/d;p?q"),
            (".", "http://a.example/b/c/"),
            ("..", "http://a.example/b/"),
            ("../g", "http://a.example/b/g"),
            ("../../../g", "http://a.example/g"),
            ("/./g/../h", "http://a.example/h"),
            ("/a b", "http://a.example/a%20b"),
            ("/a%20b", "http://a.example/a%20b"),
            ("/\\evil.example/x", "http://a.example/%5Cevil.example/x"),
            ("HTTPS://g.example/x", "https://g.example/x"),
        ] {
            let joined = base.join(reference).map(|address| address.0.to_string());
            assert_eq!(joined.as_deref(), Some(resolved), "{reference}");
        }
    }

    #[test]
    fn segments_are_encoded_whole() {
        let api = address("https://hub.example/api/models/o/n");
        let child = api.child(["revision", "refs/pr/1"]).unwrap();
        let child = child.with_query("expand=sha&expand=siblings").unwrap();
        assert_eq!(
            child.0.to_string(),
            "https://hub.example/api/models/o/n/revision/refs%2Fpr%2F1?expand=sha&expand=siblings"
        );
        let child = api.child(["a b", "ñ?#%"]).unwrap();
        assert!(child.0.path().ends_with("/n/a%20b/%C3%B1%3F%23%25"));
    }
}
