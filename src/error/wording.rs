//! Parts of error sentences.

use std::io;

/// The maximum length of a sentence about a file, in characters. The sentence may quote the file, which may be
/// megabytes long.
const MAX_SENTENCE: usize = 1000;

/// Removes the middle of a sentence that is too long. The ends, which name the file and the place in it, are kept.
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

/// Formats an I/O error as the end of a sentence, without "(os error N)".
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
