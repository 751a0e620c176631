//! The filters and tests that differ from those of the engine.

use std::borrow::Cow;

use minijinja::filters as engine;
use minijinja::value::{Rest, Value, ValueKind, ValueOrKwargs};
use minijinja::{Environment, Error, ErrorKind, State};

use super::call_args::CallArgs;
use super::printing;
use super::python_text::lines;
use super::string_methods::{pay, strip};
use super::to_json;
use super::values::is_long_number;

/// Filters of the engine that jinja2 does not have, or that differ.
const FOREIGN: &[&str] = &["split", "lines", "bool", "chain", "zip", "pprint"];

/// Adds the filters and tests.
pub fn add(env: &mut Environment<'static>) {
    for name in FOREIGN {
        env.remove_filter(name);
    }
    env.add_filter("tojson", with_args(to_json::to_json));
    env.add_filter("default", with_args(default));
    env.add_filter("d", with_args(default));
    env.add_filter("int", with_args(int));
    env.add_filter("float", with_args(float));
    env.add_filter("indent", with_args(indent));
    env.add_filter("string", with_args(string));
    env.add_filter("trim", with_args(trim));
    env.add_filter("escape", with_args(escape));
    env.add_filter("e", with_args(escape));
    env.add_filter("attr", |_: Value, name: String| {
        let problem = format!("the attribute `{name}` is not for templates");
        Err::<Value, _>(Error::new(ErrorKind::InvalidOperation, problem))
    });
    selections(env);
    tests(env);
}

/// Adds the filters that take no items from a value that is false, whatever it is.
fn selections(env: &mut Environment<'static>) {
    type Args = Rest<ValueOrKwargs>;
    type Test<'t> = Option<Cow<'t, str>>;
    type Items = Result<Vec<Value>, Error>;
    fn of_items(value: Value, select: impl FnOnce(Value) -> Items) -> Items {
        match value.is_true() {
            true => select(value),
            false => Ok(Vec::new()),
        }
    }
    env.add_filter(
        "map",
        |state: &mut State<'_, '_>, value: Value, args: Args| {
            of_items(value, |value| engine::map(state, value, args))
        },
    );
    env.add_filter(
        "select",
        |state: &mut State<'_, '_>, value: Value, test: Test<'_>, args: Args| {
            of_items(value, |value| engine::select(state, value, test, args))
        },
    );
    env.add_filter(
        "reject",
        |state: &mut State<'_, '_>, value: Value, test: Test<'_>, args: Args| {
            of_items(value, |value| engine::reject(state, value, test, args))
        },
    );
    env.add_filter(
        "selectattr",
        |state: &mut State<'_, '_>,
         value: Value,
         name: Cow<'_, str>,
         test: Test<'_>,
         args: Args| {
            of_items(value, |value| {
                engine::selectattr(state, value, name, test, args)
            })
        },
    );
    env.add_filter(
        "rejectattr",
        |state: &mut State<'_, '_>,
         value: Value,
         name: Cow<'_, str>,
         test: Test<'_>,
         args: Args| {
            of_items(value, |value| {
                engine::rejectattr(state, value, name, test, args)
            })
        },
    );
}

/// Returns a filter that gets the arguments of a call as they are.
fn with_args<T: Into<Value> + 'static>(
    filter: fn(&State<'_, '_>, &Value, &[Value]) -> Result<T, Error>,
) -> impl Fn(&State<'_, '_>, Value, Rest<ValueOrKwargs>) -> Result<Value, Error> + Send + Sync + 'static
{
    move |state, value, args| filter(state, &value, &args.into_values()).map(Into::into)
}

fn tests(env: &mut Environment<'static>) {
    env.add_test("sequence", |value: &Value| is_iterable(value));
    env.add_test("iterable", |value: &Value| is_iterable(value));
    env.add_test("number", |value: &Value| {
        matches!(value.kind(), ValueKind::Number | ValueKind::Bool) || is_long_number(value)
    });
    env.add_test("float", |value: &Value| {
        (value.kind() == ValueKind::Number && !value.is_integer()) || is_long_number(value)
    });
    env.add_test("callable", |value: &Value| {
        value.kind() == ValueKind::Plain && !is_long_number(value)
    });
}

/// Returns true for a value that Python iterates over.
pub fn is_iterable(value: &Value) -> bool {
    use ValueKind::{Iterable, Map, Seq, String, Undefined};
    matches!(value.kind(), Seq | Iterable | Map | String | Undefined)
}

fn default(_: &State<'_, '_>, value: &Value, args: &[Value]) -> Result<Value, Error> {
    let args = CallArgs::new("default", args, 2)?;
    let default = args.get(0, "default_value")?;
    let is_replaced = match args.is_true(1, "boolean")? {
        true => !value.is_true(),
        false => value.is_undefined(),
    };
    args.end()?;
    Ok(match is_replaced {
        true => default.unwrap_or_else(|| Value::from("")),
        false => value.clone(),
    })
}

fn int(_: &State<'_, '_>, value: &Value, args: &[Value]) -> Result<Value, Error> {
    let args = CallArgs::new("int", args, 2)?;
    let default = args.get(0, "default")?.unwrap_or_else(|| Value::from(0));
    let base = args.integer(1, "base")?.unwrap_or(10);
    args.end()?;
    let number = match (value.as_str(), value.kind()) {
        (Some(text), _) => integer(text, base),
        (None, ValueKind::Bool) => Some(i128::from(value.is_true())),
        (None, ValueKind::Number) if value.is_integer() => return Ok(value.clone()),
        (None, ValueKind::Number) => f64::try_from(value.clone()).ok().and_then(truncated),
        _ => None,
    };
    Ok(number.map_or(default, Value::from))
}

/// Reads an integer as Python's `int` does, or else the integer part of a number.
fn integer(text: &str, base: i64) -> Option<i128> {
    let text = strip(text, None, true, true);
    let plain = text.replace('_', "");
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let prefixes: &[&str] = match base {
        16 => &["0x", "0X"],
        8 => &["0o", "0O"],
        2 => &["0b", "0B"],
        _ => &[],
    };
    let prefix = prefixes
        .iter()
        .find_map(|prefix| digits.strip_prefix(prefix));
    let digits = prefix.unwrap_or(digits);
    let radix = u32::try_from(base)
        .ok()
        .filter(|base| (2..=36).contains(base))?;
    let whole = i128::from_str_radix(digits, radix).ok();
    let whole = whole.filter(|_| digits.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    whole
        .map(|number| sign * number)
        .or_else(|| text.parse().ok().and_then(truncated))
}

fn truncated(number: f64) -> Option<i128> {
    // Cannot saturate: the number is far smaller.
    (number.abs() < 1e30).then_some(number as i128)
}

fn float(_: &State<'_, '_>, value: &Value, args: &[Value]) -> Result<Value, Error> {
    let args = CallArgs::new("float", args, 1)?;
    let default = args.get(0, "default")?.unwrap_or_else(|| Value::from(0.0));
    args.end()?;
    let number = match (value.as_str(), value.kind()) {
        (Some(text), _) => strip(text, None, true, true).parse().ok(),
        (None, ValueKind::Bool) => Some(f64::from(u8::from(value.is_true()))),
        _ => f64::try_from(value.clone()).ok(),
    };
    Ok(number.map_or(default, Value::from))
}

fn trim(state: &State<'_, '_>, value: &Value, args: &[Value]) -> Result<Value, Error> {
    let args = CallArgs::new("trim", args, 1)?;
    let chars = args.given(0, "chars")?;
    args.end()?;
    let chars = chars.map(|chars| chars.to_string());
    Ok(match value.as_str() {
        Some(text) => strip(text, chars.as_deref(), true, true).into(),
        None => strip(&printing::text(state, value)?, chars.as_deref(), true, true).into(),
    })
}

fn string(state: &State<'_, '_>, value: &Value, args: &[Value]) -> Result<Value, Error> {
    CallArgs::new("string", args, 0)?;
    match value.as_str() {
        Some(_) => Ok(value.clone()),
        None => printing::text(state, value).map(Value::from),
    }
}

fn indent(state: &State<'_, '_>, value: &Value, args: &[Value]) -> Result<String, Error> {
    let args = CallArgs::new("indent", args, 3)?;
    let indent = match args.get(0, "width")? {
        None => " ".repeat(4),
        Some(width) => match (width.as_str(), usize::try_from(width.clone())) {
            (Some(indent), _) => indent.to_owned(),
            (None, Ok(width)) => {
                pay(state, width)?;
                " ".repeat(width)
            }
            (None, Err(_)) => String::new(),
        },
    };
    let (first, blank) = (args.is_true(1, "first")?, args.is_true(2, "blank")?);
    args.end()?;
    let mut text = printing::text(state, value)?;
    text.push('\n');
    let mut indented = String::new();
    for (at, line) in lines(&text, false).into_iter().enumerate() {
        pay(state, line.len() + indent.len() + 1)?;
        if at > 0 {
            indented.push('\n');
        }
        let is_indented = if at == 0 {
            first
        } else {
            blank || !line.is_empty()
        };
        if is_indented {
            indented.push_str(&indent);
        }
        indented.push_str(line);
    }
    Ok(indented)
}

fn escape(state: &State<'_, '_>, value: &Value, args: &[Value]) -> Result<Value, Error> {
    CallArgs::new("escape", args, 0)?;
    if value.is_safe() {
        return Ok(value.clone());
    }
    let text = printing::text(state, value)?;
    pay(state, text.len() * 5)?;
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\'' => escaped.push_str("&#39;"),
            '"' => escaped.push_str("&#34;"),
            _ => escaped.push(c),
        }
    }
    Ok(Value::from_safe_string(escaped))
}
