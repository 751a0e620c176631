//! JSON as the values that a template sees.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr, Value, ValueKind};
use serde_json::{Number, Value as Json};

/// Numbers from here on are written with an exponent.
const LARGE: f64 = 1e16;
/// Numbers below are written with an exponent.
const SMALL: f64 = 1e-4;

/// A number that Python writes with an exponent. A template can print it, but not calculate with it.
#[derive(Debug)]
pub struct LongNumber(String);

impl Object for LongNumber {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns true for a number that Python writes with an exponent.
pub fn is_long_number(value: &Value) -> bool {
    value.downcast_object_ref::<LongNumber>().is_some()
}

/// Returns a value of JSON.
pub fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(value) => Value::from(*value),
        Json::Number(value) => number(value),
        Json::String(text) => Value::from(&**text),
        Json::Array(items) => Value::from(items.iter().map(value).collect::<Vec<_>>()),
        Json::Object(fields) => {
            Value::from_pairs(fields.iter().map(|(name, field)| (&**name, value(field))))
        }
    }
}

fn number(number: &Number) -> Value {
    match (number.as_u64(), number.as_i64(), number.as_f64()) {
        (Some(value), ..) => Value::from(value),
        (None, Some(value), _) => Value::from(value),
        (None, None, Some(value)) => float(value),
        (None, None, None) => Value::from(f64::NAN),
    }
}

fn float(value: f64) -> Value {
    match long_text(value) {
        Some(text) => Value::from_object(LongNumber(text)),
        None => Value::from(value),
    }
}

/// Returns a number as Python writes it, if that is with an exponent.
fn long_text(value: f64) -> Option<String> {
    let size = value.abs();
    if value == 0.0 || !value.is_finite() || (SMALL..LARGE).contains(&size) {
        return None;
    }
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    Some(format!("{digits}e{sign}{exponent:0>2}"))
}

/// Returns a value that is no string, list, or dictionary as Python writes it.
pub fn text(value: &Value) -> String {
    let number = match value.kind() {
        ValueKind::Number if !value.is_integer() => f64::try_from(value.clone()).ok(),
        _ => None,
    };
    match number {
        Some(number) if number.is_nan() => "nan".to_owned(),
        Some(number) => long_text(number).unwrap_or_else(|| value.to_string()),
        None => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_printed_as_python_does() {
        for (json, printed) in [
            ("1e20", "1e+20"),
            ("1e16", "1e+16"),
            ("1e15", "1000000000000000.0"),
            ("-1.5e-7", "-1.5e-07"),
            ("0.0001", "0.0001"),
            ("0.00001", "1e-05"),
            ("1e100", "1e+100"),
            ("-0.0", "-0.0"),
            ("3", "3"),
            ("0.1", "0.1"),
            ("18446744073709551615", "18446744073709551615"),
        ] {
            let json: Json = serde_json::from_str(json).unwrap();
            assert_eq!(value(&json).to_string(), printed);
            assert_eq!(text(&value(&json)), printed);
        }
        for (number, printed) in [
            (1e17, "1e+17"),
            (2e-5, "2e-05"),
            (f64::NAN, "nan"),
            (2.0, "2.0"),
        ] {
            assert_eq!(text(&Value::from(number)), printed);
        }
    }
}
