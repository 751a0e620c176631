//! Values that are skipped here but that another parser of the same file holds in memory.
//!
//! The `tokenizers` crate takes up to 50 bytes of memory per byte of an unknown field. Such values are therefore counted
//! while they are skipped.

use std::cell::Cell;
use std::fmt;

use serde::de::value::StringDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};

/// The number of values of one file that may still be skipped.
#[derive(Debug)]
pub struct UnreadBudget(Cell<usize>);

impl Default for UnreadBudget {
    fn default() -> Self {
        Self(Cell::new(Self::MAX_VALUES))
    }
}

impl UnreadBudget {
    /// Published files have at most a few dozen, the settings of a model that is not read here.
    const MAX_VALUES: usize = 1 << 16;

    /// Returns a seed that skips any value.
    pub fn any(&self) -> Unread<'_> {
        Unread(self)
    }

    /// Returns the number of values that may still be skipped.
    #[cfg(test)]
    pub fn left(&self) -> usize {
        self.0.get()
    }

    /// Counts a value.
    ///
    /// # Errors
    /// Fails if there are too many.
    pub fn spend<E: Error>(&self) -> Result<(), E> {
        let left = self.0.get().checked_sub(1).ok_or_else(|| {
            E::custom(format_args!(
                "its unknown fields have more than {} values",
                Self::MAX_VALUES
            ))
        })?;
        self.0.set(left);
        Ok(())
    }
}

/// Skips a value.
#[derive(Debug, Clone, Copy)]
pub struct Unread<'b>(&'b UnreadBudget);

impl<'de> DeserializeSeed<'de> for Unread<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unread<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.0.spend()
    }

    fn visit_bool<E: Error>(self, _value: bool) -> Result<(), E> {
        self.0.spend()
    }

    fn visit_i64<E: Error>(self, _value: i64) -> Result<(), E> {
        self.0.spend()
    }

    fn visit_u64<E: Error>(self, _value: u64) -> Result<(), E> {
        self.0.spend()
    }

    fn visit_f64<E: Error>(self, _value: f64) -> Result<(), E> {
        self.0.spend()
    }

    fn visit_str<E: Error>(self, _value: &str) -> Result<(), E> {
        self.0.spend()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        self.0.spend()?;
        while list.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.0.spend()?;
        while map.next_key_seed(self)?.is_some() {
            map.next_value_seed(self)?;
        }
        Ok(())
    }
}

/// The entries of an object with known names. The others are skipped.
pub struct KnownFields<'b, A> {
    pub map: A,
    pub names: &'static [&'static str],
    pub budget: &'b UnreadBudget,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for KnownFields<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        while let Some(name) = self.map.next_key::<String>()? {
            if self.names.contains(&name.as_str()) {
                let name: StringDeserializer<A::Error> = name.into_deserializer();
                return seed.deserialize(name).map(Some);
            }
            self.map.next_value_seed(self.budget.any())?;
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skip(seed: Unread<'_>, json: &str) -> serde_json::Result<()> {
        seed.deserialize(&mut serde_json::Deserializer::from_str(json))
    }

    #[test]
    fn values_are_counted_over_all_fields() {
        let budget = UnreadBudget::default();
        let thirty_thousand = format!("[{}]", vec!["0"; 29_999].join(","));
        skip(budget.any(), &thirty_thousand).unwrap();
        skip(budget.any(), &thirty_thousand).unwrap();
        let error = skip(budget.any(), &thirty_thousand)
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("its unknown fields have more than 65536 values"),
            "{error}"
        );
    }
}
