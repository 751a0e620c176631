//! The methods of Python's `str`.

use minijinja::value::{Tuple, Value, ValueKind};
use minijinja::{Error, ErrorKind, State};

use super::call_args::CallArgs;
use super::python_text::{is_space, lines};

/// Bytes that one unit of fuel pays for.
const FUEL_BYTES: usize = 64;

/// Pays for `bytes` bytes before they are allocated.
pub fn pay(state: &State<'_, '_>, bytes: usize) -> Result<(), Error> {
    state.consume_fuel((bytes / FUEL_BYTES) as u64)
}

/// Calls a method of a string. Returns `None` if there is no such method.
pub fn call(
    state: &State<'_, '_>,
    text: &str,
    method: &str,
    args: &[Value],
) -> Result<Option<Value>, Error> {
    let most = match method {
        "replace" | "find" | "rfind" | "index" | "rindex" | "count" | "startswith" | "endswith" => {
            3
        }
        "split" | "rsplit" | "ljust" | "rjust" | "center" => 2,
        "strip" | "lstrip" | "rstrip" | "splitlines" | "partition" | "rpartition" | "join"
        | "removeprefix" | "removesuffix" | "zfill" => 1,
        _ => 0,
    };
    let is_known = most > 0
        || matches!(
            method,
            "upper" | "lower" | "title" | "capitalize" | "swapcase" | "casefold" | "isspace"
        );
    if !is_known {
        return Ok(None);
    }
    let args = CallArgs::new(method, args, most)?;
    pay(state, text.len() * 4)?;
    let value = match method {
        "upper" => text.to_uppercase().into(),
        "lower" | "casefold" => text.to_lowercase().into(),
        "swapcase" => text.chars().flat_map(swapped).collect::<String>().into(),
        "title" => title(text).into(),
        "capitalize" => capitalize(text).into(),
        "isspace" => (!text.is_empty() && text.chars().all(is_space)).into(),
        "strip" | "lstrip" | "rstrip" => {
            let chars = args.given(0, "chars")?;
            let chars = chars
                .as_ref()
                .map(|chars| text_of(chars, method))
                .transpose()?;
            let (start, end) = (method != "rstrip", method != "lstrip");
            strip(text, chars, start, end).into()
        }
        "split" | "rsplit" => {
            let (sep, most) = (args.given(0, "sep")?, args.integer(1, "maxsplit")?);
            let sep = sep.as_ref().map(|sep| text_of(sep, method)).transpose()?;
            let most = most.and_then(|most| usize::try_from(most).ok());
            let parts = split(text, sep, most.unwrap_or(usize::MAX), method == "rsplit")?;
            pay(state, parts.len() * 32)?;
            parts
                .into_iter()
                .map(Value::from)
                .collect::<Vec<_>>()
                .into()
        }
        "splitlines" => {
            let lines = lines(text, args.is_true(0, "keepends")?);
            pay(state, lines.len() * 32)?;
            lines
                .into_iter()
                .map(Value::from)
                .collect::<Vec<_>>()
                .into()
        }
        "partition" | "rpartition" => {
            let sep = args.text(0, "sep")?;
            partition(text, separator(sep.as_str())?, method == "rpartition")
        }
        "replace" => replace(state, text, &args)?,
        "removeprefix" => {
            let prefix = args.text(0, "prefix")?;
            let prefix = prefix.as_str().unwrap_or_default();
            text.strip_prefix(prefix).unwrap_or(text).into()
        }
        "removesuffix" => {
            let suffix = args.text(0, "suffix")?;
            let suffix = suffix.as_str().unwrap_or_default();
            text.strip_suffix(suffix).unwrap_or(text).into()
        }
        "join" => join(state, text, &args.required(0, "iterable")?)?,
        "startswith" | "endswith" => {
            let affixes = args.required(0, "prefix")?;
            let (within, _) = slice(text, &args, 1)?;
            let matches = |affix: &str| match method {
                "startswith" => within.is_some_and(|text| text.starts_with(affix)),
                _ => within.is_some_and(|text| text.ends_with(affix)),
            };
            affix(&affixes, method, matches)?.into()
        }
        "find" | "rfind" | "index" | "rindex" => {
            let what = args.text(0, "sub")?;
            let what = what.as_str().unwrap_or_default();
            let (within, start) = slice(text, &args, 1)?;
            let found = within.and_then(|text| {
                let at = match method {
                    "find" | "index" => text.find(what),
                    _ => text.rfind(what),
                };
                Some(start + text.get(..at?)?.chars().count())
            });
            match found {
                Some(at) => at.into(),
                None if method.ends_with("find") => (-1).into(),
                None => {
                    let problem = "substring not found";
                    return Err(Error::new(ErrorKind::InvalidOperation, problem));
                }
            }
        }
        "count" => {
            let what = args.text(0, "sub")?;
            let what = what.as_str().unwrap_or_default();
            let (within, _) = slice(text, &args, 1)?;
            within.map_or(0, |text| text.matches(what).count()).into()
        }
        "zfill" => zfill(state, text, args.integer(0, "width")?.unwrap_or(0))?.into(),
        _ => pad(state, text, method, &args)?.into(),
    };
    args.end()?;
    Ok(Some(value))
}

fn text_of<'v>(value: &'v Value, method: &str) -> Result<&'v str, Error> {
    value.as_str().ok_or_else(|| {
        let problem = format!("`{method}` expected a string, found {}", value.kind());
        Error::new(ErrorKind::InvalidOperation, problem)
    })
}

fn separator(sep: Option<&str>) -> Result<&str, Error> {
    sep.filter(|sep| !sep.is_empty())
        .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "empty separator"))
}

/// Removes white space, or the given characters, from the ends.
pub fn strip<'t>(text: &'t str, chars: Option<&str>, start: bool, end: bool) -> &'t str {
    let is_stripped = |c| chars.map_or_else(|| is_space(c), |chars| chars.contains(c));
    let text = if start {
        text.trim_start_matches(is_stripped)
    } else {
        text
    };
    if end {
        text.trim_end_matches(is_stripped)
    } else {
        text
    }
}

fn split<'t>(
    text: &'t str,
    sep: Option<&str>,
    most: usize,
    from_end: bool,
) -> Result<Vec<&'t str>, Error> {
    let count = most.saturating_add(1);
    let mut parts: Vec<&str> = match (sep, from_end) {
        (Some(sep), false) => text.splitn(count, separator(Some(sep))?).collect(),
        (Some(sep), true) => text.rsplitn(count, separator(Some(sep))?).collect(),
        (None, _) => words(text, most, from_end),
    };
    if from_end {
        parts.reverse();
    }
    Ok(parts)
}

/// Splits text at runs of white space. Words from the end come in reverse order.
fn words(text: &str, most: usize, from_end: bool) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = strip(text, None, !from_end, from_end);
    while !rest.is_empty() {
        let at = match from_end {
            _ if words.len() >= most => None,
            false => rest.find(is_space),
            true => rest.rfind(is_space),
        };
        let Some(at) = at else {
            let is_open = words.len() < most;
            words.push(strip(rest, None, from_end && is_open, !from_end && is_open));
            break;
        };
        let (before, after) = rest.split_at(at);
        if from_end {
            let width = after.chars().next().map_or(0, char::len_utf8);
            words.push(after.get(width..).unwrap_or_default());
            rest = before.trim_end_matches(is_space);
        } else {
            words.push(before);
            rest = after.trim_start_matches(is_space);
        }
    }
    words
}

fn partition(text: &str, sep: &str, from_end: bool) -> Value {
    let found = match from_end {
        false => text.split_once(sep),
        true => text.rsplit_once(sep),
    };
    let parts = match (found, from_end) {
        (Some((before, after)), _) => [before, sep, after],
        (None, false) => [text, "", ""],
        (None, true) => ["", "", text],
    };
    Value::from(Tuple::from(parts.map(Value::from)))
}

fn replace(state: &State<'_, '_>, text: &str, args: &CallArgs<'_>) -> Result<Value, Error> {
    let (old, new) = (args.text(0, "old")?, args.text(1, "new")?);
    let (old, new) = (
        old.as_str().unwrap_or_default(),
        new.as_str().unwrap_or_default(),
    );
    let most = args.integer(2, "count")?;
    let most = most.and_then(|most| usize::try_from(most).ok());
    let found = text.matches(old).count().min(most.unwrap_or(usize::MAX));
    pay(state, found.saturating_mul(new.len()))?;
    Ok(match most {
        Some(most) => text.replacen(old, new, most),
        None => text.replace(old, new),
    }
    .into())
}

fn join(state: &State<'_, '_>, sep: &str, items: &Value) -> Result<Value, Error> {
    let mut joined = String::new();
    for (at, item) in items.try_iter()?.checked().enumerate() {
        let item = item?;
        let Some(text) = item.as_str() else {
            let problem = format!(
                "`join` expected strings, found {} at item {at}",
                item.kind()
            );
            return Err(Error::new(ErrorKind::InvalidOperation, problem));
        };
        pay(state, FUEL_BYTES + sep.len() + text.len())?;
        if at > 0 {
            joined.push_str(sep);
        }
        joined.push_str(text);
    }
    Ok(joined.into())
}

fn affix(affixes: &Value, method: &str, matches: impl Fn(&str) -> bool) -> Result<bool, Error> {
    if matches!(affixes.kind(), ValueKind::Seq | ValueKind::Iterable) {
        for affix in affixes.try_iter()?.checked() {
            if matches(text_of(&affix?, method)?) {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    Ok(matches(text_of(affixes, method)?))
}

/// Returns the part of the text between the two arguments at `at`, in characters, and its start. `None` if the start is
/// after the end.
fn slice<'t>(
    text: &'t str,
    args: &CallArgs<'_>,
    at: usize,
) -> Result<(Option<&'t str>, usize), Error> {
    let (start, end) = (args.integer(at, "start")?, args.integer(at + 1, "end")?);
    if start.is_none() && end.is_none() {
        return Ok((Some(text), 0));
    }
    let length = text.chars().count();
    let place = |index: i64| match usize::try_from(index) {
        Ok(index) => index,
        Err(_) => length.saturating_sub(usize::try_from(index.unsigned_abs()).unwrap_or(length)),
    };
    let (start, end) = (
        start.map_or(0, place),
        end.map_or(length, place).min(length),
    );
    let offset = |index: usize| {
        let mut chars = text.char_indices().map(|(offset, _)| offset);
        chars.nth(index).unwrap_or(text.len())
    };
    let within = (start <= end).then(|| text.get(offset(start)..offset(end)));
    Ok((within.flatten(), start))
}

fn swapped(c: char) -> Vec<char> {
    if c.is_uppercase() {
        c.to_lowercase().collect()
    } else {
        c.to_uppercase().collect()
    }
}

fn title(text: &str) -> String {
    let mut titled = String::with_capacity(text.len());
    let mut in_word = false;
    for c in text.chars() {
        if in_word {
            titled.extend(c.to_lowercase());
        } else {
            titled.extend(c.to_uppercase());
        }
        in_word = c.is_lowercase() || c.is_uppercase();
    }
    titled
}

/// Makes the first character upper case, and the others lower case.
pub fn capitalize(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(char::to_uppercase).into_iter().flatten();
    let mut capitalized: String = first.collect();
    capitalized.push_str(&chars.as_str().to_lowercase());
    capitalized
}

fn zfill(state: &State<'_, '_>, text: &str, width: i64) -> Result<String, Error> {
    let missing = missing(state, text, width)?;
    let (sign, digits) = match text.strip_prefix(['-', '+']) {
        Some(digits) => text.split_at(text.len() - digits.len()),
        None => ("", text),
    };
    Ok(format!("{sign}{}{digits}", "0".repeat(missing)))
}

fn pad(
    state: &State<'_, '_>,
    text: &str,
    method: &str,
    args: &CallArgs<'_>,
) -> Result<String, Error> {
    let width = args.integer(0, "width")?.unwrap_or(0);
    let fill = args.get(1, "fillchar")?;
    let fill = match &fill {
        Some(fill) => text_of(fill, method)?,
        None => " ",
    };
    if fill.chars().count() != 1 {
        let problem = format!("the fill of `{method}` must be one character");
        return Err(Error::new(ErrorKind::InvalidOperation, problem));
    }
    let missing = missing(state, text, width)?;
    pay(state, missing.saturating_mul(fill.len()))?;
    let left = match method {
        "ljust" => 0,
        "rjust" => missing,
        // As Python does it: the extra character is on the left if the width is odd.
        _ => missing / 2 + (missing & usize::try_from(width).unwrap_or(0) & 1),
    };
    Ok(format!(
        "{}{text}{}",
        fill.repeat(left),
        fill.repeat(missing - left)
    ))
}

/// Returns the number of characters that the text lacks, which are paid for.
fn missing(state: &State<'_, '_>, text: &str, width: i64) -> Result<usize, Error> {
    let width = usize::try_from(width).unwrap_or(0);
    let missing = width.saturating_sub(text.chars().count());
    pay(state, missing)?;
    Ok(missing)
}
