//! Remedies.

use super::variants::{Error, TokenUse};

impl Error {
    /// Sets the hint of an error that has room for one.
    ///
    /// The hint of every other error follows from its values, and stays as it is.
    #[must_use]
    pub fn with_hint(mut self, remedy: impl Into<String>) -> Self {
        if let Self::Usage { hint, .. }
        | Self::BadConfig { hint, .. }
        | Self::MissingPart { hint, .. }
        | Self::Unsupported { hint, .. } = &mut self
        {
            *hint = Some(remedy.into());
        }
        self
    }

    /// The remedy, where there is one.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Usage { hint, .. }
            | Self::BadConfig { hint, .. }
            | Self::MissingPart { hint, .. }
            | Self::Unsupported { hint, .. } => hint.clone(),
            Self::NotUtf8 { .. } => {
                Some("`--lossy` replaces invalid bytes with U+FFFD".to_owned())
            }
            Self::UnknownPiece { near: Some(near), .. } => Some(format!("`{near}` is one")),
            Self::UnknownPiece { near: None, .. } => {
                Some("`tokscope vocab --grep REGEX` searches the vocabulary".to_owned())
            }
            Self::NotOneToken { .. } => {
                Some("name one of them with `--piece PIECE` or `--id N`".to_owned())
            }
            Self::HubUnreachable { cached: false, .. } => Some(
                "the model is not in the cache; try the built-in one with `--model demo`, or a directory with \
                 `--model PATH`"
                    .to_owned(),
            ),
            Self::HubUnreachable { cached: true, .. } => Some(
                "some of the model is in the cache, and `--offline` uses that alone; the built-in model is \
                 `--model demo`"
                    .to_owned(),
            ),
            Self::NotCached { model, file } => Some(format!(
                "run `tokscope pull --model {model}{}` once with the network on, or try the built-in model with \
                 `--model demo`",
                if is_checkpoint(file) { " --weights" } else { "" }
            )),
            Self::DamagedCache { model, file, .. } => Some(format!(
                "`tokscope pull --model {model}{}`, with the network on, fetches it again",
                if is_checkpoint(file) { " --weights" } else { "" }
            )),
            Self::ModelNotFound { token: TokenUse::Withheld, .. }
            | Self::Gated { token: TokenUse::Withheld, .. } => Some(
                "the token was not sent, because HF_ENDPOINT is a plain http address: an https one is wanted".to_owned(),
            ),
            Self::ModelNotFound { token: TokenUse::None, .. } => Some(
                "check the spelling; for a private model set HF_TOKEN; a directory is given as `--model ./PATH`"
                    .to_owned(),
            ),
            Self::ModelNotFound { token: TokenUse::Sent, .. } => Some(
                "check the spelling, and that the token in use may read it; a directory is given as `--model ./PATH`"
                    .to_owned(),
            ),
            Self::Gated {
                token: TokenUse::None,
                model,
                endpoint,
            } => Some(format!(
                "accept its terms at {endpoint}/{model}, then set HF_TOKEN"
            )),
            Self::Gated {
                token: TokenUse::Sent,
                model,
                endpoint,
            } => Some(format!(
                "accept its terms at {endpoint}/{model} with the account of the token in use"
            )),
            Self::RevisionNotFound { .. } => Some(
                "a revision is a branch, a tag, `refs/pr/N` or a 40-digit commit".to_owned(),
            ),
            Self::DownloadBroken { .. } => {
                Some("run the command again: it goes on from there".to_owned())
            }
            Self::NoRanges { .. } => Some(
                "`tokscope pull --weights`, or `--download`, fetches the whole file, and checks its digest".to_owned(),
            ),
            Self::RangesNotKept { .. } => Some(
                "XDG_CACHE_HOME names another place for it; with `--no-cache` it is TMPDIR".to_owned(),
            ),
            Self::CacheNotWritable { .. } => {
                Some("HF_HOME or HF_HUB_CACHE names another place for the cache".to_owned())
            }
            Self::HubStatus { status: 429, .. } => {
                Some("the Hub limits requests: wait a little, or set HF_TOKEN".to_owned())
            }
            _ => None,
        }
    }
}

/// Whether a file of a model is, or belongs to, its checkpoint.
fn is_checkpoint(file: &str) -> bool {
    [".safetensors", ".bin", ".index.json"]
        .iter()
        .any(|ending| file.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_is_added_where_there_is_room_for_one() {
        let error = Error::unsupported("model.gguf", "it is a GGUF file").with_hint("convert it");
        assert_eq!(error.hint().as_deref(), Some("convert it"));
        let error = Error::damaged("config.json", "it is empty").with_hint("fetch it again");
        assert_eq!(error.hint(), None);
    }
}
