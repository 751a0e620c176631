//! Certificates: a Hub behind TLS is reached if the environment trusts its certificate, and not otherwise.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::loopback_hub::{Access, Hub};
use crate::support::{Call, make_pipe, repository, tokscope};

const CONFIG: &[u8] = b"{\"model_type\":\"deberta-v2\"}";
const UNTRUSTED: &str = ": its certificate is not trusted\n";

fn certificate(name: &str) -> PathBuf {
    repository("tests/fixtures/tls").join(name)
}

/// A server that speaks TLS and passes each request on to the Hub.
fn start(hub: &Hub) -> SocketAddr {
    let chain = CertificateDer::pem_file_iter(certificate("cert.pem")).unwrap();
    let chain = chain.map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(certificate("key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let config = Arc::new(config);
    let target = hub.endpoint().replace("http://", "");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let (config, target) = (Arc::clone(&config), target.clone());
            // A client that refuses the certificate ends the connection.
            std::thread::spawn(move || serve(client, config, &target));
        }
    });
    address
}

fn serve(client: TcpStream, config: Arc<ServerConfig>, target: &str) -> io::Result<()> {
    let session = ServerConnection::new(config).map_err(io::Error::other)?;
    let mut client = StreamOwned::new(session, client);
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte)?;
        head.extend(byte);
    }
    let mut hub = TcpStream::connect(target)?;
    hub.write_all(&head)?;
    // The Hub closes the connection after each answer.
    io::copy(&mut hub, &mut client)?;
    client.conn.send_close_notify();
    client.flush()
}

/// Fetches a small file, which comes from the Hub itself, and looks at its content.
fn call(address: SocketAddr, home: &tempfile::TempDir) -> Call {
    let args = ["-m", "o/n", "info", "--get", "model_type"];
    tokscope(args)
        .env(
            "HF_ENDPOINT",
            format!("https://localhost:{}", address.port()),
        )
        .env("HF_HOME", home.path())
}

fn hub() -> Hub {
    let hub = Hub::start();
    hub.publish("o/n", Access::Public, &[("config.json", CONFIG)]);
    hub
}

#[test]
fn certificates_of_the_environment_are_trusted() {
    let hub = hub();
    let address = start(&hub);
    let variables = ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"];
    for variable in variables {
        let home = tempfile::tempdir().unwrap();
        let trusting = call(address, &home).env(variable, certificate("ca.pem"));
        let answer = trusting.run();
        assert!(
            !answer.stderr.contains("certificate"),
            "{variable}: {}",
            answer.stderr
        );
        assert!(!hub.served().is_empty(), "{variable}: {}", answer.stderr);
    }
}

#[test]
fn other_certificates_are_refused() {
    let hub = hub();
    let address = start(&hub);
    let home = tempfile::tempdir().unwrap();
    let answer = call(address, &home).exit(3);
    assert!(answer.stderr.contains(UNTRUSTED), "{}", answer.stderr);
    // A trusted certificate of another host.
    let port = address.port();
    let other_host = call(address, &home)
        .env("HF_ENDPOINT", format!("https://127.0.0.1:{port}"))
        .env("SSL_CERT_FILE", certificate("ca.pem"));
    let answer = other_host.exit(3);
    assert!(answer.stderr.contains(UNTRUSTED), "{}", answer.stderr);
    assert_eq!(hub.served(), []);
}

#[cfg(unix)]
#[test]
fn a_pipe_or_a_device_in_place_of_certificates_is_not_read() {
    let hub = hub();
    let address = start(&hub);
    let home = tempfile::tempdir().unwrap();
    let pipe = home.path().join("pipe");
    make_pipe(&pipe);
    for variable in ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"] {
        for path in [pipe.as_path(), std::path::Path::new("/dev/zero")] {
            let answer = call(address, &home).env(variable, path).exit(3);
            assert!(answer.stderr.contains(UNTRUSTED), "{}", answer.stderr);
        }
    }
}
