//! `modules.json` of sentence-transformers, which names the folder of the transformer or of the static matrix.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use serde::Deserialize;

use crate::error::Result;
use crate::source::byte_source::ByteSource;
use crate::source::file_name::is_within;

/// The name of the file.
pub(super) const MODULES: &str = "modules.json";
/// The maximum length of the file in bytes. One of ten modules has about 1000.
const MAX_BYTES: usize = 1 << 20;

#[derive(Deserialize)]
struct Module {
    #[serde(default)]
    path: String,
}

/// The `modules.json` of a model.
pub(super) enum Modules {
    File(Arc<dyn ByteSource>),
    Absent,
    /// Only the Hub can say whether there is one.
    Unknown,
}

/// The folder that `modules.json` names, once it is known whether there is such a file.
#[derive(Debug, Default)]
pub(super) struct ModuleFolder {
    folder: OnceLock<Option<String>>,
    /// True after the Hub cache was searched.
    searched: AtomicBool,
}

impl ModuleFolder {
    /// Looks for a file in the folder, or at the top of the model if there is no such folder. `modules` finds the
    /// `modules.json` if that is possible without asking the Hub for the names of its files, and searches the Hub cache
    /// only if it is given true.
    ///
    /// # Errors
    /// Returns the errors of `modules` and `look`.
    pub(super) fn look<T>(
        &self,
        name: &str,
        modules: impl Fn(bool) -> Result<Modules>,
        look: impl Fn(&str) -> Result<Option<T>>,
    ) -> Result<Option<T>> {
        self.set(|| modules(!self.searched.load(Ordering::Acquire)))?;
        self.searched.store(true, Ordering::Release);
        let found = look(&self.join(name))?;
        if self.folder.get().is_some() {
            return Ok(found);
        }
        // The Hub may have listed the files meanwhile.
        self.set(|| modules(false))?;
        match self.folder.get() {
            Some(Some(_)) => look(&self.join(name)),
            _ => Ok(found),
        }
    }

    fn set(&self, modules: impl Fn() -> Result<Modules>) -> Result<()> {
        if self.folder.get().is_none() {
            let folder = match modules()? {
                Modules::File(file) => parse(&file.read_all()?),
                Modules::Absent => None,
                Modules::Unknown => return Ok(()),
            };
            self.folder.get_or_init(|| folder);
        }
        Ok(())
    }

    /// Returns the name of a file in the folder, or the same name if there is no such folder.
    pub(super) fn join(&self, name: &str) -> String {
        match self.folder.get() {
            Some(Some(folder)) => format!("{folder}/{name}"),
            _ => name.to_owned(),
        }
    }
}

/// Returns the folder of the first module. Returns `None` if it is the folder of the model itself, or if the file cannot
/// be read: models have been found by their other files before this one was looked at.
fn parse(bytes: &[u8]) -> Option<String> {
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
    use std::cell::Cell;

    use super::*;
    use crate::source::byte_source::MemoryFile;

    #[test]
    fn the_file_is_looked_for_until_it_is_known_whether_there_is_one() {
        let looked = |modules: &dyn Fn(bool) -> Modules| {
            let (folder, asked) = (ModuleFolder::default(), Cell::new(0));
            let modules = |in_cache| {
                asked.set(asked.get() + 1);
                Ok(modules(in_cache))
            };
            let look = |name: &str| Ok(Some(name.to_owned()));
            let [first, second] = ["a", "b"].map(|name| folder.look(name, modules, look));
            (
                first.unwrap().unwrap(),
                second.unwrap().unwrap(),
                asked.get(),
            )
        };
        let file = || {
            let json = br#"[{"path": "0_T"}]"#.to_vec();
            Modules::File(Arc::new(MemoryFile::new("modules.json", json)))
        };
        let names = |first: &str, second: &str, asked| (first.to_owned(), second.to_owned(), asked);
        assert_eq!(looked(&|_| Modules::Absent), names("a", "b", 1));
        assert_eq!(looked(&|_| file()), names("0_T/a", "0_T/b", 1));
        assert_eq!(looked(&|_| Modules::Unknown), names("a", "b", 4));
        let searches = Cell::new(0);
        let searched = |in_cache| {
            searches.set(searches.get() + i32::from(in_cache));
            Modules::Unknown
        };
        assert_eq!((looked(&searched), searches.get()), (names("a", "b", 4), 1));
        let after_a_listing = Cell::new(false);
        let listed = |_| match after_a_listing.replace(true) {
            true => file(),
            false => Modules::Unknown,
        };
        assert_eq!(looked(&listed), names("0_T/a", "0_T/b", 2));
    }

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
