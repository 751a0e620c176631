//! The arguments of commands that take PATHs: files, directories, and filters for the files in directories.

use std::path::{Path, PathBuf};

use clap::Args;
use ignore::overrides::{Override, OverrideBuilder};
use ignore::types::{FileTypeDef, Types, TypesBuilder};

use crate::commands::session::Session;
use crate::error::closest;
use crate::error::{Error, Result};

/// PATHs, and filters for the files in directories.
#[derive(Debug, Clone, Default, Args)]
pub struct PathArgs {
    /// Files and directories; `-` is standard input. In directories, ignored, hidden and binary files are skipped
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    #[command(flatten)]
    pub filters: FileFilters,
    /// Print the file types that --type knows
    #[arg(long, help_heading = "Files of directories")]
    pub type_list: bool,
}

/// Filters for the files in directories. They do not apply to files named on the command line.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Files of directories")]
pub struct FileFilters {
    /// Only files whose path matches; `!GLOB` excludes files, and the last matching glob decides (repeatable)
    #[arg(short, long = "glob", value_name = "GLOB")]
    pub globs: Vec<String>,
    /// Only files of this type, such as rust, py or md (repeatable)
    #[arg(short, long = "type", value_name = "TYPE")]
    pub types: Vec<String>,
    /// No files of this type (repeatable)
    #[arg(short = 'T', long = "type-not", value_name = "TYPE")]
    pub types_not: Vec<String>,
    /// Include hidden files and directories
    #[arg(long)]
    pub hidden: bool,
    /// Include files excluded by .gitignore, .ignore and the like
    #[arg(long)]
    pub no_ignore: bool,
    /// Follow symbolic links
    #[arg(short = 'L', long)]
    pub follow: bool,
}

impl PathArgs {
    /// Prints the known file types, one per line with its globs.
    ///
    /// # Errors
    /// Fails with [`Error::Usage`] if a machine-readable format was chosen.
    pub fn print_types(session: &mut Session) -> Result<()> {
        session.only_for_people("--type-list")?;
        let line = |kind: &FileTypeDef| format!("{}: {}", kind.name(), kind.globs().join(", "));
        let types = default_types().definitions();
        types.iter().try_for_each(|kind| session.bare(&line(kind)))
    }
}

impl FileFilters {
    /// Returns a flag that leaves out files, if one is given.
    pub fn selection(&self) -> Option<&'static str> {
        let given = [
            (&self.globs, "--glob"),
            (&self.types, "--type"),
            (&self.types_not, "--type-not"),
        ];
        let given = given.iter().find(|(values, _)| !values.is_empty());
        given.map(|(_, flag)| *flag)
    }

    /// Checks that no flag leaves out files, for a command line without paths.
    ///
    /// # Errors
    /// Fails with [`Error::Usage`] for the first such flag.
    pub fn refuse_selection(&self) -> Result<()> {
        match self.selection() {
            None => Ok(()),
            Some(flag) => Err(Error::usage_hint(
                format!("`{flag}` selects files in directories, but no path is given"),
                "name a directory: `.` is the current one",
            )),
        }
    }

    /// Builds the matcher of `--type` and `--type-not`.
    ///
    /// # Errors
    /// Fails with [`Error::Usage`] for an unknown type.
    pub fn type_matcher(&self) -> Result<Types> {
        check_types(&self.types)?;
        check_types(&self.types_not)?;
        let mut types = default_types();
        for name in &self.types {
            types.select(name);
        }
        for name in &self.types_not {
            types.negate(name);
        }
        let types = types.build();
        types.map_err(|error| Error::usage(one_line(&error)))
    }
}

/// Builds a matcher of globs in the syntax of `--glob`. Globs with a slash are relative to `base`.
///
/// # Errors
/// Fails with [`Error::Usage`] for an invalid glob.
pub fn glob_matcher(globs: &[String], base: &Path) -> Result<Override> {
    let mut overrides = OverrideBuilder::new(base);
    for glob in globs {
        overrides.add(glob).map_err(|error| match error {
            ignore::Error::Glob { err, .. } => {
                Error::usage(format!("`{glob}` is not a glob: {err}"))
            }
            other => Error::usage(format!("`{glob}` is not a glob: {}", one_line(&other))),
        })?;
    }
    overrides
        .build()
        .map_err(|error| Error::usage(one_line(&error)))
}

/// Checks that every name is a file type.
///
/// # Errors
/// Fails with [`Error::Usage`] for the first name that is not.
pub fn check_types(names: &[String]) -> Result<()> {
    let known = default_types().definitions();
    names.iter().try_for_each(|name| check_type(&known, name))
}

fn check_type(known: &[FileTypeDef], name: &str) -> Result<()> {
    let known_names = known.iter().map(FileTypeDef::name);
    if name == "all" || known_names.clone().any(|known| known == name) {
        return Ok(());
    }
    Err(Error::usage_hint(
        format!("`{name}` is not a file type"),
        match closest(name, known_names) {
            Some(closest) => format!("did you mean `{closest}`?"),
            None => "`tokscope count --type-list` prints the file types".to_owned(),
        },
    ))
}

fn default_types() -> TypesBuilder {
    let mut types = TypesBuilder::new();
    types.add_defaults();
    types
}

/// Returns the directory that globs on the command line are relative to.
pub fn current_dir() -> PathBuf {
    std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."))
}

/// Formats an error of the `ignore` crate on one line.
pub fn one_line(error: &ignore::Error) -> String {
    error.to_string().replace('\n', "; ")
}
