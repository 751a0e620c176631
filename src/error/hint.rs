//! Hints, which tell the user how to fix an error.

use super::shell::shell_word;
use super::variants::{Error, TokenUse};

impl Error {
    /// Sets the hint of a variant that has a `hint` field.
    ///
    /// The other variants derive their hints from their values and are returned unchanged.
    #[must_use]
    #[doc(hidden)]
    pub fn with_hint(mut self, remedy: impl Into<String>) -> Self {
        if let Self::Usage { hint, .. }
        | Self::NotText { hint, .. }
        | Self::BadJsonLine { hint, .. }
        | Self::BadConfig { hint, .. }
        | Self::MissingPart { hint, .. }
        | Self::Damaged { hint, .. }
        | Self::Unsupported { hint, .. } = &mut self
        {
            *hint = Some(remedy.into());
        }
        self
    }

    /// Returns the hint, or `None` if there is nothing to suggest.
    pub fn hint(&self) -> Option<String> {
        let remedy = match self {
            Self::Usage { hint, .. }
            | Self::NotText { hint, .. }
            | Self::BadJsonLine { hint, .. }
            | Self::BadConfig { hint, .. }
            | Self::MissingPart { hint, .. }
            | Self::Damaged { hint, .. }
            | Self::Unsupported { hint, .. } => return hint.clone(),
            Self::UnknownPiece {
                near: Some(near), ..
            } => return Some(format!("did you mean `{near}`?")),
            Self::NotCached { model, file } => {
                return Some(format!(
                    "run `{}` once with the network on, or try the built-in model with `--model demo`",
                    pull(model, file)
                ));
            }
            Self::DamagedCache { model, file, .. } => {
                return Some(format!(
                    "run `{}` with the network on to fetch it again",
                    pull(model, file)
                ));
            }
            Self::CommitGone {
                model, revision, ..
            } => {
                return Some(format!(
                    "run `{}` to fetch the commit that `{revision}` has now, or use the cached files with `--offline`",
                    pull(model, "")
                ));
            }
            Self::Gated {
                token: TokenUse::None,
                model,
                endpoint,
            } => {
                return Some(format!(
                    "accept its terms at {endpoint}/{model}, then set HF_TOKEN"
                ));
            }
            Self::Gated {
                token: TokenUse::Sent,
                model,
                endpoint,
            } => {
                return Some(format!(
                    "accept its terms at {endpoint}/{model} with the account that your token belongs to"
                ));
            }
            Self::NotUtf8 { .. } => "use `--lossy` to replace invalid bytes with U+FFFD",
            Self::UnknownPiece { near: None, .. } => {
                "search the vocabulary with `tokscope vocab --grep REGEX`"
            }
            Self::NotOneToken { .. } => {
                "use `--mean` for the mean of their rows, or name one of them with `--piece PIECE` or `--id N`"
            }
            Self::HubUnreachable { cached: false, .. } => {
                "the model is not in the cache; try the built-in one with `--model demo`, or a directory with \
                 `--model PATH`"
            }
            Self::HubUnreachable { cached: true, .. } => {
                "part of the model is in the cache: use only that part with `--offline`, or try the built-in model with \
                 `--model demo`"
            }
            Self::ModelNotFound {
                token: TokenUse::Withheld,
                ..
            }
            | Self::Gated {
                token: TokenUse::Withheld,
                ..
            } => {
                "the token was not sent because HF_ENDPOINT is a plain http address: set it to an https address"
            }
            Self::ModelNotFound {
                token: TokenUse::None,
                ..
            } => {
                "check the spelling; for a private model set HF_TOKEN; for a directory use `--model ./PATH`"
            }
            Self::ModelNotFound {
                token: TokenUse::Sent,
                ..
            } => {
                "check the spelling, and whether your token has access to it; for a directory use `--model ./PATH`"
            }
            Self::RevisionNotFound { .. } => {
                "a revision is a branch, a tag, `refs/pr/N` or a 40-digit commit"
            }
            Self::DownloadBroken { .. } => "run the command again to resume the download",
            Self::NoRanges { .. } => {
                "use `tokscope pull --weights` or `--download` to fetch the whole file and check its digest"
            }
            Self::RangesNotKept { .. } => {
                "set XDG_CACHE_HOME (or, with `--no-cache`, TMPDIR) to another folder"
            }
            Self::CacheNotWritable { .. } => "set HF_HOME or HF_HUB_CACHE to another folder",
            Self::HubStatus { status: 429, .. } => {
                "the Hub is limiting requests: wait a while, or set HF_TOKEN"
            }
            _ => return None,
        };
        Some(remedy.to_owned())
    }
}

/// Returns the command that downloads a file of a model.
fn pull(model: &str, file: &str) -> String {
    let weights = if is_checkpoint(file) {
        " --weights"
    } else {
        ""
    };
    format!("tokscope pull {}{weights}", shell_word(model))
}

/// Returns true if the file is a checkpoint, a shard, or the index of the shards.
fn is_checkpoint(file: &str) -> bool {
    [".safetensors", ".bin", ".index.json", ".gguf"]
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
        assert_eq!(error.hint().as_deref(), Some("fetch it again"));
        let error = Error::NoSuchRow { id: 7, last: 2 };
        assert_eq!(error.with_hint("take another").hint(), None);
    }
}
