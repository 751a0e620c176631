//! The token is sent only to the Hub and never shown; hostile redirects are refused.

use std::fs;
use std::path::Path;

use crate::hub::scene::check_blobs;
use crate::loopback_hub::{Access, Fault, GOOD_TOKEN, Hub};
use crate::remote::{Remote, TENSOR, local};
use crate::support::Call;
use crate::support::checkpoints::checkpoint;

const PULL: &[&str] = &["-v", "pull", "--weights"];
const TOKENIZE: &[&str] = &["-v", "tokenize", "banco", "--json"];
const EMBED: &[&str] = &["-v", "embed", "--id", "700", "--json"];
const INFO: &[&str] = &["-v", "info", "--json"];

/// A Hub with a gated model.
fn gated() -> Remote {
    let remote = Remote::new();
    let folder = local(&[("model.safetensors", checkpoint("safetensors", TENSOR))]);
    remote.publish("o/n", Access::Gated, folder.path());
    remote
}

fn call(remote: &Remote, args: &[&str]) -> Call {
    remote.call("o/n", args).env("HF_TOKEN", GOOD_TOKEN)
}

/// Returns the files below a folder that contain the token.
fn leaks(folder: &Path) -> Vec<String> {
    leaks_of(GOOD_TOKEN, folder)
}

/// Returns the files below a folder that contain a secret, in their bytes or their paths.
fn leaks_of(secret: &str, folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(leaks_of(secret, &path));
        } else if let Ok(bytes) = fs::read(&path) {
            let mut windows = bytes.windows(secret.len());
            if windows.any(|window| window == secret.as_bytes())
                || path.to_string_lossy().contains(secret)
            {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

/// Leaks an address, because a fault holds a static one.
fn leaked(address: String) -> &'static str {
    Box::leak(address.into_boxed_str())
}

#[test]
fn the_token_is_never_printed_or_stored() {
    let remote = gated();
    let other = ["-v", "diff", "--id", "700", "--id", "701", "--json"];
    let list = ["-v", "neighbors", "--id", "700", "--json"];
    for args in [INFO, TOKENIZE, EMBED, &other, &list, PULL, INFO] {
        let answer = call(&remote, args).run();
        assert!([0, 1].contains(&answer.code), "{}", answer.stderr);
        let said = format!("{}{}", answer.stdout, answer.stderr);
        assert!(!said.contains(GOOD_TOKEN), "{said}");
    }
    let served = remote.hub.served();
    assert!(served.iter().any(|one| one.cdn) && served.iter().any(|one| one.token));
    for one in &served {
        assert_eq!(one.token, !one.cdn, "{one:?}");
    }
    assert_eq!(leaks(remote.home.path()), [] as [&str; 0]);
}

#[test]
fn errors_do_not_contain_the_token() {
    let faults = [
        Fault::ApiStatus(503),
        Fault::ApiStatus(401),
        Fault::ApiPage,
        Fault::HeadStatus(403),
        Fault::BlobStatus(500),
        Fault::BlobGarbage,
        Fault::BlobRedirect("ftp://127.0.0.1/x"),
    ];
    for fault in faults {
        let remote = gated();
        remote.hub.fault(fault, usize::MAX);
        for args in [PULL, TOKENIZE, EMBED] {
            let answer = call(&remote, args).exit(3);
            let said = format!("{}{}", answer.stdout, answer.stderr);
            assert!(!said.contains(GOOD_TOKEN), "{fault:?}: {said}");
        }
        assert!(remote.hub.served().iter().all(|one| one.token != one.cdn));
        assert_eq!(leaks(remote.home.path()), [] as [&str; 0]);
    }
}

/// Checks that a redirect is refused for `reason`, whether the Hub or the CDN sends it, and that nothing is stored.
fn refused(location: &'static str, reason: &str) {
    let redirects = [Fault::ApiRedirect, Fault::HeadRedirect, Fault::BlobRedirect];
    for redirect in redirects {
        for args in [PULL, TOKENIZE] {
            let remote = gated();
            remote.hub.fault(redirect(location), usize::MAX);
            let answer = call(&remote, args).exit(3);
            assert!(
                answer.stderr.contains("error: cannot reach "),
                "{}",
                answer.stderr
            );
            let end = format!(": {reason}\n\nhint: ");
            assert!(
                answer.stderr.contains(&end),
                "{location}: {}",
                answer.stderr
            );
            assert_eq!(check_blobs(remote.home.path()), 0);
            remote.hub.heal();
            call(&remote, args).exit(0);
        }
    }
    // Rows that are read by ranges.
    let remote = gated();
    call(&remote, TOKENIZE).exit(0);
    remote.hub.fault(Fault::BlobRedirect(location), usize::MAX);
    let answer = call(&remote, EMBED).exit(3);
    assert!(
        answer.stderr.contains(&format!(": {reason}\n")),
        "{location}: {}",
        answer.stderr
    );
    assert_eq!(answer.stdout, "");
}

#[test]
fn a_redirect_to_a_local_file_is_refused() {
    refused(
        "file:///etc/passwd",
        "it redirects to a `file:` address, but only https is followed",
    );
}

#[test]
fn a_redirect_to_another_protocol_is_refused() {
    for scheme in ["ftp", "data"] {
        refused(
            leaked(format!("{scheme}://127.0.0.1/x")),
            &format!("it redirects to a `{scheme}:` address, but only https is followed"),
        );
    }
}

#[test]
fn a_redirect_to_unencrypted_http_is_refused() {
    refused(
        "http://hub.example/o/n?Signature=secret",
        "it redirects to http://hub.example, which is not encrypted",
    );
}

#[test]
fn a_redirect_loop_ends() {
    refused("", "it redirects more than 5 times");
}

/// The other server runs on this machine and records the requests it gets.
#[test]
fn a_redirect_to_another_server_does_not_get_the_token() {
    let thief = Hub::start();
    let address = leaked(format!("{}/o/n/resolve/main/spm.model", thief.endpoint()));
    let redirects = [Fault::ApiRedirect, Fault::HeadRedirect, Fault::BlobRedirect];
    for redirect in redirects {
        for args in [PULL, TOKENIZE] {
            let remote = gated();
            remote.hub.fault(redirect(address), usize::MAX);
            let answer = call(&remote, args).exit(3);
            assert!(!answer.stderr.contains(GOOD_TOKEN));
            assert_eq!(check_blobs(remote.home.path()), 0);
        }
    }
    let asked = thief.served();
    assert!(
        !asked.is_empty(),
        "bytes may be anywhere: their digest says what they are"
    );
    assert!(asked.iter().all(|one| !one.token), "{asked:?}");
}

#[test]
fn the_api_is_not_redirected_to_another_host() {
    let thief = Hub::start();
    let folder = local(&[("model.safetensors", b"not the model".to_vec())]);
    let remote = Remote::new();
    remote.publish("o/n", Access::Public, folder.path());
    let address = leaked(format!("{}/api/models/o/n", thief.endpoint()));
    remote.hub.fault(Fault::ApiRedirect(address), usize::MAX);
    let answer = call(&remote, TOKENIZE).exit(3);
    let reason = format!(
        ": it redirects to {}, which is another host\n",
        thief.endpoint()
    );
    assert!(answer.stderr.contains(&reason), "{}", answer.stderr);
    assert_eq!(thief.served(), []);
}

/// The CDN redirects to the Hub, to make the program fetch something else with the user's token.
#[test]
fn a_redirect_from_the_cdn_to_the_hub_has_no_token() {
    let remote = gated();
    call(&remote, TOKENIZE).exit(0);
    remote.hub.served();
    let address = leaked(format!(
        "{}/o/n/resolve/main/config.json",
        remote.hub.endpoint()
    ));
    remote.hub.fault(Fault::BlobRedirect(address), 1);
    call(&remote, EMBED).exit(3);
    let served = remote.hub.served();
    let sent_back = served.iter().filter(|one| one.method == "GET" && !one.cdn);
    let sent_back: Vec<_> = sent_back
        .filter(|one| one.path.contains("/resolve/"))
        .collect();
    assert!(!sent_back.is_empty(), "{served:?}");
    assert!(sent_back.iter().all(|one| !one.token), "{sent_back:?}");
}

/// The Hub seems to be on another host, reached through a proxy over plain http.
#[test]
fn the_token_is_not_sent_over_plain_http() {
    let remote = gated();
    let folder = local(&[("model.safetensors", checkpoint("safetensors", TENSOR))]);
    remote.publish("o/public", Access::Public, folder.path());
    let in_the_clear = |model: &str| {
        let call = remote.call(model, &["tokenize", "dinero", "--ids"]);
        call.env("HF_TOKEN", GOOD_TOKEN)
            .env("HF_ENDPOINT", "http://hub.example")
            .env("http_proxy", remote.hub.endpoint())
    };
    let note = "note: the token is not sent to http://hub.example, which is not encrypted\n";
    let answer = in_the_clear("o/public").exit(0);
    assert_eq!(
        (answer.stdout.as_str(), answer.stderr.as_str()),
        ("1 588 2\n", note)
    );
    let answer = in_the_clear("o/n").exit(3);
    let said = format!(
        "{note}error: `o/n` is gated: http://hub.example does not allow access to it\n\nhint: the token was not sent \
         because HF_ENDPOINT is a plain http address: set it to an https address\n"
    );
    assert_eq!(answer.stderr, said);
    let served = remote.hub.served();
    assert!(served.len() > 3, "{served:?}");
    assert!(served.iter().all(|one| !one.token), "{served:?}");
}

/// Every command, with a Hub that answers and with one that does not.
#[test]
fn secrets_in_the_endpoint_are_never_shown_or_stored() {
    const SECRET: &str = "s3cr3t-word";
    let remote = Remote::with("safetensors", "model.safetensors");
    let address = remote.hub.endpoint();
    let host = address.strip_prefix("http://").unwrap();
    let endpoints = [
        (format!("http://ann:{SECRET}@{host}"), true),
        (format!("http://{SECRET}@{host}/"), true),
        (format!("http://ann:{SECRET}@127.0.0.1:1"), false),
        (format!("http://ann:{SECRET}/x@{host}"), false),
        (format!("http://{host}/?token={SECRET}"), false),
        (format!("http://{host}?token={SECRET}"), false),
        (format!("http://{host}/#{SECRET}"), false),
        (
            format!("http://127.0.0.1:1/?token={SECRET}#{SECRET}"),
            false,
        ),
        (format!("{host}#{SECRET}"), false),
        (format!("ann:{SECRET}@{host}"), false),
    ];
    let check: &[&str] = &["-v", "check", "--json"];
    let lock: &[&str] = &["-v", "lock", "--json"];
    for (endpoint, works) in endpoints {
        let (home, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for args in [TOKENIZE, EMBED, INFO, lock, check, PULL] {
            let call = remote.call("o/n", args).current_dir(place.path());
            let answer = call
                .env("HF_ENDPOINT", &endpoint)
                .env("HF_HOME", home.path())
                .env("XDG_CACHE_HOME", home.path())
                .run();
            if works {
                assert!(answer.code < 2, "{endpoint}: {}", answer.stderr);
            } else {
                assert!(answer.code > 1, "{endpoint} {args:?}: {}", answer.stdout);
            }
            let said = format!("{}{}", answer.stdout, answer.stderr);
            assert!(!said.contains(SECRET), "{endpoint}: {said}");
        }
        for folder in [home, place] {
            assert_eq!(
                leaks_of(SECRET, folder.path()),
                [] as [&str; 0],
                "{endpoint}"
            );
        }
    }
}

/// The address of a file on the CDN is signed.
#[test]
fn signed_addresses_are_never_shown_or_stored() {
    const SIGNED: &str = "http://127.0.0.1:1/x?X-Amz-Signature=s3cr3t-word";
    for redirect in [Fault::ApiRedirect, Fault::HeadRedirect, Fault::BlobRedirect] {
        let remote = gated();
        remote.hub.fault(redirect(SIGNED), usize::MAX);
        for args in [PULL, TOKENIZE, EMBED] {
            let answer = call(&remote, args).exit(3);
            let said = format!("{}{}", answer.stdout, answer.stderr);
            assert!(!said.contains("s3cr3t") && !said.contains("Amz"), "{said}");
        }
        assert_eq!(leaks_of("s3cr3t-word", remote.home.path()), [] as [&str; 0]);
    }
}

#[test]
fn a_hub_on_this_machine_is_reached_without_proxy() {
    let proxy = Hub::start();
    let remote = gated();
    let through = call(&remote, TOKENIZE).env("http_proxy", proxy.endpoint());
    through.env("ALL_PROXY", proxy.endpoint()).exit(0);
    assert_eq!(proxy.served(), []);
}
