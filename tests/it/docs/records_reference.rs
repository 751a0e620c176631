//! docs/reference/records.md names every record, and every field of it, and no others.
//!
//! The fields are those of `tests/it/records/`, whose types deny fields that they do not know: a field that the program
//! adds fails there first, and then here.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, Visitor};
use serde::forward_to_deserialize_any;
use tokscope::Metric;
use tokscope::formats::checkpoint::{CONTAINERS, Dtype};
use tokscope::formats::vectors::FORMATS;

use super::markdown::{cells, code_spans};
use crate::records;
use crate::support::repository;

const PAGE: &str = "docs/reference/records.md";

/// Asks a derived `Deserialize` for the fields of its struct.
struct FieldsOf<'a>(&'a mut &'static [&'static str]);

#[derive(Debug)]
struct Asked;

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the fields are known now")
    }
}

impl std::error::Error for Asked {}

impl serde::de::Error for Asked {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

impl<'de> Deserializer<'de> for FieldsOf<'_> {
    type Error = Asked;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Asked> {
        *self.0 = fields;
        Err(Asked)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Asked> {
        Err(Asked::custom("not a struct"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

fn fields<'de, T: Deserialize<'de>>() -> BTreeSet<&'static str> {
    let mut fields: &'static [&'static str] = &[];
    let _ = T::deserialize(FieldsOf(&mut fields));
    assert!(!fields.is_empty());
    fields.iter().copied().collect()
}

/// Returns the names of all records, as the error about an unknown one lists them.
pub fn names_of_records() -> BTreeSet<String> {
    let error = serde_json::from_str::<records::Record>(r#"{"type":"?"}"#).unwrap_err();
    let error = error.to_string();
    let (_, names) = error.split_once("expected one of ").unwrap();
    code_spans(names).into_iter().map(str::to_owned).collect()
}

/// The headings of the page, each with the fields that its table must have.
fn sections() -> Vec<(&'static str, BTreeSet<&'static str>)> {
    let without = |mut fields: BTreeSet<&'static str>, left_out: &[&str]| {
        fields.retain(|name| !left_out.contains(name));
        fields
    };
    vec![
        ("tokenize", fields::<records::Tokenize>()),
        ("decode", fields::<records::Decode>()),
        ("chat", fields::<records::Chat>()),
        ("chat.chat", fields::<records::ChatParts>()),
        ("messages[]", fields::<records::ChatMessage>()),
        ("count", fields::<records::Count>()),
        ("total", fields::<records::Total>()),
        ("group", fields::<records::Group>()),
        ("summary", fields::<records::Summary>()),
        ("info", fields::<records::Info>()),
        ("files[]", fields::<records::FileEntry>()),
        ("tokenizer", fields::<records::TokenizerInfo>()),
        ("added_tokens[]", fields::<records::SpecialToken>()),
        ("embedding", fields::<records::EmbeddingInfo>()),
        ("config", fields::<records::ConfigInfo>()),
        ("findings[]", fields::<records::Finding>()),
        ("piece", fields::<records::Piece>()),
        ("row", fields::<records::Row>()),
        ("diff", fields::<records::Diff>()),
        ("a", fields::<records::RowName>()),
        ("neighbor", fields::<records::Neighbor>()),
        ("similarity", fields::<records::Similarity>()),
        ("stats", fields::<records::Stats>()),
        ("norms", fields::<records::Norms>()),
        ("histogram[]", fields::<records::Bin>()),
        ("smallest[]", fields::<records::RowNorm>()),
        ("file", fields::<records::File>()),
        ("cached", fields::<records::Cached>()),
        ("verify", fields::<records::Verify>()),
        ("difference", fields::<records::Difference>()),
        ("divergence", fields::<records::Divergence>()),
        ("against", fields::<records::Against>()),
        ("lock", without(fields::<records::Lock>(), &["differences"])),
        ("check", fields::<records::Lock>()),
        ("drift", fields::<records::Drift>()),
        ("chunk", without(fields::<records::Chunk>(), &["truncated"])),
        (
            "head",
            without(fields::<records::Chunk>(), &["index", "overlap"]),
        ),
        (
            "tail",
            without(fields::<records::Chunk>(), &["index", "overlap"]),
        ),
        ("match", fields::<records::Match>()),
        ("convert", fields::<records::Convert>()),
        ("error", fields::<records::Error>()),
    ]
}

/// Returns the tables of the page: the names in the heading above, and the names in the first column.
fn tables(page: &str) -> Vec<(Vec<String>, BTreeSet<String>)> {
    let owned = |text: &str| code_spans(text).into_iter().map(str::to_owned).collect();
    let mut tables: Vec<(Vec<String>, BTreeSet<String>)> = Vec::new();
    for line in page.lines() {
        if let Some(heading) = line.strip_prefix('#') {
            tables.push((owned(heading), BTreeSet::new()));
        } else if let Some(cells) = cells(line)
            && let Some((_, names)) = tables.last_mut()
        {
            names.extend::<Vec<String>>(owned(&cells[0]));
        }
    }
    tables.retain(|(heading, _)| !heading.is_empty());
    tables
}

#[test]
fn every_field_of_every_record_has_its_entry() {
    let page = fs::read_to_string(repository(PAGE)).unwrap();
    let tables = tables(&page);
    let mut problems = Vec::new();
    let sections = sections();
    for (name, fields) in &sections {
        let table = tables
            .iter()
            .find(|(heading, _)| heading.iter().any(|other| other == name));
        let Some((_, documented)) = table else {
            problems.push(format!("`{name}` has no heading"));
            continue;
        };
        let documented: BTreeSet<&str> = documented.iter().map(String::as_str).collect();
        for field in fields.difference(&documented) {
            problems.push(format!("`{name}`: the field `{field}` has no entry"));
        }
        for field in documented.difference(fields) {
            problems.push(format!("`{name}`: there is no field `{field}`"));
        }
    }
    for name in names_of_records() {
        if !sections.iter().any(|(section, _)| *section == name) {
            problems.push(format!("the record `{name}` is not compared"));
        }
    }
    assert!(problems.is_empty(), "{PAGE}:\n{}", problems.join("\n"));
}

#[test]
fn fields_with_fixed_values_list_them_all() {
    let page = fs::read_to_string(repository(PAGE)).unwrap();
    let meanings_of = |field: &str| {
        let rows = page.lines().filter_map(cells);
        let rows = rows.filter(|cells| cells[0] == format!("`{field}`"));
        rows.map(|cells| cells.last().cloned().unwrap_or_default())
            .collect::<Vec<String>>()
    };
    let values = [
        (
            "metric",
            Metric::ALL.iter().map(|metric| metric.name()).collect(),
        ),
        (
            "container",
            (CONTAINERS.iter().map(|container| container.name))
                .chain(FORMATS)
                .collect(),
        ),
        (
            "dtype",
            Dtype::readable().map(Dtype::name).collect::<BTreeSet<_>>(),
        ),
    ];
    for (field, values) in values {
        let meanings = meanings_of(field);
        let listed = meanings.iter().any(|meaning| {
            let named: BTreeSet<&str> = code_spans(meaning).into_iter().collect();
            named == values
        });
        assert!(listed, "{PAGE}: no row of `{field}` lists {values:?}");
    }
}

#[test]
fn fields_and_names_are_those_of_the_types() {
    #[derive(Deserialize)]
    #[allow(dead_code, reason = "only its fields' names are looked at")]
    struct Example {
        one: Option<u8>,
        two: String,
    }
    assert_eq!(fields::<Example>(), BTreeSet::from(["one", "two"]));
    assert!(names_of_records().contains("tokenize"));
}

#[test]
fn tables_belong_to_the_heading_above_them() {
    let page = "# Page\n| a |\n## `one` and `two`\n| `x`, `y` | `z` |\n|---|---|\n### `three`\n";
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    let expected = [
        (vec!["one".to_owned(), "two".to_owned()], names(&["x", "y"])),
        (vec!["three".to_owned()], names(&[])),
    ];
    assert_eq!(tables(page), expected);
}
