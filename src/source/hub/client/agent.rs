//! The ureq agent: its limits, the certificates it trusts, and the decisions it leaves to its caller.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{
    ConnectProxyConnector, ConnectionDetails, Connector, RustlsConnector, SocksConnector,
    TcpConnector, Transport,
};
use ureq::{Agent, http};

use super::forward_proxy::ForwardProxyConnector;

const USER_AGENT: &str = concat!("tokscope/", env!("CARGO_PKG_VERSION"));
/// The maximum number of idle connections to one host: as many as there are parallel requests.
const IDLE_CONNECTIONS: usize = 8;

/// The time limit of a request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Limit {
    /// A deadline for the whole request, including the body of its answer.
    Until(Instant),
    /// The time limit for each step up to the headers of the answer, and then for each read of its body.
    Silence(Duration),
}

/// Returns an agent that follows no redirects, treats no status as an error, and accepts no compression, because
/// compressed answers have a different length and no ranges.
pub(super) fn agent(ca_bundles: &[PathBuf]) -> Agent {
    let config = Config::builder()
        .user_agent(USER_AGENT)
        .accept_encoding("identity")
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_idle_connections(2 * IDLE_CONNECTIONS)
        .max_idle_connections_per_host(IDLE_CONNECTIONS)
        // The proxy is chosen for each request.
        .proxy(None)
        .build();
    let connector =
        ().chain(SocksConnector::default())
            .chain(ForwardProxyConnector::new())
            .chain(ConnectProxyConnector::default())
            .chain(TcpConnector::default())
            .chain(TlsConnector::new(ca_bundles.to_vec()));
    Agent::with_parts(config, connector, DefaultResolver::default())
}

/// Adds a time limit and a proxy to a request.
pub(super) fn configured(
    agent: &Agent,
    request: http::Request<()>,
    limit: Limit,
    proxy: Option<ureq::Proxy>,
) -> http::Request<()> {
    let request = agent.configure_request(request).proxy(proxy);
    match limit {
        Limit::Until(end) => {
            let left = end.saturating_duration_since(Instant::now());
            request.timeout_global(Some(left)).build()
        }
        Limit::Silence(longest) => request
            .timeout_resolve(Some(longest))
            .timeout_connect(Some(longest))
            .timeout_send_request(Some(longest))
            .timeout_recv_response(Some(longest))
            .timeout_per_read(Some(longest))
            .build(),
    }
}

/// Makes TLS connections with rustls. The certificates are read once, for the first connection. By default, ureq would
/// read them for every connection, because each request here has its own settings.
#[derive(Debug)]
struct TlsConnector {
    rustls: RustlsConnector,
    ca_bundles: Vec<PathBuf>,
    config: OnceLock<Config>,
}

impl TlsConnector {
    fn new(ca_bundles: Vec<PathBuf>) -> Self {
        Self {
            rustls: RustlsConnector::default(),
            ca_bundles,
            config: OnceLock::new(),
        }
    }

    fn config(&self) -> &Config {
        self.config.get_or_init(|| {
            let tls = TlsConfig::builder().root_certs(root_certificates(&self.ca_bundles));
            Config::builder()
                .proxy(None)
                .tls_config(tls.build())
                .build()
        })
    }
}

impl<In: Transport> Connector<In> for TlsConnector {
    type Out = <RustlsConnector as Connector<In>>::Out;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        if !details.needs_tls() {
            return self.rustls.connect(details, chained);
        }
        let details = ConnectionDetails {
            uri: details.uri,
            addrs: details.addrs.clone(),
            config: self.config(),
            request_level: false,
            resolver: details.resolver,
            now: details.now,
            timeout: details.timeout,
            current_time: details.current_time.clone(),
            run_connector: details.run_connector.clone(),
            register_shutdown: details.register_shutdown.clone(),
        };
        self.rustls.connect(&details, chained)
    }
}

/// Returns true for a pipe or a device, which might have to be read without end.
fn is_endless(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

/// Returns the system's certificates (found through `SSL_CERT_FILE` and `SSL_CERT_DIR`) and those of the bundles, or
/// Mozilla's if there are none.
fn root_certificates(bundles: &[PathBuf]) -> RootCerts {
    // `load_native_certs` would open it, too.
    let system = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    let mut certificates = match system {
        Some(path) if is_endless(&path) => Vec::new(),
        _ => rustls_native_certs::load_native_certs().certs,
    };
    for bundle in bundles.iter().filter(|bundle| !is_endless(bundle)) {
        let (file, folder) = if bundle.is_dir() {
            (None, Some(bundle.as_path()))
        } else {
            (Some(bundle.as_path()), None)
        };
        certificates.extend(rustls_native_certs::load_certs_from_paths(file, folder).certs);
    }
    if certificates.is_empty() {
        return RootCerts::WebPki;
    }
    let certificates = certificates.iter();
    RootCerts::from(certificates.map(|der| Certificate::from_der(der).to_owned()))
}
