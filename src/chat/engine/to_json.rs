//! `tojson`: values as JSON, as Python's `json.dumps` writes them.

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, ErrorKind, State};

use super::call_args::CallArgs;
use super::string_methods::pay;
use super::values::{self, is_long_number};

/// Nested lists and dictionaries.
const MAX_DEPTH: usize = 200;

/// The filter.
pub fn to_json(state: &State<'_, '_>, value: &Value, args: &[Value]) -> Result<String, Error> {
    let args = CallArgs::new("tojson", args, 4)?;
    let indent = args.given(1, "indent")?;
    let indent = match &indent {
        None => None,
        Some(indent) => Some(match (indent.as_str(), i64::try_from(indent.clone())) {
            (Some(text), _) => text.to_owned(),
            (None, Ok(width)) => {
                let width = usize::try_from(width).unwrap_or(0);
                pay(state, width)?;
                " ".repeat(width)
            }
            (None, Err(_)) => return Err(failed("the indent of `tojson` must be an integer")),
        }),
    };
    let (item, key) = match args.given(2, "separators")? {
        None if indent.is_some() => (",".to_owned(), ": ".to_owned()),
        None => (", ".to_owned(), ": ".to_owned()),
        Some(pair) => {
            let pair: Vec<Value> = pair.try_iter()?.collect();
            match &*pair {
                [item, key] => (item.to_string(), key.to_string()),
                _ => return Err(failed("the separators of `tojson` must be two strings")),
            }
        }
    };
    let writer = Writer {
        state,
        is_ascii: args.is_true(0, "ensure_ascii")?,
        sorts: args.is_true(3, "sort_keys")?,
        indent,
        item,
        key,
    };
    args.end()?;
    let mut json = String::new();
    writer.value(value, &mut json, 0)?;
    Ok(json)
}

fn failed(problem: &str) -> Error {
    Error::new(ErrorKind::InvalidOperation, problem.to_owned())
}

struct Writer<'a> {
    state: &'a State<'a, 'a>,
    is_ascii: bool,
    sorts: bool,
    indent: Option<String>,
    item: String,
    key: String,
}

impl Writer<'_> {
    fn value(&self, value: &Value, out: &mut String, depth: usize) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Err(failed("`tojson` of a value that is nested too deeply"));
        }
        pay(self.state, 64)?;
        match value.kind() {
            ValueKind::None => out.push_str("null"),
            ValueKind::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
            ValueKind::Number => number(value, out),
            ValueKind::String => {
                let text = value.as_str().unwrap_or_default();
                pay(self.state, text.len() * 2)?;
                string(text, self.is_ascii, out);
            }
            ValueKind::Seq | ValueKind::Iterable => {
                let items: Vec<Value> = value.try_iter()?.checked().collect::<Result<_, _>>()?;
                self.container(('[', ']'), items, out, depth, |item, out| {
                    self.value(&item, out, depth + 1)
                })?;
            }
            ValueKind::Map => {
                let pairs = value.as_object().and_then(|map| map.try_iter_pairs());
                let mut pairs: Vec<(Value, Value)> = pairs.into_iter().flatten().collect();
                if self.sorts {
                    pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
                }
                self.container(('{', '}'), pairs, out, depth, |(key, value), out| {
                    self.name(&key, out)?;
                    pay(self.state, self.key.len())?;
                    out.push_str(&self.key);
                    self.value(&value, out, depth + 1)
                })?;
            }
            _ if is_long_number(value) => out.push_str(&value.to_string()),
            kind => {
                let problem = format!("`tojson` of a value that is {kind}");
                return Err(Error::new(ErrorKind::BadSerialization, problem));
            }
        }
        Ok(())
    }

    fn container<T>(
        &self,
        (start, end): (char, char),
        items: Vec<T>,
        out: &mut String,
        depth: usize,
        write: impl Fn(T, &mut String) -> Result<(), Error>,
    ) -> Result<(), Error> {
        out.push(start);
        let is_empty = items.is_empty();
        for (at, item) in items.into_iter().enumerate() {
            if at > 0 {
                pay(self.state, self.item.len())?;
                out.push_str(&self.item);
            }
            self.line(depth + 1, out)?;
            write(item, out)?;
        }
        if !is_empty {
            self.line(depth, out)?;
        }
        out.push(end);
        Ok(())
    }

    /// Begins a line, if there is an indent.
    fn line(&self, depth: usize, out: &mut String) -> Result<(), Error> {
        if let Some(indent) = &self.indent {
            pay(self.state, depth * indent.len())?;
            out.push('\n');
            out.extend(std::iter::repeat_n(&**indent, depth));
        }
        Ok(())
    }

    fn name(&self, key: &Value, out: &mut String) -> Result<(), Error> {
        match key.kind() {
            ValueKind::String => string(key.as_str().unwrap_or_default(), self.is_ascii, out),
            ValueKind::None | ValueKind::Bool | ValueKind::Number => {
                out.push('"');
                self.value(key, out, 0)?;
                out.push('"');
            }
            kind => {
                return Err(failed(&format!(
                    "`tojson` of a dictionary with a key that is {kind}"
                )));
            }
        }
        Ok(())
    }
}

/// Writes a number as Python's `json` does.
fn number(value: &Value, out: &mut String) {
    match values::text(value).as_str() {
        "nan" => out.push_str("NaN"),
        "inf" => out.push_str("Infinity"),
        "-inf" => out.push_str("-Infinity"),
        number => out.push_str(number),
    }
}

fn string(text: &str, is_ascii: bool, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\0'..'\u{20}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            '\u{7f}'.. if is_ascii => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}
