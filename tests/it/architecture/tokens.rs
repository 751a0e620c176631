//! A lexer for Rust source that keeps what names other modules: identifiers, `::`, and punctuation.

/// A token, with the number of its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub line: usize,
    pub kind: TokenKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenKind {
    Name(String),
    PathSeparator,
    Symbol(char),
}

impl Token {
    pub fn name(&self) -> Option<&str> {
        match &self.kind {
            TokenKind::Name(name) => Some(name),
            _ => None,
        }
    }

    pub fn is(&self, symbol: char) -> bool {
        self.kind == TokenKind::Symbol(symbol)
    }

    pub fn is_separator(&self) -> bool {
        self.kind == TokenKind::PathSeparator
    }
}

/// Splits source into tokens. Comments, literals, and lifetimes are dropped.
pub fn tokens(source: &str) -> Vec<Token> {
    let mut lexer = Lexer {
        characters: source.chars().collect(),
        at: 0,
        line: 1,
    };
    std::iter::from_fn(|| lexer.token()).collect()
}

struct Lexer {
    characters: Vec<char>,
    at: usize,
    line: usize,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.characters.get(self.at + ahead).copied()
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek(0)?;
        self.at += 1;
        self.line += usize::from(character == '\n');
        Some(character)
    }

    fn token(&mut self) -> Option<Token> {
        loop {
            let line = self.line;
            let kind = match self.next()? {
                '/' if self.peek(0) == Some('/') => {
                    while self.peek(0).is_some_and(|character| character != '\n') {
                        self.next();
                    }
                    continue;
                }
                '/' if self.peek(0) == Some('*') => {
                    self.block_comment();
                    continue;
                }
                '"' => {
                    self.string();
                    continue;
                }
                '\'' => {
                    self.character_or_lifetime();
                    continue;
                }
                ':' if self.peek(0) == Some(':') => {
                    self.next();
                    TokenKind::PathSeparator
                }
                first if first.is_ascii_digit() => {
                    self.word(first);
                    continue;
                }
                first if is_word(first) => {
                    let word = self.word(first);
                    match (word.as_str(), self.peek(0)) {
                        ("b" | "c", Some('"')) => {
                            self.next();
                            self.string();
                            continue;
                        }
                        ("b", Some('\'')) => {
                            self.next();
                            self.character_or_lifetime();
                            continue;
                        }
                        ("r" | "br" | "cr", Some('"' | '#')) if self.raw_string() => continue,
                        _ => TokenKind::Name(word),
                    }
                }
                space if space.is_whitespace() => continue,
                symbol => TokenKind::Symbol(symbol),
            };
            return Some(Token { line, kind });
        }
    }

    fn word(&mut self, first: char) -> String {
        let mut word = String::from(first);
        while let Some(character) = self.peek(0).filter(|character| is_word(*character)) {
            word.push(character);
            self.next();
        }
        word
    }

    /// Skips the rest of a block comment, which may hold others.
    fn block_comment(&mut self) {
        let mut depth = 0;
        self.at -= 1;
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some('/'), Some('*')) => depth += 1,
                (Some('*'), Some('/')) => depth -= 1,
                (None, _) => return,
                _ => {
                    self.next();
                    continue;
                }
            }
            self.next();
            self.next();
            if depth == 0 {
                return;
            }
        }
    }

    /// Skips the rest of a string literal.
    fn string(&mut self) {
        while let Some(character) = self.next() {
            match character {
                '\\' => drop(self.next()),
                '"' => return,
                _ => {}
            }
        }
    }

    /// Skips the rest of a raw string literal. Returns false, and skips nothing, at a raw identifier.
    fn raw_string(&mut self) -> bool {
        let mut hashes = 0;
        while self.peek(hashes) == Some('#') {
            hashes += 1;
        }
        if self.peek(hashes) != Some('"') {
            return false;
        }
        for _ in 0..=hashes {
            self.next();
        }
        while let Some(character) = self.next() {
            if character == '"' && (0..hashes).all(|index| self.peek(index) == Some('#')) {
                for _ in 0..hashes {
                    self.next();
                }
                return true;
            }
        }
        true
    }

    /// Skips the rest of a character literal, or only the quote of a lifetime.
    fn character_or_lifetime(&mut self) {
        if self.peek(0) == Some('\\') {
            self.next();
            self.next();
            while self.next().is_some_and(|character| character != '\'') {}
        } else if self.peek(1) == Some('\'') {
            self.next();
            self.next();
        } else {
            while self.peek(0).is_some_and(is_word) {
                self.next();
            }
        }
    }
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(source: &str) -> Vec<String> {
        tokens(source)
            .iter()
            .filter_map(|token| Some(token.name()?.to_owned()))
            .collect()
    }

    #[test]
    fn comments_and_literals_hold_no_names() {
        let source = r##"
            a // b
            /* c /* d */ e */ f
            "g \" h" b"i" r"j\" k r#"l " m"# br#"n"# c"o"
            'p' '\'' '\u{71}' b'r' b'\'' 12_u32 s
        "##;
        assert_eq!(names(source), ["a", "f", "k", "s"]);
    }

    #[test]
    fn lifetimes_are_no_characters() {
        assert_eq!(
            names("fn a<'b>(c: &'b str, d: &'static e)"),
            ["fn", "a", "c", "str", "d", "e"]
        );
    }

    #[test]
    fn a_raw_identifier_is_a_name() {
        assert!(names("r#type").contains(&"type".to_owned()));
    }

    #[test]
    fn tokens_know_their_lines() {
        let lines: Vec<usize> = tokens("a\n\"\n\"\n/*\n*/b::\nc")
            .iter()
            .map(|token| token.line)
            .collect();
        assert_eq!(lines, [1, 5, 5, 6]);
    }
}
