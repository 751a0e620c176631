//! Models in Ollama's store.

use std::fmt;

/// The prefix of a reference.
pub(super) const PREFIX: &str = "ollama:";
const DEFAULT_HOST: &str = "registry.ollama.ai";
const DEFAULT_NAMESPACE: &str = "library";
const DEFAULT_TAG: &str = "latest";
/// The most bytes of the host, the namespace, the name, and the tag: each is the name of a folder or file.
const MAX_PART: usize = 255;

/// A model in Ollama's store: `name[:tag]`, `namespace/name[:tag]`, or `host/namespace/name[:tag]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OllamaModel {
    host: String,
    namespace: String,
    name: String,
    tag: String,
}

impl OllamaModel {
    /// Parses the part of a reference after `ollama:`.
    pub(super) fn parse(given: &str) -> Result<Self, String> {
        let (names, tag) = given.rsplit_once(':').unwrap_or((given, DEFAULT_TAG));
        let parts: Vec<&str> = names.split('/').collect();
        let (host, namespace, name) = match parts[..] {
            [name] => (DEFAULT_HOST, DEFAULT_NAMESPACE, name),
            [namespace, name] => (DEFAULT_HOST, namespace, name),
            [host, namespace, name] => (host, namespace, name),
            _ => return Err("a name in Ollama's store has at most two slashes".to_owned()),
        };
        for part in [host, namespace, name, tag] {
            check_part(part)?;
        }
        Ok(Self {
            host: host.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            tag: tag.to_owned(),
        })
    }

    /// Returns the folders that lead to the model's manifest, and the name of the manifest.
    pub fn path(&self) -> [&str; 4] {
        [&self.host, &self.namespace, &self.name, &self.tag]
    }
}

impl fmt::Display for OllamaModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        if self.host != DEFAULT_HOST {
            write!(f, "{}/", self.host)?;
        }
        if self.host != DEFAULT_HOST || self.namespace != DEFAULT_NAMESPACE {
            write!(f, "{}/", self.namespace)?;
        }
        write!(f, "{}:{}", self.name, self.tag)
    }
}

/// Checks a part of a name, which becomes the name of a folder or file.
fn check_part(part: &str) -> Result<(), String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if part.is_empty()
        || part.len() > MAX_PART
        || part.starts_with('.')
        || !part.chars().all(is_plain)
    {
        return Err(format!(
            "{part:?} cannot be part of a name in Ollama's store; use `ollama:NAME` or `ollama:NAME:TAG`"
        ));
    }
    Ok(())
}
