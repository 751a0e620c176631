//! The start of a JSON list, up to a number of items.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};

/// The first `MAX` items of a list. The others are read and forgotten.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BoundedList<T, const MAX: usize> {
    pub(super) items: Vec<T>,
    /// True if the list has more items.
    pub(super) is_cut: bool,
}

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for BoundedList<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ListVisitor::<T, MAX>(PhantomData))
    }
}

struct ListVisitor<T, const MAX: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for ListVisitor<T, MAX> {
    type Value = BoundedList<T, MAX>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while items.len() < MAX {
            match list.next_element()? {
                Some(item) => items.push(item),
                None => {
                    let is_cut = false;
                    return Ok(BoundedList { items, is_cut });
                }
            }
        }
        let mut is_cut = false;
        while let Some(IgnoredAny) = list.next_element()? {
            is_cut = true;
        }
        Ok(BoundedList { items, is_cut })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_items_are_held() {
        for (json, items, is_cut) in [
            ("[]", vec![], false),
            ("[1, 2]", vec![1, 2], false),
            ("[1, 2, 3]", vec![1, 2, 3], false),
            ("[1, 2, 3, {\"a\": [4]}, 5]", vec![1, 2, 3], true),
        ] {
            let list: BoundedList<u8, 3> = serde_json::from_str(json).unwrap();
            assert_eq!(list, BoundedList { items, is_cut }, "{json}");
        }
        assert!(serde_json::from_str::<BoundedList<u8, 3>>("[1, 2, 3, 4").is_err());
    }
}
