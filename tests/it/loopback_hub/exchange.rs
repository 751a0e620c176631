//! One request and its answer.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::fault::Fault;
use super::shared::{Served, Shared, lock};

/// A request, and the connection to answer it on.
pub struct Exchange<'a> {
    pub stream: TcpStream,
    pub shared: &'a Shared,
    pub is_cdn: bool,
    pub cdn: SocketAddr,
    pub method: String,
    pub path: String,
    pub headers: BTreeMap<String, String>,
}

impl<'a> Exchange<'a> {
    pub fn read(
        stream: TcpStream,
        shared: &'a Shared,
        is_cdn: bool,
        cdn: SocketAddr,
    ) -> Option<Self> {
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        let mut line = || {
            let mut line = String::new();
            let read = reader.by_ref().take(10_000).read_line(&mut line).ok()?;
            (read > 0).then(|| line.trim_end().to_owned())
        };
        let first = line()?;
        let mut words = first.split(' ').map(str::to_owned);
        let (method, target) = (words.next()?, words.next()?);
        let mut headers = BTreeMap::new();
        while let Some((name, value)) = line()?.split_once(": ") {
            headers.insert(name.to_lowercase(), value.to_owned());
        }
        // A proxy gets whole addresses. As a proxy, this Hub answers for every host itself.
        let path = match target.strip_prefix("http://") {
            Some(address) => &address[address.find('/')?..],
            None => &target,
        };
        let path = path.split('?').next().unwrap_or_default();
        Some(Self {
            stream,
            shared,
            is_cdn,
            cdn,
            method,
            path: decoded(path),
            headers,
        })
    }

    pub fn answer(&mut self) {
        let path = self.path.clone();
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        match parts.as_slice() {
            ["api", "models", owner, name, rest @ ..] => self.api(&format!("{owner}/{name}"), rest),
            [
                "api",
                "resolve-cache",
                "models",
                owner,
                name,
                commit,
                file @ ..,
            ]
            | ["cdn", owner, name, commit, file @ ..] => {
                let id = format!("{owner}/{name}");
                match self
                    .version(&id, commit)
                    .and_then(|mut files| files.remove(&file.join("/")))
                {
                    Some(content) => self.blob(&content.bytes),
                    None => self.status(404, &[], b"not found"),
                }
            }
            [owner, name, "resolve", rest @ ..] => self.resolve(&format!("{owner}/{name}"), rest),
            _ => self.status(404, &[], b"not found"),
        }
    }

    pub fn has_token(&self) -> bool {
        self.headers.contains_key("authorization")
    }

    pub fn refuse(&mut self, status: u16, code: &str) {
        self.status(
            status,
            &[("X-Error-Code", code)],
            b"{\"error\":\"refused\"}",
        );
    }

    pub fn status(&mut self, status: u16, headers: &[(&str, &str)], body: &[u8]) {
        self.send(status, headers, body, body.len());
    }

    pub fn log(&self, status: u16, bytes: usize) {
        lock(&self.shared.log).push(Served {
            cdn: self.is_cdn,
            method: self.method.clone(),
            path: self.path.clone(),
            range: self.headers.get("range").cloned(),
            status,
            bytes,
            token: self.has_token(),
            proxy_password: self.headers.contains_key("proxy-authorization"),
        });
    }

    /// Sends `body` after announcing `length` bytes.
    pub fn send(&mut self, status: u16, headers: &[(&str, &str)], body: &[u8], length: usize) {
        self.log(status, if self.method == "HEAD" { 0 } else { body.len() });
        let mut head = format!(
            "HTTP/1.1 {status} Status\r\nConnection: close\r\nContent-Length: {length}\r\n"
        );
        for (name, value) in headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        head.push_str("\r\n");
        let body = if self.method == "HEAD" { &[] } else { body };
        // The client may have closed the connection.
        let _ = self.stream.write_all(head.as_bytes());
        let _ = self.stream.write_all(body);
        let _ = self.stream.flush();
    }

    /// Keeps the connection open and silent until the Hub stops.
    pub fn wait(&self) {
        while !self.shared.stopped.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Takes the first pending fault that matches.
    pub fn fault(&self, is_wanted: impl Fn(Fault) -> bool) -> Option<Fault> {
        let mut faults = lock(&self.shared.faults);
        let (fault, left) = faults
            .iter_mut()
            .find(|(fault, left)| *left > 0 && is_wanted(*fault))?;
        *left -= 1;
        Some(*fault)
    }
}

fn decoded(path: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let [first, tail @ ..] = rest {
        match (first, tail) {
            (b'%', [a, b, tail @ ..]) => {
                let digits = [*a, *b];
                let digits = std::str::from_utf8(&digits).unwrap_or_default();
                bytes.push(u8::from_str_radix(digits, 16).unwrap_or(b'?'));
                rest = tail;
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
