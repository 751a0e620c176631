//! Exit codes of the process.

use super::variants::Error;

/// An exit code of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// The question was answered.
    Done = 0,
    /// The answer is negative: over budget, rows differ, a finding under `--strict`.
    Negative = 1,
    /// Wrong usage or unusable input.
    Usage = 2,
    /// The model or a cache is out of reach: no network, offline and not cached, not found on the Hub, access denied,
    /// or a cache that cannot be written.
    Unreachable = 3,
    /// A model file is damaged or not supported.
    Damaged = 4,
    /// Interrupted by Ctrl-C.
    Interrupted = 130,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl Error {
    /// Returns the exit code of a process that ends with this error.
    #[doc(hidden)]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage { .. }
            | Self::NotUtf8 { .. }
            | Self::NotText { .. }
            | Self::BadJsonLine { .. }
            | Self::BadConfig { .. }
            | Self::NotAnId { .. }
            | Self::UnknownId { .. }
            | Self::NoSuchRow { .. }
            | Self::UnknownPiece { .. }
            | Self::NoSuchPosition { .. }
            | Self::NotOneToken { .. }
            | Self::NoToken { .. }
            | Self::BadArray { .. }
            | Self::ReadInput { .. }
            | Self::WriteOutput { .. }
            | Self::MissingPart { .. }
            | Self::TemplateRefused { .. }
            | Self::TemplateFailed { .. }
            | Self::BadModelRef { .. } => Exit::Usage,
            Self::HubUnreachable { .. }
            | Self::NotCached { .. }
            | Self::ModelNotFound { .. }
            | Self::Gated { .. }
            | Self::RevisionNotFound { .. }
            | Self::CommitGone { .. }
            | Self::HubStatus { .. }
            | Self::DownloadBroken { .. }
            | Self::WrongDownload { .. }
            | Self::OtherDigest { .. }
            | Self::RangeBroken { .. }
            | Self::NoRanges { .. }
            | Self::RangesNotKept { .. }
            | Self::CacheNotWritable { .. } => Exit::Unreachable,
            Self::Damaged { .. }
            | Self::Unsupported { .. }
            | Self::DamagedCache { .. }
            | Self::ReadModel { .. }
            | Self::BecameShorter { .. } => Exit::Damaged,
        }
    }
}
