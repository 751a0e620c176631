//! Signals that end the program, and the one of a limit on file sizes: nothing is left behind, and a cache that cannot be
//! written costs nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use rustix::process::{Pid, Signal, kill_process};

use crate::hub::scene::names;
use crate::loopback_hub::Fault;
use crate::remote::{Remote, without_cost};
use crate::support::{Call, demo, folder_without_checkpoint, on};

const SIGNALS: [Signal; 6] = [
    Signal::INT,
    Signal::TERM,
    Signal::HUP,
    Signal::XCPU,
    Signal::QUIT,
    Signal::KILL,
];
/// Returns the signals, without those that this process ignores, as in the background of a shell: so would the program.
fn signals() -> impl Iterator<Item = Signal> {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let mut lines = status.lines();
    let ignored = lines.find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
    let ignored = u64::from_str_radix(ignored.trim(), 16).unwrap();
    let is_ignored = move |signal: &Signal| ignored >> (signal.as_raw() - 1) & 1 == 1;
    SIGNALS
        .into_iter()
        .filter(move |signal| !is_ignored(signal))
}

const PATIENCE: Duration = Duration::from_secs(60);

/// Starts a call, and sends it the signal once it has a file open in `folder` and has written to it.
fn kill_while_writing(call: Call, folder: &Path, signal: Signal) {
    let folder = folder.canonicalize().unwrap();
    let mut child = call.spawn();
    let open_files = PathBuf::from(format!("/proc/{}/fd", child.id()));
    let writes = || {
        let open = open_files.read_dir().into_iter().flatten().flatten();
        open.map(|file| file.path()).any(|file| {
            let is_there = fs::read_link(&file).is_ok_and(|path| path.starts_with(&folder));
            is_there && fs::metadata(&file).is_ok_and(|metadata| metadata.len() > 0)
        })
    };
    let started = Instant::now();
    while !writes() {
        let ended = child.try_wait().unwrap();
        assert_eq!(ended, None, "it ended before it was killed");
        assert!(started.elapsed() < PATIENCE, "it writes nothing");
        std::thread::sleep(Duration::from_micros(200));
    }
    kill_process(Pid::from_child(&child), signal).unwrap();
    let status = child.wait().unwrap();
    let by = std::os::unix::process::ExitStatusExt::signal(&status);
    assert_eq!(by, Some(signal.as_raw()), "it ended before it was killed");
}

#[test]
fn a_killed_command_leaves_no_part_of_its_output() {
    let folder = tempfile::tempdir().unwrap();
    // About as long as an argument may be.
    let text = "banco de madera ".repeat(8000);
    let place = folder.path().join("out");
    fs::create_dir(&place).unwrap();
    for signal in signals() {
        for present in [None, Some("earlier")] {
            let path = place.join("rows.csv");
            let _ = fs::remove_file(&path);
            if let Some(present) = present {
                fs::write(&path, present).unwrap();
            }
            let args = ["embed", &text, "-o", path.to_str().unwrap()];
            kill_while_writing(demo(args), &place, signal);
            let left = names(&place);
            assert_eq!(
                left.len(),
                usize::from(present.is_some()),
                "{signal:?} {left:?}"
            );
            let found = fs::read_to_string(&path).ok();
            assert_eq!(found.as_deref(), present, "{signal:?}");
        }
    }
}

#[test]
fn a_killed_command_leaves_nothing_in_the_folder_of_temporary_files() {
    let remote = Remote::with("safetensors", "model.safetensors");
    remote.warm("o/n");
    for signal in signals() {
        remote.hub.heal();
        remote.hub.fault(Fault::BlobSlow, usize::MAX);
        let place = tempfile::tempdir().unwrap();
        let call = remote
            .call("o/n", &["--no-cache", "neighbors", "--id", "700"])
            .env("TMPDIR", place.path());
        kill_while_writing(call, place.path(), signal);
        assert!(names(place.path()).is_empty(), "{signal:?}");
    }
}

/// A model whose vocabulary is compiled into the cache, which small ones are not.
fn cached_model() -> tempfile::TempDir {
    let model = folder_without_checkpoint();
    let path = model.path().join("spm.model");
    let mut bytes = fs::read(&path).unwrap();
    // Field 100, of 1 MiB, is in no schema and is skipped.
    bytes.extend([0xa2, 0x06, 0x80, 0x80, 0x40]);
    bytes.resize(bytes.len() + (1 << 20), 0);
    fs::write(&path, &bytes).unwrap();
    model
}

fn tokenize(model: &Path, cache: &Path) -> Call {
    on(model, ["tokenize", "dinero", "--ids"]).env("XDG_CACHE_HOME", cache)
}

#[test]
fn a_limit_on_file_sizes_costs_only_the_cache() {
    let (model, cache) = (cached_model(), tempfile::tempdir().unwrap());
    let right = demo(["tokenize", "dinero", "--ids"]).ok();
    for _ in 0..2 {
        let call = tokenize(model.path(), cache.path());
        assert_eq!(call.limited("--fsize=1000").ok(), right);
        assert!(names(&cache.path().join("tokscope/vocabularies")).is_empty());
    }
    let answer = demo(["embed", "banco de madera", "-o", "rows.csv"])
        .current_dir(cache.path())
        .limited("--fsize=100")
        .exit(2);
    assert_eq!(
        answer.stderr,
        "error: cannot write rows.csv: file too large\n"
    );
    assert_eq!(names(cache.path()), ["tokscope"]);
    // Rows that were fetched are not kept, but shown.
    let remote = Remote::with("safetensors", "model.safetensors");
    remote.warm("o/n");
    let row = ["embed", "--id", "700", "--json"];
    let limited = remote.call("o/n", &row).limited("--fsize=1000").ok();
    let again = remote.call("o/n", &row).ok();
    assert_eq!(without_cost(&limited), without_cost(&again));
    // A matrix must be written somewhere.
    let call = remote.call("o/n", &["neighbors", "--id", "700"]);
    let answer = call.limited("--fsize=1000").exit(3);
    let sentence = ": file too large\n\nhint: set XDG_CACHE_HOME";
    assert!(answer.stderr.contains(sentence), "{}", answer.stderr);
}

#[test]
fn the_cache_forgets_what_is_old_and_what_killed_processes_left() {
    let (model, cache) = (cached_model(), tempfile::tempdir().unwrap());
    let folder = cache.path().join("tokscope/vocabularies");
    fs::create_dir_all(&folder).unwrap();
    let hours = |hours: u64| SystemTime::now() - Duration::from_secs(hours * 3600);
    for (name, used) in [
        ("of-last-year", 9000),
        ("of-last-week", 170),
        ("in-use", 0),
        (".tokscope-Ab12Cd", 2),
    ] {
        let file = fs::File::create(folder.join(name)).unwrap();
        file.set_len(1 << 20).unwrap();
        std::io::Write::write_all(&mut &file, &[1; 4096]).unwrap();
        let times = fs::FileTimes::new()
            .set_accessed(hours(used))
            .set_modified(hours(used));
        file.set_times(times).unwrap();
    }
    let right = demo(["tokenize", "dinero", "--ids"]).ok();
    assert_eq!(tokenize(model.path(), cache.path()).ok(), right);
    let left = names(&folder);
    assert_eq!(left.len(), 3, "{left:?}");
    assert!(left.contains(&"of-last-week".to_owned()), "{left:?}");
    fs::remove_file(cache.path().join("tokscope/swept")).unwrap();
    let compiled = left
        .iter()
        .find(|name| !["in-use", "of-last-week"].contains(&&***name));
    fs::remove_file(folder.join(compiled.unwrap())).unwrap();
    let call = tokenize(model.path(), cache.path()).env("TOKSCOPE_CACHE_SIZE", "0");
    assert_eq!(call.ok(), right);
    let left = names(&folder);
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(!left.contains(&"of-last-week".to_owned()), "{left:?}");
}
