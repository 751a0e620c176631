//! Looks up pieces in a compiled vocabulary.

use std::ops::Range;

use super::layout::{GAP, KINDS, kind_code};
use super::reader::CompiledVocabulary;
use crate::formats::algorithm::Algorithm;
use crate::formats::model_settings::ModelSettings;
use crate::formats::sentencepiece::PieceKind;
use crate::tokenizer::native::bpe::byte_ids::BYTE_IDS;
use crate::tokenizer::native::bpe::joins::Joins;
use crate::tokenizer::native::bpe::merges::MergeSlot;
use crate::tokenizer::native::double_array::{DoubleArray, Node};
use crate::tokenizer::native::piece_index::PieceIndex;
use crate::tokenizer::native::word_marks::WordMarks;

/// The number of kinds that are looked at together.
const BLOCK: usize = 32;

impl CompiledVocabulary {
    /// Returns the number of pieces.
    pub fn size(&self) -> usize {
        self.ids() - self.header.gaps as usize
    }

    /// Returns one more than the largest id.
    fn ids(&self) -> usize {
        self.header.pieces as usize
    }

    /// Returns the id of the piece that stands for unknown text.
    pub fn unknown_id(&self) -> Option<u32> {
        self.header.unknown_id
    }

    pub fn algorithm(&self) -> Algorithm {
        self.header.algorithm
    }

    pub fn byte_fallback(&self) -> bool {
        self.header.byte_fallback
    }

    /// Returns the text of a piece.
    #[inline]
    pub fn piece(&self, id: u32) -> Option<&str> {
        if let Some(Some(text)) = self.text.get() {
            return text.get(self.piece_range(id)?);
        }
        str::from_utf8(self.piece_bytes(id)?).ok()
    }

    /// Returns the bytes of a piece, which need not be validated to be compared.
    #[inline]
    fn piece_bytes(&self, id: u32) -> Option<&[u8]> {
        let text: &[u8] = self.section(self.sections.text, self.header.text as usize);
        text.get(self.piece_range(id)?)
    }

    /// Returns the range of a piece in the text section.
    #[inline]
    fn piece_range(&self, id: u32) -> Option<Range<usize>> {
        let ends: &[u32] = self.section(self.sections.ends, self.ids());
        let index = id as usize;
        let end = *ends.get(index)? as usize;
        let start = index
            .checked_sub(1)
            .map_or(0, |before| ends[before] as usize);
        (start != end || !self.is_gap(index)).then_some(start..end)
    }

    #[cold]
    fn is_gap(&self, index: usize) -> bool {
        let kinds: &[u8] = self.section(self.sections.kinds, self.ids());
        kinds.get(index) == Some(&GAP)
    }

    /// Caches the text of all pieces, so that UTF-8 is validated once instead of per piece.
    pub fn cache_text(&self) {
        self.text.get_or_init(|| {
            let text: &[u8] = self.section(self.sections.text, self.header.text as usize);
            Some(str::from_utf8(text).ok()?.into())
        });
    }

    /// Returns the score of each piece. Empty for a model without scores.
    #[inline]
    pub fn scores(&self) -> &[f64] {
        self.scores_by_value().get(1..).unwrap_or_default()
    }

    /// Returns the scores by [`Node::value`].
    #[inline]
    fn scores_by_value(&self) -> &[f64] {
        self.section(self.sections.scores, self.header.scores as usize)
    }

    /// Returns the id and kind of each piece.
    pub fn kinds(&self) -> impl Iterator<Item = (u32, PieceKind)> {
        let kinds: &[u8] = self.section(self.sections.kinds, self.ids());
        let kinds = (0..).zip(kinds).filter(|(_, kind)| **kind != GAP);
        kinds.map(|(id, kind)| {
            let kind = KINDS.get(usize::from(*kind)).copied();
            (id, kind.unwrap_or(PieceKind::Normal))
        })
    }

    /// Returns the kind of each id.
    pub fn kind_table(&self) -> KindTable<'_> {
        KindTable(self.section(self.sections.kinds, self.ids()))
    }

    /// Returns the place of marks in the pieces that texts contain.
    pub fn word_marks(&self) -> WordMarks {
        self.header.word_marks
    }

    /// Returns the offset of the settings in the SentencePiece file that the vocabulary is from.
    pub fn settings_start(&self) -> usize {
        self.header.settings_start as usize
    }

    /// Returns the ids of the pieces of two kinds, which is faster than filtering [`Self::kinds`].
    pub fn ids_of_kinds(&self, kinds: [PieceKind; 2]) -> impl Iterator<Item = (u32, PieceKind)> {
        let all: &[u8] = self.section(self.sections.kinds, self.ids());
        let [first, second] = kinds.map(kind_code);
        memchr::memchr2_iter(first, second, all).map(move |index| {
            let kind = kinds[usize::from(all[index] != first)];
            (index as u32, kind)
        })
    }

    /// Returns the compiled normalization rules. Empty if there are none.
    pub fn charsmap(&self) -> &[u8] {
        self.section(self.sections.charsmap, self.header.charsmap as usize)
    }

    /// Returns the `tokenizer.json` without its pieces, as JSON. Empty for a SentencePiece file.
    pub fn rest(&self) -> &[u8] {
        self.section(self.sections.rest, self.header.rest as usize)
    }

    /// Returns the settings of a model without scores. Returns `None` for a model with scores.
    pub fn settings(&self) -> Option<ModelSettings> {
        let settings: &[u8] = self.section(self.sections.settings, self.header.settings as usize);
        serde_json::from_slice(settings).ok()
    }

    /// Returns the hash table of merges. Empty if there are none.
    #[inline]
    pub fn merges(&self) -> &[MergeSlot] {
        self.section(self.sections.merges, self.header.merges as usize)
    }

    /// Returns the ids of bytes, and of bytes at the end of a word. Returns `None` if pieces within a word have a prefix.
    #[inline]
    pub fn byte_ids(&self) -> Option<&[u32; BYTE_IDS]> {
        let ids: &[u32] = self.section(self.sections.byte_ids, self.header.byte_ids as usize);
        ids.try_into().ok()
    }

    /// Returns the pairs of characters that merges join. Returns `None` if texts cannot be split between others.
    #[inline]
    pub fn joins(&self) -> Option<Joins<'_>> {
        Joins::new(self.section(self.sections.joins, self.header.joins as usize))
    }

    fn index(&self) -> Option<PieceIndex<'_>> {
        PieceIndex::new(self.section(self.sections.index, self.header.index as usize))
    }

    /// Returns the lowest score of any piece.
    pub fn min_score(&self) -> f64 {
        self.header.min_score
    }

    /// Returns the ASCII characters that are always a separate token at the end of a word, with their ids.
    pub fn trailing_marks(&self) -> impl Iterator<Item = (u8, u32)> {
        let marks = (0..128).filter(|character| self.header.trailing_marks >> character & 1 == 1);
        marks.filter_map(|character| {
            let id = self.double_array()?.get(&[character])?;
            Some((character, id))
        })
    }

    /// Returns the pieces as a double array. `None` if no double array can hold them.
    #[inline]
    pub fn double_array(&self) -> Option<DoubleArray<'_>> {
        let nodes: &[Node] = self.section(self.sections.nodes, self.header.nodes as usize);
        let scores = self.scores_by_value();
        (!nodes.is_empty()).then_some(DoubleArray { nodes, scores })
    }

    /// Returns the id of a piece, the last if there are several equal pieces.
    pub fn find(&self, piece: &str) -> Option<u32> {
        if let Some(index) = self.index() {
            return index.find(piece, |id| self.piece_bytes(id));
        }
        match self.double_array() {
            Some(array) => array.get(piece.as_bytes()),
            None => (0..self.header.pieces)
                .rev()
                .find(|id| self.piece(*id) == Some(piece)),
        }
    }

    /// Returns the id of a piece, like [`Self::find`]. Is faster if the id is `guess`.
    pub fn find_near(&self, piece: &str, guess: u32) -> Option<u32> {
        // Other models may have equal pieces.
        let is_guessed =
            self.index().is_some() && self.piece_bytes(guess) == Some(piece.as_bytes());
        if is_guessed {
            Some(guess)
        } else {
            self.find(piece)
        }
    }

    /// Returns the id of the byte-level piece that stands for `bytes`. Returns `None` for a model with scores.
    pub fn find_bytes(&self, bytes: &[u8]) -> Option<u32> {
        self.index()?.find_bytes(bytes, |id| self.piece(id))
    }
}

/// The kinds of pieces by id.
#[derive(Debug, Clone, Copy)]
pub struct KindTable<'a>(&'a [u8]);

impl<'a> KindTable<'a> {
    /// Returns the kind of a piece; `None` if there is no piece with this id.
    #[inline]
    pub fn get(self, id: u32) -> Option<PieceKind> {
        KINDS.get(usize::from(*self.0.get(id as usize)?)).copied()
    }

    /// Returns the id and kind of each piece that is not a normal one, which are few.
    pub fn exceptions(self) -> impl Iterator<Item = (u32, PieceKind)> + 'a {
        let blocks = (0..).step_by(BLOCK).zip(self.0.chunks(BLOCK));
        let blocks = blocks.filter(|(_, block)| block.iter().any(|kind| *kind != 0));
        let ids = blocks.flat_map(|(start, block)| (start..).zip(block));
        ids.filter_map(|(id, kind)| {
            let kind = KINDS.get(usize::from(*kind)).copied()?;
            (kind != PieceKind::Normal).then_some((id, kind))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::contents::Contents;
    use super::super::layout::HEADER_LENGTH;
    use super::*;
    use crate::formats::sentencepiece::SentencePieceModel;
    use crate::source::MappedFile;

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
        assert_eq!(opened.unknown_id(), Some(model.unknown_id));
        assert_eq!(opened.byte_fallback(), model.byte_fallback);
        assert_eq!(opened.charsmap(), model.precompiled_charsmap);
        let scores = model.pieces.iter().map(|piece| f64::from(piece.score));
        assert_eq!(opened.min_score(), scores.fold(0.0, f64::min));
        let parts = opened.kinds().zip(opened.scores());
        for (((id, kind), score), piece) in parts.zip(&model.pieces) {
            assert_eq!(opened.piece(id), Some(piece.text.as_str()));
            assert_eq!((kind, *score), (piece.kind, f64::from(piece.score)));
            assert_eq!(opened.find(&piece.text), Some(id));
        }
        assert_eq!(opened.piece(model.pieces.len() as u32), None);
        let table = opened.kind_table();
        let others = opened
            .kinds()
            .filter(|(_, kind)| *kind != PieceKind::Normal);
        assert_eq!(
            table.exceptions().collect::<Vec<_>>(),
            others.collect::<Vec<_>>()
        );
        assert!(opened.kinds().all(|(id, kind)| table.get(id) == Some(kind)));
        assert_eq!(table.get(model.pieces.len() as u32), None);
        assert_eq!(opened.settings_start(), model.settings_start);
        assert_eq!(opened.word_marks(), WordMarks::Before);
        let kinds = [PieceKind::Control, PieceKind::Unknown];
        let expected: Vec<_> = opened
            .kinds()
            .filter(|(_, kind)| kinds.contains(kind))
            .collect();
        assert!(expected.len() > 1);
        assert_eq!(opened.ids_of_kinds(kinds).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_file_that_is_damaged_cut_off_or_of_another_source_is_not_used() {
        let made = CompiledVocabulary::new(&Contents::from(&demo()), SOURCE);
        let bytes = made.bytes();
        assert!(open(bytes, [8; 32]).is_none());
        for length in [
            0,
            1,
            HEADER_LENGTH - 1,
            HEADER_LENGTH,
            bytes.len() / 2,
            bytes.len() - 8,
        ] {
            assert!(open(&bytes[..length], SOURCE).is_none(), "{length}");
        }
        let longer = [bytes, &[0; 8]].concat();
        assert!(open(&longer, SOURCE).is_none());
        for place in (0..HEADER_LENGTH).chain((HEADER_LENGTH..bytes.len()).step_by(997)) {
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
        assert!(compiled.double_array().is_none());
        assert_eq!(compiled.find("a\0b"), Some(5));
    }
}
