//! Reads `tokscope.toml`, the settings of `count` for a repository.

use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::budget::{Budgets, Rule};
use super::config_reader::{ConfigReader, Key, Value};
use crate::commands::input::file_filters::{FileFilters, check_types, glob_matcher};
use crate::error::{Error, Result};
use crate::record::Group;
use crate::source::{Reading, read_limited};

/// The name of the file.
pub const FILE: &str = "tokscope.toml";
/// Maximum size of a file, in bytes.
const MAX_CONFIG: u64 = 1 << 20;

/// The settings of a configuration file. Its keys have the names and meanings of the options.
#[derive(Debug, Default)]
pub struct Config {
    pub model: Option<String>,
    pub revision: Option<String>,
    pub model_file: Option<String>,
    pub reading: Option<Reading>,
    /// Files and directories, relative to the current directory.
    pub paths: Vec<PathBuf>,
    pub filters: FileFilters,
    pub no_special_tokens: bool,
    pub budgets: Budgets,
    /// The directory of the file, relative to the current directory; empty if they are the same.
    folder: PathBuf,
}

const TOP_KEYS: &[&str] = &["model", "revision", "model-file", "reading", "count"];
const COUNT_KEYS: &[&str] = &[
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
const BUDGETS_KEYS: &[&str] = &["glob", "budget", "budget-per-file"];

/// Looks for the file in the current directory and its parents, up to the root of the repository. Outside a repository,
/// looks only in the current directory.
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
    (0..=depth)
        .map(above)
        .find(|file| file.metadata().is_ok_and(|found| !found.is_dir()))
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    /// Fails with [`Error::ReadInput`], or with [`Error::BadConfig`] for an invalid file.
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
                let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
                Err(Error::BadConfig {
                    file: name,
                    line: 1 + memchr::memchr_iter(b'\n', valid).count(),
                    problem: "it is not UTF-8".to_owned(),
                    hint: None,
                })
            }
        }
    }

    /// The directory of the file: its globs and budgets are relative to it.
    pub fn base(&self) -> PathBuf {
        if self.folder.as_os_str().is_empty() {
            return PathBuf::from(".");
        }
        self.folder.clone()
    }

    /// Parses the text of a file. Errors call the file `name`.
    fn parse(name: &str, folder: &Path, text: &str) -> Result<Self> {
        let reader = ConfigReader { name, text };
        let table = DeTable::parse(text).map_err(|error| {
            let range = error.span().unwrap_or(0..0);
            reader.error(&range, error.message().replace('\n', ", "))
        })?;
        let mut config = Self {
            folder: folder.to_owned(),
            ..Self::default()
        };
        for (key, value) in table.get_ref() {
            match key.get_ref().as_ref() {
                "model" => config.model = Some(reader.string(key, value)?),
                "revision" => config.revision = Some(reader.string(key, value)?),
                "model-file" => config.model_file = Some(reader.string(key, value)?),
                "reading" => config.reading = Some(reading(&reader, key, value)?),
                "count" => {
                    let table = value.get_ref().as_table();
                    let table = table.ok_or_else(|| reader.wrong_type(key, value, "a table"))?;
                    config.read_count(&reader, table)?;
                }
                _ => return Err(reader.unknown_key(key, "the file", TOP_KEYS)),
            }
        }
        config.resolve_model();
        Ok(config)
    }

    /// If the model is a directory, makes its path relative to the current directory instead of to the file.
    fn resolve_model(&mut self) {
        let Some(model) = &mut self.model else { return };
        let directory = self.folder.join(&*model);
        if !directory.is_dir() {
            return;
        }
        *model = if directory.is_absolute() {
            directory.display().to_string()
        } else {
            format!("./{}", directory.display())
        };
    }

    fn read_count(&mut self, reader: &ConfigReader, table: &DeTable) -> Result<()> {
        let (filters, budgets) = (&mut self.filters, &mut self.budgets);
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "paths" => {
                    let paths = reader.strings(key, value)?;
                    self.paths = paths.iter().map(|path| self.folder.join(path)).collect();
                }
                "glob" => {
                    filters.globs = reader.strings(key, value)?;
                    let globs = glob_matcher(&filters.globs, Path::new("."));
                    globs.map_err(|error| reader.refused(&key.span(), &error))?;
                }
                "type" => filters.types = types(reader, key, value)?,
                "type-not" => filters.types_not = types(reader, key, value)?,
                "hidden" => filters.hidden = reader.bool(key, value)?,
                "no-ignore" => filters.no_ignore = reader.bool(key, value)?,
                "follow" => filters.follow = reader.bool(key, value)?,
                "no-special-tokens" => self.no_special_tokens = reader.bool(key, value)?,
                "budget" => budgets.total = Some(reader.budget(key, value)?),
                "budget-per-file" => budgets.per_file = Some(reader.budget(key, value)?),
                "budgets" => {
                    let rules = value.get_ref().as_array();
                    let wrong_type = || reader.wrong_type(key, value, "a list of tables");
                    for rule in rules.ok_or_else(wrong_type)?.iter() {
                        let table = rule.get_ref().as_table();
                        let rule = budget_rule(reader, rule, table.ok_or_else(wrong_type)?)?;
                        budgets.rules.push(rule);
                    }
                }
                _ => return Err(reader.unknown_key(key, "[count]", COUNT_KEYS)),
            }
        }
        Ok(())
    }
}

fn reading(reader: &ConfigReader, key: &Key, value: &Value) -> Result<Reading> {
    let name = reader.string(key, value)?;
    Reading::from_name(&name).ok_or_else(|| {
        let names = Reading::ALL.map(Reading::name).join(", ");
        reader.error(
            &value.span(),
            format!("`reading` must be one of {names}, not `{name}`"),
        )
    })
}

fn types(reader: &ConfigReader, key: &Key, value: &Value) -> Result<Vec<String>> {
    let types = reader.strings(key, value)?;
    check_types(&types).map_err(|error| reader.refused(&key.span(), &error))?;
    Ok(types)
}

/// Reads a table of `[[count.budgets]]`.
fn budget_rule(reader: &ConfigReader, rule: &Value, table: &DeTable) -> Result<Rule> {
    let (mut globs, mut budget, mut per_file) = (Vec::new(), None, None);
    let mut range = rule.span();
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "glob" => {
                globs = reader.strings(key, value)?;
                range = value.span();
            }
            "budget" => budget = Some(reader.budget(key, value)?),
            "budget-per-file" => per_file = Some(reader.budget(key, value)?),
            _ => return Err(reader.unknown_key(key, "[[count.budgets]]", BUDGETS_KEYS)),
        }
    }
    if globs.is_empty() {
        return Err(reader.error(&range, "a table of [[count.budgets]] has no `glob`"));
    }
    if budget.is_none() && per_file.is_none() {
        let problem = "a table of [[count.budgets]] has neither `budget` nor `budget-per-file`";
        return Err(reader.error(&range, problem));
    }
    // Paths are matched relative to the directory of the file.
    let matcher = glob_matcher(&globs, Path::new("."));
    Ok(Rule {
        matcher: matcher.map_err(|error| reader.refused(&range, &error))?,
        per_file,
        sum: Group {
            by: "glob",
            name: globs.join(" "),
            budget,
            ..Group::default()
        },
    })
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
            model-file = "a/q4.gguf"
            reading = "transformers-5"
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
        assert_eq!(config.reading, Some(Reading::Transformers5));
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
    fn every_known_key_is_read() {
        for (place, keys) in [
            ("", TOP_KEYS),
            ("[count]\n", COUNT_KEYS),
            ("[[count.budgets]]\n", BUDGETS_KEYS),
        ] {
            for key in keys {
                // No key takes a date; an unknown key would be reported as unknown before its value is looked at.
                let error = parse(&format!("{place}{key} = 2000-01-01")).unwrap_err();
                assert!(error.to_string().contains("not a date"), "{key}: {error}");
            }
        }
    }

    #[test]
    fn an_invalid_value_is_reported_with_its_line() {
        for (text, sentence, hint) in [
            (
                "model = 7",
                "line 1 of tokscope.toml: `model` must be a string, not a number",
                None,
            ),
            (
                "modle = \"x\"",
                "line 1 of tokscope.toml: `modle` is not a key of the file",
                Some("did you mean `model`?"),
            ),
            (
                "\n[count]\nbudgte = 7",
                "line 3 of tokscope.toml: `budgte` is not a key of [count]",
                Some("did you mean `budget`?"),
            ),
            (
                "[[count.budgets]]\nglob = \"a\"\nzzz = 1",
                "line 3 of tokscope.toml: `zzz` is not a key of [[count.budgets]]",
                Some("its keys are glob, budget, budget-per-file"),
            ),
            (
                "[count]\nbudget = \"lots\"",
                "line 2 of tokscope.toml: `budget` is `lots`: expected a number of tokens such as 8000, 8k or 1.5m",
                None,
            ),
            (
                "[count]\nbudget = -1",
                "line 2 of tokscope.toml: `budget` is `-1`: expected a number of tokens such as 8000, 8k or 1.5m",
                None,
            ),
            (
                "[count]\nbudget = 1.5",
                "line 2 of tokscope.toml: `budget` must be a number of tokens, such as 8000 or \"8k\", not a number",
                None,
            ),
            (
                "[[count.budgets]]\nbudget = 7",
                "line 1 of tokscope.toml: a table of [[count.budgets]] has no `glob`",
                None,
            ),
            (
                "[[count.budgets]]\nglob = \"a\"",
                "line 2 of tokscope.toml: a table of [[count.budgets]] has neither `budget` nor `budget-per-file`",
                None,
            ),
            (
                "[[count.budgets]]\nbudget = 7\nglob = \"[\"",
                "line 3 of tokscope.toml: `[` is not a glob: unclosed character class; missing ']'",
                None,
            ),
            (
                "[count]\nbudgets = 7",
                "line 2 of tokscope.toml: `budgets` must be a list of tables, not a number",
                None,
            ),
            (
                "[count]\nhidden = 1",
                "line 2 of tokscope.toml: `hidden` must be true or false, not a number",
                None,
            ),
            (
                "[count]\nglob = [1]",
                "line 2 of tokscope.toml: `glob` must be a string or a list of strings, not a list",
                None,
            ),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.to_string(), sentence);
            assert_eq!(error.hint().as_deref(), hint, "{text}");
        }
    }

    #[test]
    fn invalid_toml_is_reported_with_its_line() {
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
        // Deep nesting is refused, rather than overflowing the stack.
        let deep = format!("a = {}", "[".repeat(100_000));
        parse(&deep).unwrap_err();
    }
}
