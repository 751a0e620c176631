//! Walks files and directories in a fixed order, with the ignore rules of ripgrep.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;

use ignore::overrides::Override;
use ignore::types::Types;
use ignore::{DirEntry, WalkBuilder};

use super::file_filters::{FileFilters, PathArgs, current_dir, glob_matcher, one_line};
use super::found_file::FoundFile;
use super::ignore_files;
use crate::error::{Error, Result};

/// A step of a walk.
#[derive(Debug)]
pub enum WalkItem {
    File(FoundFile),
    Stdin,
    /// A directory, or the target of a link, that cannot be read.
    Unreadable(String, Error),
    /// A remark for the user, such as a broken line of an ignore file.
    Note(String),
}

/// Paths to walk, and filters for the files in directories.
pub struct FileWalk {
    roots: Vec<PathBuf>,
    globs: Override,
    types: Types,
    hidden: bool,
    no_ignore: bool,
    follow: bool,
}

impl FileWalk {
    /// Prepares a walk of `roots`, in the given order. Globs with a slash are relative to `base`.
    ///
    /// # Errors
    /// Fails with [`Error::Usage`] for an invalid glob or an unknown file type.
    pub fn new(roots: Vec<PathBuf>, filters: &FileFilters, base: &Path) -> Result<Self> {
        Ok(Self {
            roots,
            types: filters.type_matcher()?,
            globs: glob_matcher(&filters.globs, base)?,
            hidden: filters.hidden,
            no_ignore: filters.no_ignore,
            follow: filters.follow,
        })
    }

    /// Prepares the walk for the command line. Returns `None` if it names no paths.
    ///
    /// # Errors
    /// Fails like [`FileWalk::new`], or with [`Error::Usage`] for filters without paths.
    pub fn from_args(args: &PathArgs) -> Result<Option<Self>> {
        if args.paths.is_empty() {
            args.filters.refuse_selection()?;
            return Ok(None);
        }
        Self::new(args.paths.clone(), &args.filters, &current_dir()).map(Some)
    }

    /// Calls `visit` with every item, in order, until it returns false.
    pub fn for_each(&self, mut visit: impl FnMut(WalkItem) -> bool) {
        for root in &self.roots {
            let goes_on = if root.as_os_str() == "-" {
                visit(WalkItem::Stdin)
            } else if root.is_dir() {
                self.walk_directory(root, &mut visit)
            } else {
                visit(WalkItem::File(FoundFile {
                    path: root.clone(),
                    named: true,
                    meter: None,
                }))
            };
            if !goes_on {
                return;
            }
        }
    }

    fn walk_directory(&self, root: &Path, visit: &mut impl FnMut(WalkItem) -> bool) -> bool {
        if !self.no_ignore
            && let Some(file) = ignore_files::find_endless_for_root(root)
        {
            return visit(endless_ignore_file(&file));
        }
        let (sender, refused) = channel();
        let no_ignore = self.no_ignore;
        let walk = WalkBuilder::new(root)
            .filter_entry(move |entry| {
                if no_ignore || !entry.file_type().is_some_and(|kind| kind.is_dir()) {
                    return true;
                }
                let endless = ignore_files::find_endless(entry.path());
                // The receiver is gone if the walk was stopped.
                endless.is_none_or(|file| sender.send(file).is_err())
            })
            .overrides(self.globs.clone())
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
        let visit_refused = |visit: &mut dyn FnMut(WalkItem) -> bool| {
            refused
                .try_iter()
                .all(|file| visit(endless_ignore_file(&file)))
        };
        walk.into_iter().all(|entry| {
            visit_refused(visit)
                && match entry {
                    Ok(entry) => visit_entry(entry, visit),
                    Err(error) => visit(failed_entry(error)),
                }
        }) && visit_refused(visit)
    }
}

fn endless_ignore_file(file: &Path) -> WalkItem {
    let input = file.display().to_string();
    let source = io::Error::other("not a regular file");
    WalkItem::Unreadable(input.clone(), Error::ReadInput { input, source })
}

fn visit_entry(entry: DirEntry, visit: &mut impl FnMut(WalkItem) -> bool) -> bool {
    // An ignore file has an invalid line. Its other lines still apply.
    if let Some(error) = entry.error()
        && !visit(WalkItem::Note(one_line(error)))
    {
        return false;
    }
    if !entry.file_type().is_some_and(|kind| kind.is_file()) {
        return true;
    }
    visit(WalkItem::File(FoundFile {
        path: entry.into_path(),
        named: false,
        meter: None,
    }))
}

fn failed_entry(error: ignore::Error) -> WalkItem {
    if let ignore::Error::WithDepth { err, .. } = error {
        return failed_entry(*err);
    }
    // No file is missed: the files in a loop of links are visited at their real paths.
    if let Some((ancestor, child)) = link_loop(&error) {
        return WalkItem::Note(format!(
            "skipped {}: it links to its own ancestor {}",
            child.display(),
            ancestor.display()
        ));
    }
    let path = error_path(&error).map(|path| path.display().to_string());
    let message = one_line(&error);
    match (path, error.into_io_error()) {
        (Some(path), Some(source)) => {
            let input = path.clone();
            let source = system_error(source);
            WalkItem::Unreadable(path, Error::ReadInput { input, source })
        }
        _ => WalkItem::Note(message),
    }
}

/// Returns the operating system's error, without the text that the `ignore` crate adds to it.
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

fn error_path(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
            error_path(err)
        }
        _ => None,
    }
}
