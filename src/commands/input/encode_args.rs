//! Options that decide which tokens a text has.

use clap::Args;

use crate::tokenizer::EncodeOptions;

/// `--no-special-tokens`, for commands that encode a text.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct SpecialTokenArgs {
    /// Omit the special tokens that the model adds
    #[arg(long)]
    pub no_special_tokens: bool,
}

/// `--no-parse-special`, for commands that encode a text.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct AddedTokenArgs {
    /// Treat special tokens spelled out in the text, such as `[MASK]`, as plain text
    #[arg(long)]
    pub no_parse_special: bool,
}

/// Both options, for commands that encode whole texts.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct EncodeArgs {
    #[command(flatten)]
    pub special_tokens: SpecialTokenArgs,
    #[command(flatten)]
    pub added_tokens: AddedTokenArgs,
}

impl SpecialTokenArgs {
    pub fn options(self) -> EncodeOptions {
        EncodeOptions {
            special_tokens: !self.no_special_tokens,
            ..EncodeOptions::default()
        }
    }
}

impl AddedTokenArgs {
    /// Returns options for encoding text without the special tokens of the template.
    pub fn options_without_special_tokens(self) -> EncodeOptions {
        EncodeOptions {
            special_tokens: false,
            parse_special: !self.no_parse_special,
            truncation: None,
        }
    }
}

impl EncodeArgs {
    pub fn options(self) -> EncodeOptions {
        EncodeOptions {
            special_tokens: !self.special_tokens.no_special_tokens,
            parse_special: !self.added_tokens.no_parse_special,
            truncation: None,
        }
    }
}
