//! The serde deserializer of Python's JSON.

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Unexpected,
    Visitor,
};
use serde::forward_to_deserialize_any;

use super::error::JsonError;
use super::map_key::MapKey;
use super::objects::{Cursor, Names, Values, all_values, values_of_fields};
use super::scanner::{Number, Scanner, too_deep};

type Result<T> = std::result::Result<T, JsonError>;

/// Nested values that are read rather than skipped. Each level scans its objects again, and no settings have more than
/// four levels.
const MAX_READ_NESTING: usize = 16;

pub struct PythonJson<'de> {
    pub scanner: Scanner<'de>,
    /// Lists and objects that are being read.
    depth: usize,
    /// The names in the outermost object, once it has been scanned.
    outermost: Option<Names<'de>>,
}

impl<'de> PythonJson<'de> {
    pub fn new(text: &'de str) -> Self {
        Self {
            scanner: Scanner::new(text),
            depth: 0,
            outermost: None,
        }
    }

    /// Reads all of the text as one value. If the text is an object, this can be done again for other fields.
    pub fn whole<T: Deserialize<'de>>(&mut self) -> Result<T> {
        self.scanner.at = 0;
        let value = T::deserialize(&mut *self)?;
        self.scanner.end()?;
        Ok(value)
    }

    /// Skips an object. Returns the values of the names in `fields`.
    fn fields(&mut self, fields: &'static [&'static str]) -> Result<Values<'de>> {
        if self.depth > 1 {
            return values_of_fields(&mut self.scanner, fields);
        }
        let names = match self.outermost.take() {
            Some(names) => names,
            None => Names::scan(&mut self.scanner)?,
        };
        let values = match names.values(fields) {
            Some(values) => {
                self.scanner.at = names.end;
                values
            }
            None => {
                self.scanner.at = names.start;
                values_of_fields(&mut self.scanner, fields)?
            }
        };
        self.outermost = Some(names);
        Ok(values)
    }

    /// Reads a list or an object with `read`.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= MAX_READ_NESTING {
            return Err(too_deep());
        }
        self.depth += 1;
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    /// Reads an object whose values have been found, and which ends here.
    fn found<V: Visitor<'de>>(&mut self, values: Values<'de>, visitor: V) -> Result<V::Value> {
        let end = self.scanner.at;
        let value = visitor.visit_map(FoundValues {
            json: self,
            values: values.into_iter(),
            next: None,
        })?;
        self.scanner.at = end;
        Ok(value)
    }
}

impl<'de> Deserializer<'de> for &mut PythonJson<'de> {
    type Error = JsonError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.scanner.peek() {
            Some(b'"') => visitor.visit_str(&self.scanner.string()?.text()?),
            Some(b'{') => self.nested(|json| {
                let values = all_values(&mut json.scanner)?;
                json.found(values, visitor)
            }),
            Some(b'[') => self.nested(|json| {
                json.scanner.take(b'[', "a list")?;
                let mut items = Items {
                    json,
                    cursor: Cursor::new(b']'),
                };
                let value = visitor.visit_seq(&mut items)?;
                items.skip_rest()?;
                Ok(value)
            }),
            _ if self.scanner.take_word("null") => visitor.visit_unit(),
            _ if self.scanner.take_word("true") => visitor.visit_bool(true),
            _ if self.scanner.take_word("false") => visitor.visit_bool(false),
            _ => match self.scanner.number()? {
                Number::Unsigned(value) => visitor.visit_u64(value),
                Number::Signed(value) => visitor.visit_i64(value),
                Number::Float(value) => visitor.visit_f64(value),
            },
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.scanner.peek();
        if self.scanner.take_word("null") {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    /// Reads an object of any size. If a name occurs twice, the visitor sees both values.
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.scanner.peek() != Some(b'{') {
            return self.deserialize_any(visitor);
        }
        self.nested(|json| {
            json.scanner.take(b'{', "an object")?;
            visitor.visit_map(StreamedValues {
                json,
                cursor: Cursor::new(b'}'),
            })
        })
    }

    /// Reads the last value of every field, and skips all other values.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        match self.scanner.peek() {
            Some(b'{') => {}
            Some(b'[') => return Err(JsonError::invalid_type(Unexpected::Seq, &"an object")),
            _ => return self.deserialize_any(visitor),
        }
        self.nested(|json| {
            let values = json.fields(fields)?;
            json.found(values, visitor)
        })
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.scanner.skip()?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct enum identifier
    }
}

/// The items of a list.
struct Items<'j, 'de> {
    json: &'j mut PythonJson<'de>,
    cursor: Cursor,
}

impl Items<'_, '_> {
    fn skip_rest(&mut self) -> Result<()> {
        while self.cursor.more(&mut self.json.scanner)? {
            self.json.scanner.skip()?;
        }
        Ok(())
    }
}

impl<'de> SeqAccess<'de> for &mut Items<'_, 'de> {
    type Error = JsonError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        if !self.cursor.more(&mut self.json.scanner)? {
            return Ok(None);
        }
        seed.deserialize(&mut *self.json).map(Some)
    }
}

/// The values of an object in the order of the file.
struct StreamedValues<'j, 'de> {
    json: &'j mut PythonJson<'de>,
    cursor: Cursor,
}

impl<'de> MapAccess<'de> for StreamedValues<'_, 'de> {
    type Error = JsonError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        if !self.cursor.more(&mut self.json.scanner)? {
            return Ok(None);
        }
        let name = self.json.scanner.name()?.text()?;
        seed.deserialize(MapKey(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        seed.deserialize(&mut *self.json)
    }
}

/// Values of an object at known offsets.
struct FoundValues<'j, 'de> {
    json: &'j mut PythonJson<'de>,
    values: std::vec::IntoIter<(std::borrow::Cow<'de, str>, usize)>,
    /// The offset of the value whose name was read last.
    next: Option<usize>,
}

impl<'de> MapAccess<'de> for FoundValues<'_, 'de> {
    type Error = JsonError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        let Some((name, offset)) = self.values.next() else {
            return Ok(None);
        };
        self.next = Some(offset);
        seed.deserialize(MapKey(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        if let Some(offset) = self.next.take() {
            self.json.scanner.at = offset;
        }
        seed.deserialize(&mut *self.json)
    }
}
