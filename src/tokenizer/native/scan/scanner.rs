//! Finds the words of a text.

use super::bloom;
use super::coder;
use super::cuts::Cuts;
use super::delimiters::Delimiters;
use super::falcon;
use super::fast::Fast;
use super::kind_runs::BLOOM_BREAK;
use super::kinds::ascii_kind;
use super::patterns::GPT2;
use super::rules::Rules;
use super::view::View;
use super::word_ends::WordEnds;

/// A pre-tokenizer as code.
#[derive(Debug, Clone)]
pub struct Scanner {
    /// The ends of words in blocks of ASCII.
    pub word_ends: Option<WordEnds>,
    fast: Option<Fast>,
    method: Method,
}

/// How words are found.
#[derive(Debug, Clone)]
pub enum Method {
    /// The text is one word.
    Whole,
    Rules(Rules),
    Cuts(Cuts),
    Delimiters(Delimiters),
    Bloom,
    DeepSeekCoder,
    /// The words that are split further once their bytes are mapped.
    Falcon(Cuts),
}

impl Scanner {
    pub fn new(method: Method) -> Self {
        let fast = match &method {
            Method::Rules(rules) => Fast::new(rules, !0),
            Method::Cuts(cuts) => {
                let rules = cuts.rules.as_ref();
                rules.and_then(|rules| Fast::new(rules, cuts.rest()))
            }
            Method::DeepSeekCoder | Method::Falcon(_) => {
                Fast::new(&GPT2, !0).map(Fast::only_letters)
            }
            _ => None,
        };
        let word_ends = match &method {
            Method::Rules(rules) => WordEnds::new(rules),
            _ => None,
        };
        Self {
            word_ends,
            fast,
            method,
        }
    }

    /// Returns the byte range of the first word at or after byte `at`, which must be the start of the text or the end
    /// of a word. Returns `None` if there is no word. Bytes between two words belong to neither: a step dropped them.
    #[inline]
    pub fn next(&self, text: &[u8], at: usize) -> Option<(usize, usize)> {
        let word = self.fast.as_ref().and_then(|fast| fast.next(text, at));
        word.or_else(|| self.next_of_any(text, at))
    }

    /// Returns true if a word always ends between these bytes of ASCII, and the words on each side do not depend on the
    /// text on the other side.
    pub fn always_splits(&self, before: u8, after: u8) -> bool {
        let (before_kind, after_kind) = (ascii_kind(before), ascii_kind(after));
        if before_kind == 0 || after_kind == 0 {
            return false;
        }
        match &self.method {
            Method::Whole => false,
            Method::Rules(rules) => rules.always_splits(before, after),
            Method::Cuts(cuts) | Method::Falcon(cuts) => cuts.always_splits(before, after),
            Method::Delimiters(delimiters) => delimiters.always_splits(before_kind, after_kind),
            Method::DeepSeekCoder => coder::always_splits(before_kind, after_kind),
            Method::Bloom => before_kind & BLOOM_BREAK == 0 && after_kind & BLOOM_BREAK != 0,
        }
    }

    #[inline(never)]
    fn next_of_any(&self, text: &[u8], at: usize) -> Option<(usize, usize)> {
        match &self.method {
            Method::Whole => (at < text.len()).then_some((at, text.len())),
            Method::Rules(rules) => rules.next(View::new(text, !0), at),
            Method::Cuts(cuts) => cuts.next(text, at),
            Method::Delimiters(delimiters) => delimiters.next(text, at),
            Method::Bloom => bloom::next(View::new(text, !0), at),
            Method::DeepSeekCoder => coder::next(text, at),
            Method::Falcon(cuts) => falcon::next(cuts, text, at),
        }
    }
}
