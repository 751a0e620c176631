//! Settings that cannot be used: they break the commands that need them, with one sentence, and no others.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::Path;

use crate::loopback_hub::Access;
use crate::remote::{Remote, local};
use crate::support::{demo, make_pipe, on, tokscope};

/// What a command that needs the setting does with the value.
enum Needed {
    /// Ends with exit code 2 and this sentence.
    Fails(&'static str),
    /// Works, since the value counts as unset or as one of two.
    Works,
    /// Ends with exit code 3, since the value leads nowhere.
    Unreachable,
}

/// Every variable that the page about the environment lists, except those of tests, with a value that cannot be used.
fn bad_values(pipe: &Path) -> Vec<(&'static str, OsString, Needed)> {
    use Needed::{Fails, Unreachable, Works};
    let pipe = || pipe.as_os_str().to_owned();
    let token = "the Hub token contains a character that no token can have";
    let text = |name, value: &str, needed| (name, OsString::from(value), needed);
    vec![
        text("TOKSCOPE_NO_CACHE", "perhaps", Works),
        text("TOKSCOPE_CACHE_SIZE", "lots", Works),
        text("TIKTOKEN_CACHE_DIR", "/nowhere", Works),
        text("DATA_GYM_CACHE_DIR", "", Works),
        text(
            "HF_ENDPOINT",
            "foo",
            Fails("`HF_ENDPOINT` must begin with `https://` or `http://`, not with `foo`"),
        ),
        text(
            "HF_ENDPOINT",
            "ann:secret@foo",
            Fails("`HF_ENDPOINT` must begin with `https://` or `http://`"),
        ),
        text("HF_ENDPOINT", "http://[", Unreachable),
        text("HF_HUB_CACHE", "/dev/null/x", Unreachable),
        ("HF_HUB_CACHE", pipe(), Unreachable),
        text("HUGGINGFACE_HUB_CACHE", "/dev/null", Unreachable),
        text("HF_HOME", "/dev/null", Unreachable),
        text("XDG_CACHE_HOME", "/dev/null", Works),
        ("XDG_CACHE_HOME", pipe(), Works),
        text("HF_TOKEN", "hf_a\nhf_b", Fails(token)),
        text("HUGGING_FACE_HUB_TOKEN", "hf_é", Fails(token)),
        ("HF_TOKEN_PATH", pipe(), Works),
        text("HF_TOKEN_PATH", "/dev/zero", Works),
        text("HF_HUB_DISABLE_IMPLICIT_TOKEN", "perhaps", Works),
        text("HF_HUB_OFFLINE", "perhaps", Works),
        text("TRANSFORMERS_OFFLINE", "perhaps", Works),
        text(
            "HF_HUB_ETAG_TIMEOUT",
            "soon",
            Fails("`HF_HUB_ETAG_TIMEOUT` must be a number of seconds, not `soon`"),
        ),
        text(
            "HF_HUB_DOWNLOAD_TIMEOUT",
            "1.5",
            Fails("`HF_HUB_DOWNLOAD_TIMEOUT` must be a number of seconds, not `1.5`"),
        ),
        text("HF_HUB_DISABLE_PROGRESS_BARS", "perhaps", Works),
        // A Hub on this machine is reached without a proxy.
        text("HTTPS_PROXY", "::", Works),
        text("HTTP_PROXY", "::", Works),
        text("ALL_PROXY", "::", Works),
        text("NO_PROXY", "::,/", Works),
        ("REQUESTS_CA_BUNDLE", pipe(), Works),
        text("CURL_CA_BUNDLE", "/nowhere", Works),
        text("SSL_CERT_FILE", "/nowhere", Works),
        text("SSL_CERT_DIR", "/nowhere", Works),
        text("RAYON_NUM_THREADS", "many", Works),
        text("RAYON_NUM_THREADS", "-1", Works),
        text("TMPDIR", "/nowhere", Works),
        text("NO_COLOR", "", Works),
        text("CLICOLOR_FORCE", "", Works),
        text("TERM", "none", Works),
        text("GITHUB_ACTIONS", "perhaps", Works),
        text("GITHUB_WORKSPACE", "/nowhere", Works),
    ]
}

#[cfg(unix)]
#[test]
fn a_setting_that_is_not_needed_breaks_nothing() {
    let remote = Remote::new();
    let model = local::<&str>(&[]);
    remote.publish("o/n", Access::Public, model.path());
    remote.call("o/n", &["tokenize", "dinero"]).ok();
    let cache = remote.home.path().join("hub");
    let pipe = remote.home.path().join("pipe");
    make_pipe(&pipe);
    let expected = demo(["tokenize", "dinero", "--ids"]).ok();
    let named_at: Vec<(&str, OsString)> = bad_values(&pipe)
        .into_iter()
        .map(|(name, value, _)| (name, value))
        .chain([("HF_HOME", not_utf8()), ("HF_TOKEN", not_utf8())])
        .chain([("NO_COLOR", not_utf8()), ("TERM", not_utf8())])
        .collect();
    for (name, value) in named_at {
        let tokenize = ["tokenize", "dinero", "--ids"];
        let shown = format!("{name}={}", value.to_string_lossy());
        assert_eq!(demo(tokenize).env(name, &value).ok(), expected, "{shown}");
        let directory = on(model.path(), tokenize).env(name, &value);
        assert_eq!(directory.ok(), expected, "{shown}");
        tokscope(["completions", "bash"]).env(name, &value).ok();
        // All files of the model are in the cache.
        if !name.contains("CACHE") && name != "HF_HOME" {
            let cached = remote.call("o/n", &tokenize).env("HF_HUB_CACHE", &cache);
            assert_eq!(cached.env(name, &value).ok(), expected, "{shown}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_setting_that_is_needed_is_named_in_one_sentence() {
    let pipes = tempfile::tempdir().unwrap();
    let pipe = pipes.path().join("pipe");
    make_pipe(&pipe);
    let model = local::<&str>(&[]);
    for (name, value, needed) in bad_values(&pipe) {
        let remote = Remote::new();
        remote.publish("o/n", Access::Public, model.path());
        let call = || remote.call("o/n", &["pull"]).env(name, &value);
        let shown = format!("{name}={}", value.to_string_lossy());
        match needed {
            Needed::Works => drop(call().exit(0)),
            Needed::Unreachable => {
                let answer = call().exit(3);
                assert!(answer.stderr.starts_with("error: "), "{shown}: {answer:?}");
            }
            Needed::Fails(sentence) => {
                let answer = call().exit(2);
                let first = answer.stderr.lines().next();
                assert_eq!(first, Some(&*format!("error: {sentence}")), "{shown}");
                assert!(!answer.stderr.contains("secret"), "{}", answer.stderr);
                // Offline, no request is made.
                let answer = call().env("HF_HUB_OFFLINE", "1").exit(3);
                assert!(answer.stderr.contains("is not in the cache"), "{answer:?}");
            }
        }
    }
}

#[cfg(unix)]
fn not_utf8() -> OsString {
    use std::os::unix::ffi::OsStrExt;
    OsStr::from_bytes(b"/tmp/\xff").to_owned()
}

#[cfg(unix)]
#[test]
fn a_home_that_is_not_utf8_or_has_variables_is_found() {
    let remote = Remote::new();
    let model = local::<&str>(&[]);
    remote.publish("o/n", Access::Public, model.path());
    let home = remote.home.path();
    let call = |hf_home: &OsStr| {
        let call = remote.call("o/n", &["tokenize", "dinero"]);
        call.env("HOME", home)
            .env("X", "part")
            .env("HF_HOME", hf_home)
            .ok();
    };
    let mut odd = home.as_os_str().to_owned();
    odd.push(OsStr::new("/odd"));
    odd.push(not_utf8().as_os_str());
    for (given, folder) in [
        (OsStr::new("$HOME/a/${X}"), home.join("a/part").as_os_str()),
        (OsStr::new("~/b"), home.join("b").as_os_str()),
        (&odd, &odd),
    ] {
        call(given);
        let hub = Path::new(folder).join("hub/models--o--n");
        assert!(fs::exists(hub).unwrap(), "{given:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_model_or_a_file_that_is_not_asked_for_breaks_nothing() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("tokscope.toml"), "[[[").unwrap();
    fs::write(place.path().join("tokscope.lock"), "{").unwrap();
    for model in [not_utf8(), "a/b/c".into(), "/nowhere".into()] {
        let call = |args: &[&str]| {
            let call = tokscope(args).env("TOKSCOPE_MODEL", &model);
            call.current_dir(place.path())
        };
        call(&["completions", "bash"]).ok();
        call(&["man"]).ok();
        call(&["-m", "demo", "tokenize", "dinero"]).ok();
        call(&["-m", "demo", "info"]).ok();
        let answer = call(&["tokenize", "dinero"]).exit(2);
        let sentence = " is not a model: there is no such directory\n";
        assert!(answer.stderr.contains(sentence), "{}", answer.stderr);
    }
}
