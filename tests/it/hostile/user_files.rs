//! Hostile lock files, configuration files, and array files. They are input, so errors in them exit with code 2.

use std::fs;

use crate::support::{Answer, demo, make_pipe};

/// Runs a call in a folder with one file, which must be refused with a short error message that names it.
fn refused(name: &str, bytes: &[u8], args: &[&str]) -> Answer {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), bytes).unwrap();
    fs::write(folder.path().join("t.txt"), "dinero").unwrap();
    let answer = demo(args).current_dir(folder.path()).exit(2);
    assert!(answer.stderr.starts_with("error: "), "{}", answer.stderr);
    assert!(answer.stderr.contains(name), "{}", answer.stderr);
    assert!(answer.stderr.len() < 3000, "{:.3000}", answer.stderr);
    assert_eq!(answer.stdout, "");
    answer
}

#[test]
fn a_hostile_lock_file_is_refused() {
    let long = format!(r#"{{"version": "{}"}}"#, "A".repeat(1 << 20));
    let deep = format!(r#"{{"version": 1, "model": {}"#, "[".repeat(100_000));
    for bytes in [
        deep.as_bytes(),
        long.as_bytes(),
        br#"{"version": 1, "version": 1}"#,
        br#"{"version": 1e400}"#,
        b"{\"version\": 1, \"model\": \"\xff\"}",
        b"\xff\xfe",
        b"",
    ] {
        let answer = refused("tokscope.lock", bytes, &["check"]);
        assert!(
            answer
                .stderr
                .contains("is not a lock file written by tokscope")
        );
    }
}

#[test]
fn a_hostile_configuration_file_is_refused() {
    let deep = format!("a = {}", "[".repeat(100_000));
    let dotted = format!("a{} = 1", ".a".repeat(50_000));
    let long = format!("model = [\"{}\"]", "A".repeat(900_000));
    let many = "a = 1\n".repeat(180_000);
    let huge = "#".repeat((1 << 20) + 1);
    let tables = format!("[count]\nbudgets = [{}]", "{},".repeat(300_000));
    for bytes in [
        deep.as_bytes(),
        dotted.as_bytes(),
        long.as_bytes(),
        many.as_bytes(),
        huge.as_bytes(),
        tables.as_bytes(),
        b"model = \"a\"\nmodel = \"b\"",
        b"[count]\nbudget = 99999999999999999999",
        b"[count]\nbudget = nan",
        b"model = \"\xff\"",
    ] {
        refused("tokscope.toml", bytes, &["count", "--ci"]);
    }
}

#[test]
fn a_hostile_array_file_is_refused() {
    let npy = |header: &str, rest: &[u8]| {
        let length = (header.len() as u16).to_le_bytes();
        [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), rest].concat()
    };
    let header = |descr: &str, shape: &str| {
        format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}")
    };
    let nan = f32::NAN.to_le_bytes().repeat(64);
    for (bytes, problem) in [
        (
            npy(&header("<f4", "(18446744073709551615, 384)"), &[0; 8]),
            "does not match its 8 bytes",
        ),
        (
            npy(&header("<f4", "(99999999999999999999999, 2)"), &[]),
            "expected a size",
        ),
        (npy(&header("<f4", "(-1, 384)"), &[]), "expected a size"),
        (
            npy(&header("<f4", &format!("({})", "1,".repeat(4000))), &[0; 4]),
            "one or two dimensions, not 4000",
        ),
        (
            npy(&header("|O", "(1, 384)"), b"\x80\x02cos\nsystem\n"),
            "its elements must be f2, f4 or f8, not `|O`",
        ),
        (
            npy(&header("<f4", "(64,)"), &nan),
            "a value that is not a finite float32",
        ),
        (npy(&header("<f4", "((((1"), &[]), "expected a size"),
        (
            npy("{'descr': '<f4', 'descr': '<f4'}", &[]),
            "the key `descr` twice",
        ),
        (
            npy("{'descr': __import__('os').system('x')}", &[]),
            "expected a string",
        ),
        (
            [b"\x93NUMPY\x02\x00".to_vec(), vec![0xff; 40]].concat(),
            "claims 4294967295 bytes",
        ),
        (npy("\u{1b}[2J", &[]), "expected `{`"),
        (
            b"\x93NUMPY\x01\x00\x02\x00\xff\xff".to_vec(),
            "its header is not UTF-8",
        ),
        (vec![0x80; 100], "does not begin like an .npy file"),
    ] {
        let answer = refused("v.npy", &bytes, &["neighbors", "--vector", "v.npy"]);
        assert!(
            answer.stderr.contains(problem),
            "{problem}: {}",
            answer.stderr
        );
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_in_place_of_a_lock_or_configuration_file_is_refused_without_waiting() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["tokscope.lock", "tokscope.toml"] {
        make_pipe(&folder.path().join(name));
    }
    for (args, name) in [
        (&["check"][..], "tokscope.lock"),
        (&["--locked", "info"], "tokscope.lock"),
        (&["count", "--ci"], "tokscope.toml"),
        (&["count", "--config", "tokscope.toml"], "tokscope.toml"),
    ] {
        let answer = demo(args).current_dir(folder.path()).exit(2);
        let problem = format!("cannot read {name}: it is a pipe");
        assert!(answer.stderr.contains(&problem), "{}", answer.stderr);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_endless_file_is_read_only_up_to_a_limit() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    symlink("/dev/zero", folder.path().join("tokscope.lock")).unwrap();
    symlink("/dev/zero", folder.path().join("v.npy")).unwrap();
    for (args, problem) in [
        (
            &["check"][..],
            "cannot read tokscope.lock: it has more than 67108864 bytes",
        ),
        (
            &["--locked", "info"],
            "cannot read tokscope.lock: it has more than 67108864 bytes",
        ),
        (
            &["neighbors", "--vector", "v.npy"],
            "does not begin like an .npy file",
        ),
    ] {
        let answer = demo(args).current_dir(folder.path()).exit(2);
        assert!(answer.stderr.contains(problem), "{}", answer.stderr);
    }
}
