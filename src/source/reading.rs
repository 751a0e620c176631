//! The reading of a model's files: the library whose answers are given.

/// A library that reads the files of a tokenizer, each in its own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reading {
    /// transformers 4.48.3, with its fast tokenizers.
    #[default]
    Transformers4,
    /// transformers 5.24.0, which builds the tokenizers of most classes anew.
    Transformers5,
    /// SentencePiece 0.2.3, which reads a SentencePiece file on its own.
    SentencePiece,
}

impl Reading {
    pub const ALL: [Self; 3] = [
        Self::Transformers4,
        Self::Transformers5,
        Self::SentencePiece,
    ];

    /// Returns the name, as `--reading` takes it and records have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Transformers4 => "transformers-4",
            Self::Transformers5 => "transformers-5",
            Self::SentencePiece => "sentencepiece",
        }
    }

    /// Returns the library and its version.
    pub fn library(self) -> &'static str {
        match self {
            Self::Transformers4 => "transformers 4.48.3",
            Self::Transformers5 => "transformers 5.24.0",
            Self::SentencePiece => "SentencePiece 0.2.3",
        }
    }

    /// Returns the reading with a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reading| reading.name() == name)
    }

    /// Returns the name for records, which leave out the default reading.
    pub fn recorded(self) -> Option<&'static str> {
        (self != Self::default()).then(|| self.name())
    }
}
