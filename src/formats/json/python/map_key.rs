//! The serde deserializer of an object's names.

use std::borrow::Cow;

use serde::de::{Deserializer, Error, Visitor};
use serde::forward_to_deserialize_any;

use super::error::JsonError;
use crate::formats::quote::quote;

/// A name in an object. Names can stand for whole numbers, as ids do in `added_tokens_decoder`.
pub struct MapKey<'de>(pub Cow<'de, str>);

impl MapKey<'_> {
    fn number(&self) -> Result<u64, JsonError> {
        let number = self.0.trim().parse();
        number.map_err(|_| {
            JsonError::custom(format_args!(
                "a name must be a whole number, not {}",
                quote(&self.0)
            ))
        })
    }
}

impl<'de> Deserializer<'de> for MapKey<'de> {
    type Error = JsonError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        match self.0 {
            Cow::Borrowed(name) => visitor.visit_borrowed_str(name),
            Cow::Owned(name) => visitor.visit_string(name),
        }
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        visitor.visit_u64(self.number()?)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        visitor.visit_u64(self.number()?)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
