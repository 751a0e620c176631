//! Environment variables → the settings of the Hub, with the meaning they have for huggingface_hub.
//!
//! Names, defaults and precedence: `constants.py` and `utils/_auth.py` of huggingface_hub 0.36. Unlike there, a blank
//! value counts as unset throughout, and `$NAME` within a path is not expanded.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::proxies::ProxySettings;
use crate::error::{Error, Result};

const DEFAULT_ENDPOINT: &str = "https://huggingface.co";
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where the Hub and its cache are, and how to speak to it.
#[derive(Debug, Clone)]
pub struct HubSettings {
    /// Base address, without a final slash.
    pub endpoint: String,
    /// The folder that holds `models--owner--name`.
    pub cache_dir: PathBuf,
    /// Sent to the endpoint and to nobody else.
    pub token: Option<Token>,
    /// Never open a connection.
    pub offline: bool,
    /// Longest wait for an answer about a model or a file.
    pub etag_timeout: Duration,
    /// Longest silence while a file is on its way.
    pub download_timeout: Duration,
    pub proxies: ProxySettings,
    /// Files or folders of certificates that are trusted beside those of the system.
    pub ca_bundles: Vec<PathBuf>,
}

impl HubSettings {
    /// Settings from the variables of the process.
    ///
    /// # Errors
    /// As [`Self::from_env`].
    pub fn from_process_env() -> Result<Self> {
        Self::from_env(|name| std::env::var(name).ok())
    }

    /// Settings from the variables that `lookup` knows. A token file is read here.
    ///
    /// # Errors
    /// [`Error::Usage`] for a timeout that is not a number of seconds, and an endpoint that is not an http address.
    pub fn from_env(lookup: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let var = |name: &str| lookup(name).filter(|value| !value.trim().is_empty());
        let home = var("HOME")
            .map(PathBuf::from)
            .or_else(std::env::home_dir)
            .unwrap_or_default();
        let path = |name: &str| var(name).map(|value| expand_home(&value, &home));

        let hf_home = path("HF_HOME").unwrap_or_else(|| {
            path("XDG_CACHE_HOME")
                .unwrap_or_else(|| home.join(".cache"))
                .join("huggingface")
        });
        let cache_dir = path("HF_HUB_CACHE")
            .or_else(|| path("HUGGINGFACE_HUB_CACHE"))
            .unwrap_or_else(|| hf_home.join("hub"));
        let token = if var("HF_HUB_DISABLE_IMPLICIT_TOKEN").is_some_and(|value| is_true(&value)) {
            None
        } else {
            let file = path("HF_TOKEN_PATH").unwrap_or_else(|| hf_home.join("token"));
            var("HF_TOKEN")
                .or_else(|| var("HUGGING_FACE_HUB_TOKEN"))
                .or_else(|| std::fs::read_to_string(file).ok())
                .and_then(|token| Token::new(&token))
        };
        if token.as_ref().is_some_and(|token| !token.can_be_sent()) {
            return Err(Error::usage_hint(
                "the Hub token holds a character that no token has",
                "see HF_TOKEN, or the token file that HF_TOKEN_PATH names",
            ));
        }
        Ok(Self {
            endpoint: endpoint(var("HF_ENDPOINT"))?,
            cache_dir,
            token,
            offline: var("HF_HUB_OFFLINE")
                .or_else(|| var("TRANSFORMERS_OFFLINE"))
                .is_some_and(|value| is_true(&value)),
            etag_timeout: timeout("HF_HUB_ETAG_TIMEOUT", var("HF_HUB_ETAG_TIMEOUT"))?,
            download_timeout: timeout("HF_HUB_DOWNLOAD_TIMEOUT", var("HF_HUB_DOWNLOAD_TIMEOUT"))?,
            proxies: ProxySettings::from_env(&lookup),
            // Behind the proxy of a company, Python's requests is told of its certificates by these.
            ca_bundles: ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"]
                .into_iter()
                .filter_map(path)
                .collect(),
        })
    }

    /// The endpoint as messages may show it: without a user name and password.
    pub fn shown_endpoint(&self) -> String {
        match self.endpoint.split_once("://") {
            Some((scheme, rest)) => {
                let (authority, path) = match rest.find('/') {
                    Some(slash) => rest.split_at(slash),
                    None => (rest, ""),
                };
                let host = authority.rsplit('@').next().unwrap_or(authority);
                format!("{scheme}://{host}{path}")
            }
            None => self.endpoint.clone(),
        }
    }
}

/// A secret; it shows itself to nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// None if there is nothing but space in it.
    pub fn new(token: &str) -> Option<Self> {
        let token = token.trim();
        (!token.is_empty()).then(|| Self(token.to_owned()))
    }

    /// Whether it can stand in a header.
    fn can_be_sent(&self) -> bool {
        self.0.bytes().all(|byte| byte.is_ascii_graphic())
    }

    pub(crate) fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// A variable is true iff it says so in one of these words.
pub fn is_true(value: &str) -> bool {
    ["1", "on", "yes", "true"]
        .iter()
        .any(|word| value.eq_ignore_ascii_case(word))
}

fn expand_home(value: &str, home: &std::path::Path) -> PathBuf {
    match value.strip_prefix('~') {
        Some("") => home.to_owned(),
        Some(rest) if rest.starts_with('/') => home.join(rest.trim_start_matches('/')),
        _ => PathBuf::from(value),
    }
}

fn endpoint(given: Option<String>) -> Result<String> {
    let Some(given) = given else {
        return Ok(DEFAULT_ENDPOINT.to_owned());
    };
    let endpoint = given.trim().trim_end_matches('/');
    if endpoint.starts_with("https://") || endpoint.starts_with("http://") {
        Ok(endpoint.to_owned())
    } else {
        Err(Error::usage(
            "HF_ENDPOINT does not begin with `https://` or `http://`",
        ))
    }
}

fn timeout(name: &str, given: Option<String>) -> Result<Duration> {
    let Some(given) = given else {
        return Ok(DEFAULT_TIMEOUT);
    };
    match given.trim().parse::<u32>() {
        Ok(0) => Ok(DEFAULT_TIMEOUT),
        Ok(seconds) => Ok(Duration::from_secs(seconds.into())),
        Err(_) => Err(Error::usage(format!(
            "{name} is `{given}`, and a number of seconds is wanted"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &[(&str, &str)]) -> Result<HubSettings> {
        HubSettings::from_env(|name| {
            let known = variables.iter().find(|(known, _)| *known == name);
            match known {
                Some((_, value)) => Some((*value).to_owned()),
                None => (name == "HOME").then(|| "/nowhere/ann".to_owned()),
            }
        })
    }

    fn cache(variables: &[(&str, &str)]) -> String {
        settings(variables).unwrap().cache_dir.display().to_string()
    }

    #[test]
    fn nothing_set() {
        let settings = settings(&[]).unwrap();
        assert_eq!(settings.endpoint, "https://huggingface.co");
        assert_eq!(
            settings.cache_dir,
            PathBuf::from("/nowhere/ann/.cache/huggingface/hub")
        );
        assert_eq!(settings.token, None);
        assert!(!settings.offline);
        assert_eq!(settings.etag_timeout, Duration::from_secs(10));
    }

    #[test]
    fn the_cache_in_order_of_precedence() {
        let mut variables = vec![("XDG_CACHE_HOME", "/xdg")];
        assert_eq!(cache(&variables), "/xdg/huggingface/hub");
        variables.push(("HF_HOME", "~/hf"));
        assert_eq!(cache(&variables), "/nowhere/ann/hf/hub");
        variables.push(("HUGGINGFACE_HUB_CACHE", "/old"));
        assert_eq!(cache(&variables), "/old");
        variables.push(("HF_HUB_CACHE", "/new"));
        assert_eq!(cache(&variables), "/new");
        assert_eq!(
            cache(&[("HF_HUB_CACHE", ""), ("HF_HOME", " ")]),
            "/nowhere/ann/.cache/huggingface/hub"
        );
    }

    #[test]
    fn offline_is_one_of_four_words() {
        for (value, offline) in [
            ("1", true),
            ("On", true),
            ("YES", true),
            ("true", true),
            ("0", false),
            ("2", false),
        ] {
            assert_eq!(
                settings(&[("HF_HUB_OFFLINE", value)]).unwrap().offline,
                offline,
                "{value}"
            );
        }
        assert!(settings(&[("TRANSFORMERS_OFFLINE", "1")]).unwrap().offline);
    }

    #[test]
    fn the_token_in_order_of_precedence() {
        let directory = tempfile::tempdir().unwrap();
        let home = directory.path().to_str().unwrap();
        std::fs::write(directory.path().join("token"), "hf_home\n").unwrap();
        let other = directory.path().join("other");
        std::fs::write(&other, "hf_other\n").unwrap();
        let token = |more: &[(&str, &str)]| {
            let mut variables = vec![("HF_HOME", home)];
            variables.extend_from_slice(more);
            settings(&variables).unwrap().token
        };
        assert_eq!(token(&[]), Token::new("hf_home"));
        assert_eq!(
            token(&[("HF_TOKEN_PATH", other.to_str().unwrap())]),
            Token::new("hf_other")
        );
        assert_eq!(
            token(&[("HF_TOKEN", "hf_variable ")]),
            Token::new("hf_variable")
        );
        assert_eq!(
            token(&[("HF_TOKEN", "x"), ("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")]),
            None
        );
        assert_eq!(
            token(&[("HF_TOKEN", "x"), ("HF_HUB_DISABLE_IMPLICIT_TOKEN", "0")]),
            Token::new("x")
        );
        assert_eq!(format!("{:?}", Token::new("hf_secret")), "Some(Token(…))");
    }

    #[test]
    fn endpoints() {
        let endpoint = |value: &str| settings(&[("HF_ENDPOINT", value)]);
        assert_eq!(
            endpoint("http://localhost:8080/").unwrap().endpoint,
            "http://localhost:8080"
        );
        assert_eq!(endpoint("").unwrap().endpoint, "https://huggingface.co");
        assert_eq!(
            endpoint("https://ann:secret@hub.example/base")
                .unwrap()
                .shown_endpoint(),
            "https://hub.example/base"
        );
        assert_eq!(endpoint("localhost:8080").unwrap_err().code(), "usage");
        let error = settings(&[("HF_HUB_ETAG_TIMEOUT", "soon")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "HF_HUB_ETAG_TIMEOUT is `soon`, and a number of seconds is wanted"
        );
    }
}
