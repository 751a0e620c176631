//! Values that a settings file may write in any way, of which only one aspect is read.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Reads a size. Any value that is not a whole number, such as `null` or `-1`, counts as unset.
///
/// # Errors
/// Fails with the errors of the deserializer.
pub fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Loose::deserialize(deserializer).map(|value| value.size)
}

/// Reads a flag by the truth value that Python gives any value, as the reference does: `"False"` is true.
///
/// # Errors
/// Fails with the errors of the deserializer.
pub fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Loose::deserialize(deserializer).map(|value| value.is_true)
}

/// Reads an object. A value of another kind counts as unset.
///
/// # Errors
/// Fails with the errors of the deserializer, and of `T`.
pub fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    struct ObjectOnly<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectOnly<T> {
        type Value = Option<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a JSON value")
        }

        fn visit_unit<E: Error>(self) -> Result<Option<T>, E> {
            Ok(None)
        }

        fn visit_bool<E: Error>(self, _value: bool) -> Result<Option<T>, E> {
            Ok(None)
        }

        fn visit_i64<E: Error>(self, _value: i64) -> Result<Option<T>, E> {
            Ok(None)
        }

        fn visit_u64<E: Error>(self, _value: u64) -> Result<Option<T>, E> {
            Ok(None)
        }

        fn visit_f64<E: Error>(self, _value: f64) -> Result<Option<T>, E> {
            Ok(None)
        }

        fn visit_str<E: Error>(self, _value: &str) -> Result<Option<T>, E> {
            Ok(None)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Option<T>, A::Error> {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            Ok(None)
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Option<T>, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map)).map(Some)
        }
    }

    deserializer.deserialize_any(ObjectOnly(PhantomData))
}

/// What is read of a value.
#[derive(Default)]
struct Loose {
    is_true: bool,
    size: Option<u64>,
}

impl Loose {
    fn truth(is_true: bool) -> Self {
        Self {
            is_true,
            size: None,
        }
    }
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyValue;

        impl<'de> Visitor<'de> for AnyValue {
            type Value = Loose;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON value")
            }

            fn visit_unit<E: Error>(self) -> Result<Loose, E> {
                Ok(Loose::default())
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Loose, E> {
                Ok(Loose::truth(value))
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Loose, E> {
                Ok(Loose {
                    is_true: value != 0,
                    size: u64::try_from(value).ok(),
                })
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Loose, E> {
                Ok(Loose {
                    is_true: value != 0,
                    size: Some(value),
                })
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Loose, E> {
                Ok(Loose::truth(value != 0.0))
            }

            fn visit_str<E: Error>(self, value: &str) -> Result<Loose, E> {
                Ok(Loose::truth(!value.is_empty()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Loose, A::Error> {
                let mut is_true = false;
                while list.next_element::<IgnoredAny>()?.is_some() {
                    is_true = true;
                }
                Ok(Loose::truth(is_true))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Loose, A::Error> {
                let mut is_true = false;
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
                    is_true = true;
                }
                Ok(Loose::truth(is_true))
            }
        }

        deserializer.deserialize_any(AnyValue)
    }
}
