//! Attributes that Python's values have besides their items: `tool.items` is a method, even of a dictionary with an
//! item `items`.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr, Value, ValueKind};
use minijinja::{Error, ErrorKind, State};

use super::lexer::{Token, TokenKind};

/// The function that returns an attribute, which no template uses.
pub const ATTRIBUTE: &str = "tokscope_attribute";
/// The function that returns an item, or else an attribute.
pub const ITEM: &str = "tokscope_item";
/// The function that returns what a slice is taken of.
pub const SLICED: &str = "tokscope_sliced";

/// The methods of dictionaries.
const OF_MAPS: &[&str] = &[
    "'clear'",
    "'copy'",
    "'fromkeys'",
    "'get'",
    "'items'",
    "'keys'",
    "'pop'",
    "'popitem'",
    "'setdefault'",
    "'update'",
    "'values'",
];
/// The methods of strings and lists that are also names in JSON.
const OF_STRINGS: &[&str] = &[
    "'count'",
    "'find'",
    "'format'",
    "'index'",
    "'join'",
    "'lower'",
    "'replace'",
    "'split'",
    "'strip'",
    "'title'",
    "'upper'",
];
const OF_LISTS: &[&str] = &["'copy'", "'count'", "'index'", "'pop'", "'sort'"];
/// Tokens of a tag that is rewritten: the time grows with their square. Tags of published templates have a few hundred.
const MAX_TOKENS: usize = 1 << 10;
/// Words that no operand ends with.
const OPERATORS: &[&str] = &[
    "and", "else", "if", "in", "is", "not", "or", "set", "for", "elif",
];

/// A method of a value, which a template got without calling it.
#[derive(Debug)]
struct Method {
    of: Value,
    name: String,
}

impl Object for Method {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        self.of.call_method(state, &self.name, args)
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<built-in method {}>", self.name)
    }
}

fn method(of: &Value, name: &str) -> Option<Value> {
    let names = match of.kind() {
        ValueKind::Map => OF_MAPS,
        ValueKind::String => OF_STRINGS,
        ValueKind::Seq => OF_LISTS,
        _ => return None,
    };
    let is_one = names.iter().any(|quoted| unquoted(quoted) == name);
    is_one.then(|| {
        Value::from_object(Method {
            of: of.clone(),
            name: name.to_owned(),
        })
    })
}

/// Returns an attribute of a value: a method, or else an item.
pub fn attribute(of: &Value, name: &str) -> Result<Value, Error> {
    method(of, name).map_or_else(|| of.get_attr(name), Ok)
}

/// Returns an item of a value, or else a method.
pub fn item(of: &Value, name: &str) -> Result<Value, Error> {
    let item = of.get_item(&Value::from(name))?;
    Ok(match item.is_undefined() {
        true => method(of, name).unwrap_or(item),
        false => item,
    })
}

/// Returns a value that a slice is taken of.
pub fn sliced(of: &Value) -> Result<Value, Error> {
    match of.kind() {
        ValueKind::String | ValueKind::Seq | ValueKind::Iterable | ValueKind::Bytes => {
            Ok(of.clone())
        }
        kind => Err(Error::new(
            ErrorKind::InvalidOperation,
            format!("a slice of a value that is {kind}"),
        )),
    }
}

fn unquoted(literal: &str) -> &str {
    literal.trim_matches(['\'', '"'])
}

/// Returns the literal of a method's name.
fn literal(name: &str) -> Option<&'static str> {
    let all = [OF_MAPS, OF_STRINGS, OF_LISTS];
    let mut all = all.into_iter().flatten().copied();
    all.find(|quoted| unquoted(quoted) == name)
}

/// A use of a value, which becomes a call of a function with the value.
struct Access {
    /// The first token of the value.
    start: usize,
    /// The token after the last one that the call replaces.
    end: usize,
    function: &'static str,
    /// The literal of a name that is passed, too.
    name: Option<&'static str>,
}

/// Rewrites the tokens of a tag from `from` on: slices, and attributes and items that may be methods, become calls of
/// functions.
pub fn with_calls<'s>(mut tokens: Vec<Token<'s>>, from: usize) -> Vec<Token<'s>> {
    let other = |text| Token {
        kind: TokenKind::Other,
        text,
    };
    if tokens.len() > MAX_TOKENS {
        return tokens;
    }
    let mut at = from;
    while at < tokens.len() {
        let Some(access) = access(&tokens, at) else {
            at += 1;
            continue;
        };
        let function = Token {
            kind: TokenKind::Name,
            text: access.function,
        };
        let mut call = vec![function, other("(")];
        call.extend_from_slice(tokens.get(access.start..at).unwrap_or_default());
        if let Some(text) = access.name {
            let kind = TokenKind::String;
            call.extend([other(","), Token { kind, text }]);
        }
        call.push(other(")"));
        // Goes on behind the call, and behind the bracket of a slice.
        at = access.start + call.len() + usize::from(access.end == at);
        tokens.splice(access.start..access.end, call);
    }
    tokens
}

/// Returns the access whose dot or bracket is at `at`.
fn access(tokens: &[Token<'_>], at: usize) -> Option<Access> {
    let name_at = next(tokens, at + 1)?;
    let (sign, second) = (tokens.get(at)?, tokens.get(name_at)?);
    let (end, function, name) = match (sign.text, second.kind) {
        (".", TokenKind::Name) => (name_at + 1, ATTRIBUTE, Some(literal(second.text)?)),
        ("[", TokenKind::String) if is_closed_after(tokens, name_at) => {
            let close = next(tokens, name_at + 1)?;
            (close + 1, ITEM, Some(literal(unquoted(second.text))?))
        }
        ("[", _) if is_slice(tokens, at) => (at, SLICED, None),
        _ => return None,
    };
    let after = next(tokens, end).and_then(|after| tokens.get(after));
    let is_call = function != SLICED && after.is_some_and(|token| token.text == "(");
    let start = operand(tokens, at).filter(|_| !is_call)?;
    let is_loop = start + 1 == at && tokens.get(start)?.text == "loop";
    (!is_loop).then_some(Access {
        start,
        end,
        function,
        name,
    })
}

/// Returns true if a bracket closes after the token at `at`.
fn is_closed_after(tokens: &[Token<'_>], at: usize) -> bool {
    let close = next(tokens, at + 1).and_then(|close| tokens.get(close));
    close.is_some_and(|token| token.text == "]")
}

/// Returns true if the bracket at `at` has a colon of its own.
fn is_slice(tokens: &[Token<'_>], at: usize) -> bool {
    let mut depth = 0_usize;
    for token in tokens.iter().skip(at) {
        match token.text {
            _ if token.kind != TokenKind::Other => {}
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" if depth <= 1 => return false,
            ")" | "]" | "}" => depth -= 1,
            ":" if depth == 1 => return true,
            _ => {}
        }
    }
    false
}

/// Returns the first token from `from` on that is no space.
fn next(tokens: &[Token<'_>], from: usize) -> Option<usize> {
    let rest = tokens.get(from..)?;
    let found = rest.iter().position(|token| token.kind != TokenKind::Space);
    found.map(|at| from + at)
}

/// Returns the last token before `end` that is no space.
fn last(tokens: &[Token<'_>], end: usize) -> Option<usize> {
    let before = tokens.get(..end)?;
    before
        .iter()
        .rposition(|token| token.kind != TokenKind::Space)
}

/// Returns the start of the operand that ends before `end`; `None` if there is none.
fn operand(tokens: &[Token<'_>], end: usize) -> Option<usize> {
    let mut end = end;
    loop {
        let at = last(tokens, end)?;
        let token = tokens.get(at)?;
        let start = match (token.kind, token.text) {
            (_, ")" | "]" | "}") => opening(tokens, at)?,
            (TokenKind::Name | TokenKind::String, _) if !OPERATORS.contains(&token.text) => at,
            (TokenKind::Other, digits) if digits.starts_with(|c: char| c.is_ascii_digit()) => at,
            _ => return None,
        };
        let Some(before) = last(tokens, start).and_then(|before| tokens.get(before)) else {
            return Some(start);
        };
        let is_bracket = matches!(tokens.get(start)?.text, "(" | "[");
        let is_called = match before.kind {
            TokenKind::Name => !OPERATORS.contains(&before.text),
            TokenKind::String => true,
            _ => matches!(before.text, ")" | "]" | "}"),
        };
        match before.text {
            "." => end = last(tokens, start)?,
            "|" => return None,
            _ if is_bracket && is_called => end = start,
            _ => return Some(start),
        }
    }
}

/// Returns the bracket that opens what the one at `close` closes.
fn opening(tokens: &[Token<'_>], close: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let before = tokens.get(..=close)?;
    before.iter().rposition(|token| {
        if token.kind != TokenKind::Other {
            return false;
        }
        match token.text {
            ")" | "]" | "}" => depth += 1,
            "(" | "[" | "{" => depth = depth.saturating_sub(1),
            _ => return false,
        }
        depth == 0
    })
}
