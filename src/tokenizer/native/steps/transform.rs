//! Changes to a normalized text, with the ranges that the `tokenizers` crate gives to the result.

use crate::tokenizer::native::aligned_text::AlignedText;

/// A character of the new text, and its effect on the old text: 1 inserts the character, 0 replaces the next
/// character, and -n replaces it and removes the n characters after it.
pub type Change = (char, isize);

/// Memory that is reused from step to step.
#[derive(Debug, Default)]
pub struct StepScratch {
    pub changes: Vec<Change>,
    pub text: AlignedText,
}

impl StepScratch {
    /// Applies `changes` to a text after its first `removed` characters, which are removed.
    ///
    /// Follows `NormalizedString::transform`: an inserted character has the range of the character before it in the
    /// old text, and other characters that of the one they replace.
    pub fn transform<const RANGES: bool>(&mut self, old: &mut AlignedText, removed: usize) {
        let new = &mut self.text;
        new.clear();
        if RANGES {
            let mut characters = old.text.chars().map(char::len_utf8);
            let mut take = |count: usize| characters.by_ref().take(count).sum::<usize>();
            let mut at = take(removed);
            for &(character, change) in &self.changes {
                let source = if change > 0 { at.saturating_sub(1) } else { at };
                let range = old.ranges.get(source).copied().unwrap_or_default();
                if change <= 0 {
                    at += take(1 + change.unsigned_abs());
                }
                new.push(character, range);
            }
        } else {
            let characters = self.changes.iter();
            new.text.extend(characters.map(|(character, _)| character));
        }
        std::mem::swap(old, new);
    }

    /// Removes the characters that `keep` rejects, like `NormalizedString::filter`.
    pub fn filter<const RANGES: bool>(
        &mut self,
        text: &mut AlignedText,
        keep: impl Fn(char) -> bool,
    ) {
        if text.text.chars().all(&keep) {
            return;
        }
        self.changes.clear();
        let mut removed_first = 0;
        for character in text.text.chars() {
            if keep(character) {
                self.changes.push((character, 0));
            } else if let Some((_, change)) = self.changes.last_mut() {
                *change -= 1;
            } else {
                removed_first += 1;
            }
        }
        self.transform::<RANGES>(text, removed_first);
    }

    /// Replaces characters one for one, like `NormalizedString::map`.
    pub fn map<const RANGES: bool>(&mut self, text: &mut AlignedText, map: impl Fn(char) -> char) {
        self.changes.clear();
        let mapped = text.text.chars().map(|character| (map(character), 0));
        self.changes.extend(mapped);
        self.transform::<RANGES>(text, 0);
    }

    /// Replaces parts of a text, given as byte ranges, like `NormalizedString::replace`: all of the new content has the
    /// range of the last old byte.
    pub fn replace<const RANGES: bool>(
        &mut self,
        old: &mut AlignedText,
        parts: impl Iterator<Item = (usize, usize)>,
        content: &str,
    ) {
        let new = &mut self.text;
        new.clear();
        let mut kept = 0;
        for (start, end) in parts {
            new.copy::<RANGES>(old, kept, start);
            new.text.push_str(content);
            if RANGES {
                let range = old.ranges[end - 1];
                let ranges = std::iter::repeat_n(range, content.len());
                new.ranges.extend(ranges);
            }
            kept = end;
        }
        if kept > 0 {
            new.copy::<RANGES>(old, kept, old.text.len());
            std::mem::swap(old, new);
        }
    }
}
