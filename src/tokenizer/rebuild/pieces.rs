//! The pieces of files other than a `tokenizer.json`, as the classes of transformers 5.24 take them.

use std::collections::HashMap;

use crate::error::{Error, Result};
use crate::formats::merge_list::MergeList;
use crate::formats::piece_list::{Numbers, PieceList};
use crate::formats::sentencepiece::SentencePieceModel;
use crate::formats::text_file;

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

/// Returns the merges of a `merges.txt`, as the `tokenizers` library reads them.
///
/// # Errors
/// Fails with [`Error::Damaged`] if a line is not two pieces.
pub fn merges(name: &str, bytes: &[u8]) -> Result<MergeList> {
    let text = text_file::read(name, bytes)?;
    let mut merges = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.starts_with("#version") {
            continue;
        }
        let mut pieces = line.split(' ');
        let (Some(left), Some(right), None) = (pieces.next(), pieces.next(), pieces.next()) else {
            let problem = format!("line {} is {line:?}, which is not two pieces", index + 1);
            return Err(Error::damaged(name, problem));
        };
        merges.push((left, right));
    }
    Ok(merges.into_iter().collect())
}

/// Returns the pieces of a `vocab.txt`, as the `tokenizers` library reads them: of equal lines, the last one counts.
///
/// # Errors
/// Fails with [`Error::Damaged`] if it is not text.
pub fn lines(name: &str, bytes: &[u8]) -> Result<Pieces> {
    let text = text_file::read(name, bytes)?;
    let lines = || text.lines().map(str::trim_end).zip(0_u32..);
    let last: HashMap<&str, u32> = lines().collect();
    let kept = || lines().filter(|(line, id)| last[line] == *id);
    Ok(Pieces {
        vocab: PieceList {
            texts: kept().map(|(line, _)| line).collect(),
            numbers: Numbers::Ids(kept().map(|(_, id)| id).collect()),
        },
        merges: None,
        unknown: None,
    })
}
