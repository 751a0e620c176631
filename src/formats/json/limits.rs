//! JSON lists and values of a bounded size, for parts of a file that hold little in files that mean well.
//!
//! A value takes thirty-two bytes and more of memory, and two of a file: a list of nothing grows on being read.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Values of one step of a tokenizer, those within it included. The largest that are published, templates with a
/// special token for each of hundreds of languages, have some thousand.
const MAX_VALUES: usize = 1 << 16;
/// Pieces, merges, tokens: the largest vocabulary that is published has 902,000 (XLM-V).
pub const MAX_LIST: usize = 1 << 21;

/// Reads any JSON value of at most [`MAX_VALUES`] values.
///
/// # Errors
/// Those of the deserializer, and that there are more.
pub fn value<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    Budget(&Cell::new(MAX_VALUES)).deserialize(deserializer)
}

/// Reads a list of at most [`MAX_LIST`] items, which `null` has none of.
///
/// # Errors
/// Those of the deserializer, and that there are more.
pub fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    struct List<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for List<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }

        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok(Vec::new())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut items = Vec::new();
            while let Some(item) = list.next_element()? {
                check_length(items.len())?;
                items.push(item);
            }
            Ok(items)
        }
    }

    deserializer.deserialize_any(List(PhantomData))
}

/// Refuses one item more than `length`, if those are [`MAX_LIST`].
///
/// # Errors
/// That there are more.
pub fn check_length<E: Error>(length: usize) -> Result<(), E> {
    if length < MAX_LIST {
        return Ok(());
    }
    Err(E::custom(format_args!(
        "a list has more than {MAX_LIST} items"
    )))
}

/// How many values may still come.
#[derive(Clone, Copy)]
struct Budget<'b>(&'b Cell<usize>);

impl Budget<'_> {
    fn spend<E: Error>(self) -> Result<(), E> {
        let left =
            self.0.get().checked_sub(1).ok_or_else(|| {
                E::custom(format_args!("a step has more than {MAX_VALUES} values"))
            })?;
        self.0.set(left);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Budget<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.spend()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Budget<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(self)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Map::new();
        while let Some(name) = map.next_key()? {
            let value = map.next_value_seed(self)?;
            entries.insert(name, value);
        }
        Ok(Value::Object(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> serde_json::Result<Value> {
        value(&mut serde_json::Deserializer::from_str(json))
    }

    #[test]
    fn a_value_is_what_it_is() {
        let json =
            r#"{"a": [1, -2, 2.5, "é\n", null, true, {"b": {}}], "c": 18446744073709551615}"#;
        assert_eq!(
            read(json).unwrap(),
            serde_json::from_str::<Value>(json).unwrap()
        );
    }

    #[test]
    fn values_and_items_are_counted() {
        let zeros = |count: usize| format!("[{}]", vec!["0"; count].join(","));
        assert!(read(&zeros(MAX_VALUES - 1)).is_ok());
        let error = read(&zeros(MAX_VALUES)).unwrap_err().to_string();
        assert!(
            error.starts_with("a step has more than 65536 values at line 1"),
            "{error}"
        );
        let read = |json: &str| list::<_, u8>(&mut serde_json::Deserializer::from_str(json));
        assert!(read("null").unwrap().is_empty());
        assert_eq!(read(&zeros(MAX_LIST)).unwrap().len(), MAX_LIST);
        let error = read(&zeros(MAX_LIST + 1)).unwrap_err().to_string();
        assert!(
            error.starts_with("a list has more than 2097152 items"),
            "{error}"
        );
    }
}
