//! The anchors that GitHub gives to headings.

use std::collections::HashMap;

use super::markdown::headings;

/// Returns the anchor of a heading: lower case, letters, digits, `-` and `_` only, spaces as `-`.
fn slug(heading: &str) -> String {
    let mut text = heading.to_owned();
    // A link's text counts, its target does not.
    while let Some(at) = text.find("](") {
        let end = text[at..]
            .find(')')
            .map_or(text.len(), |length| at + length + 1);
        text.replace_range(at..end, "");
    }
    text.to_lowercase()
        .chars()
        .filter_map(|c| match c {
            ' ' => Some('-'),
            c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
            _ => None,
        })
        .collect()
}

/// Returns the anchors of a page; one that occurs again gets a number.
pub fn anchors(markdown: &str) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut anchors = Vec::new();
    for (_, _, heading) in headings(markdown) {
        let slug = slug(heading);
        let times = seen.entry(slug.clone()).or_default();
        anchors.push(match *times {
            0 => slug,
            times => format!("{slug}-{times}"),
        });
        *times += 1;
    }
    anchors
}

#[test]
fn anchors_are_those_of_github() {
    let page = "# `count` and `total`\n## Exit codes, streams, errors\n## ¿Qué es un token?\n## [A](b.md) c\n\
                ## snake_case-x\n## [A](b.md) c\n";
    let expected = [
        "count-and-total",
        "exit-codes-streams-errors",
        "qué-es-un-token",
        "a-c",
        "snake_case-x",
        "a-c-1",
    ];
    assert_eq!(anchors(page), expected);
}
