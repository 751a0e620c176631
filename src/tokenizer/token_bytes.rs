//! Facts that imitating other tools requires: the bytes that a token stands for, and the unknown token.

use super::native::alphabet;
use super::tokenizer::Tokenizer;
use super::vocabulary::EntryKind;

impl Tokenizer {
    /// Returns the id of the token for text that the vocabulary cannot spell. Returns `None` if there is no such token.
    pub fn unknown_token(&self) -> Option<u32> {
        let named = self.special_tokens().into_iter();
        let named = named
            .filter(|(name, ..)| *name == "unk_token")
            .find_map(|(_, _, id)| id);
        named.or_else(|| {
            let mut entries = self.vocabulary().entries().iter();
            let entry = entries.find(|entry| entry.kind == EntryKind::Unknown)?;
            Some(entry.id)
        })
    }

    /// Returns the bytes that a token stands for within a text, as llama.cpp prints them: `▁` becomes a space, a byte
    /// piece becomes its byte, byte-level pieces are decoded, and special and added tokens are unchanged.
    pub fn bytes_of(&self, id: u32) -> Vec<u8> {
        let Some(entry) = self.vocabulary().get(id) else {
            return Vec::new();
        };
        let piece = entry.piece.as_str();
        if entry.added || entry.special {
            return piece.into();
        }
        match self.algorithm() {
            "WordPiece" => match piece.strip_prefix("##") {
                Some(rest) => rest.into(),
                None => format!(" {piece}").into(),
            },
            "BPE" if self.definition.find("Ġ").is_some() => {
                alphabet::bytes_of(piece).unwrap_or_else(|| piece.into())
            }
            _ => match byte_piece(piece) {
                Some(byte) => vec![byte],
                None => piece.replace('▁', " ").into(),
            },
        }
    }
}

/// Returns the byte of a piece such as `<0x41>`.
fn byte_piece(piece: &str) -> Option<u8> {
    let digits = piece.strip_prefix("<0x")?.strip_suffix('>')?;
    let is_hex = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_hex.then(|| u8::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_piece_has_two_hexadecimal_digits() {
        assert_eq!(byte_piece("<0x41>"), Some(0x41));
        for piece in ["<0x>", "<0x041>", "<0x+1>", "0x41", "<0xGG>"] {
            assert_eq!(byte_piece(piece), None, "{piece}");
        }
    }
}
