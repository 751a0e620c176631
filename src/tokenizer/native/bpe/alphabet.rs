//! The alphabet of byte-level pieces: one printable character for each byte (`bytes_to_unicode` of GPT-2).

/// Returns the character of a byte: printable Latin-1 characters stand for themselves, and U+0100 and up, in order, for
/// the other bytes.
pub const fn character(byte: u8) -> char {
    CHARACTERS[byte as usize]
}

/// Returns the byte that a character stands for.
#[inline]
pub fn byte(character: char) -> Option<u8> {
    const BYTES: [Option<u8>; LAST] = bytes();
    BYTES.get(character as usize).copied().flatten()
}

/// Returns the bytes of a byte-level piece. Returns `None` if a character of it stands for no byte.
pub fn bytes_of(piece: &str) -> Option<Vec<u8>> {
    piece.chars().map(byte).collect()
}

/// Returns true if a byte-level piece stands for these bytes.
pub fn spells(piece: &str, bytes: &[u8]) -> bool {
    let mut characters = piece.chars();
    let same = |expected: &u8| characters.next().and_then(byte) == Some(*expected);
    bytes.iter().all(same) && characters.next().is_none()
}

/// One more than the last character.
const LAST: usize = 0x144;

const CHARACTERS: [char; 256] = characters();

const fn is_printable(byte: u8) -> bool {
    matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff)
}

const fn characters() -> [char; 256] {
    let mut characters = ['\0'; 256];
    let mut next = 0x100;
    let mut byte = 0;
    while byte < 256 {
        if is_printable(byte as u8) {
            characters[byte] = byte as u8 as char;
        } else {
            if let Some(character) = char::from_u32(next) {
                characters[byte] = character;
            }
            next += 1;
        }
        byte += 1;
    }
    characters
}

const fn bytes() -> [Option<u8>; LAST] {
    let mut bytes = [None; LAST];
    let mut byte = 0;
    while byte < 256 {
        bytes[CHARACTERS[byte] as usize] = Some(byte as u8);
        byte += 1;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_one_character() {
        for expected in 0..=255 {
            assert_eq!(byte(character(expected)), Some(expected));
        }
        let all = (0..0x200).filter_map(char::from_u32).filter_map(byte);
        assert_eq!(all.count(), 256);
        assert_eq!((character(b' '), character(b'\n')), ('Ġ', 'Ċ'));
        assert_eq!(byte('a'), Some(b'a'));
        assert_eq!(byte('漢'), None);
    }

    #[test]
    fn a_piece_spells_its_bytes() {
        assert_eq!(bytes_of("ĠĊa"), Some(b" \na".to_vec()));
        assert_eq!(bytes_of("Ġ a"), None);
        assert!(spells("Ġa", b" a"));
        assert!(!spells("Ġa", b" ") && !spells("Ġ", b" a") && !spells(" a", b" a"));
    }
}
