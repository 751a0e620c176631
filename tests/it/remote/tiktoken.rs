//! Encodings of OpenAI by name: the caches, and a server in place of the published address.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::support::{Call, repository, shared, tokscope};

/// The sha1 of the address of `cl100k_base`, the name of its file in tiktoken's cache.
const CL100K: &str = "9b5ad71b2ce5302211f9c61530b329a4922fc6a4";

/// A server that answers every request with the next of its answers, and the last one again.
struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(answers: Vec<(u16, Vec<u8>)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let log = Arc::clone(&requests);
        let next = AtomicUsize::new(0);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let at = next.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
                answer(stream, &answers[at], &log);
            }
        });
        Self { address, requests }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn requests(&self) -> Vec<String> {
        std::mem::take(&mut *self.requests.lock().unwrap())
    }
}

fn answer(mut stream: TcpStream, (status, body): &(u16, Vec<u8>), log: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut request = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
            break;
        }
        request += &line;
    }
    log.lock().unwrap().push(request);
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(body);
}

/// A home with its own caches.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn call(&self, server: &str, args: &[&str]) -> Call {
        tokscope(args)
            .env("TOKSCOPE_MODEL", "tiktoken:gpt-4")
            .env("XDG_CACHE_HOME", self.path("cache"))
            .env("TIKTOKEN_CACHE_DIR", self.path("tiktoken"))
            .env("TOKSCOPE_TEST_PUBLISHED", server)
            .env("HF_TOKEN", "hf_secret")
    }

    /// The files of encodings in the app cache.
    fn kept(&self) -> usize {
        let folder = self.path("cache/tokscope/tiktoken");
        std::fs::read_dir(folder).map_or(0, Iterator::count)
    }

    fn put_in_tiktoken_cache(&self, file: &Path) {
        std::fs::create_dir_all(self.path("tiktoken")).unwrap();
        std::fs::copy(file, self.path("tiktoken").join(CL100K)).unwrap();
    }
}

const TOKENIZE: [&str; 3] = ["tokenize", "--ids", "tiktoken is great!"];
const IDS: &str = "83 1609 5963 374 2294 0\n";

#[test]
fn an_encoding_with_a_wrong_digest_is_refused_and_not_kept() {
    let home = Home::new();
    let server = Server::start(vec![(200, b"YQ== 0\n".to_vec())]);
    for _ in 0..2 {
        let answer = home.call(&server.url(), &TOKENIZE).exit(3);
        assert!(
            answer.stderr.contains(
                "the download of cl100k_base.tiktoken of `tiktoken:gpt-4` has the sha256 "
            ),
            "{}",
            answer.stderr
        );
        assert_eq!((home.kept(), server.requests().len()), (0, 1));
    }
}

#[test]
fn an_encoding_is_not_fetched_offline_and_the_error_says_how_to() {
    let home = Home::new();
    let server = Server::start(vec![(200, Vec::new())]);
    for name in ["--offline", "HF_HUB_OFFLINE"] {
        let call = match name {
            "--offline" => home.call(&server.url(), &[&["--offline"], &TOKENIZE[..]].concat()),
            name => home.call(&server.url(), &TOKENIZE).env(name, "1"),
        };
        let answer = call.exit(3);
        assert!(
            answer.stderr.contains("`tokscope pull tiktoken:gpt-4`"),
            "{}",
            answer.stderr
        );
        assert!(server.requests().is_empty());
    }
}

#[test]
fn an_answer_that_is_no_encoding_is_an_error_without_a_token_or_a_retry() {
    let home = Home::new();
    for (status, problem) in [
        (
            404,
            "answered 404 for cl100k_base.tiktoken of `tiktoken:gpt-4`",
        ),
        (
            403,
            "answered 403 for cl100k_base.tiktoken of `tiktoken:gpt-4`",
        ),
    ] {
        let server = Server::start(vec![(status, b"no".to_vec())]);
        let answer = home.call(&server.url(), &TOKENIZE).exit(3);
        assert!(answer.stderr.contains(problem), "{}", answer.stderr);
        let requests = server.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        assert!(requests[0].starts_with("GET /encodings/cl100k_base.tiktoken "));
        assert!(!requests[0].contains("hf_secret"), "{requests:?}");
    }
}

#[test]
fn a_file_in_the_cache_of_tiktoken_counts_only_with_its_digest() {
    let home = Home::new();
    home.put_in_tiktoken_cache(&repository("tests/fixtures/ranks/tokens.tiktoken"));
    let server = Server::start(vec![(404, Vec::new())]);
    let answer = home.call(&server.url(), &TOKENIZE).exit(3);
    let note = "in the cache of tiktoken is not cl100k_base.tiktoken: it is ignored";
    assert!(answer.stderr.contains(note), "{}", answer.stderr);
    assert!(home.path("tiktoken").join(CL100K).exists());
}

#[test]
fn an_encoding_is_fetched_once_and_found_in_the_caches() {
    let Some(shared) = shared("an_encoding_is_fetched_once_and_found_in_the_caches") else {
        return;
    };
    let file = shared.join("models/tiktoken/cl100k_base.tiktoken");
    let home = Home::new();
    // The first answer says to try again.
    let server = Server::start(vec![
        (500, Vec::new()),
        (200, std::fs::read(&file).unwrap()),
    ]);
    let answer = home.call(&server.url(), &TOKENIZE).exit(0);
    assert_eq!(answer.stdout, IDS);
    assert_eq!((server.requests().len(), home.kept()), (2, 1));
    let offline = [&["--offline"], &TOKENIZE[..]].concat();
    assert_eq!(home.call("http://127.0.0.1:1", &offline).ok(), IDS);
    let info = home
        .call("http://127.0.0.1:1", &["--offline", "info", "--json"])
        .ok();
    assert!(info.contains(r#""model":"tiktoken:gpt-4""#), "{info}");
    assert!(server.requests().is_empty());
    // The same with the cache of tiktoken alone.
    let other = Home::new();
    other.put_in_tiktoken_cache(&file);
    assert_eq!(other.call("http://127.0.0.1:1", &offline).ok(), IDS);
    assert_eq!(other.kept(), 0);
}
