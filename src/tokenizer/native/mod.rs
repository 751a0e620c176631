//! The native engine: Unigram tokenization of DeBERTa's shape, exact and fast.
//!
//! It does what the reference engine does with such a tokenizer, step by step: added tokens on the raw text, strip,
//! character map, runs of spaces, added tokens on the normalized text, `▁` for spaces, words, pieces. Any tokenizer
//! that has a step it does not know is left to the reference engine as a whole.

mod aligned;
mod charsmap;
pub mod compiled;
mod double_array;
mod normalize;
mod unigram;

use std::fmt;
use std::sync::{Arc, Mutex};

use aho_corasick::{AhoCorasick, MatchKind};

use super::EncodeOptions;
use super::encoding::Encoding;
use crate::formats::config::AddedTokenConfig;
use crate::formats::sentencepiece::Algorithm;
use aligned::Aligned;
use charsmap::Charsmap;
use compiled::Compiled;
use normalize::{for_each_word, into_words, normalize};
use unigram::{Token, Unigram};

/// Offsets are kept in 32 bits: longer texts go to the reference engine.
const MAX_TEXT: usize = u32::MAX as usize;

/// The engine of one tokenizer.
pub struct NativeEngine {
    compiled: Arc<Compiled>,
    charsmap: Charsmap,
    unknown_score: f64,
    /// Added tokens that are matched on the raw text, and those matched on the normalized text.
    raw: AddedTokens,
    normalized: AddedTokens,
    template: Template,
    /// Scratch memory of threads that are not encoding at the moment.
    idle: Mutex<Vec<Scratch>>,
}

impl fmt::Debug for NativeEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NativeEngine").finish_non_exhaustive()
    }
}

/// `[CLS] A [SEP]`, and of a pair `[CLS] A [SEP] B [SEP]`.
#[derive(Debug, Clone)]
pub struct Template {
    pub first: (u32, String),
    pub separator: (u32, String),
}

/// A part of the normalized text that is a token or a run of words.
#[derive(Debug)]
enum Part {
    Added(u32),
    Words,
}

/// Added tokens and what finds them.
#[derive(Debug, Default)]
struct AddedTokens {
    finder: Option<AhoCorasick>,
    ids: Vec<u32>,
}

#[derive(Debug, Default)]
struct Scratch {
    aligned: Aligned,
    words: Aligned,
    unigram: unigram::Scratch,
    tokens: Vec<Token>,
}

/// Takes the tokens of a text, in order.
trait Take {
    /// A token of a word: its id, the word's index, and the range it comes from.
    fn token(&mut self, id: u32, word: u32, range: (usize, usize));
    /// An added token, spelled as it was found.
    fn added(&mut self, id: u32, word: u32, range: (usize, usize), surface: &str);
}

impl NativeEngine {
    /// Builds the engine for a vocabulary and its added tokens with their ids, of which the last of equal ones counts.
    ///
    /// None if the tokenizer has anything that this engine does not do exactly.
    pub fn new(
        compiled: Arc<Compiled>,
        added: &[(AddedTokenConfig, u32)],
        template: Template,
    ) -> Option<Self> {
        let plain = |token: &AddedTokenConfig| !token.lstrip && !token.rstrip && !token.single_word;
        let known = added.iter().all(|(token, _)| plain(token));
        if !known || compiled.algorithm() != Algorithm::Unigram || compiled.array().is_none() {
            return None;
        }
        let charsmap = Charsmap::parse(compiled.charsmap())?;
        let mut raw = Vec::new();
        let mut normalized = Vec::new();
        for (index, (token, id)) in added.iter().enumerate() {
            let replaced = added[index + 1..].iter().any(|(_, later)| later == id);
            if replaced {
                continue;
            }
            if token.normalized {
                let mut aligned = Aligned::default();
                normalize::<false>(&charsmap, &token.content, 0, &mut aligned);
                normalized.push((aligned.text, *id));
            } else {
                raw.push((token.content.clone(), *id));
            }
        }
        Some(Self {
            unknown_score: unigram::unknown_score(compiled.scores()),
            compiled,
            charsmap,
            raw: AddedTokens::new(raw)?,
            normalized: AddedTokens::new(normalized)?,
            template,
            idle: Mutex::default(),
        })
    }

    /// Encodes a text or a pair, without truncation. None if a text is too long for this engine.
    pub fn encode(
        &self,
        text: &str,
        pair: Option<&str>,
        options: &EncodeOptions,
    ) -> Option<Encoding> {
        let mut encoding = self.encode_one(text, 0, options.parse_special)?;
        let second = match pair {
            Some(pair) => Some(self.encode_one(pair, 1, options.parse_special)?),
            None => None,
        };
        if options.special_tokens {
            encoding.insert_special(0, &self.template.first, 0);
            encoding.push_special(&self.template.separator, 0);
        }
        if let Some(mut second) = second {
            if options.special_tokens {
                second.push_special(&self.template.separator, 1);
            }
            encoding.append(second);
        }
        Some(encoding)
    }

    /// The ids of a text. None if it is too long for this engine.
    pub fn ids(&self, text: &str, options: &EncodeOptions) -> Option<Vec<u32>> {
        struct Ids(Vec<u32>);

        impl Take for Ids {
            #[inline]
            fn token(&mut self, id: u32, _: u32, _: (usize, usize)) {
                self.0.push(id);
            }

            fn added(&mut self, id: u32, _: u32, _: (usize, usize), _: &str) {
                self.0.push(id);
            }
        }

        let mut ids = Ids(Vec::new());
        ids.0
            .extend(options.special_tokens.then_some(self.template.first.0));
        self.run::<false>(text, options.parse_special, &mut ids)?;
        ids.0
            .extend(options.special_tokens.then_some(self.template.separator.0));
        Some(ids.0)
    }

    /// The number of tokens of a text. None if the text is too long for this engine.
    pub fn count(&self, text: &str, options: &EncodeOptions) -> Option<usize> {
        struct Count(usize);

        impl Take for Count {
            #[inline]
            fn token(&mut self, _: u32, _: u32, _: (usize, usize)) {
                self.0 += 1;
            }

            fn added(&mut self, _: u32, _: u32, _: (usize, usize), _: &str) {
                self.0 += 1;
            }
        }

        let mut count = Count(if options.special_tokens { 2 } else { 0 });
        self.run::<false>(text, options.parse_special, &mut count)?;
        Some(count.0)
    }

    /// The tokens of a text without any template.
    fn encode_one(&self, text: &str, sequence: usize, parse_special: bool) -> Option<Encoding> {
        struct Collect<'a> {
            encoding: Encoding,
            compiled: &'a Compiled,
        }

        impl Take for Collect<'_> {
            #[inline]
            fn token(&mut self, id: u32, word: u32, range: (usize, usize)) {
                self.encoding.ids.push(id);
                let piece = self.compiled.piece(id).unwrap_or_default();
                self.encoding.tokens.push(piece.to_owned());
                self.encoding.offsets.push(range);
                self.encoding.word_ids.push(Some(word));
            }

            fn added(&mut self, id: u32, word: u32, range: (usize, usize), surface: &str) {
                self.encoding.ids.push(id);
                self.encoding.tokens.push(surface.to_owned());
                self.encoding.offsets.push(range);
                self.encoding.word_ids.push(Some(word));
            }
        }

        let mut collect = Collect {
            encoding: Encoding::default(),
            compiled: &self.compiled,
        };
        self.run::<true>(text, parse_special, &mut collect)?;
        let mut encoding = collect.encoding;
        let length = encoding.ids.len();
        encoding.type_ids = vec![sequence as u32; length];
        encoding.special_tokens_mask = vec![0; length];
        encoding.sequence_ids = vec![Some(sequence); length];
        Some(encoding)
    }

    /// Gives the tokens of a text, and with `RANGES` where they come from; without, every range is `(0, 0)`.
    fn run<const RANGES: bool>(
        &self,
        text: &str,
        parse_special: bool,
        take: &mut impl Take,
    ) -> Option<()> {
        if text.len() > MAX_TEXT {
            return None;
        }
        let idle = self.idle.lock().ok().and_then(|mut idle| idle.pop());
        let mut scratch = idle.unwrap_or_default();
        let model = Unigram::new(
            self.compiled.array()?,
            self.compiled.scores(),
            self.compiled.unknown_id(),
            self.unknown_score,
        );
        let mut word = 0;
        let raw = if parse_special {
            &self.raw
        } else {
            &AddedTokens::NONE
        };
        raw.split(text, |part, start, end| {
            if let Part::Added(id) = part {
                take.added(id, word, (start, end), &text[start..end]);
                word += 1;
                return;
            }
            let aligned = &mut scratch.aligned;
            aligned.clear();
            normalize::<RANGES>(&self.charsmap, &text[start..end], start as u32, aligned);
            let normalized = if parse_special {
                &self.normalized
            } else {
                &AddedTokens::NONE
            };
            normalized.split(&aligned.text, |part, start, end| {
                if let Part::Added(id) = part {
                    let range = aligned.original::<RANGES>(start, end);
                    take.added(id, word, range, &aligned.text[start..end]);
                    word += 1;
                    return;
                }
                into_words::<RANGES>(aligned, start, end, &mut scratch.words);
                let words = &scratch.words;
                for_each_word(&words.text, |first, last| {
                    scratch.tokens.clear();
                    let text = &words.text[first..last];
                    model.segment(text, &mut scratch.unigram, &mut scratch.tokens);
                    let mut begin = first;
                    for token in &scratch.tokens {
                        let end = first + token.end as usize;
                        take.token(token.id, word, words.original::<RANGES>(begin, end));
                        begin = end;
                    }
                    word += 1;
                });
            });
        });
        if let Ok(mut idle) = self.idle.lock() {
            idle.push(scratch);
        }
        Some(())
    }
}

impl AddedTokens {
    const NONE: Self = Self {
        finder: None,
        ids: Vec::new(),
    };

    /// None if they cannot be told apart by what they look like.
    fn new(tokens: Vec<(String, u32)>) -> Option<Self> {
        if tokens.is_empty() {
            return Some(Self::NONE);
        }
        let mut spellings: Vec<&str> = tokens.iter().map(|(text, _)| text.as_str()).collect();
        spellings.sort_unstable();
        spellings.dedup();
        if spellings.len() < tokens.len() || spellings.first() == Some(&"") {
            return None;
        }
        let finder = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(tokens.iter().map(|(text, _)| text))
            .ok()?;
        Some(Self {
            finder: Some(finder),
            ids: tokens.into_iter().map(|(_, id)| id).collect(),
        })
    }

    /// Calls `each` with the tokens in a text and what is between them, as byte ranges, empty ones left out.
    #[inline]
    fn split(&self, text: &str, mut each: impl FnMut(Part, usize, usize)) {
        let mut start = 0;
        if let Some(finder) = &self.finder {
            for found in finder.find_iter(text) {
                if start < found.start() {
                    each(Part::Words, start, found.start());
                }
                each(
                    Part::Added(self.ids[found.pattern()]),
                    found.start(),
                    found.end(),
                );
                start = found.end();
            }
        }
        if start < text.len() {
            each(Part::Words, start, text.len());
        }
    }
}
