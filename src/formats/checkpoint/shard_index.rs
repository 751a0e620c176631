//! The index of a sharded checkpoint (`*.index.json`) → which file holds which tensor.
//!
//! The index is a JSON object with `weight_map`, tensor name → file name; other keys are ignored. It is downloaded
//! text whose file names become paths and URLs, so they are checked here: none leads out of the model's directory.

use std::collections::HashMap;

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::formats::json::UniqueMap;
use crate::formats::json::parse;
use crate::formats::quote::quote;

/// The tensors of a sharded checkpoint, each with its file.
#[derive(Debug)]
pub struct ShardIndex {
    /// In the order of the index; all names differ.
    tensors: Vec<(String, String)>,
    position: HashMap<String, usize>,
}

#[derive(Deserialize)]
struct Json {
    weight_map: UniqueMap<String>,
}

impl ShardIndex {
    /// Parses the index file `name`.
    ///
    /// # Errors
    /// [`Error::Damaged`] if it is not an index, names a tensor twice or a file outside the model's directory.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self> {
        let Json {
            weight_map: UniqueMap(tensors),
        } = parse(name, bytes)?;
        let mut position = HashMap::with_capacity(tensors.len());
        for (index, (tensor, file)) in tensors.iter().enumerate() {
            if !is_inside(file) {
                return Err(Error::damaged(
                    name,
                    format!("{} is not the name of a file beside it", quote(file)),
                ));
            }
            position.insert(tensor.clone(), index);
        }
        Ok(Self { tensors, position })
    }

    /// The file that holds a tensor, relative to the directory of the index.
    pub fn file_of(&self, tensor: &str) -> Option<&str> {
        let &index = self.position.get(tensor)?;
        self.tensors.get(index).map(|(_, file)| file.as_str())
    }

    /// Every tensor with its file, in the order of the index.
    pub fn tensors(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.tensors
            .iter()
            .map(|(tensor, file)| (tensor.as_str(), file.as_str()))
    }

    /// The names of the files, sorted, each once.
    pub fn files(&self) -> Vec<&str> {
        let mut files: Vec<&str> = self.tensors.iter().map(|(_, file)| file.as_str()).collect();
        files.sort_unstable();
        files.dedup();
        files
    }
}

/// Whether a relative path of `/`-separated names stays in its directory on every system: no empty, `.` or `..`
/// name (so no absolute path), no `\` and no `:`, which separate on Windows, and no control character.
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
    fn file_names_that_lead_out_are_refused() {
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
                    .ends_with("` is not the name of a file beside it"),
                "{file}: {error}"
            );
        }
        assert_eq!(
            parse(r#"{"weight_map": {"t": "../x"}}"#)
                .unwrap_err()
                .to_string(),
            "model.safetensors.index.json is damaged: `../x` is not the name of a file beside it"
        );
    }

    #[test]
    fn what_is_no_index_is_refused() {
        for json in [
            "",
            "{",
            "[]",
            "{}",
            r#"{"weight_map": []}"#,
            r#"{"weight_map": {"a": 1}}"#,
            r#"{"weight_map": {"a": "1", "a": "2"}}"#,
            &format!("{}1", "[".repeat(100_000)),
        ] {
            assert!(
                matches!(parse(json), Err(Error::Damaged { .. })),
                "{json:.40}"
            );
        }
    }
}
