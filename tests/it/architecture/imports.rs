//! Reads the paths within the crate that a source file names: in `use` declarations and in code.

use std::collections::{BTreeMap, BTreeSet};

use super::tokens::{Token, TokenKind, tokens};

/// A path from the root of the crate, without `crate`.
pub type ModulePath = Vec<String>;

/// The paths that one file names, and its modules.
#[derive(Debug, Default)]
pub struct Imports {
    pub uses: Vec<Use>,
    /// Modules declared for tests only.
    pub test_modules: Vec<ModulePath>,
}

/// A path named in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    pub path: ModulePath,
    pub line: usize,
}

/// Reads the imports of the file that holds `module`. `modules` are all modules that have a file.
///
/// Items under `#[cfg(test)]` are left out.
pub fn imports(source: &str, module: &[String], modules: &BTreeSet<ModulePath>) -> Imports {
    let mut reader = Reader {
        tokens: tokens(source),
        at: 0,
        depth: 0,
        module: module.to_vec(),
        inline_modules: Vec::new(),
        modules,
        aliases: BTreeMap::new(),
        code_paths: Vec::new(),
        imports: Imports::default(),
    };
    reader.read();
    reader.resolve_code_paths();
    reader.imports
}

struct Reader<'m> {
    tokens: Vec<Token>,
    at: usize,
    /// Number of open braces.
    depth: usize,
    module: ModulePath,
    /// The brace depths at which the inline modules around `at` opened.
    inline_modules: Vec<usize>,
    modules: &'m BTreeSet<ModulePath>,
    /// Names that `use` declarations give to modules.
    aliases: BTreeMap<String, ModulePath>,
    /// Paths in code whose first segment may turn out to be an alias, with the module around them.
    code_paths: Vec<(ModulePath, Vec<String>, usize)>,
    imports: Imports,
}

impl Reader<'_> {
    fn read(&mut self) {
        while let Some(token) = self.tokens.get(self.at).cloned() {
            if self.skip_test_item() {
                continue;
            }
            let follows_separator = self.at > 0 && self.tokens[self.at - 1].is_separator();
            match &token.kind {
                TokenKind::Name(name) if name == "use" => self.read_use(),
                TokenKind::Name(name) if name == "mod" => self.enter_module(),
                TokenKind::Name(_) if !follows_separator => self.read_path(),
                TokenKind::Symbol('{') => {
                    self.depth += 1;
                    self.at += 1;
                }
                TokenKind::Symbol('}') => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.inline_modules.last() == Some(&self.depth) {
                        self.inline_modules.pop();
                        self.module.pop();
                    }
                    self.at += 1;
                }
                _ => self.at += 1,
            }
        }
    }

    fn name(&self, ahead: usize) -> Option<&str> {
        self.tokens.get(self.at + ahead)?.name()
    }

    fn is(&self, ahead: usize, symbol: char) -> bool {
        self.tokens
            .get(self.at + ahead)
            .is_some_and(|token| token.is(symbol))
    }

    fn is_separator(&self, ahead: usize) -> bool {
        self.tokens
            .get(self.at + ahead)
            .is_some_and(Token::is_separator)
    }

    /// Skips an item under `#[cfg(test)]`. Returns false if the next item is not one.
    fn skip_test_item(&mut self) -> bool {
        let is_cfg = self.is(0, '#')
            && self.is(1, '[')
            && self.name(2) == Some("cfg")
            && self.is(3, '(')
            && (self.name(4) == Some("test")
                || self.name(4) == Some("all") && self.is(5, '(') && self.name(6) == Some("test"));
        if !is_cfg {
            return false;
        }
        while self.is(0, '#') {
            self.at += 1;
            self.skip_group();
        }
        if self.name(0) == Some("mod")
            && let Some(name) = self.name(1)
        {
            let mut path = self.module.clone();
            path.push(name.to_owned());
            self.imports.test_modules.push(path);
        }
        while self.at < self.tokens.len() && !self.is(0, ';') && !self.is(0, '{') {
            self.skip_group();
        }
        self.skip_group();
        true
    }

    /// Skips a token, or a group in brackets.
    fn skip_group(&mut self) {
        let mut depth = 0_usize;
        while let Some(token) = self.tokens.get(self.at) {
            match token.kind {
                TokenKind::Symbol('(' | '[' | '{') => depth += 1,
                TokenKind::Symbol(')' | ']' | '}') => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return;
            }
        }
    }

    fn enter_module(&mut self) {
        if let Some(name) = self.name(1).map(str::to_owned)
            && self.is(2, '{')
        {
            self.module.push(name);
            self.inline_modules.push(self.depth);
            self.depth += 1;
            self.at += 3;
        } else {
            self.at += 2;
        }
    }

    fn read_use(&mut self) {
        self.at += 1;
        if self.is(0, '<') {
            // `impl Trait + use<'a>` captures lifetimes.
            return;
        }
        if !self.is_separator(0) {
            // Paths that begin with `::` name other crates.
            self.read_use_tree(&[]);
        }
        while self.at < self.tokens.len() && !self.is(0, ';') {
            self.at += 1;
        }
    }

    fn read_use_tree(&mut self, prefix: &[String]) {
        let mut path = prefix.to_vec();
        let line = self.tokens.get(self.at).map_or(0, |token| token.line);
        loop {
            if self.is(0, '{') {
                self.at += 1;
                while self.at < self.tokens.len() && !self.is(0, '}') {
                    self.read_use_tree(&path);
                    if self.is(0, ',') {
                        self.at += 1;
                    }
                }
                self.at += 1;
                return;
            }
            if self.is(0, '*') {
                self.at += 1;
                self.add_use(path, None, line);
                return;
            }
            let Some(name) = self.name(0).map(str::to_owned) else {
                self.at += 1;
                return;
            };
            self.at += 1;
            if name != "self" || path.is_empty() {
                path.push(name);
            }
            if !self.is_separator(0) {
                break;
            }
            self.at += 1;
        }
        let mut alias = path.last().cloned();
        if self.name(0) == Some("as") {
            alias = self.name(1).map(str::to_owned);
            self.at += 2;
        }
        self.add_use(path, alias, line);
    }

    fn add_use(&mut self, path: Vec<String>, alias: Option<String>, line: usize) {
        let Some(path) = self.resolve(&self.module, &path) else {
            return;
        };
        if let Some(alias) = alias
            && self.modules.contains(&path)
        {
            self.aliases.insert(alias, path.clone());
        }
        self.imports.uses.push(Use { path, line });
    }

    fn read_path(&mut self) {
        let line = self.tokens[self.at].line;
        let mut path = Vec::new();
        while let Some(name) = self.name(0).map(str::to_owned) {
            path.push(name);
            self.at += 1;
            if !(self.is_separator(0) && self.name(1).is_some()) {
                break;
            }
            self.at += 1;
        }
        if path.len() > 1 {
            self.code_paths.push((self.module.clone(), path, line));
        }
    }

    fn resolve_code_paths(&mut self) {
        for (module, path, line) in std::mem::take(&mut self.code_paths) {
            let path = self.resolve(&module, &path).or_else(|| {
                let mut target = self.aliases.get(&path[0])?.clone();
                target.extend_from_slice(&path[1..]);
                Some(target)
            });
            if let Some(path) = path {
                self.imports.uses.push(Use { path, line });
            }
        }
    }

    /// Returns the path from the root of the crate; `None` if the path leaves the crate.
    fn resolve(&self, module: &[String], path: &[String]) -> Option<ModulePath> {
        let (first, mut rest) = path.split_first()?;
        let mut resolved = module.to_vec();
        match first.as_str() {
            "crate" => resolved.clear(),
            "self" => {}
            "super" => {
                resolved.pop();
                while let Some(("super", after)) = rest
                    .split_first()
                    .map(|(name, after)| (name.as_str(), after))
                {
                    resolved.pop();
                    rest = after;
                }
            }
            child => {
                resolved.push(child.to_owned());
                if !self.modules.contains(&resolved) {
                    return None;
                }
            }
        }
        resolved.extend_from_slice(rest);
        Some(resolved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> ModulePath {
        text.split("::").map(str::to_owned).collect()
    }

    /// The paths that a file of module `a::b` names.
    fn read(source: &str) -> Vec<(String, usize)> {
        let modules = ["a", "a::b", "a::b::child", "a::c", "d", "d::e"].map(path);
        let imports = imports(source, &path("a::b"), &modules.into());
        let uses = imports.uses.iter();
        uses.map(|used| (used.path.join("::"), used.line)).collect()
    }

    fn paths(source: &str) -> Vec<String> {
        read(source).into_iter().map(|(path, _)| path).collect()
    }

    #[test]
    fn a_tree_names_each_of_its_leaves() {
        let source = "pub(crate) use crate::{a::c::{self, X as Y, Z}, d::{e::{*}, F}};";
        assert_eq!(
            paths(source),
            ["a::c", "a::c::X", "a::c::Z", "d::e", "d::F"]
        );
    }

    #[test]
    fn relative_paths_start_at_the_module() {
        let source = "use super::c::X; use super::super::d; use self::child::Y; use child::Z;";
        assert_eq!(
            paths(source),
            ["a::c::X", "d", "a::b::child::Y", "a::b::child::Z"]
        );
    }

    #[test]
    fn other_crates_are_ignored() {
        assert!(paths("use std::fs; use ::serde::Serialize; fn f() { fs::read(); }").is_empty());
    }

    #[test]
    fn paths_in_code_count() {
        let source =
            "fn f(x: crate::d::e::T) -> super::c::U {\n child::g::<super::super::d::V>()\n}";
        assert_eq!(
            read(source),
            [
                ("d::e::T".to_owned(), 1),
                ("a::c::U".to_owned(), 1),
                ("a::b::child::g".to_owned(), 2),
                ("d::V".to_owned(), 2),
            ]
        );
    }

    #[test]
    fn names_given_to_modules_are_followed() {
        let source = "use crate::d; use crate::d::e as f;\nfn g() { d::h(); f::i(); }";
        assert_eq!(paths(source), ["d", "d::e", "d::h", "d::e::i"]);
    }

    #[test]
    fn comments_strings_and_test_items_do_not_count() {
        let source = r#"
            // use crate::d;
            const X: &str = "crate::d";
            #[cfg(test)]
            use crate::d::Y;
            #[cfg(test)]
            #[allow(unused)]
            fn f(x: [u8; 3]) { crate::d::g(); }
            #[cfg(test)]
            mod tests { use crate::d; mod inner { use crate::d; } }
            use super::c;
        "#;
        assert_eq!(paths(source), ["a::c"]);
    }

    #[test]
    fn test_modules_are_known() {
        let modules = BTreeSet::new();
        let found = imports(
            "#[cfg(test)]\nmod tests;\nmod other;",
            &path("a::b"),
            &modules,
        );
        assert_eq!(found.test_modules, [path("a::b::tests")]);
    }

    #[test]
    fn super_within_an_inline_module_is_the_file() {
        let source = "mod inner { use super::child::X; fn f() { if true {} } } use super::c;";
        assert_eq!(paths(source), ["a::b::child::X", "a::c"]);
    }
}
