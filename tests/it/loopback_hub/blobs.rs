//! The bytes of files, and ranges of them.

use std::io::Write;
use std::time::Duration;

use super::digests::git_blob;
use super::exchange::Exchange;
use super::fault::Fault;

impl Exchange<'_> {
    /// Sends the bytes of a file, or a range of them.
    pub fn blob(&mut self, content: &[u8]) {
        let etag = match self.is_cdn {
            true => "\"etag-of-the-cdn\"".to_owned(),
            false => format!("\"{}\"", git_blob(content)),
        };
        if self.headers.get("if-none-match") == Some(&etag) {
            return self.status(304, &[("ETag", &etag)], b"");
        }
        if self.method == "HEAD" {
            return self.send(200, &[("ETag", &etag)], content, content.len());
        }
        if self.is_cdn && self.fault(|fault| fault == Fault::AddressExpired).is_some() {
            return self.status(403, &[], b"<Code>AccessDenied</Code>");
        }
        if !self.blob_fails() {
            self.part(content, &etag);
        }
    }

    /// Answers with a pending fault instead of bytes, or returns false if there is none.
    fn blob_fails(&mut self) -> bool {
        match self.fault(|fault| {
            matches!(
                fault,
                Fault::BlobStatus(_)
                    | Fault::BlobLater(_)
                    | Fault::BlobPage
                    | Fault::BlobEndless
                    | Fault::BlobErrorEndless
                    | Fault::BlobRedirect(_)
            )
        }) {
            Some(Fault::BlobEndless) => self.endless("", 200),
            Some(Fault::BlobErrorEndless) => self.endless("", 451),
            Some(Fault::BlobRedirect(location)) => self.redirect(location),
            Some(Fault::BlobStatus(status)) => self.status(status, &[], b"upstream error"),
            Some(Fault::BlobLater(when)) => {
                self.status(429, &[("Retry-After", when)], b"slow down");
            }
            Some(_) => self.status(200, &[], b"<!doctype html><title>Blocked</title>"),
            None => return false,
        }
        true
    }

    /// Sends the range that is asked for, or all bytes.
    fn part(&mut self, content: &[u8], etag: &str) {
        let range = self.headers.get("range").cloned();
        let range = range.filter(|_| self.fault(|fault| fault == Fault::BlobWhole).is_none());
        let (status, part, content_range) =
            match range.as_deref().map(|range| bounds(range, content.len())) {
                None => (200, content, String::new()),
                Some(Some((start, end))) => {
                    let wrong = |fault| matches!(fault, Fault::RangeElsewhere | Fault::RangeLonger);
                    let (start, end) = match self.fault(wrong) {
                        Some(Fault::RangeElsewhere) => (0, end - start),
                        Some(_) => (start, (end + 1).min(content.len())),
                        None => (start, end),
                    };
                    let content_range = format!("bytes {start}-{}/{}", end - 1, content.len());
                    (206, &content[start..end], content_range)
                }
                Some(None) => {
                    let content_range = format!("bytes */{}", content.len());
                    return self.status(416, &[("Content-Range", &content_range)], b"");
                }
            };
        let mut headers = vec![("ETag", etag), ("Accept-Ranges", "bytes")];
        if status == 206 {
            headers.push(("Content-Range", &content_range));
        }
        if let Some(Fault::BlobEncoded(encoding)) =
            self.fault(|fault| matches!(fault, Fault::BlobEncoded(_)))
        {
            headers.push(("Content-Encoding", encoding));
        }
        self.send_part(status, &headers, part);
    }

    /// Sends bytes with a pending fault, or as they are.
    fn send_part(&mut self, status: u16, headers: &[(&str, &str)], part: &[u8]) {
        match self.fault(|fault| {
            matches!(
                fault,
                Fault::BlobGarbage
                    | Fault::BlobCut
                    | Fault::BlobStalls
                    | Fault::BlobSilent
                    | Fault::BlobSlow
            )
        }) {
            None => self.send(status, headers, part, part.len()),
            Some(Fault::BlobGarbage) => {
                let garbage: Vec<u8> = part.iter().map(|byte| byte ^ 0x5A).collect();
                self.send(status, headers, &garbage, part.len());
            }
            Some(Fault::BlobSilent) => {
                self.send(status, headers, b"", part.len());
                self.wait();
            }
            Some(Fault::BlobSlow) => {
                let (first, rest) = part.split_at(part.len() / 4);
                self.send(status, headers, first, part.len());
                for part in rest.chunks(rest.len() / 15 + 1) {
                    std::thread::sleep(Duration::from_millis(100));
                    let _ = self.stream.write_all(part);
                }
            }
            Some(Fault::BlobStalls) => {
                self.send(status, headers, &part[..part.len() / 2], part.len());
                self.wait();
            }
            Some(_) => self.send(status, headers, &part[..part.len() / 2], part.len()),
        }
    }
}

/// Parses `bytes=a-b`, `bytes=a-`, or `bytes=-n`. Returns `None` if the file does not have these bytes.
fn bounds(range: &str, length: usize) -> Option<(usize, usize)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (start, end) = match (first, last) {
        ("", last) => (length.checked_sub(last.parse().ok()?)?, length),
        (first, "") => (first.parse().ok()?, length),
        (first, last) => (
            first.parse().ok()?,
            last.parse::<usize>().ok()?.checked_add(1)?.min(length),
        ),
    };
    (start < end).then_some((start, end))
}
