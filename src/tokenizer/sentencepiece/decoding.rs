//! Decoding: pieces to text.

use super::model::{SentencePiece, byte_piece};
use super::vocabulary::UserDefined;
use crate::formats::sentencepiece::PieceKind;
use crate::tokenizer::native::MARK;

/// What decoding takes a piece for.
#[derive(Debug, Clone, Copy)]
pub enum Decoded<'a> {
    Id(u32),
    /// A piece by its text, which need not be in the vocabulary.
    #[allow(
        dead_code,
        reason = "for tokenizers that look pieces up in a vocab.json"
    )]
    Piece(&'a str),
}

impl SentencePiece {
    /// Decodes pieces.
    pub fn decode<'a>(&self, pieces: impl IntoIterator<Item = Decoded<'a>>) -> String {
        let mut text = String::new();
        let mut bytes: Vec<u8> = Vec::new();
        // True until the first mark or the first visible piece.
        let (mut at_start, mut mark_seen) = (true, false);
        for item in pieces {
            let (id, piece) = match item {
                Decoded::Id(id) => (id, self.compiled().piece(id).unwrap_or_default()),
                Decoded::Piece(piece) => (
                    self.compiled().find(piece).unwrap_or(self.unknown_id()),
                    piece,
                ),
            };
            if let (PieceKind::Byte, Some(byte)) = (self.kind(id), byte_of(piece)) {
                bytes.push(byte);
                continue;
            }
            append_bytes(&mut text, &mut bytes);
            at_start &= !mark_seen && text.is_empty();
            mark_seen = self.append(&mut text, id, piece, at_start);
        }
        append_bytes(&mut text, &mut bytes);
        match self.denormalizer() {
            Some(denormalizer) => denormalizer.normalize(&text, UserDefined::NONE),
            None => text,
        }
    }

    /// Appends the text of a piece. Returns true if the mark at the start of a text was left out of it, and further
    /// ones are not.
    fn append(&self, text: &mut String, id: u32, piece: &str, at_start: bool) -> bool {
        match self.kind(id) {
            PieceKind::Control => return false,
            PieceKind::Unknown if self.compiled().piece(id) == Some(piece) => {
                text.push_str(&self.spec().unknown_surface);
                return false;
            }
            PieceKind::Unknown => {
                text.push_str(piece);
                return false;
            }
            _ => {}
        }
        let normalizer = &self.spec().normalizer;
        let drops_mark = at_start && (normalizer.adds_mark || normalizer.removes_spaces);
        let without = drops_mark.then(|| piece.strip_prefix(MARK)).flatten();
        text.push_str(&without.unwrap_or(piece).replace(MARK, " "));
        without.is_some() && !normalizer.removes_spaces
    }
}

fn byte_of(piece: &str) -> Option<u8> {
    let digits = piece.strip_prefix("<0x")?.strip_suffix('>')?;
    u8::from_str_radix(digits, 16)
        .ok()
        .filter(|byte| byte_piece(*byte) == piece)
}

/// Appends bytes as text and forgets them. Each byte that is not part of a character becomes U+FFFD.
fn append_bytes(text: &mut String, bytes: &mut Vec<u8>) {
    let mut rest = &bytes[..];
    while !rest.is_empty() {
        let character = (1..=rest.len().min(4)).find_map(|length| {
            let character = str::from_utf8(&rest[..length]).ok()?;
            Some((character, length))
        });
        let (character, length) = character.unwrap_or(("\u{fffd}", 1));
        text.push_str(character);
        rest = &rest[length..];
    }
    bytes.clear();
}
