//! `count` on the built-in model: streams, trees, and files that are not text.

use std::fs;

use crate::records::{Record, records};
use crate::support::demo;

#[test]
fn one_stream_counts_as_one_bare_number() {
    assert_eq!(demo(["count"]).stdin("banco money\n").ok(), "4\n");
    assert_eq!(demo(["count", "-"]).stdin("banco").ok(), "3\n");
    assert_eq!(demo(["count", "--text", "banco"]).ok(), "3\n");
    assert_eq!(
        demo(["count", "--text", "banco", "--no-special-tokens"]).ok(),
        "1\n"
    );
    assert_eq!(
        demo(["count", "--lines"])
            .stdin("banco\n\nmoney money")
            .ok(),
        "3\n2\n4\n"
    );
    assert_eq!(
        demo(["count", "--lines", "--total"])
            .stdin("banco\nmoney")
            .ok(),
        "6\n"
    );
    assert_eq!(
        demo(["count", "--jsonl"])
            .stdin("\"banco\"\n{\"text\":\"\"}")
            .ok(),
        "3\n2\n"
    );
    demo(["count", "--text", "a", "b.txt"]).exit(2);
}

#[test]
fn ignored_and_binary_files_of_a_tree_are_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    };
    write(".git/HEAD", b"ref: refs/heads/main\n");
    write(".gitignore", b"*.log\n");
    write("src/b.txt", b"banco money");
    write("src/a.txt", b"banco");
    write("noise.log", b"banco");
    write("image.bin", b"a\0b");
    let count = |args: &[&str]| demo([&["count", "."], args].concat()).current_dir(folder.path());
    let answer = count(&[]).exit(0);
    assert_eq!(
        answer.stdout,
        "       3 ./src/a.txt\n       4 ./src/b.txt\n       7 total\n"
    );
    assert_eq!(answer.stderr, "note: skipped ./image.bin: not text\n");
    assert_eq!(count(&["-q"]).exit(0).stderr, "");
    assert_eq!(count(&["--total", "-q"]).ok(), "7\n");

    assert_eq!(
        count(&["--budget", "7"])
            .exit(0)
            .stdout
            .lines()
            .last()
            .unwrap(),
        "       7 total  within 7"
    );
    let over = count(&["--budget", "5", "-q"]).exit(1);
    assert_eq!(
        over.stdout.lines().last(),
        Some("       7 total  over 5 by 2")
    );
    let over = count(&["--budget-per-file", "3"]).exit(1).stdout;
    assert!(
        over.contains("       4 ./src/b.txt  over 3 by 1\n"),
        "{over}"
    );
    count(&["--budget-per-file", "4", "--budget", "1k"]).exit(0);
    count(&["--budget", "some"]).exit(2);

    let missing = demo(["count", "src/a.txt", "nowhere.txt", "src/b.txt"]);
    let missing = missing.current_dir(folder.path()).exit(2);
    assert_eq!(
        missing.stderr,
        "error: cannot read nowhere.txt: no such file or directory\n"
    );
    assert_eq!(missing.stdout.lines().count(), 3);
}

#[test]
fn a_binary_file_does_not_stop_the_others() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.txt"), "banco").unwrap();
    fs::write(folder.path().join("b.bin"), b"b\xff").unwrap();
    let count = |args: &[&str]| {
        let args = [&["count", "a.txt", "b.bin", "-"], args].concat();
        demo(args).stdin("money").current_dir(folder.path())
    };
    let answer = count(&[]).exit(2);
    assert_eq!(
        answer.stdout,
        "       3 a.txt\n       3 -\n       6 total\n"
    );
    let sentence = "b.bin is not UTF-8: the byte at offset 1 is invalid";
    assert_eq!(answer.stderr, format!("error: {sentence}\n"));
    let records = records(&count(&["--json"]).exit(2).stdout);
    let [_, Record::Error(error), _, Record::Total(total)] = &records[..] else {
        panic!("{records:?}")
    };
    let (path, message) = (error.path.as_deref(), error.message.as_str());
    assert_eq!((path, message, total.files), (Some("b.bin"), sentence, 2));
    assert!(count(&["--lossy"]).ok().ends_with(" total\n"));
}
