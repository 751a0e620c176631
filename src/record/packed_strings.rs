//! A list of short strings in one allocation, for the tokens of a text.

use std::fmt;
use std::ops::Index;

use serde::ser::{Serialize, Serializer};

/// A list of strings stored back to back. In JSON it is an array of strings.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PackedStrings {
    text: String,
    /// End of each string in `text`.
    ends: Vec<usize>,
}

impl PackedStrings {
    /// Reserves room for `strings` more strings with a total of `bytes` bytes.
    pub fn reserve(&mut self, strings: usize, bytes: usize) {
        self.ends.reserve(strings);
        self.text.reserve(bytes);
    }

    /// Appends a string.
    #[inline]
    pub fn push(&mut self, string: &str) {
        self.text.push_str(string);
        self.ends.push(self.text.len());
    }

    /// Returns the string at `index`, or `None` if `index` is out of bounds.
    #[inline]
    pub fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let start = match index.checked_sub(1) {
            Some(before) => self.ends[before],
            None => 0,
        };
        Some(&self.text[start..end])
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> + Clone {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let string = &self.text[start..end];
            start = end;
            string
        })
    }

    /// Joins the strings with a separator.
    pub fn join(&self, separator: &str) -> String {
        let mut joined = String::with_capacity(self.text.len() + separator.len() * self.len());
        for (index, string) in self.iter().enumerate() {
            if index > 0 {
                joined.push_str(separator);
            }
            joined.push_str(string);
        }
        joined
    }
}

impl Index<usize> for PackedStrings {
    type Output = str;

    fn index(&self, index: usize) -> &str {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.text[start..self.ends[index]]
    }
}

impl<S: AsRef<str>> FromIterator<S> for PackedStrings {
    fn from_iter<I: IntoIterator<Item = S>>(strings: I) -> Self {
        let mut list = Self::default();
        for string in strings {
            list.push(string.as_ref());
        }
        list
    }
}

impl<S: AsRef<str>> PartialEq<[S]> for PackedStrings {
    fn eq(&self, other: &[S]) -> bool {
        self.iter().eq(other.iter().map(AsRef::as_ref))
    }
}

impl<S: AsRef<str>> PartialEq<Vec<S>> for PackedStrings {
    fn eq(&self, other: &Vec<S>) -> bool {
        *self == other[..]
    }
}

impl<S: AsRef<str>, const N: usize> PartialEq<[S; N]> for PackedStrings {
    fn eq(&self, other: &[S; N]) -> bool {
        *self == other[..]
    }
}

impl fmt::Debug for PackedStrings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Serialize for PackedStrings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_come_back_as_they_were_pushed() {
        let list: PackedStrings = ["▁ban", "", "co"].into_iter().collect();
        assert_eq!(list, ["▁ban", "", "co"]);
        assert_ne!(list, ["▁ban", "co", ""]);
        assert_eq!(
            (list.get(0), list.get(1), list.get(3)),
            (Some("▁ban"), Some(""), None)
        );
        assert_eq!(&list[2], "co");
        assert_eq!(list.join(" "), "▁ban  co");
        assert_eq!(serde_json::to_string(&list).unwrap(), r#"["▁ban","","co"]"#);
        assert!(PackedStrings::default().is_empty());
    }
}
