//! The pieces of a SentencePiece file, as the classes of transformers 5.24 take them.

use crate::formats::merge_list::MergeList;
use crate::formats::piece_list::{Numbers, PieceList};
use crate::formats::sentencepiece::SentencePieceModel;

/// The pieces of a file.
pub struct Pieces {
    pub vocab: PieceList,
    pub merges: Option<MergeList>,
    /// The unknown id of a SentencePiece file.
    pub unknown: Option<u32>,
}

impl Pieces {
    /// Returns the pieces with those that mBART-50 puts around them, unless there is a language code among them. `token`
    /// returns the text of a special token by its place in `SpecialTokensMap::named`.
    #[must_use]
    pub fn with_languages<'t>(self, languages: &[&str], token: impl Fn(usize) -> &'t str) -> Self {
        let Numbers::Scores(scores) = &self.vocab.numbers else {
            return self;
        };
        if self
            .vocab
            .texts
            .iter()
            .any(|piece| languages.contains(&piece))
        {
            return self;
        }
        let first = [5, 4, 1, 2].map(|index| (token(index), 0.0));
        let own = self.vocab.texts.iter().zip(scores.iter().copied()).skip(3);
        let last = languages.iter().map(|code| (*code, 0.0));
        let all: Vec<(&str, f64)> = (first.into_iter().chain(own))
            .chain(last)
            .chain([(token(6), 0.0)])
            .collect();
        Self {
            vocab: PieceList {
                texts: all.iter().map(|(piece, _)| *piece).collect(),
                numbers: Numbers::Scores(all.iter().map(|(_, score)| *score).collect()),
            },
            ..self
        }
    }
}

/// Returns the pieces of a file with their scores.
pub fn of_sentencepiece(model: &SentencePieceModel) -> Pieces {
    let pieces = model.pieces.iter();
    Pieces {
        vocab: PieceList {
            texts: pieces.clone().map(|piece| &*piece.text).collect(),
            numbers: Numbers::Scores(pieces.map(|piece| f64::from(piece.score)).collect()),
        },
        merges: None,
        unknown: Some(model.unknown_id),
    }
}
