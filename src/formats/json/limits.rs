//! JSON values and lists with a size limit, for fields that are small in legitimate files.
//!
//! A parsed value takes at least 32 bytes of memory for as little as 2 bytes of input.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Values in one step of a tokenizer, including nested ones. The largest published steps, templates with a special
/// token for each of hundreds of languages, have a few thousand.
const MAX_VALUES: usize = 1 << 16;
/// Items of a list of pieces, merges, or tokens. The largest published vocabulary, of XLM-V, has 902,000.
pub const MAX_LIST: usize = 1 << 21;

/// Reads any JSON value that consists of at most `MAX_VALUES` values.
///
/// # Errors
/// Fails if there are more, and with the errors of the deserializer.
pub fn value<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    RemainingValues(&Cell::new(MAX_VALUES)).deserialize(deserializer)
}

/// Reads a list of at most [`MAX_LIST`] items, each with a seed that `item` makes from `budget`. `null` is an empty
/// list.
///
/// # Errors
/// Fails if there are more, and with the errors of the deserializer and the seeds.
pub fn list_with<'de, 'b, D: Deserializer<'de>, B, S: DeserializeSeed<'de>>(
    deserializer: D,
    budget: &'b B,
    item: fn(&'b B) -> S,
) -> Result<Vec<S::Value>, D::Error> {
    struct List<'b, B, S> {
        budget: &'b B,
        item: fn(&'b B) -> S,
    }

    impl<'de, 'b, B, S: DeserializeSeed<'de>> Visitor<'de> for List<'b, B, S> {
        type Value = Vec<S::Value>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }

        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok(Vec::new())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut items = Vec::new();
            while let Some(item) = list.next_element_seed((self.item)(self.budget))? {
                check_length(items.len())?;
                items.push(item);
            }
            Ok(items)
        }
    }

    deserializer.deserialize_any(List { budget, item })
}

/// Checks that a list of `length` items may have one more.
///
/// # Errors
/// Fails if it already has [`MAX_LIST`] items.
pub fn check_length<E: Error>(length: usize) -> Result<(), E> {
    if length < MAX_LIST {
        return Ok(());
    }
    Err(E::custom(format_args!(
        "a list has more than {MAX_LIST} items"
    )))
}

/// The number of values that may still be read.
#[derive(Clone, Copy)]
struct RemainingValues<'b>(&'b Cell<usize>);

impl RemainingValues<'_> {
    fn spend<E: Error>(self) -> Result<(), E> {
        let left =
            self.0.get().checked_sub(1).ok_or_else(|| {
                E::custom(format_args!("a step has more than {MAX_VALUES} values"))
            })?;
        self.0.set(left);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for RemainingValues<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.spend()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for RemainingValues<'_> {
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
    use std::marker::PhantomData;

    use super::*;

    fn read(json: &str) -> serde_json::Result<Value> {
        value(&mut serde_json::Deserializer::from_str(json))
    }

    #[test]
    fn a_value_is_read_unchanged() {
        let json =
            r#"{"a": [1, -2, 2.5, "é\n", null, true, {"b": {}}], "c": 18446744073709551615}"#;
        assert_eq!(
            read(json).unwrap(),
            serde_json::from_str::<Value>(json).unwrap()
        );
    }

    #[test]
    fn too_many_values_or_items_are_refused() {
        let zeros = |count: usize| format!("[{}]", vec!["0"; count].join(","));
        assert!(read(&zeros(MAX_VALUES - 1)).is_ok());
        let error = read(&zeros(MAX_VALUES)).unwrap_err().to_string();
        assert!(
            error.starts_with("a step has more than 65536 values at line 1"),
            "{error}"
        );
        let read = |json: &str| {
            let mut json = serde_json::Deserializer::from_str(json);
            list_with(&mut json, &(), |()| PhantomData::<u8>)
        };
        assert!(read("null").unwrap().is_empty());
        assert_eq!(read(&zeros(MAX_LIST)).unwrap().len(), MAX_LIST);
        let error = read(&zeros(MAX_LIST + 1)).unwrap_err().to_string();
        assert!(
            error.starts_with("a list has more than 2097152 items"),
            "{error}"
        );
    }
}
