//! Faults of a Hub, through the library: the errors, the retries, and the state of the cache afterwards.

use std::fs;
use std::time::{Duration, Instant};

use tokscope::source::Token;

use crate::hub::scene::{CONFIG, ID, Scene, content, methods, names, weights};
use crate::loopback_hub::{Access, Fault, GOOD_TOKEN, sha256};

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
fn silence_ends_after_the_timeout() {
    let mut scene = Scene::new();
    scene.settings.etag_timeout = Duration::from_millis(300);
    scene.settings.download_timeout = Duration::from_millis(300);
    scene.hub.fault(Fault::ApiSilent, 1);
    let started = Instant::now();
    let error = scene.failure(ID, "config.json").to_string();
    assert!(error.ends_with(": timed out"), "{error}");
    scene.settings.etag_timeout = Duration::from_secs(20);
    scene.hub.fault(Fault::BlobStalls, 100);
    let error = scene.failure(ID, "w.bin").to_string();
    assert!(
        error.starts_with("the download of w.bin of `o/n` stopped at "),
        "{error}"
    );
    assert!(error.ends_with(" of 1200000 bytes: timed out"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(15));
    assert_eq!(names(&scene.folder().join("snapshots")), [] as [&str; 0]);
}

#[test]
fn a_stall_within_a_download_ends_after_the_timeout() {
    let mut scene = Scene::new();
    scene.settings.download_timeout = Duration::from_secs(1);
    scene.hub.fault(Fault::BlobStalls, 1);
    let started = Instant::now();
    assert!(content(&scene.open(ID), "w.bin") == weights());
    let took = started.elapsed();
    assert!(
        took >= Duration::from_secs(1) && took < Duration::from_secs(15),
        "{took:?}"
    );
    let note = "the download of w.bin stopped at 600000 of 1200000 bytes (timed out): resuming";
    assert!(scene.recorder.events().contains(&note.to_owned()));
}

#[test]
fn a_slow_steady_download_may_take_longer_than_the_timeout() {
    let mut scene = Scene::new();
    scene.settings.download_timeout = Duration::from_secs(1);
    scene.hub.fault(Fault::BlobSlow, 1);
    let started = Instant::now();
    assert!(content(&scene.open(ID), "w.bin") == weights());
    assert!(started.elapsed() > Duration::from_millis(1400));
    let served = scene.hub.served();
    let fetched = served.iter().filter(|one| one.cdn && one.method == "GET");
    assert_eq!(fetched.count(), 1);
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
fn temporary_failures_are_retried() {
    let scene = Scene::new();
    scene.hub.fault(Fault::ApiStatus(503), 1);
    scene.hub.fault(Fault::HeadStatus(502), 2);
    assert_eq!(content(&scene.open(ID), "w.bin"), weights());
}

#[test]
fn retry_after_is_honoured() {
    let scene = Scene::new();
    scene.hub.fault(Fault::BlobLater("1"), 1);
    let started = Instant::now();
    assert!(content(&scene.open(ID), "w.bin") == weights());
    assert!(started.elapsed() >= Duration::from_secs(1));
    let served = scene.hub.served();
    let asked = served.iter().filter(|one| one.cdn).count();
    assert_eq!(asked, 2, "once too early, once when it was time");
    assert!(
        scene
            .recorder
            .events()
            .contains(&"the Hub says to wait 1 s".to_owned())
    );
}

#[test]
fn an_encoded_file_is_refused() {
    for file in ["config.json", "w.bin"] {
        let scene = Scene::new();
        scene.hub.fault(Fault::BlobEncoded("gzip"), 1);
        let error = scene.failure(ID, file).to_string();
        let problem = "its answer is encoded (content-encoding: gzip), which was not asked for";
        assert!(error.ends_with(problem), "{error}");
        assert_eq!(scene.blobs(), [] as [&str; 0]);
        assert!(scene.open(ID).find(file).unwrap().is_some());
    }
}

/// `Retry-After` is a date in any of the three formats.
#[test]
fn retry_after_may_be_a_date() {
    let date = |from_now: &str, format: &str| -> &'static str {
        let date = std::process::Command::new("date")
            .env("LC_ALL", "C")
            .args(["-u", "-d", from_now, format])
            .output()
            .unwrap();
        Box::leak(
            String::from_utf8(date.stdout)
                .unwrap()
                .trim()
                .to_owned()
                .into_boxed_str(),
        )
    };
    let (fixed, old, asctime) = (
        "+%a, %d %b %Y %H:%M:%S GMT",
        "+%A, %d-%b-%y %H:%M:%S GMT",
        "+%a %b %e %H:%M:%S %Y",
    );
    for format in [fixed, old, asctime] {
        let scene = Scene::new();
        scene
            .hub
            .fault(Fault::BlobLater(date("3 seconds", format)), 1);
        let started = Instant::now();
        assert!(content(&scene.open(ID), "w.bin") == weights());
        assert!(started.elapsed() >= Duration::from_secs(1), "{format}");
        let events = scene.recorder.events();
        let waits = |event: &String| event.starts_with("the Hub says to wait ");
        assert!(events.iter().any(waits), "{format}: {events:?}");
    }
    // A date that has passed, or is nonsense, is no reason to wait.
    for when in [
        date("yesterday", fixed),
        "Sun, 31 Feb 2038 00:00:00 GMT",
        "soon",
    ] {
        let scene = Scene::new();
        scene.hub.fault(Fault::BlobLater(when), 1);
        assert!(content(&scene.open(ID), "w.bin") == weights());
        let events = scene.recorder.events();
        assert!(
            !events.iter().any(|event| event.contains("to wait")),
            "{events:?}"
        );
    }
    // Nobody waits for a day, or for thousands of years.
    for when in [
        date("tomorrow", fixed),
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "99999999999999999999999999",
    ] {
        let scene = Scene::new();
        scene.hub.fault(Fault::BlobLater(when), 100);
        let started = Instant::now();
        let error = scene.failure(ID, "w.bin").to_string();
        assert!(error.contains(" answered 429 for w.bin"), "{error}");
        assert!(started.elapsed() < Duration::from_secs(10), "{when}");
    }
}

#[test]
fn an_error_of_the_cdn_is_not_stored() {
    let scene = Scene::new();
    scene.hub.fault(Fault::BlobStatus(503), 100);
    let cdn = scene.hub.cdn();
    assert_eq!(
        scene.failure(ID, "w.bin").to_string(),
        format!("{cdn} answered 503 for w.bin of `o/n`")
    );
    assert_eq!(names(&scene.folder().join("snapshots")), [] as [&str; 0]);
}

#[test]
fn wrong_bytes_are_not_stored() {
    let scene = Scene::new();
    for (fault, file, problem) in [
        (
            Fault::BlobGarbage,
            "w.bin",
            "received 1200000 bytes with another digest",
        ),
        (
            Fault::BlobGarbage,
            "config.json",
            "received 27 bytes with another digest",
        ),
        (
            Fault::BlobPage,
            "w.bin",
            "received 37 bytes of a web page, expected 1200000",
        ),
    ] {
        scene.hub.fault(fault, 1);
        let error = scene.failure(ID, file);
        assert_eq!(error.code(), "wrong-download");
        assert!(error.to_string().ends_with(problem), "{error}");
        assert_eq!(scene.blobs(), [] as [&str; 0]);
        assert_eq!(names(&scene.folder().join("snapshots")), [] as [&str; 0]);
    }
    assert_eq!(content(&scene.open(ID), "w.bin"), weights());
}

#[test]
fn a_broken_download_is_resumed_by_the_next_call() {
    let scene = Scene::new();
    scene.hub.fault(Fault::BlobCut, 4);
    let error = scene.failure(ID, "w.bin");
    assert_eq!(error.code(), "download-broken");
    assert!(
        error.to_string().ends_with(": the connection broke"),
        "{error}"
    );
    let incomplete = format!("{}.incomplete", sha256(&weights()));
    assert_eq!(scene.blobs(), [incomplete.as_str()]);
    let length = scene
        .folder()
        .join("blobs")
        .join(incomplete)
        .metadata()
        .unwrap()
        .len();
    assert!(length > 0);
    scene.hub.served();
    scene.recorder.events();

    assert_eq!(content(&scene.open(ID), "w.bin"), weights());
    assert_eq!(scene.blobs(), [sha256(&weights())]);
    let served = scene.hub.served();
    let last = served.last().unwrap();
    assert_eq!((last.status, last.cdn), (206, true));
    assert_eq!(last.range, Some(format!("bytes={length}-1199999")));
    assert_eq!(scene.recorder.events()[1], format!("w.bin: {length}"));
}

#[test]
fn a_broken_download_is_resumed_within_a_call() {
    let scene = Scene::new();
    scene.hub.fault(Fault::BlobCut, 2);
    assert_eq!(content(&scene.open(ID), "w.bin"), weights());
    let served = scene.hub.served();
    let fetched = served.iter().filter(|one| one.cdn && one.method == "GET");
    let statuses: Vec<_> = fetched.map(|one| one.status).collect();
    assert_eq!(statuses, [200, 206, 206]);
}

#[test]
fn a_useless_partial_download_is_discarded() {
    let blob = sha256(&weights());
    let mut longer = weights();
    longer.push(0);
    let mut other = weights();
    other[7] ^= 1;
    for beginning in [&b"upstream error"[..], &longer, &other] {
        let scene = Scene::new();
        let blobs = scene.folder().join("blobs");
        fs::create_dir_all(&blobs).unwrap();
        fs::write(blobs.join(format!("{blob}.incomplete")), beginning).unwrap();
        assert_eq!(content(&scene.open(ID), "w.bin"), weights());
        assert_eq!(scene.blobs(), [blob.as_str()]);
    }
    // The partial download is good, but the server does not support ranges.
    let scene = Scene::new();
    let blobs = scene.folder().join("blobs");
    fs::create_dir_all(&blobs).unwrap();
    fs::write(blobs.join(format!("{blob}.incomplete")), &weights()[..1000]).unwrap();
    scene.hub.fault(Fault::BlobWhole, 1);
    assert_eq!(content(&scene.open(ID), "w.bin"), weights());
}

#[test]
fn an_error_page_that_another_program_stored_is_replaced() {
    let scene = Scene::new();
    scene.open(ID).find("w.bin").unwrap();
    let blob = scene.folder().join("blobs").join(sha256(&weights()));
    fs::write(&blob, "upstream error").unwrap();
    scene.recorder.events();
    assert!(content(&scene.open(ID), "w.bin") == weights());
    assert_eq!(
        scene.recorder.events()[0],
        "w.bin of `o/n` is damaged in the Hub cache (its bytes do not match its digest): asking the Hub"
    );
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

#[test]
fn two_threads_fetch_a_file_once() {
    let scene = Scene::new();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| assert_eq!(content(&scene.open(ID), "w.bin"), weights()));
        }
    });
    let served = scene.hub.served();
    let fetched = served
        .iter()
        .filter(|served| served.cdn && served.method == "GET");
    assert_eq!(fetched.count(), 1);
    assert_eq!(scene.blobs(), [sha256(&weights())]);
}
