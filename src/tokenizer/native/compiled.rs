//! A compiled vocabulary: the pieces of a SentencePiece file, or of a Unigram `tokenizer.json`, in the form that the
//! engine searches, to be mapped and used in place.
//!
//! It is a function of the source file's bytes alone. Layout, all little-endian and each section at a multiple of 8:
//!
//! | bytes | what |
//! |---|---|
//! | 0..104 | magic, version, checksum, sha256 of the source, sizes, settings |
//! | (1 + pieces) x 8 | minus infinity, then scores by id, float64 |
//! | nodes x 8 | nodes of the double array |
//! | pieces x 4 | end of each piece in the text section, by id |
//! | pieces | kind of each piece |
//! | text | the pieces, one behind the other |
//! | charsmap | the compiled normalization rules, as the SentencePiece file has them |
//! | rest | what `tokenizer.json` has beside the pieces, as JSON |

use std::fmt;
use std::ops::Range;
use std::sync::OnceLock;

use super::double_array::{DoubleArray, Node, build};
use super::trailing_marks::{self, MarkSet};
use crate::formats::sentencepiece::{Algorithm, Piece, PieceKind, SentencePieceModel};
use crate::source::MappedFile;

const MAGIC: [u8; 8] = *b"tokscope";
/// Changes with the layout, and with whatever the sections are made by.
pub const VERSION: u32 = 6;
const HEADER: usize = 104;
/// Where the checksum is: the CRC-32 of all other bytes.
const CHECKSUM: Range<usize> = 44..48;
const MIN_SCORE: Range<usize> = 80..88;
const APART: Range<usize> = 88..104;
const KINDS: [PieceKind; 6] = [
    PieceKind::Normal,
    PieceKind::Unknown,
    PieceKind::Control,
    PieceKind::UserDefined,
    PieceKind::Unused,
    PieceKind::Byte,
];
const ALGORITHMS: [Algorithm; 4] = [
    Algorithm::Unigram,
    Algorithm::Bpe,
    Algorithm::Word,
    Algorithm::Char,
];

/// A compiled vocabulary, in memory of its own or mapped.
pub struct CompiledVocabulary {
    bytes: Bytes,
    header: Header,
    sections: Sections,
    /// The text section, once it is worth a copy.
    text: OnceLock<Option<Box<str>>>,
}

enum Bytes {
    /// Words of 8 bytes, for their alignment.
    Owned(Vec<u64>),
    Mapped(MappedFile),
}

/// What stands in the first bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Header {
    source: [u8; 32],
    pieces: u32,
    nodes: u32,
    text: u32,
    charsmap: u32,
    rest: u32,
    unknown_id: u32,
    algorithm: Algorithm,
    byte_fallback: bool,
    min_score: f64,
    apart: MarkSet,
}

/// What is compiled: the pieces in the order of their ids, and what belongs to them.
#[derive(Debug)]
pub struct Contents<'a> {
    /// Text, score and kind of each piece.
    pub pieces: Vec<(&'a str, f64, PieceKind)>,
    pub unknown_id: u32,
    pub algorithm: Algorithm,
    pub byte_fallback: bool,
    /// The normalization rules of a SentencePiece file.
    pub charsmap: &'a [u8],
    /// What a `tokenizer.json` has beside its pieces.
    pub rest: &'a [u8],
}

impl<'a> From<&'a SentencePieceModel> for Contents<'a> {
    fn from(model: &'a SentencePieceModel) -> Self {
        let piece = |piece: &'a Piece| {
            let text = piece.text.as_str();
            (text, f64::from(piece.score), piece.kind)
        };
        Self {
            pieces: model.pieces.iter().map(piece).collect(),
            unknown_id: model.unknown_id,
            algorithm: model.algorithm,
            byte_fallback: model.byte_fallback,
            charsmap: &model.precompiled_charsmap,
            rest: &[],
        }
    }
}

/// Where the sections are, as byte offsets; `ends` and what follows end where the next begins.
#[derive(Debug, Clone, Copy)]
struct Sections {
    scores: usize,
    nodes: usize,
    ends: usize,
    kinds: usize,
    text: usize,
    charsmap: usize,
    rest: usize,
    end: usize,
}

impl fmt::Debug for CompiledVocabulary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompiledVocabulary")
            .field("header", &self.header)
            .finish_non_exhaustive()
    }
}

impl CompiledVocabulary {
    /// Compiles what a file has whose bytes have the sha256 `source`.
    ///
    /// A vocabulary that no double array can hold is compiled without one: see [`CompiledVocabulary::array`].
    pub fn new(contents: &Contents<'_>, source: [u8; 32]) -> Self {
        let pieces = &contents.pieces;
        let mut keys: Vec<(&[u8], u32, f64)> = (0..)
            .zip(pieces)
            .map(|(id, (text, score, _))| (text.as_bytes(), id, *score))
            .collect();
        keys.sort_unstable_by_key(|(text, id, _)| (*text, *id));
        // Of equal pieces the last id counts.
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
            apart: trailing_marks::find(&keys, contents.unknown_id),
        };
        let sections = header.sections();
        let mut words = vec![0_u64; sections.end / 8];
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
        let mut put = |at: usize, data: &[u8]| bytes[at..at + data.len()].copy_from_slice(data);
        let mut end = 0_u32;
        put(sections.scores, &f64::NEG_INFINITY.to_le_bytes());
        for (index, (text, score, kind)) in pieces.iter().enumerate() {
            put(sections.scores + 8 * (index + 1), &score.to_le_bytes());
            put(sections.text + end as usize, text.as_bytes());
            end += text.len() as u32;
            put(sections.ends + 4 * index, &end.to_le_bytes());
            put(sections.kinds + index, &[code(*kind)]);
        }
        for (index, node) in nodes.iter().enumerate() {
            let at = sections.nodes + size_of::<Node>() * index;
            put(at, &node.unit.to_le_bytes());
            put(at + 4, &node.value.to_le_bytes());
        }
        put(sections.charsmap, contents.charsmap);
        put(sections.rest, contents.rest);
        header.write(&mut bytes[..HEADER]);
        let checksum = checksum(bytes);
        bytes[CHECKSUM].copy_from_slice(&checksum.to_le_bytes());
        Self {
            bytes: Bytes::Owned(words),
            header,
            sections,
            text: OnceLock::new(),
        }
    }

    /// Opens a compiled file. None if it is not one of this version for that source, whole and undamaged.
    pub fn open(file: MappedFile, source: [u8; 32]) -> Option<Self> {
        let bytes = file.bytes();
        if bytes.get(CHECKSUM)? != checksum(bytes).to_le_bytes() {
            return None;
        }
        Self::reopen(file, source)
    }

    /// Opens a compiled file that [`Self::open`] found to be right, and that was not written since. It reads the header
    /// alone; the rest is read as it is used.
    pub fn reopen(file: MappedFile, source: [u8; 32]) -> Option<Self> {
        let bytes = file.bytes();
        let header = Header::read(bytes.get(..HEADER)?)?;
        let sections = header.sections();
        let whole = bytes.len() == sections.end && header.source == source;
        // Numbers are used as they stand in the file.
        let usable = cfg!(target_endian = "little") && bytes.as_ptr().cast::<u64>().is_aligned();
        if !whole || !usable {
            return None;
        }
        Some(Self {
            bytes: Bytes::Mapped(file),
            header,
            sections,
            text: OnceLock::new(),
        })
    }

    /// The bytes to keep.
    pub fn bytes(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Owned(words) => bytemuck::cast_slice(words),
            Bytes::Mapped(file) => file.bytes(),
        }
    }

    /// Number of pieces.
    pub fn size(&self) -> usize {
        self.header.pieces as usize
    }

    pub fn unknown_id(&self) -> u32 {
        self.header.unknown_id
    }

    pub fn algorithm(&self) -> Algorithm {
        self.header.algorithm
    }

    pub fn byte_fallback(&self) -> bool {
        self.header.byte_fallback
    }

    /// The text of a piece.
    #[inline]
    pub fn piece(&self, id: u32) -> Option<&str> {
        let ends: &[u32] = self.section(self.sections.ends, self.size());
        let index = id as usize;
        let end = *ends.get(index)? as usize;
        let start = index
            .checked_sub(1)
            .map_or(0, |before| ends[before] as usize);
        if let Some(Some(text)) = self.text.get() {
            return text.get(start..end);
        }
        let text: &[u8] = self.section(self.sections.text, self.header.text as usize);
        str::from_utf8(text.get(start..end)?).ok()
    }

    /// Keeps a copy of the text of all pieces, so that it need not be checked to be UTF-8 piece by piece.
    pub fn cache_text(&self) {
        self.text.get_or_init(|| {
            let text: &[u8] = self.section(self.sections.text, self.header.text as usize);
            Some(str::from_utf8(text).ok()?.into())
        });
    }

    /// The score of each piece.
    #[inline]
    pub fn scores(&self) -> &[f64] {
        self.values().get(1..).unwrap_or_default()
    }

    /// The scores by the value of a node.
    #[inline]
    fn values(&self) -> &[f64] {
        self.section(self.sections.scores, 1 + self.size())
    }

    /// The kind of each piece.
    pub fn kinds(&self) -> impl ExactSizeIterator<Item = PieceKind> {
        let kinds: &[u8] = self.section(self.sections.kinds, self.size());
        kinds.iter().map(|kind| {
            KINDS
                .get(usize::from(*kind))
                .copied()
                .unwrap_or(PieceKind::Normal)
        })
    }

    /// The ids of the pieces of one of two kinds, without a look at each of the others.
    pub fn ids_of_kinds(&self, kinds: [PieceKind; 2]) -> impl Iterator<Item = (u32, PieceKind)> {
        let all: &[u8] = self.section(self.sections.kinds, self.size());
        let [first, second] = kinds.map(code);
        memchr::memchr2_iter(first, second, all).map(move |index| {
            let kind = kinds[usize::from(all[index] != first)];
            (index as u32, kind)
        })
    }

    /// The compiled normalization rules; empty for none.
    pub fn charsmap(&self) -> &[u8] {
        self.section(self.sections.charsmap, self.header.charsmap as usize)
    }

    /// What a `tokenizer.json` has beside its pieces, as JSON; empty for a SentencePiece file.
    pub fn rest(&self) -> &[u8] {
        self.section(self.sections.rest, self.header.rest as usize)
    }

    /// The lowest score of a piece.
    pub fn min_score(&self) -> f64 {
        self.header.min_score
    }

    /// The ASCII characters that are tokens of their own at the end of any word, with their ids.
    pub fn apart(&self) -> impl Iterator<Item = (u8, u32)> {
        let apart = (0..128).filter(|character| self.header.apart >> character & 1 == 1);
        apart.filter_map(|character| {
            let id = self.array()?.get(&[character])?;
            Some((character, id))
        })
    }

    /// The pieces as a set to be searched; none if they cannot be held as one.
    #[inline]
    pub fn array(&self) -> Option<DoubleArray<'_>> {
        let nodes: &[Node] = self.section(self.sections.nodes, self.header.nodes as usize);
        let scores = self.values();
        (!nodes.is_empty()).then_some(DoubleArray { nodes, scores })
    }

    /// The id of a piece; of equal ones the last.
    pub fn find(&self, piece: &str) -> Option<u32> {
        match self.array() {
            Some(array) => array.get(piece.as_bytes()),
            None => (0..self.header.pieces)
                .rev()
                .find(|id| self.piece(*id) == Some(piece)),
        }
    }

    #[inline]
    fn section<T: bytemuck::AnyBitPattern>(&self, start: usize, length: usize) -> &[T] {
        // `open` and `new` have made sure that the sections are there, and aligned.
        let bytes = self.bytes().get(start..start + length * size_of::<T>());
        bytes
            .and_then(|bytes| bytemuck::try_cast_slice(bytes).ok())
            .unwrap_or_default()
    }
}

impl Header {
    fn sections(&self) -> Sections {
        let up = |at: usize| at.next_multiple_of(8);
        let (pieces, count) = (self.pieces as usize, self.nodes as usize);
        let scores = HEADER;
        let nodes = scores + 8 * (1 + pieces);
        let ends = nodes + size_of::<Node>() * count;
        let kinds = up(ends + 4 * pieces);
        let text = up(kinds + pieces);
        let charsmap = up(text + self.text as usize);
        let rest = up(charsmap + self.charsmap as usize);
        Sections {
            scores,
            nodes,
            ends,
            kinds,
            text,
            charsmap,
            rest,
            end: up(rest + self.rest as usize),
        }
    }

    fn numbers(&self) -> [u32; 10] {
        let algorithm = ALGORITHMS
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
            self.unknown_id,
            algorithm as u32,
            u32::from(self.byte_fallback),
            self.rest,
        ]
    }

    fn write(&self, bytes: &mut [u8]) {
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..40].copy_from_slice(&self.source);
        for (slot, number) in bytes[40..80].chunks_exact_mut(4).zip(self.numbers()) {
            slot.copy_from_slice(&number.to_le_bytes());
        }
        bytes[MIN_SCORE].copy_from_slice(&self.min_score.to_le_bytes());
        bytes[APART].copy_from_slice(&self.apart.to_le_bytes());
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (numbers, _) = bytes.get(40..)?.as_chunks::<4>();
        let number = |index: usize| numbers.get(index).map(|bytes| u32::from_le_bytes(*bytes));
        if !bytes.starts_with(&MAGIC) || number(0)? != VERSION {
            return None;
        }
        Some(Self {
            source: bytes.get(8..40)?.try_into().ok()?,
            pieces: number(2)?,
            nodes: number(3)?,
            text: number(4)?,
            charsmap: number(5)?,
            unknown_id: number(6)?,
            algorithm: *ALGORITHMS.get(number(7)? as usize)?,
            byte_fallback: number(8)? != 0,
            rest: number(9)?,
            min_score: f64::from_le_bytes(bytes.get(MIN_SCORE)?.try_into().ok()?),
            apart: MarkSet::from_le_bytes(bytes.get(APART)?.try_into().ok()?),
        })
    }
}

/// How a kind is written.
fn code(kind: PieceKind) -> u8 {
    let place = KINDS.iter().position(|other| *other == kind);
    place.unwrap_or_default() as u8
}

/// The CRC-32 of a compiled file, its own place left out.
fn checksum(bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&bytes[..CHECKSUM.start]);
    hasher.update(&bytes[CHECKSUM.end..]);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const SOURCE: [u8; 32] = [7; 32];

    fn demo() -> SentencePieceModel {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo/model/spm.model");
        SentencePieceModel::parse("spm.model", &std::fs::read(path).unwrap()).unwrap()
    }

    fn open(bytes: &[u8], source: [u8; 32]) -> Option<CompiledVocabulary> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        CompiledVocabulary::open(MappedFile::open(file.path(), "compiled").unwrap(), source)
    }

    #[test]
    fn a_compiled_file_says_what_the_source_says() {
        let model = demo();
        let made = CompiledVocabulary::new(&Contents::from(&model), SOURCE);
        let opened = open(made.bytes(), SOURCE).unwrap();
        assert_eq!(opened.size(), model.pieces.len());
        assert_eq!(opened.unknown_id(), model.unknown_id);
        assert_eq!(opened.byte_fallback(), model.byte_fallback);
        assert_eq!(opened.charsmap(), model.precompiled_charsmap);
        let scores = model.pieces.iter().map(|piece| f64::from(piece.score));
        assert_eq!(opened.min_score(), scores.fold(0.0, f64::min));
        let parts = (0..).zip(opened.kinds()).zip(opened.scores());
        for (((id, kind), score), piece) in parts.zip(&model.pieces) {
            assert_eq!(opened.piece(id), Some(piece.text.as_str()));
            assert_eq!((kind, *score), (piece.kind, f64::from(piece.score)));
            assert_eq!(opened.find(&piece.text), Some(id));
        }
        assert_eq!(opened.piece(model.pieces.len() as u32), None);
        let kinds = [PieceKind::Control, PieceKind::Unknown];
        let expected = (0..).zip(opened.kinds());
        let expected: Vec<_> = expected.filter(|(_, kind)| kinds.contains(kind)).collect();
        assert!(expected.len() > 1);
        assert_eq!(opened.ids_of_kinds(kinds).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_file_that_is_damaged_cut_off_or_of_another_source_is_not_used() {
        let made = CompiledVocabulary::new(&Contents::from(&demo()), SOURCE);
        let bytes = made.bytes();
        assert!(open(bytes, [8; 32]).is_none());
        for length in [0, 1, HEADER - 1, HEADER, bytes.len() / 2, bytes.len() - 8] {
            assert!(open(&bytes[..length], SOURCE).is_none(), "{length}");
        }
        let longer = [bytes, &[0; 8]].concat();
        assert!(open(&longer, SOURCE).is_none());
        for place in (0..HEADER).chain((HEADER..bytes.len()).step_by(997)) {
            let mut damaged = bytes.to_vec();
            damaged[place] ^= 0x40;
            assert!(open(&damaged, SOURCE).is_none(), "{place}");
        }
    }

    #[test]
    fn pieces_that_no_array_can_hold_are_found_one_by_one() {
        let mut model = demo();
        model.pieces[5].text = "a\0b".to_owned();
        let compiled = CompiledVocabulary::new(&Contents::from(&model), SOURCE);
        assert!(compiled.array().is_none());
        assert_eq!(compiled.find("a\0b"), Some(5));
    }
}
