//! The vocabulary of RWKV's World models: on each line an id, a token as a Python literal, and the number of its bytes.
//!
//! The format is defined by the Python package rwkv 0.8.32 (`rwkv_tokenizer.py`). A literal is a `str`, which stands for
//! its bytes in UTF-8, or `bytes`.

use std::str::Chars;

use super::ranked_tokens::{RankedTokens, check_length};
use super::text_file;
use crate::error::{Error, Result};

/// Parses a vocabulary. The ranks of the tokens are their ids.
///
/// # Errors
/// Fails with [`Error::Damaged`] if a line is not a token, or if a limit is exceeded.
pub fn parse(name: &str, bytes: &[u8]) -> Result<RankedTokens> {
    check_length(name, bytes)?;
    let text = text_file::read(name, bytes)?;
    let mut tokens = RankedTokens::default();
    let lines = text.split('\n').zip(1..);
    for (line, number) in lines.filter(|(line, _)| !line.is_empty()) {
        let damaged = |problem: String| Error::damaged(name, format!("line {number} {problem}"));
        let Some((id, token, length)) = parse_line(line) else {
            let problem = "is not an id, a token as a Python literal, and its length";
            return Err(damaged(format!("{problem}: {line:?}")));
        };
        if token.len() != length {
            let bytes = token.len();
            return Err(damaged(format!(
                "has a token of {bytes} bytes, and says {length}"
            )));
        }
        let pushed = tokens.push(&token, id);
        pushed.map_err(|problem| Error::damaged(name, problem))?;
    }
    tokens.check(name)?;
    Ok(tokens)
}

fn parse_line(line: &str) -> Option<(u32, Vec<u8>, usize)> {
    let (id, rest) = line.split_once(' ')?;
    let (literal, length) = rest.rsplit_once(' ')?;
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(id) || !is_number(length) {
        return None;
    }
    Some((
        id.parse().ok()?,
        literal_bytes(literal)?,
        length.parse().ok()?,
    ))
}

/// Returns the bytes of a literal, written as `repr` of Python writes it.
fn literal_bytes(literal: &str) -> Option<Vec<u8>> {
    let (is_bytes, quoted) = match literal.strip_prefix('b') {
        Some(quoted) => (true, quoted),
        None => (false, literal),
    };
    let quote = quoted
        .chars()
        .next()
        .filter(|quote| matches!(quote, '\'' | '"'))?;
    let mut chars = quoted.strip_prefix(quote)?.strip_suffix(quote)?.chars();
    let mut bytes = Vec::new();
    while let Some(next) = chars.next() {
        let code = match next {
            '\\' => escape(&mut chars, is_bytes)?,
            plain if plain == quote || is_bytes && !plain.is_ascii() => return None,
            plain => u32::from(plain),
        };
        if is_bytes {
            bytes.push(u8::try_from(code).ok()?);
        } else {
            let character = char::from_u32(code)?;
            bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
    Some(bytes)
}

/// Returns the code that an escape stands for, after its backslash.
fn escape(chars: &mut Chars<'_>, is_bytes: bool) -> Option<u32> {
    let digits = match chars.next()? {
        quoted @ ('\\' | '\'' | '"') => return Some(u32::from(quoted)),
        'n' => return Some(u32::from('\n')),
        'r' => return Some(u32::from('\r')),
        't' => return Some(u32::from('\t')),
        'x' => 2,
        'u' if !is_bytes => 4,
        'U' if !is_bytes => 8,
        _ => return None,
    };
    (0..digits).try_fold(0_u32, |code, _| {
        Some(code.checked_mul(16)? + chars.next()?.to_digit(16)?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_is_read_as_python_reads_it() {
        for (literal, bytes) in [
            ("'a b'", &b"a b"[..]),
            (r#""it's""#, b"it's"),
            (r#"'\'"'"#, b"'\""),
            (r"'\\n\n\r\t\x00\x7f'", b"\\n\n\r\t\x00\x7f"),
            (r"'\xe9é\u200b\U000e0001'", "éé\u{200b}\u{e0001}".as_bytes()),
            (r"b'\xe4a\''", b"\xe4a'"),
            ("''", b""),
        ] {
            assert_eq!(literal_bytes(literal).as_deref(), Some(bytes), "{literal}");
        }
        for literal in [
            "",
            "a",
            "'",
            "'a",
            "'a\"",
            "'a'b'",
            r"'\'",
            r"'\a'",
            r"'\x0'",
            r"'\xg0'",
            r"'\ud800'",
            r"'\UFFFFFFFF'",
            r"b'\u0041'",
            "b'é'",
            "u'a'",
            "'a'+'b'",
        ] {
            assert_eq!(literal_bytes(literal), None, "{literal}");
        }
    }

    /// A file with all bytes, and more lines.
    fn file(more: &str) -> String {
        let bytes =
            (0..=u8::MAX).map(|byte| format!("{} b'\\x{byte:02x}' 1\n", u32::from(byte) + 1));
        bytes.collect::<String>() + more
    }

    #[test]
    fn lines_are_ids_tokens_and_lengths() {
        let text = file("257 ' é' 3\r\n\n259 b'\\xe4\\xb8' 2");
        let tokens = parse("f", text.as_bytes()).unwrap();
        let last: Vec<_> = tokens.iter().skip(255).collect();
        assert_eq!(
            last,
            [
                (&b"\xff"[..], 256),
                (" é".as_bytes(), 257),
                (b"\xe4\xb8", 259)
            ]
        );
    }

    #[test]
    fn a_line_that_is_not_a_token_is_named() {
        for (more, problem) in [
            (
                "257 'ab' 3\n",
                "line 257 has a token of 2 bytes, and says 3",
            ),
            (
                "257 'ab'\n",
                "line 257 is not an id, a token as a Python literal, and its length: \"257 'ab'\"",
            ),
            ("x 'ab' 2\n", "line 257 is not an id"),
            ("257 ab 2\n", "line 257 is not an id"),
            ("4294967296 'ab' 2\n", "line 257 is not an id"),
            ("257 'ab' 99999999999999999999\n", "line 257 is not an id"),
            ("257 '' 0\n", "token 256 is empty"),
            ("256 'ab' 2\n", "two tokens have the rank 256"),
            ("9999 'ab' 2\n", "it has the rank 9999, but only 257 tokens"),
        ] {
            let sentence = parse("f", file(more).as_bytes()).unwrap_err().to_string();
            assert!(
                sentence.starts_with(&format!("f is damaged: {problem}")),
                "{sentence}"
            );
        }
    }
}
