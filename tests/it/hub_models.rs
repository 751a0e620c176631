//! Models of the Hub through the library: what is asked, what ends up in the cache, and what failures say.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokscope::error::Error;
use tokscope::source::{HubSettings, ModelFiles, Observer, OwnCache, SourceOptions, Token};

use crate::hub::{Access, Fault, GOOD_TOKEN, Hub, Served, git_blob, sha256};

const CONFIG: &[u8] = b"{\"model_type\":\"deberta-v2\"}";
const ID: &str = "o/n";

/// A large file.
fn weights() -> Vec<u8> {
    (0..300_000_u32).flat_map(u32::to_le_bytes).collect()
}

#[derive(Default)]
struct Recorder(Mutex<Vec<String>>);

impl Recorder {
    fn record(&self, event: String) {
        self.0.lock().unwrap().push(event);
    }

    fn events(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Observer for Recorder {
    fn note(&self, message: &str) {
        self.record(message.to_owned());
    }

    fn download_started(&self, file: &str, total: u64) {
        self.record(format!("{file}: 0 of {total}"));
    }

    fn download_progress(&self, file: &str, done: u64) {
        self.record(format!("{file}: {done}"));
    }

    fn download_finished(&self, file: &str) {
        self.record(format!("{file}: finished"));
    }
}

/// A Hub with one model, an empty cache, and a caller.
struct Scene {
    hub: Hub,
    cache: tempfile::TempDir,
    settings: HubSettings,
    offline: bool,
    recorder: Arc<Recorder>,
    commit: String,
}

impl Scene {
    fn new() -> Self {
        Self::with_access(Access::Public)
    }

    fn with_access(access: Access) -> Self {
        let hub = Hub::start();
        let commit = hub.publish(
            ID,
            access,
            &[
                ("config.json", CONFIG),
                ("onnx/w.bin", &weights()),
                ("w.bin", &weights()),
            ],
        );
        let cache = tempfile::tempdir().unwrap();
        let settings = HubSettings {
            endpoint: hub.endpoint(),
            cache_dir: cache.path().join("hub"),
            token: None,
            offline: false,
            etag_timeout: Duration::from_secs(20),
            download_timeout: Duration::from_secs(20),
        };
        Self {
            hub,
            cache,
            settings,
            offline: false,
            recorder: Arc::default(),
            commit,
        }
    }

    fn open(&self, model: &str) -> ModelFiles {
        let options = SourceOptions {
            offline: self.offline,
            hub: self.settings.clone(),
            cache: OwnCache::none(),
            observer: Arc::clone(&self.recorder) as Arc<dyn Observer>,
        };
        ModelFiles::open(&model.parse().unwrap(), options).unwrap()
    }

    /// The error of looking for `name`.
    fn failure(&self, model: &str, name: &str) -> Error {
        self.open(model)
            .find(name)
            .map(|file| file.is_some())
            .unwrap_err()
    }

    fn folder(&self) -> PathBuf {
        self.settings.cache_dir.join("models--o--n")
    }

    fn blobs(&self) -> Vec<String> {
        names(&self.folder().join("blobs"))
    }
}

fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = folder.read_dir() else {
        return Vec::new();
    };
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn content(files: &ModelFiles, name: &str) -> Vec<u8> {
    let file = files.find(name).unwrap().expect(name);
    file.read_all().unwrap().into_owned()
}

fn methods(served: &[Served]) -> Vec<(&str, u16, bool)> {
    served
        .iter()
        .map(|served| (served.method.as_str(), served.status, served.cdn))
        .collect()
}

#[test]
fn files_land_in_the_common_layout() {
    let scene = Scene::new();
    let files = scene.open(ID);
    assert_eq!(files.commit(), None);
    assert!(scene.hub.served().is_empty(), "opening asks nothing");
    assert_eq!(content(&files, "config.json"), CONFIG);
    assert_eq!(content(&files, "onnx/w.bin"), weights());
    assert!(files.find("tokenizer.json").unwrap().is_none());
    assert_eq!(files.commit().as_deref(), Some(scene.commit.as_str()));

    let folder = scene.folder();
    let read = |path: &str| fs::read_to_string(folder.join(path)).unwrap();
    assert_eq!(read("refs/main"), scene.commit);
    let mut blobs = vec![git_blob(CONFIG), sha256(&weights())];
    blobs.sort();
    assert_eq!(scene.blobs(), blobs);
    let snapshot = folder.join("snapshots").join(&scene.commit);
    assert_eq!(files.folder().unwrap(), snapshot);
    assert_eq!(
        names(&folder.join(".no_exist").join(&scene.commit)),
        ["tokenizer.json"]
    );
    #[cfg(unix)]
    for (name, target) in [
        ("config.json", format!("../../blobs/{}", git_blob(CONFIG))),
        (
            "onnx/w.bin",
            format!("../../../blobs/{}", sha256(&weights())),
        ),
    ] {
        assert_eq!(
            fs::read_link(snapshot.join(name)).unwrap(),
            PathBuf::from(target)
        );
    }
}

#[test]
fn what_was_asked_once_needs_no_network() {
    let mut scene = Scene::new();
    let names = ["config.json", "w.bin", "tokenizer.json"];
    let found = |files: &ModelFiles| names.map(|name| files.find(name).unwrap().is_some());
    assert_eq!(found(&scene.open(ID)), [true, true, false]);
    scene.recorder.events();
    scene.hub.served();

    assert_eq!(found(&scene.open(ID)), [true, true, false]);
    assert_eq!(scene.hub.served(), [], "the cache is asked first");
    scene.hub.stop();
    let files = scene.open(ID);
    assert_eq!(files.commit().as_deref(), Some(scene.commit.as_str()));
    assert_eq!(found(&files), [true, true, false]);
    scene.offline = true;
    assert_eq!(found(&scene.open(ID)), [true, true, false]);
    assert_eq!(scene.recorder.events(), [] as [&str; 0]);
}

#[test]
fn content_that_is_there_is_not_fetched_again() {
    let scene = Scene::new();
    scene.open(ID).find("w.bin").unwrap();
    scene.hub.served();
    assert_eq!(content(&scene.open(ID), "onnx/w.bin"), weights());
    let served = scene.hub.served();
    assert!(served.iter().all(|served| !served.cdn), "{served:?}");
}

#[test]
fn a_revision_is_kept_beside_main() {
    let scene = Scene::new();
    for revision in ["refs/pr/1", scene.commit.as_str()] {
        let files = scene.open(&format!("{ID}@{revision}"));
        assert_eq!(content(&files, "config.json"), CONFIG);
        assert_eq!(files.commit().as_deref(), Some(scene.commit.as_str()));
        assert_eq!(files.model(), ID);
    }
    let noted = fs::read_to_string(scene.folder().join("refs/refs/pr/1")).unwrap();
    assert_eq!(noted, scene.commit);
    assert_eq!(names(&scene.folder().join("refs")), ["refs"]);
}

#[test]
fn a_new_commit_is_seen_when_it_is_asked_for() {
    let scene = Scene::new();
    scene.open(ID).find("w.bin").unwrap();
    let config = b"{\"model_type\":\"bert\"}";
    let new = scene.hub.publish(
        ID,
        Access::Public,
        &[("config.json", config), ("w.bin", &weights())],
    );

    let mut files = scene.open(ID);
    assert_eq!(
        content(&files, "config.json"),
        CONFIG,
        "of the commit in the cache"
    );
    files.refresh().unwrap();
    scene.hub.served();
    assert_eq!(files.commit(), Some(new.clone()));
    assert_eq!(content(&files, "config.json"), config);
    assert_eq!(content(&files, "w.bin"), weights());
    let served = scene.hub.served();
    assert!(
        served.iter().all(|served| !served.cdn),
        "the weights are the same: {served:?}"
    );
    assert_eq!(scene.open(ID).commit(), Some(new));
    let old = scene.open(&format!("{ID}@{}", scene.commit));
    assert_eq!(content(&old, "config.json"), CONFIG);
}

#[test]
fn all_files_are_listed_with_their_sizes() {
    let mut scene = Scene::new();
    let files = scene.open(ID);
    files.find("config.json").unwrap();
    let list = |files: &ModelFiles| -> Vec<_> {
        let list = files.list().unwrap().into_iter();
        list.map(|file| (file.name, file.size, file.cached))
            .collect()
    };
    let weights = Some(weights().len() as u64);
    let config = ("config.json".to_owned(), Some(CONFIG.len() as u64), true);
    assert_eq!(
        list(&files),
        [
            config.clone(),
            ("onnx/w.bin".to_owned(), weights, false),
            ("w.bin".to_owned(), weights, false)
        ]
    );
    assert_eq!(scene.blobs().len(), 1);
    scene.hub.stop();
    assert_eq!(list(&scene.open(ID)), std::slice::from_ref(&config));
    assert_eq!(scene.recorder.events().len(), 4, "a download, and one note");
    scene.offline = true;
    assert_eq!(list(&scene.open(ID)), [config]);
    assert_eq!(
        scene.open("o/other").list().unwrap_err().code(),
        "not-cached"
    );
}

#[test]
fn downloads_are_observed() {
    let scene = Scene::new();
    let size = weights().len();
    scene.open(ID).find("w.bin").unwrap();
    let events = scene.recorder.events();
    assert_eq!(events[0], format!("w.bin: 0 of {size}"));
    assert_eq!(events[events.len() - 2], format!("w.bin: {size}"));
    assert_eq!(events[events.len() - 1], "w.bin: finished");
}

#[test]
fn offline_is_never_online() {
    let mut scene = Scene::new();
    scene.offline = true;
    let error = scene.failure(ID, "config.json");
    assert_eq!(
        error.to_string(),
        "`o/n` is not in the cache (config.json), and the network is off"
    );
    scene.offline = false;
    scene.settings.offline = true;
    assert_eq!(scene.failure(ID, "config.json").code(), "not-cached");
    scene.open(ID).refresh().unwrap();
    assert_eq!(scene.hub.served(), []);
}

#[test]
fn without_network_the_cache_is_all_there_is() {
    let mut scene = Scene::new();
    scene.open(ID).find("config.json").unwrap();
    scene.recorder.events();
    scene.hub.stop();
    let files = scene.open(ID);
    assert!(files.find("tokenizer.json").unwrap().is_none());
    assert!(files.find("w.bin").unwrap().is_none());
    let endpoint = &scene.settings.endpoint;
    assert_eq!(
        scene.recorder.events(),
        [format!(
            "cannot reach {endpoint} (connection refused): using what the cache holds of `o/n`"
        )]
    );
    assert_eq!(
        files.missing("checkpoint", "w.bin").code(),
        "hub-unreachable"
    );
    let absent = names(&scene.folder().join(".no_exist"));
    assert_eq!(absent, [] as [&str; 0], "not known to be absent");

    scene.offline = true;
    let files = scene.open(ID);
    assert!(files.find("w.bin").unwrap().is_none());
    assert_eq!(files.missing("checkpoint", "w.bin").code(), "not-cached");
}

#[test]
fn what_the_model_does_not_have_is_known() {
    let scene = Scene::new();
    let files = scene.open(ID);
    assert!(files.find("tokenizer.json").unwrap().is_none());
    let error = files.missing("tokenizer", "tokenizer.json");
    assert_eq!(error.to_string(), "`o/n` has no tokenizer");
}

#[test]
fn no_hub_at_all() {
    let mut scene = Scene::new();
    scene.hub.stop();
    let endpoint = &scene.settings.endpoint;
    assert_eq!(
        scene.failure(ID, "config.json").to_string(),
        format!("cannot reach {endpoint} for `o/n`: connection refused")
    );
}

#[test]
fn something_that_is_no_hub() {
    let scene = Scene::new();
    scene.hub.fault(Fault::ApiPage, 1);
    let endpoint = &scene.settings.endpoint;
    assert_eq!(
        scene.failure(ID, "config.json").to_string(),
        format!("cannot reach {endpoint} for `o/n`: its answer is not one of a Hub")
    );
}

#[test]
fn silence_ends_in_time() {
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
fn repositories_that_cannot_be_read() {
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
fn a_revision_that_does_not_exist() {
    let scene = Scene::new();
    let error = scene.failure("o/n@v9", "w.bin");
    assert_eq!(error.to_string(), "`o/n` has no revision `v9`");
    let commit = "0".repeat(40);
    let error = scene.failure(&format!("o/n@{commit}"), "w.bin");
    assert_eq!(error.code(), "revision-not-found");
}

#[test]
fn a_hub_out_of_order() {
    let scene = Scene::new();
    let endpoint = &scene.settings.endpoint;
    scene.hub.fault(Fault::ApiStatus(503), 100);
    assert_eq!(
        scene.failure(ID, "w.bin").to_string(),
        format!("{endpoint} answered 503 for the list of files of `o/n`")
    );
}

#[test]
fn what_passes_is_waited_for() {
    let scene = Scene::new();
    scene.hub.fault(Fault::ApiStatus(503), 1);
    scene.hub.fault(Fault::HeadStatus(502), 2);
    assert_eq!(content(&scene.open(ID), "w.bin"), weights());
}

#[test]
fn the_hub_says_how_long_to_wait() {
    let scene = Scene::new();
    // hf-hub uses up four requests by itself before it reports the first answer.
    scene.hub.fault(Fault::BlobLater, 4);
    let started = Instant::now();
    assert_eq!(content(&scene.open(ID), "w.bin"), weights());
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert!(
        scene
            .recorder
            .events()
            .contains(&"the Hub asks to wait 1 s".to_owned())
    );
}

#[test]
fn an_error_of_the_cdn_is_no_file() {
    let scene = Scene::new();
    scene.hub.fault(Fault::BlobStatus(503), 100);
    let endpoint = &scene.settings.endpoint;
    assert_eq!(
        scene.failure(ID, "w.bin").to_string(),
        format!("{endpoint} answered 503 for w.bin of `o/n`")
    );
    assert_eq!(names(&scene.folder().join("snapshots")), [] as [&str; 0]);
}

#[test]
fn wrong_bytes_are_not_kept() {
    let scene = Scene::new();
    for (fault, file, problem) in [
        (
            Fault::BlobGarbage,
            "w.bin",
            "1200000 bytes came, and their digest is another one",
        ),
        (
            Fault::BlobGarbage,
            "config.json",
            "27 bytes came, and their digest is another one",
        ),
        (
            Fault::BlobPage,
            "w.bin",
            "37 bytes, of a web page, came, and it has 1200000",
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
fn a_download_goes_on_where_it_broke() {
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
fn a_connection_that_breaks_is_made_again() {
    let scene = Scene::new();
    scene.hub.fault(Fault::BlobCut, 2);
    assert_eq!(content(&scene.open(ID), "w.bin"), weights());
    let served = scene.hub.served();
    let fetched = served.iter().filter(|one| one.cdn && one.method == "GET");
    let statuses: Vec<_> = fetched.map(|one| one.status).collect();
    assert_eq!(statuses, [200, 206, 206]);
}

#[test]
fn a_beginning_that_is_of_no_use_is_dropped() {
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
    // Good to go on with, but this server knows no ranges.
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
    assert_eq!(content(&scene.open(ID), "w.bin"), b"upstream error");
    let mut files = scene.open(ID);
    files.refresh().unwrap();
    files.list().unwrap();
    assert_eq!(content(&files, "w.bin"), weights());
}

#[test]
fn the_token_stays_with_the_hub() {
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
fn no_token_is_no_header() {
    let scene = Scene::new();
    scene.open(ID).find("w.bin").unwrap();
    let served = scene.hub.served();
    assert!(served.iter().all(|served| !served.token), "{served:?}");
    assert_eq!(
        methods(&served),
        [
            ("GET", 200, false),  // the list
            ("HEAD", 302, false), // ours: the announcement
            ("HEAD", 302, false), // hf-hub's
            ("HEAD", 200, true),
            ("GET", 302, false),
            ("GET", 200, true),
        ]
    );
}

#[test]
fn a_cache_that_cannot_be_written() {
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
fn a_cache_that_is_read_only_is_read() {
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
fn two_at_a_time_fetch_once() {
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
