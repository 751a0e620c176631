//! The text of table cells and lines, and its width on a terminal.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// A space at which no line is broken. Text from elsewhere has no such control character, since it is escaped.
pub const GLUE: char = '\u{1}';

/// Pads a cell with spaces to a display width.
pub fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

/// Shortens a cell to a display width, with an ellipsis for the end that is cut off. Keeps colors.
pub fn elide(text: &str, width: usize) -> String {
    if display_width(text) <= width {
        return text.to_owned();
    }
    let room = width.saturating_sub(1);
    let (mut shown, mut used, mut is_cut) = (String::new(), 0, false);
    for part in parts(text) {
        let Part::Text(part) = part else {
            shown.push_str(part.as_str());
            continue;
        };
        for character in part.chars().take_while(|_| !is_cut) {
            used += character.width().unwrap_or(0);
            if used > room {
                is_cut = true;
                if width > 0 {
                    shown.push('…');
                }
                break;
            }
            shown.push(character);
        }
    }
    shown
}

/// Shortens a cell like [`elide`], and pads it to the width.
pub fn fit(text: &str, width: usize) -> String {
    pad(&elide(text, width), width)
}

/// Shortens a text to a display width, with an ellipsis for its beginning.
pub fn elide_start(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let (mut start, mut used) = (text.len(), 1);
    for (at, character) in text.char_indices().rev() {
        used += character.width().unwrap_or(0);
        if used > width {
            break;
        }
        start = at;
    }
    format!("…{}", &text[start..])
}

/// Breaks a line at spaces, so that it fits a width; a longer word has a line of its own. All lines but the first are
/// indented.
pub fn wrap(text: &str, width: usize, indent: usize) -> String {
    let (mut wrapped, mut used, mut has_word, mut spaces) = (String::new(), 0, false, 0);
    for (index, word) in text.split(' ').enumerate() {
        spaces += usize::from(index > 0);
        if word.is_empty() {
            continue;
        }
        let length = display_width(word);
        if has_word && used + spaces + length > width {
            wrapped.push('\n');
            (used, spaces) = (0, indent);
        }
        wrapped.push_str(&" ".repeat(spaces));
        wrapped.push_str(word);
        used += spaces + length;
        (has_word, spaces) = (true, 0);
    }
    wrapped.replace(GLUE, " ")
}

/// Breaks a message like [`wrap`], but not within the backticks around a command, which people copy.
pub fn wrap_message(text: &str, width: usize) -> String {
    let (mut glued, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once('`')
        && let Some((command, after)) = after.split_once('`')
    {
        glued.push_str(before);
        glued.push('`');
        glued.extend(command.chars().map(|character| match character {
            ' ' => GLUE,
            _ => character,
        }));
        glued.push('`');
        rest = after;
    }
    glued.push_str(rest);
    wrap(&glued, width, 0)
}

/// Returns the display width of a text, without its colors.
pub fn display_width(text: &str) -> usize {
    let text = parts(text).map(|part| match part {
        Part::Text(text) => text.width() + text.matches(GLUE).count(),
        Part::Color(_) => 0,
    });
    text.sum()
}

/// A part of a line.
enum Part<'t> {
    Text(&'t str),
    /// An escape sequence for a color.
    Color(&'t str),
}

impl<'t> Part<'t> {
    fn as_str(&self) -> &'t str {
        match self {
            Self::Text(text) | Self::Color(text) => text,
        }
    }
}

/// Splits a line at its colors.
fn parts(text: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let is_color = rest.starts_with('\u{1b}');
        let end = if is_color {
            rest.find('m').map(|end| end + 1)
        } else {
            rest.find('\u{1b}')
        };
        let (part, after) = rest.split_at(end.unwrap_or(rest.len()));
        rest = after;
        match (part.is_empty(), is_color) {
            (true, _) => None,
            (false, true) => Some(Part::Color(part)),
            (false, false) => Some(Part::Text(part)),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_cut_to_its_width() {
        assert_eq!(fit("▁banco", 12), "▁banco      ");
        assert_eq!(fit("▁alphabetical", 12), "▁alphabetic…");
        for wide in [
            "日本語日本語日本語",
            "a日本語日本語日本語",
            "\u{300}\u{300}",
        ] {
            assert_eq!(fit(wide, 12).width(), 12, "{wide}");
            assert_eq!(pad(&elide_start(wide, 12), 12).width(), 12, "{wide}");
        }
        assert_eq!(
            elide("e\u{301}e\u{301}e\u{301}", 3),
            "e\u{301}e\u{301}e\u{301}"
        );
        assert_eq!(elide("e\u{301}e\u{301}e\u{301}", 2), "e\u{301}…");
        assert_eq!(elide_start("abcdef", 3), "…ef");
        assert_eq!(
            (elide("ab", 1), elide("ab", 0)),
            ("…".into(), String::new())
        );
    }

    #[test]
    fn colors_have_no_width_and_are_not_cut_off() {
        let red = "\u{1b}[31mbanco\u{1b}[0m";
        assert_eq!(display_width(red), 5);
        assert_eq!(elide(red, 5), red);
        assert_eq!(elide(red, 3), "\u{1b}[31mba…\u{1b}[0m");
        assert_eq!(wrap(red, 3, 0), red);
    }

    #[test]
    fn lines_are_broken_at_spaces() {
        assert_eq!(wrap("one two three", 9, 2), "one two\n  three");
        assert_eq!(wrap("  one  two", 80, 2), "  one  two");
        assert_eq!(wrap("one\u{1}two three", 7, 1), "one two\n three");
        assert_eq!(wrap("much-too-long x", 4, 1), "much-too-long\n x");
        assert_eq!(wrap("日本 日本", 8, 1), "日本\n 日本");
    }

    #[test]
    fn a_command_in_a_message_is_not_broken() {
        assert_eq!(
            wrap_message("hint: use `a -b c` or none", 14),
            "hint: use\n`a -b c` or\nnone"
        );
        assert_eq!(wrap_message("it's `a b` c", 4), "it's\n`a b`\nc");
        assert_eq!(wrap_message("one ` two", 5), "one `\ntwo");
    }
}
