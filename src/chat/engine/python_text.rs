//! Text as Python's `str` sees it.

/// Returns true for white space, as `str.isspace` and `\s` of `re`.
pub fn is_space(c: char) -> bool {
    matches!(c, '\u{1c}'..='\u{1f}') || c.is_whitespace()
}

/// Returns the text of a string literal with its quotes, whose escapes are those of Python.
///
/// # Errors
/// Fails with a problem for an escape that is not complete, or names no character.
pub fn unescape(literal: &str) -> Result<String, String> {
    let inner = literal.get(1..literal.len().saturating_sub(1));
    let inner = inner.unwrap_or_default();
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        let mut chars = rest[at + 1..].chars();
        let Some(c) = chars.next() else { break };
        rest = chars.as_str();
        match c {
            '\n' => {}
            '\\' | '\'' | '"' => text.push(c),
            'a' => text.push('\u{7}'),
            'b' => text.push('\u{8}'),
            'f' => text.push('\u{c}'),
            'n' => text.push('\n'),
            'r' => text.push('\r'),
            't' => text.push('\t'),
            'v' => text.push('\u{b}'),
            'x' => text.push(hex(&mut rest, 2)?),
            'u' => text.push(hex(&mut rest, 4)?),
            'U' => text.push(hex(&mut rest, 8)?),
            '0'..='7' => {
                let more = rest
                    .bytes()
                    .take(2)
                    .take_while(|b| matches!(b, b'0'..=b'7'));
                let more = more.count();
                let digits = format!("{c}{}", &rest[..more]);
                rest = &rest[more..];
                let code = u32::from_str_radix(&digits, 8).ok();
                text.extend(code.and_then(char::from_u32));
            }
            'N' => return Err("the escape `\\N` of a string is not supported".to_owned()),
            _ => text.extend(['\\', c]),
        }
    }
    text.push_str(rest);
    Ok(text)
}

fn hex(rest: &mut &str, digits: usize) -> Result<char, String> {
    let code = rest.get(..digits).filter(|code| {
        let mut bytes = code.bytes();
        bytes.all(|byte| byte.is_ascii_hexdigit())
    });
    let char = code
        .and_then(|code| u32::from_str_radix(code, 16).ok())
        .and_then(char::from_u32);
    *rest = rest.get(digits..).unwrap_or_default();
    char.ok_or_else(|| "an escape of a string names no character".to_owned())
}

/// Splits text at line ends, as `str.splitlines`.
pub fn lines(text: &str, keeps_ends: bool) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let is_end = |c| {
            matches!(
                c,
                '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'
                    ..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
            )
        };
        let Some((at, end)) = rest.char_indices().find(|(_, c)| is_end(*c)) else {
            lines.push(rest);
            break;
        };
        let length = match rest[at..].starts_with("\r\n") {
            true => 2,
            false => end.len_utf8(),
        };
        lines.push(&rest[..if keeps_ends { at + length } else { at }]);
        rest = &rest[at + length..];
    }
    lines
}

/// Writes the text as `repr` does.
pub fn repr(text: &str, out: &mut String) {
    let quote = match text.contains('\'') && !text.contains('"') {
        true => '"',
        false => '\'',
    };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if c == quote => out.extend(['\\', c]),
            _ if is_printable(c) => out.push(c),
            _ => match u32::from(c) {
                code @ ..0x100 => out.push_str(&format!("\\x{code:02x}")),
                code @ ..0x10000 => out.push_str(&format!("\\u{code:04x}")),
                code => out.push_str(&format!("\\U{code:08x}")),
            },
        }
    }
    out.push(quote);
}

/// Returns true if `repr` writes the character as it is. Characters that Unicode does not assign count as printable.
fn is_printable(c: char) -> bool {
    !(c.is_control()
        || (c != ' ' && c.is_whitespace())
        || matches!(
            c,
            '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{180e}'
        )
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{10ffff}'))
}
