//! The algorithms that segment text into pieces.

/// An algorithm of the `tokenizers` crate or of SentencePiece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    Unigram,
    Bpe,
    WordPiece,
    WordLevel,
    /// The words of SentencePiece.
    Word,
    /// The characters of SentencePiece.
    Char,
}

impl Algorithm {
    /// Every algorithm, in the order of their codes in compiled vocabularies.
    pub const ALL: [Self; 6] = [
        Self::Unigram,
        Self::Bpe,
        Self::Word,
        Self::Char,
        Self::WordPiece,
        Self::WordLevel,
    ];

    /// Returns the name in `tokenizer.json` files and in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unigram => "Unigram",
            Self::Bpe => "BPE",
            Self::WordPiece => "WordPiece",
            Self::WordLevel => "WordLevel",
            Self::Word => "Word",
            Self::Char => "Char",
        }
    }

    /// Returns the algorithm called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|algorithm| algorithm.name() == name)
    }
}
