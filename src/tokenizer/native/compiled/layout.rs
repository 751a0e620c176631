//! The layout of a compiled file.
//!
//! All numbers are little-endian, and every section begins at a multiple of 8:
//!
//! | bytes | contents |
//! |---|---|
//! | 0..144 | header: magic, version, checksum, sha256 of the source, sizes, settings |
//! | scores x 8 | minus infinity, then the scores by id, float64; empty for a model without scores |
//! | nodes x 8 | nodes of the double array |
//! | pieces x 4 | end of each piece in the text section, by id |
//! | pieces | kind of each piece |
//! | text | the pieces, concatenated |
//! | charsmap | the compiled normalization rules, as in the SentencePiece file |
//! | rest | `tokenizer.json` without the model, as JSON |
//! | settings | the settings of a model without scores, as JSON |
//! | index x 4 | hash table of the pieces of a model without scores |
//! | byte ids x 4 | ids of bytes, unless pieces within a word have a prefix |
//! | merges x 16 | hash table of the merges |
//! | joins x 8 | set of the pairs of characters that merges join, if a text is a single word |

use std::ops::Range;

use crate::formats::algorithm::Algorithm;
use crate::formats::sentencepiece::PieceKind;
use crate::tokenizer::native::bpe::merges::MergeSlot;
use crate::tokenizer::native::double_array::Node;
use crate::tokenizer::native::trailing_marks::MarkSet;
use crate::tokenizer::native::word_marks::WordMarks;

const MAGIC: [u8; 8] = *b"tokscope";
/// Must change whenever the layout or the code that writes the sections changes.
pub const VERSION: u32 = 12;
/// Bytes of the header.
pub const HEADER_LENGTH: usize = 144;
/// The CRC-32 of all other bytes.
pub const CHECKSUM: Range<usize> = 44..48;
const MIN_SCORE: Range<usize> = 80..88;
const TRAILING_MARKS: Range<usize> = 88..104;
/// The sizes of the sections that not every model has.
const SIZES: Range<usize> = 104..132;
const WORD_MARKS: Range<usize> = 132..136;
const SETTINGS_START: Range<usize> = 136..140;
/// The id of the unknown piece in the header of a vocabulary without one.
const NO_ID: u32 = u32::MAX;
/// The kind of an id without a piece.
pub const GAP: u8 = KINDS.len() as u8;
/// The kinds of pieces, indexed by their byte in the file.
pub const KINDS: [PieceKind; 6] = [
    PieceKind::Normal,
    PieceKind::Unknown,
    PieceKind::Control,
    PieceKind::UserDefined,
    PieceKind::Unused,
    PieceKind::Byte,
];
/// The header of a compiled file. Section sizes are in elements.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Header {
    /// The sha256 of the source file.
    pub source: [u8; 32],
    /// Pieces, and ids without a piece.
    pub pieces: u32,
    pub gaps: u32,
    /// 0 for a model without scores.
    pub scores: u32,
    pub nodes: u32,
    pub text: u32,
    pub charsmap: u32,
    pub rest: u32,
    pub settings: u32,
    pub index: u32,
    pub byte_ids: u32,
    pub merges: u32,
    pub joins: u32,
    pub unknown_id: Option<u32>,
    pub algorithm: Algorithm,
    pub byte_fallback: bool,
    pub min_score: f64,
    pub trailing_marks: MarkSet,
    /// The place of marks in the pieces of a SentencePiece file.
    pub word_marks: WordMarks,
    /// The offset of the settings in a SentencePiece file: all before it are pieces.
    pub settings_start: u32,
}

/// The byte offsets of the sections. From `ends` on, each section ends where the next begins, apart from padding.
#[derive(Debug, Clone, Copy)]
pub struct Sections {
    pub scores: usize,
    pub nodes: usize,
    pub ends: usize,
    pub kinds: usize,
    pub text: usize,
    pub charsmap: usize,
    pub rest: usize,
    pub settings: usize,
    pub index: usize,
    pub byte_ids: usize,
    pub merges: usize,
    pub joins: usize,
    /// Bytes of the file.
    pub end: usize,
}

impl Header {
    /// Returns the offsets of the sections of a file with this header.
    pub fn sections(&self) -> Sections {
        let aligned = |at: usize| at.next_multiple_of(8);
        let (pieces, node_count) = (self.pieces as usize, self.nodes as usize);
        let scores = HEADER_LENGTH;
        let nodes = scores + 8 * self.scores as usize;
        let ends = nodes + size_of::<Node>() * node_count;
        let kinds = aligned(ends + 4 * pieces);
        let text = aligned(kinds + pieces);
        let charsmap = aligned(text + self.text as usize);
        let rest = aligned(charsmap + self.charsmap as usize);
        let settings = aligned(rest + self.rest as usize);
        let index = aligned(settings + self.settings as usize);
        let byte_ids = aligned(index + 4 * self.index as usize);
        let merges = aligned(byte_ids + 4 * self.byte_ids as usize);
        let joins = merges + size_of::<MergeSlot>() * self.merges as usize;
        Sections {
            scores,
            nodes,
            ends,
            kinds,
            text,
            charsmap,
            rest,
            settings,
            index,
            byte_ids,
            merges,
            joins,
            end: joins + 8 * self.joins as usize,
        }
    }

    fn numbers(&self) -> [u32; 10] {
        let algorithm = Algorithm::ALL
            .iter()
            .position(|other| *other == self.algorithm)
            .unwrap_or(0);
        [
            VERSION,
            0,
            self.pieces,
            self.nodes,
            self.text,
            self.charsmap,
            self.unknown_id.unwrap_or(NO_ID),
            algorithm as u32,
            u32::from(self.byte_fallback),
            self.rest,
        ]
    }

    /// Writes the header without the checksum.
    pub fn write(&self, bytes: &mut [u8]) {
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..40].copy_from_slice(&self.source);
        for (slot, number) in bytes[40..80].chunks_exact_mut(4).zip(self.numbers()) {
            slot.copy_from_slice(&number.to_le_bytes());
        }
        bytes[MIN_SCORE].copy_from_slice(&self.min_score.to_le_bytes());
        bytes[TRAILING_MARKS].copy_from_slice(&self.trailing_marks.to_le_bytes());
        let place = |other: &WordMarks| *other == self.word_marks;
        let word_marks = WordMarks::ALL.iter().position(place).unwrap_or(0) as u32;
        bytes[WORD_MARKS].copy_from_slice(&word_marks.to_le_bytes());
        bytes[SETTINGS_START].copy_from_slice(&self.settings_start.to_le_bytes());
        let sizes = [
            self.settings,
            self.index,
            self.byte_ids,
            self.merges,
            self.gaps,
            self.scores,
            self.joins,
        ];
        for (slot, number) in bytes[SIZES].chunks_exact_mut(4).zip(sizes) {
            slot.copy_from_slice(&number.to_le_bytes());
        }
    }

    /// Reads a header. Returns `None` if it is malformed or of another version.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (numbers, _) = bytes.get(40..)?.as_chunks::<4>();
        let number = |index: usize| numbers.get(index).map(|bytes| u32::from_le_bytes(*bytes));
        if !bytes.starts_with(&MAGIC) || number(0)? != VERSION {
            return None;
        }
        let (sizes, _) = bytes.get(SIZES)?.as_chunks::<4>();
        let size = |index: usize| sizes.get(index).map(|bytes| u32::from_le_bytes(*bytes));
        let at = |range: Range<usize>| {
            let bytes = bytes.get(range)?.try_into().ok()?;
            Some(u32::from_le_bytes(bytes))
        };
        Some(Self {
            source: bytes.get(8..40)?.try_into().ok()?,
            scores: size(5)?,
            joins: size(6)?,
            pieces: number(2)?,
            nodes: number(3)?,
            text: number(4)?,
            charsmap: number(5)?,
            unknown_id: number(6).filter(|id| *id != NO_ID),
            algorithm: *Algorithm::ALL.get(number(7)? as usize)?,
            byte_fallback: number(8)? != 0,
            rest: number(9)?,
            settings: size(0)?,
            index: size(1)?,
            byte_ids: size(2)?,
            merges: size(3)?,
            gaps: size(4)?,
            min_score: f64::from_le_bytes(bytes.get(MIN_SCORE)?.try_into().ok()?),
            trailing_marks: MarkSet::from_le_bytes(bytes.get(TRAILING_MARKS)?.try_into().ok()?),
            word_marks: *WordMarks::ALL.get(at(WORD_MARKS)? as usize)?,
            settings_start: at(SETTINGS_START)?,
        })
    }
}

/// Returns the byte of a kind: its index in [`KINDS`].
pub fn kind_code(kind: PieceKind) -> u8 {
    let index = KINDS.iter().position(|other| *other == kind);
    index.unwrap_or_default() as u8
}

/// Returns the CRC-32 of a compiled file without [`CHECKSUM`].
pub fn checksum(bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&bytes[..CHECKSUM.start]);
    hasher.update(&bytes[CHECKSUM.end..]);
    hasher.finalize()
}
