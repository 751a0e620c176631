//! The graph of imports between source files.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::imports::{Imports, ModulePath, imports};

/// Source files with their imports. Files are named relative to `src`, without tests and without `main.rs`.
pub struct Graph {
    /// For each file, the files it imports from, each with the first import.
    edges: BTreeMap<String, BTreeMap<String, Edge>>,
}

/// The first place where a file imports from another.
#[derive(Debug, Clone)]
pub struct Edge {
    pub path: ModulePath,
    pub line: usize,
}

impl Graph {
    /// Reads the imports of `(file, source)` pairs.
    pub fn new(sources: &[(String, String)]) -> Self {
        let files: BTreeMap<ModulePath, &str> = sources
            .iter()
            .filter(|(file, _)| file != "main.rs")
            .map(|(file, _)| (module_of(file), file.as_str()))
            .collect();
        let modules: BTreeSet<ModulePath> = files.keys().cloned().collect();
        let mut read: Vec<(&str, Imports)> = Vec::new();
        for (file, source) in sources {
            if file != "main.rs" {
                read.push((file, imports(source, &module_of(file), &modules)));
            }
        }
        let test_modules: Vec<&ModulePath> = read
            .iter()
            .flat_map(|(_, imports)| &imports.test_modules)
            .collect();
        let is_test = |file: &str| {
            let module = module_of(file);
            test_modules.iter().any(|test| module.starts_with(test))
        };
        let mut edges = BTreeMap::new();
        for (file, imports) in &read {
            if is_test(file) {
                continue;
            }
            let mut targets = BTreeMap::new();
            for used in &imports.uses {
                let target = holder(&files, &used.path);
                if target != *file && !is_test(target) {
                    targets.entry(target.to_owned()).or_insert_with(|| Edge {
                        path: used.path.clone(),
                        line: used.line,
                    });
                }
            }
            edges.insert((*file).to_owned(), targets);
        }
        Self { edges }
    }

    /// Every import, as file, file imported from, and place.
    pub fn imports(&self) -> impl Iterator<Item = (&str, &str, &Edge)> {
        self.edges.iter().flat_map(|(file, targets)| {
            targets
                .iter()
                .map(move |(target, edge)| (file.as_str(), target.as_str(), edge))
        })
    }

    /// Returns the circles: groups of files that all reach each other.
    pub fn circles(&self) -> Vec<Circle> {
        let mut seen = BTreeSet::new();
        let mut circles = Vec::new();
        for file in self.edges.keys() {
            if seen.contains(file.as_str()) {
                continue;
            }
            let Some(shortest) = self.path_back(file) else {
                continue;
            };
            let members: Vec<&str> = self
                .reached_from(file)
                .into_iter()
                .filter(|other| self.reached_from(other).contains(file.as_str()))
                .collect();
            seen.extend(members.iter().copied());
            circles.push(Circle {
                files: members.into_iter().map(str::to_owned).collect(),
                shortest: self.describe(&shortest),
            });
        }
        circles
    }

    fn targets(&self, file: &str) -> impl Iterator<Item = &str> {
        self.edges
            .get(file)
            .into_iter()
            .flat_map(|targets| targets.keys().map(String::as_str))
    }

    fn reached_from(&self, file: &str) -> BTreeSet<&str> {
        let mut reached = BTreeSet::new();
        let mut queue: Vec<&str> = self.targets(file).collect();
        while let Some(next) = queue.pop() {
            if reached.insert(next) {
                queue.extend(self.targets(next));
            }
        }
        reached
    }

    /// Returns a shortest path from a file back to itself, or `None` if it is in no circle. The path lists the file once.
    fn path_back<'g>(&'g self, file: &'g str) -> Option<Vec<&'g str>> {
        let mut before: BTreeMap<&str, &str> = BTreeMap::new();
        let mut queue = VecDeque::from([file]);
        while let Some(next) = queue.pop_front() {
            for target in self.targets(next) {
                if target == file {
                    let mut path = vec![next];
                    while let Some(previous) = before.get(path[path.len() - 1]) {
                        path.push(previous);
                    }
                    path.reverse();
                    return Some(path);
                }
                if !before.contains_key(target) {
                    before.insert(target, next);
                    queue.push_back(target);
                }
            }
        }
        None
    }

    fn describe(&self, path: &[&str]) -> String {
        let ends = path.iter().skip(1).chain(path.first());
        path.iter()
            .zip(ends)
            .map(|(file, target)| {
                let edge = &self.edges[*file][*target];
                let path = edge.path.join("::");
                format!("    {file}:{} uses crate::{path} ({target})\n", edge.line)
            })
            .collect()
    }
}

/// Files that import from each other.
pub struct Circle {
    pub files: BTreeSet<String>,
    /// The lines that make a shortest circle among them.
    pub shortest: String,
}

/// Returns the module that a file holds.
fn module_of(file: &str) -> ModulePath {
    let path = file.strip_suffix(".rs").unwrap_or(file);
    let path = path.strip_suffix("/mod").unwrap_or(path);
    if path == "lib" {
        return Vec::new();
    }
    path.split('/').map(str::to_owned).collect()
}

/// Returns the file that holds the item at `path`: that of the longest prefix that is a module.
fn holder<'f>(files: &BTreeMap<ModulePath, &'f str>, path: &[String]) -> &'f str {
    (0..=path.len())
        .rev()
        .find_map(|length| files.get(&path[..length]))
        .copied()
        .unwrap_or("lib.rs")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(sources: &[(&str, &str)]) -> Graph {
        let sources = sources.iter();
        let owned: Vec<(String, String)> = sources
            .map(|(file, source)| ((*file).to_owned(), (*source).to_owned()))
            .collect();
        Graph::new(&owned)
    }

    fn circles(sources: &[(&str, &str)]) -> Vec<Vec<String>> {
        let circles = graph(sources).circles().into_iter();
        circles
            .map(|circle| circle.files.into_iter().collect())
            .collect()
    }

    #[test]
    fn an_item_belongs_to_the_file_of_its_module() {
        let graph = graph(&[
            ("lib.rs", "mod a; mod d;"),
            ("a/mod.rs", "pub use b::B; mod b;"),
            ("a/b.rs", "use crate::d::D;"),
            ("d.rs", "\nuse crate::a::{B, b::c::X}; use crate::Y;"),
        ]);
        let found: Vec<(&str, &str, usize)> = graph
            .imports()
            .map(|(file, target, edge)| (file, target, edge.line))
            .collect();
        assert_eq!(
            found,
            [
                ("a/b.rs", "d.rs", 1),
                ("a/mod.rs", "a/b.rs", 1),
                ("d.rs", "a/b.rs", 2),
                ("d.rs", "a/mod.rs", 2),
                ("d.rs", "lib.rs", 2),
            ]
        );
    }

    #[test]
    fn files_in_one_direction_have_no_circle() {
        assert!(
            circles(&[
                ("a/mod.rs", "mod b; mod c; use b::B; use c::C;"),
                ("a/b.rs", "use super::c::C;"),
                ("a/c.rs", ""),
            ])
            .is_empty()
        );
    }

    #[test]
    fn a_child_that_imports_from_its_parent_closes_a_circle() {
        let sources = [
            ("a/mod.rs", "mod b; pub use b::B; pub struct A;"),
            ("a/b.rs", "use super::A;"),
        ];
        assert_eq!(circles(&sources), [["a/b.rs", "a/mod.rs"]]);
    }

    #[test]
    fn a_long_circle_is_described_by_its_lines() {
        let found = graph(&[
            ("a.rs", "use crate::b;\nfn f() { b::g(); }"),
            ("b.rs", "\n\nuse crate::c::{C};"),
            ("c.rs", "fn h() -> crate::a::A {}"),
            ("d.rs", "use crate::a;"),
        ]);
        let circles = found.circles();
        assert_eq!(circles.len(), 1);
        assert_eq!(
            circles[0].shortest,
            "    a.rs:1 uses crate::b (b.rs)\n    b.rs:3 uses crate::c::C (c.rs)\n    c.rs:1 uses crate::a::A (a.rs)\n"
        );
    }

    #[test]
    fn test_files_may_import_what_they_like() {
        assert!(
            circles(&[
                ("a/mod.rs", "#[cfg(test)]\nmod tests;\nmod b;\nuse b::B;"),
                (
                    "a/b.rs",
                    "#[cfg(test)]\nmod tests { use crate::a::tests::T; }"
                ),
                ("a/tests.rs", "use super::*; use crate::a::b::B;"),
            ])
            .is_empty()
        );
    }
}
