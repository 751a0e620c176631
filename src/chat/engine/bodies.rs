//! The bodies of macros, calls, and generation blocks, and the variables that they use.
//!
//! The engine hands a body the variables of the template that it finds in it, but overlooks some: the target of
//! `set name.attribute`, what a slice is taken of, and a variable that is set from itself. So each body begins with a
//! list of all its names, which is never evaluated.

use std::collections::BTreeSet;

use super::lexer::{Token, TokenKind};

/// Words of the syntax.
const WORDS: &[&str] = &[
    "and",
    "as",
    "block",
    "break",
    "call",
    "context",
    "continue",
    "do",
    "elif",
    "else",
    "extends",
    "false",
    "False",
    "filter",
    "for",
    "from",
    "if",
    "import",
    "in",
    "include",
    "is",
    "macro",
    "none",
    "None",
    "not",
    "or",
    "recursive",
    "set",
    "true",
    "True",
    "with",
    "without",
];
/// Bytes of all lists together, at least; a template may have as many again.
const MAX_BYTES: usize = 1 << 16;

/// The bodies of a template.
#[derive(Debug, Default)]
pub struct Bodies {
    /// Those that are open: where they begin, and their names.
    open: Vec<(usize, BTreeSet<String>)>,
    /// Those that ended.
    closed: Vec<(usize, BTreeSet<String>)>,
}

impl Bodies {
    /// Notes that a body begins at this byte of the source.
    pub fn begin(&mut self, at: usize) {
        self.open.push((at, BTreeSet::new()));
    }

    /// Notes the names of a tag.
    pub fn note(&mut self, tokens: &[Token<'_>]) {
        let Some((_, names)) = self.open.last_mut() else {
            return;
        };
        let mut before = "";
        for token in tokens.iter().filter(|token| token.kind != TokenKind::Space) {
            let is_variable = token.kind == TokenKind::Name && !matches!(before, "." | "|");
            if is_variable && !WORDS.contains(&token.text) {
                names.insert(token.text.to_owned());
            }
            before = token.text;
        }
    }

    /// Notes that the innermost body ends.
    pub fn end(&mut self) {
        let Some((at, names)) = self.open.pop() else {
            return;
        };
        if let Some((_, outer)) = self.open.last_mut() {
            outer.extend(names.iter().cloned());
        }
        self.closed.push((at, names));
    }

    /// Returns the source with the list of names in each body.
    pub fn finish(mut self, source: &str) -> String {
        self.closed.sort_unstable();
        let mut finished = String::with_capacity(source.len() * 2);
        let mut left = MAX_BYTES + source.len();
        let mut from = 0;
        for (at, names) in self.closed {
            finished.push_str(source.get(from..at).unwrap_or_default());
            from = at;
            let names = names.into_iter().collect::<Vec<_>>().join(",");
            if !names.is_empty() && names.len() <= left {
                left -= names.len();
                finished.push_str("{% if false %}{{ [");
                finished.push_str(&names);
                finished.push_str("] }}{% endif %}");
            }
        }
        finished.push_str(source.get(from..).unwrap_or_default());
        finished
    }
}
