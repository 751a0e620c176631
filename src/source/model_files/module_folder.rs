//! `modules.json` of sentence-transformers, which names the folder of the transformer or of the static matrix.

use std::sync::{Arc, OnceLock};

use serde::Deserialize;

use crate::error::Result;
use crate::source::byte_source::ByteSource;
use crate::source::file_name::is_within;

/// The name of the file.
pub const MODULES: &str = "modules.json";
/// The maximum length of the file in bytes. One of ten modules has about 1000.
const MAX_BYTES: usize = 1 << 20;

#[derive(Deserialize)]
struct Module {
    #[serde(default)]
    path: String,
}

/// The folder that `modules.json` names, once that file is known.
#[derive(Debug, Default)]
pub struct ModuleFolder(OnceLock<Option<String>>);

impl ModuleFolder {
    /// Looks for a file in the folder, or at the top of the model if there is no such folder. `read` opens `modules.json`
    /// if it is known to exist.
    ///
    /// # Errors
    /// Returns the errors of `read` and `look`.
    pub fn look<T>(
        &self,
        name: &str,
        read: impl Fn() -> Result<Option<Arc<dyn ByteSource>>>,
        look: impl Fn(&str) -> Result<Option<T>>,
    ) -> Result<Option<T>> {
        self.set(&read)?;
        if self.is_set() {
            return look(&self.join(name));
        }
        let found = look(name)?;
        // The Hub may have listed the files meanwhile.
        self.set(&read)?;
        match self.is_set() {
            true => look(&self.join(name)),
            false => Ok(found),
        }
    }

    fn set(&self, read: impl Fn() -> Result<Option<Arc<dyn ByteSource>>>) -> Result<()> {
        if self.0.get().is_none()
            && let Some(file) = read()?
        {
            let folder = parse(&file.read_all()?);
            self.0.get_or_init(|| folder);
        }
        Ok(())
    }

    fn is_set(&self) -> bool {
        matches!(self.0.get(), Some(Some(_)))
    }

    /// Returns the name of a file in the folder, or the same name if there is no such folder.
    pub fn join(&self, name: &str) -> String {
        match self.0.get() {
            Some(Some(folder)) => format!("{folder}/{name}"),
            _ => name.to_owned(),
        }
    }
}

/// Returns the folder of the first module. Returns `None` if it is the folder of the model itself, or if the file cannot
/// be read: models have been found by their other files before this one was looked at.
pub fn parse(bytes: &[u8]) -> Option<String> {
    let bytes = bytes.get(..bytes.len().min(MAX_BYTES + 1))?;
    if bytes.len() > MAX_BYTES {
        return None;
    }
    let modules: Vec<Module> = serde_json::from_slice(bytes).ok()?;
    let path = modules.into_iter().next()?.path;
    let path = path
        .strip_prefix("./")
        .unwrap_or(&path)
        .trim_end_matches('/');
    is_within(path).then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_module_names_the_folder() {
        let folder = |path: &str| {
            let json = format!(
                r#"[{{"idx": 0, "name": "0", "path": "{path}", "type": "t"}}, {{"path": "1_Pooling"}}]"#
            );
            parse(json.as_bytes())
        };
        assert_eq!(folder("0_Transformer").as_deref(), Some("0_Transformer"));
        assert_eq!(folder("./a/b/").as_deref(), Some("a/b"));
        for path in ["", ".", "..", "../x", "/etc", "a/../../x", "C:x", "a//b"] {
            assert_eq!(folder(path), None, "{path}");
        }
        for json in [
            "",
            "[]",
            "{}",
            "[1]",
            "[{\"path\": 1}]",
            "[{}]",
            "[{\"path\":",
        ] {
            assert_eq!(parse(json.as_bytes()), None, "{json}");
        }
        let long = format!("[{{\"path\": \"a\"}}{}]", " ".repeat(MAX_BYTES));
        assert_eq!(parse(long.as_bytes()), None);
    }
}
