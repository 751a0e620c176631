//! The sequence of DeepSeek Coder: it splits at line breaks, words, punctuation, ideographs, and digits, in this order.

use super::kind_runs::KindSet;
use super::kind_runs::{LINE_BREAK, NUMBER, PUNCTUATION, WHITE};
use super::rules::LETTER;
use super::view::View;

/// Returns the first word at or after byte `at`. Returns `None` if there is no word.
///
/// `[\r\n]`, `\s?\p{L}+`, and `\s?\p{P}+` split a text into matches and the parts between them. `[一-龥ࠀ-一가-퟿]+` and
/// single numbers split these further. As each match is a run of characters of one class, its rest is found from any
/// character within it.
pub fn next(text: &[u8], at: usize) -> Option<(usize, usize)> {
    let view = View::new(text, !0);
    let (kind, length) = view.kind(at);
    if kind == 0 {
        return None;
    }
    if kind & (LINE_BREAK | NUMBER) != 0 {
        return Some((at, at + length));
    }
    let eastern = is_eastern(view, at);
    let same = |at| is_eastern(view, at) == eastern && view.kind(at).0 & NUMBER == 0;
    let word = word_at(view, at);
    let mut end = at + length;
    while same(end) {
        let (kind, length) = view.kind(end);
        let goes_on = match word {
            Some(set) => kind & set != 0,
            None => kind & !LINE_BREAK != 0 && word_at(view, end).is_none(),
        };
        if !goes_on {
            break;
        }
        end += length;
    }
    Some((at, end))
}

/// Returns true if a word always ends between characters of ASCII of these kinds, and no word depends on both.
pub fn always_splits(before: KindSet, after: KindSet) -> bool {
    let alone = LINE_BREAK | NUMBER;
    let ended = |set| before & set != 0 && after & set == 0;
    (before | after) & alone != 0 || ended(LETTER) || ended(PUNCTUATION)
}

/// Returns the class of the word that starts at `at`, of letters or punctuation.
fn word_at(text: View<'_>, at: usize) -> Option<KindSet> {
    let (kind, length) = text.kind(at);
    let kind = match kind & WHITE & !LINE_BREAK != 0 {
        true => text.kind(at + length).0,
        false => kind,
    };
    [LETTER, PUNCTUATION]
        .into_iter()
        .find(|set| kind & set != 0)
}

/// Returns true if the character at `at` is in `[一-龥ࠀ-一가-퟿]`.
fn is_eastern(text: View<'_>, at: usize) -> bool {
    matches!(text.character(at), 0x800..=0x9fa5 | 0xac00..=0xd7ff)
}
