//! The findings of `info` about the other readings of a model.

use super::contradictions;
use crate::error::{Error, Result};
use crate::record::{FileEntry, Finding};
use crate::source::{ModelFiles, Reading};
use crate::tokenizer::{self, Tokenizer};

/// Returns a finding for each other reading that has other steps, or that does not load the model. `listed` are the files
/// of the model; none is fetched.
pub fn findings(files: ModelFiles, listed: &[FileEntry]) -> Vec<Finding> {
    let reading = files.reading();
    let Ok(ours) = Tokenizer::open(&files) else {
        return Vec::new();
    };
    if files.are_as_is() || ours.gguf().is_some() || !has_other_readings(listed) {
        return Vec::new();
    }
    let mut files = files;
    let mut findings = Vec::new();
    for other in Reading::ALL {
        if other == reading || (other == Reading::SentencePiece && !has_sentencepiece(listed)) {
            continue;
        }
        files = files.read_as(other);
        findings.extend(finding(&ours, Tokenizer::open(&files), other));
    }
    findings
}

fn finding(ours: &Tokenizer, theirs: Result<Tokenizer>, other: Reading) -> Option<Finding> {
    match theirs {
        Ok(theirs) => {
            let differences = tokenizer::differences(ours, &theirs);
            (!differences.is_empty()).then(|| contradictions::readings_differ(other, &differences))
        }
        Err(error @ Error::Unsupported { .. }) => {
            Some(contradictions::reading_refused(other, &error))
        }
        Err(_) => None,
    }
}

/// Returns true if the model has files that libraries read differently.
fn has_other_readings(listed: &[FileEntry]) -> bool {
    let names = ["tokenizer.json", "tokenizer_config.json", "config.json"];
    (listed.iter()).any(|file| file.cached && names.contains(&&*file.name))
        || has_sentencepiece(listed)
}

/// Returns true if a SentencePiece file is on this machine.
fn has_sentencepiece(listed: &[FileEntry]) -> bool {
    let names = tokenizer::sentencepiece_names();
    (listed.iter()).any(|file| file.cached && names.contains(&&*file.name))
}
