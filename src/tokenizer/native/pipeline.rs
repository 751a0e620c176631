//! A part of a text → the tokens in it, by all the steps of a tokenizer.

use serde_json::Value;
use unicode_segmentation::UnicodeSegmentation;

use super::added_tokens::{AddedTokens, TextPart};
use super::aligned_text::AlignedText;
use super::charsmap::Charsmap;
use super::compiled::CompiledVocabulary;
use super::hf_steps::{self, HfSteps};
use super::json_steps;
use super::normalize::{METASPACE, for_each_word, into_words, normalize};
use super::trailing_marks::TrailingMarks;
use super::unigram::{Lattice, Token, Unigram};
use super::word_cache::{Start, WordCache};
use super::word_chunks::{SpaceBytes, SpaceHandling};
use crate::formats::config::AddedTokenConfig;

/// What a tokenizer file says of the steps before its model.
#[derive(Debug, Clone, Copy)]
pub enum PipelineConfig<'a> {
    /// Strip, character map (as a SentencePiece file has it), runs of spaces → one, `▁` for each space and before the
    /// first word.
    Deberta { charsmap: &'a [u8] },
    /// `normalizer` and `pre_tokenizer` of `tokenizer.json`.
    Json {
        normalizer: &'a Value,
        pre_tokenizer: &'a Value,
    },
}

/// The steps between the raw text and the model.
#[derive(Debug)]
pub struct Pipeline {
    kind: PipelineKind,
    spaces: Option<SpaceHandling>,
    space_bytes: SpaceBytes,
}

#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one in a program")]
enum PipelineKind {
    Deberta {
        charsmap: Charsmap,
        /// Added tokens that are matched on the normalized text.
        normalized: AddedTokens,
    },
    Hf(HfSteps),
}

/// A token that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundToken {
    pub id: u32,
    /// Index of the word, from the beginning of the part.
    pub word: u32,
    /// The bytes of the text that it comes from.
    pub range: (u32, u32),
    /// How an added token is spelled; none for a piece of a word.
    pub surface: Option<Box<str>>,
}

/// What is to be known of a part of a text beside its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// Its tokens are the same whatever stands around it, if that is other parts that begin with white space.
    pub clean: bool,
    /// Its normalized form is the text itself.
    pub plain: bool,
}

/// What words are searched with, and where their tokens go.
pub struct WordSearch<'a> {
    pub model: Unigram<'a>,
    pub compiled: &'a CompiledVocabulary,
    /// Normalized words and their tokens, where those are to be remembered.
    pub cache: Option<&'a mut WordCache>,
    pub scratch: &'a mut PipelineScratch,
    pub found: &'a mut Vec<FoundToken>,
}

/// What is kept from part to part.
#[derive(Debug, Default)]
pub struct PipelineScratch {
    aligned: AlignedText,
    words: AlignedText,
    lattice: Lattice,
    tokens: Vec<Token>,
}

impl Pipeline {
    /// None if there is a step that is not done exactly here.
    pub fn new(config: &PipelineConfig, added: &[(AddedTokenConfig, u32)]) -> Option<Self> {
        match config {
            PipelineConfig::Deberta { charsmap } => Self::deberta(charsmap, added),
            PipelineConfig::Json {
                normalizer,
                pre_tokenizer,
            } => match json_steps::deberta_charsmap(normalizer, pre_tokenizer) {
                Some(charsmap) => Self::deberta(&charsmap, added),
                None => Self::with_hf(HfSteps::new(normalizer, pre_tokenizer, added)?, added),
            },
        }
    }

    fn deberta(charsmap: &[u8], added: &[(AddedTokenConfig, u32)]) -> Option<Self> {
        let charsmap = Charsmap::parse(charsmap)?;
        let normalized = added.iter().filter(|(token, _)| token.normalized);
        let normalized = normalized.map(|(token, id)| {
            let mut aligned = AlignedText::default();
            normalize::<false>(&charsmap, token.content.trim(), 0, &mut aligned);
            let content = aligned.text;
            let token = AddedTokenConfig {
                content,
                ..token.clone()
            };
            (token, *id)
        });
        let normalized = AddedTokens::new(normalized.collect())?;
        let mut space_bytes = SpaceBytes::default();
        for byte in [b' ', b'\n', b'\t'] {
            let mut text = AlignedText::default();
            normalize::<false>(&charsmap, &format!("a{}b", char::from(byte)), 0, &mut text);
            if text.text == "a b" {
                space_bytes.insert(byte);
            }
        }
        Some(Self {
            spaces: (normalized.are_local() && space_bytes.contains(b' '))
                .then_some(SpaceHandling::Merged),
            kind: PipelineKind::Deberta {
                charsmap,
                normalized,
            },
            space_bytes,
        })
    }

    fn with_hf(steps: HfSteps, added: &[(AddedTokenConfig, u32)]) -> Option<Self> {
        let normalized = added.iter().filter(|(token, _)| token.normalized);
        let local = AddedTokens::new(normalized.cloned().collect())?.are_local();
        let spaces = steps.spaces().filter(|_| local);
        let mut space_bytes = SpaceBytes::default();
        for byte in [b' ', b'\n', b'\t'] {
            let text = format!("a{}b", char::from(byte));
            let normalized = hf_steps::normalized_text(&steps.normalize(&text, false, false)?);
            if normalized == "a b" || (normalized == text && spaces == Some(SpaceHandling::Dropped))
            {
                space_bytes.insert(byte);
            }
        }
        Some(Self {
            kind: PipelineKind::Hf(steps),
            spaces: spaces.filter(|_| space_bytes.contains(b' ')),
            space_bytes,
        })
    }

    /// How a text can be taken apart at white space; none if it cannot.
    #[inline]
    pub fn spaces(&self) -> Option<SpaceHandling> {
        self.spaces
    }

    /// The bytes at which it can.
    #[inline]
    pub fn space_bytes(&self) -> SpaceBytes {
        self.space_bytes
    }

    /// Whether added tokens of the raw text are found here too, in a text that is given as a whole.
    pub fn takes_whole_texts(&self) -> bool {
        self.spaces.is_none() && matches!(self.kind, PipelineKind::Hf(_))
    }

    /// A part of a text, given as byte offsets, without the white space at its ends that is dropped first of all.
    #[inline]
    pub fn strip(&self, text: &str, start: usize, end: usize) -> (usize, usize) {
        match self.kind {
            PipelineKind::Deberta { .. } => {
                let stripped = text[start..end].trim_start();
                let start = end - stripped.len();
                (start, start + stripped.trim_end().len())
            }
            PipelineKind::Hf(_) => (start, end),
        }
    }

    /// Finds the tokens of bytes `start` to `end` of a text: a part between added tokens, stripped, or a run of chunks.
    ///
    /// None if a step fails.
    pub fn region<const RANGES: bool>(
        &self,
        text: &str,
        start: usize,
        end: usize,
        parse_special: bool,
        search: WordSearch<'_>,
    ) -> Option<Region> {
        let part = &text[start..end];
        match &self.kind {
            PipelineKind::Deberta {
                charsmap,
                normalized,
            } => {
                let normalized = if parse_special {
                    normalized
                } else {
                    &AddedTokens::EMPTY
                };
                let mut search = search;
                let aligned = &mut search.scratch.aligned;
                aligned.clear();
                normalize::<RANGES>(charsmap, part, start as u32, aligned);
                let region = self.classify(part, &aligned.text);
                search.deberta::<RANGES>(normalized);
                Some(region)
            }
            PipelineKind::Hf(steps) => {
                let whole = self.takes_whole_texts();
                let normalized = steps.normalize(part, parse_special, whole)?;
                let region = self.classify(part, &hf_steps::normalized_text(&normalized));
                search.with_hf_steps(steps, normalized, start)?;
                Some(region)
            }
        }
    }

    /// Whether a chunk of DeBERTa's is a space and a word of characters that stay as they are, with no added token.
    #[inline]
    pub fn is_plain_word(&self, chunk: &str, parse_special: bool) -> bool {
        let PipelineKind::Deberta {
            charsmap,
            normalized,
        } = &self.kind
        else {
            return false;
        };
        let mut characters = chunk.chars();
        characters.next() == Some(' ')
            && chunk.len() > 1
            && characters
                .all(|character| charsmap.is_plain_char(character) && character != METASPACE)
            && !(parse_special && normalized.are_in(chunk))
    }

    /// The characters behind a [plain word](Self::is_plain_word) that are tokens of their own, of those that the
    /// vocabulary has.
    pub fn marks(&self, apart: &[(u8, u32)], parse_special: bool) -> TrailingMarks {
        let is_mark = |character: u8| match &self.kind {
            PipelineKind::Deberta {
                charsmap,
                normalized,
            } => charsmap.is_plain(character) && !(parse_special && normalized.have(character)),
            PipelineKind::Hf(_) => false,
        };
        let apart = apart.iter().copied();
        TrailingMarks::new(apart.filter(|(character, _)| is_mark(*character)))
    }

    /// Whether a part of a text can begin with a space and some bytes. Of DeBERTa's, not with a space and an added
    /// token: the space, a token of its own elsewhere, would be stripped.
    pub fn can_begin(&self, bytes: [u8; 2]) -> bool {
        match &self.kind {
            PipelineKind::Deberta {
                charsmap,
                normalized,
            } => {
                charsmap.is_plain(bytes[0])
                    && bytes[1].is_ascii()
                    && !normalized.begin_with(bytes[0])
            }
            PipelineKind::Hf(_) => true,
        }
    }

    fn classify(&self, raw: &str, normalized: &str) -> Region {
        let spaced = raw
            .bytes()
            .next()
            .is_some_and(|byte| self.space_bytes.contains(byte));
        let word = match self.spaces {
            // What white space is in there parts words as it would elsewhere.
            Some(SpaceHandling::Dropped) => Some("word"),
            _ if spaced => {
                let spaces = raw
                    .bytes()
                    .take_while(|byte| self.space_bytes.contains(*byte));
                let longest = if self.spaces == Some(SpaceHandling::Kept) {
                    spaces.count()
                } else {
                    1
                };
                let word = normalized.trim_start_matches(' ');
                (1..=longest)
                    .contains(&(normalized.len() - word.len()))
                    .then_some(word)
            }
            _ => Some(normalized),
        };
        let clean = word.is_some_and(|word| !word.is_empty() && !word.contains(' '));
        Region {
            clean: clean && !draws_next_space(raw),
            plain: raw == normalized,
        }
    }
}

/// Whether the last character of a text forms a grapheme with a space behind it.
fn draws_next_space(text: &str) -> bool {
    text.chars()
        .next_back()
        .is_some_and(|last| !last.is_ascii() && format!("{last} ").graphemes(true).count() == 1)
}

impl PipelineScratch {
    /// The tokens of a normalized word, given without the mark before it.
    pub fn search_word(&mut self, model: &Unigram<'_>, word: &str) -> &[Token] {
        let Self {
            words,
            lattice,
            tokens,
            ..
        } = self;
        words.clear();
        words.text.push(METASPACE);
        words.text.push_str(word);
        tokens.clear();
        model.search(&words.text, lattice, tokens);
        tokens
    }
}

impl WordSearch<'_> {
    /// Finds the tokens of the normalized text in `scratch.aligned`.
    fn deberta<const RANGES: bool>(&mut self, added: &AddedTokens) {
        let mut word = 0;
        let PipelineScratch {
            aligned,
            words,
            lattice,
            tokens,
        } = &mut *self.scratch;
        added.split(&aligned.text, |part, start, end| {
            if let TextPart::Added(id) = part {
                self.found.push(FoundToken {
                    id,
                    word,
                    range: aligned.original::<RANGES>(start, end),
                    surface: Some(aligned.text[start..end].into()),
                });
                word += 1;
                return;
            }
            into_words::<RANGES>(aligned, start, end, words);
            for_each_word(&words.text, |first, last| {
                tokens.clear();
                self.model.search(&words.text[first..last], lattice, tokens);
                let mut begin = first;
                for token in &*tokens {
                    let end = first + token.end as usize;
                    self.found.push(FoundToken {
                        id: token.id,
                        word,
                        range: words.original::<RANGES>(begin, end),
                        surface: None,
                    });
                    begin = end;
                }
                word += 1;
            });
        });
    }

    /// Finds the tokens of a normalized text that begins at byte `start` of the original.
    fn with_hf_steps(
        self,
        steps: &HfSteps,
        normalized: tokenizers::PreTokenizedString,
        start: usize,
    ) -> Option<()> {
        let Self {
            model,
            compiled,
            mut cache,
            scratch: PipelineScratch {
                lattice, tokens, ..
            },
            found,
        } = self;
        let encoding = steps.tokenize(normalized, |word| {
            let mut begin = 0;
            let mut token = |id: u32, end: usize| {
                let value = compiled.piece(id).unwrap_or_default().to_owned();
                let token = tokenizers::Token::new(id, value, (begin, end));
                begin = end;
                token
            };
            let bytes = word.as_bytes();
            let known = cache
                .as_ref()
                .and_then(|cache| cache.get(bytes, 0, bytes.len()));
            if let Some(known) = known {
                let known = known.ids.iter().zip(known.ends);
                return known
                    .map(|(id, end)| token(*id, usize::from(*end)))
                    .collect();
            }
            tokens.clear();
            model.search(word, lattice, tokens);
            if let Some(cache) = &mut cache {
                let tokens = tokens.iter().map(|token| (token.id, token.end as usize));
                cache.set(bytes, Start::At(0), tokens);
            }
            tokens
                .iter()
                .map(|found| token(found.id, found.end as usize))
                .collect()
        })?;
        let words = encoding.get_word_ids().iter().zip(encoding.get_offsets());
        let spelled = encoding.get_ids().iter().zip(encoding.get_tokens());
        for ((id, spelling), (word, offsets)) in spelled.zip(words) {
            // A piece of a word is spelled as the vocabulary has it; an added token as the text does.
            let piece = compiled.piece(*id) == Some(spelling);
            found.push(FoundToken {
                id: *id,
                word: word.unwrap_or_default(),
                range: ((start + offsets.0) as u32, (start + offsets.1) as u32),
                surface: (!piece).then(|| spelling.as_str().into()),
            });
        }
        Some(())
    }
}
