//! Requests to the Hub: answers within limits of time and length, and the bytes of a file as they arrive.
//!
//! ureq makes the connections. What keeps a program out of trouble is decided here: deadlines, `Retry-After`, the most
//! bytes of an answer, where a redirect may lead, and who gets the token.

mod address;
mod agent;
mod announce;
mod answer;
mod api;
mod content_range;
mod failure;
mod proxies;
mod ranges;
mod redirect;
mod remote_place;
mod transfer;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use ureq::Agent;
use ureq::http::header::HeaderName;

use super::hub_env::Token;
use super::hub_error::{Asked, TIMED_OUT};
use super::{Observer, SourceOptions};
use crate::error::{Result, TokenUse};
use crate::model_ref::HubModel;
pub(super) use address::Address;
use agent::agent;
use failure::Failure;
pub use proxies::ProxySettings;
use redirect::Privacy;
pub(super) use remote_place::{Cost, RemotePlace};

/// Attempts after the first one that fails in a way that may pass.
const RETRIES: u32 = 3;
/// Redirects that are followed one after the other: a renamed repository, the resolve cache, a CDN.
const REDIRECTS: usize = 5;
/// What errors about a whole repository call the thing they did not get.
const FILE_LIST: &str = "the list of files";

/// How often a pause is interrupted to see whether it is still of use.
const TICK: Duration = Duration::from_millis(50);

const ERROR_CODE: HeaderName = HeaderName::from_static("x-error-code");
/// The answer is of use whenever it comes.
static GOES_ON: AtomicBool = AtomicBool::new(false);

/// A connection to the Hub for one model.
pub(super) struct HubClient {
    agent: Agent,
    proxies: ProxySettings,
    /// `<endpoint>/api/models/owner/name`.
    api: Address,
    /// `<endpoint>/owner/name/resolve`.
    resolve: Address,
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
        let address = |text: String| Address::parse(&text).ok_or_else(no_address);
        let (endpoint, id) = (&settings.endpoint, model.id());
        let api = address(format!("{endpoint}/api/models/{id}"))?;
        let resolve = address(format!("{endpoint}/{id}/resolve"))?;
        let mut token = settings.token.clone();
        if token.is_some() {
            asked.token = TokenUse::Sent;
        }
        if token.is_some() && Privacy::of(&resolve) == Privacy::Open {
            token = None;
            asked.token = TokenUse::Withheld;
            options.observer.note(&format!(
                "the token is not sent to {}, which is not encrypted",
                asked.endpoint
            ));
        }
        Ok(Self {
            agent: agent(&settings.ca_bundles),
            proxies: settings.proxies.clone(),
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

    /// Makes attempts at a request until one succeeds or there is no use in another. Each gets the moment at which it has
    /// to be over.
    fn insist<T>(&self, file: &str, request: impl Fn(Instant) -> Result<T, Failure>) -> Result<T> {
        let mut attempt = 0;
        loop {
            let failure = match request(Instant::now() + self.etag_timeout) {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            if !self.pause(&failure, attempt, &GOES_ON) {
                return Err(failure.error(&self.asked, file));
            }
            attempt += 1;
        }
    }

    /// Waits as long as a failure asks for, or until `stopped`. Returns false if there is no use in another attempt.
    fn pause(&self, failure: &Failure, attempt: u32, stopped: &AtomicBool) -> bool {
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
        let end = Instant::now() + pause;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match stopped.load(Ordering::Relaxed) {
                true => return false,
                false if left.is_zero() => return true,
                false => sleep(left.min(TICK)),
            }
        }
    }
}
