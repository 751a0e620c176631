//! One request and the head of its answer, after the redirects that lead to it.

use std::io;
use std::ops::Range;

use ureq::Body;
use ureq::http::header::{AUTHORIZATION, LOCATION, RANGE};
use ureq::http::{Method, Request, Response, StatusCode};

use super::agent::{Limit, configured};
use super::content_range::text;
use super::failure::Failure;
use super::hub_client::HubClient;
use super::redirect::{REDIRECTS, follow, without_end};
use crate::source::hub::address::Address;
use crate::source::hub::cost::Cost;
use crate::source::hub::errors::{BROKE, TIMED_OUT};

impl HubClient {
    /// Sends one request and returns the head of its answer. `at_hub` says that the token may go along: the address is
    /// the Hub's own, and nobody else has led there.
    pub(super) fn send(
        &self,
        method: Method,
        url: &Address,
        at_hub: bool,
        range: Option<&Range<u64>>,
        limit: Limit,
    ) -> Result<Response<Body>, Failure> {
        let proxy = self.proxies.proxy(url).map_err(Failure::Misled)?;
        let mut request = Request::builder().method(method).uri(url.uri());
        if let Some(range) = range {
            let last = range.end.saturating_sub(1);
            request = request.header(RANGE, format!("bytes={}-{last}", range.start));
        }
        if let Some(token) = &self.token
            && at_hub
            && url.origin() == self.resolve.origin()
        {
            request = request.header(AUTHORIZATION, format!("Bearer {}", token.secret()));
        }
        let request = request.body(()).map_err(ureq::Error::from);
        request
            .and_then(|request| {
                let request = configured(&self.agent, request, limit, proxy);
                self.agent.run(request)
            })
            .map_err(|error| match limit {
                Limit::Until(_) => Failure::within_deadline(error),
                Limit::Silence(_) => Failure::in_transfer(error),
            })
    }

    /// Asks for the bytes of a file at `address`, or for a range of them, and returns the answer that brings them.
    pub(super) fn get(
        &self,
        address: &Address,
        range: Option<&Range<u64>>,
        cost: &Cost,
    ) -> Result<Response<Body>, Failure> {
        let hub = self.resolve.origin();
        let mut url = address.clone();
        let mut at_hub = true;
        for _ in 0..REDIRECTS {
            at_hub &= url.origin() == hub;
            cost.add_request();
            let limit = Limit::Silence(self.download_timeout);
            let answer = self.send(Method::GET, &url, at_hub, range, limit)?;
            let status = answer.status();
            if status.is_redirection() {
                let location = text(answer.headers(), &LOCATION).ok_or(Failure::NotTheHub)?;
                url = follow(&url, location)?;
                continue;
            }
            return match status {
                StatusCode::OK | StatusCode::PARTIAL_CONTENT => Ok(answer),
                StatusCode::RANGE_NOT_SATISFIABLE => Err(Failure::NotThatRange(
                    "the server says that it has no such bytes (status 416)".to_owned(),
                )),
                status if status.is_client_error() && url.origin() != hub => {
                    match status {
                        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
                            Err(Failure::refused(status, answer.headers()))
                        }
                        // An expired signature: 403 mostly, and 400, 401, 404 or 410 of some.
                        status => Err(Failure::Expired(status)),
                    }
                }
                status => Err(Failure::refused(status, answer.headers())),
            };
        }
        Err(without_end())
    }
}

/// The reason in a few words why no more of a body came.
pub(super) fn broken(error: io::Error) -> &'static str {
    match ureq::Error::from(error) {
        ureq::Error::Timeout(_) => TIMED_OUT,
        _ => BROKE,
    }
}
