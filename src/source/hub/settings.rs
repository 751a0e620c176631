//! Settings for the Hub, read from the same environment variables as in huggingface_hub.
//!
//! Names, defaults, and precedence follow `constants.py` and `utils/_auth.py` of huggingface_hub 0.36, except that a
//! blank value always counts as unset. An invalid setting is not an error until a request needs it.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::endpoint;
use super::expansion::expand;
use super::proxies::ProxySettings;
use crate::error::Error;
use crate::source::local::read_limited;

const DEFAULT_ENDPOINT: &str = "https://huggingface.co";
/// The maximum size of a token file, in bytes.
const MAX_TOKEN_FILE: u64 = 1 << 16;
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// The address of the Hub, the location of its cache, and the settings of requests.
#[derive(Clone)]
pub struct HubSettings {
    /// The base address, without a final slash.
    pub endpoint: String,
    /// The folder that holds `models--owner--name`.
    pub cache_dir: PathBuf,
    /// The access token, which is sent to the endpoint only.
    pub token: Option<Token>,
    /// True if no connection may be opened.
    pub offline: bool,
    /// The time limit for one answer of the API, or for the headers of a file.
    pub etag_timeout: Duration,
    /// The time limit for a silence while the bytes of a file arrive.
    pub download_timeout: Duration,
    pub proxies: ProxySettings,
    /// Files or folders of certificates that are trusted in addition to the system's.
    pub ca_bundles: Vec<PathBuf>,
    /// The first setting that cannot be used. Every request fails with it.
    pub invalid: Option<InvalidSetting>,
}

/// A setting that cannot be used, described in a sentence, and the remedy if the sentence does not name the variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidSetting {
    problem: String,
    hint: Option<&'static str>,
}

impl InvalidSetting {
    /// Returns the error for a request that needs the setting.
    pub(crate) fn error(&self) -> Error {
        let error = Error::usage(&self.problem);
        match self.hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}

impl From<String> for InvalidSetting {
    fn from(problem: String) -> Self {
        let hint = None;
        Self { problem, hint }
    }
}

impl HubSettings {
    /// Reads the settings from the environment of the process, and the token file.
    pub fn from_process_env() -> Self {
        Self::from_env(|name| std::env::var_os(name))
    }

    /// Reads the settings from the variables that `lookup` returns, and the token file.
    pub fn from_env(lookup: impl Fn(&str) -> Option<OsString>) -> Self {
        let text = |name: &str| lookup(name)?.into_string().ok();
        let var = |name: &str| text(name).filter(|value| !value.trim().is_empty());
        let home = lookup("HOME")
            .filter(|home| !home.is_empty())
            .map(PathBuf::from)
            .or_else(std::env::home_dir)
            .unwrap_or_default();
        let path = |name: &str| {
            let value = lookup(name)?;
            let is_blank = value.to_str().is_some_and(|value| value.trim().is_empty());
            (!is_blank).then(|| expand(value, &home, &lookup))
        };
        let hf_home = path("HF_HOME").unwrap_or_else(|| {
            path("XDG_CACHE_HOME")
                .unwrap_or_else(|| home.join(".cache"))
                .join("huggingface")
        });
        let cache_dir = path("HF_HUB_CACHE")
            .or_else(|| path("HUGGINGFACE_HUB_CACHE"))
            .unwrap_or_else(|| hf_home.join("hub"));
        let mut invalid = None;
        let token = if var("HF_HUB_DISABLE_IMPLICIT_TOKEN").is_some_and(|value| is_true(&value)) {
            None
        } else {
            let file = path("HF_TOKEN_PATH").unwrap_or_else(|| hf_home.join("token"));
            var("HF_TOKEN")
                .or_else(|| var("HUGGING_FACE_HUB_TOKEN"))
                .or_else(|| read_token(&file))
                .and_then(|token| Token::new(&token))
        };
        if token.as_ref().is_some_and(|token| !token.can_be_sent()) {
            invalid = Some(InvalidSetting {
                problem: "the Hub token contains a character that no token can have".to_owned(),
                hint: Some("see HF_TOKEN, or the token file that HF_TOKEN_PATH names"),
            });
        }
        let endpoint = endpoint(var("HF_ENDPOINT"));
        let endpoint = or_default(endpoint, DEFAULT_ENDPOINT.to_owned(), &mut invalid);
        let mut timeout = |name: &str| {
            let timeout = timeout(name, var(name));
            or_default(timeout, DEFAULT_TIMEOUT, &mut invalid)
        };
        let etag_timeout = timeout("HF_HUB_ETAG_TIMEOUT");
        let download_timeout = timeout("HF_HUB_DOWNLOAD_TIMEOUT");
        Self {
            endpoint,
            cache_dir,
            token,
            offline: var("HF_HUB_OFFLINE")
                .or_else(|| var("TRANSFORMERS_OFFLINE"))
                .is_some_and(|value| is_true(&value)),
            etag_timeout,
            download_timeout,
            proxies: ProxySettings::from_env(text),
            // Python users set these variables to the certificates of a company's proxy.
            ca_bundles: ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"]
                .into_iter()
                .filter_map(path)
                .collect(),
            invalid,
        }
    }

    /// Returns the endpoint for messages, without secrets.
    pub fn shown_endpoint(&self) -> String {
        endpoint::shown(&self.endpoint)
    }
}

impl fmt::Debug for HubSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubSettings")
            .field("endpoint", &self.shown_endpoint())
            .field("cache_dir", &self.cache_dir)
            .field("token", &self.token)
            .field("offline", &self.offline)
            .finish_non_exhaustive()
    }
}

/// An access token. Its `Debug` output hides the value.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Returns the token without surrounding white space, or `None` if nothing is left.
    pub fn new(token: &str) -> Option<Self> {
        let token = token.trim();
        (!token.is_empty()).then(|| Self(token.to_owned()))
    }

    /// Returns true if the token can be sent in a header.
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

/// Returns true if the value of a variable is one of the words for true.
pub fn is_true(value: &str) -> bool {
    ["1", "on", "yes", "true"]
        .iter()
        .any(|word| value.eq_ignore_ascii_case(word))
}

/// Returns `None` if the file cannot be read.
fn read_token(file: &Path) -> Option<String> {
    let bytes = read_limited::read(file, MAX_TOKEN_FILE).ok()?;
    String::from_utf8(bytes).ok()
}

fn endpoint(given: Option<String>) -> Result<String, InvalidSetting> {
    let Some(given) = given else {
        return Ok(DEFAULT_ENDPOINT.to_owned());
    };
    let endpoint = given.trim().trim_end_matches('/');
    if endpoint.starts_with("https://") || endpoint.starts_with("http://") {
        return Ok(endpoint.to_owned());
    }
    let expected = "`HF_ENDPOINT` must begin with `https://` or `http://`";
    // The value may contain a password, or a key in its query.
    let is_plain = !endpoint.contains(['@', '?', '#']);
    Err(if is_plain {
        format!("{expected}, not with `{endpoint}`").into()
    } else {
        expected.to_owned().into()
    })
}

fn timeout(name: &str, given: Option<String>) -> Result<Duration, InvalidSetting> {
    let Some(given) = given else {
        return Ok(DEFAULT_TIMEOUT);
    };
    match given.trim().parse::<u32>() {
        Ok(0) => Ok(DEFAULT_TIMEOUT),
        Ok(seconds) => Ok(Duration::from_secs(seconds.into())),
        Err(_) => Err(format!("`{name}` must be a number of seconds, not `{given}`").into()),
    }
}

/// Returns the value of a setting, or the default one if it is invalid. Remembers the first invalid one.
fn or_default<T>(
    setting: Result<T, InvalidSetting>,
    default: T,
    invalid: &mut Option<InvalidSetting>,
) -> T {
    setting.unwrap_or_else(|problem| {
        invalid.get_or_insert(problem);
        default
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &[(&str, &str)]) -> HubSettings {
        HubSettings::from_env(|name| {
            let known = variables.iter().find(|(known, _)| *known == name);
            match known {
                Some((_, value)) => Some((*value).into()),
                None => (name == "HOME").then(|| "/nowhere/ann".into()),
            }
        })
    }

    fn cache(variables: &[(&str, &str)]) -> String {
        settings(variables).cache_dir.display().to_string()
    }

    #[test]
    fn defaults_without_variables() {
        let settings = settings(&[]);
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
    fn variables_of_the_cache_take_precedence_in_order() {
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
        for name in ["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"] {
            assert_eq!(cache(&[(name, "$HOME/hub")]), "/nowhere/ann/hub");
        }
        let xdg = [("XDG_CACHE_HOME", "${X}/c"), ("X", "~")];
        assert_eq!(cache(&xdg), "~/c/huggingface/hub");
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
                settings(&[("HF_HUB_OFFLINE", value)]).offline,
                offline,
                "{value}"
            );
        }
        assert!(settings(&[("TRANSFORMERS_OFFLINE", "1")]).offline);
    }

    #[test]
    fn variables_of_the_token_take_precedence_in_order() {
        let directory = tempfile::tempdir().unwrap();
        let home = directory.path().to_str().unwrap();
        std::fs::write(directory.path().join("token"), "hf_home\n").unwrap();
        let other = directory.path().join("other");
        std::fs::write(&other, "hf_other\n").unwrap();
        let token = |more: &[(&str, &str)]| {
            let mut variables = vec![("HF_HOME", home)];
            variables.extend_from_slice(more);
            settings(&variables).token
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

    #[cfg(unix)]
    #[test]
    fn a_token_file_that_is_a_pipe_or_endless_counts_as_unreadable() {
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("token");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success(), "mkfifo makes a pipe");
        for path in [pipe.to_str().unwrap(), "/dev/zero"] {
            assert_eq!(settings(&[("HF_TOKEN_PATH", path)]).token, None);
        }
    }

    #[test]
    fn an_endpoint_is_an_http_address_and_shown_without_its_password() {
        let endpoint = |value: &str| settings(&[("HF_ENDPOINT", value)]);
        assert_eq!(
            endpoint("http://localhost:8080/").endpoint,
            "http://localhost:8080"
        );
        assert_eq!(endpoint("").endpoint, "https://huggingface.co");
        let settings = endpoint("https://ann:secret@hub.example/base");
        assert_eq!(settings.shown_endpoint(), "https://hub.example/base");
        assert!(!format!("{settings:?}").contains("secret"));
    }

    #[test]
    fn the_first_invalid_setting_is_remembered() {
        let problem = |variables: &[(&str, &str)]| {
            let error = settings(variables).invalid.map(|invalid| invalid.error());
            error.map(|error| (error.code(), error.to_string()))
        };
        assert_eq!(problem(&[]), None);
        for (name, value, sentence) in [
            (
                "HF_HUB_ETAG_TIMEOUT",
                "soon",
                "`HF_HUB_ETAG_TIMEOUT` must be a number of seconds, not `soon`",
            ),
            (
                "HF_HUB_DOWNLOAD_TIMEOUT",
                "-1",
                "`HF_HUB_DOWNLOAD_TIMEOUT` must be a number of seconds, not `-1`",
            ),
            (
                "HF_ENDPOINT",
                "localhost:8080",
                "`HF_ENDPOINT` must begin with `https://` or `http://`, not with `localhost:8080`",
            ),
            (
                "HF_ENDPOINT",
                "ann:secret@hub.example",
                "`HF_ENDPOINT` must begin with `https://` or `http://`",
            ),
            (
                "HF_TOKEN",
                "hf_a\nhf_b",
                "the Hub token contains a character that no token can have",
            ),
        ] {
            let expected = Some(("usage", sentence.to_owned()));
            assert_eq!(problem(&[(name, value)]), expected);
        }
    }
}
