//! docs/reference/columns.md lists the columns of CSV and TSV; the list is made from the column tables.

use std::fmt::Write as _;
use std::fs;

use tokscope::render::columns;

use super::is_blessing;
use super::records_reference::names_of_records;
use crate::support::repository;

const PAGE: &str = "docs/reference/columns.md";

/// The lines of comment around the generated part of the page.
const BEGIN: &str = "<!-- columns begin -->\n";
const END: &str = "\n<!-- columns end -->";

/// Returns the generated part of the page.
fn columns_section() -> String {
    let mut section = String::new();
    for table in columns::all() {
        let records: Vec<String> = table
            .records
            .iter()
            .map(|record| format!("`{record}`"))
            .collect();
        let _ = writeln!(section, "\n## {}\n", records.join(", "));
        section.push_str("| column | type |\n|---|---|\n");
        for column in table.columns {
            let when = if column.compared {
                ", if rows are compared"
            } else {
                ""
            };
            let (name, type_name) = (column.name, column.type_name);
            let _ = writeln!(section, "| `{name}` | {type_name}{when} |");
        }
    }
    section
}

#[test]
fn the_reference_lists_every_column() {
    let path = repository(PAGE);
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (listed, after) = rest.split_once(END).unwrap();
    let section = columns_section();
    if is_blessing() {
        fs::write(&path, [before, BEGIN, &section, END, after].concat()).unwrap();
        return;
    }
    assert_eq!(
        listed, section,
        "{PAGE} is out of date; TOKSCOPE_BLESS=1 cargo test --test it docs:: writes it"
    );
}

#[test]
fn every_record_but_an_error_has_one_table() {
    let mut names: Vec<String> = names_of_records().into_iter().collect();
    names.retain(|name| name != "error");
    let tables = columns::all();
    let records = tables.iter().flat_map(|table| table.records);
    let mut records: Vec<&str> = records.copied().collect();
    records.sort_unstable();
    assert_eq!(records, names);
}
