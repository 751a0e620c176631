//! The files of a model on the Hub, found in the Hub cache or fetched into it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::blob_digest::Depth;
use super::cache_layout::{CachedModel, is_commit};
use super::client::HubClient;
use super::connection::HubConnection;
use super::cost::Fetched;
use super::download::Download;
use super::lookup::{CacheEntry, Location, ModelState};
use crate::error::{Error, Result, reason};
use crate::model_ref::HubModel;
use crate::source::byte_source::ByteSource;
use crate::source::file_entry::FileEntry;
use crate::source::local::mapped_file::MappedFile;
use crate::source::options::SourceOptions;

const DEFAULT_REVISION: &str = "main";
/// Stands for the name of a file in errors about no particular file.
const ALL_FILES: &str = "none of its files";

/// The files of one model on the Hub at one revision.
pub(crate) struct HubFiles {
    pub(super) model: HubModel,
    pub(super) revision: String,
    pub(super) cache: CachedModel,
    pub(super) options: SourceOptions,
    pub(super) connection: Arc<HubConnection>,
    /// How thoroughly cached files are checked.
    pub(super) depth: Depth,
    pub(super) state: Mutex<ModelState>,
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
    /// Prepares a model. Reads only the ref in the Hub cache.
    pub(crate) fn new(model: HubModel, options: SourceOptions) -> Self {
        let revision = model.revision().unwrap_or(DEFAULT_REVISION).to_owned();
        let cache = CachedModel::new(&options.hub.cache_dir, &model);
        let state = ModelState {
            commit: cache.commit(&revision),
            ..ModelState::default()
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

    /// Checks every byte of cached files from now on.
    pub(crate) fn verify(&mut self) {
        self.depth = Depth::Full;
    }

    /// Returns `owner/name`.
    pub(crate) fn id(&self) -> String {
        self.model.id()
    }

    /// Returns the reference to the model.
    pub(crate) fn reference(&self) -> &HubModel {
        &self.model
    }

    /// Returns the commit, once it is known.
    pub(crate) fn commit(&self) -> Option<String> {
        self.state().commit.clone()
    }

    /// Returns the folder of the snapshot, once the commit is known.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        let state = self.state();
        state
            .commit
            .as_deref()
            .map(|commit| self.cache.snapshot(commit))
    }

    /// Returns the cost of reading files by ranges so far.
    pub(crate) fn fetched(&self) -> Fetched {
        self.connection.cost.fetched()
    }

    /// Opens the file `name`, fetching it if necessary; `None` if the model has no such file, or if none is known while
    /// the Hub cannot be asked.
    ///
    /// # Errors
    /// Fails if the Hub neither sends the file nor reports that it does not exist.
    pub(crate) fn find(&self, name: &str) -> Result<Option<Arc<dyn ByteSource>>> {
        let mut state = self.state();
        match self.locate(&mut state, name)? {
            Location::Cached(file) => Ok(Some(file)),
            Location::Listed(commit) if self.fetch(&commit, name)? => {
                self.fetched_file(&state, name).map(Some)
            }
            Location::Listed(commit) | Location::Absent(commit) => Ok(self.absent(&commit, name)),
            Location::Unknown => Ok(None),
        }
    }

    /// Returns true if the model has the file `name`, which is not fetched. Returns false if the file is not known and the
    /// Hub cannot be asked.
    ///
    /// # Errors
    /// Fails if the Hub is needed and does not answer.
    pub(crate) fn has(&self, name: &str) -> Result<bool> {
        let mut state = self.state();
        Ok(match self.locate(&mut state, name)? {
            Location::Cached(_) | Location::Listed(_) => true,
            Location::Absent(commit) => self.absent(&commit, name).is_some(),
            Location::Unknown => false,
        })
    }

    /// Returns true if the file `name` is cached or marked as absent, or if the names of the model's files are known.
    pub(crate) fn knows(&self, name: &str) -> bool {
        let state = self.state();
        let is_known = |entry| matches!(entry, CacheEntry::Intact(_) | CacheEntry::Absent);
        state.listing.is_some() || self.cached(&state, name).is_ok_and(is_known)
    }

    /// Returns true if the file `name` is among the names of the model's files; `None` if these are not known.
    pub(crate) fn lists(&self, name: &str) -> Option<bool> {
        let state = self.state();
        let listing = state.listing.as_ref()?;
        Some(listing.contains_key(name))
    }

    /// Marks a file as absent, and returns `None` for it.
    pub(super) fn absent(&self, commit: &str, name: &str) -> Option<Arc<dyn ByteSource>> {
        // If the cache cannot be written, the next run asks again.
        let _ = self.cache.mark_absent(commit, name);
        None
    }

    /// Locates a file. Asks the Hub if the cache has no answer.
    ///
    /// # Errors
    /// Fails if the Hub is needed and does not answer.
    pub(super) fn locate(&self, state: &mut ModelState, name: &str) -> Result<Location> {
        let damaged = match self.cached(state, name)? {
            CacheEntry::Intact(file) => return Ok(Location::Cached(file)),
            CacheEntry::Absent => return Ok(Location::Unknown),
            CacheEntry::Missing => None,
            CacheEntry::Damaged(problem) => Some(problem),
        };
        if let Some(problem) = damaged.filter(|_| !self.is_cut_off(state)) {
            self.options.observer.note(&format!(
                "{name} of `{}` is damaged in the Hub cache ({problem}): asking the Hub",
                self.model.id()
            ));
        }
        if !self.list_names(state, name)? {
            // A damaged file does not count as absent.
            return match damaged {
                Some(problem) => Err(self.damaged(name, problem)),
                None => Ok(Location::Unknown),
            };
        }
        // The cache is tried again, because the commit may have been unknown before.
        if let CacheEntry::Intact(file) = self.cached(state, name)? {
            return Ok(Location::Cached(file));
        }
        let listing = state.listing.as_ref();
        let listed = listing.is_some_and(|listing| listing.contains_key(name));
        let commit = state.commit.clone().unwrap_or_default();
        Ok(if listed {
            Location::Listed(commit)
        } else {
            Location::Absent(commit)
        })
    }

    /// Opens a file that was downloaded into the Hub cache just now, and checked then.
    fn fetched_file(&self, state: &ModelState, name: &str) -> Result<Arc<dyn ByteSource>> {
        match self.cached_at(Depth::Quick, state, name)? {
            CacheEntry::Intact(file) => Ok(file),
            CacheEntry::Damaged(problem) => Err(self.damaged(name, problem)),
            CacheEntry::Absent | CacheEntry::Missing => Err(self.damaged(name, "it is gone")),
        }
    }

    pub(super) fn map(&self, path: &Path, name: &str) -> Result<MappedFile> {
        MappedFile::open(path, format!("{name} of `{}`", self.model.id()))
    }

    /// Downloads a file into the Hub cache. Returns false if the commit has no such file.
    fn fetch(&self, commit: &str, name: &str) -> Result<bool> {
        Download {
            client: &*self.client(name)?,
            cache: &self.cache,
            cache_dir: &self.options.hub.cache_dir,
            app_cache: &self.options.cache,
            observer: self.options.observer.as_ref(),
            commit,
            file: name,
        }
        .run()
        .map_err(|error| self.connection.explain(commit, error))
    }

    /// Asks the Hub for the commit and the names of its files, unless they are known. Returns false if the Hub cannot
    /// be asked but the cache has files of the commit, which then count as all of its files. Errors name `file`.
    fn list_names(&self, state: &mut ModelState, file: &str) -> Result<bool> {
        if state.listing.is_some() {
            return Ok(true);
        }
        let has_files = !self.cached_files(state).is_empty();
        if self.is_cut_off(state) {
            return if has_files {
                Ok(false)
            } else {
                Err(self.not_cached(file))
            };
        }
        self.warn_of_damaged_ref(state);
        let revision = state.commit.as_ref().unwrap_or(&self.revision).clone();
        let answer = self.client(file)?.commit(&revision);
        match answer.map_err(|error| self.connection.explain(&revision, error)) {
            Ok((commit, names)) => {
                if state.commit.is_none() {
                    // Failing is fine: a read-only cache may still have the files of this commit.
                    let _ = self.cache.write_ref(&self.revision, &commit);
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

    /// Returns the names of all files of the model, or of the cached ones if the Hub cannot be asked.
    ///
    /// # Errors
    /// Fails if the Hub does not answer and the cache has no files.
    pub(crate) fn names(&self) -> Result<Vec<String>> {
        let mut state = self.state();
        self.list_names(&mut state, ALL_FILES)?;
        Ok(match &state.listing {
            Some(listing) => listing.keys().cloned().collect(),
            None => {
                let files = self.cached_files(&state).into_iter();
                files.map(|file| file.name).collect()
            }
        })
    }

    /// Lists all files of the model with their sizes, or the cached ones if the Hub cannot be asked.
    ///
    /// # Errors
    /// Fails if the Hub does not answer and the cache has no files.
    pub(crate) fn list(&self) -> Result<Vec<FileEntry>> {
        let mut state = self.state();
        if state.commit.is_none() {
            self.list_names(&mut state, ALL_FILES)?;
        }
        let commit = state.commit.clone().unwrap_or_default();
        if !self.is_cut_off(&state) {
            let answer = self.client(ALL_FILES)?.sizes(&commit);
            match answer.map_err(|error| self.connection.explain(&commit, error)) {
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

    /// Asks the Hub for the current commit of the revision; `None` offline.
    ///
    /// # Errors
    /// Fails if the Hub does not answer.
    pub(crate) fn newest_commit(&self) -> Result<Option<String>> {
        if self.is_offline() {
            return Ok(None);
        }
        let (commit, _) = self.client(ALL_FILES)?.commit(&self.revision)?;
        Ok(Some(commit))
    }

    /// Asks the Hub for the current commit of the revision, records it, and uses it from now on. Does nothing offline.
    ///
    /// # Errors
    /// Fails if the Hub does not answer or the commit cannot be recorded.
    pub(crate) fn refresh(&mut self) -> Result<()> {
        if self.is_offline() {
            return Ok(());
        }
        let mut state = self.state();
        let (commit, names) = self.client(ALL_FILES)?.commit(&self.revision)?;
        if !is_commit(&self.revision) {
            self.cache
                .write_ref(&self.revision, &commit)
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

    /// Returns the error for files that may or may not exist; `None` if it is known that the model has none of them.
    /// Names only those that may exist.
    pub(crate) fn unknown(&self, names: &[&str]) -> Option<Error> {
        let state = self.state();
        let may_exist = |name: &&&str| {
            let absent = |commit: &String| self.cache.is_absent(commit, name);
            !state.commit.as_ref().is_some_and(absent)
        };
        let names: Vec<&str> = names.iter().filter(may_exist).copied().collect();
        if state.listing.is_some() || names.is_empty() {
            return None;
        }
        match &state.unreachable {
            Some(problem) => Some(Error::HubUnreachable {
                endpoint: self.options.hub.shown_endpoint(),
                model: self.model.id(),
                problem: problem.clone(),
                cached: true,
            }),
            None => (self.is_offline()).then(|| self.not_cached(&names.join(" or "))),
        }
    }

    fn is_offline(&self) -> bool {
        self.connection.is_offline()
    }

    /// Returns true if the Hub cannot be asked.
    fn is_cut_off(&self, state: &ModelState) -> bool {
        self.is_offline() || state.unreachable.is_some()
    }

    /// Uses only the Hub cache from now on.
    fn cut_off(&self, state: &mut ModelState, problem: String) {
        self.options.observer.note(&format!(
            "cannot reach {} ({problem}): using the cached files of `{}`",
            self.options.hub.shown_endpoint(),
            self.model.id()
        ));
        state.unreachable = Some(problem);
    }

    pub(super) fn client(&self, file: &str) -> Result<Arc<HubClient>> {
        self.connection.client(file)
    }

    pub(super) fn state(&self) -> MutexGuard<'_, ModelState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the problem if an error means that the Hub is out of order, in which case cached files are used.
fn outage(error: &Error) -> Option<String> {
    match error {
        Error::HubUnreachable { problem, .. } => Some(problem.clone()),
        Error::HubStatus { status, .. } if *status >= 500 || *status == 429 => {
            Some(format!("it answered {status}"))
        }
        _ => None,
    }
}
