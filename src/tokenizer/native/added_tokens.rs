//! Added tokens: spellings that are tokens as a whole wherever they occur in a text.

use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, MatchKind};
use memchr::{memchr, memchr2, memchr3};
use regex::Regex;

use crate::formats::config::AddedTokenConfig;

/// Added tokens and what finds them.
#[derive(Debug, Default)]
pub struct AddedTokens {
    finder: Option<AhoCorasick>,
    /// The first bytes of their spellings.
    starts: Vec<u8>,
    tokens: Vec<(AddedTokenConfig, u32)>,
}

/// A part of a text that is a token, or a run of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextPart {
    Added(u32),
    Words,
}

impl AddedTokens {
    pub const EMPTY: Self = Self {
        finder: None,
        starts: Vec::new(),
        tokens: Vec::new(),
    };

    /// Tokens with their ids. None if they cannot be told apart by what they look like.
    pub fn new(tokens: Vec<(AddedTokenConfig, u32)>) -> Option<Self> {
        if tokens.is_empty() {
            return Some(Self::EMPTY);
        }
        let mut spellings: Vec<&str> = tokens.iter().map(|(token, _)| spelling(token)).collect();
        spellings.sort_unstable();
        spellings.dedup();
        if spellings.len() < tokens.len() || spellings.first() == Some(&"") {
            return None;
        }
        let mut starts: Vec<u8> = spellings.iter().map(|text| text.as_bytes()[0]).collect();
        starts.dedup();
        let finder = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(tokens.iter().map(|(token, _)| spelling(token)))
            .ok()?;
        Some(Self {
            finder: Some(finder),
            starts,
            tokens,
        })
    }

    /// Whether a byte is in one of them.
    pub fn have(&self, byte: u8) -> bool {
        let mut tokens = self.tokens.iter();
        tokens.any(|(token, _)| token.content.as_bytes().contains(&byte))
    }

    /// Whether each of them is found by its own bytes alone, none of them white space: then a text can be cut at white
    /// space without losing or making one.
    pub fn are_local(&self) -> bool {
        let local = |token: &AddedTokenConfig| {
            let spaced = token.content.contains(char::is_whitespace);
            !(token.lstrip || token.rstrip || token.single_word || spaced)
        };
        self.tokens.iter().all(|(token, _)| local(token))
    }

    /// Whether one of them may be in a text.
    #[inline]
    pub fn are_in(&self, text: &str) -> bool {
        let finder = self.finder_in(text);
        finder.is_some_and(|finder| finder.is_match(text))
    }

    /// What finds them, unless none begins in a text: a quick look, where they begin with few bytes.
    #[inline]
    fn finder_in(&self, text: &str) -> Option<&AhoCorasick> {
        let text = text.as_bytes();
        let start = match *self.starts {
            [] => None,
            [first] => memchr(first, text),
            [first, second] => memchr2(first, second, text),
            [first, second, third] => memchr3(first, second, third, text),
            _ => Some(0),
        };
        self.finder.as_ref().filter(|_| start.is_some())
    }

    /// Whether one of them begins with a byte.
    pub fn begin_with(&self, byte: u8) -> bool {
        let mut tokens = self.tokens.iter();
        tokens.any(|(token, _)| token.content.as_bytes().first() == Some(&byte))
    }

    /// Calls `each` with the tokens in a text and what is between them, as byte ranges, empty ones left out.
    ///
    /// As `AddedVocabulary::find_matches` of the `tokenizers` crate: a token that strips takes the white space beside
    /// it along, one that is to be a single word is passed over inside of another.
    #[inline]
    pub fn split(&self, text: &str, mut each: impl FnMut(TextPart, usize, usize)) {
        let mut kept = 0;
        if let Some(finder) = self.finder_in(text) {
            for found in finder.find_iter(text) {
                let (token, id) = &self.tokens[found.pattern()];
                let (mut start, mut end) = (found.start(), found.end());
                if token.single_word && !stands_alone(text, start, end) {
                    continue;
                }
                if token.lstrip {
                    start = text[..start].trim_end().len().max(kept);
                }
                if token.rstrip {
                    end = text.len() - text[end..].trim_start().len();
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
    }
}

fn spelling(token: &AddedTokenConfig) -> &str {
    &token.content
}

/// Whether there is no character of a word (`\w`) on either side.
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
