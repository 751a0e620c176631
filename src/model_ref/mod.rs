//! Model references, the values of `--model`.

mod hub_model;
mod ollama_model;
#[cfg(test)]
mod tests;
mod tiktoken_model;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::error::{Error, Result};

pub use hub_model::HubModel;
use hub_model::{is_gguf, is_model_file};
pub use ollama_model::OllamaModel;
pub use tiktoken_model::{ENCODINGS, EXTENSION, Encoding, PublishedFile, TiktokenModel, VOCAB_BPE};

/// A model, as given by `--model`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelRef {
    /// The built-in model.
    Demo,
    /// A local directory with the model's files. Opening the model checks that it exists.
    Directory(PathBuf),
    /// A local file that is a model by itself.
    File(PathBuf),
    /// A model in Ollama's store.
    Ollama(OllamaModel),
    /// An encoding of OpenAI.
    Tiktoken(TiktokenModel),
    /// A repository on the Hub.
    Hub(HubModel),
}

impl ModelRef {
    /// Returns the same model at the revision that `--revision` gives.
    ///
    /// # Errors
    /// Fails with [`Error::Usage`] if the model has no revisions or already names another one, and with
    /// [`Error::BadModelRef`] if git does not allow the revision.
    pub fn with_revision(self, revision: &str) -> Result<Self> {
        match self {
            Self::Demo => Err(Error::usage(
                "`--revision` cannot be used with the built-in model, which has no revisions",
            )),
            Self::Directory(path) => Err(Error::usage(format!(
                "`--revision` cannot be used with the directory {}, which has no revisions",
                path.display()
            ))),
            Self::File(path) => Err(Error::usage(format!(
                "`--revision` cannot be used with the file {}, which has no revisions",
                path.display()
            ))),
            Self::Ollama(model) => Err(Error::usage(format!(
                "`--revision` cannot be used with `{model}`, which has no revisions"
            ))),
            Self::Tiktoken(model) => Err(Error::usage(format!(
                "`--revision` cannot be used with `{model}`, which has no revisions"
            ))),
            Self::Hub(model) => match model.revision() {
                Some(own) if own != revision => Err(Error::usage(format!(
                    "`--revision {revision}` contradicts `{model}`"
                ))),
                _ => {
                    let given = format!("{}@{revision}", model.id());
                    let model = model.at(revision);
                    model
                        .map(Self::Hub)
                        .map_err(|problem| Error::BadModelRef { given, problem })
                }
            },
        }
    }

    /// Returns the model that is the file of this directory or repository that `--model-file` gives.
    ///
    /// # Errors
    /// Fails with [`Error::Usage`] if the model has no files to choose from or already names another one, and with
    /// [`Error::BadModelRef`] if no file can have the name.
    pub fn with_file(self, file: &str) -> Result<Self> {
        let (given, cannot) = (
            self.to_string(),
            "`--model-file` is for directories and repositories",
        );
        match self {
            Self::Directory(path) if Path::new(file).is_relative() && !file.is_empty() => {
                Ok(Self::File(path.join(file)))
            }
            Self::Directory(_) => Err(Error::usage(format!(
                "`--model-file` must be the name of a file in {given}, not `{file}`"
            ))),
            Self::Hub(model) => match model.file() {
                Some(own) if own != file => Err(Error::usage(format!(
                    "`--model-file {file}` contradicts `{given}`"
                ))),
                _ => {
                    let model = model.with_file(file);
                    model
                        .map(Self::Hub)
                        .map_err(|problem| Error::BadModelRef { given, problem })
                }
            },
            Self::File(_) => Err(Error::usage(format!("{cannot}, and {given} is a file"))),
            Self::Demo | Self::Ollama(_) | Self::Tiktoken(_) => {
                Err(Error::usage(format!("{cannot}, not for `{given}`")))
            }
        }
    }

    /// Parses a reference. `path_kind` returns the kind of file at a path, or `None` if nothing is there.
    fn parse(given: &str, path_kind: impl Fn(&Path) -> Option<PathKind>) -> Result<Self, String> {
        if given.trim().is_empty() {
            return Err("it is empty".to_owned());
        }
        if given == "demo" {
            return Ok(Self::Demo);
        }
        if let Some(name) = given.strip_prefix(ollama_model::PREFIX)
            && !name.starts_with("//")
        {
            return OllamaModel::parse(name).map(Self::Ollama);
        }
        if let Some(name) = given.strip_prefix(tiktoken_model::PREFIX)
            && !name.starts_with("//")
        {
            return TiktokenModel::parse(name).map(Self::Tiktoken);
        }
        if let Some((scheme, rest)) = given.split_once("://") {
            return parse_address(scheme, rest).map(Self::Hub);
        }
        match path_kind(Path::new(given)) {
            Some(PathKind::Directory) => return Ok(Self::Directory(given.into())),
            Some(PathKind::File) => return Ok(Self::File(given.into())),
            Some(PathKind::Other) => {
                return Err("it is neither a directory nor a regular file".to_owned());
            }
            None => {}
        }
        // Of one slash, too, if it follows the name of a directory.
        let in_directory = || {
            let parent = Path::new(given).parent();
            parent.and_then(&path_kind) == Some(PathKind::Directory)
        };
        let is_path = || looks_like_path(given) || !given.contains('/') || in_directory();
        if is_gguf(given) || is_model_file(given) && is_path() {
            return Ok(Self::File(given.into()));
        }
        let id = given.split_once('@').map_or(given, |(id, _)| id);
        if looks_like_path(id) {
            return Ok(Self::Directory(given.into()));
        }
        HubModel::parse(given).map(Self::Hub)
    }
}

impl FromStr for ModelRef {
    type Err = Error;

    fn from_str(given: &str) -> Result<Self> {
        Self::parse(given, PathKind::read).map_err(|problem| Error::BadModelRef {
            given: given.to_owned(),
            problem,
        })
    }
}

impl fmt::Display for ModelRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Demo => f.write_str("demo"),
            Self::Directory(path) | Self::File(path) => path.display().fmt(f),
            Self::Ollama(model) => model.fmt(f),
            Self::Tiktoken(model) => model.fmt(f),
            Self::Hub(model) => model.fmt(f),
        }
    }
}

/// The kind of file at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PathKind {
    Directory,
    /// A regular file.
    File,
    Other,
}

impl PathKind {
    fn read(path: &Path) -> Option<Self> {
        let metadata = path.metadata().ok()?;
        Some(match (metadata.is_dir(), metadata.is_file()) {
            (true, _) => Self::Directory,
            (false, true) => Self::File,
            (false, false) => Self::Other,
        })
    }
}

/// Returns true if `given` can only be a path, because no Hub id has this form.
fn looks_like_path(given: &str) -> bool {
    given.starts_with(['.', '/', '~'])
        || given.ends_with('/')
        || given.contains('\\')
        || given.matches('/').count() > 1
}

/// Parses `hf://owner/name[@revision][/file]`, or the address of the page of a model or of a file.
fn parse_address(scheme: &str, rest: &str) -> Result<HubModel, String> {
    match scheme {
        "hf" => {
            let rest = rest.strip_prefix("models/").unwrap_or(rest);
            HubModel::parse_with_file(rest)
        }
        "https" | "http" => {
            let path = ["huggingface.co/", "www.huggingface.co/", "hf.co/"]
                .iter()
                .find_map(|host| rest.strip_prefix(host))
                .ok_or("only addresses of models at https://huggingface.co are supported")?;
            let path = path.split(['?', '#']).next().unwrap_or(path);
            let path = path.trim_end_matches('/');
            if let Some((id, revision)) = path.split_once("/tree/") {
                return HubModel::parse_at(id, Some(revision));
            }
            let of_file = ["/blob/", "/resolve/"]
                .iter()
                .find_map(|separator| path.split_once(separator));
            match of_file {
                Some((_, file)) if !is_model_file(file) => Err(format!(
                    "{file:?} does not end like a file that is a model; use `hf://owner/name/FILE`"
                )),
                Some((id, file)) => HubModel::parse_with_file(&format!("{id}@{file}")),
                None => HubModel::parse_with_file(path),
            }
        }
        _ => Err(format!(
            "`{scheme}://` is not supported; use `hf://owner/name`"
        )),
    }
}
