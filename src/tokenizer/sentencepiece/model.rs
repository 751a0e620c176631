//! A SentencePiece model: its vocabulary with its settings, encoding, and decoding.

use std::sync::Arc;

use super::normalizer::Normalizer;
use super::sink::{Emitter, Sink, Token, Tokens};
use super::splitter::{Rules, Scratch, Splitter};
use super::unigram_scores::UnigramScores;
use super::vocabulary::{UserDefined, Vocabulary};
use crate::error::{Error, Result};
use crate::formats::algorithm::Algorithm;
use crate::formats::sentencepiece::PieceKind;
use crate::formats::sentencepiece_spec::SentencePieceSpec;
use crate::tokenizer::native::ScratchPool;
use crate::tokenizer::native::compiled::CompiledVocabulary;

/// A SentencePiece model that encodes and decodes.
#[derive(Debug)]
pub struct SentencePiece {
    compiled: Arc<CompiledVocabulary>,
    unknown_id: u32,
    scores: UnigramScores,
    /// The ids and texts of the byte pieces, if there is byte fallback.
    bytes: Vec<(u32, String)>,
    rules: Rules,
    /// By byte, true if a user-defined piece begins with it.
    begins: Box<[bool; 256]>,
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
        let spec = SentencePieceSpec::parse(name, bytes, compiled.settings_start())?;
        let Some(trie) = compiled.double_array() else {
            return Err(damaged(
                "a piece is empty, occurs twice, or contains a zero byte",
            ));
        };
        let kinds = compiled.kind_table();
        let mut unknown_id = None;
        let (mut begins, mut has_unused, mut longest_user_defined) = ([false; 256], false, 0);
        for (id, kind) in kinds.exceptions() {
            match kind {
                PieceKind::Unknown if unknown_id.is_some() => {
                    return Err(damaged("it has two unknown pieces"));
                }
                PieceKind::Unknown => unknown_id = Some(id),
                PieceKind::UserDefined => {
                    let piece = compiled.piece(id).unwrap_or_default().as_bytes();
                    longest_user_defined = longest_user_defined.max(piece.len());
                    if let Some(first) = piece.first() {
                        begins[usize::from(*first)] = true;
                    }
                }
                PieceKind::Byte if !compiled.byte_fallback() => {
                    return Err(damaged("it has a byte piece, but no byte fallback"));
                }
                PieceKind::Unused => has_unused = true,
                _ => {}
            }
        }
        let bytes = match compiled.byte_fallback() {
            true => byte_pieces(&compiled)
                .ok_or_else(|| damaged("it has byte fallback, but not all 256 byte pieces"))?,
            false => Vec::new(),
        };
        let user_defined = UserDefined {
            begins: &begins,
            pieces: (longest_user_defined > 0).then_some((trie, kinds)),
        };
        let text_spec = (spec.normalizer.clone(), compiled.charsmap());
        let normalizer = Normalizer::new(name, text_spec, spec.marks_are_suffixes, user_defined)?;
        let denormalizer = spec.denormalizer.as_ref().map(|(spec, rules)| {
            Normalizer::new(name, (spec.clone(), rules), false, UserDefined::NONE)
        });
        let scores = match compiled.algorithm() {
            Algorithm::Unigram => UnigramScores::new(&compiled),
            _ => UnigramScores::default(),
        };
        let rules = Rules {
            algorithm: compiled.algorithm(),
            marks: compiled.word_marks(),
            has_unused,
            max_score: scores.largest,
            longest_user_defined,
        };
        Ok(Self {
            unknown_id: unknown_id.ok_or_else(|| damaged("it has no unknown piece"))?,
            normalizer,
            denormalizer: denormalizer.transpose()?,
            scores,
            bytes,
            rules,
            begins: Box::new(begins),
            compiled,
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
        let kind = self.compiled.kind_table().get(id);
        kind.unwrap_or(PieceKind::Unused)
    }

    fn vocabulary(&self) -> Option<Vocabulary<'_>> {
        Some(Vocabulary {
            compiled: &self.compiled,
            kinds: self.compiled.kind_table(),
            trie: self.compiled.double_array()?,
            unknown_id: self.unknown_id,
            unigram_scores: &self.scores.by_id,
            unknown_score: self.scores.unknown,
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
        let has_user_defined = self.rules.longest_user_defined > 0;
        let user_defined = UserDefined {
            begins: &self.begins,
            pieces: has_user_defined.then_some((vocabulary.trie, vocabulary.kinds)),
        };
        let slot = self.scratch.of_this_thread();
        let mut scratch = slot.take();
        let mut splitter = Splitter {
            rules: self.rules,
            vocabulary: &vocabulary,
            user_defined,
            scratch: &mut scratch,
            sum: 0.0,
            emitter: Emitter {
                sink,
                unknown_id: self.unknown_id,
                bytes: &self.bytes,
                after_unknown: false,
            },
        };
        let kept = user_defined;
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

/// Returns the piece of a byte.
pub(super) fn byte_piece(byte: u8) -> String {
    format!("<0x{byte:02X}>")
}
