//! The steps of tokenizers whose words are scanned in the normalized text.

use serde_json::Value;

use super::aligned_text::AlignedText;
use super::compiled::CompiledVocabulary;
use super::scanned_steps::ScannedSteps;
use super::steps::{Step, StepScratch, normalizers};
use crate::formats::config::AddedTokenConfig;

/// The steps of a tokenizer that scans the normalized text.
#[derive(Debug)]
pub struct NormalizedSteps {
    /// Steps that do not look beyond white space.
    normalizers: Vec<Step>,
    /// The steps after normalization.
    pub scanned: ScannedSteps,
}

impl NormalizedSteps {
    /// Reads the steps of a `tokenizer.json`. Returns `None` if one of them is unknown, if a text cannot be normalized in
    /// parts, or if the model cannot spell every word.
    pub fn new(
        normalizer: &Value,
        pre_tokenizer: &Value,
        added: &[(AddedTokenConfig, u32)],
        compiled: &CompiledVocabulary,
    ) -> Option<Self> {
        let normalizers = normalizers(normalizer)?;
        if !normalizers.iter().all(Step::is_local) {
            return None;
        }
        let mut added = added.to_vec();
        let (aligned, scratch) = (&mut AlignedText::default(), &mut StepScratch::default());
        for (token, _) in added.iter_mut().filter(|(token, _)| token.normalized) {
            normalize::<false>(&normalizers, &token.content, 0, aligned, scratch);
            token.content = aligned.text.as_str().into();
        }
        let scanned = ScannedSteps::new(&Value::Null, pre_tokenizer, &added, compiled)?;
        (scanned.spells_all() && !scanned.adds_space).then_some(Self {
            normalizers,
            scanned,
        })
    }

    /// Writes the normalized form of a part of a text that begins at byte `start` to `aligned`.
    pub fn normalize<const RANGES: bool>(
        &self,
        part: &str,
        start: usize,
        aligned: &mut AlignedText,
        scratch: &mut StepScratch,
    ) {
        normalize::<RANGES>(&self.normalizers, part, start, aligned, scratch);
    }

    /// Returns true if a text can be cut between two bytes of ASCII, the second of them white space.
    pub fn cuts(&self, parse_special: bool, before: u8, after: u8) -> bool {
        let cuts = |before, after| (self.scanned).cuts_normalized(parse_special, before, after);
        cuts(before, after) && cuts(before.to_ascii_lowercase(), b' ')
    }
}

fn normalize<const RANGES: bool>(
    normalizers: &[Step],
    part: &str,
    start: usize,
    aligned: &mut AlignedText,
    scratch: &mut StepScratch,
) {
    aligned.set::<RANGES>(part, start);
    for step in normalizers {
        step.apply::<RANGES>(aligned, scratch);
    }
}
