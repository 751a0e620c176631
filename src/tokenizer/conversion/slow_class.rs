//! What the conversion needs to know about a slow class.

use super::bpe_kinds::BpeKind;
use super::families::Family;
use super::template::Template;
use crate::tokenizer::class::TokenDefault;

/// A slow class of transformers that has a fast one.
#[derive(Debug)]
pub struct SlowClass {
    /// The names of its fast classes.
    pub names: &'static [&'static str],
    pub converter: Converter,
    /// The special tokens that the files do not name. `None` if they are those of the fast class.
    pub tokens: Option<[TokenDefault; 7]>,
    /// The default of `clean_up_tokenization_spaces`.
    pub cleans_up_spaces: bool,
}

/// The files of a class, and how they are converted.
#[derive(Debug)]
pub enum Converter {
    SentencePiece {
        /// The name of the only file.
        file: &'static [&'static str],
        family: &'static Family,
    },
    /// A `vocab.txt`.
    WordPiece(&'static Template),
    /// A `vocab.json` and a `merges.txt`.
    Bpe(&'static BpeKind),
}

impl Converter {
    /// Returns the names of the files that are read.
    pub fn files(&self) -> &'static [&'static str] {
        match self {
            Self::SentencePiece { file, .. } => file,
            Self::WordPiece(_) => &["vocab.txt"],
            Self::Bpe(_) => &["vocab.json", "merges.txt"],
        }
    }

    /// Returns the file that a model without a readable tokenizer lacks, as part of a sentence.
    pub fn missing(&self) -> &'static str {
        match self {
            Self::SentencePiece { file, .. } => match *file {
                ["spiece.model"] => "tokenizer.json and no spiece.model",
                ["sentencepiece.bpe.model"] => "tokenizer.json and no sentencepiece.bpe.model",
                ["sentencepiece.model"] => "tokenizer.json and no sentencepiece.model",
                _ => "tokenizer.json and no tokenizer.model",
            },
            Self::WordPiece(_) => "tokenizer.json and no vocab.txt",
            Self::Bpe(_) => "tokenizer.json and no vocab.json with merges.txt",
        }
    }
}
