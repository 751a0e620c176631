//! Compiles the contents of a tokenizer file.

use super::contents::Contents;
use super::layout::{CHECKSUM, HEADER_LENGTH, Header, checksum, kind_code};
use crate::tokenizer::native::double_array::{Node, build};
use crate::tokenizer::native::trailing_marks;

/// Compiles the contents of a file. `source` is the sha256 of the file. Returns the compiled file, as 8-byte words for
/// alignment, and its header.
///
/// If no double array can hold the vocabulary, the compiled file has none.
pub fn write(contents: &Contents<'_>, source: [u8; 32]) -> (Vec<u64>, Header) {
    let pieces = &contents.pieces;
    let mut keys: Vec<(&[u8], u32, f64)> = (0..)
        .zip(pieces)
        .map(|(id, (text, score, _))| (text.as_bytes(), id, *score))
        .collect();
    keys.sort_unstable_by_key(|(text, id, _)| (*text, *id));
    // If several pieces are equal, keep the last id.
    keys.reverse();
    keys.dedup_by_key(|key| key.0);
    keys.reverse();
    let nodes = build(&keys).unwrap_or_default();
    let text: usize = pieces.iter().map(|(text, ..)| text.len()).sum();
    let scores = pieces.iter().map(|(_, score, _)| *score);
    let header = Header {
        source,
        pieces: pieces.len() as u32,
        nodes: nodes.len() as u32,
        text: text as u32,
        charsmap: contents.charsmap.len() as u32,
        rest: contents.rest.len() as u32,
        unknown_id: contents.unknown_id,
        algorithm: contents.algorithm,
        byte_fallback: contents.byte_fallback,
        min_score: scores.fold(f64::INFINITY, f64::min),
        trailing_marks: trailing_marks::find(&keys, contents.unknown_id),
    };
    let words = fill(contents, &nodes, &header);
    (words, header)
}

/// Writes all sections and the header.
fn fill(contents: &Contents<'_>, nodes: &[Node], header: &Header) -> Vec<u64> {
    let sections = header.sections();
    let mut words = vec![0_u64; sections.end / 8];
    let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
    let mut put = |at: usize, data: &[u8]| bytes[at..at + data.len()].copy_from_slice(data);
    let mut end = 0_u32;
    put(sections.scores, &f64::NEG_INFINITY.to_le_bytes());
    for (index, (text, score, kind)) in contents.pieces.iter().enumerate() {
        put(sections.scores + 8 * (index + 1), &score.to_le_bytes());
        put(sections.text + end as usize, text.as_bytes());
        end += text.len() as u32;
        put(sections.ends + 4 * index, &end.to_le_bytes());
        put(sections.kinds + index, &[kind_code(*kind)]);
    }
    for (index, node) in nodes.iter().enumerate() {
        let at = sections.nodes + size_of::<Node>() * index;
        put(at, &node.unit.to_le_bytes());
        put(at + 4, &node.value.to_le_bytes());
    }
    put(sections.charsmap, contents.charsmap);
    put(sections.rest, contents.rest);
    header.write(&mut bytes[..HEADER_LENGTH]);
    let checksum = checksum(bytes);
    bytes[CHECKSUM].copy_from_slice(&checksum.to_le_bytes());
    words
}
