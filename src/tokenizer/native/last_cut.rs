//! Finds where a text can be cut into parts without changing its tokens.

use super::engine::NativeEngine;
use super::run::{Run, RunScratch};
use super::sentencepiece::SentencePieceSteps;

/// The number of bytes at the end of a text that are searched for a cut.
const NEAR: usize = 1 << 16;
/// The maximum number of candidates to try.
const TRIES: usize = 64;

impl NativeEngine {
    /// Returns the last offset at which a text that begins with `bytes` can be cut. The two parts together then have
    /// exactly the tokens of the whole text, not counting special tokens. Returns `None` if there is no such offset
    /// near the end of `bytes`.
    ///
    /// The cut is at a single white space between printable ASCII characters, after a word whose tokens do not depend
    /// on its neighbors.
    pub fn last_cut(&self, bytes: &[u8], parse_special: bool) -> Option<usize> {
        let pipeline = &self.segmenter.pipeline;
        self.template.as_ref()?;
        if let Some(steps) = pipeline.scanned() {
            let cuts = |before, after| steps.cuts_normalized(parse_special, before, after);
            return self.last_scanned_cut(cuts, bytes, parse_special);
        }
        if let Some(steps) = pipeline.normalized() {
            let cuts = |before, after| steps.cuts(parse_special, before, after);
            return self.last_scanned_cut(cuts, bytes, parse_special);
        }
        if let Some(steps) = pipeline.sentencepiece() {
            return self.last_sentencepiece_cut(steps, bytes, parse_special);
        }
        pipeline.space_handling()?;
        if !self.segmenter.raw.matched(parse_special).are_local() {
            return None;
        }
        let space = pipeline.space_bytes();
        let near = bytes.len().saturating_sub(NEAR);
        if pipeline.bert().is_some() {
            let mut positions = (near.max(1)..bytes.len()).rev();
            return positions.find(|at| space.contains(bytes[*at]));
        }
        let is_candidate = |at: &usize| {
            let (before, after) = (bytes[at - 1], [bytes[at + 1], bytes[at + 2]]);
            space.contains(bytes[*at])
                && before.is_ascii_graphic()
                && after[0].is_ascii_graphic()
                && pipeline.can_start_part(after)
        };
        let positions = (near.max(1)..bytes.len().saturating_sub(2)).rev();
        positions.filter(is_candidate).take(TRIES).find(|&at| {
            let word = bytes[..at].rsplitn(2, |byte| space.contains(*byte)).next();
            let word = word.and_then(|word| str::from_utf8(word).ok());
            word.is_some_and(|word| self.is_independent(word))
        })
    }

    /// The cut is between two bytes of ASCII that no word and no added token contains side by side.
    fn last_scanned_cut(
        &self,
        cuts: impl Fn(u8, u8) -> bool,
        bytes: &[u8],
        parse_special: bool,
    ) -> Option<usize> {
        let raw = self.segmenter.raw.matched(parse_special);
        let near = bytes.len().saturating_sub(NEAR).max(1);
        let ends_here = |at: &usize| {
            let (before, after) = (bytes[at - 1], bytes[*at]);
            after.is_ascii_whitespace() && cuts(before, after) && raw.allow_cut(before, after)
        };
        (near..bytes.len()).rev().find(ends_here)
    }

    /// The cut is before a space that no merge joins with the character before it.
    fn last_sentencepiece_cut(
        &self,
        steps: &SentencePieceSteps,
        bytes: &[u8],
        parse_special: bool,
    ) -> Option<usize> {
        let joins = self.segmenter.compiled.joins()?;
        if !steps.cuts_before_spaces() {
            return None;
        }
        let raw = self.segmenter.raw.matched(parse_special);
        let near = bytes.len().saturating_sub(NEAR).max(1);
        let ends_here = |at: &usize| {
            let before = bytes[at - 1];
            bytes[*at] == b' '
                && before.is_ascii_graphic()
                && (steps.splits || !joins.may_join(before.into(), ' '))
                && raw.allow_cut(before, b' ')
        };
        (near..bytes.len()).rev().find(ends_here)
    }

    /// Returns true if a word has the same tokens in any text.
    fn is_independent(&self, word: &str) -> bool {
        let Some(model) = self.segmenter.model() else {
            return false;
        };
        let mut run = Run::<false> {
            segmenter: &self.segmenter,
            model,
            text: word,
            parse_special: false,
            scratch: &mut RunScratch::default(),
            word: 0,
        };
        run.tokenize_range(0, word.len(), false)
            .is_some_and(|class| class.independent)
    }
}
