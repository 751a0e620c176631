//! Unreachable models, through the program: each failure is one sentence with a hint, and exit code 3.

use std::fs;

use crate::cli::bad_input::fails;
use crate::loopback_hub::{Access, Fault, GOOD_TOKEN, Hub};
use crate::support::standin::MODEL_FILES;
use crate::support::{Call, NO_HUB, repository, skipped, tokscope};

const RUN_PULL: &str = "run `tokscope pull o/public` once with the network on, or try the built-in model with `--model demo`";
const TRY_DEMO: &str = "the model is not in the cache; try the built-in one with `--model demo`, or a directory with \
                        `--model PATH`";
const CHECK_SPELLING: &str =
    "check the spelling; for a private model set HF_TOKEN; for a directory use `--model ./PATH`";
const CHECK_TOKEN: &str = "check the spelling, and whether your token has access to it; for a directory use `--model ./PATH`";
const REVISIONS: &str = "a revision is a branch, a tag, `refs/pr/N` or a 40-digit commit";
const OTHER_CACHE: &str = "set HF_HOME or HF_HUB_CACHE to another folder";

/// A Hub with a public, a gated and a private model, and a home without a cache.
struct Scene {
    hub: Hub,
    home: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let hub = Hub::start();
        let read = |name: &str| fs::read(repository("demo/model").join(name)).unwrap();
        let contents = MODEL_FILES.map(|name| (name, read(name)));
        let files = contents
            .each_ref()
            .map(|(name, content)| (*name, content.as_slice()));
        hub.publish("o/public", Access::Public, &files);
        hub.publish("o/gated", Access::Gated, &files);
        hub.publish("o/private", Access::Private, &files);
        Self {
            hub,
            home: tempfile::tempdir().unwrap(),
        }
    }

    fn call(&self, model: &str, args: &[&str]) -> Call {
        tokscope([&["-m", model], args].concat())
            .env("HF_ENDPOINT", self.hub.endpoint())
            .env("HF_HOME", self.home.path())
    }

    fn tokenize(&self, model: &str) -> Call {
        self.call(model, &["tokenize", "dinero", "--ids"])
    }
}

#[test]
fn missing_private_and_gated_models_are_distinguished() {
    let scene = Scene::new();
    let unknown = |model: &str| format!("the Hub has no model `{model}`, or it is private");
    for model in ["o/nothing", "o/private"] {
        fails(scene.tokenize(model), 3, &unknown(model), CHECK_SPELLING);
        fails(
            scene.tokenize(model).env("HF_TOKEN", "hf_bad"),
            3,
            &unknown(model),
            CHECK_TOKEN,
        );
        fails(
            scene.call(model, &["info"]),
            3,
            &unknown(model),
            CHECK_SPELLING,
        );
        fails(
            scene.call(model, &["pull"]),
            3,
            &unknown(model),
            CHECK_SPELLING,
        );
    }
    let endpoint = scene.hub.endpoint();
    let gated = format!("`o/gated` is gated: {endpoint} does not allow access to it");
    let accept = format!("accept its terms at {endpoint}/o/gated, then set HF_TOKEN");
    fails(scene.tokenize("o/gated"), 3, &gated, &accept);
    let accept = format!(
        "accept its terms at {endpoint}/o/gated with the account that your token belongs to"
    );
    fails(
        scene.tokenize("o/gated").env("HF_TOKEN", "hf_bad"),
        3,
        &gated,
        &accept,
    );
    for model in ["o/gated", "o/private", "o/public"] {
        assert_eq!(
            scene.tokenize(model).env("HF_TOKEN", GOOD_TOKEN).ok(),
            "1 588 2\n"
        );
    }
}

#[test]
fn a_missing_revision_is_named() {
    let scene = Scene::new();
    let sentence = "`o/public` has no revision `v9`";
    fails(scene.tokenize("o/public@v9"), 3, sentence, REVISIONS);
    let args = ["--revision", "v9", "tokenize", "a"];
    fails(scene.call("o/public", &args), 3, sentence, REVISIONS);
    let commit = "0".repeat(40);
    let sentence = format!("`o/public` has no revision `{commit}`");
    fails(
        scene.tokenize(&format!("o/public@{commit}")),
        3,
        &sentence,
        REVISIONS,
    );
    let args = ["--revision", "v8", "tokenize", "a"];
    fails(
        scene.call("o/public@v9", &args),
        2,
        "`--revision v8` contradicts `o/public@v9`",
        "",
    );
}

#[test]
fn without_a_network_only_the_cache_answers() {
    let mut scene = Scene::new();
    let sentence = format!("cannot reach {NO_HUB} for `o/public`: connection refused");
    fails(
        scene.tokenize("o/public").env("HF_ENDPOINT", NO_HUB),
        3,
        &sentence,
        TRY_DEMO,
    );
    let offline = [
        ("HF_HUB_OFFLINE", "1"),
        ("HF_HUB_OFFLINE", "on"),
        ("HF_HUB_OFFLINE", "Yes"),
        ("TRANSFORMERS_OFFLINE", "TRUE"),
    ];
    for (name, value) in offline {
        let answer = scene.tokenize("o/public").env(name, value).exit(3);
        assert!(
            answer.stderr.contains(" is not in the cache ("),
            "{}",
            answer.stderr
        );
        assert!(answer.stderr.contains(RUN_PULL), "{}", answer.stderr);
    }
    scene
        .call("o/public", &["--offline", "tokenize", "a"])
        .exit(3);
    assert_eq!(scene.hub.served(), [], "offline, nothing is asked");

    // A cached model works without the Hub, and with `--offline` without a note.
    assert_eq!(scene.tokenize("o/public").ok(), "1 588 2\n");
    scene.hub.stop();
    let args = ["--offline", "tokenize", "dinero", "--ids"];
    assert_eq!(scene.call("o/public", &args).ok(), "1 588 2\n");
    assert_eq!(scene.tokenize("o/public").exit(0).stdout, "1 588 2\n");
    let answer = scene
        .call("o/public", &["--offline", "embed", "dinero"])
        .exit(3);
    assert!(
        answer.stderr.contains("`o/public` is not in the cache ("),
        "{}",
        answer.stderr
    );
}

#[test]
fn a_failing_hub_is_named_with_its_answer() {
    let scene = Scene::new();
    scene.hub.fault(Fault::ApiStatus(503), 100);
    let endpoint = scene.hub.endpoint();
    let sentence = format!("{endpoint} answered 503 for the list of files of `o/public`");
    fails(scene.tokenize("o/public"), 3, &sentence, "");
    let scene = Scene::new();
    scene.hub.fault(Fault::BlobGarbage, 1);
    let answer = scene.tokenize("o/public").exit(3);
    assert!(
        answer
            .stderr
            .contains("does not match what the Hub announced: "),
        "{}",
        answer.stderr
    );
}

#[test]
fn an_unwritable_cache_is_an_error() {
    let scene = Scene::new();
    let file = scene.home.path().join("file");
    fs::write(&file, "").unwrap();
    let cannot = |reason: &str| {
        let cache = file.join("hub");
        format!(
            "cannot store tokenizer_config.json in the Hub cache at {}: {reason}",
            cache.display()
        )
    };
    fails(
        scene.tokenize("o/public").env("HF_HOME", &file),
        3,
        &cannot("not a directory"),
        OTHER_CACHE,
    );
}

#[cfg(unix)]
#[test]
fn a_read_only_cache_is_an_error() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::new();
    let cache = scene.home.path().join("hub");
    fs::create_dir(&cache).unwrap();
    fs::set_permissions(&cache, fs::Permissions::from_mode(0o555)).unwrap();
    if fs::create_dir(cache.join("probe")).is_ok() {
        skipped("a_cache_that_is_read_only is meaningless for the superuser");
        return;
    }
    let answer = scene.tokenize("o/public").exit(3);
    assert!(
        answer
            .stderr
            .contains(&format!("{}: permission denied\n", cache.display())),
        "{}",
        answer.stderr
    );
    assert!(answer.stderr.ends_with(&format!("hint: {OTHER_CACHE}\n")));
}

#[test]
fn invalid_settings_are_refused() {
    let sentence = "`HF_ENDPOINT` must begin with `https://` or `http://`";
    fails(
        tokscope(["-m", "o/n", "info"]).env("HF_ENDPOINT", "hub.example"),
        2,
        sentence,
        "",
    );
    let answer = tokscope(["-m", "o/n", "info"])
        .env("HF_HUB_ETAG_TIMEOUT", "soon")
        .exit(2);
    assert!(
        answer.stderr.contains("HF_HUB_ETAG_TIMEOUT"),
        "{}",
        answer.stderr
    );
}
