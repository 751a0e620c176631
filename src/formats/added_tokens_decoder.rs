//! Reads the `added_tokens_decoder` of a `tokenizer_config.json` that is written as the reference writes it.
//!
//! It lists thousands of tokens, and is then most of the file. Python's JSON, in which anything may be repeated,
//! replaced and escaped, is read much more slowly.

use std::collections::BTreeMap;

use memchr::{memchr, memchr2, memmem};

use super::special_tokens::AddedTokenFields;

const NAME: &[u8] = b"\"added_tokens_decoder\"";
/// The beginnings of the escapes of small letters and the underscore, with which the name could be repeated.
const ESCAPES: [&[u8]; 3] = [b"\\u005", b"\\u006", b"\\u007"];

/// Takes the tokens out of a file, and returns them with the file that is left, where [`stand_in`] is in their place.
///
/// Returns `None` if there are none, if they are written in another way, or if the name may be repeated. They count only
/// if reading the rest gives [`stand_in`] for them: else the name is within another object.
pub fn take(bytes: &[u8]) -> Option<(BTreeMap<u32, AddedTokenFields>, Vec<u8>)> {
    let start = memmem::find(bytes, NAME)? + NAME.len();
    let mut cursor = Cursor { bytes, at: start };
    cursor.take(b':')?;
    let mut tokens = BTreeMap::new();
    cursor.items(|cursor| {
        let id = cursor.string()?;
        let is_usual = id.bytes().all(|byte| byte.is_ascii_digit());
        cursor.take(b':')?;
        tokens.insert(id.parse().ok().filter(|_| is_usual)?, cursor.token()?);
        Some(())
    })?;
    let stand_in = br#":{"0":{"content":""}}"#;
    let rest = [bytes.get(..start)?, stand_in, bytes.get(cursor.at..)?].concat();
    let is_escaped = ESCAPES
        .iter()
        .any(|escape| memmem::find(&rest, escape).is_some());
    let is_repeated = memmem::find_iter(&rest, NAME).nth(1).is_some();
    (!is_escaped && !is_repeated).then_some((tokens, rest))
}

/// Returns the placeholder that replaces the tokens in the rest of the file.
pub fn stand_in() -> BTreeMap<u32, AddedTokenFields> {
    BTreeMap::from([(0, AddedTokenFields::new("", false))])
}

struct Cursor<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Cursor<'b> {
    fn rest(&self) -> &'b [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Skips white space. Returns the next byte.
    fn peek(&mut self) -> Option<u8> {
        let is_space = |byte: &&u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
        self.at += self.rest().iter().take_while(is_space).count();
        self.rest().first().copied()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        self.peek().filter(|next| *next == byte)?;
        self.at += 1;
        Some(())
    }

    /// Reads an object that is not empty. `read` reads a name and its value.
    fn items(&mut self, mut read: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.take(b'{')?;
        loop {
            read(self)?;
            match self.peek()? {
                b',' => self.at += 1,
                _ => return self.take(b'}'),
            }
        }
    }

    /// Reads a string without escapes.
    fn string(&mut self) -> Option<&'b str> {
        self.take(b'"')?;
        let string = self.rest();
        let string = string.get(..memchr(b'"', string)?)?;
        self.at += string.len() + 1;
        let is_usual = |byte: &u8| *byte >= b' ' && *byte != b'\\';
        str::from_utf8(string)
            .ok()
            .filter(|_| string.iter().all(is_usual))
    }

    /// Reads a string in which only some characters of ASCII are escaped.
    fn text(&mut self) -> Option<String> {
        self.take(b'"')?;
        let mut text = Vec::new();
        loop {
            let part = self.rest();
            let part = part.get(..memchr2(b'"', b'\\', part)?)?;
            text.extend_from_slice(part);
            self.at += part.len();
            let is_usual = part.iter().all(|byte| *byte >= b' ');
            match self.rest().get(..2).filter(|_| is_usual)? {
                b"\\n" => text.push(b'\n'),
                b"\\t" => text.push(b'\t'),
                b"\\r" => text.push(b'\r'),
                [b'\\', byte @ (b'"' | b'\\' | b'/')] => text.push(*byte),
                [b'"', _] => {
                    self.at += 1;
                    return String::from_utf8(text).ok();
                }
                _ => return None,
            }
            self.at += 2;
        }
    }

    fn flag(&mut self) -> Option<bool> {
        self.peek()?;
        let flag = self.rest().starts_with(b"true");
        let word: &[u8] = if flag { b"true" } else { b"false" };
        self.at += word.len();
        self.bytes.get(..self.at)?.ends_with(word).then_some(flag)
    }

    fn token(&mut self) -> Option<AddedTokenFields> {
        let mut token = AddedTokenFields::new("", false);
        let mut content = None;
        self.items(|cursor| {
            let name = cursor.string()?;
            cursor.take(b':')?;
            match name {
                "content" => content = Some(cursor.text()?),
                "lstrip" => token.lstrip = cursor.flag()?,
                "rstrip" => token.rstrip = cursor.flag()?,
                "single_word" => token.single_word = cursor.flag()?,
                "normalized" => token.normalized = Some(cursor.flag()?),
                "special" => token.special = cursor.flag()?,
                _ => return None,
            }
            Some(())
        })?;
        token.content = content?;
        Some(token)
    }
}

#[cfg(test)]
mod tests {
    use super::super::config::TokenizerConfig;
    use super::super::json::parse_three_settings;
    use super::super::special_tokens::SpecialTokensMap;
    use super::*;
    use crate::formats::class_settings::ClassSettings;

    /// Reads a file without the shortcut.
    fn expected(json: &str) -> Option<TokenizerConfig> {
        let parsed = parse_three_settings::<SpecialTokensMap, ClassSettings, TokenizerConfig>;
        let (special_tokens, class, rest) = parsed("t", json.as_bytes()).ok()?;
        Some(TokenizerConfig {
            special_tokens,
            class,
            ..rest
        })
    }

    #[test]
    fn usual_tokens_are_read_as_python_reads_them() {
        let usual = r#"{"unk_token": "a", "added_tokens_decoder": {"7": {"content": "<é>", "special": true}, "0":
            {"content": "}", "lstrip": true, "rstrip": false, "single_word": false, "normalized": false, "special": false}
            , "7": {"special": false, "content": "b", "content": "c\n\"\\\/\t\r"}}, "bos_token": "<é>"}"#;
        let (tokens, _) = take(usual.as_bytes()).unwrap();
        assert_eq!(tokens.len(), 2);
        let config = TokenizerConfig::parse("t", usual.as_bytes()).unwrap();
        assert_eq!(config.added_tokens_decoder, Some(tokens));
        assert_eq!(Some(config), expected(usual));
    }

    #[test]
    fn other_files_are_read_as_python_reads_them() {
        let token = r#"{"content": "a", "special": true}"#;
        for json in [
            r#"{"added_tokens_decoder": {}}"#.to_owned(),
            r#"{"added_tokens_decoder": null}"#.to_owned(),
            r#"{"added_tokens_decoder": {"0": {"content": "\u0061"}}}"#.to_owned(),
            r#"{"added_tokens_decoder": {"0": {"content": "a", "special": truer}}}"#.to_owned(),
            r#"{"added_tokens_decoder": {"0": {"content": "a"}"#.to_owned(),
            "{\"added_tokens_decoder\": {\"0\": {\"content\": \"a\nb\"}}}".to_owned(),
            r#"{"added_tokens_decoder": {"0": {"special": true}}}"#.to_owned(),
            r#"{"added_tokens_decoder": {"0": {"content": "a", "id": 3}}}"#.to_owned(),
            format!(r#"{{"added_tokens_decoder": {{"+1": {token}, "-1": {token}}}}}"#),
            format!(r#"{{"added_tokens_decoder": {{" 1": {token}, "01": {token}}}}}"#),
            format!(r#"{{"added_tokens_decoder": {{"4294967296": {token}}}}}"#),
            format!(r#"{{"added_tokens_decoder": {{"1": {token},}}}}"#),
            format!(r#"{{"x": {{"added_tokens_decoder": {{"1": {token}}}}}}}"#),
            format!(r#"{{"x": "\"added_tokens_decoder\": {{\"1\": {token}}}"}}"#),
            format!(
                r#"{{"added_tokens_decoder": {{"1": {token}}}, "added_tokens_decoder": null}}"#
            ),
            format!(
                r#"{{"added_tokens_decoder": {{"1": {token}}}, "added\u005ftokens_decoder": {{"2": {token}}}}}"#
            ),
            format!(
                r#"{{"added\u005ftokens_decoder": {{"2": {token}}}, "added_tokens_decoder": {{"1": {token}}}}}"#
            ),
            format!(
                r#"{{"x": {{"added_tokens_decoder": {{"1": {token}}}}}, "added\u005ftokens_decoder": {{"0": {{"content":""}}}}}}"#
            ),
            format!(
                r#"{{"x": {{"added_tokens_decoder": {{"1": {token}}}}}, "added_tokens_decoder": {{"0": {{"content":""}}}}}}"#
            ),
            format!(r#"{{"added_tokens_decoder": {{"1": {token}}}, "eos_token": 3}}"#),
            format!(r#"[{{"added_tokens_decoder": {{"1": {token}}}}}]"#),
        ] {
            let parsed = TokenizerConfig::parse("t", json.as_bytes());
            assert_eq!(parsed.ok(), expected(&json), "{json}");
        }
    }

    #[test]
    fn an_error_is_that_of_the_whole_file() {
        let json =
            "{\"added_tokens_decoder\": {\n\"1\": {\n\"content\": \"a\"}},\n\"eos_token\": [}";
        let error = TokenizerConfig::parse("t", json.as_bytes())
            .unwrap_err()
            .to_string();
        assert!(error.contains("line 4"), "{error}");
    }
}
