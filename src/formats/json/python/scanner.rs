//! Finds values, strings, and numbers in JSON text.

use std::borrow::Cow;

use super::error::{JsonError, Problem};

type Result<T> = std::result::Result<T, JsonError>;

/// Nested lists and objects. Python gives up at about 990.
const MAX_NESTING: usize = 512;
/// Digits of an integer, as in Python.
const MAX_DIGITS: usize = 4300;

/// A position in JSON text.
#[derive(Debug)]
pub struct Scanner<'de> {
    text: &'de str,
    /// Offset of the next byte.
    pub at: usize,
}

/// A number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    Unsigned(u64),
    Signed(i64),
    /// Also an integer that does not fit in 64 bits.
    Float(f64),
}

/// The text between the quotes of a string.
#[derive(Debug, Clone, Copy)]
pub struct StringToken<'de> {
    raw: &'de str,
    has_escapes: bool,
}

impl<'de> Scanner<'de> {
    pub fn new(text: &'de str) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'de [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// Skips white space and returns the next byte without reading it; `None` at the end.
    pub fn peek(&mut self) -> Option<u8> {
        let rest = self.rest();
        let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        let space = rest.iter().take_while(|byte| is_space(byte)).count();
        self.at += space;
        rest.get(space).copied()
    }

    /// Returns the error for text that is not what was expected here.
    pub fn expected(&self, what: &str) -> JsonError {
        match self.rest() {
            [] => JsonError::new(Problem::EndsEarly, format!("expected {what}")),
            _ => JsonError::new(Problem::Syntax, format!("expected {what}")),
        }
    }

    /// Skips white space and the byte `byte`.
    pub fn take(&mut self, byte: u8, what: &str) -> Result<()> {
        if self.peek() != Some(byte) {
            return Err(self.expected(what));
        }
        self.at += 1;
        Ok(())
    }

    /// Skips white space and the byte `byte`, if it comes next.
    pub fn take_if(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Checks that only white space is left.
    pub fn end(&mut self) -> Result<()> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.expected("the end of the file")),
        }
    }

    /// Reads a word such as `null` if it comes next.
    pub fn take_word(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word.as_bytes());
        if found {
            self.at += word.len();
        }
        found
    }

    /// Reads a string. The next byte must be its quote.
    pub fn string(&mut self) -> Result<StringToken<'de>> {
        self.take(b'"', "a string")?;
        let start = self.at;
        let mut has_escapes = false;
        loop {
            let rest = self.rest();
            let plain = rest
                .iter()
                .take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20));
            let plain = plain.count();
            self.at += plain;
            match rest.get(plain) {
                Some(b'"') => {
                    let raw = self.text.get(start..self.at).unwrap_or_default();
                    self.at += 1;
                    return Ok(StringToken { raw, has_escapes });
                }
                Some(b'\\') => {
                    has_escapes = true;
                    self.at += 1;
                    self.escape()?;
                }
                Some(_) => {
                    let message = "a control character in a string";
                    return Err(JsonError::new(Problem::Syntax, message));
                }
                None => return Err(self.expected("the end of a string")),
            }
        }
    }

    /// Skips an escape after its backslash.
    fn escape(&mut self) -> Result<()> {
        match self.rest() {
            [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => self.at += 1,
            [b'u', digits @ ..] => {
                let hex = digits.iter().take(4).take_while(|b| b.is_ascii_hexdigit());
                let hex = hex.count();
                self.at += 1 + hex;
                if hex < 4 {
                    return Err(self.expected("four hexadecimal digits"));
                }
            }
            _ => return Err(self.expected("an escape")),
        }
        Ok(())
    }

    /// Reads a number.
    pub fn number(&mut self) -> Result<Number> {
        let start = self.at;
        for (word, value) in [
            ("NaN", f64::NAN),
            ("Infinity", f64::INFINITY),
            ("-Infinity", f64::NEG_INFINITY),
        ] {
            if self.take_word(word) {
                return Ok(Number::Float(value));
            }
        }
        self.at += usize::from(self.rest().starts_with(b"-"));
        let integer = match self.rest() {
            [b'0', ..] => 1,
            rest => digits(rest),
        };
        if integer == 0 {
            return Err(self.expected("value"));
        }
        if integer > MAX_DIGITS {
            let message = format!("an integer has more than {MAX_DIGITS} digits");
            return Err(JsonError::new(Problem::Content, message));
        }
        self.at += integer;
        let before_fraction = self.at;
        if let [b'.', fraction @ ..] = self.rest() {
            let digits = digits(fraction);
            self.at += if digits == 0 { 0 } else { 1 + digits };
        }
        if let [b'e' | b'E', exponent @ ..] = self.rest() {
            let sign = usize::from(matches!(exponent, [b'+' | b'-', ..]));
            let digits = digits(exponent.get(sign..).unwrap_or_default());
            self.at += if digits == 0 { 0 } else { 1 + sign + digits };
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        if self.at == before_fraction {
            if let Ok(value) = text.parse() {
                return Ok(Number::Unsigned(value));
            }
            if let Ok(value) = text.parse() {
                return Ok(Number::Signed(value));
            }
        }
        Ok(Number::Float(text.parse().unwrap_or(f64::NAN)))
    }

    /// Skips a value, which must be well formed.
    pub fn skip(&mut self) -> Result<()> {
        // The closing brackets of the open lists and objects.
        let mut open: Vec<u8> = Vec::new();
        loop {
            let closing = match self.peek() {
                Some(b'[') => Some(b']'),
                Some(b'{') => Some(b'}'),
                _ => None,
            };
            match closing {
                Some(closing) => {
                    self.at += 1;
                    if !self.take_if(closing) {
                        if open.len() >= MAX_NESTING {
                            return Err(too_deep());
                        }
                        open.push(closing);
                        self.name_in(closing)?;
                        continue;
                    }
                }
                None => self.skip_plain()?,
            }
            // After a value: the end of its lists and objects, or the next value.
            loop {
                let Some(&closing) = open.last() else {
                    return Ok(());
                };
                if self.take_if(closing) {
                    open.pop();
                } else {
                    self.take(b',', "`,` or the end of a list or object")?;
                    self.name_in(closing)?;
                    break;
                }
            }
        }
    }

    /// Skips the name of a value if it is in an object, which ends with `}`.
    fn name_in(&mut self, closing: u8) -> Result<()> {
        if closing == b'}' {
            self.name()?;
        }
        Ok(())
    }

    /// Reads the name of an object's value, and its colon.
    pub fn name(&mut self) -> Result<StringToken<'de>> {
        if self.peek() != Some(b'"') {
            return Err(self.expected("a name in quotes"));
        }
        let name = self.string()?;
        self.take(b':', "`:`")?;
        Ok(name)
    }

    fn skip_plain(&mut self) -> Result<()> {
        if self.peek() == Some(b'"') {
            self.string()?;
        } else if !["null", "true", "false"]
            .iter()
            .any(|word| self.take_word(word))
        {
            self.number()?;
        }
        Ok(())
    }
}

/// Returns the error for values that are nested too deeply.
pub fn too_deep() -> JsonError {
    let message = format!("it has more than {MAX_NESTING} nested lists and objects");
    JsonError::new(Problem::Content, message)
}

fn digits(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count()
}

impl<'de> StringToken<'de> {
    /// Returns the text.
    ///
    /// # Errors
    /// Fails if it has half of a surrogate pair, which is not text.
    pub fn text(self) -> Result<Cow<'de, str>> {
        if !self.has_escapes {
            return Ok(Cow::Borrowed(self.raw));
        }
        let units = self.units();
        match char::decode_utf16(units).collect::<std::result::Result<String, _>>() {
            Ok(text) => Ok(Cow::Owned(text)),
            Err(error) => Err(JsonError::new(
                Problem::Content,
                format!(
                    "a string has `\\u{:04x}`, which is half of a surrogate pair",
                    error.unpaired_surrogate()
                ),
            )),
        }
    }

    /// Returns the text, with U+FFFD for each half of a surrogate pair.
    pub fn lossy_text(self) -> Cow<'de, str> {
        if !self.has_escapes {
            return Cow::Borrowed(self.raw);
        }
        let text = char::decode_utf16(self.units());
        Cow::Owned(text.map(|char| char.unwrap_or('\u{fffd}')).collect())
    }

    /// Returns the UTF-16 units of the text. Escapes are well formed.
    fn units(self) -> impl Iterator<Item = u16> {
        let mut chars = self.raw.chars();
        let mut low = None;
        std::iter::from_fn(move || {
            if let Some(unit) = low.take() {
                return Some(unit);
            }
            let char = match chars.next()? {
                '\\' => match chars.next()? {
                    'u' => {
                        let hex = chars.as_str().get(..4)?;
                        chars = chars.as_str().get(4..)?.chars();
                        return u16::from_str_radix(hex, 16).ok();
                    }
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    other => other,
                },
                char => char,
            };
            let mut units = [0; 2];
            let [first, second] = match char.encode_utf16(&mut units) {
                [first] => [*first, 0],
                [first, second] => [*first, *second],
                _ => return None,
            };
            low = (second != 0).then_some(second);
            Some(first)
        })
    }
}
