//! Every relative link leads to a file, and every anchor to a heading.

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::markdown::links;
use super::pages::pages;
use super::slug::anchors;
use crate::support::repository;

/// Returns why the target of a link on a page leads nowhere.
fn problem(page: &Path, target: &str) -> Option<String> {
    let (path, anchor) = match target.split_once('#') {
        Some((path, anchor)) => (path, Some(anchor)),
        None => (target, None),
    };
    let file = if path.is_empty() {
        page.to_owned()
    } else {
        let folder = page.parent().unwrap_or(Path::new(""));
        let Some(file) = within_the_repository(&folder.join(path)) else {
            return Some("leads out of the repository".to_owned());
        };
        file
    };
    let file = repository(file.to_str()?);
    if !file.exists() {
        return Some("there is no such file".to_owned());
    }
    let anchor = anchor?;
    let text = fs::read_to_string(&file).unwrap_or_default();
    (!anchors(&text).iter().any(|known| known == anchor))
        .then(|| format!("there is no heading with the anchor `{anchor}`"))
}

/// Returns the path without `.` and `..`; `None` if it leads out of the repository.
fn within_the_repository(path: &Path) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => plain.pop().then_some(())?,
            Component::Normal(name) => plain.push(name),
            _ => {}
        }
    }
    Some(plain)
}

#[test]
fn every_link_and_anchor_leads_somewhere() {
    let mut problems = Vec::new();
    let mut checked = 0;
    for page in pages() {
        let text = fs::read_to_string(repository(&page)).unwrap();
        for (line, target) in links(&text) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            checked += 1;
            if let Some(problem) = problem(Path::new(&page), &target) {
                problems.push(format!("{page}:{line}: {target}: {problem}"));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(checked > 50, "only {checked} links were found");
}

#[test]
fn a_link_that_leads_nowhere_is_noticed() {
    let problem = |target| problem(Path::new("docs/index.md"), target);
    assert_eq!(problem("../README.md#tokscope"), None);
    assert!(problem("../README.md#nowhere").is_some());
    assert!(problem("nowhere.md").is_some());
    assert!(problem("../../README.md").is_some());
}
