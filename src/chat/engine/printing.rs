//! Values as text, as Python's `str` and `repr` write them.

use minijinja::value::{Tuple, Value, ValueKind};
use minijinja::{Error, ErrorKind, Output, State};

use super::string_methods::pay;
use super::{python_text, values};

/// Nested lists and dictionaries.
const MAX_DEPTH: usize = 200;

/// Prints the value of a tag.
pub fn print(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    match (value.as_str(), value.kind()) {
        (Some(text), _) => out.write_str(text)?,
        (None, ValueKind::Undefined) => {}
        (None, kind) if is_container(kind) => out.write_str(&text(state, value)?)?,
        _ => out.write_str(&values::text(value))?,
    }
    Ok(())
}

/// Returns a value as text.
pub fn text(state: &State<'_, '_>, value: &Value) -> Result<String, Error> {
    if !is_container(value.kind()) {
        return Ok(values::text(value));
    }
    let mut text = String::new();
    repr(state, value, &mut text, 0)?;
    Ok(text)
}

fn is_container(kind: ValueKind) -> bool {
    matches!(kind, ValueKind::Seq | ValueKind::Iterable | ValueKind::Map)
}

fn repr(state: &State<'_, '_>, value: &Value, out: &mut String, depth: usize) -> Result<(), Error> {
    if depth > MAX_DEPTH {
        let problem = "a value is nested too deeply to be printed";
        return Err(Error::new(ErrorKind::InvalidOperation, problem));
    }
    pay(state, 64)?;
    let mut separator = "";
    match value.kind() {
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default();
            pay(state, text.len())?;
            python_text::repr(text, out);
        }
        ValueKind::Map => {
            out.push('{');
            let pairs = value.as_object().and_then(|map| map.try_iter_pairs());
            for (key, value) in pairs.into_iter().flatten() {
                out.push_str(std::mem::replace(&mut separator, ", "));
                repr(state, &key, out, depth + 1)?;
                out.push_str(": ");
                repr(state, &value, out, depth + 1)?;
            }
            out.push('}');
        }
        ValueKind::Seq | ValueKind::Iterable => {
            let tuple = value.downcast_object_ref::<Tuple>();
            out.push(if tuple.is_some() { '(' } else { '[' });
            for item in value.try_iter()?.checked() {
                out.push_str(std::mem::replace(&mut separator, ", "));
                repr(state, &item?, out, depth + 1)?;
            }
            out.push_str(match tuple {
                Some(tuple) if tuple.len() == 1 => ",)",
                Some(_) => ")",
                None => "]",
            });
        }
        ValueKind::Undefined => out.push_str("Undefined"),
        _ => out.push_str(&values::text(value)),
    }
    Ok(())
}
