//! Plain http through an HTTP proxy: the proxy gets the whole address in the request line (RFC 9112, section 3.2.2).
//!
//! ureq would open a tunnel with `CONNECT`, which many proxies allow only to port 443.

use std::{fmt, mem};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ureq::config::Config;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, NextTimeout, Transport,
};
use ureq::{Proxy, ProxyProtocol};

/// Connects to the proxy for `http:` addresses. Leaves `https:` addresses and SOCKS proxies to the other connectors.
#[derive(Debug)]
pub(super) struct ForwardProxyConnector {
    /// The settings of the connection to the proxy, which itself uses no proxy.
    direct: Config,
}

impl ForwardProxyConnector {
    pub(super) fn new() -> Self {
        Self {
            direct: Config::builder().proxy(None).build(),
        }
    }
}

impl<In: Transport> Connector<In> for ForwardProxyConnector {
    type Out = Either<In, ForwardTransport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        if let Some(transport) = chained {
            return Ok(Some(Either::A(transport)));
        }
        let Some(proxy) = details.config.proxy().filter(|proxy| is_http(proxy)) else {
            return Ok(None);
        };
        let Some(authority) = details.uri.authority().filter(|_| !details.needs_tls()) else {
            return Ok(None);
        };
        // A request line must not contain a user name or password.
        let host = authority.as_str().rsplit('@').next().unwrap_or_default();
        let origin = format!("http://{host}");
        let resolver = details.resolver;
        let to_proxy = ConnectionDetails {
            uri: proxy.uri(),
            addrs: resolver.resolve(proxy.uri(), &self.direct, details.timeout)?,
            config: &self.direct,
            request_level: details.request_level,
            resolver,
            now: details.now,
            timeout: details.timeout,
            current_time: details.current_time.clone(),
            run_connector: details.run_connector.clone(),
            register_shutdown: details.register_shutdown.clone(),
        };
        Ok(Some(Either::B(ForwardTransport {
            transport: (details.run_connector)(&to_proxy)?,
            origin,
            authorization: authorization(proxy),
            head: Vec::new(),
        })))
    }
}

fn is_http(proxy: &Proxy) -> bool {
    matches!(proxy.protocol(), ProxyProtocol::Http | ProxyProtocol::Https)
}

/// Returns the header line with the user name and password of a proxy, or an empty string if it has none.
fn authorization(proxy: &Proxy) -> String {
    if proxy.username().is_none() && proxy.password().is_none() {
        return String::new();
    }
    let user = proxy.username().unwrap_or_default();
    let password = proxy.password().unwrap_or_default();
    let credentials = BASE64_STANDARD.encode(format!("{user}:{password}"));
    format!("Proxy-Authorization: Basic {credentials}\r\n")
}

/// A connection to a proxy for the requests to one origin, which have no bodies.
///
/// ureq writes the head of a request in one or more parts. They are collected here up to the empty line and then sent
/// with the origin and the proxy's password added. Any later bytes belong to the head of the next request.
pub(super) struct ForwardTransport {
    transport: Box<dyn Transport>,
    /// `http://host`, with the port if the address has one.
    origin: String,
    /// A header line; empty if the proxy needs no password.
    authorization: String,
    /// The part of a head that ureq has written.
    head: Vec<u8>,
}

/// Shows only the origin, because the rest can contain a password or a token.
impl fmt::Debug for ForwardTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForwardTransport")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

impl Transport for ForwardTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.transport.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        let written = self.transport.buffers().output().iter().take(amount);
        self.head.extend(written);
        if !self.head.ends_with(b"\r\n\r\n") {
            return Ok(());
        }
        let head = mem::take(&mut self.head);
        let head = absolute_form(&head, &self.origin, &self.authorization);
        let mut rest = head.as_slice();
        while !rest.is_empty() {
            let output = self.transport.buffers().output();
            let (part, after) = rest.split_at(rest.len().min(output.len()));
            output[..part.len()].copy_from_slice(part);
            self.transport.transmit_output(part.len(), timeout)?;
            rest = after;
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.transport.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.transport.is_open()
    }

    /// The connection to the proxy may be encrypted, but the connection to the target is not.
    fn is_tls(&self) -> bool {
        false
    }
}

/// Returns the head of a request with `origin` before its path and `header` as its first header line. `header` may be
/// empty.
fn absolute_form(head: &[u8], origin: &str, header: &str) -> Vec<u8> {
    let after = |end: u8| {
        let position = head.iter().position(|byte| *byte == end);
        position.map_or(0, |position| position + 1)
    };
    let (path, headers) = (after(b' '), after(b'\n'));
    let (line, headers) = head.split_at(headers.max(path));
    let (method, path) = line.split_at(path);
    [method, origin.as_bytes(), path, header.as_bytes(), headers].concat()
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use ureq::unversioned::transport::LazyBuffers;

    use super::*;

    #[test]
    fn the_request_line_gets_the_origin() {
        let head = b"GET /o/n?a=b HTTP/1.1\r\nhost: hub.example:81\r\n\r\n";
        let line = "GET http://hub.example:81/o/n?a=b HTTP/1.1\r\n";
        for header in ["", "Proxy-Authorization: Basic eDp5\r\n"] {
            let sent = absolute_form(head, "http://hub.example:81", header);
            let expected = format!("{line}{header}host: hub.example:81\r\n\r\n");
            assert_eq!(String::from_utf8(sent).unwrap(), expected);
        }
    }

    #[test]
    fn a_proxy_without_password_gets_no_authorization() {
        let line = |address: &str| authorization(&Proxy::new(address).unwrap());
        assert_eq!(line("http://p:1"), "");
        assert_eq!(
            line("http://ann:s%40crt@p:1"),
            "Proxy-Authorization: Basic YW5uOnNAY3J0\r\n"
        );
    }

    /// A transport with a small output buffer that records what it sends.
    #[derive(Debug)]
    struct Recorder {
        buffers: LazyBuffers,
        sent: Arc<Mutex<Vec<u8>>>,
    }

    impl Transport for Recorder {
        fn buffers(&mut self) -> &mut dyn Buffers {
            &mut self.buffers
        }

        fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
            let output = &self.buffers.output()[..amount];
            self.sent.lock().unwrap().extend_from_slice(output);
            Ok(())
        }

        fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
            Ok(false)
        }

        fn is_open(&mut self) -> bool {
            true
        }
    }

    #[test]
    fn heads_may_arrive_in_parts_of_any_length() {
        let head = b"HEAD / HTTP/1.1\r\nhost: h\r\naccept: */*\r\n\r\n";
        let expected = b"HEAD http://h/ HTTP/1.1\r\nA: b\r\nhost: h\r\naccept: */*\r\n\r\n";
        for length in 1..=head.len() {
            let sent = Arc::default();
            let mut transport = ForwardTransport {
                transport: Box::new(Recorder {
                    buffers: LazyBuffers::new(8, length),
                    sent: Arc::clone(&sent),
                }),
                origin: "http://h".to_owned(),
                authorization: "A: b\r\n".to_owned(),
                head: Vec::new(),
            };
            for _ in 0..2 {
                for part in head.chunks(length) {
                    transport.buffers().output()[..part.len()].copy_from_slice(part);
                    let timeout = NextTimeout::default();
                    transport.transmit_output(part.len(), timeout).unwrap();
                }
            }
            assert_eq!(*sent.lock().unwrap(), expected.repeat(2), "{length}");
        }
    }
}
