//! Redirects to another place, and endless or bloated answers.

use std::io::Write;
use std::sync::atomic::Ordering;

use super::exchange::Exchange;

impl Exchange<'_> {
    pub(super) fn redirect(&mut self, location: &str) {
        let itself = self.path.clone();
        let location = if location.is_empty() {
            &itself
        } else {
            location
        };
        self.status(302, &[("Location", location)], b"");
    }

    /// Sends an endless body that begins with `start`.
    pub(super) fn endless(&mut self, start: &str, status: u16) {
        let head = format!("HTTP/1.1 {status} Status\r\nConnection: close\r\n\r\n{start}");
        let _ = self.stream.write_all(head.as_bytes());
        self.write_for_ever(status, &[b'a'; 1 << 16]);
    }

    pub(super) fn endless_headers(&mut self) {
        let _ = self.stream.write_all(b"HTTP/1.1 200 Status\r\n");
        self.write_for_ever(
            200,
            &b"X-More: of the same, and more of it\r\n".repeat(1000),
        );
    }

    /// Writes until the client closes the connection.
    fn write_for_ever(&mut self, status: u16, piece: &[u8]) {
        let mut written = 0;
        while !self.shared.stopped.load(Ordering::SeqCst) && self.stream.write_all(piece).is_ok() {
            written += piece.len();
        }
        self.log(status, written);
    }
}

/// Adds a field of 30 MB to the first object of an answer: a model card, or any other that a client does not need.
pub(super) fn bloated(answer: &str) -> String {
    let card = "0,".repeat(15_000_000);
    answer.replacen('{', &format!("{{\"cardData\":[{card}0],"), 1)
}

/// Adds 900,000 short names to a list of files.
pub(super) fn with_many_files(answer: &str) -> String {
    let entry = if answer.starts_with('[') {
        r#"{"type":"file","path":"","size":0},"#
    } else {
        r#"{"rfilename":""},"#
    };
    answer.replacen('[', &format!("[{}", entry.repeat(900_000)), 1)
}
