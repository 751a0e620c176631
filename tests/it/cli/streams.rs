//! Standard output and standard error: colors, control characters, closed pipes, full disks.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use crate::support::{Call, demo, tokscope};

#[test]
fn color_is_for_terminals_unless_requested() {
    let info = |args: &[&str]| demo([&["info"], args].concat());
    let plain = info(&[]).ok();
    assert!(!plain.contains('\x1b'));
    assert_eq!(
        info(&["--color", "never"]).env("CLICOLOR_FORCE", "1").ok(),
        plain
    );
    assert_eq!(
        info(&[])
            .env("NO_COLOR", "1")
            .env("CLICOLOR_FORCE", "1")
            .ok(),
        plain
    );
    let coloured = info(&["--color", "always"]).env("NO_COLOR", "1").ok();
    assert_eq!(info(&[]).env("CLICOLOR_FORCE", "1").ok(), coloured);
    assert_eq!(info(&[]).env("FORCE_COLOR", "1").ok(), coloured);
    assert_eq!(info(&[]).env("FORCE_COLOR", "0").ok(), plain);
    let both = info(&[]).env("NO_COLOR", "1").env("FORCE_COLOR", "1");
    assert_eq!(both.ok(), plain);
    let help = |args: &[&str]| tokscope([&["--help"], args].concat());
    let is_colored = |call: Call| call.run().stdout.contains('\x1b');
    assert!(!is_colored(help(&[])));
    assert!(is_colored(help(&["--color", "always"])));
    assert!(is_colored(help(&[]).env("FORCE_COLOR", "1")));
    let never = help(&["--color=never"]).env("FORCE_COLOR", "1");
    assert!(!is_colored(never));
    let usage = tokscope(["nothing"]).env("FORCE_COLOR", "1").exit(2);
    assert!(usage.stderr.contains('\x1b'));
    assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), plain);
    assert!(coloured.contains('\x1b'));
    let answer = demo(["decode", "x", "--color", "always"]).exit(2);
    assert!(answer.stderr.starts_with("\x1b["));
}

#[test]
fn tables_and_json_escape_control_characters() {
    let text = "a\x1b[31m\u{202e}\u{7}b\tc\u{200b}";
    let out = demo(["tokenize", text]).ok();
    assert!(out.chars().all(|c| c == '\n' || !c.is_control()), "{out:?}");
    assert!(
        !out.contains(['\u{202e}', '\u{200b}']) && out.contains("<U+202E>"),
        "{out}"
    );
    let out = demo(["tokenize", text, "--json"]).ok();
    assert!(out.contains("\\u001b[31m\u{202e}\\u0007b\\tc"), "{out}");
    let answer = demo(["diff", text, "b"]).exit(2);
    let sentence = answer.stderr.lines().next().unwrap();
    assert!(sentence.contains("expected one token, but "));
    assert!(
        !sentence.contains(['\x1b', '\u{202e}', '\u{7}']),
        "{sentence:?}"
    );
}

#[test]
fn a_closed_pipe_is_not_a_failure() {
    for args in [
        &["vocab"][..],
        &["vocab", "--json"],
        &["vocab", "--format", "csv"],
        &["neighbors", "dinero", "-k", "2000"],
    ] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tokscope"))
            .args(["-m", "demo"])
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::with_capacity(16, child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        drop(stdout);
        let mut stderr = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut stderr)
            .unwrap();
        assert_eq!(
            (child.wait().unwrap().code(), stderr.as_str()),
            (Some(0), ""),
            "{args:?}"
        );
        assert!(line.ends_with('\n'));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_a_failure() {
    for args in [
        &["tokenize", "banco"][..],
        &["vocab", "--json"],
        &["completions", "bash"],
    ] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let answer = demo(args).stdout(full).exit(2);
        let sentence = "error: cannot write standard output: no space left on device\n";
        assert_eq!(answer.stderr, sentence, "{args:?}");
    }
}
