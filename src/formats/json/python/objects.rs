//! Finds the values of lists and objects.

use std::borrow::Cow;
use std::collections::HashMap;

use super::error::{JsonError, Problem};
use super::scanner::Scanner;

type Result<T> = std::result::Result<T, JsonError>;

/// Names in an object whose fields are not known beforehand.
const MAX_NAMES: usize = 1 << 16;

/// The values of an object: name, and offset of the last value of that name.
pub type Values<'de> = Vec<(Cow<'de, str>, usize)>;

/// A position in a list or object whose opening bracket has been read.
#[derive(Debug)]
pub struct Cursor {
    closing: u8,
    is_first: bool,
    is_at_end: bool,
}

impl Cursor {
    /// Starts at the first value of a list or object that ends with `closing`.
    pub fn new(closing: u8) -> Self {
        Self {
            closing,
            is_first: true,
            is_at_end: false,
        }
    }

    /// Returns true if there is another value; otherwise skips the closing bracket.
    pub fn more(&mut self, scanner: &mut Scanner<'_>) -> Result<bool> {
        if self.is_at_end {
            return Ok(false);
        }
        if std::mem::take(&mut self.is_first) {
            self.is_at_end = scanner.take_if(self.closing);
        } else if scanner.take_if(self.closing) {
            self.is_at_end = true;
        } else {
            scanner.take(b',', "`,` or the end of a list or object")?;
        }
        Ok(!self.is_at_end)
    }
}

/// The names in an object, with the offsets of their values.
#[derive(Debug)]
pub struct Names<'de> {
    /// The offset of the object.
    pub start: usize,
    /// The offset after it.
    pub end: usize,
    /// In the order of the file. `None` if there are too many to be kept.
    names: Option<Values<'de>>,
}

impl<'de> Names<'de> {
    /// The maximum number of names. The largest published settings have a few hundred.
    const MAX: usize = 1 << 12;

    /// Skips an object.
    pub fn scan(scanner: &mut Scanner<'de>) -> Result<Self> {
        scanner.peek();
        let start = scanner.at;
        let mut names = Some(Vec::new());
        scanner.take(b'{', "an object")?;
        let mut cursor = Cursor::new(b'}');
        while cursor.more(scanner)? {
            let name = scanner.name()?.lossy_text();
            scanner.peek();
            if let Some(kept) = &mut names {
                kept.push((name, scanner.at));
            }
            names = names.filter(|kept| kept.len() <= Self::MAX);
            scanner.skip()?;
        }
        let end = scanner.at;
        Ok(Self { start, end, names })
    }

    /// Returns the last value of each of `fields`. Returns `None` if the names were not kept.
    pub fn values(&self, fields: &'static [&'static str]) -> Option<Values<'de>> {
        let mut offsets = vec![None; fields.len()];
        for (name, at) in self.names.as_ref()? {
            let field = fields.iter().position(|field| field == name);
            if let Some(offset) = field.and_then(|field| offsets.get_mut(field)) {
                *offset = Some(*at);
            }
        }
        Some(found(fields, offsets))
    }
}

/// Returns the fields whose values were found.
fn found<'de>(fields: &'static [&'static str], offsets: Vec<Option<usize>>) -> Values<'de> {
    let found = fields.iter().zip(offsets);
    let found = found.filter_map(|(name, offset)| Some((Cow::Borrowed(*name), offset?)));
    found.collect()
}

/// Skips an object. Returns the values of the names in `fields`.
pub fn values_of_fields<'de>(
    scanner: &mut Scanner<'de>,
    fields: &'static [&'static str],
) -> Result<Values<'de>> {
    let mut offsets = vec![None; fields.len()];
    scanner.take(b'{', "an object")?;
    let mut cursor = Cursor::new(b'}');
    while cursor.more(scanner)? {
        let name = scanner.name()?.lossy_text();
        scanner.peek();
        let field = fields.iter().position(|field| *field == name);
        if let Some(offset) = field.and_then(|field| offsets.get_mut(field)) {
            *offset = Some(scanner.at);
        }
        scanner.skip()?;
    }
    Ok(found(fields, offsets))
}

/// Skips an object. Returns all its values.
pub fn all_values<'de>(scanner: &mut Scanner<'de>) -> Result<Values<'de>> {
    let mut values: Values<'de> = Vec::new();
    let mut positions = HashMap::new();
    scanner.take(b'{', "an object")?;
    let mut cursor = Cursor::new(b'}');
    while cursor.more(scanner)? {
        let name = scanner.name()?.text()?;
        scanner.peek();
        let position = *positions.entry(name.clone()).or_insert(values.len());
        if let Some((_, offset)) = values.get_mut(position) {
            *offset = scanner.at;
        } else if values.len() < MAX_NAMES {
            values.push((name, scanner.at));
        } else {
            let message = format!("an object has more than {MAX_NAMES} names");
            return Err(JsonError::new(Problem::Content, message));
        }
        scanner.skip()?;
    }
    Ok(values)
}
