//! Prepares the model of a `tokenizer.json` to be compiled.

use super::model_pieces::ModelPieces;
use super::native::compiled::{Contents, UnscoredModel, index_pieces};
use crate::formats::algorithm::Algorithm;
use crate::formats::merge_list::MergeList;
use crate::formats::model_settings::ModelSettings;
use crate::formats::sentencepiece::PieceKind;
use crate::formats::tokenizer_json::ModelJson;

/// The maximum number of ids without a piece, per id with one.
const MAX_GAPS: usize = 4;
/// The number of ids that may lack pieces in any number.
const FEW_IDS: usize = 1 << 14;

/// Returns the contents of a model to be compiled, without the rest of its file.
///
/// Returns `None` if the model is left to the `tokenizers` crate, which refuses it with an error of its own, or is the
/// only exact engine for it.
pub fn contents<'a>(
    model: &ModelJson,
    algorithm: &str,
    pieces: &'a ModelPieces,
) -> Option<Contents<'a>> {
    if model.is_refused {
        return None;
    }
    match Algorithm::from_name(algorithm)? {
        Algorithm::Unigram => unigram(model, pieces),
        algorithm => unscored(model, algorithm, pieces),
    }
}

fn unigram<'a>(model: &ModelJson, pieces: &'a ModelPieces) -> Option<Contents<'a>> {
    let unknown_id = model.unk_id;
    let is_known = unknown_id.is_none_or(|id| pieces.piece(id).is_some());
    if !is_known || pieces.size() == 0 {
        return None;
    }
    let pieces = pieces.iter().map(|(id, text, score)| {
        let kind = if Some(id) == unknown_id {
            PieceKind::Unknown
        } else {
            PieceKind::Normal
        };
        Some((text, score?, kind))
    });
    Some(Contents {
        pieces: pieces.collect::<Option<_>>()?,
        gaps: Vec::new(),
        unknown_id,
        algorithm: Algorithm::Unigram,
        byte_fallback: model.settings.byte_fallback == Some(true),
        charsmap: &[],
        settings_start: 0,
        rest: &[],
        model: None,
    })
}

fn unscored<'a>(
    model: &ModelJson,
    algorithm: Algorithm,
    pieces: &'a ModelPieces,
) -> Option<Contents<'a>> {
    let settings = &model.settings;
    if model.unk_id.is_some() || !is_complete(settings, algorithm) {
        return None;
    }
    let (by_id, gaps) = without_gaps(pieces)?;
    let unknown_id = settings
        .unk_token
        .as_deref()
        .and_then(|unknown| pieces.find(unknown));
    let merges = match algorithm {
        Algorithm::Bpe => merges(settings, model.merges.as_ref()?, pieces, &by_id)?,
        _ => Vec::new(),
    };
    let index = index_pieces(pieces.iter().map(|(id, piece, _)| (piece, id)));
    Some(Contents {
        pieces: by_id,
        gaps,
        unknown_id,
        algorithm,
        byte_fallback: false,
        charsmap: &[],
        settings_start: 0,
        rest: &[],
        model: Some(UnscoredModel {
            settings: settings.clone(),
            index,
            merges,
        }),
    })
}

/// Returns true if the crate accepts the settings, and they do not ask for random merges.
fn is_complete(settings: &ModelSettings, algorithm: Algorithm) -> bool {
    let has_unknown = settings.unk_token.is_some();
    match algorithm {
        Algorithm::Bpe => settings.dropout.is_none_or(|dropout| dropout == 0.0),
        Algorithm::WordPiece => {
            has_unknown
                && settings.continuing_subword_prefix.is_some()
                && settings.max_input_chars_per_word.is_some()
        }
        Algorithm::WordLevel => has_unknown,
        _ => false,
    }
}

/// A piece with its score and kind.
type ScoredPiece<'a> = (&'a str, f64, PieceKind);

/// Returns a piece for each id, empty for those without one, and the ids without one. Returns `None` if two pieces have
/// the same id, if most of many ids have none, or if there are scores.
fn without_gaps(pieces: &ModelPieces) -> Option<(Vec<ScoredPiece<'_>>, Vec<u32>)> {
    let last = pieces.iter().last()?.0 as usize;
    if last >= FEW_IDS && last / MAX_GAPS > pieces.size() {
        return None;
    }
    let mut by_id = Vec::with_capacity(last + 1);
    let mut gaps = Vec::new();
    for (id, piece, score) in pieces.iter() {
        if by_id.len() > id as usize || score.is_some() {
            return None;
        }
        gaps.extend(by_id.len() as u32..id);
        by_id.resize(id as usize, ("", 0.0, PieceKind::Normal));
        by_id.push((piece, 0.0, PieceKind::Normal));
    }
    Some((by_id, gaps))
}

/// Returns the ids of merges. Returns `None` if a piece is not in the vocabulary, or is empty without its prefix.
fn merges(
    settings: &ModelSettings,
    merges: &MergeList,
    pieces: &ModelPieces,
    by_id: &[ScoredPiece<'_>],
) -> Option<Vec<[u32; 3]>> {
    let prefix = settings.continuing_subword_prefix.as_deref();
    let prefix = prefix.map_or(0, str::len);
    let mut joined = String::new();
    let mut last = 0_u32;
    let merge = |(left, right): (&str, &str)| {
        let added = right.get(prefix..)?;
        if left.is_empty() || added.is_empty() {
            return None;
        }
        let is_joined = |id: &u32| {
            let piece = by_id.get(*id as usize).map(|piece| piece.0.as_bytes());
            piece.and_then(|piece| piece.strip_prefix(left.as_bytes())) == Some(added.as_bytes())
        };
        // Most merges make the next piece, or the same one in another way.
        let guesses = [last, last.wrapping_add(1)];
        last = match guesses.into_iter().find(is_joined) {
            Some(id) => id,
            None => {
                joined.clear();
                joined.push_str(left);
                joined.push_str(added);
                pieces.find(&joined)?
            }
        };
        Some([pieces.find(left)?, pieces.find(right)?, last])
    };
    merges.pairs()?.map(merge).collect()
}
