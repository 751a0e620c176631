//! The search for the most probable pieces of a text (`EncodeOptimized` of SentencePiece).

use super::vocabulary::{Segment, Vocabulary};
use crate::formats::sentencepiece::PieceKind;

/// The penalty of an unknown character, as a logarithm.
const UNKNOWN_PENALTY: f32 = 10.0;

/// The best pieces up to a position.
#[derive(Clone, Copy)]
struct Best {
    id: u32,
    score: f32,
    /// `None` if no pieces end here.
    start: Option<usize>,
}

/// Splits a text into the pieces with the greatest sum of scores. Sums are rounded as in SentencePiece.
pub fn segment(vocabulary: &Vocabulary, text: &str) -> Vec<Segment> {
    let unknown = Best {
        id: vocabulary.unknown_id,
        score: 0.0,
        start: None,
    };
    let mut best = vec![unknown; text.len() + 1];
    let unknown_score = vocabulary.min_score - UNKNOWN_PENALTY;
    for (start, character) in text.char_indices() {
        let before = best[start].score;
        let width = character.len_utf8();
        let mut is_known = false;
        let mut walk = vocabulary.trie.walk();
        for (index, &byte) in text.as_bytes()[start..].iter().enumerate() {
            let Some(node) = walk.step(byte) else {
                break;
            };
            let Some(id) = node.value.checked_sub(1) else {
                continue;
            };
            let length = index + 1;
            let score = match vocabulary.kind(id) {
                PieceKind::Normal => vocabulary.score(id),
                // A user-defined piece always wins.
                PieceKind::UserDefined => {
                    (f64::from(length as f32 * vocabulary.max_score) - 0.1) as f32
                }
                _ => continue,
            };
            let score = score + before;
            let end = &mut best[start + length];
            if end.start.is_none() || score > end.score {
                *end = Best {
                    id,
                    score,
                    start: Some(start),
                };
            }
            is_known |= length == width;
        }
        if !is_known {
            let score = unknown_score + before;
            let end = &mut best[start + width];
            if end.start.is_none() || score > end.score {
                *end = Best {
                    score,
                    start: Some(start),
                    ..unknown
                };
            }
        }
    }
    let mut segments = Vec::new();
    let mut end = text.len();
    while let Some(start) = best[end].start {
        segments.push(Segment {
            id: best[end].id,
            start,
            end,
        });
        end = start;
    }
    segments.reverse();
    segments
}
