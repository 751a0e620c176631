//! The stable names of errors.

use super::variants::Error;

impl Error {
    /// Returns the stable name of the error, which is the `code` field of error records.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Usage { .. } => "usage",
            Self::NotUtf8 { .. } => "not-utf8",
            Self::NotText { .. } => "not-text",
            Self::BadJsonLine { .. } => "bad-json",
            Self::BadConfig { .. } => "bad-config",
            Self::NotAnId { .. } => "not-an-id",
            Self::UnknownId { .. } => "unknown-id",
            Self::NoSuchRow { .. } => "no-such-row",
            Self::UnknownPiece { .. } => "unknown-piece",
            Self::NoSuchPosition { .. } => "no-such-position",
            Self::NotOneToken { .. } => "not-one-token",
            Self::NoToken { .. } => "no-token",
            Self::BadArray { .. } => "bad-array",
            Self::ReadInput { .. } => "unreadable-input",
            Self::WriteOutput { .. } => "unwritable-output",
            Self::MissingPart { .. } => "missing-part",
            Self::TemplateRefused { .. } => "template-refused",
            Self::TemplateFailed { .. } => "template-failed",
            Self::BadModelRef { .. } => "bad-model",
            Self::HubUnreachable { .. } => "hub-unreachable",
            Self::NotCached { .. } => "not-cached",
            Self::ModelNotFound { .. } => "model-not-found",
            Self::Gated { .. } => "gated",
            Self::RevisionNotFound { .. } => "revision-not-found",
            Self::CommitGone { .. } => "commit-gone",
            Self::HubStatus { .. } => "hub-status",
            Self::DownloadBroken { .. } => "download-broken",
            Self::WrongDownload { .. } | Self::OtherDigest { .. } => "wrong-download",
            Self::RangeBroken { .. } => "range-broken",
            Self::NoRanges { .. } => "no-ranges",
            Self::RangesNotKept { .. } => "ranges-not-kept",
            Self::CacheNotWritable { .. } => "cache-not-writable",
            Self::Damaged { .. } => "damaged",
            Self::Unsupported { .. } => "unsupported",
            Self::DamagedCache { .. } => "damaged-cache",
            Self::ReadModel { .. } => "unreadable-model",
            Self::BecameShorter { .. } => "became-shorter",
        }
    }
}
