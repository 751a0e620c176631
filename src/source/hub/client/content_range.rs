//! Checks that an answer is the range that was requested.

use std::ops::Range;

use ureq::Body;
use ureq::http::header::CONTENT_RANGE;
use ureq::http::{Response, StatusCode};

use super::failure::Failure;
use super::headers::header;

/// Checks that an answer announces exactly `range` of a file of `size` bytes.
///
/// # Errors
/// Fails with [`Failure::NotThatRange`] otherwise.
pub(super) fn check_range(
    answer: &Response<Body>,
    range: &Range<u64>,
    size: u64,
) -> Result<(), Failure> {
    let Range { start, end } = range;
    if answer.status() != StatusCode::PARTIAL_CONTENT {
        return Err(Failure::NotThatRange(format!(
            "requested bytes {start} to {end}, but the server sends the whole file"
        )));
    }
    let announced = header(answer.headers(), &CONTENT_RANGE).unwrap_or_default();
    let length = answer.body().content_length();
    if !is_range(announced, range, size) || length.is_some_and(|length| length != end - start) {
        let length = length.map_or(String::new(), |length| format!(" in {length} bytes"));
        return Err(Failure::NotThatRange(format!(
            "requested bytes {start} to {end} of {size}, but the server sends {announced:?}{length}"
        )));
    }
    Ok(())
}

/// Returns true if a `Content-Range` header (`bytes 0-9/100`, RFC 9110, section 14.4) is that of `range`.
fn is_range(announced: &str, range: &Range<u64>, size: u64) -> bool {
    let parse = || {
        let rest = announced.trim().strip_prefix("bytes")?.trim_start();
        let (bounds, total) = rest.split_once('/')?;
        let (first, last) = bounds.split_once('-')?;
        let number = |text: &str| text.trim().parse::<u64>().ok();
        let total = match total.trim() {
            "*" => size,
            total => number(total)?,
        };
        Some((number(first)?, number(last)?, total))
    };
    parse() == Some((range.start, range.end.saturating_sub(1), size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_requested_range_is_accepted() {
        let is = |announced: &str| is_range(announced, &(10..20), 100);
        assert!(is("bytes 10-19/100") && is("bytes 10-19/*") && is(" bytes  10-19/100 "));
        for other in [
            "",
            "bytes",
            "bytes 10-19",
            "bytes 10-20/100",
            "bytes 9-19/100",
            "bytes 0-9/100",
            "bytes 10-19/101",
            "bytes */100",
            "bytes -10-19/100",
            "items 10-19/100",
            "bytes 10-19/99999999999999999999999",
        ] {
            assert!(!is(other), "{other}");
        }
    }
}
