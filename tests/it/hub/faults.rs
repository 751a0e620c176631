//! Faults of a Hub and of its cache, through the library: the errors, and the state of the cache afterwards.

use std::fs;

use tokscope::source::Token;

use crate::hub::scene::{CONFIG, ID, Scene, content, methods, weights};
use crate::loopback_hub::{Access, Fault, GOOD_TOKEN};

#[test]
fn a_refused_connection_is_named() {
    let mut scene = Scene::new();
    scene.hub.stop();
    let endpoint = &scene.settings.endpoint;
    assert_eq!(
        scene.failure(ID, "config.json").to_string(),
        format!("cannot reach {endpoint} for `o/n`: connection refused")
    );
}

#[test]
fn a_server_that_is_not_a_hub_is_named() {
    let scene = Scene::new();
    scene.hub.fault(Fault::ApiPage, 1);
    let endpoint = &scene.settings.endpoint;
    assert_eq!(
        scene.failure(ID, "config.json").to_string(),
        format!("cannot reach {endpoint} for `o/n`: it does not answer like a Hub")
    );
}

#[test]
fn private_and_gated_repositories_need_the_right_token() {
    let mut scene = Scene::with_access(Access::Private);
    for (token, code) in [
        (None, "model-not-found"),
        (Some("hf_bad"), "model-not-found"),
    ] {
        scene.settings.token = token.and_then(Token::new);
        for model in [ID, "o/none"] {
            assert_eq!(
                scene.failure(model, "w.bin").code(),
                code,
                "{model} {token:?}"
            );
        }
    }
    scene.settings.token = Token::new(GOOD_TOKEN);
    assert_eq!(content(&scene.open(ID), "w.bin"), weights());

    let mut scene = Scene::with_access(Access::Gated);
    let endpoint = scene.settings.endpoint.clone();
    let error = scene.failure(ID, "w.bin");
    assert_eq!(
        error.to_string(),
        format!("`o/n` is gated: {endpoint} does not allow access to it")
    );
    scene.settings.token = Token::new("hf_bad");
    assert_eq!(scene.failure(ID, "w.bin").code(), "gated");
    scene.settings.token = Token::new(GOOD_TOKEN);
    assert_eq!(content(&scene.open(ID), "w.bin"), weights());
}

#[test]
fn a_missing_revision_is_named() {
    let scene = Scene::new();
    let error = scene.failure("o/n@v9", "w.bin");
    assert_eq!(error.to_string(), "`o/n` has no revision `v9`");
    let commit = "0".repeat(40);
    let error = scene.failure(&format!("o/n@{commit}"), "w.bin");
    assert_eq!(error.code(), "revision-not-found");
}

#[test]
fn a_failing_hub_is_an_error_without_a_cache() {
    let scene = Scene::new();
    let endpoint = &scene.settings.endpoint;
    scene.hub.fault(Fault::ApiStatus(503), 100);
    assert_eq!(
        scene.failure(ID, "w.bin").to_string(),
        format!("{endpoint} answered 503 for the list of files of `o/n`")
    );
}

#[test]
fn the_cache_is_used_if_the_hub_fails() {
    for status in [429, 500, 503] {
        let scene = Scene::new();
        scene.open(ID).find("config.json").unwrap();
        scene.recorder.events();
        scene.hub.fault(Fault::ApiStatus(status), 100);
        let files = scene.open(ID);
        assert!(files.find("tokenizer.json").unwrap().is_none());
        assert_eq!(content(&files, "config.json"), CONFIG);
        let endpoint = &scene.settings.endpoint;
        assert_eq!(
            scene.recorder.events(),
            [format!(
                "cannot reach {endpoint} (it answered {status}): using the cached files of `o/n`"
            )]
        );
    }
}

#[test]
fn the_token_is_not_sent_to_the_cdn() {
    let mut scene = Scene::with_access(Access::Gated);
    scene.settings.token = Token::new(GOOD_TOKEN);
    let files = scene.open(ID);
    assert_eq!(content(&files, "w.bin"), weights());
    assert_eq!(content(&files, "config.json"), CONFIG);
    let served = scene.hub.served();
    assert!(served.iter().any(|served| served.cdn));
    for request in &served {
        assert_eq!(request.token, !request.cdn, "{request:?}");
    }
    assert!(!format!("{files:?}").contains(GOOD_TOKEN));
}

#[test]
fn no_token_means_no_authorization_header() {
    let scene = Scene::new();
    scene.open(ID).find("w.bin").unwrap();
    let served = scene.hub.served();
    assert!(served.iter().all(|served| !served.token), "{served:?}");
    assert_eq!(
        methods(&served),
        [
            ("GET", 200, false),  // list of files
            ("HEAD", 302, false), // size and digest
            ("GET", 200, true),
        ]
    );
}

#[test]
fn an_unwritable_cache_is_an_error() {
    let mut scene = Scene::new();
    let file = scene.cache.path().join("file");
    fs::write(&file, "").unwrap();
    scene.settings.cache_dir = file.join("hub");
    let error = scene.failure(ID, "config.json");
    assert_eq!(
        error.to_string(),
        format!(
            "cannot store config.json in the Hub cache at {}: not a directory",
            scene.settings.cache_dir.display()
        )
    );
    assert!(scene.open(ID).find("tokenizer.json").unwrap().is_none());
    assert_eq!(
        scene.open(ID).refresh().unwrap_err().code(),
        "cache-not-writable"
    );
}

#[cfg(unix)]
#[test]
fn a_read_only_cache_is_read() {
    use std::os::unix::fs::PermissionsExt;
    let mut scene = Scene::new();
    scene.open(ID).find("config.json").unwrap();
    scene.hub.stop();
    let folder = scene.folder();
    let set = |mode| fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
    set(0o555);
    let found = content(&scene.open(ID), "config.json");
    set(0o755);
    assert_eq!(found, CONFIG);
}
