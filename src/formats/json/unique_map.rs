//! JSON objects that keep the order of their entries and refuse a name that occurs twice.
//!
//! JSON parsers disagree on which of two entries with the same name counts. A file must not be read one way by this
//! program and another way by the program that loads the model later.

use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor,
};

use crate::formats::quote::quote;

/// Names in an object. The largest published models have about 200,000 tensors.
const MAX_NAMES: usize = 1 << 19;

/// The entries of a JSON object in the order of the file. All names are distinct.
#[derive(Debug)]
pub struct UniqueMap<V>(pub Vec<(String, V)>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for UniqueMap<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(UniqueMapExcept {
            ignored: None,
            value: PhantomData,
        })
    }
}

/// Reads a [`UniqueMap`], ignoring the entry with a given name, whose value may have any type.
pub struct UniqueMapExcept<V> {
    ignored: Option<&'static str>,
    value: PhantomData<V>,
}

impl<V> UniqueMapExcept<V> {
    pub fn new(ignored: &'static str) -> Self {
        Self {
            ignored: Some(ignored),
            value: PhantomData,
        }
    }
}

impl<'de, V: Deserialize<'de>> DeserializeSeed<'de> for UniqueMapExcept<V> {
    type Value = UniqueMap<V>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, V: Deserialize<'de>> Visitor<'de> for UniqueMapExcept<V> {
    type Value = UniqueMap<V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        let mut seen = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            if !seen.insert(name.clone()) {
                return Err(A::Error::custom(format_args!(
                    "the name {} occurs twice",
                    quote(&name)
                )));
            }
            if seen.len() > MAX_NAMES {
                return Err(A::Error::custom(format_args!(
                    "it has more than {MAX_NAMES} names"
                )));
            }
            if self.ignored == Some(name.as_str()) {
                map.next_value::<IgnoredAny>()?;
            } else {
                entries.push((name, map.next_value()?));
            }
        }
        Ok(UniqueMap(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_keep_their_order() {
        let map: UniqueMap<u8> = serde_json::from_str(r#"{"b": 1, "a": 2}"#).unwrap();
        assert_eq!(map.0, [("b".to_owned(), 1), ("a".to_owned(), 2)]);
    }

    #[test]
    fn a_name_that_occurs_twice_is_refused() {
        let error = serde_json::from_str::<UniqueMap<u8>>(r#"{"a": 1, "\u0061": 2}"#).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the name `a` occurs twice at line 1 column 17"
        );
    }

    #[test]
    fn too_many_names_are_refused() {
        let names: Vec<String> = (0..=MAX_NAMES)
            .map(|name| format!("\"{name}\":1"))
            .collect();
        let json = format!("{{{}}}", names.join(","));
        let error = serde_json::from_str::<UniqueMap<u8>>(&json).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("it has more than 524288 names")
        );
    }

    #[test]
    fn the_ignored_name_may_have_a_value_of_another_type() {
        let read = |json| {
            UniqueMapExcept::<u8>::new("note")
                .deserialize(&mut serde_json::Deserializer::from_str(json))
        };
        assert_eq!(
            read(r#"{"a": 1, "note": [{}]}"#).unwrap().0,
            [("a".to_owned(), 1)]
        );
        assert!(read(r#"{"a": []}"#).is_err());
        assert!(read(r#"{"note": 1, "note": 1}"#).is_err());
    }
}
