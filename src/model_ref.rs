//! Model references, the values of `--model`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::error::{Error, Result};

/// The maximum length of the owner and of the name in a Hub id, in bytes. Ids follow the rules of `validate_repo_id` in
/// huggingface_hub.
const MAX_NAME_BYTES: usize = 96;

/// A model, as given by `--model`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelRef {
    /// The built-in model.
    Demo,
    /// A local directory with the model's files. Opening the model checks that it exists.
    Directory(PathBuf),
    /// A repository on the Hub.
    Hub(HubModel),
}

/// A repository on the Hub. The owner and the name follow the Hub's rules for ids, and the revision follows git's
/// rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubModel {
    owner: Option<String>,
    name: String,
    revision: Option<String>,
}

impl HubModel {
    /// Returns the user or organization, or `None` for the oldest models on the Hub, such as `gpt2`.
    pub fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the requested branch, tag, `refs/pr/N`, or commit.
    pub fn revision(&self) -> Option<&str> {
        self.revision.as_deref()
    }

    /// Returns `owner/name`, or `name` if there is no owner.
    pub fn id(&self) -> String {
        match &self.owner {
            Some(owner) => format!("{owner}/{}", self.name),
            None => self.name.clone(),
        }
    }

    fn parse(id: &str, revision: Option<&str>) -> Result<Self, String> {
        let (owner, name) = match id.split_once('/') {
            Some((owner, name)) => (Some(owner), name),
            None => (None, id),
        };
        if name.contains('/') {
            return Err("a Hub id has the form `owner/name`, with one slash".to_owned());
        }
        if let Some(owner) = owner {
            check_name("owner", owner)?;
        }
        check_name("name", name)?;
        if let Some(stem) = name.strip_suffix(".git") {
            return Err(format!(
                "its name must not end in `.git`; did you mean `{stem}`?"
            ));
        }
        if let Some(revision) = revision {
            check_revision(revision)?;
        }
        Ok(Self {
            owner: owner.map(str::to_owned),
            name: name.to_owned(),
            revision: revision.map(str::to_owned),
        })
    }
}

impl fmt::Display for HubModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id())?;
        match &self.revision {
            Some(revision) => write!(f, "@{revision}"),
            None => Ok(()),
        }
    }
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
            Self::Hub(model) => match model.revision.as_deref() {
                Some(own) if own != revision => Err(Error::usage(format!(
                    "`--revision {revision}` contradicts `{model}`"
                ))),
                _ => {
                    check_revision(revision).map_err(|problem| Error::BadModelRef {
                        given: format!("{}@{revision}", model.id()),
                        problem,
                    })?;
                    Ok(Self::Hub(HubModel {
                        revision: Some(revision.to_owned()),
                        ..model
                    }))
                }
            },
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
        if let Some((scheme, rest)) = given.split_once("://") {
            return parse_address(scheme, rest).map(Self::Hub);
        }
        match path_kind(Path::new(given)) {
            Some(PathKind::Directory) => return Ok(Self::Directory(given.into())),
            Some(PathKind::File) => {
                return Err("it is a file, not a directory with the model's files".to_owned());
            }
            None => {}
        }
        let (id, revision) = split_revision(given);
        if looks_like_path(id) {
            return Ok(Self::Directory(given.into()));
        }
        HubModel::parse(id, revision).map(Self::Hub)
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
            Self::Directory(path) => path.display().fmt(f),
            Self::Hub(model) => model.fmt(f),
        }
    }
}

/// The kind of file at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PathKind {
    Directory,
    File,
}

impl PathKind {
    fn read(path: &Path) -> Option<Self> {
        let metadata = path.metadata().ok()?;
        Some(if metadata.is_dir() {
            Self::Directory
        } else {
            Self::File
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

/// Parses `hf://owner/name[@revision]`, or the address of a model's page.
fn parse_address(scheme: &str, rest: &str) -> Result<HubModel, String> {
    match scheme {
        "hf" => {
            let rest = rest.strip_prefix("models/").unwrap_or(rest);
            let (id, revision) = split_revision(rest);
            HubModel::parse(id, revision)
        }
        "https" | "http" => {
            let path = ["huggingface.co/", "www.huggingface.co/", "hf.co/"]
                .iter()
                .find_map(|host| rest.strip_prefix(host))
                .ok_or("only addresses of models at https://huggingface.co are supported")?;
            let path = path.split(['?', '#']).next().unwrap_or(path);
            let path = path.trim_end_matches('/');
            match path.split_once("/tree/") {
                Some((id, revision)) => HubModel::parse(id, Some(revision)),
                None => {
                    let (id, revision) = split_revision(path);
                    HubModel::parse(id, revision)
                }
            }
        }
        _ => Err(format!(
            "`{scheme}://` is not supported; use `hf://owner/name`"
        )),
    }
}

fn split_revision(given: &str) -> (&str, Option<&str>) {
    match given.split_once('@') {
        Some((id, revision)) => (id, Some(revision)),
        None => (given, None),
    }
}

fn check_name(part: &str, name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err(format!("its {part} is empty"));
    }
    if let Some(wrong) = name
        .chars()
        .find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')))
    {
        return Err(format!(
            "{wrong:?} is not allowed in its {part}; use letters, digits, `.`, `_` and `-`"
        ));
    }
    if name.len() > MAX_NAME_BYTES {
        return Err(format!(
            "its {part} has {} characters, but at most {MAX_NAME_BYTES} are allowed",
            name.len()
        ));
    }
    if name.starts_with(['.', '-']) || name.ends_with(['.', '-']) {
        return Err(format!("its {part} must not begin or end with `.` or `-`"));
    }
    for pair in ["--", ".."] {
        if name.contains(pair) {
            return Err(format!("`{pair}` is not allowed in its {part}"));
        }
    }
    Ok(())
}

/// Checks a revision against the rules of `git check-ref-format` that keep it a relative path.
fn check_revision(revision: &str) -> Result<(), String> {
    if revision.is_empty() {
        return Err("its revision is empty".to_owned());
    }
    if let Some(wrong) = revision.chars().find(|c| {
        c.is_whitespace() || c.is_control() || matches!(c, '~' | '^' | ':' | '?' | '*' | '[' | '\\')
    }) {
        return Err(format!("{wrong:?} is not allowed in a revision"));
    }
    if revision.starts_with('-')
        || revision
            .split('/')
            .any(|part| part.is_empty() || part.starts_with('.') || part.ends_with(".lock"))
        || revision.contains("..")
        || revision.contains("@{")
    {
        return Err(format!("`{revision}` is not a valid revision"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(given: &str) -> Result<ModelRef, String> {
        ModelRef::parse(given, |path| match path.to_str() {
            Some("models/mine" | "bert" | "a@b") => Some(PathKind::Directory),
            Some("to/spm.model") => Some(PathKind::File),
            _ => None,
        })
    }

    fn hub(owner: Option<&str>, name: &str, revision: Option<&str>) -> Result<ModelRef, String> {
        Ok(ModelRef::Hub(HubModel {
            owner: owner.map(str::to_owned),
            name: name.to_owned(),
            revision: revision.map(str::to_owned),
        }))
    }

    fn directory(path: &str) -> Result<ModelRef, String> {
        Ok(ModelRef::Directory(path.into()))
    }

    #[test]
    fn hub_ids_are_parsed() {
        assert_eq!(parse("o/n"), hub(Some("o"), "n", None));
        assert_eq!(parse("o/n.1_x@main"), hub(Some("o"), "n.1_x", Some("main")));
        assert_eq!(
            parse("o/n@refs/pr/1"),
            hub(Some("o"), "n", Some("refs/pr/1"))
        );
        assert_eq!(parse("hf://o/n@v1"), hub(Some("o"), "n", Some("v1")));
        assert_eq!(
            parse("https://huggingface.co/o/n"),
            hub(Some("o"), "n", None)
        );
        assert_eq!(
            parse("https://huggingface.co/o/n/"),
            hub(Some("o"), "n", None)
        );
        assert_eq!(
            parse("https://huggingface.co/o/n/tree/refs/pr/4"),
            hub(Some("o"), "n", Some("refs/pr/4"))
        );
        assert_eq!(parse("gpt2"), hub(None, "gpt2", None));
        assert_eq!(parse("demo"), Ok(ModelRef::Demo));
    }

    #[test]
    fn paths_are_directories() {
        assert_eq!(parse("models/mine"), directory("models/mine"));
        assert_eq!(parse("bert"), directory("bert"));
        assert_eq!(parse("a@b"), directory("a@b"));
        for path in ["./demo", "../x", "/x/y", "~/x", "a/b/c", ".", "x/"] {
            assert_eq!(parse(path), directory(path), "{path}");
        }
    }

    #[test]
    fn other_references_are_refused_with_the_reason() {
        let problem = |given: &str| parse(given).expect_err(given);
        assert_eq!(
            problem("to/spm.model"),
            "it is a file, not a directory with the model's files"
        );
        assert_eq!(problem(""), "it is empty");
        assert_eq!(
            problem("o/n m"),
            "' ' is not allowed in its name; use letters, digits, `.`, `_` and `-`"
        );
        assert_eq!(problem("o--p/n"), "`--` is not allowed in its owner");
        assert_eq!(problem("o/a..b"), "`..` is not allowed in its name");
        assert_eq!(
            problem("o/-n"),
            "its name must not begin or end with `.` or `-`"
        );
        assert_eq!(problem("o/n@"), "its revision is empty");
        assert_eq!(problem("o/n@../../x"), "`../../x` is not a valid revision");
        assert_eq!(problem("o/n@/etc"), "`/etc` is not a valid revision");
        assert_eq!(
            problem("https://example.com/o/n"),
            "only addresses of models at https://huggingface.co are supported"
        );
        assert_eq!(
            problem("s3://b/k"),
            "`s3://` is not supported; use `hf://owner/name`"
        );
        let long = format!("o/{}", "n".repeat(97));
        assert_eq!(
            problem(&long),
            "its name has 97 characters, but at most 96 are allowed"
        );
        assert!(parse(&long[..98]).is_ok());
    }

    #[test]
    fn a_reference_is_displayed_as_given() {
        for given in ["demo", "o/n", "o/n@refs/pr/1", "gpt2", "./x", "a/b/c"] {
            assert_eq!(
                parse(given).map(|model| model.to_string()),
                Ok(given.to_owned())
            );
        }
    }

    #[test]
    fn two_different_revisions_are_refused() {
        let with =
            |given: &str, revision: &str| parse(given).map(|model| model.with_revision(revision));
        assert_eq!(with("o/n", "v1").unwrap().unwrap().to_string(), "o/n@v1");
        assert_eq!(with("o/n@v1", "v1").unwrap().unwrap().to_string(), "o/n@v1");
        for (given, revision) in [("o/n@v1", "v2"), ("demo", "v1"), ("./x", "v1")] {
            let error = with(given, revision).unwrap().unwrap_err();
            assert_eq!(error.code(), "usage", "{given} {revision}");
        }
        assert_eq!(with("o/n", "a b").unwrap().unwrap_err().code(), "bad-model");
    }
}
