//! Tokens with ranks: `.tiktoken` files, and the `vocab.bpe` of GPT-2.
//!
//! The formats are defined by tiktoken 0.14 (`load.py`). A `.tiktoken` file has a token and its rank on each line, the
//! token as base64. A `vocab.bpe` has two parts of a token on each line after the first, in the alphabet of GPT-2, and
//! the ranks are those of the lines, after the 256 bytes.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::{placeholder_file, text_file};
use crate::error::{Error, Result};

/// The most bytes of a file. The largest published one, of Kimi K2, has 3 MB.
const MAX_FILE: u64 = 64 << 20;
/// The most bytes of a token. The longest published ones, of spaces, have 128.
const MAX_TOKEN: usize = 1 << 10;
/// The most tokens.
const MAX_TOKENS: usize = 1 << 21;
/// The most squares of the lengths of tokens, added up: every way to split a token in two is tried.
const MAX_SQUARES: u64 = 1 << 31;

/// Tokens, in one allocation, with their ranks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RankedTokens {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    ranks: Vec<u32>,
    squares: u64,
}

impl RankedTokens {
    /// Parses a `.tiktoken` file.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`] if a line is not a token and its rank, or if a limit is exceeded.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self> {
        placeholder_file::refuse(name, bytes)?;
        check_length(name, bytes)?;
        let mut tokens = Self::default();
        let lines = bytes.split(|byte| matches!(byte, b'\n' | b'\r'));
        for (index, line) in lines.enumerate().filter(|(_, line)| !line.is_empty()) {
            let Some((token, rank)) = parse_line(line) else {
                let shown = String::from_utf8_lossy(line);
                let problem = format!(
                    "line {} is {shown:?}, not a token in base64 and its rank",
                    index + 1
                );
                return Err(Error::damaged(name, problem));
            };
            let pushed = tokens.push(&token, rank);
            pushed.map_err(|problem| Error::damaged(name, problem))?;
        }
        tokens.check(name)?;
        Ok(tokens)
    }

    /// Parses a `vocab.bpe`. `byte` returns the byte that a character of the alphabet stands for; `alphabet` has the
    /// bytes in the order of their ranks.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`] if a line is not two parts of a token, or if a limit is exceeded.
    pub fn parse_merges(
        name: &str,
        bytes: &[u8],
        alphabet: impl Iterator<Item = u8>,
        byte: impl Fn(char) -> Option<u8>,
    ) -> Result<Self> {
        check_length(name, bytes)?;
        let text = text_file::read(name, bytes)?;
        let damaged = |problem: String| Error::damaged(name, problem);
        let mut tokens = Self::default();
        let mut rank = 0..;
        for byte in alphabet {
            let rank = rank.next().unwrap_or_default();
            tokens.push(&[byte], rank).map_err(damaged)?;
        }
        let lines = text.split('\n').enumerate().skip(1);
        for (index, line) in lines.filter(|(_, line)| !line.is_empty()) {
            let mut parts = line.split_ascii_whitespace();
            let token: Option<Vec<u8>> = match (parts.next(), parts.next(), parts.next()) {
                (Some(left), Some(right), None) => {
                    left.chars().chain(right.chars()).map(&byte).collect()
                }
                _ => None,
            };
            let token = token.ok_or_else(|| {
                damaged(format!(
                    "line {} is {line:?}, not two parts of a token",
                    index + 1
                ))
            })?;
            let rank = rank.next().unwrap_or_default();
            tokens.push(&token, rank).map_err(damaged)?;
        }
        tokens.check(name)?;
        Ok(tokens)
    }

    /// Adds a token.
    ///
    /// # Errors
    /// Fails with a description if a limit is exceeded.
    pub fn push(&mut self, token: &[u8], rank: u32) -> Result<(), String> {
        let index = self.ranks.len();
        let length = token.len();
        self.squares += (length * length) as u64;
        if length == 0 {
            return Err(format!("token {index} is empty"));
        }
        if length > MAX_TOKEN {
            return Err(format!(
                "token {index} has {length} bytes, but the limit is {MAX_TOKEN}"
            ));
        }
        if index == MAX_TOKENS {
            return Err(format!("it has more than {MAX_TOKENS} tokens"));
        }
        if self.squares > MAX_SQUARES {
            return Err("its tokens are too long together".to_owned());
        }
        self.bytes.extend_from_slice(token);
        self.ends.push(self.bytes.len());
        self.ranks.push(rank);
        Ok(())
    }

    /// Adds the token that a base64 text stands for.
    ///
    /// # Errors
    /// Fails with a description if it is not base64, or if a limit is exceeded.
    pub fn push_base64(&mut self, text: &[u8], rank: u32) -> Result<(), String> {
        let token = BASE64_STANDARD.decode(text).map_err(|_| {
            let shown = String::from_utf8_lossy(text);
            format!(
                "token {} is {shown:?}, which is not base64",
                self.ranks.len()
            )
        })?;
        self.push(&token, rank)
    }

    /// Returns the number of tokens.
    pub fn count(&self) -> usize {
        self.ranks.len()
    }

    /// Drops all but the first tokens.
    pub fn truncate(&mut self, length: usize) {
        self.ends.truncate(length);
        self.ranks.truncate(length);
        self.bytes
            .truncate(self.ends.last().copied().unwrap_or_default());
    }

    /// Checks that every byte is a token, that no two tokens have the same rank, and that the ranks are about as many as
    /// the tokens.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`].
    pub fn check(&self, name: &str) -> Result<()> {
        let mut single = [false; 256];
        for (token, _) in self.iter() {
            if let [byte] = token
                && let Some(seen) = single.get_mut(usize::from(*byte))
            {
                *seen = true;
            }
        }
        if let Some(byte) = single.iter().position(|present| !present) {
            let problem =
                format!("the byte {byte:#04x} is not a token, so not every text has tokens");
            return Err(Error::damaged(name, problem));
        }
        let last = self.ranks.iter().copied().max().unwrap_or_default();
        if last as usize / 2 > self.ranks.len() {
            let tokens = self.ranks.len();
            let problem = format!("it has the rank {last}, but only {tokens} tokens");
            return Err(Error::damaged(name, problem));
        }
        let mut seen = vec![false; last as usize + 1];
        for rank in &self.ranks {
            let seen = seen.get_mut(*rank as usize);
            if seen.is_none_or(|seen| std::mem::replace(seen, true)) {
                return Err(Error::damaged(
                    name,
                    format!("two tokens have the rank {rank}"),
                ));
            }
        }
        Ok(())
    }

    /// Returns the tokens and their ranks.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], u32)> {
        let mut start = 0;
        let tokens = self.ends.iter().map(move |&end| {
            let token = self.bytes.get(start..end);
            start = end;
            token.unwrap_or_default()
        });
        tokens.zip(self.ranks.iter().copied())
    }
}

/// Checks the length of a file.
///
/// # Errors
/// Fails with [`Error::Damaged`] if it is empty, or too long.
pub fn check_length(name: &str, bytes: &[u8]) -> Result<()> {
    let length = bytes.len() as u64;
    if length == 0 {
        return Err(Error::damaged(name, "it is empty"));
    }
    if length > MAX_FILE {
        let problem = format!("it has {length} bytes, but the limit is {MAX_FILE}");
        return Err(Error::damaged(name, problem));
    }
    Ok(())
}

/// Returns the token and the rank of a line.
fn parse_line(line: &[u8]) -> Option<(Vec<u8>, u32)> {
    let words = line.split(u8::is_ascii_whitespace);
    let mut words = words.filter(|word| !word.is_empty());
    let (text, rank, None) = (words.next()?, words.next()?, words.next()) else {
        return None;
    };
    let token = BASE64_STANDARD.decode(text).ok()?;
    if !rank.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some((token, str::from_utf8(rank).ok()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with all bytes, and more lines.
    fn file(more: &str) -> String {
        let bytes =
            (0..=u8::MAX).map(|byte| format!("{} {byte}\n", BASE64_STANDARD.encode([byte])));
        bytes.collect::<String>() + more
    }

    #[test]
    fn lines_are_tokens_and_ranks() {
        let tokens = RankedTokens::parse("f", file("YWI= 300\r\n\nYmM=  256").as_bytes()).unwrap();
        let last: Vec<_> = tokens.iter().skip(255).collect();
        assert_eq!(last, [(&b"\xff"[..], 255), (b"ab", 300), (b"bc", 256)]);
    }

    #[test]
    fn a_file_that_is_not_tokens_and_ranks_is_damaged() {
        for (more, problem) in [
            (
                "YWI=\n",
                "line 257 is \"YWI=\", not a token in base64 and its rank",
            ),
            ("YWI= x\n", "line 257 is"),
            ("YWI= -1\n", "line 257 is"),
            ("YWI= 4294967296\n", "line 257 is"),
            ("YWI 257\n", "line 257 is"),
            ("YW= I= 257\n", "line 257 is"),
            ("\u{fffd} 257\n", "line 257 is"),
            ("YWI= 255\n", "two tokens have the rank 255"),
            ("YWI= 4000\n", "it has the rank 4000, but only 257 tokens"),
        ] {
            let error = RankedTokens::parse("f", file(more).as_bytes()).unwrap_err();
            let sentence = error.to_string();
            assert!(
                sentence.starts_with(&format!("f is damaged: {problem}")),
                "{sentence}"
            );
        }
        let without = file("").replace("QQ== 65\n", "");
        let error = RankedTokens::parse("f", without.as_bytes()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "f is damaged: the byte 0x41 is not a token, so not every text has tokens"
        );
        assert!(RankedTokens::parse("f", b"").is_err());
    }

    #[test]
    fn a_token_that_is_too_long_is_refused() {
        let token = BASE64_STANDARD.encode([b'a'; MAX_TOKEN + 1]);
        let error = RankedTokens::parse("f", file(&format!("{token} 256")).as_bytes());
        assert_eq!(
            error.unwrap_err().to_string(),
            "f is damaged: token 256 has 1025 bytes, but the limit is 1024"
        );
    }
}
