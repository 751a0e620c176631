//! Digests in hexadecimal.

use std::fmt::Write;

/// Returns the bytes of a digest in lower-case hexadecimal.
pub fn hex(digest: &[u8]) -> String {
    digest.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
