//! A text under two readings, and the causes of other tokens.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::cause::Cause;
use super::probe::{MARK, Probe, byte};
use super::regions::{Region, regions};
use crate::error::Result;
use crate::source::Reading;
use crate::tokenizer::encoding::Encoding;
use crate::tokenizer::options::EncodeOptions;
use crate::tokenizer::tokenizer::Tokenizer;

/// The tokenizers of one model under two readings.
pub struct ReadingPair<'t> {
    tokenizers: [&'t Tokenizer; 2],
    probes: [Probe<'t>; 2],
    options: EncodeOptions,
}

/// A text that was compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// The number of tokens of each reading.
    pub tokens: [usize; 2],
    pub divergence: Option<Divergence>,
}

/// The tokens of a text that two readings encode differently.
#[derive(Debug, Clone, PartialEq)]
pub struct Divergence {
    /// Position of the first id that differs.
    pub position: usize,
    pub causes: Vec<Cause>,
    pub encodings: [Encoding; 2],
}

/// What a reading makes of characters that were looked at before: true if both make the same of it.
type Known = HashMap<char, bool>;

impl<'t> ReadingPair<'t> {
    /// Pairs two readings. If one of them is that of SentencePiece, which puts no special tokens around a text, texts are
    /// compared without them.
    pub fn new(ours: &'t Tokenizer, theirs: &'t Tokenizer) -> Self {
        let tokenizers = [ours, theirs];
        let is_bare = tokenizers
            .iter()
            .any(|tokenizer| tokenizer.reading() == Reading::SentencePiece);
        Self {
            tokenizers,
            probes: tokenizers.map(Probe::new),
            options: EncodeOptions {
                special_tokens: !is_bare,
                ..EncodeOptions::default()
            },
        }
    }

    /// Returns the two readings.
    pub fn readings(&self) -> [Reading; 2] {
        self.tokenizers.map(Tokenizer::reading)
    }

    /// Returns true if texts are compared without special tokens around them.
    pub fn is_without_special_tokens(&self) -> bool {
        !self.options.special_tokens
    }

    /// Encodes a text under both readings and compares the ids.
    ///
    /// # Errors
    /// Fails with the errors of encoding.
    pub fn compare(&self, text: &str) -> Result<Compared> {
        let [ours, theirs] = self.encode(text, &self.options)?;
        let tokens = [ours.len(), theirs.len()];
        let divergence = if ours.ids == theirs.ids {
            None
        } else {
            let pairs = ours.ids.iter().zip(&theirs.ids);
            Some(Divergence {
                position: pairs.take_while(|(ours, theirs)| ours == theirs).count(),
                causes: self.causes(text, &ours, &theirs)?,
                encodings: [ours, theirs],
            })
        };
        Ok(Compared { tokens, divergence })
    }

    fn encode(&self, text: &str, options: &EncodeOptions) -> Result<[Encoding; 2]> {
        let [ours, theirs] = self.tokenizers;
        let encode = |tokenizer: &Tokenizer| tokenizer.encode(text, None, options);
        Ok([encode(ours)?.into_first(), encode(theirs)?.into_first()])
    }

    fn causes(&self, text: &str, ours: &Encoding, theirs: &Encoding) -> Result<Vec<Cause>> {
        let mut causes = BTreeSet::new();
        let special = |encoding: &Encoding| {
            let ids = encoding.ids.iter().zip(&encoding.sequence_ids);
            let special = ids.filter(|(_, sequence)| sequence.is_none());
            special.map(|(id, _)| *id).collect::<Vec<u32>>()
        };
        if special(ours) != special(theirs) {
            causes.insert(Cause::SpecialTokens);
        }
        let bare = EncodeOptions {
            special_tokens: false,
            ..self.options.clone()
        };
        let [ours, theirs] = self.encode(text, &bare)?;
        let mut known = Known::new();
        for region in regions(text, &ours, &theirs) {
            causes.extend(self.of_region(text, &ours, &theirs, &region, &mut known)?);
        }
        // The same tokens with special tokens at other places.
        if causes.is_empty() {
            causes.insert(Cause::SpecialTokens);
        }
        Ok(causes.into_iter().collect())
    }

    fn of_region(
        &self,
        text: &str,
        ours: &Encoding,
        theirs: &Encoding,
        region: &Region,
        known: &mut Known,
    ) -> Result<BTreeSet<Cause>> {
        let mut causes = BTreeSet::new();
        if self.added(0, &ours.ids[region.ours.clone()])
            != self.added(1, &theirs.ids[region.theirs.clone()])
        {
            causes.insert(Cause::AddedToken);
            return Ok(causes);
        }
        self.of_characters(text, region, known, &mut causes)?;
        if !causes.is_empty() {
            return Ok(causes);
        }
        let pieces = |encoding: &Encoding, range: Range<usize>| {
            let pieces = range.map(|index| encoding.tokens[index].to_owned());
            pieces.collect::<Vec<String>>()
        };
        let sides = [
            pieces(ours, region.ours.clone()),
            pieces(theirs, region.theirs.clone()),
        ];
        causes.insert(if sides[0] == sides[1] {
            Cause::Ids
        } else if let Some(cause) = self.of_unknown(ours, theirs, region, &sides) {
            cause
        } else {
            let has_space = self.has_space(&text[region.text.clone()])?;
            of_pieces(has_space, &sides, || {
                words(ours, region.ours.clone()) == words(theirs, region.theirs.clone())
            })
        });
        Ok(causes)
    }

    /// Returns true if a part of a text has white space, or a character that becomes a space.
    fn has_space(&self, part: &str) -> Result<bool> {
        for character in part.chars() {
            let is_space = character.is_whitespace() || character == MARK;
            if is_space || self.probes[0].between(&character.to_string())? == " " {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns the texts of the added tokens among ids, without the unknown token, which a model makes as well.
    fn added(&self, side: usize, ids: &[u32]) -> Vec<&str> {
        let unknown = self.probes[side].unknown;
        let ids = ids.iter().filter(|id| Some(**id) != unknown);
        let added = &self.tokenizers[side].definition.added_vocabulary;
        ids.filter_map(|id| Some(&*added.with_id(*id)?.content))
            .collect()
    }

    /// Finds what the normalizers make differently of the characters of a region.
    fn of_characters(
        &self,
        text: &str,
        region: &Region,
        known: &mut Known,
        causes: &mut BTreeSet<Cause>,
    ) -> Result<()> {
        let part = &text[region.text.clone()];
        let [ours, theirs] = &self.probes;
        let map_or = |otherwise| match ours.has_charsmap == theirs.has_charsmap {
            true => otherwise,
            false => Cause::CharacterMap,
        };
        let mut are_single = true;
        for character in part.chars() {
            let same = match known.get(&character) {
                Some(same) => *same,
                None => {
                    let single = character.to_string();
                    let same = ours.between(&single)? == theirs.between(&single)?;
                    known.insert(character, same);
                    same
                }
            };
            if !same {
                are_single = false;
                causes.insert(match character {
                    MARK => map_or(Cause::WhiteSpace),
                    _ => map_or(Cause::Normalization),
                });
            }
        }
        let is_space = |character: char| character.is_whitespace() || character == MARK;
        for (start, run) in runs(part, is_space) {
            let (is_first, is_last) = (
                region.text.start + start == 0,
                region.text.start + start + run.len() == text.len(),
            );
            let shown = |probe: &Probe<'_>| match (is_first, is_last) {
                (true, true) => probe.alone(run),
                (true, false) => probe.at_start(run),
                (false, true) => probe.at_end(run),
                (false, false) => probe.between(run),
            };
            if run.chars().all(|one| known.get(&one) == Some(&true))
                && shown(ours)? != shown(theirs)?
            {
                causes.insert(Cause::WhiteSpace);
            }
        }
        // Characters that only together have another form.
        let part = with_marks(text, &region.text).trim_matches(is_space);
        if causes.is_empty()
            && are_single
            && !part.is_ascii()
            && ours.between(part)? != theirs.between(part)?
        {
            causes.insert(map_or(Cause::Normalization));
        }
        Ok(())
    }

    fn of_unknown(
        &self,
        ours: &Encoding,
        theirs: &Encoding,
        region: &Region,
        pieces: &[Vec<String>; 2],
    ) -> Option<Cause> {
        let [first, second] = self.probes.each_ref().map(|probe| probe.unknown);
        let count = |unknown: Option<u32>, ids: &[u32]| {
            ids.iter().filter(|id| Some(**id) == unknown).count()
        };
        let unknown = [
            count(first, &ours.ids[region.ours.clone()]),
            count(second, &theirs.ids[region.theirs.clone()]),
        ];
        let bytes = pieces
            .each_ref()
            .map(|pieces| pieces.iter().any(|piece| byte(piece).is_some()));
        if bytes[0] != bytes[1] {
            return Some(Cause::ByteFallback);
        }
        (unknown[0] != unknown[1]).then_some(Cause::UnknownToken)
    }
}

/// Returns a part of a text with the marks after it, and the characters that the marks at its beginning belong to.
fn with_marks<'t>(text: &'t str, part: &Range<usize>) -> &'t str {
    static MARKS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^\p{M}").ok());
    let is_mark = |at: usize| {
        let marks = MARKS.as_ref();
        marks.is_some_and(|marks| marks.is_match(&text[at..]))
    };
    let (mut start, mut end) = (part.start, part.end);
    while start > 0 && is_mark(start) {
        start = text.floor_char_boundary(start - 1);
    }
    while end < text.len() && is_mark(end) {
        end = text.ceil_char_boundary(end + 1);
    }
    &text[start..end]
}

/// Returns the maximal runs of characters of a kind, with their offsets.
fn runs(text: &str, is_kind: impl Fn(char) -> bool) -> Vec<(usize, &str)> {
    let mut runs = Vec::new();
    let mut rest = 0;
    while let Some(start) = text[rest..].find(&is_kind) {
        let start = rest + start;
        let end = text[start..].find(|one| !is_kind(one));
        let end = end.map_or(text.len(), |end| start + end);
        runs.push((start, &text[start..end]));
        rest = end;
    }
    runs
}

/// Returns the lengths of the words of some tokens, in tokens.
fn words(encoding: &Encoding, range: Range<usize>) -> Vec<usize> {
    let words = &encoding.word_ids[range];
    words
        .chunk_by(|one, next| one == next)
        .map(<[_]>::len)
        .collect()
}

/// Returns the cause of other pieces for the same characters.
fn of_pieces(
    has_space: bool,
    sides: &[Vec<String>; 2],
    have_same_words: impl Fn() -> bool,
) -> Cause {
    let is_mark = |character: char| matches!(character, MARK | 'Ġ' | ' ');
    let [ours, theirs] = sides.each_ref().map(|pieces| pieces.concat());
    if ours != theirs && ours.trim_matches(is_mark) == theirs.trim_matches(is_mark) {
        return if has_space {
            Cause::WhiteSpace
        } else {
            Cause::PrefixSpace
        };
    }
    let without = |spelled: &str| spelled.replace(is_mark, "");
    if ours != theirs && without(&ours) == without(&theirs) {
        return Cause::WhiteSpace;
    }
    if have_same_words() {
        Cause::Pieces
    } else {
        Cause::Words
    }
}
