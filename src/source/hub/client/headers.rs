//! The Hub's own headers, and a function that reads a header.

use ureq::http::header::{CONTENT_ENCODING, HeaderMap, HeaderName, TRANSFER_ENCODING};

/// The reason for a refusal, such as `RepoNotFound`.
pub(super) const ERROR_CODE: HeaderName = HeaderName::from_static("x-error-code");
/// The ETag of a large file, in the redirect to its bytes.
pub(super) const LINKED_ETAG: HeaderName = HeaderName::from_static("x-linked-etag");
/// The size of a large file in bytes, in the redirect to its bytes.
pub(super) const LINKED_SIZE: HeaderName = HeaderName::from_static("x-linked-size");

/// Returns a header as text; `None` if it is missing or not ASCII.
pub(super) fn header<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// The maximum number of characters of an encoding that are shown.
const SHOWN: usize = 40;

/// Returns the encoding of a body, for an error; `None` if its bytes are those of the file. Encoded bytes have no
/// ranges, and another length and digest.
pub(super) fn encoding(headers: &HeaderMap) -> Option<String> {
    [
        (CONTENT_ENCODING, "identity"),
        (TRANSFER_ENCODING, "chunked"),
    ]
    .into_iter()
    .find_map(|(name, plain)| {
        let mut values = headers.get_all(&name).iter();
        let value = values.find(|value| {
            let value = String::from_utf8_lossy(value.as_bytes());
            !value.trim().is_empty() && !value.trim().eq_ignore_ascii_case(plain)
        })?;
        let value = String::from_utf8_lossy(value.as_bytes());
        let value: String = value.trim().chars().take(SHOWN).collect();
        Some(format!("{name}: {}", value.escape_debug()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_bodies_have_no_encoding() {
        let with = |name: &str, value: &[u8]| {
            let mut headers = HeaderMap::new();
            let name: HeaderName = name.parse().unwrap();
            headers.insert(name, ureq::http::HeaderValue::from_bytes(value).unwrap());
            encoding(&headers)
        };
        assert_eq!(encoding(&HeaderMap::new()), None);
        for value in ["identity", " Identity ", ""] {
            assert_eq!(with("Content-Encoding", value.as_bytes()), None, "{value}");
        }
        assert_eq!(with("Transfer-Encoding", b"Chunked"), None);
        for value in [
            "gzip",
            "br",
            "zstd",
            "deflate",
            "identity, gzip",
            "x-unknown",
        ] {
            let shown = Some(format!("content-encoding: {value}"));
            assert_eq!(with("Content-Encoding", value.as_bytes()), shown);
        }
        let gzip = Some("transfer-encoding: gzip, chunked".to_owned());
        assert_eq!(with("Transfer-Encoding", b"gzip, chunked"), gzip);
        let long = with("Content-Encoding", &[0xE9; 1000]).unwrap();
        assert_eq!(long.chars().count(), "content-encoding: ".len() + SHOWN);
    }
}
