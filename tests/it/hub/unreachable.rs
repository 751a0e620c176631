//! Unreachable models, through the program: each failure is one sentence with a hint, and exit code 3.

use std::fs;

use crate::cli::bad_input::fails;
use crate::loopback_hub::{Access, Fault, GOOD_TOKEN, Hub};
use crate::support::standin::MODEL_FILES;
use crate::support::{Call, NO_HUB, demo, repository, skipped, tokscope};

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

/// Removes a file from the snapshot of a model in the Hub cache.
fn remove_from_cache(scene: &Scene, model: &str, commit: &str, file: &str) {
    let folder = format!(
        "hub/models--{}/snapshots/{commit}",
        model.replace('/', "--")
    );
    fs::remove_file(scene.home.path().join(folder).join(file)).unwrap();
}

#[test]
fn a_cached_commit_that_is_gone_from_the_hub_is_named_and_pull_mends_it() {
    let scene = Scene::new();
    let publish = |size: &[u8]| {
        let read = |name: &str| fs::read(repository("demo/model").join(name)).unwrap();
        let contents = MODEL_FILES.map(|name| (name, read(name)));
        let files = contents
            .iter()
            .map(|(name, content)| (*name, content.as_slice()));
        let files: Vec<_> = files.chain([("README.md", size)]).collect();
        scene.hub.publish("o/moved", Access::Public, &files)
    };
    let old = publish(b"one");
    scene.tokenize("o/moved").ok();
    publish(b"three");
    scene.hub.forget_history("o/moved");
    scene.tokenize("o/moved").ok();
    remove_from_cache(&scene, "o/moved", &old, "spm.model");
    let hint = "run `tokscope pull o/moved` to fetch the commit that `main` has now, or use the cached files \
                with `--offline`";
    let gone =
        format!("the Hub no longer has commit {old} of `o/moved`, which the cache has for `main`");
    for args in [
        &["tokenize", "dinero"][..],
        &["info"],
        &["stats"],
        &["embed", "dinero"],
    ] {
        fails(scene.call("o/moved", args), 3, &gone, hint);
    }
    // A commit that is asked for by name has no newer one.
    let by_name = format!("o/moved@{old}");
    let none = format!("`o/moved` has no revision `{old}`");
    fails(scene.tokenize(&by_name), 3, &none, REVISIONS);
    scene.call("o/moved", &["pull", "-q"]).exit(0);
    scene.tokenize("o/moved").ok();
}

#[test]
fn the_files_that_are_not_in_the_cache_are_named() {
    let scene = Scene::new();
    let tokenizer = demo(["convert", "--to", "tokenizer.json", "-o", "-"]).ok();
    let files: [(&str, &[u8]); 2] = [
        ("config.json", b"{}"),
        ("tokenizer.json", tokenizer.as_bytes()),
    ];
    let commit = scene.hub.publish("o/json", Access::Public, &files);
    let place = tempfile::tempdir().unwrap();
    let call = |args: &[&str]| scene.call("o/json", args).current_dir(place.path());
    call(&["lock"]).exit(0);
    let fails_offline = |args: &[&str], file: &str| {
        let answer = call(&[&["--offline"], args].concat()).exit(3);
        let sentence =
            format!("error: `o/json` is not in the cache ({file}), and the network is off\n");
        assert!(answer.stderr.starts_with(&sentence), "{}", answer.stderr);
    };
    fails_offline(&["stats"], "model.safetensors or pytorch_model.bin");
    remove_from_cache(&scene, "o/json", &commit, "tokenizer.json");
    fails_offline(&["check"], "tokenizer.json");
    fails_offline(&["tokenize", "a"], "tokenizer.json or spm.model");
    // Once the Hub has said that there is no spm.model, only the other file may exist.
    let absent = format!("hub/models--o--json/.no_exist/{commit}");
    fs::create_dir_all(scene.home.path().join(&absent)).unwrap();
    fs::write(scene.home.path().join(absent).join("spm.model"), "").unwrap();
    fails_offline(&["tokenize", "a"], "tokenizer.json");
}
