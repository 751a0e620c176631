//! A proxy on the loopback interface: used when the environment names it, and left alone when NO_PROXY says so.

use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use crate::remote::Remote;
use crate::support::Call;

const TOKENIZE: &[&str] = &["-v", "tokenize", "dinero", "--ids"];
/// A Hub that only the proxy can reach.
const HUB: &str = "http://hub.example";

/// A proxy that forwards every plain http request to one server, or refuses all. It opens no tunnels, as many proxies
/// do except to port 443.
struct Proxy {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// A request to the proxy.
struct Asked {
    /// The port of the client, which differs for each connection.
    connection: u16,
    head: String,
}

impl Asked {
    fn line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }
}

impl Proxy {
    /// `target` is the address of the server, or `None` to refuse all requests without a password.
    fn start(target: Option<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self {
            address: listener.local_addr().unwrap(),
            asked: Arc::default(),
        };
        let asked = Arc::clone(&proxy.asked);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (asked, target) = (Arc::clone(&asked), target.clone());
                // The client may close the connection at any time.
                std::thread::spawn(move || serve(client, &asked, target.as_deref()));
            }
        });
        proxy
    }

    fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the requests since the last call.
    fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

/// Answers the requests on one connection.
fn serve(mut client: TcpStream, asked: &Mutex<Vec<Asked>>, target: Option<&str>) -> io::Result<()> {
    let connection = client.peer_addr()?.port();
    let mut reader = BufReader::new(client.try_clone()?);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head)? == 0 {
                return Ok(());
            }
        }
        let answer = match target {
            _ if head.starts_with("CONNECT ") => refusal("403 Forbidden"),
            Some(target) => forward(&head, target)?,
            None => refusal("407 Proxy Authentication Required"),
        };
        asked.lock().unwrap().push(Asked { connection, head });
        client.write_all(&answer)?;
    }
}

fn refusal(status: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").into_bytes()
}

/// Sends a request to the server without the proxy's password, and returns the answer. The server closes each connection; the client's stays open.
fn forward(head: &str, target: &str) -> io::Result<Vec<u8>> {
    const CLOSE: &[u8] = b"Connection: close\r\n";
    let mut server = TcpStream::connect(target)?;
    let head = head.replacen(HUB, "", 1);
    for line in head.split_inclusive('\n') {
        if !line.starts_with("Proxy-Authorization: ") {
            server.write_all(line.as_bytes())?;
        }
    }
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    let close = answer.windows(CLOSE.len()).position(|part| part == CLOSE);
    if let Some(at) = close {
        answer.drain(at..at + CLOSE.len());
    }
    Ok(answer)
}

fn remote() -> Remote {
    Remote::with("safetensors", "model.safetensors")
}

/// Starts a proxy in front of the Hub of `remote`.
fn proxy_to(remote: &Remote) -> Proxy {
    let endpoint = remote.hub.endpoint();
    Proxy::start(endpoint.strip_prefix("http://").map(str::to_owned))
}

fn call(remote: &Remote) -> Call {
    remote
        .call("o/n", TOKENIZE)
        .env("HF_ENDPOINT", HUB)
        .env("HF_HUB_ETAG_TIMEOUT", "5")
}

#[test]
fn a_proxy_of_the_environment_is_used() {
    for variable in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        let remote = remote();
        let proxy = proxy_to(&remote);
        let answer = call(&remote).env(variable, proxy.address()).exit(0);
        assert_eq!(answer.stdout, "1 588 2\n", "{variable}");
        let asked = proxy.asked();
        assert!(!asked.is_empty(), "{variable}");
        for request in asked {
            let (method, rest) = request.line().split_once(' ').unwrap();
            assert!(matches!(method, "GET" | "HEAD"), "{}", request.head);
            let path = rest.strip_prefix("http://hub.example/");
            let is_whole = path.is_some_and(|path| path.ends_with(" HTTP/1.1"));
            assert!(is_whole, "{}", request.head);
            assert!(request.head.contains("\r\nhost: hub.example\r\n"));
            assert!(!request.head.contains("Proxy-Authorization"));
        }
    }
}

#[test]
fn requests_share_connections_to_the_proxy() {
    let remote = remote();
    let proxy = proxy_to(&remote);
    call(&remote).env("HTTP_PROXY", proxy.address()).exit(0);
    let asked = proxy.asked();
    let connections: BTreeSet<u16> = asked.iter().map(|request| request.connection).collect();
    assert!(
        connections.len() < asked.len(),
        "{} requests on {} connections",
        asked.len(),
        connections.len()
    );
}

#[test]
fn no_proxy_is_honoured() {
    for exception in ["hub.example", ".example", "a.example, hub.example:80", "*"] {
        let remote = remote();
        let proxy = proxy_to(&remote);
        let direct = call(&remote)
            .env("HTTP_PROXY", proxy.address())
            .env("NO_PROXY", exception);
        // Without the proxy, the host does not exist.
        let answer = direct.exit(3);
        assert!(
            answer
                .stderr
                .contains("error: cannot reach http://hub.example for `o/n`: "),
            "{}",
            answer.stderr
        );
        assert!(proxy.asked().is_empty(), "{exception}");
    }
    let remote = remote();
    let proxy = proxy_to(&remote);
    let other = call(&remote)
        .env("HTTP_PROXY", proxy.address())
        .env("NO_PROXY", "other.example");
    other.exit(0);
    assert!(!proxy.asked().is_empty());
}

#[test]
fn an_https_endpoint_goes_through_the_proxy_of_https() {
    let remote = remote();
    let proxy = Proxy::start(None);
    let unused = Proxy::start(None);
    let answer = call(&remote)
        .env("HF_ENDPOINT", "https://hub.example")
        .env("HTTPS_PROXY", proxy.address())
        .env("HTTP_PROXY", unused.address())
        .exit(3);
    let problem = ": the proxy refused the connection: proxy server responded 403/403\n";
    assert!(answer.stderr.contains(problem), "{}", answer.stderr);
    let asked = proxy.asked();
    assert!(!asked.is_empty());
    for request in asked {
        assert_eq!(request.line(), "CONNECT hub.example:443 HTTP/1.1");
    }
    assert!(unused.asked().is_empty());
}

#[test]
fn only_the_proxy_gets_its_password() {
    let remote = remote();
    let proxy = proxy_to(&remote);
    let address = format!("http://ann:s%40crt@{}", proxy.address);
    let answer = call(&remote).env("HTTP_PROXY", address).exit(0);
    let said = format!("{}{}", answer.stdout, answer.stderr);
    assert!(!said.contains("crt"), "{said}");
    let asked = proxy.asked();
    // `ann:s@crt` in base64.
    let header = "Proxy-Authorization: Basic YW5uOnNAY3J0\r\n";
    assert!(!asked.is_empty() && asked.iter().all(|request| request.head.contains(header)));
    // The bytes of large files are at another host, which is on this machine and reached without the proxy.
    let served = remote.hub.served();
    assert!(served.iter().any(|one| one.cdn) && served.iter().all(|one| !one.proxy_password));
}

#[test]
fn a_proxy_that_asks_for_a_password_is_reported() {
    let remote = remote();
    let proxy = Proxy::start(None);
    let answer = call(&remote).env("HTTP_PROXY", proxy.address()).exit(3);
    let problem = ": the proxy refused the request: its address needs a user name and a password\n";
    assert!(answer.stderr.contains(problem), "{}", answer.stderr);
}

#[test]
fn an_invalid_proxy_is_named_by_its_variable() {
    let remote = remote();
    let answer = call(&remote)
        .env("HTTP_PROXY", "foo://ann:secret@proxy.example")
        .exit(3);
    let problem = ": HTTP_PROXY is not the address of a proxy\n";
    assert!(answer.stderr.contains(problem), "{}", answer.stderr);
    assert!(!answer.stderr.contains("secret"), "{}", answer.stderr);
}
