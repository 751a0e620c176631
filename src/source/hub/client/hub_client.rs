//! A connection to the Hub for one model.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use ureq::Agent;

use super::agent::agent;
use super::failure::Failure;
use super::redirect::Privacy;
use crate::error::{Result, TokenUse};
use crate::model_ref::HubModel;
use crate::source::hub::address::Address;
use crate::source::hub::errors::{Asked, TIMED_OUT};
use crate::source::hub::proxies::ProxySettings;
use crate::source::hub::settings::Token;
use crate::source::observer::Observer;
use crate::source::options::SourceOptions;

/// How often a pause is interrupted to see whether it is still of use.
const TICK: Duration = Duration::from_millis(50);

/// The answer is of use whenever it comes.
pub(super) static GOES_ON: AtomicBool = AtomicBool::new(false);

/// A connection to the Hub for one model.
pub(crate) struct HubClient {
    pub(super) agent: Agent,
    pub(super) proxies: ProxySettings,
    /// `<endpoint>/api/models/owner/name`.
    pub(super) api: Address,
    /// `<endpoint>/owner/name/resolve`.
    pub(super) resolve: Address,
    /// None too where it would go over plain http.
    pub(super) token: Option<Token>,
    /// A person has been told of a silence.
    pub(super) silence_noted: AtomicBool,
    pub(super) etag_timeout: Duration,
    pub(super) download_timeout: Duration,
    pub(super) asked: Asked,
    pub(super) observer: Arc<dyn Observer>,
}

impl std::fmt::Debug for HubClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HubClient")
            .field("asked", &self.asked)
            .finish_non_exhaustive()
    }
}

impl HubClient {
    pub(crate) fn new(model: &HubModel, revision: &str, options: &SourceOptions) -> Result<Self> {
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

    pub(crate) fn asked(&self) -> &Asked {
        &self.asked
    }

    /// Makes attempts at a request until one succeeds or there is no use in another. Each gets the moment at which it has
    /// to be over.
    pub(super) fn insist<T>(
        &self,
        file: &str,
        request: impl Fn(Instant) -> Result<T, Failure>,
    ) -> Result<T> {
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
    pub(super) fn pause(&self, failure: &Failure, attempt: u32, stopped: &AtomicBool) -> bool {
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
