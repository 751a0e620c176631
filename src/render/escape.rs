//! Escapes untrusted text, so that a terminal shows control characters instead of obeying them.

use std::borrow::Cow;

/// Makes control, bidirectional, and invisible characters visible. For bare text: keeps line ends and tabs.
pub fn safe(text: &str) -> Cow<'_, str> {
    replace(text, |character| match character {
        '\n' | '\t' => None,
        other => hidden(other),
    })
}

/// Like [`safe`], but also replaces line ends and tabs, so that the result is one line. For sentences.
pub fn line(text: &str) -> Cow<'_, str> {
    replace(text, |character| match character {
        '\n' => Some("↵".to_owned()),
        '\t' => Some("→".to_owned()),
        other => hidden(other),
    })
}

/// Like [`fn@line`], but also replaces leading and trailing spaces. For table cells.
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

/// Like [`safe`], for JSON text: hidden characters become `\u` escapes, which leave the value unchanged.
pub fn json(text: &str) -> Cow<'_, str> {
    replace(text, |character| {
        let is_visible = character == '\n' || hidden(character).is_none();
        (!is_visible).then(|| {
            let units = character.encode_utf16(&mut [0; 2]).to_vec();
            units.iter().map(|unit| format!("\\u{unit:04x}")).collect()
        })
    })
}

/// Returns the visible replacement for a character that is invisible or controls the terminal. Returns `None` for other
/// characters.
fn hidden(character: char) -> Option<String> {
    let code = u32::from(character);
    match character {
        // Unicode has a control picture for each C0 control.
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

fn replace(text: &str, replacement: impl Fn(char) -> Option<String>) -> Cow<'_, str> {
    if text
        .chars()
        .all(|character| replacement(character).is_none())
    {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match replacement(character) {
            Some(visible) => shown.push_str(&visible),
            None => shown.push(character),
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_become_visible() {
        assert_eq!(safe("a\x1b[31mb\nc\u{202e}d"), "a␛[31mb\nc<U+202E>d");
        assert_eq!(cell(" a\tb\n"), "·a→b↵");
        assert_eq!(cell("banco"), "banco");
        assert_eq!(cell("  "), "··");
    }
}
