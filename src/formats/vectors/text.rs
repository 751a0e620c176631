//! Vectors as text: a word and decimal numbers in each line, with or without a first line of two counts.

use memchr::{memchr, memchr_iter, memrchr};

use super::decimal;
use super::index::Builder;
use super::limits::{MAX_WORD, MAX_WORDS, Place, check_rows, counted, shown, with_wrong_counts};
use super::window::Window;
use crate::error::{Error, Result};
use crate::source::ByteSource;

/// The maximum length of a line in bytes: 65,536 values of 32 digits.
pub const MAX_LINE: u64 = 2 << 20;
/// Bytes of a line that are looked at first.
const USUAL_LINE: u64 = 8 << 10;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// The separators that writers use.
const SEPARATORS: [u8; 2] = [b' ', b'\t'];

/// Recognizes the format from the first lines of a file. Returns the separator, the number of columns, and the
/// place of the first vector.
pub fn recognize(head: &[u8]) -> Option<(u8, u64, Place)> {
    let start = if head.starts_with(BYTE_ORDER_MARK) {
        BYTE_ORDER_MARK.len()
    } else {
        0
    };
    let text = head.get(start..)?;
    let end = memchr(b'\n', text).unwrap_or(text.len());
    let first = trim(text.get(..end)?);
    if let Some((rows, columns)) = counts(first) {
        let after = text.get(end + 1..).unwrap_or_default();
        let line = after.get(..memchr(b'\n', after).unwrap_or(after.len()))?;
        let separator = SEPARATORS.into_iter().find(|separator| {
            let numbers = split(line, *separator, columns).map(|(_, numbers)| numbers);
            numbers.is_some_and(|numbers| are_numbers(numbers, *separator))
        });
        let place = Place {
            start: (start + end + 1) as u64,
            rows: Some(rows),
            line: 2,
        };
        let is_empty = rows == 0 && trim(after).is_empty();
        let guess = || (is_empty || is_text(line)).then(|| usual_separator(line));
        let separator = separator.or_else(guess)?;
        return Some((separator, columns, place));
    }
    SEPARATORS.into_iter().find_map(|separator| {
        let fields: Vec<&[u8]> = first.split(|byte| *byte == separator).collect();
        let numbers = fields
            .iter()
            .rev()
            .take_while(|field| decimal::parse(field).is_some());
        let columns = numbers.count().min(fields.len() - 1) as u64;
        let place = Place {
            start: start as u64,
            rows: None,
            line: 1,
        };
        (columns > 1).then_some((separator, columns, place))
    })
}

/// Returns the two counts of a first line.
pub fn counts(line: &[u8]) -> Option<(u64, u64)> {
    let line = std::str::from_utf8(line).ok()?;
    let (rows, columns) = line.trim().split_once(SEPARATORS.map(char::from))?;
    let is_count = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_count(rows) || !is_count(columns) {
        return None;
    }
    Some((rows.parse().ok()?, columns.parse().ok()?))
}

/// Returns true if a line is text rather than the bytes of numbers.
fn is_text(line: &[u8]) -> bool {
    let text = std::str::from_utf8(line);
    text.is_ok_and(|text| {
        !text
            .chars()
            .any(|c| c.is_control() && !matches!(c, '\t' | '\r'))
    })
}

fn usual_separator(line: &[u8]) -> u8 {
    if line.contains(&b' ') { b' ' } else { b'\t' }
}

fn are_numbers(numbers: &[u8], separator: u8) -> bool {
    numbers
        .split(|byte| *byte == separator)
        .all(|number| decimal::parse(number).is_some())
}

/// Removes the end of a line, and the separators that fastText and word2vec write before it.
fn trim(line: &[u8]) -> &[u8] {
    line.trim_ascii_end()
}

/// Finds the words and the places of all lines.
pub fn scan(
    file: &dyn ByteSource,
    separator: u8,
    columns: u64,
    place: &Place,
    builder: &mut Builder,
) -> Result<()> {
    let mut window = Window::new(file);
    let mut start = place.start;
    let mut number = place.line;
    while start < file.len() {
        let line = next_line(&mut window, file, start, number)?;
        let length = line.len() as u64;
        if trim(line).is_empty() {
            // Blank lines are ignored at the end of the file only.
            check_rest(&mut window, file, start, number)?;
            break;
        }
        let found = split(line, separator, columns).map(|(word, _)| word);
        let Some(word) = found.filter(|word| !ends_with_number(word, separator)) else {
            return Err(ragged(file, (number, line), separator, columns, place));
        };
        if word.len() > MAX_WORD {
            let problem = format!("line {number} begins with a word of {} bytes", word.len());
            return Err(Error::damaged(file.name(), problem));
        }
        if builder.rows() >= MAX_WORDS {
            let problem = format!("it has more than {MAX_WORDS} vectors");
            return Err(Error::unsupported(file.name(), problem));
        }
        builder.add(word, start..start + length);
        start += length + 1;
        number += 1;
    }
    check_rows(file, builder.rows(), place.rows)
}

/// Returns the line at `start`, without its end.
fn next_line<'w>(
    window: &'w mut Window<'_>,
    file: &dyn ByteSource,
    start: u64,
    number: u64,
) -> Result<&'w [u8]> {
    let mut count = USUAL_LINE;
    loop {
        let available = window.from(start, count)?.len() as u64;
        let is_last = start + available >= file.len();
        let limit = (available.min(MAX_LINE + 1)) as usize;
        let bytes = window.from(start, count)?;
        let found = memchr(b'\n', bytes.get(..limit).unwrap_or(bytes));
        match found {
            Some(end) => return Ok(window.from(start, count)?.get(..end).unwrap_or_default()),
            None if available > MAX_LINE => {
                let problem = format!("line {number} has more than {MAX_LINE} bytes");
                return Err(Error::damaged(file.name(), problem));
            }
            None if is_last => return window.from(start, count),
            None => count = available.saturating_mul(2).max(USUAL_LINE),
        }
    }
}

fn check_rest(
    window: &mut Window<'_>,
    file: &dyn ByteSource,
    mut start: u64,
    number: u64,
) -> Result<()> {
    while start < file.len() {
        let bytes = window.from(start, 1)?;
        if !trim(bytes).is_empty() {
            let problem = format!("line {number} is blank, and not the last one");
            return Err(Error::damaged(file.name(), problem));
        }
        start += bytes.len() as u64;
    }
    Ok(())
}

/// Returns true if the last part of a word is a number, so that the line has more values than the others.
fn ends_with_number(word: &[u8], separator: u8) -> bool {
    memrchr(separator, word).is_some_and(|end| {
        let last = word.get(end + 1..).unwrap_or_default();
        last.iter().any(u8::is_ascii_digit) && decimal::parse(last).is_some()
    })
}

/// Returns the error for a line with another number of values than the first line claims or has.
fn ragged(
    file: &dyn ByteSource,
    (number, line): (u64, &[u8]),
    separator: u8,
    columns: u64,
    place: &Place,
) -> Error {
    let fields: Vec<&[u8]> = trim(line).split(|byte| *byte == separator).collect();
    let numbers = fields.iter().skip(1).rev();
    let numbers = numbers.take_while(|field| decimal::parse(field).is_some());
    let found = counted(numbers.count() as u64, "value");
    let line = shown(line);
    let (expected, hint) = match place.rows {
        Some(_) => (format!("line 1 claims {columns}"), None),
        None => (
            format!("line 1 has {columns}"),
            Some("download the file again, or remove the line"),
        ),
    };
    let problem = format!("line {number}, {line}, has {found}, but {expected}");
    let error = Error::damaged(file.name(), problem);
    match hint {
        Some(hint) => error.with_hint(hint),
        None => with_wrong_counts(error),
    }
}

/// Splits a line into its word, which may have separators of its own, and its numbers. Returns `None` if it has too few
/// fields.
pub fn split(line: &[u8], separator: u8, columns: u64) -> Option<(&[u8], &[u8])> {
    let line = trim(line);
    let count = memchr_iter(separator, line).count() as u64;
    if count == columns {
        let end = memchr(separator, line)?;
        return Some((line.get(..end)?, line.get(end + 1..)?));
    }
    let extra = count.checked_sub(columns)?;
    let end = memchr_iter(separator, line).nth(extra as usize)?;
    Some((trim(line.get(..end)?), line.get(end + 1..)?))
}

/// Appends numbers.
///
/// # Errors
/// Fails with what is not a number, in quotes.
pub fn append(numbers: &[u8], separator: u8, values: &mut Vec<f32>) -> Result<(), String> {
    let mut rest = numbers;
    loop {
        let end = memchr(separator, rest);
        let number = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        values.push(decimal::parse(number).ok_or_else(|| shown(number))?);
        match end {
            Some(end) => rest = rest.get(end + 1..).unwrap_or_default(),
            None => return Ok(()),
        }
    }
}
