//! Command-line values for enums of lower modules, which do not depend on clap.

use clap::ValueEnum;
use clap::builder::PossibleValue;

use crate::render::Format;
use crate::render::style::ColorChoice;
use crate::source::Reading;
use crate::tokenizer::{EngineChoice, OffsetUnit, Side};

impl ValueEnum for EngineChoice {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Auto, Self::Native, Self::Reference]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (name, help) = match self {
            Self::Auto => (
                "auto",
                "The native engine where it is exact, otherwise the reference engine",
            ),
            Self::Native => (
                "native",
                "The native engine, or an error where it is not exact",
            ),
            Self::Reference => ("reference", "The `tokenizers` crate"),
        };
        Some(PossibleValue::new(name).help(help))
    }
}

impl ValueEnum for Side {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Source, Self::Target]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (name, help) = match self {
            Self::Source => ("source", "The language that is translated"),
            Self::Target => ("target", "The language of the translation"),
        };
        Some(PossibleValue::new(name).help(help))
    }
}

impl ValueEnum for Reading {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Self::Transformers4 => "transformers 4.48.3 with its fast tokenizers",
            Self::Transformers5 => {
                "transformers 5.24.0, which builds the tokenizers of most classes anew"
            }
            Self::SentencePiece => "SentencePiece 0.2.3, on the SentencePiece file alone",
        };
        Some(PossibleValue::new(self.name()).help(help))
    }
}

impl ValueEnum for OffsetUnit {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Byte, Self::Char, Self::Utf16]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Self::Byte => "Bytes of UTF-8, as Rust's tokenizers and most C programs count",
            Self::Char => "Unicode scalar values, as Python counts",
            Self::Utf16 => {
                "UTF-16 code units, as JavaScript, Java and the Language Server Protocol count"
            }
        };
        Some(PossibleValue::new(self.name()).help(help))
    }
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Human, Self::Json, Self::Csv, Self::Tsv]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (name, help) = match self {
            Self::Human => ("human", "Tables and sentences for people"),
            Self::Json => ("json", "JSON Lines: one object per record"),
            Self::Csv => ("csv", "Comma-separated values with a header line"),
            Self::Tsv => ("tsv", "Tab-separated values with a header line"),
        };
        Some(PossibleValue::new(name).help(help))
    }
}

impl ValueEnum for ColorChoice {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Auto, Self::Always, Self::Never]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let value = match self {
            Self::Auto => PossibleValue::new("auto").help(
                "On a terminal, unless `NO_COLOR`, `CLICOLOR=0` or `TERM=dumb` is set, and anywhere if `FORCE_COLOR` or \
                 `CLICOLOR_FORCE` is set and `NO_COLOR` is not",
            ),
            Self::Always => PossibleValue::new("always"),
            Self::Never => PossibleValue::new("never"),
        };
        Some(value)
    }
}
