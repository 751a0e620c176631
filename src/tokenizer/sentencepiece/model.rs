//! A SentencePiece model: its vocabulary with its settings, encoding, and decoding.

use std::sync::Arc;

use super::bpe;
use super::normalizer::{MARK, Normalizer};
use super::unigram;
use super::vocabulary::{Prefixes, Segment, Vocabulary};
use crate::error::{Error, Result};
use crate::formats::algorithm::Algorithm;
use crate::formats::sentencepiece::PieceKind;
use crate::formats::sentencepiece_spec::SentencePieceSpec;
use crate::tokenizer::native::compiled::CompiledVocabulary;

/// A SentencePiece model that encodes and decodes.
#[derive(Debug)]
pub struct SentencePiece {
    compiled: Arc<CompiledVocabulary>,
    kinds: Vec<PieceKind>,
    unknown_id: u32,
    min_score: f32,
    max_score: f32,
    user_defined: Prefixes,
    normalizer: Normalizer,
    denormalizer: Option<Normalizer>,
    spec: SentencePieceSpec,
}

/// A token of a text. The text of an unknown token is the normalized text at its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub id: u32,
    pub piece: String,
    /// The half-open range of bytes in the original text.
    pub offsets: (usize, usize),
    /// True if the piece begins with the mark of a word.
    pub starts_word: bool,
}

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
    /// Creates the model of the file called `name` from its vocabulary and its bytes.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`] if SentencePiece refuses the file.
    pub fn new(name: &str, compiled: Arc<CompiledVocabulary>, bytes: &[u8]) -> Result<Self> {
        let damaged = |problem: &str| Error::damaged(name, problem);
        let spec = SentencePieceSpec::parse(name, bytes)?;
        let mut kinds = vec![PieceKind::Unused; compiled.size()];
        let (mut unknown_id, mut user_defined) = (None, Vec::new());
        let (mut min_score, mut max_score) = (f32::MAX, f32::MIN_POSITIVE);
        for (id, kind) in compiled.kinds() {
            if let Some(slot) = kinds.get_mut(id as usize) {
                *slot = kind;
            }
            match kind {
                PieceKind::Normal => {
                    let score = compiled
                        .scores()
                        .get(id as usize)
                        .map_or(0.0, |score| *score as f32);
                    min_score = min_score.min(score);
                    max_score = max_score.max(score);
                }
                PieceKind::Unknown if unknown_id.is_some() => {
                    return Err(damaged("it has two unknown pieces"));
                }
                PieceKind::Unknown => unknown_id = Some(id),
                PieceKind::UserDefined => user_defined.extend(compiled.piece(id)),
                PieceKind::Byte if !compiled.byte_fallback() => {
                    return Err(damaged("it has a byte piece, but no byte fallback"));
                }
                _ => {}
            }
        }
        if compiled.double_array().is_none() {
            return Err(damaged(
                "a piece is empty, occurs twice, or contains a zero byte",
            ));
        }
        let bytes_missing = || (0..=u8::MAX).any(|byte| compiled.find(&byte_piece(byte)).is_none());
        if compiled.byte_fallback() && bytes_missing() {
            return Err(damaged("it has byte fallback, but not all 256 byte pieces"));
        }
        let suffixes = spec.marks_are_suffixes;
        let normalizer = |spec| Normalizer::new(name, spec, suffixes);
        Ok(Self {
            unknown_id: unknown_id.ok_or_else(|| damaged("it has no unknown piece"))?,
            user_defined: Prefixes::new(user_defined)
                .ok_or_else(|| damaged("a user-defined piece contains a zero byte"))?,
            normalizer: normalizer(spec.normalizer.clone())?,
            denormalizer: spec
                .denormalizer
                .clone()
                .map(|spec| Normalizer::new(name, spec, false))
                .transpose()?,
            compiled,
            kinds,
            min_score,
            max_score,
            spec,
        })
    }

    /// Returns the named special pieces: unknown, start, end, and padding.
    pub fn special(&self) -> [Option<&str>; 4] {
        let control = |id: Option<u32>| {
            let id = id.filter(|id| self.kind(*id) == PieceKind::Control)?;
            self.compiled.piece(id)
        };
        let [start, end, padding] = self.spec.special.map(control);
        [self.compiled.piece(self.unknown_id), start, end, padding]
    }

    /// Returns the algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.compiled.algorithm()
    }

    fn kind(&self, id: u32) -> PieceKind {
        self.kinds
            .get(id as usize)
            .copied()
            .unwrap_or(PieceKind::Unused)
    }

    fn vocabulary(&self) -> Option<Vocabulary<'_>> {
        Some(Vocabulary {
            compiled: &self.compiled,
            kinds: &self.kinds,
            trie: self.compiled.double_array()?,
            unknown_id: self.unknown_id,
            min_score: self.min_score,
            max_score: self.max_score,
        })
    }

    /// Encodes a text.
    pub fn encode(&self, text: &str) -> Vec<Token> {
        let normalized = self.normalizer.normalize(text, &self.user_defined);
        let content = normalized.text.as_str();
        let Some(vocabulary) = self.vocabulary().filter(|_| !content.is_empty()) else {
            return Vec::new();
        };
        let segments = match self.compiled.algorithm() {
            Algorithm::Bpe => bpe::segment(&vocabulary, &self.user_defined, content),
            Algorithm::Char => self.characters(&vocabulary, content),
            Algorithm::Word => words(&vocabulary, content),
            _ => unigram::segment(&vocabulary, content),
        };
        let mut tokens: Vec<Token> = Vec::with_capacity(segments.len());
        let mut after_unknown = false;
        for Segment { id, start, end } in segments {
            let piece = &content[start..end];
            let is_unknown = id == self.unknown_id;
            let offsets = (normalized.origins[start], normalized.origins[end]);
            if is_unknown && self.compiled.byte_fallback() {
                tokens.extend(self.bytes_of(piece, offsets));
            } else if let Some(last) = tokens.last_mut().filter(|_| is_unknown && after_unknown) {
                last.piece.push_str(piece);
                last.offsets.1 = offsets.1;
            } else {
                tokens.push(Token {
                    id,
                    piece: piece.to_owned(),
                    offsets,
                    starts_word: piece.starts_with(MARK),
                });
            }
            after_unknown = is_unknown;
        }
        tokens
    }

    /// Returns the byte pieces of an unknown piece. The last one has its place.
    fn bytes_of(&self, piece: &str, offsets: (usize, usize)) -> impl Iterator<Item = Token> {
        let last = piece.len().saturating_sub(1);
        piece.bytes().enumerate().map(move |(index, byte)| {
            let piece = byte_piece(byte);
            Token {
                id: self.compiled.find(&piece).unwrap_or(self.unknown_id),
                piece,
                offsets: if index == last {
                    offsets
                } else {
                    (offsets.0, offsets.0)
                },
                starts_word: false,
            }
        })
    }

    fn characters(&self, vocabulary: &Vocabulary<'_>, text: &str) -> Vec<Segment> {
        let mut segments = Vec::new();
        let mut start = 0;
        while let Some(character) = text[start..].chars().next() {
            let length = self.user_defined.longest(&text[start..]);
            let end = start + length.unwrap_or(character.len_utf8());
            let id = vocabulary.id(&text[start..end]);
            segments.push(Segment { id, start, end });
            start = end;
        }
        segments
    }

    /// Decodes pieces.
    pub fn decode<'a>(&self, pieces: impl IntoIterator<Item = Decoded<'a>>) -> String {
        let mut text = String::new();
        let mut bytes: Vec<u8> = Vec::new();
        // True until the first mark or the first visible piece.
        let (mut at_start, mut mark_seen) = (true, false);
        for item in pieces {
            let (id, piece) = match item {
                Decoded::Id(id) => (id, self.compiled.piece(id).unwrap_or_default()),
                Decoded::Piece(piece) => {
                    (self.compiled.find(piece).unwrap_or(self.unknown_id), piece)
                }
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
        match &self.denormalizer {
            Some(denormalizer) => denormalizer.normalize(&text, &Prefixes::default()).text,
            None => text,
        }
    }

    /// Appends the text of a piece. Returns true if the mark at the start of a text was left out of it, and further
    /// ones are not.
    fn append(&self, text: &mut String, id: u32, piece: &str, at_start: bool) -> bool {
        match self.kind(id) {
            PieceKind::Control => return false,
            PieceKind::Unknown if self.compiled.piece(id) == Some(piece) => {
                text.push_str(&self.spec.unknown_surface);
                return false;
            }
            PieceKind::Unknown => {
                text.push_str(piece);
                return false;
            }
            _ => {}
        }
        let normalizer = &self.spec.normalizer;
        let drops_mark = at_start && (normalizer.adds_mark || normalizer.removes_spaces);
        let without = drops_mark.then(|| piece.strip_prefix(MARK)).flatten();
        text.push_str(&without.unwrap_or(piece).replace(MARK, " "));
        without.is_some() && !normalizer.removes_spaces
    }
}

/// Splits a text before each mark.
fn words(vocabulary: &Vocabulary<'_>, text: &str) -> Vec<Segment> {
    let marks = text.match_indices(MARK).map(|(at, _)| at);
    let mut starts: Vec<usize> = std::iter::once(0)
        .chain(marks.filter(|at| *at > 0))
        .collect();
    starts.push(text.len());
    let words = starts.windows(2).map(|ends| {
        let id = vocabulary.id(&text[ends[0]..ends[1]]);
        Segment {
            id,
            start: ends[0],
            end: ends[1],
        }
    });
    words.collect()
}

fn byte_piece(byte: u8) -> String {
    format!("<0x{byte:02X}>")
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
