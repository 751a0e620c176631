//! Untrusted text → text that a terminal shows and does not obey.

use std::borrow::Cow;

/// Makes control, bidirectional and invisible characters visible; other text, spaces and line ends included, stays.
///
/// For bare text on a terminal: what was on several lines stays on several lines.
pub fn safe(text: &str) -> Cow<'_, str> {
    replace(text, |character| match character {
        '\n' | '\t' => None,
        other => hidden(other),
    })
}

/// As [`safe`], and on one line: line ends and tabs have a sign of their own. For sentences.
pub fn line(text: &str) -> Cow<'_, str> {
    replace(text, |character| match character {
        '\n' => Some("↵".to_owned()),
        '\t' => Some("→".to_owned()),
        other => hidden(other),
    })
}

/// As [`fn@line`], with a sign for leading and trailing spaces too. For cells of tables.
pub fn cell(text: &str) -> Cow<'_, str> {
    let line = line(text);
    let inner = line.trim_matches(' ');
    if inner.len() == line.len() {
        return line;
    }
    let left = line.len() - line.trim_start_matches(' ').len();
    let right = line.len() - left - inner.len();
    Cow::Owned(format!("{}{inner}{}", "·".repeat(left), "·".repeat(right)))
}

/// As [`safe`], for JSON, whose value stays what it is: hidden characters are escaped as JSON allows.
pub fn json(text: &str) -> Cow<'_, str> {
    replace(text, |character| {
        let is_seen = character == '\n' || hidden(character).is_none();
        (!is_seen).then(|| {
            let units = character.encode_utf16(&mut [0; 2]).to_vec();
            units.iter().map(|unit| format!("\\u{unit:04x}")).collect()
        })
    })
}

/// The visible stand-in of a character that would otherwise not be seen, or would steer the terminal.
fn hidden(character: char) -> Option<String> {
    let code = u32::from(character);
    match character {
        // The control pictures of Unicode stand for the C0 controls one by one.
        '\0'..='\x1f' => char::from_u32(0x2400 + code).map(String::from),
        '\x7f' => Some("␡".to_owned()),
        // C1 controls; soft hyphen; zero-width and bidirectional marks; line and paragraph separators; word joiner
        // and invisible operators; bidirectional isolates; byte order mark; interlinear marks; tags.
        '\u{80}'..='\u{9f}'
        | '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}' => Some(format!("<U+{code:04X}>")),
        _ => None,
    }
}

fn replace(text: &str, stand_in: impl Fn(char) -> Option<String>) -> Cow<'_, str> {
    if text.chars().all(|character| stand_in(character).is_none()) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match stand_in(character) {
            Some(sign) => shown.push_str(&sign),
            None => shown.push(character),
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_never_steered() {
        assert_eq!(safe("a\x1b[31mb\nc\u{202e}d"), "a␛[31mb\nc<U+202E>d");
        assert_eq!(cell(" a\tb\n"), "·a→b↵");
        assert_eq!(cell("banco"), "banco");
        assert_eq!(cell("  "), "··");
    }
}
