//! The Hub's own headers, and a function that reads a header.

use ureq::http::header::{HeaderMap, HeaderName};

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
