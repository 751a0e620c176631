//! Encoding options that callers choose per text, and the choice of engine.

/// How a text is encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EncodeOptions {
    /// Add the special tokens of the model's template.
    pub special_tokens: bool,
    /// Recognize special tokens, such as `[MASK]`, that are spelled out in the text. Added tokens that are not special
    /// are always recognized.
    pub parse_special: bool,
    /// Cut the text into windows. `None` keeps the text whole.
    pub truncation: Option<Truncation>,
}

impl Default for EncodeOptions {
    fn default() -> Self {
        Self {
            special_tokens: true,
            parse_special: true,
            truncation: None,
        }
    }
}

impl EncodeOptions {
    /// Sets [`special_tokens`](Self::special_tokens).
    #[must_use]
    pub fn special_tokens(self, special_tokens: bool) -> Self {
        Self {
            special_tokens,
            ..self
        }
    }

    /// Sets [`parse_special`](Self::parse_special).
    #[must_use]
    pub fn parse_special(self, parse_special: bool) -> Self {
        Self {
            parse_special,
            ..self
        }
    }

    /// Sets [`truncation`](Self::truncation).
    #[must_use]
    pub fn truncation(self, truncation: Truncation) -> Self {
        Self {
            truncation: Some(truncation),
            ..self
        }
    }
}

/// The size and overlap of windows, in tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Truncation {
    /// Tokens per window, special tokens included.
    pub max_length: usize,
    /// Tokens of text that a window shares with the window before it.
    pub stride: usize,
}

/// The engine that encodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EngineChoice {
    /// The native engine if it is exact for the tokenizer, otherwise the `tokenizers` crate.
    #[default]
    Auto,
    /// The native engine, or an error if it is not exact.
    Native,
    /// The `tokenizers` crate.
    Reference,
}

/// A side of a translation model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Source,
    Target,
}
