//! A model of the Hub → its files: what the cache holds, and what the network adds to it.

mod cached;
mod ranged;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::blob_check::Depth;
use super::bytes::ByteSource;
use super::hub_cache::{CachedModel, is_commit};
use super::hub_client::HubClient;
use super::hub_connection::HubConnection;
use super::hub_download::Download;
use super::mapped::MappedFile;
use super::{Fetched, FileEntry, SourceOptions};
use crate::error::{Error, Result, reason};
use crate::model_ref::HubModel;
use cached::Cached;

const DEFAULT_REVISION: &str = "main";
/// What an error about no file in particular names.
const ALL_FILES: &str = "none of its files";

/// The files of one model of the Hub at one revision.
pub(super) struct HubFiles {
    model: HubModel,
    revision: String,
    cache: CachedModel,
    options: SourceOptions,
    connection: Arc<HubConnection>,
    /// How thoroughly files of the cache are checked.
    depth: Depth,
    state: Mutex<State>,
}

/// What is known so far.
#[derive(Debug, Default)]
struct State {
    commit: Option<String>,
    /// All files of the commit, once the Hub has listed them, with their sizes once it has told them.
    listing: Option<BTreeMap<String, Option<u64>>>,
    /// The network failed while the cache had files of the commit: it is not tried again.
    unreachable: Option<String>,
}

/// Where a file is.
enum Found {
    /// In the cache.
    Here(Arc<dyn ByteSource>),
    /// On the Hub, which lists it for the commit.
    Listed(String),
    /// The commit does not have it.
    Absent(String),
    /// Nowhere, as far as can be known without the network.
    Nowhere,
}

impl std::fmt::Debug for HubFiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HubFiles")
            .field("model", &self.model)
            .field("cache", &self.cache)
            .finish_non_exhaustive()
    }
}

impl HubFiles {
    pub(super) fn new(model: HubModel, options: SourceOptions) -> Self {
        let revision = model.revision().unwrap_or(DEFAULT_REVISION).to_owned();
        let cache = CachedModel::new(&options.hub.cache_dir, &model);
        let state = State {
            commit: cache.commit(&revision),
            ..State::default()
        };
        let connection = HubConnection::new(model.clone(), &revision, options.clone());
        Self {
            model,
            revision,
            cache,
            options,
            connection: Arc::new(connection),
            depth: Depth::Quick,
            state: Mutex::new(state),
        }
    }

    /// From here on, every byte of a file of the cache is checked.
    pub(super) fn verify(&mut self) {
        self.depth = Depth::Whole;
    }

    pub(super) fn id(&self) -> String {
        self.model.id()
    }

    pub(super) fn commit(&self) -> Option<String> {
        self.state().commit.clone()
    }

    pub(super) fn folder(&self) -> Option<PathBuf> {
        let state = self.state();
        state
            .commit
            .as_deref()
            .map(|commit| self.cache.snapshot(commit))
    }

    /// What reading files by ranges has cost so far.
    pub(super) fn fetched(&self) -> Fetched {
        self.connection.cost.fetched()
    }

    pub(super) fn find(&self, name: &str) -> Result<Option<Arc<dyn ByteSource>>> {
        let mut state = self.state();
        match self.locate(&mut state, name)? {
            Found::Here(file) => Ok(Some(file)),
            Found::Listed(commit) if self.fetch(&commit, name)? => {
                self.open(&commit, name).map(Some)
            }
            Found::Listed(commit) | Found::Absent(commit) => Ok(self.absent(&commit, name)),
            Found::Nowhere => Ok(None),
        }
    }

    fn absent(&self, commit: &str, name: &str) -> Option<Arc<dyn ByteSource>> {
        // A cache that cannot be written costs the next run a question, no more.
        let _ = self.cache.mark_absent(commit, name);
        None
    }

    /// Finds out where a file is; the Hub is asked for what the cache does not know.
    fn locate(&self, state: &mut State, name: &str) -> Result<Found> {
        let damaged = match self.cached(state, name)? {
            Cached::File(file) => return Ok(Found::Here(file)),
            Cached::Absent => return Ok(Found::Nowhere),
            Cached::Unknown => None,
            Cached::Damaged(problem) => Some(problem),
        };
        if let Some(problem) = damaged.filter(|_| !self.is_cut_off(state)) {
            self.options.observer.note(&format!(
                "{name} of `{}` is damaged in the Hub cache ({problem}): asking the Hub",
                self.model.id()
            ));
        }
        if !self.list_names(state, name)? {
            // What is damaged is not what is absent.
            return match damaged {
                Some(problem) => Err(self.damaged(name, problem)),
                None => Ok(Found::Nowhere),
            };
        }
        // Which commit it is may be known only now.
        if let Cached::File(file) = self.cached(state, name)? {
            return Ok(Found::Here(file));
        }
        let listing = state.listing.as_ref();
        let listed = listing.is_some_and(|listing| listing.contains_key(name));
        let commit = state.commit.clone().unwrap_or_default();
        Ok(match listed {
            true => Found::Listed(commit),
            false => Found::Absent(commit),
        })
    }

    fn open(&self, commit: &str, name: &str) -> Result<Arc<dyn ByteSource>> {
        let path = self.cache.snapshot(commit).join(name);
        Ok(Arc::new(self.map(&path, name)?))
    }

    fn map(&self, path: &Path, name: &str) -> Result<MappedFile> {
        MappedFile::open(path, format!("{name} of `{}`", self.model.id()))
    }

    fn fetch(&self, commit: &str, name: &str) -> Result<bool> {
        Download {
            client: &*self.client(name)?,
            cache: &self.cache,
            cache_dir: &self.options.hub.cache_dir,
            notes: &self.options.cache,
            observer: self.options.observer.as_ref(),
            commit,
            file: name,
        }
        .run()
    }

    /// Makes the commit and the names of its files known, for the sake of `file`. False if the network cannot tell,
    /// but the cache has files of the commit, which then count as all there are.
    fn list_names(&self, state: &mut State, file: &str) -> Result<bool> {
        if state.listing.is_some() {
            return Ok(true);
        }
        let has_files = !self.cached_files(state).is_empty();
        if self.is_cut_off(state) {
            return match has_files {
                true => Ok(false),
                false => Err(self.not_cached(file)),
            };
        }
        self.note_damaged_ref(state);
        let revision = state.commit.as_ref().unwrap_or(&self.revision).clone();
        match self.client(file)?.commit(&revision) {
            Ok((commit, names)) => {
                if state.commit.is_none() {
                    // A cache that cannot be written may still hold the files of this commit.
                    let _ = self.cache.write_commit(&self.revision, &commit);
                    state.commit = Some(commit);
                }
                state.listing = Some(names.into_iter().map(|name| (name, None)).collect());
                Ok(true)
            }
            Err(error) => match outage(&error).filter(|_| has_files) {
                Some(problem) => {
                    self.cut_off(state, problem);
                    Ok(false)
                }
                None => Err(error),
            },
        }
    }

    pub(super) fn list(&self) -> Result<Vec<FileEntry>> {
        let mut state = self.state();
        if state.commit.is_none() {
            self.list_names(&mut state, ALL_FILES)?;
        }
        let commit = state.commit.clone().unwrap_or_default();
        if !self.is_cut_off(&state) {
            match self.client(ALL_FILES)?.sizes(&commit) {
                Ok(sizes) => {
                    let sizes = sizes.into_iter().map(|(name, size)| (name, Some(size)));
                    state.listing = Some(sizes.collect());
                }
                Err(error) => {
                    let has_files = !self.cached_files(&state).is_empty();
                    match outage(&error).filter(|_| has_files) {
                        Some(problem) => self.cut_off(&mut state, problem),
                        None => return Err(error),
                    }
                }
            }
        }
        if let Some(listing) = &state.listing {
            let entry = |(name, size): (&String, &Option<u64>)| FileEntry {
                name: name.clone(),
                size: *size,
                cached: self.cache.file(&commit, name).is_some(),
            };
            return Ok(listing.iter().map(entry).collect());
        }
        match self.cached_files(&state) {
            files if files.is_empty() => Err(self.not_cached(ALL_FILES)),
            files => Ok(files),
        }
    }

    pub(super) fn newest_commit(&self) -> Result<Option<String>> {
        if self.is_offline() {
            return Ok(None);
        }
        let (commit, _) = self.client(ALL_FILES)?.commit(&self.revision)?;
        Ok(Some(commit))
    }

    pub(super) fn refresh(&mut self) -> Result<()> {
        if self.is_offline() {
            return Ok(());
        }
        let mut state = self.state();
        let (commit, names) = self.client(ALL_FILES)?.commit(&self.revision)?;
        if !is_commit(&self.revision) {
            self.cache
                .write_commit(&self.revision, &commit)
                .map_err(|error| Error::CacheNotWritable {
                    file: format!("the commit of {}", self.revision),
                    cache: self.options.hub.cache_dir.display().to_string(),
                    problem: reason(&error),
                })?;
        }
        state.commit = Some(commit);
        state.listing = Some(names.into_iter().map(|name| (name, None)).collect());
        state.unreachable = None;
        Ok(())
    }

    /// The error that says that nobody could tell whether the model has this file; none if somebody could.
    pub(super) fn unknown(&self, name: &str) -> Option<Error> {
        let state = self.state();
        let absent = |commit: &String| self.cache.is_absent(commit, name);
        if state.listing.is_some() || state.commit.as_ref().is_some_and(absent) {
            return None;
        }
        match &state.unreachable {
            Some(problem) => Some(Error::HubUnreachable {
                endpoint: self.options.hub.shown_endpoint(),
                model: self.model.id(),
                problem: problem.clone(),
                cached: true,
            }),
            None => self.is_offline().then(|| self.not_cached(name)),
        }
    }

    fn is_offline(&self) -> bool {
        self.connection.is_offline()
    }

    fn is_cut_off(&self, state: &State) -> bool {
        self.is_offline() || state.unreachable.is_some()
    }

    fn cut_off(&self, state: &mut State, problem: String) {
        self.options.observer.note(&format!(
            "cannot reach {} ({problem}): using what the cache holds of `{}`",
            self.options.hub.shown_endpoint(),
            self.model.id()
        ));
        state.unreachable = Some(problem);
    }

    fn client(&self, file: &str) -> Result<Arc<HubClient>> {
        self.connection.client(file)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why the Hub does not answer, if it is that: what the cache holds is used then.
fn outage(error: &Error) -> Option<String> {
    match error {
        Error::HubUnreachable { problem, .. } => Some(problem.clone()),
        Error::HubStatus { status, .. } if *status >= 500 || *status == 429 => {
            Some(format!("it answered {status}"))
        }
        _ => None,
    }
}
