//! `tokscope.toml` → what a count of this repository is.

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::budget::{Budget, Budgets, Rule};
use super::walk::{Filters, known_types, overrides};
use crate::commands::input::did_you_mean::closest;
use crate::commands::input::read_limited;
use crate::error::{Error, Result};
use crate::record::Group;

/// The name of the file.
pub const FILE: &str = "tokscope.toml";
/// Bytes of a file.
const MAX_CONFIG: u64 = 1 << 20;

/// What a configuration file says. Keys are the names of options, and mean the same.
#[derive(Debug, Default)]
pub struct Config {
    pub model: Option<String>,
    pub revision: Option<String>,
    /// Files and directories, as seen from where the program runs.
    pub paths: Vec<PathBuf>,
    pub filters: Filters,
    pub no_special_tokens: bool,
    pub budgets: Budgets,
    /// Where the file is, as seen from where the program runs; empty for here.
    pub folder: PathBuf,
}

const TOP: &[&str] = &["model", "revision", "count"];
const COUNT: &[&str] = &[
    "paths",
    "glob",
    "type",
    "type-not",
    "hidden",
    "no-ignore",
    "follow",
    "no-special-tokens",
    "budget",
    "budget-per-file",
    "budgets",
];
const BUDGETS: &[&str] = &["glob", "budget", "budget-per-file"];

/// Looks for the file here and above, up to the root of the repository; only here where there is no repository.
pub fn find() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    let depth = here
        .ancestors()
        .position(|folder| folder.join(".git").exists())
        .unwrap_or(0);
    let above = |depth: usize| -> PathBuf {
        let parents = std::iter::repeat_n("..", depth);
        parents.chain([FILE]).collect()
    };
    (0..=depth).map(above).find(|file| file.is_file())
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::ReadInput`], and [`Error::BadConfig`] for what is not as it should be.
    pub fn read(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let bytes = read_limited::read(path, MAX_CONFIG).map_err(|source| Error::ReadInput {
            input: name.clone(),
            source,
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        match String::from_utf8(bytes) {
            Ok(text) => Self::parse(&name, folder, &text),
            Err(error) => {
                let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
                Err(Error::BadConfig {
                    file: name,
                    line: 1 + memchr::memchr_iter(b'\n', good).count(),
                    problem: "it is not UTF-8".to_owned(),
                    hint: None,
                })
            }
        }
    }

    /// Reads the text of a file, which `name` names in errors.
    fn parse(name: &str, folder: &Path, text: &str) -> Result<Self> {
        let reader = Reader { name, text };
        let table = DeTable::parse(text).map_err(|error| {
            let at = error.span().unwrap_or(0..0);
            reader.bad(&at, error.message().replace('\n', ", "))
        })?;
        let mut config = Self {
            folder: folder.to_owned(),
            ..Self::default()
        };
        for (key, value) in table.get_ref() {
            match key.get_ref().as_ref() {
                "model" => config.model = Some(reader.string(key, value)?),
                "revision" => config.revision = Some(reader.string(key, value)?),
                "count" => {
                    let table = value.get_ref().as_table();
                    let table = table.ok_or_else(|| reader.wrong(key, value, "a table"))?;
                    reader.count(table, &mut config)?;
                }
                _ => return Err(reader.unknown(key, "the file", TOP)),
            }
        }
        // A directory is meant as seen from the file.
        if let Some(model) = &mut config.model
            && config.folder.join(&*model).is_dir()
        {
            let directory = config.folder.join(&*model);
            *model = format!("./{}", directory.display());
            if directory.is_absolute() {
                *model = directory.display().to_string();
            }
        }
        Ok(config)
    }
}

type Key<'t> = Spanned<toml::de::DeString<'t>>;
type Value<'t> = Spanned<DeValue<'t>>;

struct Reader<'a> {
    name: &'a str,
    text: &'a str,
}

impl Reader<'_> {
    fn count(&self, table: &DeTable, config: &mut Config) -> Result<()> {
        let folder = config.folder.clone();
        for (key, value) in table {
            let filters = &mut config.filters;
            let budgets = &mut config.budgets;
            match key.get_ref().as_ref() {
                "paths" => {
                    let paths = self.strings(key, value)?;
                    config.paths = paths.iter().map(|path| folder.join(path)).collect();
                }
                "glob" => {
                    filters.globs = self.strings(key, value)?;
                    let globs = overrides(&filters.globs, Path::new("."));
                    globs.map_err(|error| self.refused(&key.span(), &error))?;
                }
                "type" | "type-not" => {
                    let types = self.strings(key, value)?;
                    known_types(&types).map_err(|error| self.refused(&key.span(), &error))?;
                    match key.get_ref().as_ref() {
                        "type" => filters.types = types,
                        _ => filters.types_not = types,
                    }
                }
                "hidden" => filters.hidden = self.bool(key, value)?,
                "no-ignore" => filters.no_ignore = self.bool(key, value)?,
                "follow" => filters.follow = self.bool(key, value)?,
                "no-special-tokens" => config.no_special_tokens = self.bool(key, value)?,
                "budget" => budgets.total = Some(self.budget(key, value)?),
                "budget-per-file" => budgets.per_file = Some(self.budget(key, value)?),
                "budgets" => {
                    let rules = value.get_ref().as_array();
                    let wrong = || self.wrong(key, value, "a list of tables");
                    for rule in rules.ok_or_else(wrong)?.iter() {
                        let table = rule.get_ref().as_table();
                        let rule = self.rule(rule, table.ok_or_else(wrong)?)?;
                        budgets.rules.push(rule);
                    }
                }
                _ => return Err(self.unknown(key, "[count]", COUNT)),
            }
        }
        Ok(())
    }

    fn rule(&self, place: &Value, table: &DeTable) -> Result<Rule> {
        let (mut globs, mut budget, mut per_file) = (Vec::new(), None, None);
        let mut at = place.span();
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "glob" => {
                    globs = self.strings(key, value)?;
                    at = value.span();
                }
                "budget" => budget = Some(self.budget(key, value)?),
                "budget-per-file" => per_file = Some(self.budget(key, value)?),
                _ => return Err(self.unknown(key, "[[count.budgets]]", BUDGETS)),
            }
        }
        if globs.is_empty() {
            return Err(self.bad(&at, "a budget of [[count.budgets]] has no `glob`"));
        }
        if budget.is_none() && per_file.is_none() {
            let problem = "a budget of [[count.budgets]] has no `budget` and no `budget-per-file`";
            return Err(self.bad(&at, problem));
        }
        // Paths are compared as seen from the file's folder.
        let matcher = overrides(&globs, Path::new("."));
        Ok(Rule {
            matcher: matcher.map_err(|error| self.refused(&at, &error))?,
            per_file,
            sum: Group {
                by: "glob",
                name: globs.join(" "),
                budget,
                ..Group::default()
            },
        })
    }

    fn string(&self, key: &Key, value: &Value) -> Result<String> {
        let text = value.get_ref().as_str().map(str::to_owned);
        text.ok_or_else(|| self.wrong(key, value, "a string"))
    }

    /// A list of strings, or one.
    fn strings(&self, key: &Key, value: &Value) -> Result<Vec<String>> {
        let Some(list) = value.get_ref().as_array() else {
            return Ok(vec![self.string(key, value).map_err(|_| {
                self.wrong(key, value, "a string or a list of strings")
            })?]);
        };
        list.iter()
            .map(|item| self.string(key, item))
            .collect::<Result<_>>()
            .map_err(|_| self.wrong(key, value, "a string or a list of strings"))
    }

    fn bool(&self, key: &Key, value: &Value) -> Result<bool> {
        let flag = value.get_ref().as_bool();
        flag.ok_or_else(|| self.wrong(key, value, "true or false"))
    }

    fn budget(&self, key: &Key, value: &Value) -> Result<u64> {
        let text = match value.get_ref() {
            DeValue::String(text) => text.as_ref(),
            DeValue::Integer(number) if number.radix() == 10 => number.as_str(),
            _ => return Err(self.wrong(key, value, "a number of tokens, such as 8000 or \"8k\"")),
        };
        let budget: Result<Budget, _> = text.parse();
        budget.map(|budget| budget.0).map_err(|problem| {
            let problem = format!("`{}` is {text}, and {problem}", key.get_ref());
            self.bad(&key.span(), problem)
        })
    }

    /// A key whose value is of a wrong kind.
    fn wrong(&self, key: &Key, value: &Value, wanted: &str) -> Error {
        let kind = match value.get_ref() {
            DeValue::Array(_) => "a list",
            DeValue::Boolean(_) => "true or false",
            DeValue::String(_) => "a string",
            DeValue::Table(_) => "a table",
            DeValue::Integer(_) | DeValue::Float(_) => "a number",
            DeValue::Datetime(_) => "a date",
        };
        let problem = match kind == wanted {
            true => format!("`{}` is not {wanted}", key.get_ref()),
            false => format!("`{}` is {kind}, and {wanted} is wanted", key.get_ref()),
        };
        self.bad(&key.span(), problem)
    }

    fn unknown(&self, key: &Key, place: &str, known: &[&str]) -> Error {
        let name = key.get_ref().as_ref();
        let hint = match closest(name, known.iter().copied()) {
            Some(near) => format!("`{near}` is one"),
            None => format!("its keys are {}", known.join(", ")),
        };
        Error::BadConfig {
            file: self.name.to_owned(),
            line: self.line(&key.span()),
            problem: format!("`{name}` is not a key of {place}"),
            hint: Some(hint),
        }
    }

    fn bad(&self, at: &Range<usize>, problem: impl Into<String>) -> Error {
        Error::BadConfig {
            file: self.name.to_owned(),
            line: self.line(at),
            problem: problem.into(),
            hint: None,
        }
    }

    /// What an option would be refused with, at its place.
    fn refused(&self, at: &Range<usize>, error: &Error) -> Error {
        Error::BadConfig {
            file: self.name.to_owned(),
            line: self.line(at),
            problem: error.to_string(),
            hint: error.hint(),
        }
    }

    /// The line, from 1, of a place in the text.
    fn line(&self, at: &Range<usize>) -> usize {
        let before = self.text.as_bytes().get(..at.start).unwrap_or_default();
        1 + memchr::memchr_iter(b'\n', before).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config> {
        Config::parse("tokscope.toml", Path::new("up"), text)
    }

    #[test]
    fn a_full_file_is_read() {
        let config = parse(
            r#"
            model = "demo"
            revision = "main"
            [count]
            paths = ["a", "b"]
            glob = "*.md"
            type = ["rust"]
            type-not = "py"
            hidden = true
            no-ignore = true
            follow = true
            no-special-tokens = true
            budget = 8_000
            budget-per-file = "1.5k"
            [[count.budgets]]
            glob = ["a/*.md", "!a/x.md"]
            budget = "1k"
            [[count.budgets]]
            glob = "b/**"
            budget-per-file = 7
            "#,
        );
        let config = config.unwrap();
        assert_eq!(config.model.as_deref(), Some("demo"));
        assert_eq!(config.paths, [Path::new("up/a"), Path::new("up/b")]);
        assert_eq!(config.filters.globs, ["*.md"]);
        let budgets = &config.budgets;
        assert_eq!(
            (budgets.total, budgets.per_file),
            (Some(8_000), Some(1_500))
        );
        assert_eq!(budgets.rules[0].sum.name, "a/*.md !a/x.md");
        assert_eq!(budgets.rules[0].sum.budget, Some(1_000));
        assert_eq!(budgets.rules[1].per_file, Some(7));
    }

    #[test]
    fn every_key_that_is_offered_is_read() {
        for (place, keys) in [
            ("", TOP),
            ("[count]\n", COUNT),
            ("[[count.budgets]]\n", BUDGETS),
        ] {
            for key in keys {
                // A date is no value of any key, and the key is looked at first.
                let error = parse(&format!("{place}{key} = 2000-01-01")).unwrap_err();
                assert!(error.to_string().contains("is a date"), "{key}: {error}");
            }
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, sentence, hint) in [
            (
                "model = 7",
                "line 1 of tokscope.toml: `model` is a number, and a string is wanted",
                None,
            ),
            (
                "modle = \"x\"",
                "line 1 of tokscope.toml: `modle` is not a key of the file",
                Some("`model` is one"),
            ),
            (
                "\n[count]\nbudgte = 7",
                "line 3 of tokscope.toml: `budgte` is not a key of [count]",
                Some("`budget` is one"),
            ),
            (
                "[[count.budgets]]\nglob = \"a\"\nzzz = 1",
                "line 3 of tokscope.toml: `zzz` is not a key of [[count.budgets]]",
                Some("its keys are glob, budget, budget-per-file"),
            ),
            (
                "[count]\nbudget = \"lots\"",
                "line 2 of tokscope.toml: `budget` is lots, and a number of tokens is written like 8000, 8k or 1.5m",
                None,
            ),
            (
                "[count]\nbudget = -1",
                "line 2 of tokscope.toml: `budget` is -1, and a number of tokens is written like 8000, 8k or 1.5m",
                None,
            ),
            (
                "[count]\nbudget = 1.5",
                "line 2 of tokscope.toml: `budget` is a number, and a number of tokens, such as 8000 or \"8k\" is wanted",
                None,
            ),
            (
                "[[count.budgets]]\nbudget = 7",
                "line 1 of tokscope.toml: a budget of [[count.budgets]] has no `glob`",
                None,
            ),
            (
                "[[count.budgets]]\nglob = \"a\"",
                "line 2 of tokscope.toml: a budget of [[count.budgets]] has no `budget` and no `budget-per-file`",
                None,
            ),
            (
                "[[count.budgets]]\nbudget = 7\nglob = \"[\"",
                "line 3 of tokscope.toml: `[` is not a glob: unclosed character class; missing ']'",
                None,
            ),
            (
                "[count]\nbudgets = 7",
                "line 2 of tokscope.toml: `budgets` is a number, and a list of tables is wanted",
                None,
            ),
            (
                "[count]\nhidden = 1",
                "line 2 of tokscope.toml: `hidden` is a number, and true or false is wanted",
                None,
            ),
            (
                "[count]\nglob = [1]",
                "line 2 of tokscope.toml: `glob` is a list, and a string or a list of strings is wanted",
                None,
            ),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.to_string(), sentence);
            assert_eq!(error.hint().as_deref(), hint, "{text}");
        }
    }

    #[test]
    fn what_is_no_toml_is_said_with_its_line() {
        for (text, line) in [
            ("[count", 1),
            ("model = \"x\nrevision = \"y\"", 1),
            ("\n\nmodel", 3),
            ("a = 1\na = 2", 2),
            ("\0", 1),
        ] {
            let error = parse(text).unwrap_err().to_string();
            let start = format!("line {line} of tokscope.toml: ");
            assert!(
                error.starts_with(&start) && !error.contains('\n'),
                "{error}"
            );
        }
        // Deep nesting is refused, and not followed.
        let deep = format!("a = {}", "[".repeat(100_000));
        parse(&deep).unwrap_err();
    }
}
