//! Quotes names from untrusted files so that they are short and safe inside an error message.

/// The maximum number of characters shown of a name.
const MAX_CHARS: usize = 96;

/// Returns `name` between backticks, truncated to [`MAX_CHARS`] characters and with control characters escaped.
pub fn quote(name: &str) -> String {
    let mut chars = name.chars();
    let mut quoted = String::from("`");
    for char in chars.by_ref().take(MAX_CHARS) {
        if char.is_control() {
            quoted.extend(char.escape_default());
        } else {
            quoted.push(char);
        }
    }
    if chars.next().is_some() {
        quoted.push('…');
    }
    quoted.push('`');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_truncated_and_control_characters_escaped() {
        assert_eq!(quote("wte.weight"), "`wte.weight`");
        assert_eq!(quote("a\u{1b}[2J\nb"), "`a\\u{1b}[2J\\nb`");
        assert_eq!(quote(&"é".repeat(97)), format!("`{}…`", "é".repeat(96)));
        assert_eq!(quote(&"é".repeat(96)), format!("`{}`", "é".repeat(96)));
    }
}
