//! Parts of error sentences.

use std::io;

/// Characters of a sentence about a file. What the file holds may be part of it, and may be megabytes.
const MAX_SENTENCE: usize = 1000;

/// A sentence cut in its middle, if it is too long: what is at its ends names the file, and the place in it.
pub(super) fn shorten(sentence: String) -> String {
    if sentence.len() <= MAX_SENTENCE {
        return sentence;
    }
    let characters = sentence.chars().count();
    let half = MAX_SENTENCE / 2;
    let start = sentence.chars().take(half.min(characters));
    let end = sentence
        .chars()
        .skip(half.max(characters.saturating_sub(half)));
    start.chain(['…']).chain(end).collect()
}

/// An I/O error without the "(os error N)" that tells a reader nothing.
pub(crate) fn reason(source: &io::Error) -> String {
    let text = source.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => lower_first(words),
        None => lower_first(&text),
    }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_cut_in_its_middle() {
        let long = format!("begins {} ends", "é".repeat(5000));
        let cut = shorten(long);
        assert!(cut.starts_with("begins é") && cut.ends_with("é ends"));
        assert!(cut.contains("é…é") && cut.chars().count() < 1100, "{cut}");
        assert_eq!(shorten("é".repeat(400)), "é".repeat(400));
    }
}
