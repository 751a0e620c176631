//! Every command works on the full-size model with 400 MB of address space. Running out of memory is reported.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::standin::standin;
use crate::support::{Answer, demo, on, skipped};

/// Bytes of address space that a process may use (`RLIMIT_AS`). The mapped checkpoint alone takes 241 MB.
const LIMIT: u64 = 400_000_000;

/// Every command with its expected exit code. `t.txt` has 4000 lines, `s.txt` has 100.
const COMMANDS: &[(&[&str], i32)] = &[
    (&["tokenize", "Il banco de madera"], 0),
    (&["tokenize", "-f", "t.txt", "--ids"], 0),
    (&["tokenize", "-f", "t.txt", "--lines", "--json"], 0),
    (&["--engine", "reference", "tokenize", "Il banco"], 0),
    (
        &[
            "--threads",
            "8",
            "tokenize",
            "-f",
            "t.txt",
            "--lines",
            "--ids",
        ],
        0,
    ),
    (&["decode", "1", "4797", "2"], 0),
    (&["--engine", "reference", "decode", "1", "4797", "2"], 0),
    (&["count", "t.txt"], 0),
    (&["count", "."], 0),
    (&["--threads", "64", "count", "t.txt"], 0),
    (&["--engine", "reference", "count", "s.txt"], 0),
    (&["info"], 0),
    (&["vocab"], 0),
    (&["vocab", "--grep", "dinero"], 0),
    (&["embed", "dinero"], 0),
    (&["--engine", "reference", "embed", "dinero"], 0),
    (&["embed", "--all", "-o", "a.npy"], 0),
    (
        &["embed", "--all", "--dtype", "f32", "-o", "a.safetensors"],
        0,
    ),
    (&["embed", "--id", "5", "--projector", "p"], 0),
    (&["diff", "--id", "5", "--id", "7"], 1),
    (&["neighbors", "--id", "3000"], 0),
    (
        &["neighbors", "--id", "3000", "--id", "4", "--metric", "l2"],
        0,
    ),
    (&["similarity", "banco de madera"], 0),
    (&["--threads", "64", "stats"], 0),
    (&["verify", "s.txt"], 0),
    (&["convert", "--to", "tokenizer.json", "-o", "t.json"], 0),
    (&["chunk", "--max-length", "100", "-f", "t.txt"], 0),
    (&["head", "--tokens", "10", "-f", "t.txt"], 0),
    (&["tail", "--tokens", "10", "-f", "t.txt"], 0),
    (&["lock"], 0),
    (&["check"], 0),
    (&["grep", "--piece", "▁dinero", "t.txt"], 0),
    (&["completions", "bash"], 0),
    (&["man"], 0),
];

fn folder_with_texts() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let lines = |count: usize| -> String {
        let line = "Il banco de madera costó mucho dinero, el café también; zero-shot";
        (0..count)
            .map(|number| format!("{line} {number}\n"))
            .collect()
    };
    fs::write(folder.path().join("t.txt"), lines(4000)).unwrap();
    fs::write(folder.path().join("s.txt"), lines(100)).unwrap();
    folder
}

fn within(limit: u64, model: &Path, folder: &Path, args: &[&str]) -> Answer {
    let cache = folder.join("cache");
    let call = on(model, args).env("XDG_CACHE_HOME", cache);
    call.current_dir(folder).run_within(limit)
}

#[test]
fn every_command_on_the_full_size_model_works_within_400_megabytes() {
    let Some(standin) = standin("every_command_on_the_full_size_model_works_within_400_megabytes")
    else {
        return;
    };
    for container in ["torch-zip", "safetensors"] {
        let folder = folder_with_texts();
        for (args, code) in COMMANDS {
            if container == "safetensors" && args[0] != "embed" {
                continue;
            }
            let answer = within(LIMIT, &standin.folder(container), folder.path(), args);
            assert_eq!(answer.code, *code, "{args:?}: {}", answer.stderr);
        }
    }
}

#[test]
fn a_checkpoint_larger_than_the_limit_is_read_without_mapping_it() {
    let test = "a_checkpoint_larger_than_the_limit_is_read_without_mapping_it";
    let Some(standin) = standin(test) else {
        return;
    };
    let folder = folder_with_texts();
    let model = standin.as_on_the_hub();
    for args in [
        &["embed", "dinero", "--json"][..],
        &["stats", "--json"],
        &["neighbors", "--id", "7"],
    ] {
        let answer = within(200_000_000, &model, folder.path(), args);
        assert_eq!(answer.code, 0, "{args:?}: {}", answer.stderr);
        let unlimited = on(&model, args).run();
        assert_eq!(answer.stdout, unlimited.stdout, "{args:?}");
    }
}

#[test]
fn running_out_of_memory_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    // The whole text is held in memory, and its encoding takes about 50 bytes per token.
    fs::write(folder.path().join("t.txt"), "a b ".repeat(8 << 20)).unwrap();
    let call = demo(["tokenize", "-f", "t.txt", "--json"]).current_dir(folder.path());
    let answer = call.run_within(LIMIT / 2);
    assert_eq!(
        (answer.code, answer.stdout.as_str()),
        (2, ""),
        "{}",
        answer.stderr
    );
    assert!(
        answer.stderr.starts_with("error: out of memory: "),
        "{}",
        answer.stderr
    );
    assert!(
        answer.stderr.contains("\n\nhint: `ulimit -v` shows"),
        "{}",
        answer.stderr
    );
}

#[test]
fn no_more_threads_are_started_than_fit() {
    let folder = folder_with_texts();
    fs::write(folder.path().join("u.txt"), "dinero").unwrap();
    let whole = demo(["count", "."]).current_dir(folder.path()).ok();
    let figures = demo(["stats"]).ok();
    for threads in ["640", "100000", "18446744073709551615"] {
        let call = |args: &[&str]| {
            let call = demo(args).current_dir(folder.path());
            call.env("RAYON_NUM_THREADS", threads)
        };
        let count = call(&["count", "."]).run_within(LIMIT);
        assert_eq!((count.code, count.stdout), (0, whole.clone()), "{threads}");
        let stats = call(&["stats"]).run_within(LIMIT);
        assert_eq!(
            (stats.code, stats.stdout),
            (0, figures.clone()),
            "{threads}"
        );
        assert_eq!(call(&["stats"]).ok(), figures, "{threads}");
        assert_eq!(demo(["stats", "--threads", threads]).ok(), figures);
    }
}

#[test]
fn one_thread_does_the_work_if_the_system_refuses_others() {
    if !rustix::process::geteuid().is_root() {
        return skipped("one_thread_does_the_work_if_the_system_refuses_others needs root");
    }
    let folder = folder_with_texts();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    for args in [
        &["count", "."][..],
        &["count", "--lines", "t.txt"],
        &["grep", "--piece", "▁dinero", "."],
        &["stats"],
        &["tokenize", "-f", "t.txt", "--lines", "--ids"],
        &["--threads", "8", "stats"],
    ] {
        let call = || demo(args).current_dir(folder.path());
        let expected = call().ok();
        let alone = call().limited("--nproc=1").run_by_nobody().run();
        assert_eq!((alone.code, alone.stderr.as_str()), (0, ""), "{args:?}");
        assert_eq!(alone.stdout, expected, "{args:?}");
    }
}

#[test]
fn an_unknown_field_of_a_tokenizer_takes_no_memory() {
    // 8 MB, which took 540 MB in the `tokenizers` crate.
    let values = vec!["0"; 4_000_000].join(",");
    let model = tempfile::tempdir().unwrap();
    let json = format!(
        r#"{{"model":{{"type":"WordLevel","vocab":{{"a":0}},"unk_token":"a","x":[{values}]}}}}"#
    );
    fs::write(model.path().join("tokenizer.json"), json).unwrap();
    let answer = on(model.path(), ["tokenize", "a"]).run_within(LIMIT);
    assert_eq!(answer.code, 4, "{}", answer.stderr);
    assert!(
        (answer.stderr).contains("its unknown fields have more than 65536 values"),
        "{}",
        answer.stderr
    );
}
