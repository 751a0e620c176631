//! Reads UTF-16 and UTF-32 text that begins with a byte order mark, as Windows programs write it, as UTF-8.

use std::io::{self, ErrorKind, Read};

/// Bytes decoded at a time.
const BLOCK: usize = 1 << 16;
/// Stands for a unit that does not encode a character. This byte never occurs in UTF-8, so the text is not valid, and
/// `--lossy` replaces it.
const NO_CHARACTER: u8 = 0xff;

/// An encoding other than UTF-8 that a byte order mark announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf16(Order),
    Utf32(Order),
}

/// The order of the bytes of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    LittleEndian,
    BigEndian,
}

use Encoding::{Utf16, Utf32};
use Order::{BigEndian, LittleEndian};

/// The marks. That of UTF-32 comes before that of UTF-16 with which it begins: no text begins with a zero character.
const MARKS: [(&[u8], Encoding); 4] = [
    (b"\xff\xfe\0\0", Utf32(LittleEndian)),
    (b"\0\0\xfe\xff", Utf32(BigEndian)),
    (b"\xff\xfe", Utf16(LittleEndian)),
    (b"\xfe\xff", Utf16(BigEndian)),
];

/// The length of the longest mark.
const MAX_MARK: usize = 4;

impl Encoding {
    /// Returns the encoding of an input that begins with these bytes, and the length of its mark.
    fn of(start: &[u8]) -> Option<(Self, usize)> {
        let found = MARKS.iter().find(|(mark, _)| start.starts_with(mark));
        found.map(|(mark, encoding)| (*encoding, mark.len()))
    }

    /// Appends the text of complete characters to `text`, and returns the number of bytes they take. At the end of the
    /// input, this is all of them.
    fn decode(self, bytes: &[u8], is_end: bool, text: &mut Vec<u8>) -> usize {
        let mut rest = bytes;
        while let Some((character, length)) = self.next(rest, is_end) {
            match character {
                Some(character) => {
                    text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                None => text.push(NO_CHARACTER),
            }
            rest = &rest[length..];
        }
        bytes.len() - rest.len()
    }

    /// Returns the next character and its length in bytes. The character is `None` if the unit does not encode one.
    /// Returns `None` if more bytes are needed.
    fn next(self, bytes: &[u8], is_end: bool) -> Option<(Option<char>, usize)> {
        let cut_off = || (is_end && !bytes.is_empty()).then_some((None, bytes.len()));
        match self {
            Utf32(order) => match bytes.first_chunk() {
                Some(unit) => Some((char::from_u32(order.u32(*unit)), 4)),
                None => cut_off(),
            },
            Utf16(order) => {
                let Some(unit) = bytes.first_chunk() else {
                    return cut_off();
                };
                let first = order.u16(*unit);
                if !is_high_surrogate(first) {
                    return Some((char::from_u32(first.into()), 2));
                }
                let Some(unit) = bytes[2..].first_chunk() else {
                    return is_end.then_some((None, 2));
                };
                let pair = char::decode_utf16([first, order.u16(*unit)]).next();
                match pair {
                    Some(Ok(character)) => Some((Some(character), 4)),
                    _ => Some((None, 2)),
                }
            }
        }
    }
}

fn is_high_surrogate(unit: u16) -> bool {
    matches!(unit, 0xd800..0xdc00)
}

impl Order {
    fn u16(self, unit: [u8; 2]) -> u16 {
        match self {
            LittleEndian => u16::from_le_bytes(unit),
            BigEndian => u16::from_be_bytes(unit),
        }
    }

    fn u32(self, unit: [u8; 4]) -> u32 {
        match self {
            LittleEndian => u32::from_le_bytes(unit),
            BigEndian => u32::from_be_bytes(unit),
        }
    }
}

/// A reader of an input in UTF-8. If a byte order mark announces another encoding, the text is decoded, and the mark is
/// left out. Other bytes are passed on unchanged.
#[derive(Debug)]
pub struct UnicodeInput<R> {
    input: R,
    state: State,
    /// Bytes to return before any others, from `taken` on.
    ready: Vec<u8>,
    taken: usize,
    /// A buffer for bytes that will be decoded.
    block: Vec<u8>,
}

#[derive(Debug)]
enum State {
    /// Nothing was read yet.
    Start,
    /// The rest is passed on unchanged.
    Unchanged,
    /// The rest is decoded. Holds the bytes of an incomplete character.
    Decoded(Encoding, Vec<u8>),
    Ended,
}

impl<R: Read> UnicodeInput<R> {
    pub fn new(input: R) -> Self {
        Self {
            input,
            state: State::Start,
            ready: Vec::new(),
            taken: 0,
            block: Vec::new(),
        }
    }

    /// Reads the first bytes to `buffer`, until it is known whether they are a mark. Returns their number, or `None` if
    /// there was a mark. The buffer must have room for one.
    fn start(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        let mut length = 0;
        while is_start_of_mark(&buffer[..length]) {
            match read(&mut self.input, &mut buffer[length..])? {
                0 => break,
                read => length += read,
            }
        }
        Ok(match Encoding::of(&buffer[..length]) {
            Some((encoding, mark)) => {
                self.state = State::Decoded(encoding, buffer[mark..length].to_vec());
                None
            }
            None => {
                self.state = State::Unchanged;
                Some(length)
            }
        })
    }

    /// Decodes the next characters, if there are more.
    fn decode(&mut self) -> io::Result<()> {
        let State::Decoded(encoding, bytes) = &mut self.state else {
            return Ok(());
        };
        self.ready.clear();
        self.taken = 0;
        let mut is_end = false;
        loop {
            let length = encoding.decode(bytes, is_end, &mut self.ready);
            bytes.drain(..length);
            // The bytes after the mark are decoded without waiting for more.
            if is_end || !self.ready.is_empty() {
                break;
            }
            self.block.resize(BLOCK, 0);
            let length = read(&mut self.input, &mut self.block)?;
            bytes.extend_from_slice(&self.block[..length]);
            is_end = length == 0;
        }
        if is_end {
            self.state = State::Ended;
        }
        Ok(())
    }
}

impl<R: Read> Read for UnicodeInput<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if matches!(self.state, State::Start) {
            let mut small = [0; MAX_MARK];
            if buffer.len() >= small.len() {
                if let Some(length) = self.start(buffer)? {
                    return Ok(length);
                }
            } else if let Some(length) = self.start(&mut small)? {
                self.ready = small[..length].to_vec();
            }
        }
        if self.taken == self.ready.len() {
            if matches!(self.state, State::Unchanged) {
                return self.input.read(buffer);
            }
            self.decode()?;
        }
        let ready = &self.ready[self.taken..];
        let length = ready.len().min(buffer.len());
        buffer[..length].copy_from_slice(&ready[..length]);
        self.taken += length;
        Ok(length)
    }
}

/// Returns true if more bytes could make these a mark, or a longer one.
fn is_start_of_mark(bytes: &[u8]) -> bool {
    MARKS
        .iter()
        .any(|(mark, _)| bytes.len() < mark.len() && mark.starts_with(bytes))
}

fn read(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match input.read(buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            length => return length,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a text in reads of at most this many bytes.
    struct SmallReads<'a>(&'a [u8], usize);

    impl Read for SmallReads<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.1.min(buffer.len()).min(self.0.len());
            buffer[..length].copy_from_slice(&self.0[..length]);
            self.0 = &self.0[length..];
            Ok(length)
        }
    }

    /// Reads everything, in reads of many sizes on both sides, which must give the same.
    fn read_all(bytes: &[u8]) -> Vec<u8> {
        let mut whole = Vec::new();
        UnicodeInput::new(bytes).read_to_end(&mut whole).unwrap();
        for part in [1, 2, 3, 5, 4096] {
            for taken in [1, 3, 4096] {
                let mut input = UnicodeInput::new(SmallReads(bytes, part));
                let (mut found, mut buffer) = (Vec::new(), vec![0; taken]);
                while let length @ 1.. = input.read(&mut buffer).unwrap() {
                    found.extend_from_slice(&buffer[..length]);
                }
                assert_eq!(found, whole, "{bytes:?} {part} {taken}");
                assert_eq!(input.read(&mut buffer).unwrap(), 0);
            }
        }
        whole
    }

    /// Encodes a text with a mark in every way.
    fn encoded(text: &str) -> [Vec<u8>; 4] {
        let text = format!("\u{feff}{text}");
        let utf16 = || text.encode_utf16();
        let utf32 = || text.chars().map(u32::from);
        [
            utf16().flat_map(u16::to_le_bytes).collect(),
            utf16().flat_map(u16::to_be_bytes).collect(),
            utf32().flat_map(u32::to_le_bytes).collect(),
            utf32().flat_map(u32::to_be_bytes).collect(),
        ]
    }

    #[test]
    fn a_marked_text_is_decoded() {
        let long = "¿Dónde está el banco? 🙂\r\n".repeat(300);
        for text in ["", "a", "banco", "é\n🙂\u{10ffff}", "\u{feff}x", &long] {
            for bytes in encoded(text) {
                assert_eq!(read_all(&bytes), text.as_bytes(), "{text:.20}");
            }
        }
    }

    #[test]
    fn other_bytes_are_unchanged() {
        for bytes in [
            &b""[..],
            b"banco",
            b"\xef\xbb\xbfbanco",
            b"\xff",
            b"\xfe",
            b"\xff\xfd",
            b"\0\0\xfe",
            b"\0\0\0\0",
            b"a\xff\xfe",
        ] {
            assert_eq!(read_all(bytes), bytes);
        }
    }

    #[test]
    fn units_that_are_no_characters_are_not_valid_utf8() {
        for (bytes, text) in [
            // Half a unit, a high surrogate alone or before another character, a low one.
            (&b"\xff\xfea\0b"[..], &b"a\xff"[..]),
            (b"\xff\xfe\x3d\xd8", b"\xff"),
            (b"\xff\xfe\x3d\xd8a\0", b"\xffa"),
            (b"\xfe\xff\xde\x42\0a", b"\xffa"),
            (b"\xff\xfe\x3d\xd8a", b"\xff\xff"),
            // Beyond Unicode, and three bytes.
            (b"\xff\xfe\0\0\0\0\x11\0a\0\0", b"\xff\xff"),
        ] {
            assert_eq!(read_all(bytes), text, "{bytes:?}");
        }
    }
}
