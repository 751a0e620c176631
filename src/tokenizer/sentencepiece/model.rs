//! A SentencePiece model: its vocabulary with its settings, encoding, and decoding.

use std::sync::Arc;

use super::normalizer::Normalizer;
use super::sink::{Emitter, Sink, Token, Tokens};
use super::splitter::{Rules, Scratch, Splitter};
use super::vocabulary::{Prefixes, Vocabulary};
use super::words::Marks;
use crate::error::{Error, Result};
use crate::formats::algorithm::Algorithm;
use crate::formats::sentencepiece::PieceKind;
use crate::formats::sentencepiece_spec::SentencePieceSpec;
use crate::tokenizer::native::ScratchPool;
use crate::tokenizer::native::compiled::CompiledVocabulary;

/// The penalty of an unknown character, as a logarithm.
const UNKNOWN_PENALTY: f32 = 10.0;

/// The score of a user-defined piece for each byte after the first.
const USER_DEFINED_BONUS: f64 = 0.1;

/// A SentencePiece model that encodes and decodes.
#[derive(Debug)]
pub struct SentencePiece {
    compiled: Arc<CompiledVocabulary>,
    kinds: Vec<PieceKind>,
    unknown_id: u32,
    /// As in [`Vocabulary`].
    unigram_scores: Vec<f32>,
    unknown_score: f32,
    /// The ids and texts of the byte pieces, if there is byte fallback.
    bytes: Vec<(u32, String)>,
    rules: Rules,
    user_defined: Prefixes,
    normalizer: Normalizer,
    denormalizer: Option<Normalizer>,
    spec: SentencePieceSpec,
    scratch: ScratchPool<Scratch>,
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
        let mut min_score = f32::MAX;
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
        let bytes = match compiled.byte_fallback() {
            true => byte_pieces(&compiled)
                .ok_or_else(|| damaged("it has byte fallback, but not all 256 byte pieces"))?,
            false => Vec::new(),
        };
        let longest_user_defined = user_defined.iter().map(|piece| piece.len()).max();
        let user_defined = Prefixes::new(user_defined)
            .ok_or_else(|| damaged("a user-defined piece contains a zero byte"))?;
        let unigram_scores = unigram_scores(&compiled, &kinds);
        let unknown_score = min_score - UNKNOWN_PENALTY;
        let sizes = unigram_scores.iter().map(|score| score.abs());
        let in_text = [PieceKind::Normal, PieceKind::UserDefined, PieceKind::Unused];
        let of_texts = compiled.kinds().filter(|(_, kind)| in_text.contains(kind));
        let rules = Rules {
            algorithm: compiled.algorithm(),
            marks: Marks::of(of_texts.filter_map(|(id, _)| compiled.piece(id))),
            has_unused: compiled.kinds().any(|(_, kind)| kind == PieceKind::Unused),
            max_score: sizes.fold(unknown_score.abs(), f32::max),
            longest_user_defined: longest_user_defined.unwrap_or_default(),
        };
        let suffixes = spec.marks_are_suffixes;
        let (none, text_spec) = (Prefixes::default(), spec.normalizer.clone());
        let denormalizer = spec.denormalizer.clone();
        let denormalizer = denormalizer.map(|spec| Normalizer::new(name, spec, false, &none));
        Ok(Self {
            unknown_id: unknown_id.ok_or_else(|| damaged("it has no unknown piece"))?,
            normalizer: Normalizer::new(name, text_spec, suffixes, &user_defined)?,
            denormalizer: denormalizer.transpose()?,
            unigram_scores,
            unknown_score,
            bytes,
            rules,
            user_defined,
            compiled,
            kinds,
            spec,
            scratch: ScratchPool::default(),
        })
    }

    pub(super) fn compiled(&self) -> &CompiledVocabulary {
        &self.compiled
    }

    pub(super) fn unknown_id(&self) -> u32 {
        self.unknown_id
    }

    pub(super) fn spec(&self) -> &SentencePieceSpec {
        &self.spec
    }

    pub(super) fn denormalizer(&self) -> Option<&Normalizer> {
        self.denormalizer.as_ref()
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

    pub(super) fn kind(&self, id: u32) -> PieceKind {
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
            unigram_scores: &self.unigram_scores,
            unknown_score: self.unknown_score,
        })
    }

    /// Encodes a text.
    pub fn encode(&self, text: &str) -> Vec<Token> {
        let mut tokens = Tokens::default();
        self.encode_to(text, &mut tokens);
        tokens.0
    }

    /// Encodes a text, and passes each token on.
    pub fn encode_to<S: Sink>(&self, text: &str, sink: &mut S) {
        let Some(vocabulary) = self.vocabulary() else {
            return;
        };
        let slot = self.scratch.of_this_thread();
        let mut scratch = slot.take();
        let mut splitter = Splitter {
            rules: self.rules,
            vocabulary: &vocabulary,
            user_defined: &self.user_defined,
            scratch: &mut scratch,
            sum: 0.0,
            emitter: Emitter {
                sink,
                unknown_id: self.unknown_id,
                bytes: &self.bytes,
                after_unknown: false,
            },
        };
        let kept = &self.user_defined;
        match S::NEEDS_PLACES {
            true => (self.normalizer).parts::<true>(text, kept, |part| splitter.take(part)),
            false => (self.normalizer).parts::<false>(text, kept, |part| splitter.take(part)),
        }
        slot.put_back(scratch);
    }
}

/// Returns the id and the text of each byte piece; `None` if one is missing.
fn byte_pieces(compiled: &CompiledVocabulary) -> Option<Vec<(u32, String)>> {
    let pieces = (0..=u8::MAX).map(|byte| {
        let piece = byte_piece(byte);
        Some((compiled.find(&piece)?, piece))
    });
    pieces.collect()
}

/// Returns the scores of pieces for the Unigram algorithm; not a number for those that no text contains.
fn unigram_scores(compiled: &CompiledVocabulary, kinds: &[PieceKind]) -> Vec<f32> {
    let score = |(id, kind): (u32, &PieceKind)| match kind {
        PieceKind::Normal => {
            let score = compiled.scores().get(id as usize);
            score.map_or(0.0, |score| *score as f32)
        }
        // A user-defined piece wins against others, whose scores are below zero.
        PieceKind::UserDefined => {
            let length = compiled.piece(id).map_or(1, str::len);
            (length.saturating_sub(1) as f64 * USER_DEFINED_BONUS) as f32
        }
        _ => f32::NAN,
    };
    (0..).zip(kinds).map(score).collect()
}

/// Returns the piece of a byte.
pub(super) fn byte_piece(byte: u8) -> String {
    format!("<0x{byte:02X}>")
}
