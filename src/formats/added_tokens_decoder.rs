//! Reads the `added_tokens_decoder` of a `tokenizer_config.json` that is written as the reference writes it.
//!
//! It lists thousands of tokens, and is then most of the file. Python's JSON, in which anything may be repeated,
//! replaced and escaped, is read much more slowly.

use std::borrow::Cow;
use std::collections::BTreeMap;

use memchr::{memchr2, memmem};

use super::special_tokens::{AddedTokenConfig, AddedTokenFields};

const NAME: &[u8] = b"\"added_tokens_decoder\"";
/// The beginnings of the escapes of small letters and the underscore, with which the name could be repeated.
const ESCAPES: [&[u8]; 3] = [b"\\u005", b"\\u006", b"\\u007"];

/// The added tokens of a `tokenizer.json`, with the ids that the file states.
#[derive(Debug, Clone, Copy, Default)]
pub struct OwnTokens<'a> {
    pub tokens: &'a [AddedTokenConfig],
    pub ids: &'a [Option<u32>],
}

/// The tokens that an `added_tokens_decoder` lists.
#[derive(Debug, PartialEq)]
pub enum Tokens {
    /// Those of the `tokenizer.json`, in the same order, with the same ids and the same rules, all of which are stated.
    Own,
    Other(BTreeMap<u32, AddedTokenFields>),
}

/// Takes the tokens out of a file, and returns them with the file that is left, where [`stand_in`] is in their place.
///
/// Returns `None` if there are none, if they are written in another way, or if the name may be repeated. They count
/// only if reading the rest gives [`stand_in`] for them: else the name is within another object.
pub fn take(bytes: &[u8], own: OwnTokens<'_>) -> Option<(Tokens, Vec<u8>)> {
    let start = memmem::find(bytes, NAME)? + NAME.len();
    let text = str::from_utf8(bytes).ok()?;
    let (tokens, end) = match repeated(text, start, own) {
        Some(end) => (Tokens::Own, end),
        None => listed(text, start)?,
    };
    let stand_in = br#":{"0":{"content":""}}"#;
    let rest = [bytes.get(..start)?, stand_in, bytes.get(end..)?].concat();
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

/// Returns the end of the list if its tokens are those of the `tokenizer.json`.
fn repeated(text: &str, start: usize, own: OwnTokens<'_>) -> Option<usize> {
    let mut expected = own.tokens.iter().zip(own.ids);
    let mut last = None;
    let end = each_token(text, start, |id, token| {
        let (own, own_id) = expected.next()?;
        let is_next = *own_id == Some(id) && last < Some(id);
        last = Some(id);
        (is_next && token.is(own)).then_some(())
    })?;
    expected.next().is_none().then_some(end)
}

fn listed(text: &str, start: usize) -> Option<(Tokens, usize)> {
    let mut tokens = BTreeMap::new();
    let end = each_token(text, start, |id, token| {
        tokens.insert(id, token.into());
        Some(())
    })?;
    Some((Tokens::Other(tokens), end))
}

/// Calls `each` with the tokens of the list after its name, and returns the end of the list.
fn each_token<'t>(
    text: &'t str,
    start: usize,
    mut each: impl FnMut(u32, Token<'t>) -> Option<()>,
) -> Option<usize> {
    let mut cursor = Cursor {
        text,
        at: start,
        frame: None,
    };
    cursor.take(b':')?;
    cursor.items(|cursor| {
        let id = cursor.name()?;
        let is_usual = id.bytes().all(|byte| byte.is_ascii_digit());
        cursor.take(b':')?;
        each(id.parse().ok().filter(|_| is_usual)?, cursor.token()?)
    })?;
    Some(cursor.at)
}

/// A token of the list.
#[derive(Debug)]
struct Token<'t> {
    content: Cow<'t, str>,
    rules: Rules,
}

#[derive(Debug, Clone, Copy, Default)]
struct Rules {
    lstrip: bool,
    rstrip: bool,
    single_word: bool,
    normalized: Option<bool>,
    special: bool,
}

impl Token<'_> {
    /// Returns true if a token is the same. A rule that is not stated makes a difference.
    fn is(&self, other: &AddedTokenConfig) -> bool {
        let Rules {
            lstrip,
            rstrip,
            single_word,
            normalized,
            special,
        } = self.rules;
        *self.content == *other.content
            && (lstrip, rstrip) == (other.lstrip, other.rstrip)
            && (single_word, special) == (other.single_word, other.special)
            && normalized == Some(other.normalized)
    }
}

impl From<Token<'_>> for AddedTokenFields {
    fn from(Token { content, rules }: Token<'_>) -> Self {
        Self {
            lstrip: rules.lstrip,
            rstrip: rules.rstrip,
            single_word: rules.single_word,
            normalized: rules.normalized,
            ..Self::new(content, rules.special)
        }
    }
}

/// What is around the content of a token, and the rules that it states.
#[derive(Debug, Clone, Copy)]
struct Frame<'t> {
    before: &'t str,
    after: &'t str,
    rules: Rules,
}

struct Cursor<'t> {
    text: &'t str,
    at: usize,
    /// The frame of the last token. Most tokens have the same.
    frame: Option<Frame<'t>>,
}

impl<'t> Cursor<'t> {
    fn rest(&self) -> &'t [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// Skips white space. Returns the next byte.
    fn peek(&mut self) -> Option<u8> {
        let is_space = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
        let rest = self.rest();
        self.at += rest.iter().position(|byte| !is_space(byte))?;
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

    /// Reads a string up to its first quotation mark, which may be escaped in names other than the usual ones.
    fn name(&mut self) -> Option<&'t str> {
        self.take(b'"')?;
        // Names are short: a search with vectors would cost more.
        let length = self.rest().iter().position(|byte| *byte == b'"')?;
        let name = self.text.get(self.at..self.at + length);
        self.at += length + 1;
        name
    }

    /// Reads a string in which only some characters of ASCII are escaped.
    fn string(&mut self) -> Option<Cow<'t, str>> {
        self.take(b'"')?;
        let mut string = Cow::Borrowed("");
        loop {
            let length = memchr2(b'"', b'\\', self.rest())?;
            let part = self.text.get(self.at..self.at + length)?;
            self.at += length;
            let is_usual = part.bytes().all(|byte| byte >= b' ');
            string += part;
            let escaped = match self.rest().get(..2).filter(|_| is_usual)? {
                b"\\n" => "\n",
                b"\\t" => "\t",
                b"\\r" => "\r",
                b"\\\"" => "\"",
                b"\\\\" => "\\",
                b"\\/" => "/",
                [b'"', _] => {
                    self.at += 1;
                    return Some(string);
                }
                _ => return None,
            };
            string += escaped;
            self.at += 2;
        }
    }

    fn flag(&mut self) -> Option<bool> {
        self.peek()?;
        let flag = self.rest().starts_with(b"true");
        let word: &[u8] = if flag { b"true" } else { b"false" };
        let is_flag = flag || self.rest().starts_with(word);
        self.at += word.len();
        is_flag.then_some(flag)
    }

    fn token(&mut self) -> Option<Token<'t>> {
        match self.framed() {
            Some(token) => Some(token),
            None => self.token_of_fields(),
        }
    }

    /// Reads a token in the same frame as the last one.
    fn framed(&mut self) -> Option<Token<'t>> {
        let frame = self.frame?;
        let start = self.at;
        self.at += frame.before.len();
        let content = self.text.get(start..self.at)?.eq(frame.before);
        let content = content.then(|| self.string()).flatten();
        let token = content.filter(|_| self.rest().starts_with(frame.after.as_bytes()));
        self.at = match token {
            Some(_) => self.at + frame.after.len(),
            None => start,
        };
        token.map(|content| Token {
            content,
            rules: frame.rules,
        })
    }

    fn token_of_fields(&mut self) -> Option<Token<'t>> {
        let start = self.at;
        let (mut rules, mut content) = (Rules::default(), None);
        let mut contents = 0;
        self.items(|cursor| {
            let name = cursor.name()?;
            cursor.take(b':')?;
            match name {
                "content" => {
                    cursor.peek()?;
                    let start = cursor.at;
                    content = Some((cursor.string()?, start, cursor.at));
                    contents += 1;
                }
                "lstrip" => rules.lstrip = cursor.flag()?,
                "rstrip" => rules.rstrip = cursor.flag()?,
                "single_word" => rules.single_word = cursor.flag()?,
                "normalized" => rules.normalized = Some(cursor.flag()?),
                "special" => rules.special = cursor.flag()?,
                _ => return None,
            }
            Some(())
        })?;
        let (content, first, last) = content?;
        let frame = Frame {
            before: self.text.get(start..first)?,
            after: self.text.get(last..self.at)?,
            rules,
        };
        self.frame = Some(frame).filter(|_| contents == 1);
        Some(Token { content, rules })
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
        let usual = r#"{"unk_token": "a", "added_tokens_decoder": {"7": {"content": "<é>", "special": true}, "8":
            {"content": "<\n>", "special": true}, "9": {"content": "d", "special": true}, "10": {"content": "e", "content": "f"}, "11":
            {"content": "g", "content": "h"}, "12": {"content": "i", "content": "j"}, "13": {"content": "k"}, "0":
            {"content": "}", "lstrip": true, "rstrip": false, "single_word": false, "normalized": false, "special": false}
            , "7": {"special": false, "content": "b", "content": "c\n\"\\\/\t\r"}}, "bos_token": "<é>"}"#;
        let (tokens, _) = take(usual.as_bytes(), OwnTokens::default()).unwrap();
        let config = TokenizerConfig::parse("t", usual.as_bytes(), OwnTokens::default()).unwrap();
        let read = config.added_tokens_decoder.clone().unwrap();
        assert_eq!((read.len(), Tokens::Other(read)), (8, tokens));
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
            let parsed = TokenizerConfig::parse("t", json.as_bytes(), OwnTokens::default());
            assert_eq!(parsed.ok(), expected(&json), "{json}");
        }
    }

    #[test]
    fn an_error_is_that_of_the_whole_file() {
        let json =
            "{\"added_tokens_decoder\": {\n\"1\": {\n\"content\": \"a\"}},\n\"eos_token\": [}";
        let error = TokenizerConfig::parse("t", json.as_bytes(), OwnTokens::default())
            .unwrap_err()
            .to_string();
        assert!(error.contains("line 4"), "{error}");
    }

    #[test]
    fn a_list_of_the_same_tokens_is_left_out() {
        let token = |text: &str| AddedTokenConfig {
            lstrip: true,
            normalized: false,
            ..AddedTokenFields::new(text, true).into()
        };
        let tokens = [token("<s>"), token("\n\"é\\")];
        let rules = r#""lstrip": true, "rstrip": false, "normalized": false, "single_word": false, "special": true"#;
        let first = format!(r#""3": {{"content": "<s>", {rules}}}"#);
        let second = format!(r#""7": {{"content": "\n\"é\\", {rules}}}"#);
        let is_own = |list: &str, ids: [Option<u32>; 2]| {
            let json = format!(r#"{{"unk_token": "a", "added_tokens_decoder": {{{list}}}}}"#);
            let (tokens, ids) = (&tokens[..], &ids[..]);
            let own = OwnTokens { tokens, ids };
            let config = TokenizerConfig::parse("t", json.as_bytes(), own).unwrap();
            assert_ne!(
                config.lists_own_tokens,
                config.added_tokens_decoder.is_some()
            );
            config.lists_own_tokens
        };
        let ids = [Some(3), Some(7)];
        assert!(is_own(&format!("{first}, {second}"), ids));
        assert!(!is_own(&format!("{second}, {first}"), ids));
        assert!(!is_own(&format!("{first}, {second}"), [Some(3), Some(8)]));
        assert!(!is_own(&format!("{first}, {second}"), [Some(3), None]));
        assert!(!is_own(&first, ids));
        assert!(!is_own(
            &format!("{first}, {second}, \"8\": {{\"content\": \"x\"}}"),
            ids
        ));
        for (from, to) in [
            ("true", "false"),
            ("<s>", "<t>"),
            ("\"normalized\": false, ", ""),
        ] {
            let list = format!("{}, {second}", first.replacen(from, to, 1));
            assert!(!is_own(&list, ids), "{list}");
        }
    }
}
