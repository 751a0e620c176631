//! Patterns that the regular expressions of tiktoken and those of the `tokenizers` library (Oniguruma) read alike.
//!
//! Both have the tables of Unicode 16. They differ in anchors, in possessive intervals, in `\w`, and in the cases of
//! other letters than those of the contractions, among others, so only what is known to be alike is let through.

/// Groups that ignore case, as published patterns have them.
const FOLDED: [&str; 2] = ["(?i:'s|'t|'re|'ve|'m|'ll|'d)", "(?i:[sdmt]|ll|ve|re)"];
/// The beginnings and ends of groups, and the separator of alternatives.
const STRUCTURE: [&str; 5] = ["(?:", "(?!", "(?=", ")", "|"];
/// The general categories of characters.
const CATEGORIES: [&str; 24] = [
    "L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No", "P", "Pc",
    "Pd", "Ps", "Pe", "Po", "S", "Sm", "Sc", "So",
];

/// Returns true if a pattern means the same to both, or is refused by both.
pub fn is_portable(pattern: &str) -> bool {
    let mut rest = pattern;
    while !rest.is_empty() {
        match step(rest) {
            Some(next) => rest = next,
            None => return false,
        }
    }
    true
}

/// Returns the pattern after its first part. Returns `None` if that is not known to be portable.
fn step(rest: &str) -> Option<&str> {
    let known = FOLDED.iter().chain(&STRUCTURE);
    if let Some(next) = known.into_iter().find_map(|part| rest.strip_prefix(part)) {
        // Only a folded group takes a quantifier here.
        let has_quantifier = next.starts_with(['?', '*', '+', '{']);
        let is_group = rest.starts_with("(?i:") || rest.starts_with(')');
        return match (has_quantifier, is_group) {
            (true, true) => quantified(next),
            (true, false) => None,
            (false, _) => Some(next),
        };
    }
    let next = match rest.strip_prefix('[') {
        Some(class) => class_end(class)?,
        None => character(rest)?,
    };
    quantified(next)
}

/// Returns the rest after a class whose bracket was read.
fn class_end(class: &str) -> Option<&str> {
    let mut rest = class.strip_prefix('^').unwrap_or(class);
    if rest.starts_with(']') {
        return None;
    }
    loop {
        if let Some(next) = rest.strip_prefix(']') {
            return Some(next);
        }
        let first = rest.chars().next()?;
        rest = match first {
            '\\' => escape(rest)?,
            '[' | '&' | '^' | '~' => return None,
            // Operators on sets.
            '-' if rest.starts_with("--") => return None,
            other => rest.strip_prefix(other)?,
        };
    }
}

fn character(rest: &str) -> Option<&str> {
    match rest.chars().next()? {
        '\\' => escape(rest),
        '^' | '$' | '[' | ']' | '(' | '{' | '}' | '*' | '+' | '?' => None,
        other => rest.strip_prefix(other),
    }
}

/// Returns the rest after an escape.
fn escape(rest: &str) -> Option<&str> {
    let rest = rest.strip_prefix('\\')?;
    if let Some(category) = rest.strip_prefix("p{") {
        let (name, next) = category.split_once('}')?;
        return CATEGORIES.contains(&name).then_some(next);
    }
    let escaped = rest.chars().next()?;
    let is_known = matches!(escaped, 'r' | 'n' | 't' | 's' | 'S') || escaped.is_ascii_punctuation();
    is_known.then(|| rest.strip_prefix(escaped))?
}

/// Returns the rest after an optional quantifier.
fn quantified(rest: &str) -> Option<&str> {
    let next = if let Some(next) = rest.strip_prefix(['?', '*', '+']) {
        next.strip_prefix(['?', '+']).unwrap_or(next)
    } else if let Some(interval) = rest.strip_prefix('{') {
        let (numbers, next) = interval.split_once('}')?;
        let mut numbers = numbers.split(',');
        let (first, last) = (numbers.next()?, numbers.next());
        let is_number = |text: &str| text.len() < 4 && text.parse::<u16>().is_ok();
        let is_interval =
            is_number(first) && last.is_none_or(is_number) && numbers.next().is_none();
        is_interval.then_some(next)?
    } else {
        return Some(rest);
    };
    // A quantifier of a quantifier.
    (!next.starts_with(['?', '*', '+', '{'])).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_parts_that_both_read_alike_are_portable() {
        for pattern in [
            "",
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{M}]*[\p{Ll}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}",
            r" ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
            r"'(?i:[sdmt]|ll|ve|re)| ?\p{L}++|[^\r\n]?+a|(?:ab)+|.",
            r"[a-zA-Z_-]+|\-\.",
        ] {
            assert!(is_portable(pattern), "{pattern}");
        }
        for pattern in [
            r"\s++$",
            r"^a",
            r"\w+",
            r"\p{N}{1,3}+",
            r"\p{N}{1,3}?",
            r"a{,3}",
            r"a+*",
            r"(a)",
            r"(?i:straße)",
            r"(?<=a)b",
            r"[a&&b]",
            r"[[:alpha:]]",
            r"\p{Han}",
            r"\P{L}",
            r"\1",
            r"\u0041",
            r"[a",
            r"[]a]",
            "\\",
            r"|+",
        ] {
            assert!(!is_portable(pattern), "{pattern}");
        }
    }
}
