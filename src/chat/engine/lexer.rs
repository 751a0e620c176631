//! The tokens of a template, with its white space control as in jinja2 under `trim_blocks` and `lstrip_blocks`.

use super::python_text::is_space;

/// Tokens of a tag, each of which may nest an expression more deeply. Published templates have a few hundred.
const MAX_TOKENS: usize = 1 << 12;

/// What is wrong with the syntax of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxProblem {
    /// From 1.
    pub line: usize,
    pub problem: String,
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part<'s> {
    /// Text that is printed as it is.
    Text(&'s str),
    /// `{{ … }}`
    Variable(Vec<Token<'s>>),
    /// `{% … %}`
    Block(Vec<Token<'s>>),
}

/// A token of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'s> {
    pub kind: TokenKind,
    pub text: &'s str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    Space,
    Name,
    /// With its quotes.
    String,
    /// A number, an operator, or a character that the parser refuses.
    Other,
}

/// A template that is read part by part. Lines must end with `\n`.
#[derive(Debug)]
pub struct Lexer<'s> {
    source: &'s str,
    at: usize,
    /// The line of the next byte, from 1.
    line: usize,
    /// True if the part before ended with a newline, or there is none.
    starts_line: bool,
    /// A part that was read together with the text before it.
    pending: Option<(usize, Part<'s>)>,
}

/// What opens a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opening {
    Raw,
    Block,
    Variable,
    Comment,
}

impl<'s> Lexer<'s> {
    pub fn new(source: &'s str) -> Self {
        Self {
            source,
            at: 0,
            line: 1,
            starts_line: true,
            pending: None,
        }
    }

    fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or_default()
    }

    /// Moves on by `length` bytes, and returns them.
    fn take(&mut self, length: usize) -> &'s str {
        let taken = self.rest().get(..length).unwrap_or_default();
        self.at += taken.len();
        self.line += memchr::memchr_iter(b'\n', taken.as_bytes()).count();
        if let Some(last) = taken.as_bytes().last() {
            self.starts_line = *last == b'\n';
        }
        taken
    }

    fn problem<T>(&self, line: usize, problem: impl Into<String>) -> Result<T, SyntaxProblem> {
        Err(SyntaxProblem {
            line,
            problem: problem.into(),
        })
    }

    /// Reads the next part, with its line. Returns `None` at the end.
    ///
    /// # Errors
    /// Fails if a tag has no end, or its brackets do not match.
    pub fn next(&mut self) -> Result<Option<(usize, Part<'s>)>, SyntaxProblem> {
        loop {
            if let Some(part) = self.pending.take() {
                return Ok(Some(part));
            }
            if self.rest().is_empty() {
                return Ok(None);
            }
            let (line, starts_line) = (self.line, self.starts_line);
            let Some((length, opening, after)) = find_opening(self.rest()) else {
                let text = self.take(self.rest().len());
                return Ok(Some((line, Part::Text(text))));
            };
            let text = self.take(length);
            let sign = self.rest().as_bytes().get(2).copied();
            let text = strip_before(text, sign, opening, starts_line);
            let tag_line = self.line;
            self.take(after);
            self.starts_line = false;
            match opening {
                Opening::Comment => self.comment(tag_line)?,
                Opening::Raw => {
                    let raw = self.raw(tag_line)?;
                    self.pending = Some((tag_line, Part::Text(raw)));
                }
                Opening::Block | Opening::Variable => {
                    let is_block = opening == Opening::Block;
                    let tokens = self.tag(tag_line, is_block)?;
                    let part = match is_block {
                        true => Part::Block(tokens),
                        false => Part::Variable(tokens),
                    };
                    self.pending = Some((tag_line, part));
                }
            }
            if !text.is_empty() {
                return Ok(Some((line, Part::Text(text))));
            }
        }
    }

    /// Skips a comment after its opening.
    fn comment(&mut self, line: usize) -> Result<(), SyntaxProblem> {
        let Some(length) = self.rest().find("#}") else {
            return self.problem(line, "a comment has no end, `#}`");
        };
        let body = self.take(length);
        self.take(2);
        self.trim_after(body.as_bytes().last().copied(), true);
        Ok(())
    }

    /// Reads a raw block after its opening, and returns its text.
    fn raw(&mut self, line: usize) -> Result<&'s str, SyntaxProblem> {
        let rest = self.rest();
        let starts_line = self.starts_line;
        for (start, _) in rest.match_indices("{%") {
            let Some((sign, inner, length)) = keyword_tag(&rest[start..], "endraw") else {
                continue;
            };
            let text = strip_before(&rest[..start], sign, Opening::Block, starts_line);
            self.take(start + length);
            self.trim_after(inner, true);
            return Ok(text);
        }
        self.problem(line, "a raw block has no end, `{% endraw %}`")
    }

    /// Skips the white space after a tag, whose end has the given sign.
    fn trim_after(&mut self, sign: Option<u8>, trims_newline: bool) {
        let rest = self.rest();
        match sign {
            Some(b'-') => {
                let kept = rest.trim_start_matches(is_space).len();
                self.take(rest.len() - kept);
            }
            Some(b'+') if trims_newline => {}
            _ if trims_newline && rest.starts_with('\n') => _ = self.take(1),
            _ => {}
        }
    }

    /// Reads the tokens of a tag after its opening.
    fn tag(&mut self, line: usize, is_block: bool) -> Result<Vec<Token<'s>>, SyntaxProblem> {
        let end = if is_block { "%}" } else { "}}" };
        let mut tokens = Vec::new();
        let mut open: Vec<char> = Vec::new();
        loop {
            let rest = self.rest();
            if open.is_empty() {
                let sign = match rest.as_bytes() {
                    [sign @ b'-', tail @ ..] if tail.starts_with(end.as_bytes()) => Some(*sign),
                    [sign @ b'+', tail @ ..] if is_block && tail.starts_with(end.as_bytes()) => {
                        Some(*sign)
                    }
                    _ => None,
                };
                if sign.is_some() || rest.starts_with(end) {
                    self.take(end.len() + usize::from(sign.is_some()));
                    self.trim_after(sign, is_block);
                    return Ok(tokens);
                }
            }
            let Some(first) = rest.chars().next() else {
                return self.problem(line, format!("a tag has no end, `{end}`"));
            };
            let (kind, length) = token(rest, first);
            match first {
                '(' => open.push(')'),
                '[' => open.push(']'),
                '{' => open.push('}'),
                ')' | ']' | '}' if kind == TokenKind::Other => match open.pop() {
                    Some(expected) if expected == first => {}
                    Some(expected) => {
                        let problem = format!("expected `{expected}`, found `{first}`");
                        return self.problem(self.line, problem);
                    }
                    None => return self.problem(self.line, format!("unexpected `{first}`")),
                },
                '\'' | '"' if kind == TokenKind::Other => {
                    return self.problem(self.line, "a string has no end");
                }
                _ => {}
            }
            if tokens.len() >= MAX_TOKENS {
                return self.problem(line, format!("a tag has more than {MAX_TOKENS} tokens"));
            }
            let text = self.take(length);
            tokens.push(Token { kind, text });
        }
    }
}

/// Returns the kind and the length of the token at the start of `rest`.
fn token(rest: &str, first: char) -> (TokenKind, usize) {
    let run = |holds: fn(char) -> bool| rest.len() - rest.trim_start_matches(holds).len();
    match first {
        _ if is_space(first) => (TokenKind::Space, run(is_space)),
        '\'' | '"' => match string_length(rest, first) {
            Some(length) => (TokenKind::String, length),
            None => (TokenKind::Other, 1),
        },
        '0'..='9' => (
            TokenKind::Other,
            run(|c| c.is_ascii_alphanumeric() || c == '_'),
        ),
        _ if is_name(first) => (TokenKind::Name, run(is_name)),
        _ => (TokenKind::Other, first.len_utf8()),
    }
}

fn is_name(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// Returns the length of a string with its quotes; `None` if it has no end.
fn string_length(rest: &str, quote: char) -> Option<usize> {
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => _ = chars.next()?,
            _ if c == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// Finds the first tag: the length of the text before it, what it is, and the length of its opening.
fn find_opening(rest: &str) -> Option<(usize, Opening, usize)> {
    let bytes = rest.as_bytes();
    let mut from = 0;
    loop {
        let at = from + memchr::memchr(b'{', bytes.get(from..)?)?;
        let signed = matches!(bytes.get(at + 2), Some(b'-' | b'+'));
        let length = 2 + usize::from(signed);
        match bytes.get(at + 1) {
            Some(b'%') => {
                let Some((_, inner, length)) = keyword_tag(&rest[at..], "raw") else {
                    return Some((at, Opening::Block, length));
                };
                // A plus sign is no end of this tag in jinja2.
                if inner != Some(b'+') {
                    let tail = rest[at + length..].trim_start_matches(is_space).len();
                    let stripped = rest.len() - at - length - tail;
                    let stripped = if inner == Some(b'-') { stripped } else { 0 };
                    return Some((at, Opening::Raw, length + stripped));
                }
                return Some((at, Opening::Block, 2 + usize::from(signed)));
            }
            Some(b'{') => return Some((at, Opening::Variable, length)),
            Some(b'#') => return Some((at, Opening::Comment, length)),
            _ => from = at + 1,
        }
    }
}

/// Matches a tag that holds only a keyword. Returns the sign after its start, the sign before its end, and its length.
fn keyword_tag(rest: &str, keyword: &str) -> Option<(Option<u8>, Option<u8>, usize)> {
    let tail = rest.strip_prefix("{%")?;
    let sign = |tail: &str| {
        let first = tail.as_bytes().first().copied();
        first.filter(|sign| matches!(sign, b'-' | b'+'))
    };
    let before = sign(tail);
    let tail = &tail[usize::from(before.is_some())..];
    let tail = tail.trim_start_matches(is_space).strip_prefix(keyword)?;
    let tail = tail.trim_start_matches(is_space);
    let after = sign(tail);
    let tail = tail[usize::from(after.is_some())..].strip_prefix("%}")?;
    Some((before, after, rest.len() - tail.len()))
}

/// Removes the white space before a tag.
fn strip_before(text: &str, sign: Option<u8>, opening: Opening, starts_line: bool) -> &str {
    match sign {
        Some(b'-') => text.trim_end_matches(is_space),
        Some(b'+') => text,
        _ if opening == Opening::Variable => text,
        _ => {
            let line = text.rfind('\n').map_or(0, |newline| newline + 1);
            if (line > 0 || starts_line) && text[line..].chars().all(is_space) {
                &text[..line]
            } else {
                text
            }
        }
    }
}
