//! Compiles the contents of a tokenizer file.

use std::collections::HashSet;

use super::contents::{Contents, UnscoredModel};
use super::layout::{CHECKSUM, GAP, HEADER_LENGTH, Header, checksum, kind_code};
use crate::formats::algorithm::Algorithm;
use crate::formats::sentencepiece::PieceKind;
use crate::tokenizer::native::bpe::byte_ids::byte_ids;
use crate::tokenizer::native::bpe::joins;
use crate::tokenizer::native::bpe::merges;
use crate::tokenizer::native::double_array::{Node, build};
use crate::tokenizer::native::piece_index::PieceIndex;
use crate::tokenizer::native::trailing_marks::{self, MarkSet};
use crate::tokenizer::native::word_marks::WordMarks;

/// The parts of a compiled file that are built from the contents.
#[derive(Default)]
struct Built {
    nodes: Vec<Node>,
    settings: Vec<u8>,
    byte_ids: Vec<u32>,
    /// The number of slots for merges.
    merges: usize,
    joins: Vec<u64>,
}

/// Compiles the contents of a file. `source` is the sha256 of the file. Returns the compiled file, as 8-byte words for
/// alignment, and its header.
///
/// If no double array can hold the vocabulary, the compiled file has none.
pub fn write(contents: &Contents<'_>, source: [u8; 32]) -> (Vec<u64>, Header) {
    let pieces = &contents.pieces;
    let (built, trailing_marks) = match &contents.model {
        None => with_scores(contents),
        Some(model) => (without_scores(contents, model), 0),
    };
    let text: usize = pieces.iter().map(|(text, ..)| text.len()).sum();
    let scores = pieces.iter().map(|(_, score, _)| *score);
    let is_scored = contents.model.is_none();
    let header = Header {
        source,
        pieces: pieces.len() as u32,
        gaps: contents.gaps.len() as u32,
        scores: if is_scored {
            1 + pieces.len() as u32
        } else {
            0
        },
        nodes: built.nodes.len() as u32,
        text: text as u32,
        charsmap: contents.charsmap.len() as u32,
        rest: contents.rest.len() as u32,
        settings: built.settings.len() as u32,
        index: contents.model.as_ref().map_or(0, |model| model.index.len()) as u32,
        byte_ids: built.byte_ids.len() as u32,
        merges: built.merges as u32,
        joins: built.joins.len() as u32,
        unknown_id: contents.unknown_id,
        algorithm: contents.algorithm,
        byte_fallback: contents.byte_fallback,
        min_score: scores.fold(f64::INFINITY, f64::min),
        trailing_marks,
        word_marks: if is_scored {
            word_marks(contents)
        } else {
            WordMarks::Within
        },
        settings_start: contents.settings_start,
    };
    let words = fill(contents, &built, &header);
    (words, header)
}

/// Finds the place of marks in the pieces that texts contain.
fn word_marks(contents: &Contents<'_>) -> WordMarks {
    let in_text = [PieceKind::Normal, PieceKind::UserDefined, PieceKind::Unused];
    let pieces = ids(contents).filter(|(_, (_, _, kind))| in_text.contains(kind));
    WordMarks::of(pieces.map(|(_, (text, ..))| *text))
}

/// Builds the double array of a model with scores, and finds its trailing marks.
fn with_scores(contents: &Contents<'_>) -> (Built, MarkSet) {
    let keys = sorted_keys(contents);
    let built = Built {
        nodes: build(&keys).unwrap_or_default(),
        ..Built::default()
    };
    let unknown_id = contents.unknown_id.unwrap_or(u32::MAX);
    (built, trailing_marks::find(&keys, unknown_id))
}

/// Builds the tables of a model without scores. Only WordPiece has a double array.
fn without_scores(contents: &Contents<'_>, model: &UnscoredModel) -> Built {
    let nodes = match contents.algorithm {
        Algorithm::WordPiece => {
            let mut keys = sorted_keys(contents);
            // No part of a word is empty.
            keys.retain(|(piece, ..)| !piece.is_empty());
            build(&keys).unwrap_or_default()
        }
        _ => Vec::new(),
    };
    let mut built = Built {
        nodes,
        settings: serde_json::to_vec(&model.settings).unwrap_or_default(),
        ..Built::default()
    };
    if contents.algorithm == Algorithm::Bpe {
        let settings = &model.settings;
        let suffix = settings.end_of_word_suffix.as_deref().unwrap_or_default();
        let has_prefix = settings
            .continuing_subword_prefix
            .as_ref()
            .is_some_and(|prefix| !prefix.is_empty());
        let piece_of = |id: u32| contents.pieces.get(id as usize).map(|piece| piece.0);
        let find = |piece: &str| {
            PieceIndex::new(&model.index)?.find(piece, |id| piece_of(id).map(str::as_bytes))
        };
        if !has_prefix {
            built.byte_ids = byte_ids(suffix, find);
        }
        built.merges = merges::slot_count(model.merges.len());
        if can_be_split(model, find) {
            let merges = model.merges.iter();
            let merged = merges.filter_map(|[_, _, merged]| piece_of(*merged));
            built.joins = joins::build(merged);
        }
    }
    built
}

/// Returns true if a word can be split wherever no merge joins two characters: the tokens of a character do not depend on
/// its neighbors, and are merged as they are spelled.
fn can_be_split(model: &UnscoredModel, find: impl Fn(&str) -> Option<u32>) -> bool {
    let settings = &model.settings;
    let is_empty = |text: &Option<String>| text.as_ref().is_none_or(String::is_empty);
    let byte_pieces = (0..=u8::MAX).map(|byte| find(&format!("<{byte:#04X}>")));
    let Some(byte_pieces) = byte_pieces.collect::<Option<HashSet<u32>>>() else {
        return false;
    };
    settings.byte_fallback == Some(true)
        && settings.ignore_merges != Some(true)
        && is_empty(&settings.continuing_subword_prefix)
        && is_empty(&settings.end_of_word_suffix)
        && find("▁").is_some()
        && !(model.merges.iter()).any(|merge| merge.iter().any(|id| byte_pieces.contains(id)))
}

/// Returns the pieces with their ids, without gaps.
fn ids<'c, 'a>(
    contents: &'c Contents<'a>,
) -> impl Iterator<Item = (u32, &'c (&'a str, f64, PieceKind))> {
    let mut gaps = contents.gaps.iter().peekable();
    (0..)
        .zip(&contents.pieces)
        .filter(move |(id, _)| gaps.next_if_eq(&id).is_none())
}

/// A piece with its id and score.
type Key<'a> = (&'a [u8], u32, f64);

/// Returns the pieces with their ids and scores, sorted by piece. Of several equal pieces, keeps the last id.
fn sorted_keys<'a>(contents: &Contents<'a>) -> Vec<Key<'a>> {
    let keys = ids(contents).map(|(id, (text, score, _))| {
        let text = text.as_bytes();
        (first_bytes(text), (text, id, *score))
    });
    let mut keys: Vec<(u64, Key<'_>)> = keys.collect();
    // The first bytes decide most comparisons, without a look at the text.
    keys.sort_unstable_by_key(|(first, (text, id, _))| (*first, *text, *id));
    let mut keys: Vec<Key<'_>> = keys.into_iter().map(|(_, key)| key).collect();
    keys.reverse();
    keys.dedup_by_key(|key| key.0);
    keys.reverse();
    keys
}

/// Returns the first bytes of a text, as a number that is in the order of texts.
fn first_bytes(text: &[u8]) -> u64 {
    let mut first = [0; 8];
    for (byte, of_text) in first.iter_mut().zip(text) {
        *byte = *of_text;
    }
    u64::from_be_bytes(first)
}

/// Writes all sections and the header.
fn fill(contents: &Contents<'_>, built: &Built, header: &Header) -> Vec<u64> {
    let sections = header.sections();
    let mut words = vec![0_u64; sections.end / 8];
    let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
    let mut put = |at: usize, data: &[u8]| bytes[at..at + data.len()].copy_from_slice(data);
    let mut end = 0_u32;
    for (index, (text, _, kind)) in contents.pieces.iter().enumerate() {
        put(sections.text + end as usize, text.as_bytes());
        end += text.len() as u32;
        put(sections.ends + 4 * index, &end.to_le_bytes());
        put(sections.kinds + index, &[kind_code(*kind)]);
    }
    for gap in &contents.gaps {
        put(sections.kinds + *gap as usize, &[GAP]);
    }
    if header.scores > 0 {
        put(sections.scores, &f64::NEG_INFINITY.to_le_bytes());
        for (index, (_, score, _)) in contents.pieces.iter().enumerate() {
            put(sections.scores + 8 * (index + 1), &score.to_le_bytes());
        }
    }
    for (index, node) in built.nodes.iter().enumerate() {
        let at = sections.nodes + size_of::<Node>() * index;
        put(at, &node.unit.to_le_bytes());
        put(at + 4, &node.value.to_le_bytes());
    }
    put(sections.charsmap, contents.charsmap);
    put(sections.rest, contents.rest);
    put(sections.settings, &built.settings);
    let mut put_numbers = |at: usize, numbers: &[u32]| {
        let (slots, _) = bytes[at..at + 4 * numbers.len()].as_chunks_mut::<4>();
        for (slot, number) in slots.iter_mut().zip(numbers) {
            *slot = number.to_le_bytes();
        }
    };
    put_numbers(sections.byte_ids, &built.byte_ids);
    if let Some(model) = &contents.model {
        put_numbers(sections.index, &model.index);
        let slots = &mut words[sections.merges / 8..sections.joins / 8];
        let (slots, _) = slots.as_chunks_mut::<2>();
        merges::fill(slots, &model.merges);
        slots
            .as_flattened_mut()
            .iter_mut()
            .for_each(|word| *word = word.to_le());
    }
    for (word, bits) in words[sections.joins / 8..].iter_mut().zip(&built.joins) {
        *word = bits.to_le();
    }
    let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
    header.write(&mut bytes[..HEADER_LENGTH]);
    let checksum = checksum(bytes);
    bytes[CHECKSUM].copy_from_slice(&checksum.to_le_bytes());
    words
}
