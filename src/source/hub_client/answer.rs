//! A request → the head of its answer, after the redirects that lead to it.

use std::ops::Range;

use reqwest::header::{LOCATION, RANGE};
use reqwest::{Method, Response, StatusCode, Url};

use super::content_range::text;
use super::failure::Failure;
use super::redirect::{follow, without_end};
use super::remote_place::Cost;
use super::{HubClient, REDIRECTS};
use crate::source::hub_error::{BROKE, TIMED_OUT};

impl HubClient {
    /// One request and the head of its answer. `at_hub` says that the token may go along: the address is the Hub's own,
    /// and nobody else has led there.
    pub(super) async fn send(
        &self,
        method: Method,
        url: &Url,
        at_hub: bool,
        range: Option<&Range<u64>>,
    ) -> Result<Response, Failure> {
        let mut request = self.http.request(method, url.clone());
        if let Some(range) = range {
            let last = range.end.saturating_sub(1);
            request = request.header(RANGE, format!("bytes={}-{last}", range.start));
        }
        if let Some(token) = &self.token
            && at_hub
            && url.origin() == self.resolve.origin()
        {
            request = request.bearer_auth(token.secret());
        }
        request.send().await.map_err(Failure::Transport)
    }

    /// Asks for the bytes of a file at `address`, or for a range of them: the answer that brings them.
    pub(super) async fn get(
        &self,
        address: &Url,
        range: Option<&Range<u64>>,
        cost: &Cost,
    ) -> Result<Response, Failure> {
        let hub = self.resolve.origin();
        let mut url = address.clone();
        let mut at_hub = true;
        for _ in 0..REDIRECTS {
            at_hub &= url.origin() == hub;
            cost.add_request();
            let answer = self.send(Method::GET, &url, at_hub, range);
            let answer = match tokio::time::timeout(self.download_timeout, answer).await {
                Err(_) => return Err(Failure::Broken(TIMED_OUT.to_owned())),
                Ok(Err(Failure::Transport(error))) if !error.is_connect() => {
                    return Err(broken(error));
                }
                Ok(answer) => answer?,
            };
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

/// A connection that was there and is no more.
pub(super) fn broken(error: reqwest::Error) -> Failure {
    Failure::Broken(match error.is_timeout() {
        true => TIMED_OUT.to_owned(),
        false => BROKE.to_owned(),
    })
}
