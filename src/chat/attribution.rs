//! The tokens of each message, and those that the template adds.

use std::ops::Range;

use super::prompt::Prompt;
use super::rules::Rules;

/// Whose the tokens of a prompt are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenRanges {
    /// For each token, the message that it belongs to; `None` for a token of the template.
    pub owners: Vec<Option<usize>>,
    /// For each token, 1 if it is generated. `None` if the template does not say.
    pub generated: Option<Vec<u32>>,
}

/// Attributes the tokens of a prompt by their offsets in its text, in bytes. A token belongs to the message in whose
/// text it begins, and to the shortest of several.
pub fn attribute(prompt: &Prompt, offsets: &[(usize, usize)], rules: Rules) -> TokenRanges {
    let owner = |start: usize| {
        let ranges = prompt.messages.iter().enumerate();
        let around = ranges.filter_map(|(index, range)| Some((index, range.as_ref()?)));
        let around = around.filter(|(_, range)| range.contains(&start));
        around
            .min_by_key(|(_, range)| range.len())
            .map(|(index, _)| index)
    };
    TokenRanges {
        owners: offsets.iter().map(|(start, _)| owner(*start)).collect(),
        generated: prompt
            .generated
            .as_ref()
            .map(|generated| mask(generated, offsets, rules)),
    }
}

fn mask(generated: &[Range<usize>], offsets: &[(usize, usize)], rules: Rules) -> Vec<u32> {
    let mut mask = vec![0; offsets.len()];
    if rules.masks_by_overlap() {
        let mut spans = generated.iter().peekable();
        for (bit, (start, end)) in mask.iter_mut().zip(offsets) {
            while spans.next_if(|span| *start >= span.end).is_some() {}
            match spans.peek() {
                Some(span) if *end > span.start => *bit = 1,
                Some(_) => {}
                None => break,
            }
        }
        return mask;
    }
    let token_at = |byte: usize| {
        offsets
            .iter()
            .position(|(start, end)| (*start..*end).contains(&byte))
    };
    for span in generated {
        // As the reference does, which takes the first token for none.
        let Some(first) = token_at(span.start) else {
            break;
        };
        let last = span.end.checked_sub(1).and_then(token_at);
        let end = match last {
            None | Some(0) => mask.len(),
            Some(last) => last + 1,
        };
        mask.get_mut(first..end).unwrap_or_default().fill(1);
    }
    mask
}
