//! One setting of a JSON file, as Python code sees it.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The value of a setting. Nothing in a list or an object is kept.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Setting {
    /// The file does not have the key.
    #[default]
    Absent,
    Null,
    Bool(bool),
    /// A whole number of at least 0.
    Size(u64),
    /// Any other number.
    Number(f64),
    Text(String),
    /// A list or an object, and true if it has an item.
    Container(bool),
}

impl Setting {
    /// Returns the truth value that Python gives the value: `"False"` is true. Returns `default` if the key is absent.
    pub fn truth_or(&self, default: bool) -> bool {
        match self {
            Self::Absent => default,
            Self::Null => false,
            Self::Bool(flag) | Self::Container(flag) => *flag,
            Self::Size(size) => *size != 0,
            Self::Number(number) => *number != 0.0,
            Self::Text(text) => !text.is_empty(),
        }
    }

    /// Returns the value, or `default` if the key is absent.
    #[must_use]
    pub fn or(&self, default: Self) -> Self {
        match self {
            Self::Absent => default,
            given => given.clone(),
        }
    }

    /// Returns true if the key is absent or its value is `null`.
    pub fn is_none(&self) -> bool {
        matches!(self, Self::Absent | Self::Null)
    }

    /// Returns true if Python calls the value equal to a flag: `0` equals false.
    pub fn equals(&self, flag: bool) -> bool {
        match self {
            Self::Bool(own) => *own == flag,
            Self::Size(size) => *size == u64::from(flag),
            Self::Number(number) => *number == f64::from(u8::from(flag)),
            _ => false,
        }
    }

    /// Returns the value if it is a flag.
    pub fn flag(&self) -> Option<bool> {
        match self {
            Self::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    /// Returns the value if it is a whole number of at least 0.
    pub fn size(&self) -> Option<u64> {
        match self {
            Self::Size(size) => Some(*size),
            _ => None,
        }
    }

    /// Returns the value if it is a text.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// Reads the truth value of a setting that is false by default.
///
/// # Errors
/// Fails with the errors of the deserializer.
pub fn truth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Setting::deserialize(deserializer).map(|setting| setting.truth_or(false))
}

impl From<bool> for Setting {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("absent"),
            Self::Null => f.write_str("null"),
            Self::Bool(flag) => write!(f, "{flag}"),
            Self::Size(size) => write!(f, "{size}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Container(_) => f.write_str("a list or an object"),
        }
    }
}

impl<'de> Deserialize<'de> for Setting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Setting;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_unit<E: Error>(self) -> Result<Setting, E> {
                Ok(Setting::Null)
            }

            fn visit_none<E: Error>(self) -> Result<Setting, E> {
                Ok(Setting::Null)
            }

            fn visit_bool<E: Error>(self, flag: bool) -> Result<Setting, E> {
                Ok(Setting::Bool(flag))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Setting, E> {
                Ok(u64::try_from(number).map_or(Setting::Number(number as f64), Setting::Size))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Setting, E> {
                Ok(Setting::Size(number))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Setting, E> {
                Ok(Setting::Number(number))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Setting, E> {
                Ok(Setting::Text(text.to_owned()))
            }

            fn visit_string<E: Error>(self, text: String) -> Result<Setting, E> {
                Ok(Setting::Text(text))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Setting, A::Error> {
                let mut full = false;
                while list.next_element::<IgnoredAny>()?.is_some() {
                    full = true;
                }
                Ok(Setting::Container(full))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Setting, A::Error> {
                let mut full = false;
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
                    full = true;
                }
                Ok(Setting::Container(full))
            }
        }

        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(json: &str) -> Setting {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn settings_have_the_truth_value_of_python() {
        for (json, truth) in [
            ("true", true),
            ("false", false),
            ("null", false),
            ("0", false),
            ("0.0", false),
            ("1", true),
            ("-1", true),
            ("\"False\"", true),
            ("\"\"", false),
            ("[]", false),
            ("[0]", true),
            ("{}", false),
            ("{\"a\": 0}", true),
        ] {
            assert_eq!(setting(json).truth_or(!truth), truth, "{json}");
        }
        assert!(Setting::Absent.truth_or(true));
    }

    #[test]
    fn only_whole_numbers_from_0_are_sizes() {
        let largest = u64::MAX.to_string();
        assert_eq!(setting(&largest).size(), Some(u64::MAX));
        assert_eq!(setting("0").size(), Some(0));
        for json in ["-1", "512.0", "1e3", "null", "\"512\"", "true", "[512]"] {
            assert_eq!(setting(json).size(), None, "{json}");
        }
    }

    #[test]
    fn numbers_equal_flags_as_in_python() {
        assert!(setting("1").equals(true) && setting("0.0").equals(false));
        for json in ["null", "2", "\"true\"", "[]"] {
            let value = setting(json);
            assert!(!value.equals(true) && !value.equals(false), "{json}");
        }
    }
}
