//! Questions to the Hub → answers, each within its time, and the bytes of a file as they arrive.
//!
//! hf-hub asks and transfers. What it leaves to its caller is here: deadlines, `Retry-After`, the token of settings
//! instead of the process environment, and the headers that announce a file (its `list_tree` does not carry the
//! sha256 of large files, and its `get_file_metadata` follows the redirect that has them).

mod content_range;
mod failure;
mod ranges;
mod remote_place;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;
use hf_hub::repository::RepoTreeEntry;
use hf_hub::{HFClient, HFError, HFRepository, RepoTypeModel};
use reqwest::Url;
use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderName, HeaderValue};

use super::hub_cache::is_commit;
use super::hub_digest::Etag;
use super::hub_env::{HubSettings, Token};
use super::hub_error::{Asked, BROKE, NOT_THE_HUB, TIMED_OUT, transport};
use super::{Observer, SourceOptions};
use crate::error::Result;
use crate::model_ref::HubModel;
use failure::Failure;
pub(super) use remote_place::{Cost, RemotePlace};

const USER_AGENT: &str = concat!("tokscope/", env!("CARGO_PKG_VERSION"));
/// Attempts after the first one that fails in a way that may pass.
const RETRIES: u32 = 3;
/// Redirects within the Hub: a renamed repository, the resolve cache.
const REDIRECTS: usize = 5;
/// What errors about a whole repository call the thing they did not get.
const FILE_LIST: &str = "the list of files";

const LINKED_ETAG: HeaderName = HeaderName::from_static("x-linked-etag");
const LINKED_SIZE: HeaderName = HeaderName::from_static("x-linked-size");
const ERROR_CODE: HeaderName = HeaderName::from_static("x-error-code");

/// A connection to the Hub for one model.
pub(super) struct HubClient {
    /// Taken out when the client is dropped, which must not wait for a name lookup that hangs.
    runtime: Option<tokio::runtime::Runtime>,
    repository: HFRepository<RepoTypeModel>,
    /// For requests whose redirect is the answer.
    plain: reqwest::Client,
    /// `<endpoint>/owner/name/resolve`.
    resolve: Url,
    token: Option<Token>,
    etag_timeout: Duration,
    download_timeout: Duration,
    asked: Asked,
    observer: Arc<dyn Observer>,
}

impl std::fmt::Debug for HubClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HubClient")
            .field("asked", &self.asked)
            .finish_non_exhaustive()
    }
}

/// What the Hub says about a file before it sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Announcement {
    pub(super) etag: Etag,
    /// In bytes.
    pub(super) size: u64,
    /// Where its bytes are: for a large file an address at another host, signed and good for a while.
    pub(super) address: Url,
}

impl HubClient {
    pub(super) fn new(model: &HubModel, revision: &str, options: &SourceOptions) -> Result<Self> {
        let settings = &options.hub;
        let asked = Asked {
            model: model.id(),
            revision: revision.to_owned(),
            endpoint: settings.shown_endpoint(),
            has_token: settings.token.is_some(),
        };
        let broken = |problem: String| asked.unreachable(problem);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| broken(transport(&error)))?;
        let plain = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .default_headers(headers())
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| broken(transport(&error)))?;
        let repository = client(settings)
            .map_err(|error| asked.failed(FILE_LIST, &error))?
            .model(model.owner().unwrap_or_default(), model.name());
        let resolve = Url::parse(&format!("{}/{}/resolve", settings.endpoint, model.id()))
            .map_err(|_| broken("HF_ENDPOINT is not an address".to_owned()))?;
        Ok(Self {
            runtime: Some(runtime),
            repository,
            plain,
            resolve,
            token: settings.token.clone(),
            etag_timeout: settings.etag_timeout,
            download_timeout: settings.download_timeout,
            asked,
            observer: Arc::clone(&options.observer),
        })
    }

    pub(super) fn asked(&self) -> &Asked {
        &self.asked
    }

    /// The commit that `revision` is now, and the names of its files.
    pub(super) fn commit(&self, revision: &str) -> Result<(String, Vec<String>)> {
        let info = self.ask(FILE_LIST, self.etag_timeout, async || {
            self.repository
                .info()
                .revision(revision)
                .expand(vec!["sha".to_owned(), "siblings".to_owned()])
                .send()
                .await
                .map_err(Failure::Hub)
        })?;
        let commit = info.sha.filter(|sha| is_commit(sha));
        match (commit, info.siblings) {
            (Some(commit), Some(siblings)) => Ok((
                commit,
                siblings.into_iter().map(|file| file.rfilename).collect(),
            )),
            _ => Err(self.asked.unreachable(NOT_THE_HUB)),
        }
    }

    /// The files of a commit, each with its size in bytes.
    pub(super) fn sizes(&self, commit: &str) -> Result<Vec<(String, u64)>> {
        self.ask(FILE_LIST, self.etag_timeout, async || {
            let entries = self
                .repository
                .list_tree()
                .revision(commit)
                .recursive(true)
                .send()
                .map_err(Failure::Hub)?;
            let mut entries = std::pin::pin!(entries);
            let mut sizes = Vec::new();
            while let Some(entry) = entries.next().await {
                if let RepoTreeEntry::File { path, size, .. } = entry.map_err(Failure::Hub)? {
                    sizes.push((path, size));
                }
            }
            Ok(sizes)
        })
    }

    /// What the Hub announces of a file; none if the commit has no such file.
    pub(super) fn announcement(
        &self,
        commit: &str,
        file: &str,
        cost: &Cost,
    ) -> Result<Option<Announcement>> {
        self.wait(self.announce(commit, file, cost))?
    }

    async fn announce(
        &self,
        commit: &str,
        file: &str,
        cost: &Cost,
    ) -> Result<Option<Announcement>> {
        let mut url = self.resolve.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.push(commit).extend(file.split('/'));
        }
        self.insist(file, self.etag_timeout, || self.head(url.clone(), cost))
            .await
    }

    async fn head(&self, mut url: Url, cost: &Cost) -> Result<Option<Announcement>, Failure> {
        for _ in 0..REDIRECTS {
            let mut request = self.plain.head(url.clone());
            // Redirects are followed within the Hub only.
            if let Some(token) = &self.token {
                request = request.bearer_auth(token.secret());
            }
            cost.add_request();
            let answer = request.send().await.map_err(Failure::Transport)?;
            let (status, headers) = (answer.status(), answer.headers());
            let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
            if status.is_redirection()
                && let Some(next) = text(&reqwest::header::LOCATION)
                && let Ok(next) = url.join(next)
                && next.origin() == url.origin()
            {
                url = next;
                continue;
            }
            if !(status.is_success() || status.is_redirection()) {
                let code = text(&ERROR_CODE).map(str::to_owned);
                if code.as_deref() == Some("EntryNotFound") {
                    return Ok(None);
                }
                return Err(Failure::refused(status, headers));
            }
            let etag = text(&LINKED_ETAG).or_else(|| text(&reqwest::header::ETAG));
            let size = text(&LINKED_SIZE).or_else(|| text(&reqwest::header::CONTENT_LENGTH));
            let address = match text(&reqwest::header::LOCATION) {
                Some(elsewhere) if status.is_redirection() => url.join(elsewhere).ok(),
                _ => Some(url.clone()),
            };
            return match (
                etag.and_then(Etag::parse),
                size.and_then(|s| s.parse().ok()),
                address,
            ) {
                (Some(etag), Some(size), Some(address)) => Ok(Some(Announcement {
                    etag,
                    size,
                    address,
                })),
                _ => Err(Failure::NotTheHub),
            };
        }
        Err(Failure::NotTheHub)
    }

    /// Starts to fetch a file from byte `start` of `size` on.
    pub(super) fn transfer(
        &self,
        commit: &str,
        file: &str,
        start: u64,
        size: u64,
    ) -> Result<Transfer<'_>> {
        let range = (start > 0).then_some(start..size);
        // hf-hub asks twice: for the headers, and for the bytes.
        let limit = self.etag_timeout + self.download_timeout;
        let (length, stream) = self.ask(file, limit, async || {
            self.repository
                .download_file_stream()
                .filename(file)
                .revision(commit)
                .maybe_range(range.clone())
                .send()
                .await
                .map_err(Failure::Hub)
        })?;
        Ok(Transfer {
            client: self,
            length,
            stream: stream.map(|piece| piece.map(Vec::from)).boxed(),
        })
    }

    /// Asks until there is an answer or no hope of one; no attempt takes longer than `limit`.
    fn ask<T, F>(&self, file: &str, limit: Duration, request: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        self.wait(self.insist(file, limit, request))?
    }

    async fn insist<T, F>(&self, file: &str, limit: Duration, request: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let mut attempt = 0;
        loop {
            let failure = match tokio::time::timeout(limit, request()).await {
                Err(_) => return Err(self.asked.unreachable(TIMED_OUT)),
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(failure)) => failure,
            };
            if !self.pause(&failure, attempt).await {
                return Err(failure.error(&self.asked, file));
            }
            attempt += 1;
        }
    }

    /// Waits as long as a failure asks for; false if there is no use in another attempt.
    async fn pause(&self, failure: &Failure, attempt: u32) -> bool {
        let Some(pause) = failure.pause(attempt) else {
            return false;
        };
        if pause >= Duration::from_secs(1) {
            let seconds = pause.as_secs();
            self.observer
                .note(&format!("the Hub asks to wait {seconds} s"));
        }
        tokio::time::sleep(pause).await;
        true
    }

    /// Runs a future to its end on this thread.
    fn wait<F: Future>(&self, future: F) -> Result<F::Output> {
        match &self.runtime {
            Some(runtime) => Ok(runtime.block_on(future)),
            // Only while the client is being dropped.
            None => Err(self.asked.unreachable("the connection is closed")),
        }
    }
}

impl Drop for HubClient {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A file on its way.
pub(super) struct Transfer<'a> {
    client: &'a HubClient,
    /// The length of what comes, if the sender says it.
    pub(super) length: Option<u64>,
    stream: BoxStream<'static, Result<Vec<u8>, HFError>>,
}

impl Transfer<'_> {
    /// The next bytes; none at the end.
    ///
    /// # Errors
    /// The reason in a few words.
    pub(super) fn next(&mut self) -> Result<Option<Vec<u8>>, String> {
        let (client, limit) = (self.client, self.client.download_timeout);
        let next = async { tokio::time::timeout(limit, self.stream.next()).await };
        match client.wait(next) {
            Ok(Ok(None)) => Ok(None),
            Ok(Ok(Some(Ok(bytes)))) => Ok(Some(bytes)),
            Ok(Ok(Some(Err(HFError::Request { source, .. })))) if source.is_timeout() => {
                Err(TIMED_OUT.to_owned())
            }
            Ok(Ok(Some(Err(_)))) => Err(BROKE.to_owned()),
            Ok(Err(_)) => Err(TIMED_OUT.to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// hf-hub's client with these settings and nothing of the process environment.
fn client(settings: &HubSettings) -> Result<HFClient, HFError> {
    // Left without a token, hf-hub looks for one itself. This one cannot be put into a header, so none is sent.
    const NO_TOKEN: &str = "\n";
    let token = settings.token.as_ref().map_or(NO_TOKEN, Token::secret);
    HFClient::builder()
        .endpoint(&settings.endpoint)
        .token(token)
        .user_agent(USER_AGENT)
        .headers(headers())
        .cache_enabled(false)
        .cache_dir(&settings.cache_dir)
        .retry_max_attempts(RETRIES as usize)
        .build()
}

/// A compressed answer has another length, and no ranges.
fn headers() -> HeaderMap {
    HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("identity"))])
}
