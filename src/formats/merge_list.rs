//! The merges of a model in a `tokenizer.json`, in order of rank.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::json::limits::check_length;
use super::json::unread::UnreadBudget;
use crate::record::PackedStrings;

/// Merges, in one allocation: a model has hundreds of thousands.
#[derive(Debug, Clone, Default)]
pub struct MergeList {
    /// The two pieces of each merge.
    pieces: PackedStrings,
    form: Form,
}

/// How the file writes all merges.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Form {
    #[default]
    None,
    /// As lines of a merges file: two pieces with a space between them.
    Lines,
    /// As lists of two pieces.
    Pairs,
    /// In several forms, or in one that the crate refuses.
    Other,
}

impl<'p> FromIterator<(&'p str, &'p str)> for MergeList {
    fn from_iter<I: IntoIterator<Item = (&'p str, &'p str)>>(pairs: I) -> Self {
        let mut pieces = PackedStrings::default();
        for (left, right) in pairs {
            pieces.push(left);
            pieces.push(right);
        }
        let form = Form::Pairs;
        Self { pieces, form }
    }
}

impl MergeList {
    /// Returns the merges whose pieces these are: two for each.
    pub fn from_pieces(pieces: PackedStrings) -> Self {
        let form = Form::Pairs;
        Self { pieces, form }
    }

    /// Returns the pieces that are merged. Returns `None` if the crate refuses the list.
    pub fn pairs(&self) -> Option<impl Iterator<Item = (&str, &str)>> {
        let mut pieces = self.pieces.iter();
        let pairs = std::iter::from_fn(move || Some((pieces.next()?, pieces.next()?)));
        (self.form != Form::Other).then_some(pairs)
    }

    fn set_form(&mut self, form: Form) {
        self.form = match self.form {
            Form::None => form,
            same if same == form => form,
            _ => Form::Other,
        };
    }

    /// Adds a line, unless it states the version of the format.
    fn push_line(&mut self, line: &str) {
        if line.starts_with("#version") {
            return self.set_form(Form::Lines);
        }
        let pair = line.split_once(' ');
        match pair.filter(|(_, right)| !right.contains(' ')) {
            Some((left, right)) => {
                self.pieces.push(left);
                self.pieces.push(right);
                self.set_form(Form::Lines);
            }
            None => self.set_form(Form::Other),
        }
    }
}

/// Reads a list of merges. A value in it that is no merge is skipped at the cost of the budget.
pub struct MergesSeed<'b>(pub &'b UnreadBudget);

impl<'de> DeserializeSeed<'de> for MergesSeed<'_> {
    type Value = MergeList;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<MergeList, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for MergesSeed<'_> {
    type Value = MergeList;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<E: Error>(self) -> Result<MergeList, E> {
        Ok(MergeList {
            form: Form::Other,
            ..MergeList::default()
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<MergeList, A::Error> {
        let mut list = MergeList::default();
        let mut count = 0;
        loop {
            let merge = Strings {
                budget: self.0,
                list: &mut list,
                in_pair: None,
            };
            if items.next_element_seed(merge)?.is_none() {
                return Ok(list);
            }
            check_length(count)?;
            count += 1;
        }
    }
}

/// Reads a merge, or a piece of one. Any other value makes the list one that the crate refuses.
struct Strings<'b, 'l> {
    budget: &'b UnreadBudget,
    list: &'l mut MergeList,
    /// The number of pieces before this one in a pair. `None` for a merge.
    in_pair: Option<usize>,
}

impl Strings<'_, '_> {
    fn other<E: Error>(self) -> Result<(), E> {
        self.list.form = Form::Other;
        self.budget.spend()
    }
}

impl<'de> DeserializeSeed<'de> for Strings<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strings<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a merge")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        match self.in_pair {
            None => self.list.push_line(text),
            Some(0 | 1) => self.list.pieces.push(text),
            Some(_) => return self.other(),
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut pieces: A) -> Result<(), A::Error> {
        let Self { budget, list, .. } = self;
        if self.in_pair.is_some() {
            list.form = Form::Other;
            return budget.any().visit_seq(pieces);
        }
        let mut count = 0;
        loop {
            let piece = Strings {
                budget,
                list: &mut *list,
                in_pair: Some(count),
            };
            if pieces.next_element_seed(piece)?.is_none() {
                break;
            }
            count += 1;
        }
        list.set_form(if count == 2 { Form::Pairs } else { Form::Other });
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        self.list.form = Form::Other;
        self.budget.any().visit_map(map)
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.other()
    }

    fn visit_bool<E: Error>(self, _value: bool) -> Result<(), E> {
        self.other()
    }

    fn visit_i64<E: Error>(self, _value: i64) -> Result<(), E> {
        self.other()
    }

    fn visit_u64<E: Error>(self, _value: u64) -> Result<(), E> {
        self.other()
    }

    fn visit_f64<E: Error>(self, _value: f64) -> Result<(), E> {
        self.other()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str, budget: &UnreadBudget) -> serde_json::Result<MergeList> {
        MergesSeed(budget).deserialize(&mut serde_json::Deserializer::from_str(json))
    }

    #[test]
    fn merges_are_lines_or_pairs() {
        for json in [
            r##"["#version: 0.2", "a é", "\n b"]"##,
            r#"[["a", "\u00e9"], ["\n", "b"]]"#,
        ] {
            let list = read(json, &UnreadBudget::default()).unwrap();
            let pairs: Vec<_> = list.pairs().unwrap().collect();
            assert_eq!(pairs, [("a", "é"), ("\n", "b")], "{json}");
        }
        for json in [
            r#"["a b", ["a", "b"]]"#,
            r#"[["a", "b"], "a b"]"#,
            r#"["ab"]"#,
            r#"["a b c"]"#,
            r#"[["a"]]"#,
            r#"[["a b"]]"#,
            r#"[["a", "b", "c"]]"#,
            r#"[["a", 1, "b"]]"#,
            "[1]",
            "null",
        ] {
            let list = read(json, &UnreadBudget::default()).unwrap();
            assert!(list.pairs().is_none(), "{json}");
        }
        assert!(read("{}", &UnreadBudget::default()).is_err());
    }

    #[test]
    fn merges_are_free_and_what_else_is_in_the_list_is_not() {
        let budget = UnreadBudget::default();
        for merge in [r#""a b""#, r#"["a", "b"]"#, "[]"] {
            let merges = format!("[{}]", vec![merge; 70_000].join(","));
            read(&merges, &budget).unwrap();
        }
        for (merge, cost) in [
            ("1", 1),
            (r#"["a", "b", "c"]"#, 1),
            (r#"[["a", "b"]]"#, 3),
            (r#"{"a": 1}"#, 3),
        ] {
            let before = budget.left();
            read(&format!("[{merge}]"), &budget).unwrap();
            assert_eq!(before - budget.left(), cost, "{merge}");
        }
        let nested = format!("[[[{}]]]", vec![r#""a""#; 70_000].join(","));
        assert!(read(&nested, &budget).is_err());
    }
}
