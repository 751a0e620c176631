//! `grep`: where tokens occur in files.

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use ignore::WalkBuilder;

use super::input::encode_args::AddedTokenArgs;
use super::input::ordered_parallel::map_in_parallel;
use super::input::text_format::utf8;
use super::row_selection::RowSelection;
use super::session::Session;
use crate::error::{Error, Exit, Result};
use crate::record::{Match, Record};
use crate::render::View;
use crate::tokenizer::{EncodeOptions, Tokenizer};

/// Find where tokens occur in files, directories or standard input; exit 1 if nowhere
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Files and directories; `-` or nothing is standard input. In directories, ignored, hidden and binary files are left
    /// out
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    #[command(flatten)]
    pub selection: RowSelection,
    /// Look for what the vocabulary does not have
    #[arg(long)]
    pub unknown: bool,
    #[command(flatten)]
    pub added_tokens: AddedTokenArgs,
    /// Replace bytes that are not UTF-8 by U+FFFD
    #[arg(long)]
    pub lossy: bool,
}

/// Bytes of a text that are encoded at a time, where it can be cut.
const PART: usize = 1 << 20;
/// Characters of a line that are shown on each side.
const AROUND: usize = 60;
/// Files that are read before the first of them is reported.
const FILES_AT_A_TIME: usize = 256;

/// What is looked for.
#[derive(Debug)]
pub struct Search<'t> {
    tokenizer: &'t Tokenizer,
    ids: Vec<u32>,
    options: EncodeOptions,
}

impl<'t> Search<'t> {
    /// # Errors
    /// [`Error::UnknownId`] and [`Error::UnknownPiece`] for what no token is; [`Error::Usage`] if nothing is looked for.
    pub fn new(tokenizer: &'t Tokenizer, args: &Args) -> Result<Self> {
        let mut ids = args.selection.token_ids(tokenizer)?;
        if args.unknown {
            ids.push(tokenizer.unknown_token().ok_or_else(|| {
                Error::usage("the model has no unknown token: every text is made of its pieces")
            })?);
        }
        if ids.is_empty() {
            return Err(Error::usage_hint(
                "there is nothing to look for",
                "name tokens with `--id N` or `--piece PIECE`, or give `--unknown`",
            ));
        }
        Ok(Self {
            tokenizer,
            ids,
            options: args.added_tokens.options_without_special_tokens(),
        })
    }

    /// Every place in a text, in order. The text is encoded as a whole, in parts only where that changes nothing.
    ///
    /// # Errors
    /// Whatever encoding fails with.
    pub fn matches(&self, path: Option<&str>, text: &str) -> Result<Vec<(Match, View)>> {
        let mut places = Places::default();
        let mut matches = Vec::new();
        let mut start = 0;
        while start < text.len() {
            let rest = &text.as_bytes()[start..];
            let cut = (rest.len() > PART)
                .then(|| self.tokenizer.last_cut(&rest[..PART], &self.options))
                .flatten();
            let end = cut.map_or(text.len(), |length| start + length);
            let part = text.get(start..end).unwrap_or_default();
            let encoding = self
                .tokenizer
                .encode(part, None, &self.options)?
                .into_first();
            let tokens = encoding.ids.iter().zip(&encoding.offsets);
            for (&id, &(from, to)) in tokens.filter(|(id, _)| self.ids.contains(id)) {
                let (from, to) = (start + from, start + to);
                // The space, or the line end, that a word begins with is not where one looks for it.
                let surface = text.get(from..to).unwrap_or_default();
                let word = match surface.trim_start().len() {
                    0 => from,
                    length => to - length,
                };
                let place = places.of(text, word);
                let around = Around::of(text, word, to);
                let found = Match {
                    path: path.map(str::to_owned),
                    line: place.0,
                    column: place.1,
                    start: from,
                    end: to,
                    id,
                    piece: self.tokenizer.piece(id).unwrap_or_default().to_owned(),
                    before: around.before.to_owned(),
                    text: around.text.to_owned(),
                    after: around.after.to_owned(),
                };
                let (cut_before, cut_after) = around.cut;
                let view = View::Excerpt {
                    cut_before,
                    cut_after,
                };
                matches.push((found, view));
            }
            start = end;
        }
        Ok(matches)
    }
}

/// Turns byte offsets, which grow, into lines and columns.
#[derive(Default)]
struct Places {
    /// Line ends before `seen`, and where the line that holds it begins.
    lines: usize,
    line_start: usize,
    seen: usize,
}

impl Places {
    /// Line and column of an offset, in bytes; both from 1.
    fn of(&mut self, text: &str, offset: usize) -> (usize, usize) {
        // Tokens share the span of a character that became several, and none begins before the one in front of it.
        if offset >= self.seen {
            let bytes = &text.as_bytes()[self.seen..offset];
            for at in memchr::memchr_iter(b'\n', bytes) {
                self.lines += 1;
                self.line_start = self.seen + at + 1;
            }
            self.seen = offset;
        }
        (self.lines + 1, offset.saturating_sub(self.line_start) + 1)
    }
}

/// A place with what is on its line before and behind it.
struct Around<'t> {
    before: &'t str,
    text: &'t str,
    after: &'t str,
    /// Whether the line goes on beyond each.
    cut: (bool, bool),
}

impl<'t> Around<'t> {
    fn of(text: &'t str, from: usize, to: usize) -> Self {
        let (before, after) = (text.get(..from), text.get(to..));
        let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
        let begin = before.char_indices().rev().take_while(|(_, c)| *c != '\n');
        let begin = begin.take(AROUND).last().map_or(from, |(at, _)| at);
        let mut end = after.len();
        for (index, (at, character)) in after.char_indices().enumerate() {
            if character == '\n' || index == AROUND {
                end = at;
                break;
            }
        }
        let before_cut = begin > 0 && !before[..begin].ends_with('\n');
        let after_cut = end < after.len() && !after[end..].starts_with('\n');
        Self {
            before: &before[begin..],
            text: text.get(from..to).unwrap_or_default(),
            after: &after[..end],
            cut: (before_cut, after_cut),
        }
    }
}

/// A file to be searched; one that was found in a tree need not be text.
struct Found {
    path: PathBuf,
    named: bool,
}

/// Runs the command.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let tokenizer = session.tokenizer(&session.files()?)?;
    let search = Search::new(&tokenizer, args)?;
    let mut searching = Searching {
        search: &search,
        lossy: args.lossy,
        found: false,
        failed: None,
    };
    if args.paths.is_empty() {
        searching.stdin(session, None)?;
    }
    for path in &args.paths {
        searching.path(session, path)?;
    }
    Ok(match searching.failed {
        Some(exit) => exit,
        None if searching.found => Exit::Done,
        None => Exit::Negative,
    })
}

struct Searching<'a> {
    search: &'a Search<'a>,
    lossy: bool,
    found: bool,
    /// The exit code of the last file that could not be searched.
    failed: Option<Exit>,
}

impl Searching<'_> {
    fn stdin(&mut self, session: &mut Session, path: Option<&str>) -> Result<()> {
        if session.stdin_is_terminal {
            return Err(Error::usage_hint(
                "there is no text",
                "name files or directories, or pipe it in",
            ));
        }
        let mut bytes = Vec::new();
        let read = std::io::Read::read_to_end(session.stdin, &mut bytes);
        read.map_err(|source| Error::ReadInput {
            input: "standard input".to_owned(),
            source,
        })?;
        let text = utf8("standard input", bytes, self.lossy, 0)?;
        let matches = self.search.matches(path, &text)?;
        self.take(session, matches)
    }

    fn path(&mut self, session: &mut Session, path: &Path) -> Result<()> {
        if path == Path::new("-") {
            return self.stdin(session, Some("-"));
        }
        if !path.is_dir() {
            let path = path.to_owned();
            return self.files(session, vec![Found { path, named: true }]);
        }
        let mut found = Vec::new();
        for entry in WalkBuilder::new(path).sort_by_file_path(Path::cmp).build() {
            match entry {
                Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_file()) => {
                    found.push(Found {
                        path: entry.into_path(),
                        named: false,
                    });
                }
                Ok(_) => {}
                Err(error) => {
                    self.failed = Some(Exit::Usage);
                    session.note(&format!("skipped: {error}"))?;
                }
            }
            if found.len() == FILES_AT_A_TIME {
                self.files(session, std::mem::take(&mut found))?;
            }
        }
        self.files(session, found)
    }

    /// Searches files on all cores, and reports them in their order.
    fn files(&mut self, session: &mut Session, found: Vec<Found>) -> Result<()> {
        let (search, lossy) = (self.search, self.lossy);
        let outcomes = map_in_parallel(found, |found| {
            let name = found.path.display().to_string();
            let outcome = read(&found, &name, lossy).and_then(|text| match text {
                Some(text) => search.matches(Some(&name), &text).map(Some),
                None => Ok(None),
            });
            (name, outcome)
        });
        for (name, outcome) in outcomes {
            match outcome {
                Ok(Some(matches)) => self.take(session, matches)?,
                Ok(None) => session.note(&format!("skipped {name}: it is not text"))?,
                Err(error) => {
                    self.failed = Some(error.exit());
                    session.emit_failure(None, Some(name), &error)?;
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, session: &mut Session, matches: Vec<(Match, View)>) -> Result<()> {
        self.found |= !matches.is_empty();
        let mut matches = matches.into_iter();
        matches.try_for_each(|(found, view)| session.emit_with(&Record::Match(found), view))
    }
}

/// The text of a file; none if it was found in a tree and is not text.
fn read(found: &Found, name: &str, lossy: bool) -> Result<Option<String>> {
    let bytes = std::fs::read(&found.path).map_err(|source| Error::ReadInput {
        input: name.to_owned(),
        source,
    })?;
    // As far as git and ripgrep look for a zero byte.
    let head = &bytes[..bytes.len().min(8 * 1024)];
    if !found.named && head.contains(&0) {
        return Ok(None);
    }
    match utf8(name, bytes, lossy, 0) {
        Err(Error::NotUtf8 { .. }) if !found.named => Ok(None),
        text => text.map(Some),
    }
}
