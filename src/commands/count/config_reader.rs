//! Reads the values of a TOML file and reports errors by line.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeString, DeValue};

use super::budget::Budget;
use crate::error::closest;
use crate::error::{Error, Result};

pub type Key<'t> = Spanned<DeString<'t>>;
pub type Value<'t> = Spanned<DeValue<'t>>;

/// The text of a file, and its name in errors.
pub struct ConfigReader<'a> {
    pub name: &'a str,
    pub text: &'a str,
}

impl ConfigReader<'_> {
    pub fn string(&self, key: &Key, value: &Value) -> Result<String> {
        let text = value.get_ref().as_str().map(str::to_owned);
        text.ok_or_else(|| self.wrong_type(key, value, "a string"))
    }

    /// Reads a list of strings. A single string counts as a list of one.
    pub fn strings(&self, key: &Key, value: &Value) -> Result<Vec<String>> {
        let strings = match value.get_ref().as_array() {
            Some(list) => list.iter().map(|item| self.string(key, item)).collect(),
            None => self.string(key, value).map(|string| vec![string]),
        };
        strings.map_err(|_| self.wrong_type(key, value, "a string or a list of strings"))
    }

    pub fn bool(&self, key: &Key, value: &Value) -> Result<bool> {
        let flag = value.get_ref().as_bool();
        flag.ok_or_else(|| self.wrong_type(key, value, "true or false"))
    }

    /// Reads a number of tokens.
    pub fn budget(&self, key: &Key, value: &Value) -> Result<u64> {
        let text = match value.get_ref() {
            DeValue::String(text) => text.as_ref(),
            DeValue::Integer(number) if number.radix() == 10 => number.as_str(),
            _ => {
                let expected = "a number of tokens, such as 8000 or \"8k\"";
                return Err(self.wrong_type(key, value, expected));
            }
        };
        let budget: Result<Budget, _> = text.parse();
        budget.map(|budget| budget.0).map_err(|problem| {
            let problem = format!("`{}` is `{text}`: {problem}", key.get_ref());
            self.error(&key.span(), problem)
        })
    }

    /// Returns the error for a value of the wrong type.
    pub fn wrong_type(&self, key: &Key, value: &Value, expected: &str) -> Error {
        let found = match value.get_ref() {
            DeValue::Array(_) => "a list",
            DeValue::Boolean(_) => "true or false",
            DeValue::String(_) => "a string",
            DeValue::Table(_) => "a table",
            DeValue::Integer(_) | DeValue::Float(_) => "a number",
            DeValue::Datetime(_) => "a date",
        };
        let key_name = key.get_ref();
        let problem = if found == expected {
            format!("`{key_name}` must be {expected}")
        } else {
            format!("`{key_name}` must be {expected}, not {found}")
        };
        self.error(&key.span(), problem)
    }

    /// Returns the error for a key that `table` does not have.
    pub fn unknown_key(&self, key: &Key, table: &str, known: &[&str]) -> Error {
        let name = key.get_ref().as_ref();
        let hint = match closest(name, known.iter().copied()) {
            Some(closest) => format!("did you mean `{closest}`?"),
            None => format!("its keys are {}", known.join(", ")),
        };
        Error::BadConfig {
            file: self.name.to_owned(),
            line: self.line(&key.span()),
            problem: format!("`{name}` is not a key of {table}"),
            hint: Some(hint),
        }
    }

    /// Returns an error about a range of the text.
    pub fn error(&self, range: &Range<usize>, problem: impl Into<String>) -> Error {
        Error::BadConfig {
            file: self.name.to_owned(),
            line: self.line(range),
            problem: problem.into(),
            hint: None,
        }
    }

    /// Returns the error for a value that the option of the same name would reject.
    pub fn refused(&self, range: &Range<usize>, error: &Error) -> Error {
        Error::BadConfig {
            file: self.name.to_owned(),
            line: self.line(range),
            problem: error.to_string(),
            hint: error.hint(),
        }
    }

    /// Returns the line on which a range of the text begins, counted from 1.
    fn line(&self, range: &Range<usize>) -> usize {
        let before = self.text.as_bytes().get(..range.start).unwrap_or_default();
        1 + memchr::memchr_iter(b'\n', before).count()
    }
}
