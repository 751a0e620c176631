//! The tokenizers of translation models that have no fast class: `MarianTokenizer` and `M2M100Tokenizer`.
//!
//! SentencePiece splits a text, and a `vocab.json` gives the ids of its pieces. The steps are those of the slow
//! tokenizers of transformers 4.48.3. `MosesPunctNormalizer` of sacremoses is not among them: the reference creates it,
//! but tokenizes without it.

use std::collections::HashSet;

use super::encoding::Encoding;
use super::options::Side;
use super::sentencepiece::{Decoded, SentencePiece};
use super::windows::Windows;
use crate::error::{Error, Result};
use crate::formats::config::AddedTokenConfig;

/// The look-ups of a tokenizer's vocabulary, added tokens included.
pub struct Look<'a> {
    pub piece: &'a dyn Fn(u32) -> Option<&'a str>,
    pub find: &'a dyn Fn(&str) -> Option<u32>,
}

/// What distinguishes the classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Marian,
    M2M100,
}

/// The tokenizer of a translation model.
#[derive(Debug)]
pub struct Translation {
    pub style: Style,
    pub source: SentencePiece,
    /// `None` if the source and the target have the same pieces.
    pub target: Option<SentencePiece>,
    pub source_windows: Windows,
    /// `None` if the files name no target language.
    pub target_windows: Option<Windows>,
    /// The tokens that are matched in texts, with their ids.
    pub added: Vec<(AddedTokenConfig, u32)>,
    pub special: HashSet<String>,
    /// The tokens that stand apart in decoded texts.
    pub apart: HashSet<String>,
    pub unknown_id: u32,
}

impl Translation {
    pub fn class(&self) -> &'static str {
        match self.style {
            Style::Marian => "MarianTokenizer",
            Style::M2M100 => "M2M100Tokenizer",
        }
    }

    /// Returns what truncates and completes the texts of a side, by default the source.
    ///
    /// # Errors
    /// Fails with [`Error::Usage`] if the files name no target language.
    pub fn windows(&self, side: Option<Side>) -> Result<&Windows> {
        if side != Some(Side::Target) {
            return Ok(&self.source_windows);
        }
        self.target_windows.as_ref().ok_or_else(|| {
            Error::usage(
                "`--side target` needs `tgt_lang` in tokenizer_config.json to name a language of the model",
            )
        })
    }

    /// Returns the SentencePiece model of a side.
    fn model(&self, side: Side) -> &SentencePiece {
        match (side, &self.target) {
            (Side::Target, Some(target)) => target,
            _ => &self.source,
        }
    }

    /// Returns the tokens of a text, without those of the template.
    pub fn tokens(
        &self,
        look: &Look<'_>,
        side: Option<Side>,
        text: &str,
        parse_special: bool,
    ) -> Encoding {
        let mut encoding = Encoding::default();
        let mut words = 0;
        let added: &[_] = if parse_special { &self.added } else { &[] };
        for part in parts(added, text) {
            let Part { start, end, id } = part;
            if let Some(id) = id {
                words += u32::from(!encoding.is_empty());
                push(&mut encoding, look, id, (start, end), words);
            } else {
                self.add_text(&mut encoding, &mut words, look, side, (text, start, end));
            }
        }
        encoding
    }

    /// Adds the tokens of a part of a text.
    fn add_text(
        &self,
        encoding: &mut Encoding,
        words: &mut u32,
        look: &Look<'_>,
        side: Option<Side>,
        (text, start, end): (&str, usize, usize),
    ) {
        let mut kept = Kept::whole(&text[start..end]);
        if self.style == Style::Marian {
            let code = code_at_start(&kept.text);
            if let Some(length) = code {
                let id = (look.find)(&kept.text[..length]).unwrap_or(self.unknown_id);
                *words += u32::from(!encoding.is_empty());
                push(encoding, look, id, (start, start + length), *words);
            }
            kept = Kept::without_codes(&text[start..end]);
        }
        for token in self.model(side.unwrap_or(Side::Source)).encode(&kept.text) {
            let id = (look.find)(&token.piece).unwrap_or(self.unknown_id);
            if token.starts_word && !encoding.is_empty() {
                *words += 1;
            }
            let (from, to) = kept.origin(token.offsets);
            push(encoding, look, id, (start + from, start + to), *words);
        }
    }

    /// Decodes ids by the pieces of the target, or of the side that is asked for.
    pub fn decode(
        &self,
        look: &Look<'_>,
        side: Option<Side>,
        ids: &[u32],
        skip_special_tokens: bool,
    ) -> String {
        let model = self.model(side.unwrap_or(Side::Target));
        let pieces = ids.iter().filter_map(|id| (look.piece)(*id));
        let mut texts: Vec<String> = Vec::new();
        let mut run: Vec<&str> = Vec::new();
        for piece in pieces.filter(|piece| !(skip_special_tokens && self.special.contains(*piece)))
        {
            if !self.apart.contains(piece) {
                run.push(piece);
                continue;
            }
            let text = self.text_of(model, &std::mem::take(&mut run));
            texts.extend(Some(text).filter(|text| !text.is_empty()));
            texts.push(piece.to_owned());
        }
        if !run.is_empty() {
            texts.push(self.text_of(model, &run));
        }
        texts.join(" ")
    }

    /// Returns the text of pieces (`convert_tokens_to_string`).
    fn text_of(&self, model: &SentencePiece, pieces: &[&str]) -> String {
        let mut text = String::new();
        let mut run = Vec::new();
        for piece in pieces {
            if !self.special.contains(*piece) {
                run.push(Decoded::Piece(piece));
                continue;
            }
            text.push_str(&model.decode(run.drain(..)));
            text.push_str(piece);
            if self.style == Style::Marian {
                text.push(' ');
            }
        }
        text.push_str(&model.decode(run));
        if self.style == Style::Marian {
            text = text.replace('▁', " ");
        }
        text.trim_matches(is_space).to_owned()
    }
}

fn push(encoding: &mut Encoding, look: &Look<'_>, id: u32, offsets: (usize, usize), word: u32) {
    let piece = (look.piece)(id).unwrap_or_default();
    encoding.push_text(id, piece, offsets, 0, word);
}

/// Returns true for white space, as `str.strip` of Python sees it.
fn is_space(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{1c}'..='\u{1f}')
}

/// A part of a text: an added token with its id, or text.
struct Part {
    start: usize,
    end: usize,
    id: Option<u32>,
}

/// Splits a text at the added tokens, the longest first. A token may take the white space beside it out of the text, or
/// join the text beside it if it is not a word of its own (`PreTrainedTokenizer.tokenize`).
fn parts(added: &[(AddedTokenConfig, u32)], text: &str) -> Vec<Part> {
    let (mut parts, mut tokens) = split(added, text);
    let range = |part: &Part| &text[part.start..part.end];
    let is_empty = |part: &Part| part.start == part.end;
    for at in 0..parts.len() {
        let Some(token) = tokens[at] else {
            continue;
        };
        let left = at.checked_sub(1).filter(|left| !is_empty(&parts[*left]));
        let right = Some(at + 1).filter(|right| *right < parts.len());
        let joins_left = left.filter(|left| !range(&parts[*left]).ends_with(' '));
        let joins_right = right.filter(|right| !range(&parts[*right]).starts_with(' '));
        if let (Some(right), true) = (right, token.rstrip) {
            let stripped = range(&parts[right]).trim_start_matches(is_space).len();
            parts[right].start = parts[right].end - stripped;
        }
        if let (Some(left), true) = (left, token.lstrip) {
            let stripped = range(&parts[left]).trim_end_matches(is_space).len();
            parts[left].end = parts[left].start + stripped;
        }
        if !token.single_word {
            continue;
        }
        if let Some(left) = joins_left {
            (parts[left].end, parts[left].id) = (parts[at].end, None);
            parts[at].start = parts[at].end;
        } else if let Some(right) = joins_right {
            (parts[right].start, parts[right].id) = (parts[at].start, None);
            tokens[right] = None;
            parts[at].end = parts[at].start;
        }
    }
    parts.retain(|part| part.start < part.end);
    parts
}

/// Splits a text at the added tokens, the longest first. Returns the parts and the token of each.
fn split<'a>(
    added: &'a [(AddedTokenConfig, u32)],
    text: &str,
) -> (Vec<Part>, Vec<Option<&'a AddedTokenConfig>>) {
    let firsts: HashSet<u8> = added
        .iter()
        .filter_map(|(token, _)| token.content.bytes().next())
        .collect();
    let (mut parts, mut tokens, mut start, mut at) = (Vec::new(), Vec::new(), 0, 0);
    let mut add = |start, end, found: Option<&'a (AddedTokenConfig, u32)>| {
        if start < end {
            let id = found.map(|(_, id)| *id);
            parts.push(Part { start, end, id });
            tokens.push(found.map(|(token, _)| token));
        }
    };
    while at < text.len() {
        let is_candidate = text.is_char_boundary(at) && firsts.contains(&text.as_bytes()[at]);
        let matches = |(token, _): &&(AddedTokenConfig, u32)| {
            is_candidate && text[at..].starts_with(&*token.content)
        };
        let found = added.iter().filter(matches);
        let Some(found) = found.max_by_key(|(token, _)| token.content.len()) else {
            at += 1;
            continue;
        };
        add(start, at, None);
        let end = at + found.0.content.len();
        add(at, end, Some(found));
        (start, at) = (end, end);
    }
    add(start, text.len(), None);
    (parts, tokens)
}

/// A text from which parts were removed.
struct Kept {
    text: String,
    /// For each removed part, its place in the remaining text and the bytes removed up to there.
    removed: Vec<(usize, usize)>,
}

impl Kept {
    fn whole(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            removed: Vec::new(),
        }
    }

    /// Removes everything that matches `>>.+<<`. A match ends with the last `<<` of its line, so a line has at most one.
    fn without_codes(text: &str) -> Self {
        let (mut kept, mut total) = (Self::whole(""), 0);
        for line in text.split_inclusive('\n') {
            let start = line.find(">>").unwrap_or(line.len());
            let Some(length) = code_at_start(&line[start..]) else {
                kept.text.push_str(line);
                continue;
            };
            kept.text.push_str(&line[..start]);
            total += length;
            kept.removed.push((kept.text.len(), total));
            kept.text.push_str(&line[start + length..]);
        }
        kept
    }

    /// Returns the range of the original text that a range of the remaining text comes from.
    fn origin(&self, (start, end): (usize, usize)) -> (usize, usize) {
        let removed = |is_before: &dyn Fn(usize) -> bool| {
            let before = self.removed.iter().rev().find(|(at, _)| is_before(*at));
            before.map_or(0, |(_, total)| *total)
        };
        let start_of = start + removed(&|at| at <= start);
        let end_of = end + removed(&|at| at < end);
        (start_of, end_of.max(start_of))
    }
}

/// Returns the length of the match of `>>.+<<` at the start of a text.
fn code_at_start(text: &str) -> Option<usize> {
    let rest = text.strip_prefix(">>")?;
    let line = rest.split('\n').next()?;
    let first = line.chars().next()?.len_utf8();
    let end = line.rfind("<<").filter(|end| *end >= first)?;
    Some(">>".len() + end + "<<".len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::config::AddedTokenFields;

    #[test]
    fn language_codes_are_removed_as_the_pattern_of_the_reference_matches() {
        for (text, code, kept) in [
            (">>fr<< a", Some(6), " a"),
            (">>fr<< a << b", Some(11), " b"),
            (">><<", None, ">><<"),
            (">><<<", Some(5), ""),
            ("a >>fr<< b", None, "a  b"),
            (">>fr\n<<", None, ">>fr\n<<"),
            (">>>a<<", Some(6), ""),
            ("> >>x<<\n>>y<<z", None, "> \nz"),
            (">>>>", None, ">>>>"),
            ("<< >> a", None, "<< >> a"),
            (">>é<<<", Some(7), ""),
            ("x>><< >>a<<y", None, "xy"),
        ] {
            assert_eq!(code_at_start(text), code, "{text}");
            assert_eq!(Kept::without_codes(text).text, kept, "{text}");
        }
        let kept = Kept::without_codes("a >>fr<< b");
        assert_eq!(kept.origin((0, 1)), (0, 1));
        assert_eq!(kept.origin((2, 4)), (8, 10));
        assert_eq!(kept.origin((1, 4)), (1, 10));
    }

    #[test]
    fn a_text_is_split_at_the_longest_added_token() {
        let token = |text: &str, lstrip, rstrip| {
            let token = AddedTokenFields {
                lstrip,
                rstrip,
                ..AddedTokenFields::new(text, true)
            };
            AddedTokenConfig::from(token)
        };
        let added = [
            (token("<a", false, false), 1),
            (token("<a>", true, true), 2),
        ];
        let found = parts(&added, "x <a>  y<a z");
        let found: Vec<_> = found
            .iter()
            .map(|part| (part.start, part.end, part.id))
            .collect();
        let expected = [
            (0, 1, None),
            (2, 5, Some(2)),
            (7, 8, None),
            (8, 10, Some(1)),
            (10, 12, None),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_token_that_is_not_a_word_of_its_own_joins_the_text_beside_it() {
        let token = AddedTokenFields {
            single_word: true,
            ..AddedTokenFields::new("<a>", false)
        };
        let added = [(AddedTokenConfig::from(token), 1)];
        for (text, expected) in [
            (
                "x <a> y",
                &[(0, 2, None), (2, 5, Some(1)), (5, 7, None)][..],
            ),
            ("x<a> y", &[(0, 4, None), (4, 6, None)]),
            ("x <a>y", &[(0, 2, None), (2, 6, None)]),
            ("<a>", &[(0, 3, Some(1))]),
            ("<a><a>", &[(0, 6, None)]),
        ] {
            let found = parts(&added, text);
            let found: Vec<_> = found
                .iter()
                .map(|part| (part.start, part.end, part.id))
                .collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
