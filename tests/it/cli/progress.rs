//! Progress bars, which only a terminal gets, and only after a second.

use std::fs;
use std::path::Path;

use crate::support::demo;

/// Text that is longer than a pipe and all buffers hold.
fn text() -> String {
    "banco de madera, banco donde hay dinero\n".repeat(60_000)
}

/// Runs a command whose input or output makes it wait for more than a second. Returns what a terminal of this width
/// shows on standard error.
fn shown(args: &[&str], stdin: &str, folder: &Path, columns: u16) -> String {
    let call = demo(args).env("TERM", "xterm").current_dir(folder);
    let (code, shown) = call.stdin(stdin).run_slowly(columns);
    assert_eq!(code, 0, "{args:?}: {shown}");
    shown
}

#[test]
fn a_pipe_has_a_progress_bar_after_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let text = text();
    let facts = regex::Regex::new(r"\d(\.\d+)? [kM]B, \d+(\.\d+)? [kM]B/s").unwrap();
    for args in [
        &["count"][..],
        &["count", "--lines", "--total"],
        &["tokenize", "--lines", "--ids"],
        &["grep", "--piece", "▁madera"],
        &["verify", "--lines"],
    ] {
        let shown = shown(args, &text, folder.path(), 80);
        assert!(facts.is_match(&shown), "{args:?}: {shown:?}");
        assert!(!shown.contains("left"), "{args:?}: {shown:?}");
    }
}

#[test]
fn a_file_has_a_progress_bar_with_the_time_left() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.txt"), text()).unwrap();
    // Most of the output must be waiting when the second is over.
    let args = ["tokenize", "--lines", "--ids", "-f", "a.txt"];
    let facts = regex::Regex::new(r"MB of 2\.40 MB, \d+ s left").unwrap();
    let escapes = regex::Regex::new("\u{1b}\\[[0-9;]*[A-Za-z]").unwrap();
    for columns in [40, 80] {
        let shown = shown(&args, "", folder.path(), columns);
        assert!(facts.is_match(&shown), "{shown:?}");
        assert_eq!(shown.contains("/s"), columns > 40, "{shown:?}");
        assert!(shown.contains('█'), "{shown:?}");
        // Each state of the bar takes one line of the terminal.
        let plain = escapes.replace_all(&shown, "");
        for line in plain.split(['\r', '\n']) {
            assert!(line.chars().count() <= usize::from(columns), "{line:?}");
        }
    }
}

#[test]
fn only_a_terminal_gets_a_progress_bar_and_only_if_it_is_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let text = text();
    let count = |args: &[&str]| {
        let call = demo([&["count"], args].concat()).env("TERM", "xterm");
        call.stdin(text.as_str())
    };
    for call in [
        count(&["--quiet"]),
        count(&[]).env("CI", "true"),
        count(&[]).env("TERM", "dumb"),
        count(&[]).env("HF_HUB_DISABLE_PROGRESS_BARS", "1"),
    ] {
        let (code, shown) = call.current_dir(folder.path()).run_slowly(80);
        assert_eq!((code, shown.as_str()), (0, ""));
    }
}
