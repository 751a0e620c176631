//! How a list of steps handles white space: whether texts can be split there, and how.

use super::step::{Form, Step};
use super::words::{Prepends, Words};
use crate::tokenizer::native::space_bytes::SpaceHandling;

/// Returns how the steps handle white space. Returns `None` if a step may look across it, in which case texts cannot be
/// split there.
///
/// Accepts steps that look at single characters, at characters that compose (white space never composes with a preceding
/// character), at grapheme clusters, or at strings without white space.
pub fn space_handling(steps: &[Step], words: Words) -> Option<SpaceHandling> {
    let metaspace = words.metaspace?;
    let is_local = |step: &Step| match step {
        Step::Strip { left, .. } => !left,
        Step::Prepend(_) => false,
        Step::CollapseSpaces { content } => {
            content == " " || (content == "▁" && !words.splits_at_spaces)
        }
        Step::ReplaceWhite { content } | Step::CollapseWhite { content } => content == " ",
        Step::Replace { pattern, .. } => {
            let pattern = str::from_utf8(pattern.needle()).unwrap_or(" ");
            !pattern.contains(char::is_whitespace) || pattern.chars().count() == 1
        }
        Step::Charsmap(_) | Step::Form(_) | Step::Lowercase | Step::StripAccents | Step::Nmt => {
            true
        }
    };
    if !steps.iter().all(is_local) {
        return None;
    }
    if words.splits_at_spaces {
        return (metaspace.prepends == Prepends::Always).then_some(SpaceHandling::Skipped);
    }
    if !metaspace.splits {
        return None;
    }
    let collapses = |step: &Step| {
        matches!(
            step,
            Step::CollapseSpaces { .. } | Step::ReplaceWhite { .. } | Step::CollapseWhite { .. }
        )
    };
    let strips = |step: &Step| matches!(step, Step::Strip { .. });
    // No character decomposes to a space, or composes with one.
    let makes_none =
        |step: &Step| strips(step) || matches!(step, Step::Form(Form::Nfc | Form::Nfd));
    match steps.iter().position(collapses) {
        // A step after it could make spaces anew.
        Some(collapse) if steps[collapse + 1..].iter().all(makes_none) => {
            Some(SpaceHandling::Merged)
        }
        Some(_) => None,
        None if steps.iter().any(strips) => Some(SpaceHandling::Kept),
        None => Some(SpaceHandling::Apart),
    }
}

/// Returns true if the steps write `▁` for some spaces before the words are split.
pub fn marks_spaces(steps: &[Step]) -> bool {
    let mut steps = steps.iter();
    steps.any(|step| matches!(step, Step::CollapseSpaces { content } if content == "▁"))
}
