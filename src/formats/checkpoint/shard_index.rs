//! The index of a sharded checkpoint (`*.index.json`), which maps tensors to files.
//!
//! The index is a JSON object whose `weight_map` maps tensor names to file names; other keys are ignored. The file
//! names are untrusted and become paths and URLs, so names that point outside the model's directory are refused.

use std::collections::HashMap;

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::formats::json::{OrderedMap, parse_python};
use crate::formats::quote::quote;

/// The tensors of a sharded checkpoint and the files that hold them.
#[derive(Debug)]
pub struct ShardIndex {
    /// Tensor names and file names, in the order of the index. All tensor names are distinct.
    tensors: Vec<(String, String)>,
    /// Index into `tensors`, by tensor name.
    positions: HashMap<String, usize>,
}

#[derive(Deserialize)]
struct IndexJson {
    weight_map: OrderedMap<String>,
}

impl ShardIndex {
    /// Parses the index file called `name`.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`] if it is not an index, or if it names a file outside the model's directory.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self> {
        let IndexJson {
            weight_map: OrderedMap(tensors),
        } = parse_python(name, bytes)?;
        let mut positions = HashMap::with_capacity(tensors.len());
        for (index, (tensor, file)) in tensors.iter().enumerate() {
            if !is_inside(file) {
                return Err(Error::damaged(
                    name,
                    format!("{} is not the name of a file in its directory", quote(file)),
                ));
            }
            positions.insert(tensor.clone(), index);
        }
        Ok(Self { tensors, positions })
    }

    /// Returns the file that holds a tensor, relative to the directory of the index; `None` if the index does not list
    /// the tensor.
    pub fn file_of(&self, tensor: &str) -> Option<&str> {
        let &index = self.positions.get(tensor)?;
        self.tensors.get(index).map(|(_, file)| file.as_str())
    }

    /// Returns every tensor with its file, in the order of the index.
    pub fn tensors(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.tensors
            .iter()
            .map(|(tensor, file)| (tensor.as_str(), file.as_str()))
    }

    /// Returns the names of the files, sorted and without duplicates.
    pub fn files(&self) -> Vec<&str> {
        let mut files: Vec<&str> = self.tensors.iter().map(|(_, file)| file.as_str()).collect();
        files.sort_unstable();
        files.dedup();
        files
    }
}

/// Returns true if a path with the separator `/` stays in its directory on every operating system. Refuses empty names
/// (and so absolute paths), `.`, `..`, control characters, and `\` and `:`, which are separators on Windows.
fn is_inside(path: &str) -> bool {
    path.split('/').all(|part| !matches!(part, "" | "." | ".."))
        && !path.contains(|char: char| matches!(char, '\\' | ':') || char.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<ShardIndex> {
        ShardIndex::parse("model.safetensors.index.json", json.as_bytes())
    }

    #[test]
    fn tensors_are_found_in_their_files() {
        let index = parse(
            r#"{"metadata": {"total_size": 3}, "weight_map": {"b": "2.bin", "a": "1.bin", "c": "sub/2.bin", "d": "1.bin"}}"#,
        )
        .unwrap();
        assert_eq!(index.file_of("a"), Some("1.bin"));
        assert_eq!(index.file_of("c"), Some("sub/2.bin"));
        assert_eq!(index.file_of("e"), None);
        assert_eq!(index.files(), ["1.bin", "2.bin", "sub/2.bin"]);
        assert_eq!(index.tensors().next(), Some(("b", "2.bin")));
    }

    #[test]
    fn an_index_is_read_as_by_python() {
        let index = parse(
            r#"{"metadata": {"total_size": NaN}, "weight_map": {}, "weight_map": {"a": "1", "b": "2", "a": "3"}}"#,
        )
        .unwrap();
        assert_eq!(
            index.tensors().collect::<Vec<_>>(),
            [("a", "3"), ("b", "2")]
        );
    }

    #[test]
    fn file_names_outside_the_directory_are_refused() {
        for file in [
            "",
            ".",
            "..",
            "/etc/passwd",
            "../model.bin",
            "a/../../b",
            "a//b",
            "a/",
            "./a",
            "a\\\\b",
            "C:a",
            "a\\u0000b",
            "a\\nb",
        ] {
            let json = format!(r#"{{"weight_map": {{"t": "{file}"}}}}"#);
            let error = parse(&json).unwrap_err();
            assert!(
                error
                    .to_string()
                    .ends_with("` is not the name of a file in its directory"),
                "{file}: {error}"
            );
        }
        assert_eq!(
            parse(r#"{"weight_map": {"t": "../x"}}"#)
                .unwrap_err()
                .to_string(),
            "model.safetensors.index.json is damaged: `../x` is not the name of a file in its directory"
        );
    }

    #[test]
    fn other_json_is_refused() {
        for json in [
            "",
            "{",
            "[]",
            "{}",
            r#"{"weight_map": []}"#,
            r#"{"weight_map": {"a": 1}}"#,
            &format!("{}1", "[".repeat(100_000)),
        ] {
            assert!(
                matches!(parse(json), Err(Error::Damaged { .. })),
                "{json:.40}"
            );
        }
    }
}
