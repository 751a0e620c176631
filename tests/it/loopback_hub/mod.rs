//! A Hub on the loopback interface: serves model repositories from memory like the real one, with faults on demand and a
//! log of requests.
//!
//! A small file redirects (307) to the same host, a large one (302) to a CDN, which is a second port and therefore another
//! origin. Every published revision stays reachable by its commit.

mod api;
mod blobs;
mod digests;
mod exchange;
mod fault;
mod lies;
mod resolve;
mod revisions;
mod shared;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

pub use digests::{git_blob, sha256};
use exchange::Exchange;
pub use fault::Fault;
pub use shared::{Access, GOOD_TOKEN, LARGE, Served};
use shared::{Files, Repository, Shared, commit, lock, with_digests};

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
