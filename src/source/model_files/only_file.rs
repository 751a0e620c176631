//! A file that is a model by itself, and the names that its model's files have.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use crate::error::Result;
use crate::source::byte_source::ByteSource;
use crate::source::file_kind::{FileKind, HEAD};
use crate::source::file_name::belongs_to;

/// The file that a reference names.
#[derive(Debug)]
pub(super) struct OnlyFile {
    /// The name within the directory or repository.
    pub(super) name: String,
    kind: OnceLock<FileKind>,
}

impl OnlyFile {
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            kind: OnceLock::new(),
        }
    }

    /// Returns the kind of the file. If it is remote, its name may decide, and its content only where it does not.
    pub(super) fn kind(
        &self,
        is_remote: bool,
        open: impl FnOnce() -> Result<Arc<dyn ByteSource>>,
    ) -> Result<FileKind> {
        if let Some(kind) = self.kind.get() {
            return Ok(*kind);
        }
        let by_name = is_remote.then(|| FileKind::of_name(&self.name)).flatten();
        let kind = match by_name {
            Some(kind) => kind,
            None => {
                let file = open()?;
                FileKind::of(&self.name, &file.read(0..file.len().min(HEAD))?)
            }
        };
        Ok(*self.kind.get_or_init(|| kind))
    }

    /// Returns the name of the file that a model calls `name`: the file itself for the usual names of its kind, or a
    /// file beside it. `None` if that file does not belong to the model.
    pub(super) fn resolve<'n>(&'n self, kind: FileKind, name: &'n str) -> Option<Cow<'n, str>> {
        if self.is(name) {
            return Some(Cow::Borrowed(name));
        }
        if kind.is_named(name) {
            return Some(Cow::Borrowed(&self.name));
        }
        let (folder, only) = self.split();
        let name = match kind.merges(only) {
            Some(merges) if name == "merges.txt" => Cow::Owned(merges),
            _ => Cow::Borrowed(name),
        };
        kind.has_beside(only, &name).then(|| match folder {
            "" => name,
            folder => Cow::Owned(format!("{folder}{name}")),
        })
    }

    /// Returns true if a file of the directory or repository belongs to the model.
    pub(super) fn includes(&self, kind: FileKind, file: &str) -> bool {
        let (folder, only) = self.split();
        let beside = || {
            file.strip_prefix(folder)
                .is_some_and(|name| kind.has_beside(only, name))
        };
        self.is(file) || beside()
    }

    /// Returns true if `file` is this file, or another shard of it.
    pub(super) fn is(&self, file: &str) -> bool {
        belongs_to(&self.name, file)
    }

    /// Returns the folder of the file, with its slash, and its name there.
    fn split(&self) -> (&str, &str) {
        let start = self.name.rfind('/').map_or(0, |slash| slash + 1);
        self.name
            .split_at_checked(start)
            .unwrap_or(("", &self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_names_stand_for_the_file_and_its_neighbors() {
        let only = OnlyFile::new("a/m-vocab.json".to_owned());
        let resolve = |name| only.resolve(FileKind::VocabJson, name).map(Cow::into_owned);
        assert_eq!(resolve("vocab.json").as_deref(), Some("a/m-vocab.json"));
        assert_eq!(resolve("merges.txt").as_deref(), Some("a/m-merges.txt"));
        assert_eq!(resolve("config.json").as_deref(), Some("a/config.json"));
        assert_eq!(resolve("tokenizer.json"), None);
        assert!(only.includes(FileKind::VocabJson, "a/config.json"));
        assert!(!only.includes(FileKind::VocabJson, "config.json"));
    }
}
