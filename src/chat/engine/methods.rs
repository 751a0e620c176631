//! The methods of Python's values, and those that the sandbox refuses.

use minijinja::value::{Tuple, Value, ValueKind};
use minijinja::{Error, ErrorKind, State};
use minijinja_contrib::pycompat::unknown_method_callback;

use super::call_args::CallArgs;
use super::string_methods;

/// The methods that change a list or a dictionary, which no template may call.
const CHANGING: &[&str] = &[
    "append",
    "clear",
    "extend",
    "insert",
    "pop",
    "popitem",
    "remove",
    "reverse",
    "setdefault",
    "sort",
    "update",
];

/// Calls a method that the engine does not know.
pub fn call(
    state: &mut State<'_, '_>,
    value: &Value,
    method: &str,
    args: &[Value],
) -> Result<Value, Error> {
    let found = match value.kind() {
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default();
            string_methods::call(state, text, method, args)?
        }
        ValueKind::Map => of_map(value, method, args)?,
        ValueKind::Seq | ValueKind::Iterable => of_list(value, method, args)?,
        _ => None,
    };
    if method == "format" && has_long_number(value.as_str().unwrap_or_default()) {
        let problem = "`format` with a width or precision of more than three digits";
        return Err(Error::new(ErrorKind::InvalidOperation, problem));
    }
    match found {
        Some(value) => Ok(value),
        None => unknown_method_callback(state, value, method, args),
    }
}

/// Returns true if more than three digits follow one another.
fn has_long_number(text: &str) -> bool {
    let mut runs = text.split(|c: char| !c.is_ascii_digit());
    runs.any(|digits| digits.len() > 3)
}

fn refuse(method: &str, kind: &str) -> Error {
    Error::new(
        ErrorKind::InvalidOperation,
        format!("`{method}` would change a {kind}, which a template may not"),
    )
}

fn of_map(map: &Value, method: &str, args: &[Value]) -> Result<Option<Value>, Error> {
    if CHANGING.contains(&method) {
        return Err(refuse(method, "dictionary"));
    }
    let pairs = || map.as_object().and_then(|map| map.try_iter_pairs());
    let value = match method {
        "get" => {
            let args = CallArgs::new(method, args, 2)?;
            let key = args.required(0, "key")?;
            let found = map.as_object().and_then(|map| map.get_value(&key));
            let default = args.get(1, "default")?;
            args.end()?;
            found.or(default).unwrap_or_else(|| Value::from(()))
        }
        "items" => CallArgs::new(method, args, 0).map(|_| {
            let pairs = pairs().into_iter().flatten();
            let items = pairs.map(|(key, value)| Value::from(Tuple::from([key, value])));
            items.collect::<Vec<_>>().into()
        })?,
        "keys" => CallArgs::new(method, args, 0).map(|_| {
            let pairs = pairs().into_iter().flatten();
            pairs.map(|(key, _)| key).collect::<Vec<_>>().into()
        })?,
        "values" => CallArgs::new(method, args, 0).map(|_| {
            let pairs = pairs().into_iter().flatten();
            pairs.map(|(_, value)| value).collect::<Vec<_>>().into()
        })?,
        "copy" => CallArgs::new(method, args, 0)
            .map(|_| Value::from_pairs(pairs().into_iter().flatten()))?,
        _ => return Ok(None),
    };
    Ok(Some(value))
}

fn of_list(list: &Value, method: &str, args: &[Value]) -> Result<Option<Value>, Error> {
    if CHANGING.contains(&method) {
        return Err(refuse(method, "list"));
    }
    match method {
        "copy" => {
            CallArgs::new(method, args, 0)?;
            Ok(Some(list.clone()))
        }
        "index" => {
            let args = CallArgs::new(method, args, 1)?;
            let wanted = args.required(0, "value")?;
            for (at, item) in list.try_iter()?.checked().enumerate() {
                if item? == wanted {
                    return Ok(Some(at.into()));
                }
            }
            let problem = "the list has no such item";
            Err(Error::new(ErrorKind::InvalidOperation, problem))
        }
        _ => Ok(None),
    }
}
