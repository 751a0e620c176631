//! A Hub on the loopback interface: serves model repositories from memory like the real one, with faults on demand and a
//! log of requests.
//!
//! A small file redirects (307) to the same host, a large one (302) to a CDN, which is a second port and therefore another
//! origin. Every published revision stays reachable by its commit.

mod fault;
mod lies;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::json;
use sha1::{Digest, Sha1};
use sha2::Sha256;

pub use fault::Fault;

/// Files of this many bytes or more are served by the CDN.
pub const LARGE: usize = 1000;
/// The token that gives access to gated and private repositories.
pub const GOOD_TOKEN: &str = "hf_good";

/// Who may read a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Public,
    /// Visible to everyone, readable with the good token.
    Gated,
    /// Invisible without the good token.
    Private,
}

/// One request, as it was served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    pub cdn: bool,
    pub method: String,
    pub path: String,
    pub range: Option<String>,
    pub status: u16,
    /// Bytes of the body sent.
    pub bytes: usize,
    pub token: bool,
    /// True if the request has a password for a proxy.
    pub proxy_password: bool,
}

type Files = BTreeMap<String, Arc<Content>>;

/// A file with its digests, computed once.
struct Content {
    bytes: Vec<u8>,
    sha256: String,
    git_blob: String,
}

struct Repository {
    access: Access,
    /// By commit; the last one is `main`.
    versions: Vec<(String, Files)>,
}

#[derive(Default)]
struct Shared {
    repositories: Mutex<BTreeMap<String, Repository>>,
    /// The commits that [`Hub::publish_as`] claims, by the true commits of their files.
    claims: Mutex<BTreeMap<String, String>>,
    faults: Mutex<Vec<(Fault, usize)>>,
    log: Mutex<Vec<Served>>,
    stopped: AtomicBool,
}

/// A running Hub; it stops when dropped.
pub struct Hub {
    address: SocketAddr,
    cdn: SocketAddr,
    shared: Arc<Shared>,
    listeners: Vec<JoinHandle<()>>,
}

impl Hub {
    pub fn start() -> Self {
        let shared = Arc::<Shared>::default();
        let bind = || TcpListener::bind("127.0.0.1:0").unwrap();
        let (hub, cdn) = (bind(), bind());
        let (address, cdn_address) = (hub.local_addr().unwrap(), cdn.local_addr().unwrap());
        let listen = |listener: TcpListener, is_cdn: bool| {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || {
                for stream in listener.incoming() {
                    if shared.stopped.load(Ordering::SeqCst) {
                        return;
                    }
                    let (Ok(stream), shared) = (stream, Arc::clone(&shared)) else {
                        continue;
                    };
                    std::thread::spawn(move || {
                        let exchange = Exchange::read(stream, &shared, is_cdn, cdn_address);
                        if let Some(mut exchange) = exchange {
                            exchange.answer();
                        }
                    });
                }
            })
        };
        let listeners = vec![listen(hub, false), listen(cdn, true)];
        Self {
            address,
            cdn: cdn_address,
            shared,
            listeners,
        }
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The origin of the CDN.
    pub fn cdn(&self) -> String {
        format!("http://{}", self.cdn)
    }

    /// Publishes a new version of a repository and returns its commit.
    pub fn publish(&self, id: &str, access: Access, files: &[(&str, &[u8])]) -> String {
        let files = with_digests(files);
        let commit = commit(&files);
        self.push(id, access, commit.clone(), files);
        commit
    }

    /// Publishes files under a commit that is not theirs, as a false Hub may do.
    pub fn publish_as(&self, claimed: &str, id: &str, files: &[(&str, &[u8])]) {
        let files = with_digests(files);
        lock(&self.shared.claims).insert(commit(&files), claimed.to_owned());
        self.push(id, Access::Public, claimed.to_owned(), files);
    }

    fn push(&self, id: &str, access: Access, commit: String, files: Files) {
        let mut repositories = lock(&self.shared.repositories);
        let repository = repositories.entry(id.to_owned()).or_insert(Repository {
            access,
            versions: Vec::new(),
        });
        repository.versions.push((commit, files));
    }

    /// Forgets all versions of a repository but the last one, as after a forced push.
    pub fn forget_history(&self, id: &str) {
        let mut repositories = lock(&self.shared.repositories);
        let versions = &mut repositories.get_mut(id).unwrap().versions;
        versions.drain(..versions.len() - 1);
    }

    /// Makes the fault happen to the next `times` requests that it applies to.
    pub fn fault(&self, fault: Fault, times: usize) {
        lock(&self.shared.faults).push((fault, times));
    }

    /// Removes all faults.
    pub fn heal(&self) {
        lock(&self.shared.faults).clear();
    }

    /// Returns the requests since the last call.
    pub fn served(&self) -> Vec<Served> {
        std::mem::take(&mut *lock(&self.shared.log))
    }

    /// Refuses connections from now on.
    pub fn stop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        for address in [self.address, self.cdn] {
            let _ = TcpStream::connect(address);
        }
        for listener in self.listeners.drain(..) {
            let _ = listener.join();
        }
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A request, and the connection to answer it on.
struct Exchange<'a> {
    stream: TcpStream,
    shared: &'a Shared,
    is_cdn: bool,
    cdn: SocketAddr,
    method: String,
    path: String,
    headers: BTreeMap<String, String>,
}

impl<'a> Exchange<'a> {
    fn read(stream: TcpStream, shared: &'a Shared, is_cdn: bool, cdn: SocketAddr) -> Option<Self> {
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

    fn answer(&mut self) {
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

    fn api(&mut self, id: &str, rest: &[&str]) {
        if self.fault(|fault| fault == Fault::ApiSilent).is_some() {
            return self.wait();
        }
        if self.fault(|fault| fault == Fault::ApiPage).is_some() {
            return self.status(
                200,
                &[],
                b"<!doctype html><title>Welcome to the Wi-Fi</title>",
            );
        }
        if let Some(Fault::ApiStatus(status)) =
            self.fault(|fault| matches!(fault, Fault::ApiStatus(_)))
        {
            return self.status(status, &[], b"out of order");
        }
        match self.fault(|fault| {
            matches!(
                fault,
                Fault::ApiEndless | Fault::ApiHeaders | Fault::ApiRedirect(_)
            )
        }) {
            Some(Fault::ApiEndless) => return self.endless("{\"sha\":\"", 200),
            Some(Fault::ApiHeaders) => return self.endless_headers(),
            Some(Fault::ApiRedirect(location)) => return self.redirect(location),
            _ => {}
        }
        let (what, revision) = match rest {
            [] => ("revision", "main".to_owned()),
            [what, revision @ ..] => (*what, revision.join("/")),
        };
        let Some(files) = self.permitted(id, &revision, false) else {
            return;
        };
        let next = format!("<{}>; rel=\"next\"", self.path);
        let mut headers = vec![("Content-Type", "application/json")];
        if what == "tree" && self.fault(|fault| fault == Fault::ApiPages).is_some() {
            headers.push(("Link", &next));
        }
        let answer = if what == "tree" {
            files
                .iter()
                .map(|(name, content)| {
                    let mut entry = json!({
                        "type": "file", "path": name, "size": content.bytes.len(), "oid": content.git_blob,
                    });
                    if content.bytes.len() >= LARGE {
                        entry["lfs"] = json!({
                            "oid": content.sha256, "size": content.bytes.len(), "pointerSize": 134,
                        });
                    }
                    entry
                })
                .collect()
        } else {
            let siblings: Vec<_> = files
                .keys()
                .map(|name| json!({ "rfilename": name }))
                .collect();
            json!({ "_id": "0", "id": id, "sha": self.commit(&files), "siblings": siblings })
        };
        let answer =
            match self.fault(|fault| matches!(fault, Fault::ApiBloat | Fault::ApiManyFiles)) {
                Some(Fault::ApiBloat) => lies::bloated(&answer.to_string()),
                Some(_) => lies::with_many_files(&answer.to_string()),
                None => answer.to_string(),
            };
        self.status(200, &headers, answer.as_bytes());
    }

    fn resolve(&mut self, id: &str, rest: &[&str]) {
        if self.method == "HEAD"
            && let Some(Fault::HeadStatus(status)) =
                self.fault(|fault| matches!(fault, Fault::HeadStatus(_)))
        {
            return self.status(status, &[], b"");
        }
        if self.method == "HEAD"
            && let Some(Fault::HeadRedirect(location)) =
                self.fault(|fault| matches!(fault, Fault::HeadRedirect(_)))
        {
            return self.redirect(location);
        }
        let (revision, file) = match rest {
            ["refs", "pr", number, file @ ..] => (format!("refs/pr/{number}"), file.join("/")),
            [revision, file @ ..] => ((*revision).to_owned(), file.join("/")),
            [] => return self.status(404, &[], b""),
        };
        let Some(files) = self.permitted(id, &revision, true) else {
            return;
        };
        let commit = self.commit(&files);
        let Some(content) = files.get(&file) else {
            return self.refuse(404, "EntryNotFound");
        };
        let size = content.bytes.len().to_string();
        if content.bytes.len() < LARGE {
            let etag = format!("\"{}\"", content.git_blob);
            let location = format!("/api/resolve-cache/models/{id}/{commit}/{file}");
            let headers = [
                ("Location", location.as_str()),
                ("X-Repo-Commit", &commit),
                ("ETag", &etag),
            ];
            self.status(307, &headers, b"");
        } else {
            let mut etag = format!("\"{}\"", content.sha256);
            let mut size = size;
            match self.fault(|fault| matches!(fault, Fault::EtagLie | Fault::SizeLie(_))) {
                Some(Fault::SizeLie(other)) => size = other.to_string(),
                Some(_) => etag = format!("\"{}\"", "../".repeat(21) + "x"),
                None => {}
            }
            let location = format!("http://{}/cdn/{id}/{commit}/{file}", self.cdn);
            let headers = [
                ("Location", location.as_str()),
                ("X-Repo-Commit", &commit),
                ("X-Linked-Etag", &etag),
                ("X-Linked-Size", &size),
            ];
            self.status(302, &headers, b"");
        }
    }

    fn blob(&mut self, content: &[u8]) {
        let etag = match self.is_cdn {
            true => "\"etag-of-the-cdn\"".to_owned(),
            false => format!("\"{}\"", git_blob(content)),
        };
        if self.headers.get("if-none-match") == Some(&etag) {
            return self.status(304, &[("ETag", &etag)], b"");
        }
        if self.method == "HEAD" {
            return self.send(200, &[("ETag", &etag)], content, content.len());
        }
        if self.is_cdn && self.fault(|fault| fault == Fault::AddressExpired).is_some() {
            return self.status(403, &[], b"<Code>AccessDenied</Code>");
        }
        match self.fault(|fault| {
            matches!(
                fault,
                Fault::BlobStatus(_)
                    | Fault::BlobLater(_)
                    | Fault::BlobPage
                    | Fault::BlobEndless
                    | Fault::BlobErrorEndless
                    | Fault::BlobRedirect(_)
            )
        }) {
            Some(Fault::BlobEndless) => return self.endless("", 200),
            Some(Fault::BlobErrorEndless) => return self.endless("", 451),
            Some(Fault::BlobRedirect(location)) => return self.redirect(location),
            Some(Fault::BlobStatus(status)) => return self.status(status, &[], b"upstream error"),
            Some(Fault::BlobLater(when)) => {
                return self.status(429, &[("Retry-After", when)], b"slow down");
            }
            Some(_) => return self.status(200, &[], b"<!doctype html><title>Blocked</title>"),
            None => {}
        }
        let range = self.headers.get("range").cloned();
        let range = range.filter(|_| self.fault(|fault| fault == Fault::BlobWhole).is_none());
        let (status, part, content_range) =
            match range.as_deref().map(|range| bounds(range, content.len())) {
                None => (200, content, String::new()),
                Some(Some((start, end))) => {
                    let wrong = |fault| matches!(fault, Fault::RangeElsewhere | Fault::RangeLonger);
                    let (start, end) = match self.fault(wrong) {
                        Some(Fault::RangeElsewhere) => (0, end - start),
                        Some(_) => (start, (end + 1).min(content.len())),
                        None => (start, end),
                    };
                    let content_range = format!("bytes {start}-{}/{}", end - 1, content.len());
                    (206, &content[start..end], content_range)
                }
                Some(None) => {
                    let content_range = format!("bytes */{}", content.len());
                    return self.status(416, &[("Content-Range", &content_range)], b"");
                }
            };
        let mut headers = vec![("ETag", etag.as_str()), ("Accept-Ranges", "bytes")];
        if status == 206 {
            headers.push(("Content-Range", &content_range));
        }
        if let Some(Fault::BlobEncoded(encoding)) =
            self.fault(|fault| matches!(fault, Fault::BlobEncoded(_)))
        {
            headers.push(("Content-Encoding", encoding));
        }
        match self.fault(|fault| {
            matches!(
                fault,
                Fault::BlobGarbage
                    | Fault::BlobCut
                    | Fault::BlobStalls
                    | Fault::BlobSilent
                    | Fault::BlobSlow
            )
        }) {
            None => self.send(status, &headers, part, part.len()),
            Some(Fault::BlobGarbage) => {
                let garbage: Vec<u8> = part.iter().map(|byte| byte ^ 0x5A).collect();
                self.send(status, &headers, &garbage, part.len());
            }
            Some(Fault::BlobSilent) => {
                self.send(status, &headers, b"", part.len());
                self.wait();
            }
            Some(Fault::BlobSlow) => {
                let (first, rest) = part.split_at(part.len() / 4);
                self.send(status, &headers, first, part.len());
                for part in rest.chunks(rest.len() / 15 + 1) {
                    std::thread::sleep(Duration::from_millis(100));
                    let _ = self.stream.write_all(part);
                }
            }
            Some(Fault::BlobStalls) => {
                self.send(status, &headers, &part[..part.len() / 2], part.len());
                self.wait();
            }
            Some(_) => self.send(status, &headers, &part[..part.len() / 2], part.len()),
        }
    }

    /// Returns the files of a revision, or sends an error and returns `None`.
    fn permitted(&mut self, id: &str, revision: &str, file: bool) -> Option<Files> {
        let good = self.headers.get("authorization").map(String::as_str)
            == Some(&format!("Bearer {GOOD_TOKEN}"));
        let access = lock(&self.shared.repositories)
            .get(id)
            .map(|repository| repository.access);
        match access {
            Some(Access::Gated) if file && !good => {
                let status = if self.has_token() { 403 } else { 401 };
                self.refuse(status, "GatedRepo");
                return None;
            }
            // A missing repository and a private one look the same: no error code without a token, 404 with one.
            Some(Access::Private) if !good => {
                self.unknown_repository();
                return None;
            }
            None => {
                self.unknown_repository();
                return None;
            }
            Some(_) => {}
        }
        let files = self.version(id, revision);
        if files.is_none() {
            self.refuse(404, "RevisionNotFound");
        }
        files
    }

    fn unknown_repository(&mut self) {
        if self.has_token() {
            self.refuse(404, "RepoNotFound");
        } else {
            self.status(401, &[], b"Invalid username or password.");
        }
    }

    fn version(&self, id: &str, revision: &str) -> Option<Files> {
        let repositories = lock(&self.shared.repositories);
        let versions = &repositories.get(id)?.versions;
        let version = match revision {
            "main" | "refs/pr/1" => versions.last(),
            _ => versions.iter().find(|(commit, _)| commit == revision),
        };
        version.map(|(_, files)| files.clone())
    }

    fn commit(&self, files: &Files) -> String {
        let commit = commit(files);
        let claims = lock(&self.shared.claims);
        claims.get(&commit).cloned().unwrap_or(commit)
    }

    fn has_token(&self) -> bool {
        self.headers.contains_key("authorization")
    }

    fn refuse(&mut self, status: u16, code: &str) {
        self.status(
            status,
            &[("X-Error-Code", code)],
            b"{\"error\":\"refused\"}",
        );
    }

    fn status(&mut self, status: u16, headers: &[(&str, &str)], body: &[u8]) {
        self.send(status, headers, body, body.len());
    }

    fn log(&self, status: u16, bytes: usize) {
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
    fn send(&mut self, status: u16, headers: &[(&str, &str)], body: &[u8], length: usize) {
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
    fn wait(&self) {
        while !self.shared.stopped.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Takes the first pending fault that matches.
    fn fault(&self, is_wanted: impl Fn(Fault) -> bool) -> Option<Fault> {
        let mut faults = lock(&self.shared.faults);
        let (fault, left) = faults
            .iter_mut()
            .find(|(fault, left)| *left > 0 && is_wanted(*fault))?;
        *left -= 1;
        Some(*fault)
    }
}

/// Parses `bytes=a-b`, `bytes=a-`, or `bytes=-n`. Returns `None` if the file does not have these bytes.
fn bounds(range: &str, length: usize) -> Option<(usize, usize)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (start, end) = match (first, last) {
        ("", last) => (length.checked_sub(last.parse().ok()?)?, length),
        (first, "") => (first.parse().ok()?, length),
        (first, last) => (
            first.parse().ok()?,
            last.parse::<usize>().ok()?.checked_add(1)?.min(length),
        ),
    };
    (start < end).then_some((start, end))
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

pub fn git_blob(content: &[u8]) -> String {
    let mut sha1 = Sha1::new();
    sha1.update(format!("blob {}\0", content.len()));
    sha1.update(content);
    hex(&sha1.finalize())
}

pub fn sha256(content: &[u8]) -> String {
    hex(&Sha256::digest(content))
}

impl Content {
    fn new(bytes: &[u8]) -> Self {
        Self {
            bytes: bytes.to_vec(),
            sha256: sha256(bytes),
            git_blob: git_blob(bytes),
        }
    }
}

fn with_digests(files: &[(&str, &[u8])]) -> Files {
    files
        .iter()
        .map(|(name, content)| ((*name).to_owned(), Arc::new(Content::new(content))))
        .collect()
}

fn commit(files: &Files) -> String {
    let mut sha1 = Sha1::new();
    for (name, content) in files {
        sha1.update(format!("{name} {}\n", content.sha256));
    }
    hex(&sha1.finalize())
}

fn hex(digest: &[u8]) -> String {
    digest.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
