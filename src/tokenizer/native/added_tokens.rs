//! Added tokens: strings that become a single token wherever they occur in a text.

use std::collections::HashSet;
use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, MatchKind};
use memchr::{memchr, memchr2, memchr3};
use regex::Regex;

use crate::formats::config::AddedTokenConfig;

/// The maximum length of all tokens together, in bytes. An automaton can hold more.
const MAX_LENGTH: usize = 1 << 26;

/// A set of added tokens, and the automaton that finds them.
#[derive(Debug, Default)]
pub struct AddedTokens {
    /// Built for the first text in which a token can begin. With thousands of tokens, that takes long.
    finder: OnceLock<Option<AhoCorasick>>,
    /// The distinct first bytes of the tokens, sorted.
    starts: Vec<u8>,
    tokens: Vec<(AddedTokenConfig, u32)>,
    /// True if some tokens are not special, and remain tokens if special ones are taken as text.
    has_plain: bool,
}

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextPart {
    /// An added token, by its id.
    Added(u32),
    /// The text between added tokens.
    Words,
}

impl AddedTokens {
    /// Creates a set of tokens with their ids. Returns `None` if two have the same spelling, one is empty, or they are too
    /// long for an automaton.
    pub fn new(tokens: Vec<(AddedTokenConfig, u32)>) -> Option<Self> {
        let mut spellings = HashSet::with_capacity(tokens.len());
        let (mut is_start, mut length) = ([false; 256], 0);
        for (token, _) in &tokens {
            let spelling = spelling(token);
            is_start[usize::from(*spelling.as_bytes().first()?)] = true;
            length += spelling.len();
            if !spellings.insert(spelling) || length > MAX_LENGTH {
                return None;
            }
        }
        let starts = (0..=u8::MAX).filter(|byte| is_start[usize::from(*byte)]);
        let starts = starts.collect();
        Some(Self {
            finder: OnceLock::new(),
            starts,
            has_plain: tokens.iter().any(|(token, _)| !token.special),
            tokens,
        })
    }

    /// Returns these tokens, or the empty set if all of them are special and `parse_special` is false.
    ///
    /// If only some of them are special, the special ones are still found: [`Self::split`] takes them as text then.
    #[inline]
    pub fn matched(&self, parse_special: bool) -> &Self {
        static NONE: AddedTokens = AddedTokens {
            finder: OnceLock::new(),
            starts: Vec::new(),
            tokens: Vec::new(),
            has_plain: false,
        };
        if parse_special || self.has_plain {
            self
        } else {
            &NONE
        }
    }

    /// Returns true if a token contains this byte.
    pub fn contain(&self, byte: u8) -> bool {
        let mut tokens = self.tokens.iter();
        tokens.any(|(token, _)| token.content.as_bytes().contains(&byte))
    }

    /// Returns true if every token matches regardless of the text around it and contains no white space. Then cutting a
    /// text at white space neither breaks nor creates a token.
    pub fn are_local(&self) -> bool {
        let local = |token: &AddedTokenConfig| {
            let spaced = token.content.contains(char::is_whitespace);
            !(token.lstrip || token.rstrip || token.single_word || spaced)
        };
        self.tokens.iter().all(|(token, _)| local(token))
    }

    /// Returns true if cutting a text between two bytes of ASCII, the second of them white space, neither breaks nor
    /// creates a token.
    pub fn allow_cut(&self, before: u8, after: u8) -> bool {
        self.tokens.iter().all(|(token, _)| {
            let content = token.content.as_bytes();
            let is_cut = content.windows(2).any(|pair| pair == [before, after]);
            let strips = token.rstrip && content.last() == Some(&before);
            let stands_alone = token.single_word && content.first() == Some(&after);
            !(is_cut || strips || stands_alone)
        })
    }

    /// Returns true if the text may contain a token.
    #[inline]
    pub fn are_in(&self, text: &str) -> bool {
        let finder = self.finder_in(text);
        finder.is_some_and(|finder| finder.is_match(text))
    }

    /// Returns the automaton, or `None` if no token can begin in the text. The check is fast if the tokens have at most
    /// three different first bytes.
    #[inline]
    fn finder_in(&self, text: &str) -> Option<&AhoCorasick> {
        let text = text.as_bytes();
        let start = match *self.starts {
            [] => None,
            [first] => memchr(first, text),
            [first, second] => memchr2(first, second, text),
            [first, second, third] => memchr3(first, second, third, text),
            _ => text.iter().position(|byte| self.begin_with(*byte)),
        };
        start?;
        self.finder.get_or_init(|| finder(&self.tokens)).as_ref()
    }

    /// Returns true if a token begins with this byte.
    #[inline]
    pub fn begin_with(&self, byte: u8) -> bool {
        self.starts.contains(&byte)
    }

    /// Calls `each` with the byte ranges of the tokens in a text and of the non-empty texts between them. Without
    /// `parse_special`, special tokens are text.
    ///
    /// Follows `AddedVocabulary::find_matches` of the `tokenizers` crate: a token with `lstrip` or `rstrip` includes
    /// the white space on that side, a token with `single_word` does not match within a word, and no token is found in
    /// a special one.
    ///
    /// Returns `None` if a token has lost its text to the token before it, which includes the white space.
    #[inline]
    pub fn split(
        &self,
        text: &str,
        parse_special: bool,
        mut each: impl FnMut(TextPart, usize, usize),
    ) -> Option<()> {
        let mut kept = 0;
        if let Some(finder) = self.matched(parse_special).finder_in(text) {
            for found in finder.find_iter(text) {
                let (token, id) = &self.tokens[found.pattern()];
                let (mut start, mut end) = (found.start(), found.end());
                if token.special && !parse_special {
                    continue;
                }
                if token.single_word && !stands_alone(text, start, end) {
                    continue;
                }
                if token.lstrip {
                    start = text[..start].trim_end().len().max(kept);
                }
                if token.rstrip {
                    end = text.len() - text[end..].trim_start().len();
                }
                if start >= end {
                    return None;
                }
                if kept < start {
                    each(TextPart::Words, kept, start);
                }
                each(TextPart::Added(*id), start, end);
                kept = end;
            }
        }
        if kept < text.len() {
            each(TextPart::Words, kept, text.len());
        }
        Some(())
    }
}

fn finder(tokens: &[(AddedTokenConfig, u32)]) -> Option<AhoCorasick> {
    AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostLongest)
        .build(tokens.iter().map(|(token, _)| spelling(token)))
        .ok()
}

fn spelling(token: &AddedTokenConfig) -> &str {
    &token.content
}

/// Returns true if neither neighbor of a range is a word character (`\w`).
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    !text[..start].chars().next_back().is_some_and(is_word)
        && !text[end..].chars().next().is_some_and(is_word)
}

fn is_word(character: char) -> bool {
    static WORD: OnceLock<Option<Regex>> = OnceLock::new();
    let word = WORD.get_or_init(|| Regex::new(r"^\w").ok());
    word.as_ref()
        .is_some_and(|word| word.is_match(character.encode_utf8(&mut [0; 4])))
}
