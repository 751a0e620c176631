//! Paths → the files to be counted: trees are walked as `rg` walks them, in one order.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use ignore::overrides::{Override, OverrideBuilder};
use ignore::types::{FileTypeDef, Types, TypesBuilder};
use ignore::{DirEntry, WalkBuilder};

use crate::commands::input::did_you_mean::closest;
use crate::error::{Error, Result};

/// Which files of a tree are counted. A file that is named is counted whatever these say.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Files of directories")]
pub struct Filters {
    /// Only files whose path matches; `!GLOB` leaves files out, and the last glob that matches decides (repeatable)
    #[arg(short, long = "glob", value_name = "GLOB")]
    pub globs: Vec<String>,
    /// Only files of this type, such as rust, py or md (repeatable)
    #[arg(short, long = "type", value_name = "TYPE")]
    pub types: Vec<String>,
    /// No files of this type (repeatable)
    #[arg(short = 'T', long = "type-not", value_name = "TYPE")]
    pub types_not: Vec<String>,
    /// Hidden files and directories too
    #[arg(long)]
    pub hidden: bool,
    /// Files too that .gitignore, .ignore and the like leave out
    #[arg(long)]
    pub no_ignore: bool,
    /// Go where symbolic links lead
    #[arg(short = 'L', long)]
    pub follow: bool,
}

/// What is to be counted, in order.
#[derive(Debug)]
pub enum Item {
    File(Found),
    Stdin,
    /// A directory, or what a link leads to, that cannot be read.
    Unreadable(String, Error),
    /// Something about the tree that a person should know.
    Note(String),
}

/// A file to be counted.
#[derive(Debug)]
pub struct Found {
    pub path: PathBuf,
    /// It was named, rather than found in a tree: then it is an error if it is no text.
    pub named: bool,
}

/// A walk that has not begun.
pub struct Walk {
    roots: Vec<PathBuf>,
    overrides: Override,
    types: Types,
    hidden: bool,
    no_ignore: bool,
    follow: bool,
}

impl Walk {
    /// The walk of files and trees, in the order of `roots`. Globs with a slash are seen from `base`.
    ///
    /// # Errors
    /// [`Error::Usage`] for what is no glob and no type of files.
    pub fn new(roots: Vec<PathBuf>, filters: &Filters, base: &Path) -> Result<Self> {
        let mut types = TypesBuilder::new();
        types.add_defaults();
        known_types(&filters.types)?;
        known_types(&filters.types_not)?;
        for name in &filters.types {
            types.select(name);
        }
        for name in &filters.types_not {
            types.negate(name);
        }
        Ok(Self {
            roots,
            overrides: overrides(&filters.globs, base)?,
            types: types
                .build()
                .map_err(|error| Error::usage(sentence(&error)))?,
            hidden: filters.hidden,
            no_ignore: filters.no_ignore,
            follow: filters.follow,
        })
    }

    /// Gives every item to `take`, in order, until it wants no more.
    pub fn each(&self, mut take: impl FnMut(Item) -> bool) {
        for root in &self.roots {
            let named = if root.as_os_str() == "-" {
                Some(Item::Stdin)
            } else if root.is_dir() {
                None
            } else {
                Some(Item::File(Found {
                    path: root.clone(),
                    named: true,
                }))
            };
            let goes_on = match named {
                Some(item) => take(item),
                None => self.tree(root, &mut take),
            };
            if !goes_on {
                return;
            }
        }
    }

    fn tree(&self, root: &Path, take: &mut impl FnMut(Item) -> bool) -> bool {
        let walk = WalkBuilder::new(root)
            .overrides(self.overrides.clone())
            .types(self.types.clone())
            .hidden(!self.hidden)
            .ignore(!self.no_ignore)
            .git_ignore(!self.no_ignore)
            .git_global(!self.no_ignore)
            .git_exclude(!self.no_ignore)
            .parents(!self.no_ignore)
            .follow_links(self.follow)
            .sort_by_file_path(Path::cmp)
            .build();
        walk.into_iter().all(|entry| match entry {
            Ok(entry) => self.entry(entry, take),
            Err(error) => take(failed(error)),
        })
    }

    fn entry(&self, entry: DirEntry, take: &mut impl FnMut(Item) -> bool) -> bool {
        // A file of globs that can be used in part.
        if let Some(error) = entry.error()
            && !take(Item::Note(sentence(error)))
        {
            return false;
        }
        if !entry.file_type().is_some_and(|kind| kind.is_file()) {
            return true;
        }
        take(Item::File(Found {
            path: entry.into_path(),
            named: false,
        }))
    }
}

/// A matcher of globs as `--glob` has them, seen from `base`.
///
/// # Errors
/// [`Error::Usage`] for what is no glob.
pub fn overrides(globs: &[String], base: &Path) -> Result<Override> {
    let mut overrides = OverrideBuilder::new(base);
    for glob in globs {
        overrides.add(glob).map_err(|error| match error {
            ignore::Error::Glob { err, .. } => {
                Error::usage(format!("`{glob}` is not a glob: {err}"))
            }
            other => Error::usage(format!("`{glob}` is not a glob: {}", sentence(&other))),
        })?;
    }
    overrides
        .build()
        .map_err(|error| Error::usage(sentence(&error)))
}

/// Every type of files with its globs, as `--type-list` prints them.
pub fn type_list() -> Vec<String> {
    let mut types = TypesBuilder::new();
    types.add_defaults();
    let line = |kind: &FileTypeDef| format!("{}: {}", kind.name(), kind.globs().join(", "));
    types.definitions().iter().map(line).collect()
}

/// Refuses names that are no types of files.
///
/// # Errors
/// [`Error::Usage`].
pub fn known_types(names: &[String]) -> Result<()> {
    let mut types = TypesBuilder::new();
    types.add_defaults();
    let known = types.definitions();
    names.iter().try_for_each(|name| known_type(&known, name))
}

fn known_type(known: &[FileTypeDef], name: &str) -> Result<()> {
    let names = known.iter().map(FileTypeDef::name);
    if name == "all" || names.clone().any(|known| known == name) {
        return Ok(());
    }
    Err(Error::usage_hint(
        format!("`{name}` is not a type of files"),
        match closest(name, names) {
            Some(near) => format!("`{near}` is one"),
            None => "`tokscope count --type-list` prints them".to_owned(),
        },
    ))
}

fn failed(error: ignore::Error) -> Item {
    if let ignore::Error::WithDepth { err, .. } = error {
        return failed(*err);
    }
    // The files in a loop are counted where they are; nothing is missing.
    if let Some((ancestor, child)) = link_loop(&error) {
        return Item::Note(format!(
            "skipped {}: it links to {}, which it is in",
            child.display(),
            ancestor.display()
        ));
    }
    let path = place(&error).map(|path| path.display().to_string());
    let told = sentence(&error);
    match (path, error.into_io_error()) {
        (Some(path), Some(source)) => {
            let input = path.clone();
            let source = system_error(source);
            Item::Unreadable(path, Error::ReadInput { input, source })
        }
        _ => Item::Note(told),
    }
}

/// What the system said, without the words that the walk put around it.
fn system_error(error: io::Error) -> io::Error {
    let inner = error.get_ref().and_then(|inner| inner.source());
    let inner = inner.and_then(|inner| inner.downcast_ref::<io::Error>());
    match inner.and_then(io::Error::raw_os_error) {
        Some(code) => io::Error::from_raw_os_error(code),
        None => error,
    }
}

fn link_loop(error: &ignore::Error) -> Option<(&Path, &Path)> {
    match error {
        ignore::Error::Loop { ancestor, child } => Some((ancestor, child)),
        ignore::Error::WithPath { err, .. }
        | ignore::Error::WithDepth { err, .. }
        | ignore::Error::WithLineNumber { err, .. } => link_loop(err),
        _ => None,
    }
}

fn place(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
            place(err)
        }
        _ => None,
    }
}

/// An error of the walk on one line.
fn sentence(error: &ignore::Error) -> String {
    error.to_string().replace('\n', "; ")
}

impl Found {
    /// The path, as records and messages show it.
    pub fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// The bytes of the file, to be read; none if a zero byte near the start says that they are no text, unless the
    /// file was named.
    pub fn open(&self) -> Result<Option<impl Read>> {
        /// As far as git and ripgrep look for a zero byte.
        const LOOK: u64 = 8 * 1024;
        let read = || -> io::Result<_> {
            let mut file = File::open(&self.path)?;
            let mut head = Vec::new();
            file.by_ref().take(LOOK).read_to_end(&mut head)?;
            if head.contains(&0) && !self.named {
                return Ok(None);
            }
            Ok(Some(Cursor::new(head).chain(file)))
        };
        read().map_err(|source| Error::ReadInput {
            input: self.name(),
            source,
        })
    }
}
