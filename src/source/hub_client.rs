//! Questions to the Hub → answers, each within its time and its length, and the bytes of a file as they arrive.
//!
//! hf-hub says what the answers of the API look like. The requests are made here, because it leaves to its caller what
//! keeps a program out of trouble: deadlines, `Retry-After`, a limit on the bytes of an answer, where a redirect may
//! lead, and who gets the token.

mod announce;
mod answer;
mod api;
mod content_range;
mod failure;
mod ranges;
mod redirect;
mod remote_place;
mod transfer;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderName, HeaderValue};

use super::hub_env::Token;
use super::hub_error::{Asked, TIMED_OUT, transport};
use super::{Observer, SourceOptions};
use crate::error::{Result, TokenUse};
use crate::model_ref::HubModel;
use failure::Failure;
use redirect::Privacy;
pub(super) use remote_place::{Cost, RemotePlace};

const USER_AGENT: &str = concat!("tokscope/", env!("CARGO_PKG_VERSION"));
/// Attempts after the first one that fails in a way that may pass.
const RETRIES: u32 = 3;
/// Redirects that are followed one after the other: a renamed repository, the resolve cache, a CDN.
const REDIRECTS: usize = 5;
/// What errors about a whole repository call the thing they did not get.
const FILE_LIST: &str = "the list of files";

const ERROR_CODE: HeaderName = HeaderName::from_static("x-error-code");

/// A connection to the Hub for one model.
pub(super) struct HubClient {
    /// Taken out when the client is dropped, which must not wait for a name lookup that hangs.
    runtime: Option<tokio::runtime::Runtime>,
    /// It follows no redirect by itself.
    http: reqwest::Client,
    /// `<endpoint>/api/models/owner/name`.
    api: Url,
    /// `<endpoint>/owner/name/resolve`.
    resolve: Url,
    /// None too where it would go over plain http.
    token: Option<Token>,
    /// A person has been told of a silence.
    silence_noted: AtomicBool,
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

impl HubClient {
    pub(super) fn new(model: &HubModel, revision: &str, options: &SourceOptions) -> Result<Self> {
        let settings = &options.hub;
        let mut asked = Asked {
            model: model.id(),
            revision: revision.to_owned(),
            endpoint: settings.shown_endpoint(),
            token: TokenUse::None,
        };
        let no_address = || asked.unreachable("HF_ENDPOINT is not an address");
        let address = |text: String| Url::parse(&text).map_err(|_| no_address());
        let (endpoint, id) = (&settings.endpoint, model.id());
        let api = address(format!("{endpoint}/api/models/{id}"))?;
        let resolve = address(format!("{endpoint}/{id}/resolve"))?;
        let broken =
            |error: &(dyn std::error::Error + 'static)| asked.unreachable(transport(error));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| broken(&error))?;
        let mut http = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .default_headers(headers())
            .redirect(reqwest::redirect::Policy::none());
        let privacy = Privacy::of(&resolve);
        if privacy == Privacy::Loopback {
            // What is meant for this machine is not carried to a proxy on another one.
            http = http.no_proxy();
        }
        let http = http.build().map_err(|error| broken(&error))?;
        let mut token = settings.token.clone();
        if token.is_some() {
            asked.token = TokenUse::Sent;
        }
        if token.is_some() && privacy == Privacy::Open {
            token = None;
            asked.token = TokenUse::Withheld;
            options.observer.note(&format!(
                "the token is not sent to {}, which is not encrypted",
                asked.endpoint
            ));
        }
        Ok(Self {
            runtime: Some(runtime),
            http,
            api,
            resolve,
            token,
            silence_noted: AtomicBool::new(false),
            etag_timeout: settings.etag_timeout,
            download_timeout: settings.download_timeout,
            asked,
            observer: Arc::clone(&options.observer),
        })
    }

    pub(super) fn asked(&self) -> &Asked {
        &self.asked
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
        let seconds = self.download_timeout.as_secs();
        match failure {
            _ if pause >= Duration::from_secs(1) => {
                let seconds = pause.as_secs();
                self.observer
                    .note(&format!("the Hub asks to wait {seconds} s"));
            }
            // Once: requests side by side are silent together.
            Failure::Broken(problem)
                if problem == TIMED_OUT && !self.silence_noted.swap(true, Ordering::Relaxed) =>
            {
                self.observer
                    .note(&format!("nothing came for {seconds} s: asking again"));
            }
            _ => {}
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

/// A compressed answer has another length, and no ranges.
fn headers() -> HeaderMap {
    HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("identity"))])
}
