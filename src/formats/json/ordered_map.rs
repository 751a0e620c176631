//! JSON objects that keep the order of their entries. If a name occurs twice, its last value counts.
//!
//! Python's `json` module and the `safetensors` library read objects in this way, so the model is read here as they
//! load it later.

use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor,
};

/// Names in an object. The largest published models have about 200,000 tensors.
const MAX_NAMES: usize = 1 << 19;

/// The entries of a JSON object in the order in which their names first occur. All names are distinct.
#[derive(Debug)]
pub struct OrderedMap<V>(pub Vec<(String, V)>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for OrderedMap<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OrderedMapExcept::<V, IgnoredAny> {
            excepted: None,
            types: PhantomData,
        })
    }
}

/// Reads an [`OrderedMap`] without the entry of a given name, which may occur once, and whose value is an `E`.
pub struct OrderedMapExcept<V, E> {
    excepted: Option<&'static str>,
    types: PhantomData<(V, E)>,
}

impl<V, E> OrderedMapExcept<V, E> {
    pub fn new(excepted: &'static str) -> Self {
        Self {
            excepted: Some(excepted),
            types: PhantomData,
        }
    }
}

impl<'de, V: Deserialize<'de>, E: Deserialize<'de>> DeserializeSeed<'de>
    for OrderedMapExcept<V, E>
{
    type Value = OrderedMap<V>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, V: Deserialize<'de>, E: Deserialize<'de>> Visitor<'de> for OrderedMapExcept<V, E> {
    type Value = OrderedMap<V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut is_read = false;
        let mut entries: Vec<(String, V)> = Vec::new();
        let mut positions = HashMap::new();
        while let Some(name) = map.next_key::<String>()? {
            if let Some(excepted) = self.excepted
                && excepted == name
            {
                if is_read {
                    return Err(A::Error::duplicate_field(excepted));
                }
                is_read = true;
                map.next_value::<E>()?;
                continue;
            }
            let value = map.next_value()?;
            if let Some(&position) = positions.get(&name) {
                if let Some((_, earlier)) = entries.get_mut(position) {
                    *earlier = value;
                }
                continue;
            }
            if entries.len() >= MAX_NAMES {
                return Err(A::Error::custom(format_args!(
                    "it has more than {MAX_NAMES} names"
                )));
            }
            positions.insert(name.clone(), entries.len());
            entries.push((name, value));
        }
        Ok(OrderedMap(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_keep_their_order() {
        let map: OrderedMap<u8> = serde_json::from_str(r#"{"b": 1, "a": 2}"#).unwrap();
        assert_eq!(map.0, [("b".to_owned(), 1), ("a".to_owned(), 2)]);
    }

    #[test]
    fn the_last_value_of_a_name_counts() {
        let json = r#"{"a": 1, "b": 2, "\u0061": 3}"#;
        let map: OrderedMap<u8> = serde_json::from_str(json).unwrap();
        assert_eq!(map.0, [("a".to_owned(), 3), ("b".to_owned(), 2)]);
    }

    #[test]
    fn too_many_names_are_refused() {
        let names: Vec<String> = (0..=MAX_NAMES)
            .map(|name| format!("\"{name}\":1"))
            .collect();
        let json = format!("{{{}}}", names.join(","));
        let error = serde_json::from_str::<OrderedMap<u8>>(&json).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("it has more than 524288 names")
        );
    }

    #[test]
    fn the_excepted_name_has_a_value_of_another_type() {
        let read = |json| {
            OrderedMapExcept::<u8, Vec<u8>>::new("note")
                .deserialize(&mut serde_json::Deserializer::from_str(json))
        };
        let map = read(r#"{"a": 1, "note": [1]}"#).unwrap();
        assert_eq!(map.0, [("a".to_owned(), 1)]);
        for json in [
            r#"{"a": []}"#,
            r#"{"note": 1}"#,
            r#"{"note": [], "note": []}"#,
        ] {
            assert!(read(json).is_err(), "{json}");
        }
    }
}
