//! The proxies set in the environment, and the hosts that are reached without one.
//!
//! The variables are those of curl and of Python's requests: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, and `NO_PROXY`.
//! The lower-case variable wins if both are set. No proxy is used for this machine.

use std::net::IpAddr;

use ureq::Proxy;

use super::address::Address;

/// The proxy variables of the environment. Their values are parsed only when they are used.
#[derive(Clone, Default)]
pub struct ProxySettings {
    /// The proxy for `http:` addresses.
    http: Option<NamedProxy>,
    /// The proxy for `https:` addresses.
    https: Option<NamedProxy>,
    /// The value of `NO_PROXY`.
    exceptions: String,
}

/// The value of a proxy variable, which may contain a password, and the name of the variable.
#[derive(Clone)]
struct NamedProxy {
    variable: &'static str,
    address: String,
}

impl std::fmt::Debug for ProxySettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProxySettings").finish_non_exhaustive()
    }
}

impl ProxySettings {
    /// Reads the settings from the variables that `lookup` returns.
    pub fn from_env(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| lookup(name).filter(|value| !value.trim().is_empty());
        let first = |names: &[&'static str]| {
            names.iter().find_map(|&variable| {
                let address = set(variable)?.trim().to_owned();
                Some(NamedProxy { variable, address })
            })
        };
        // In a CGI program, HTTP_PROXY holds the client's `Proxy` header: <https://httpoxy.org>.
        let http = match set("REQUEST_METHOD") {
            Some(_) => first(&["http_proxy", "all_proxy", "ALL_PROXY"]),
            None => first(&["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]),
        };
        Self {
            http,
            https: first(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]),
            exceptions: set("no_proxy")
                .or_else(|| set("NO_PROXY"))
                .unwrap_or_default(),
        }
    }

    /// Returns the proxy for an address; `None` if the address is reached directly.
    ///
    /// # Errors
    /// Returns a message that names the variable, but not its value, if the value is not the address of a proxy.
    pub(crate) fn proxy(&self, address: &Address) -> Result<Option<Proxy>, String> {
        let proxy = if address.is_encrypted() {
            &self.https
        } else {
            &self.http
        };
        let (host, port) = (address.host(), address.port());
        let Some(proxy) = proxy
            .as_ref()
            .filter(|_| !address.is_loopback() && !is_exempt(&self.exceptions, &host, port))
        else {
            return Ok(None);
        };
        Proxy::new(&proxy.address)
            .map(Some)
            .map_err(|_| format!("{} is not the address of a proxy", proxy.variable))
    }
}

/// Returns true if `exceptions`, a value of `NO_PROXY`, matches the host and port.
fn is_exempt(exceptions: &str, host: &str, port: u16) -> bool {
    exceptions.split([',', ' ']).any(|entry| {
        let entry = entry.trim().to_ascii_lowercase();
        let (name, entry_port) = split_port(&entry);
        let is_named = match name {
            "" => false,
            "*" => true,
            name => matches_host(name, host),
        };
        is_named && entry_port.is_none_or(|entry_port| entry_port == port)
    })
}

/// Splits the port off `host:port`. An IPv6 address with a port must be in brackets.
fn split_port(entry: &str) -> (&str, Option<u16>) {
    if let Some((name, port)) = entry.rsplit_once(':')
        && let Ok(port) = port.parse()
        && (!name.contains(':') || name.ends_with(']'))
    {
        return (
            name.trim_start_matches('[').trim_end_matches(']'),
            Some(port),
        );
    }
    (entry.trim_start_matches('[').trim_end_matches(']'), None)
}

/// Returns true if a name in `NO_PROXY` matches a host. A domain matches itself and its subdomains, an address only
/// itself, and a network such as `10.0.0.0/8` every address in it.
fn matches_host(name: &str, host: &str) -> bool {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return match name.split_once('/') {
            Some((network, bits)) => match (network.parse(), bits.parse()) {
                (Ok(network), Ok(bits)) => is_in_network(ip, network, bits),
                _ => false,
            },
            None => name.parse() == Ok(ip),
        };
    }
    let domain = name.trim_start_matches('*').trim_start_matches('.');
    match host.strip_suffix(domain) {
        Some(rest) => !domain.is_empty() && (rest.is_empty() || rest.ends_with('.')),
        None => false,
    }
}

/// Returns true if both addresses agree in their first `bits` bits.
fn is_in_network(ip: IpAddr, network: IpAddr, bits: u32) -> bool {
    let (ip, network, length) = match (ip, network) {
        (IpAddr::V4(ip), IpAddr::V4(network)) => {
            (u128::from(ip.to_bits()), u128::from(network.to_bits()), 32)
        }
        (IpAddr::V6(ip), IpAddr::V6(network)) => (ip.to_bits(), network.to_bits(), 128),
        _ => return false,
    };
    match bits {
        0 => true,
        bits if bits <= length => (ip ^ network) >> (length - bits) == 0,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(variables: &[(&str, &str)], address: &str) -> Option<String> {
        let lookup = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let address = Address::parse(address).unwrap();
        let proxy = ProxySettings::from_env(lookup).proxy(&address).unwrap();
        proxy.map(|proxy| format!("{}:{}", proxy.host(), proxy.port()))
    }

    #[test]
    fn the_scheme_of_the_address_chooses_the_variable() {
        let both = [
            ("HTTP_PROXY", "http://plain.example:3128"),
            ("HTTPS_PROXY", "http://ann:secret@tls.example:3129/"),
        ];
        let hub = "https://hub.example/x";
        assert_eq!(proxy(&both, hub).unwrap(), "tls.example:3129");
        let plain = "http://hub.example";
        assert_eq!(proxy(&both, plain).unwrap(), "plain.example:3128");
        let all = [("ALL_PROXY", "proxy.example:8080")];
        assert_eq!(proxy(&all, hub).unwrap(), "proxy.example:8080");
        assert_eq!(proxy(&all, plain).unwrap(), "proxy.example:8080");
        let cases = [("HTTPS_PROXY", "http://a"), ("https_proxy", "http://b")];
        assert_eq!(proxy(&cases, hub).unwrap(), "b:80");
        assert_eq!(proxy(&[("HTTPS_PROXY", " ")], hub), None);
        assert_eq!(proxy(&[], hub), None);
        let cgi = [("HTTP_PROXY", "http://a"), ("REQUEST_METHOD", "GET")];
        assert_eq!(proxy(&cgi, plain), None);
    }

    #[test]
    fn this_machine_is_reached_without_a_proxy() {
        let all = [("ALL_PROXY", "http://proxy.example:8080")];
        for address in [
            "http://127.0.0.1:8080",
            "http://localhost",
            "http://[::1]:1",
        ] {
            assert_eq!(proxy(&all, address), None, "{address}");
        }
    }

    #[test]
    fn exceptions_are_honoured() {
        for (exceptions, address, exempt) in [
            ("hub.example", "https://hub.example", true),
            ("HUB.example", "https://hub.example", true),
            ("example", "https://hub.example", true),
            (".hub.example", "https://eu.hub.example", true),
            ("*.hub.example", "https://eu.hub.example", true),
            ("a.example, hub.example", "https://hub.example", true),
            ("*", "https://hub.example", true),
            ("hub.example:443", "https://hub.example", true),
            ("hub.example:8443", "https://hub.example", false),
            ("b.example", "https://hub.example", false),
            ("ub.example", "https://hub.example", false),
            (",", "https://hub.example", false),
            (".", "https://hub.example", false),
            ("10.0.0.0/8", "http://10.1.2.3", true),
            ("10.0.0.0/8", "http://11.1.2.3", false),
            ("10.1.2.3", "http://10.1.2.3:8080", true),
            ("2.3", "http://10.1.2.3", false),
            ("0.0.0.0/0", "http://10.1.2.3", true),
            ("10.0.0.0/64", "http://10.1.2.3", false),
            ("fd00::/8", "http://[fd12::1]:80", true),
            ("[fd12::1]:80", "http://[fd12::1]:80", true),
            ("fd12::1", "http://[fd12::1]:80", true),
        ] {
            let variables = [("ALL_PROXY", "http://p:1"), ("no_proxy", exceptions)];
            let found = proxy(&variables, address).is_none();
            assert_eq!(found, exempt, "{exceptions} {address}");
        }
    }

    #[test]
    fn an_invalid_proxy_is_named_by_its_variable_only() {
        let lookup = |name: &str| (name == "HTTPS_PROXY").then(|| "foo://secret@x".to_owned());
        let address = Address::parse("https://hub.example").unwrap();
        assert_eq!(
            ProxySettings::from_env(lookup).proxy(&address).unwrap_err(),
            "HTTPS_PROXY is not the address of a proxy"
        );
    }
}
