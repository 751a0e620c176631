//! Sends requests and follows redirects, up to the headers of the answer.

use std::io;
use std::ops::Range;

use ureq::Body;
use ureq::http::header::{AUTHORIZATION, LOCATION, RANGE};
use ureq::http::{Method, Request, Response, StatusCode};

use super::agent::{Limit, configured};
use super::failure::Failure;
use super::headers::{encoding, header};
use super::hub_client::HubClient;
use super::redirect::{MAX_REDIRECTS, follow, too_many_redirects};
use crate::source::hub::address::Address;
use crate::source::hub::cost::Cost;
use crate::source::hub::errors::{DISCONNECTED, TIMED_OUT};

impl HubClient {
    /// Sends one request and returns its answer with an unread body. The token is sent only if the address is the Hub's
    /// own and `at_hub` is true, which means that no other host has redirected here.
    pub(super) fn send(
        &self,
        method: Method,
        url: &Address,
        at_hub: bool,
        range: Option<&Range<u64>>,
        limit: Limit,
    ) -> Result<Response<Body>, Failure> {
        let proxy = self.proxies.proxy(url).map_err(Failure::Misled)?;
        let is_proxied = proxy.is_some();
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
        let answer = request
            .and_then(|request| {
                let request = configured(&self.agent, request, limit, proxy);
                self.agent.run(request)
            })
            .map_err(|error| match limit {
                Limit::Until(_) => Failure::within_deadline(error),
                Limit::Silence(_) => Failure::in_transfer(error),
            })?;
        if is_proxied && answer.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
            return Err(Failure::Misled(
                "the proxy refused the request: its address needs a user name and a password"
                    .to_owned(),
            ));
        }
        if answer.status().is_success()
            && let Some(encoding) = encoding(answer.headers())
        {
            return Err(Failure::Encoded(encoding));
        }
        Ok(answer)
    }

    /// Requests a file at `address`, or a range of it, and returns the answer with an unread body.
    pub(super) fn get(
        &self,
        address: &Address,
        range: Option<&Range<u64>>,
        cost: &Cost,
    ) -> Result<Response<Body>, Failure> {
        let hub = self.resolve.origin();
        let mut url = address.clone();
        let mut at_hub = true;
        for _ in 0..MAX_REDIRECTS {
            at_hub &= url.origin() == hub;
            cost.add_request();
            let limit = Limit::Silence(self.download_timeout);
            let answer = self.send(Method::GET, &url, at_hub, range, limit)?;
            let status = answer.status();
            if status.is_redirection() {
                let location = header(answer.headers(), &LOCATION).ok_or(Failure::NotTheHub)?;
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
                        // An expired signature: usually 403, but some servers answer 400, 401, 404, or 410.
                        status => Err(Failure::Expired(status)),
                    }
                }
                status => Err(Failure::refused(status, answer.headers())),
            };
        }
        Err(too_many_redirects())
    }
}

/// Describes why a body could not be read to its end.
pub(super) fn describe_break(error: io::Error) -> &'static str {
    match ureq::Error::from(error) {
        ureq::Error::Timeout(_) => TIMED_OUT,
        _ => DISCONNECTED,
    }
}
