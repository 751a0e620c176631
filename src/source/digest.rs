//! Digests in hexadecimal.

use std::fmt::Write;

/// Returns the bytes of a digest in lower-case hexadecimal.
pub fn hex(digest: &[u8]) -> String {
    digest.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Parses a SHA-256 in lower-case hexadecimal.
pub fn parse_sha256(hex: &str) -> Option<[u8; 32]> {
    let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if hex.len() != 64 || !hex.bytes().all(is_digit) {
        return None;
    }
    let mut sha256 = [0; 32];
    for (byte, digits) in sha256.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(sha256)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_written_and_parsed() {
        let sha256: [u8; 32] = std::array::from_fn(|at| 8 * at as u8);
        let text = hex(&sha256);
        assert!(text.starts_with("0008101820") && text.len() == 64);
        assert_eq!(parse_sha256(&text), Some(sha256));
        for damaged in [
            "",
            &text[1..],
            &text.to_uppercase(),
            &text.replace('0', "+"),
        ] {
            assert_eq!(parse_sha256(damaged), None, "{damaged}");
        }
    }
}
