//! The names of a model and of its files, which differ if a reference names one file as the model.

use std::borrow::Cow;
use std::path::{Component, Path};

use super::ModelFiles;
use super::origin::Origin;
use crate::error::{Error, Result};
use crate::source::file_kind::FileKind;
use crate::source::file_name::is_within;

impl ModelFiles {
    /// Returns the name of the model in records: `owner/name`, a path, `ollama:name:tag`, `tiktoken:name`, or `demo`.
    pub fn model(&self) -> String {
        if let Some(ollama) = &self.ollama {
            return ollama.clone();
        }
        match (&self.origin, &self.only) {
            (Origin::Demo, _) => "demo".to_owned(),
            (Origin::Directory(directory), None) => directory.path().display().to_string(),
            (Origin::Directory(directory), Some(only)) => {
                directory.path().join(&only.name).display().to_string()
            }
            (Origin::Hub(hub), _) => hub.id(),
            (Origin::Published(file), _) => file.name(),
        }
    }

    /// Returns the name of the model as the subject of a sentence.
    pub fn place(&self) -> String {
        match (&self.origin, &self.only) {
            (Origin::Demo, _) => "the built-in model".to_owned(),
            (Origin::Directory(_), None) => format!("directory {}", self.model()),
            (Origin::Directory(_), Some(_)) => self.model(),
            (Origin::Hub(hub), None) => format!("`{}`", hub.id()),
            (Origin::Published(file), _) => format!("`{}`", file.name()),
            (Origin::Hub(hub), Some(only)) => format!("{} of `{}`", only.name, hub.id()),
        }
    }

    /// Returns the reference that names a file of this model as the model.
    pub fn reference_to(&self, name: &str) -> String {
        match &self.origin {
            Origin::Hub(hub) => hub.reference().and_file(name).to_string(),
            _ if self.only.is_some() => self.model(),
            _ => format!("{}/{name}", self.model()),
        }
    }

    /// Returns the name of the file that is the model by itself, if the reference names one.
    pub fn only(&self) -> Option<&str> {
        self.only.as_ref().map(|only| &*only.name)
    }

    /// Returns the kind of the file that is the model by itself; `None` if the reference names none. On the Hub, the
    /// name decides, and the content only where it does not.
    ///
    /// # Errors
    /// Fails with [`Error::BadModelRef`] if there is no such file, or with the error of reading it.
    pub fn only_kind(&self) -> Result<Option<FileKind>> {
        let Some(only) = &self.only else {
            return Ok(None);
        };
        let kind = only.kind(!self.are_local(), || {
            let file = self.find_ranged(&only.name)?;
            file.ok_or_else(|| self.no_such_file(&only.name))
        });
        kind.map(Some)
    }

    /// Returns true if the files are on disk or built in, and not on the Hub or published elsewhere.
    pub fn are_local(&self) -> bool {
        !matches!(self.origin, Origin::Hub(_) | Origin::Published(_))
    }

    /// Returns the error for a reference that names a file that does not exist.
    pub fn no_such_file(&self, name: &str) -> Error {
        match self.missing("such file", &[name]) {
            Error::MissingPart { .. } => Error::BadModelRef {
                given: self.reference_to(name),
                problem: "there is no such file".to_owned(),
            },
            unreachable => unreachable,
        }
    }

    /// Returns the name of the file that the model calls `name`, which differs if a reference names a file. `None` if
    /// the model cannot have such a file.
    pub(super) fn resolve<'n>(&'n self, name: &'n str) -> Result<Option<Cow<'n, str>>> {
        self.check(name)?;
        match &self.only {
            Some(only) if !only.is(name) => match self.only_kind()? {
                Some(kind) => Ok(only.resolve(kind, name)),
                None => Ok(None),
            },
            _ => Ok(Some(Cow::Borrowed(name))),
        }
    }

    /// Returns true if a file of the directory or repository may belong to the model.
    pub(super) fn includes(&self, file: &str) -> bool {
        self.only
            .as_ref()
            .is_none_or(|only| match self.only_kind() {
                Ok(Some(kind)) => only.includes(kind, file),
                _ => only.is(file),
            })
    }

    /// Returns the name, within the model, of the file that models call `name`.
    pub fn actual_name(&self, name: &str) -> String {
        let resolved = self.resolve(name).ok().flatten();
        self.full_name(&resolved.unwrap_or(Cow::Borrowed(name)))
    }

    fn check(&self, name: &str) -> Result<()> {
        if is_within(name) || self.is_local(name) {
            return Ok(());
        }
        Err(Error::damaged(
            self.model(),
            format!("it refers to {name:?}, which is not the name of one of its files"),
        ))
    }

    /// Returns true if the model is a directory, and a name can be that of a file directly in it on this operating
    /// system, which may allow characters that others do not.
    fn is_local(&self, name: &str) -> bool {
        let mut components = Path::new(name).components();
        let is_plain = matches!(components.next(), Some(Component::Normal(part)) if part == name)
            && components.next().is_none();
        matches!(self.origin, Origin::Directory(_)) && is_plain && !name.contains('\0')
    }
}
