//! The client for one model, and its retries.

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
use crate::source::hub::errors::{Subject, TIMED_OUT};
use crate::source::hub::proxies::ProxySettings;
use crate::source::hub::settings::Token;
use crate::source::observer::Observer;
use crate::source::options::SourceOptions;

/// The interval at which a pause checks whether it was stopped.
const TICK: Duration = Duration::from_millis(50);

/// The stop flag of requests that are never stopped.
pub(super) static NEVER_STOPPED: AtomicBool = AtomicBool::new(false);

/// A client for one model of the Hub.
pub(crate) struct HubClient {
    pub(super) agent: Agent,
    pub(super) proxies: ProxySettings,
    /// `<endpoint>/api/models/owner/name`.
    pub(super) api: Address,
    /// `<endpoint>/owner/name/resolve`.
    pub(super) resolve: Address,
    /// `None` if there is no token or it would be sent unencrypted.
    pub(super) token: Option<Token>,
    /// True once a note about a silence was shown.
    pub(super) silence_noted: AtomicBool,
    pub(super) etag_timeout: Duration,
    pub(super) download_timeout: Duration,
    pub(super) subject: Subject,
    pub(super) observer: Arc<dyn Observer>,
}

impl std::fmt::Debug for HubClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HubClient")
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

impl HubClient {
    /// Prepares a client. No connection is opened yet.
    ///
    /// # Errors
    /// Fails with [`Error::HubUnreachable`](crate::error::Error::HubUnreachable) if the endpoint is not an address.
    pub(crate) fn new(model: &HubModel, revision: &str, options: &SourceOptions) -> Result<Self> {
        let settings = &options.hub;
        let mut subject = Subject {
            model: model.id(),
            revision: revision.to_owned(),
            endpoint: settings.shown_endpoint(),
            token: TokenUse::None,
        };
        let no_address = || subject.unreachable("`HF_ENDPOINT` is not a valid address");
        let address = |text: String| Address::parse(&text).ok_or_else(no_address);
        if settings.endpoint.contains(['?', '#']) {
            let problem = "`HF_ENDPOINT` has a query or a fragment, which no endpoint can have";
            return Err(subject.unreachable(problem));
        }
        let (endpoint, id) = (&settings.endpoint, model.id());
        let api = address(format!("{endpoint}/api/models/{id}"))?;
        let resolve = address(format!("{endpoint}/{id}/resolve"))?;
        let mut token = settings.token.clone();
        if token.is_some() {
            subject.token = TokenUse::Sent;
        }
        if token.is_some() && Privacy::of(&resolve) == Privacy::Open {
            token = None;
            subject.token = TokenUse::Withheld;
            options.observer.note(&format!(
                "the token is not sent to {}, which is not encrypted",
                subject.endpoint
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
            subject,
            observer: Arc::clone(&options.observer),
        })
    }

    /// Prepares a client for a file of a model that is at an address of its own, to which no token is sent. Returns the
    /// address as well.
    ///
    /// # Errors
    /// Fails with [`Error::HubUnreachable`](crate::error::Error::HubUnreachable) if it is not an address.
    pub(crate) fn of_address(
        model: &str,
        address: &str,
        options: &SourceOptions,
    ) -> Result<(Self, Address)> {
        let settings = &options.hub;
        let mut subject = Subject {
            model: model.to_owned(),
            revision: String::new(),
            endpoint: address.to_owned(),
            token: TokenUse::None,
        };
        let Some(address) = Address::parse(address) else {
            return Err(subject.unreachable("it is not a valid address"));
        };
        subject.endpoint = address.origin();
        let client = Self {
            agent: agent(&settings.ca_bundles),
            proxies: settings.proxies.clone(),
            api: address.clone(),
            resolve: address.clone(),
            token: None,
            silence_noted: AtomicBool::new(false),
            etag_timeout: settings.etag_timeout,
            download_timeout: settings.download_timeout,
            subject,
            observer: Arc::clone(&options.observer),
        };
        Ok((client, address))
    }

    /// Returns the model as `owner/name`.
    pub(crate) fn model(&self) -> &str {
        &self.subject.model
    }

    /// Retries a request until it succeeds or another attempt is pointless. Each attempt is passed its deadline. Errors
    /// name `file`.
    pub(super) fn retry<T>(
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
            if !self.pause(&failure, attempt, &NEVER_STOPPED) {
                return Err(failure.error(&self.subject, file));
            }
            attempt += 1;
        }
    }

    /// Waits before the next attempt, for a time that depends on the failure. Returns false if another attempt is
    /// pointless, or if `stopped` is set.
    pub(super) fn pause(&self, failure: &Failure, attempt: u32, stopped: &AtomicBool) -> bool {
        let Some(pause) = failure.pause(attempt) else {
            return false;
        };
        let seconds = self.download_timeout.as_secs();
        match failure {
            _ if pause >= Duration::from_secs(1) => {
                let seconds = pause.as_secs();
                self.observer
                    .note(&format!("the Hub says to wait {seconds} s"));
            }
            // Shown only once, because parallel requests tend to stall together.
            Failure::Broken(problem)
                if problem == TIMED_OUT && !self.silence_noted.swap(true, Ordering::Relaxed) =>
            {
                self.observer
                    .note(&format!("no data for {seconds} s: trying again"));
            }
            _ => {}
        }
        let end = Instant::now() + pause;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if stopped.load(Ordering::Relaxed) {
                return false;
            }
            if left.is_zero() {
                return true;
            }
            sleep(left.min(TICK));
        }
    }
}
