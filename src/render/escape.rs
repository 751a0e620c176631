//! Escapes untrusted text, so that a terminal shows control characters instead of obeying them.

use std::borrow::Cow;
use std::ops::RangeInclusive;

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
        '\u{80}'.. if is_invisible(character) => Some(format!("<U+{code:04X}>")),
        _ => None,
    }
}

/// The characters from U+0080 on that a terminal obeys or that show nothing: those with the property
/// `Default_Ignorable_Code_Point` or of the categories Cc, Cf, Zl, and Zp. From Unicode 16, in order.
const INVISIBLE: [RangeInclusive<char>; 26] = [
    '\u{80}'..='\u{9f}',
    '\u{ad}'..='\u{ad}',
    '\u{34f}'..='\u{34f}',
    '\u{600}'..='\u{605}',
    '\u{61c}'..='\u{61c}',
    '\u{6dd}'..='\u{6dd}',
    '\u{70f}'..='\u{70f}',
    '\u{890}'..='\u{891}',
    '\u{8e2}'..='\u{8e2}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{200b}'..='\u{200f}',
    '\u{2028}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff0}'..='\u{fffb}',
    '\u{110bd}'..='\u{110bd}',
    '\u{110cd}'..='\u{110cd}',
    '\u{13430}'..='\u{1343f}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{e0000}'..='\u{e0fff}',
];

fn is_invisible(character: char) -> bool {
    let after = INVISIBLE.partition_point(|range| *range.start() <= character);
    after > 0 && INVISIBLE[after - 1].contains(&character)
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
    use regex_syntax::ParserBuilder;
    use regex_syntax::hir::{Class, HirKind};

    use super::*;

    /// The tables of `regex-syntax` are those of Unicode 16, too.
    #[test]
    fn every_invisible_character_becomes_visible() {
        let property = r"[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}\p{Zl}\p{Zp}]";
        let hir = ParserBuilder::new().build().parse(property).unwrap();
        let HirKind::Class(Class::Unicode(class)) = hir.kind() else {
            panic!("{hir:?}");
        };
        let ranges = class.ranges();
        for character in '\0'..=char::MAX {
            let range = ranges.partition_point(|range| range.end() < character);
            let is_invisible = ranges.get(range).is_some_and(|r| r.start() <= character);
            let code = u32::from(character);
            assert_eq!(hidden(character).is_some(), is_invisible, "U+{code:04X}");
            if is_invisible && code >= 0x80 {
                let text = character.to_string();
                assert_eq!(line(&text), format!("<U+{code:04X}>"));
            }
        }
        let wide: Vec<_> = (ranges.iter().filter(|range| range.end() >= '\u{80}'))
            .map(|range| range.start().max('\u{80}')..=range.end())
            .collect();
        assert_eq!(wide, INVISIBLE);
    }

    #[test]
    fn control_characters_become_visible() {
        assert_eq!(safe("a\x1b[31mb\nc\u{202e}d"), "a␛[31mb\nc<U+202E>d");
        assert_eq!(cell(" a\tb\n"), "·a→b↵");
        assert_eq!(cell("banco"), "banco");
        assert_eq!(cell("  "), "··");
    }
}
