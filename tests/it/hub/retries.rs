//! Timeouts, retries, and `Retry-After`, through the library.

use std::time::{Duration, Instant};

use crate::hub::scene::{ID, Scene, content, names, weights};
use crate::loopback_hub::Fault;

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
