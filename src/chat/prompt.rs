//! A rendered conversation.

use std::ops::Range;

/// A rendered conversation, and the places of its parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prompt {
    pub text: String,
    /// The byte range of each message in the text; `None` for a message whose place is not known.
    pub messages: Vec<Option<Range<usize>>>,
    /// The byte ranges of generated text. `None` if the template does not say.
    pub generated: Option<Vec<Range<usize>>>,
    /// The name of the template: `default`, another name, or a file.
    pub template: String,
}

impl Prompt {
    /// Cuts the text to `length` bytes.
    pub fn cut(&mut self, length: usize) {
        self.text.truncate(length);
        let cut = |range: Range<usize>| range.start.min(length)..range.end.min(length);
        for range in self.messages.iter_mut().flatten() {
            *range = cut(range.clone());
        }
        for range in self.generated.iter_mut().flatten() {
            *range = cut(range.clone());
        }
    }
}
