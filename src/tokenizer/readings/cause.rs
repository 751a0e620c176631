//! The causes for which two readings have other tokens.

/// A cause for which two readings of a text have other tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    CharacterMap,
    Normalization,
    WhiteSpace,
    AddedToken,
    SpecialTokens,
    ByteFallback,
    UnknownToken,
    PrefixSpace,
    Words,
    Ids,
    Pieces,
}

impl Cause {
    pub const ALL: [Self; 11] = [
        Self::CharacterMap,
        Self::Normalization,
        Self::WhiteSpace,
        Self::AddedToken,
        Self::SpecialTokens,
        Self::ByteFallback,
        Self::UnknownToken,
        Self::PrefixSpace,
        Self::Words,
        Self::Ids,
        Self::Pieces,
    ];

    /// Returns the name, as records have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::CharacterMap => "character-map",
            Self::Normalization => "normalization",
            Self::WhiteSpace => "white-space",
            Self::AddedToken => "added-token",
            Self::SpecialTokens => "special-tokens",
            Self::ByteFallback => "byte-fallback",
            Self::UnknownToken => "unknown-token",
            Self::PrefixSpace => "prefix-space",
            Self::Words => "words",
            Self::Ids => "ids",
            Self::Pieces => "pieces",
        }
    }
}
