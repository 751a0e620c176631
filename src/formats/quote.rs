//! Names out of untrusted files → text that is safe and short inside an error sentence.

/// Characters of a name that a sentence shows.
const MAX_SHOWN: usize = 96;

/// `name` between backticks, cut after [`MAX_SHOWN`] characters, control characters escaped.
pub fn quote(name: &str) -> String {
    let mut chars = name.chars();
    let mut quoted = String::from("`");
    for char in chars.by_ref().take(MAX_SHOWN) {
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
    fn a_name_is_cut_and_its_control_characters_are_escaped() {
        assert_eq!(quote("wte.weight"), "`wte.weight`");
        assert_eq!(quote("a\u{1b}[2J\nb"), "`a\\u{1b}[2J\\nb`");
        assert_eq!(quote(&"é".repeat(97)), format!("`{}…`", "é".repeat(96)));
        assert_eq!(quote(&"é".repeat(96)), format!("`{}`", "é".repeat(96)));
    }
}
