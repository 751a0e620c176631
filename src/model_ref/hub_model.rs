//! Repositories on the Hub.

use std::fmt;

/// The maximum length of the owner and of the name in a Hub id, in bytes. Ids follow the rules of `validate_repo_id` in
/// huggingface_hub.
const MAX_NAME_BYTES: usize = 96;

/// The extensions of files that are models by themselves.
const FILE_EXTENSIONS: &[&str] = &[
    ".gguf",
    ".json",
    ".model",
    ".spm",
    ".tiktoken",
    ".txt",
    ".safetensors",
    ".bin",
    ".pt",
    ".pth",
    ".ckpt",
    ".npy",
    ".vec",
];

/// A repository on the Hub. The owner and the name follow the Hub's rules for ids, and the revision follows git's
/// rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubModel {
    pub(super) owner: Option<String>,
    pub(super) name: String,
    pub(super) revision: Option<String>,
    pub(super) file: Option<String>,
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

    /// Returns the file of the repository that is the model, if one is named.
    pub fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }

    /// Returns the reference to a file of this repository, at the same revision.
    #[must_use]
    pub fn and_file(&self, file: &str) -> Self {
        Self {
            file: Some(file.to_owned()),
            ..self.clone()
        }
    }

    /// Returns `owner/name`, or `name` if there is no owner.
    pub fn id(&self) -> String {
        match &self.owner {
            Some(owner) => format!("{owner}/{}", self.name),
            None => self.name.clone(),
        }
    }

    /// Parses `owner/name[@revision]`.
    pub(super) fn parse(given: &str) -> Result<Self, String> {
        let (id, revision) = split_revision(given);
        Self::parse_at(id, revision)
    }

    /// Returns the same model at another revision.
    pub(super) fn at(self, revision: &str) -> Result<Self, String> {
        check_revision(revision)?;
        Ok(Self {
            revision: Some(revision.to_owned()),
            ..self
        })
    }

    /// Parses an id, and checks the revision that goes with it.
    pub(super) fn parse_at(id: &str, revision: Option<&str>) -> Result<Self, String> {
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
            file: None,
        })
    }

    /// Parses `owner/name[@revision]`, or `owner/name[@revision]/file`. After a revision, a file must end like one that
    /// is a model, as revisions may have slashes.
    pub(super) fn parse_with_file(given: &str) -> Result<Self, String> {
        let other = ["datasets/", "spaces/"].into_iter();
        if let Some(other) = other.into_iter().find(|other| given.starts_with(other)) {
            return Err(format!(
                "it is one of the Hub's {}, not a model",
                other.trim_end_matches('/')
            ));
        }
        if given.contains('@') && !is_model_file(given) {
            return Self::parse(given);
        }
        let mut parts = given.splitn(3, '/');
        let (Some(owner), Some(name), Some(rest)) = (parts.next(), parts.next(), parts.next())
        else {
            return Self::parse(given);
        };
        let (name, revision) = split_revision(name);
        // The only revisions with slashes that the Hub itself makes.
        let (revision, file) = match (revision, rest.split('/').collect::<Vec<_>>().as_slice()) {
            (Some("refs"), [kind, number, file @ ..]) if !file.is_empty() => {
                (Some(format!("refs/{kind}/{number}")), file.join("/"))
            }
            (revision, file) => (revision.map(str::to_owned), file.join("/")),
        };
        Self::parse_at(&format!("{owner}/{name}"), revision.as_deref())?.with_file(&file)
    }

    /// Names a file of the repository as the model.
    pub(super) fn with_file(self, file: &str) -> Result<Self, String> {
        let is_plain = |part: &str| {
            !matches!(part, "" | "." | "..")
                && !part.contains(|c: char| c.is_control() || c == '\\')
        };
        if !file.split('/').all(is_plain) {
            return Err(format!(
                "{file:?} is not the name of a file in a repository"
            ));
        }
        Ok(Self {
            file: Some(file.to_owned()),
            ..self
        })
    }
}

impl fmt::Display for HubModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.file.is_some() {
            f.write_str("hf://")?;
        }
        f.write_str(&self.id())?;
        if let Some(revision) = &self.revision {
            write!(f, "@{revision}")?;
        }
        match &self.file {
            Some(file) => write!(f, "/{file}"),
            None => Ok(()),
        }
    }
}

/// Returns true if a name ends like a GGUF file.
pub(super) fn is_gguf(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(".gguf")
}

/// Returns true if a name ends like a file that is a model by itself.
pub(super) fn is_model_file(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    FILE_EXTENSIONS
        .iter()
        .any(|extension| name.ends_with(extension))
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
