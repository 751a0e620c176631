//! A proxy on the loopback interface: used when the environment names it, and left alone when NO_PROXY says so.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use crate::remote::Remote;
use crate::support::Call;

const TOKENIZE: &[&str] = &["-v", "tokenize", "dinero", "--ids"];
/// A Hub that only the proxy can reach.
const HUB: &str = "http://hub.example";

/// A proxy that connects every tunnel to one server, or refuses all.
struct Proxy {
    address: SocketAddr,
    /// The head of each request.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// `target` is the address of the server, or `None` to answer 403.
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

    /// Returns the first lines of the requests since the last call.
    fn asked(&self) -> Vec<String> {
        let heads = std::mem::take(&mut *self.asked.lock().unwrap());
        heads
            .iter()
            .map(|head| head.lines().next().unwrap_or_default().to_owned())
            .collect()
    }
}

fn serve(
    mut client: TcpStream,
    asked: &Mutex<Vec<String>>,
    target: Option<&str>,
) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head)? > 0 {}
    asked.lock().unwrap().push(head);
    let Some(target) = target else {
        return client.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    };
    let mut server = TcpStream::connect(target)?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    let mut upstream = server.try_clone()?;
    std::thread::spawn(move || {
        let _ = io::copy(&mut reader, &mut upstream);
        upstream.shutdown(std::net::Shutdown::Write)
    });
    io::copy(&mut server, &mut client)?;
    client.shutdown(std::net::Shutdown::Write)
}

fn remote() -> Remote {
    Remote::with("safetensors", "model.safetensors")
}

/// Starts a proxy whose tunnels lead to the Hub of `remote`.
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
        for first in asked {
            assert_eq!(first, "CONNECT hub.example:80 HTTP/1.1", "{variable}");
        }
    }
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
        assert_eq!(proxy.asked(), [] as [&str; 0], "{exception}");
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
    for first in asked {
        assert_eq!(first, "CONNECT hub.example:443 HTTP/1.1");
    }
    assert_eq!(unused.asked(), [] as [&str; 0]);
}

#[test]
fn only_the_proxy_gets_its_password() {
    let remote = remote();
    let proxy = proxy_to(&remote);
    let address = format!("http://ann:s%40crt@{}", proxy.address);
    let answer = call(&remote).env("HTTP_PROXY", address).exit(0);
    let said = format!("{}{}", answer.stdout, answer.stderr);
    assert!(!said.contains("crt"), "{said}");
    let heads = std::mem::take(&mut *proxy.asked.lock().unwrap());
    // `ann:s@crt` in base64.
    let header = "Proxy-Authorization: Basic YW5uOnNAY3J0\r\n";
    assert!(!heads.is_empty() && heads.iter().all(|head| head.contains(header)));
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
