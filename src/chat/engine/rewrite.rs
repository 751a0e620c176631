//! Templates in the dialect of jinja2, rewritten for the engine: white space control is applied, string literals are
//! those that Python reads, and marker calls tell where loops and generated text are.

use super::attributes::with_calls;
use super::bodies::Bodies;
use super::lexer::{Lexer, Part, SyntaxProblem, Token, TokenKind};
use super::python_text::unescape;

/// The names of the marker functions, which no template uses.
pub const ENTER: &str = "tokscope_loop_begins";
pub const STEP: &str = "tokscope_loop_is_at";
pub const ITEMS: &str = "tokscope_items";
pub const LEAVE: &str = "tokscope_loop_ends";
pub const GENERATION: &str = "tokscope_generation";
/// The name of the function that a value passes before a namespace keeps it.
pub const KEPT: &str = "tokscope_kept";
/// The name of the filter that refuses attributes.
pub const UNSAFE: &str = "tokscope_unsafe";

/// `elif` tags of a template, each of which nests in the one before. Published templates have a few dozen.
const MAX_BRANCHES: usize = 1 << 12;

/// A template for the engine.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Rewritten {
    pub source: String,
    /// True if there are generation blocks.
    pub has_generation: bool,
    /// The line of the template for each line of the source, both from 1.
    lines: Vec<usize>,
}

impl Rewritten {
    /// Rewrites a template.
    ///
    /// # Errors
    /// Fails if its tags cannot be told apart.
    pub fn new(template: &str) -> Result<Self, SyntaxProblem> {
        let template = normalize(template);
        let mut lexer = Lexer::new(&template);
        let mut rewriter = Rewriter {
            out: Self {
                source: String::with_capacity(template.len() * 2),
                has_generation: false,
                lines: vec![1],
            },
            loops: Vec::new(),
            bodies: Bodies::default(),
            branches: 0,
        };
        while let Some((line, part)) = lexer.next()? {
            match part {
                Part::Text(text) => rewriter.text(text, line),
                Part::Variable(tokens) => {
                    let tokens = with_calls(tokens, 0);
                    rewriter.bodies.note(&tokens);
                    rewriter.tag(("{{", "}}"), &tokens, line)?;
                }
                Part::Block(tokens) => {
                    let from = values_start(&tokens);
                    rewriter.block(&with_calls(tokens, from), line)?;
                }
            }
        }
        let Rewriter {
            mut out, bodies, ..
        } = rewriter;
        out.source = bodies.finish(&out.source);
        Ok(out)
    }

    /// Returns the line of the template for a line of the source.
    pub fn line(&self, line: usize) -> usize {
        let found = self.lines.get(line.saturating_sub(1));
        found.copied().unwrap_or(line)
    }

    fn push(&mut self, text: &str, line: usize) {
        self.source.push_str(text);
        let newlines = memchr::memchr_iter(b'\n', text.as_bytes()).count();
        self.lines.extend((1..=newlines).map(|more| line + more));
    }
}

/// Makes every line end `\n`, and removes the one at the end.
fn normalize(template: &str) -> String {
    let mut text = template.replace("\r\n", "\n").replace('\r', "\n");
    if text.ends_with('\n') {
        text.pop();
    }
    text
}

struct Rewriter {
    out: Rewritten,
    /// The open loops: true for those with markers.
    loops: Vec<bool>,
    bodies: Bodies,
    /// The `elif` tags so far.
    branches: usize,
}

impl Rewriter {
    /// Appends text that is printed.
    fn text(&mut self, text: &str, line: usize) {
        // Without white space control, a brace may meet another one.
        if text.contains('{') {
            self.out.push("{{", line);
            self.literal(text, line);
            self.out.push("}}", line);
        } else {
            self.out.push(text, line);
        }
    }

    fn literal(&mut self, text: &str, line: usize) {
        let mut literal = String::with_capacity(text.len() + 2);
        literal.push('"');
        for c in text.chars() {
            match c {
                '"' => literal.push_str("\\\""),
                '\\' => literal.push_str("\\\\"),
                '\n' => literal.push_str("\\n"),
                '\r' => literal.push_str("\\r"),
                _ => literal.push(c),
            }
        }
        literal.push('"');
        self.out.push(&literal, line);
    }

    /// Appends a tag.
    fn tag(
        &mut self,
        (start, end): (&str, &str),
        tokens: &[Token<'_>],
        line: usize,
    ) -> Result<(), SyntaxProblem> {
        self.out.push(start, line);
        if self.out.lines.last() != Some(&line) {
            self.out.push("\n", line - 1);
        }
        self.out.push(" ", line);
        self.tokens(tokens, line)?;
        self.out.push(" ", line);
        self.out.push(end, line);
        Ok(())
    }

    fn tokens(&mut self, tokens: &[Token<'_>], first_line: usize) -> Result<(), SyntaxProblem> {
        let mut line = first_line;
        let mut tokens = tokens.iter().peekable();
        // The last token that is no space.
        let mut before = "";
        while let Some(token) = tokens.next() {
            let newlines = memchr::memchr_iter(b'\n', token.text.as_bytes()).count();
            match token.kind {
                TokenKind::String => {
                    let mut text = String::new();
                    let mut literal = Some(*token);
                    while let Some(token) = literal {
                        let part = unescape(token.text);
                        text.push_str(&part.map_err(|problem| SyntaxProblem { line, problem })?);
                        literal = next_string(&mut tokens);
                    }
                    self.literal(&text, line);
                    before = token.text;
                }
                TokenKind::Space => self.out.push(token.text, line),
                TokenKind::Name if before == "." && is_dunder(token.text) => {
                    self.out.source.truncate(self.out.source.trim_end().len());
                    let length = self.out.source.len().saturating_sub(1);
                    self.out.source.truncate(length);
                    self.out
                        .push(&format!("|{UNSAFE}(\"{}\")", token.text), line);
                    before = token.text;
                }
                TokenKind::Name | TokenKind::Other => {
                    self.out.push(token.text, line);
                    before = token.text;
                }
            }
            line += newlines;
        }
        Ok(())
    }

    /// Appends a block tag, with its markers.
    fn block(&mut self, tokens: &[Token<'_>], line: usize) -> Result<(), SyntaxProblem> {
        let words: Vec<&str> = tokens
            .iter()
            .filter(|token| token.kind != TokenKind::Space)
            .map(|token| token.text)
            .collect();
        const TAG: (&str, &str) = ("{%", "%}");
        if matches!(*words, ["endmacro" | "endcall" | "endgeneration", ..]) {
            self.bodies.end();
        }
        let tag = tokens
            .iter()
            .position(|token| token.kind == TokenKind::Name);
        let after = tag.and_then(|tag| tokens.get(tag + 1..));
        self.bodies.note(after.unwrap_or_default());
        match *words {
            ["macro" | "call", ..] => {
                self.tag(TAG, tokens, line)?;
                self.bodies.begin(self.out.source.len());
            }
            ["for", target, "in", .., last] if last != "recursive" => {
                self.loops.push(true);
                self.call(ENTER, "", line);
                self.tag(TAG, &with_items(tokens), line)?;
                self.call(STEP, target, line);
            }
            ["for", ..] => {
                self.loops.push(false);
                self.tag(TAG, &with_items(tokens), line)?;
            }
            ["endfor"] => {
                self.tag(TAG, tokens, line)?;
                if self.loops.pop() == Some(true) {
                    self.call(LEAVE, "", line);
                }
            }
            ["generation"] => {
                self.out.has_generation = true;
                self.out.push(&format!("{{% call {GENERATION}() %}}"), line);
                self.bodies.begin(self.out.source.len());
            }
            ["elif", ..] if self.branches >= MAX_BRANCHES => {
                let problem = format!("there are more than {MAX_BRANCHES} `elif` tags");
                return Err(SyntaxProblem { line, problem });
            }
            ["elif", ..] => {
                self.branches += 1;
                self.tag(TAG, tokens, line)?;
            }
            ["set", ..] if sets_attribute(&words) => {
                self.tag(TAG, &with_kept_value(tokens), line)?;
            }
            ["endgeneration"] => self.out.push("{% endcall %}", line),
            _ => self.tag(TAG, tokens, line)?,
        }
        Ok(())
    }

    /// Appends a call of a marker function, which prints nothing.
    fn call(&mut self, function: &str, argument: &str, line: usize) {
        self.out
            .push(&format!("{{{{{function}({argument})}}}}"), line);
    }
}

/// Returns where the values of a block tag begin: after the target of an assignment.
fn values_start(tokens: &[Token<'_>]) -> usize {
    let is = |text: &str| tokens.iter().position(|token| token.text == text);
    let first = tokens.iter().find(|token| token.kind != TokenKind::Space);
    match first {
        Some(tag) if tag.text == "set" => is("=").or_else(|| is("|")).unwrap_or(tokens.len()),
        _ => 0,
    }
}

/// Returns true if the words of an assignment have an attribute among their targets.
fn sets_attribute(words: &[&str]) -> bool {
    let mut targets = words.splitn(2, |word| *word == "=");
    let has_attribute = targets.next().is_some_and(|targets| targets.contains(&"."));
    has_attribute && targets.next().is_some()
}

/// Returns the tokens of a loop, with its iterable as the argument of a function.
fn with_items<'s>(tokens: &[Token<'s>]) -> Vec<Token<'s>> {
    let is = |token: &Token<'_>, name: &str| token.kind == TokenKind::Name && token.text == name;
    let Some(start) = tokens.iter().position(|token| is(token, "in")) else {
        return tokens.to_vec();
    };
    let mut depth = 0_usize;
    let end = tokens
        .iter()
        .skip(start)
        .position(|token| match token.text {
            "(" | "[" | "{" => {
                depth += 1;
                false
            }
            ")" | "]" | "}" => {
                depth = depth.saturating_sub(1);
                false
            }
            _ => depth == 0 && (is(token, "if") || is(token, "recursive")),
        });
    let end = end.map_or(tokens.len(), |end| start + end);
    let (before, rest) = tokens.split_at(start + 1);
    let (items, after) = rest.split_at(end - start - 1);
    with_call(before, ITEMS, items, after)
}

/// Returns the tokens of an assignment, with its value as the argument of a function.
fn with_kept_value<'s>(tokens: &[Token<'s>]) -> Vec<Token<'s>> {
    let equals = tokens.iter().position(|token| token.text == "=");
    let (before, value) = tokens.split_at(equals.map_or(tokens.len(), |equals| equals + 1));
    with_call(before, KEPT, value, &[])
}

/// Returns tokens, of which those in the middle are the arguments of a function.
fn with_call<'s>(
    before: &[Token<'s>],
    function: &'s str,
    arguments: &[Token<'s>],
    after: &[Token<'s>],
) -> Vec<Token<'s>> {
    let other = |text| Token {
        kind: TokenKind::Other,
        text,
    };
    [
        before,
        &[other(" "), other(function), other("(")],
        arguments,
        &[other(")"), other(" ")],
        after,
    ]
    .concat()
}

/// Takes the next token if it is a string, maybe after white space.
fn next_string<'t, 's: 't>(
    tokens: &mut std::iter::Peekable<std::slice::Iter<'t, Token<'s>>>,
) -> Option<Token<'s>> {
    let mut ahead = tokens.clone();
    let mut next = ahead.next();
    if next.is_some_and(|token| token.kind == TokenKind::Space) {
        next = ahead.next();
    }
    let string = next.filter(|token| token.kind == TokenKind::String)?;
    *tokens = ahead;
    Some(*string)
}

fn is_dunder(name: &str) -> bool {
    name.starts_with("__") && name.ends_with("__")
}
