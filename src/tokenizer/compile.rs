//! Compiles the model of a `tokenizer.json`.

use std::collections::{HashMap, HashSet};

use super::compiled_cache::CacheEntry;
use super::native::compiled::{
    Algorithm, CompiledVocabulary, Contents, PieceIndex, UnscoredModel, index_pieces,
};
use crate::formats::model_settings::{Merge, ModelParts, ModelSettings};
use crate::formats::piece_list::Numbers;
use crate::formats::sentencepiece::PieceKind;
use crate::formats::tokenizer_json::TokenizerJson;

/// The maximum number of ids without a piece, per id with one.
const MAX_GAPS: usize = 4;

/// Compiles the model of a `tokenizer.json`, given its content and its bytes, and caches it.
///
/// Returns `None` if the model is left to the `tokenizers` crate: the crate would refuse it, and has the error message,
/// or no engine but the crate's is exact for it.
pub fn compile(
    entry: &CacheEntry<'_>,
    json: &TokenizerJson,
    file: &[u8],
) -> Option<CompiledVocabulary> {
    let rest = serde_json::to_vec(&json.rest).ok()?;
    let contents = match &json.model.vocab.numbers {
        Numbers::Scores(scores) => unigram(json, scores, &rest)?,
        Numbers::Ids(ids) => unscored(json, ids, &rest, file)?,
    };
    Some(entry.make(&contents))
}

fn unigram<'a>(json: &'a TokenizerJson, scores: &[f64], rest: &'a [u8]) -> Option<Contents<'a>> {
    let unknown_id = json.model.unk_id;
    let is_known = unknown_id.is_none_or(|id| (id as usize) < scores.len());
    if !is_known || scores.is_empty() || json.model.algorithm() != "Unigram" {
        return None;
    }
    let pieces = json.model.vocab.texts.iter().zip(scores);
    let pieces = (0..).zip(pieces).map(|(id, (text, score))| {
        let kind = if Some(id) == unknown_id {
            PieceKind::Unknown
        } else {
            PieceKind::Normal
        };
        (text, *score, kind)
    });
    Some(Contents {
        pieces: pieces.collect(),
        gaps: Vec::new(),
        unknown_id,
        algorithm: Algorithm::Unigram,
        byte_fallback: json.model.byte_fallback == Some(true),
        charsmap: &[],
        rest,
        model: None,
    })
}

fn unscored<'a>(
    json: &'a TokenizerJson,
    ids: &[u32],
    rest: &'a [u8],
    file: &[u8],
) -> Option<Contents<'a>> {
    let algorithm = match json.model.algorithm() {
        "BPE" => Algorithm::Bpe,
        "WordPiece" => Algorithm::WordPiece,
        "WordLevel" => Algorithm::WordLevel,
        _ => return None,
    };
    let parts = ModelParts::read(file)?;
    let pieces = json.model.vocab.texts.iter().zip(ids.iter().copied());
    let pieces = last_of_each_piece(pieces.collect());
    let index = index_pieces(&pieces);
    let (by_id, gaps) = in_order(&pieces)?;
    let find = |piece: &str| {
        let piece_of = |id: u32| by_id.get(id as usize).map(|piece| piece.0.as_bytes());
        PieceIndex::new(&index)?.find(piece, piece_of)
    };
    let settings = parts.settings;
    let unknown_id = match (&settings.unk_token, algorithm) {
        (Some(unknown), _) => Some(find(unknown)?),
        (None, Algorithm::Bpe) => None,
        (None, _) => return None,
    };
    let merges = match algorithm {
        Algorithm::Bpe => merges(&settings, &parts.merges?, find)?,
        _ => Vec::new(),
    };
    if json.model.unk_id.is_some() || !is_complete(&settings, algorithm) {
        return None;
    }
    Some(Contents {
        pieces: by_id,
        gaps,
        unknown_id,
        algorithm,
        byte_fallback: false,
        charsmap: &[],
        rest,
        model: Some(UnscoredModel {
            settings,
            index,
            merges,
        }),
    })
}

/// Returns true if the crate accepts the settings, and they do not ask for random merges.
fn is_complete(settings: &ModelSettings, algorithm: Algorithm) -> bool {
    match algorithm {
        Algorithm::WordPiece => {
            settings.continuing_subword_prefix.is_some()
                && settings.max_input_chars_per_word.is_some()
        }
        Algorithm::Bpe => settings.dropout.is_none_or(|dropout| dropout == 0.0),
        _ => true,
    }
}

/// Returns the pieces with their ids. Of several equal pieces, keeps the last, as in the crate.
fn last_of_each_piece(pieces: Vec<(&str, u32)>) -> Vec<(&str, u32)> {
    let mut seen = HashSet::with_capacity(pieces.len());
    if pieces.iter().all(|(piece, _)| seen.insert(*piece)) {
        return pieces;
    }
    let last: HashMap<&str, u32> = pieces.into_iter().collect();
    last.into_iter().collect()
}

/// A piece with its score and kind.
type ScoredPiece<'a> = (&'a str, f64, PieceKind);

/// Returns the pieces in order of id, and the ids without a piece. Returns `None` if two pieces have the same id, or if
/// most ids have none.
fn in_order<'a>(pieces: &[(&'a str, u32)]) -> Option<(Vec<ScoredPiece<'a>>, Vec<u32>)> {
    let last = pieces.iter().map(|(_, id)| *id as usize).max()?;
    if last / MAX_GAPS > pieces.len() {
        return None;
    }
    let mut by_id = vec![None; last + 1];
    for (piece, id) in pieces {
        if by_id[*id as usize].replace(*piece).is_some() {
            return None;
        }
    }
    let gaps = (0..).zip(&by_id).filter(|(_, piece)| piece.is_none());
    let gaps = gaps.map(|(id, _)| id).collect();
    let pieces = by_id.into_iter();
    let pieces = pieces.map(|piece| (piece.unwrap_or_default(), 0.0, PieceKind::Normal));
    Some((pieces.collect(), gaps))
}

/// Returns the ids of merges. Returns `None` if a piece is not in the vocabulary, or if merging adds nothing.
fn merges(
    settings: &ModelSettings,
    merges: &[Merge<'_>],
    find: impl Fn(&str) -> Option<u32>,
) -> Option<Vec<[u32; 3]>> {
    let prefix = settings.continuing_subword_prefix.as_deref();
    let prefix = prefix.map_or(0, str::len);
    let mut merged = String::new();
    let merge = |(left, right): &Merge<'_>| {
        let added = right.get(prefix..)?;
        if left.is_empty() || added.is_empty() {
            return None;
        }
        merged.clear();
        merged.push_str(left);
        merged.push_str(added);
        Some([find(left)?, find(right)?, find(&merged)?])
    };
    merges.iter().map(merge).collect()
}
