//! `count` and `grep` visit the same files of a tree, with the same notes and the same errors.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::trees::{count, paths, tree};
use crate::records::{Record, records};
use crate::support::{Answer, Call, demo, make_pipe};

/// Every text has this token, so that `grep` reports each file that it visits.
const TOKEN: &str = "▁banco";

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// A repository with a file of every sort.
fn repository_of_all_sorts() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for (name, content) in [
        (".git/HEAD", "ref: refs/heads/banco banco\n"),
        (".gitignore", "# banco\n*.log\n/out/\n"),
        (".ignore", "# banco\nbig.md\n"),
        (".hidden/h.rs", "banco"),
        ("a.rs", "banco"),
        ("big.md", "banco"),
        ("note.md", "hay\nbanco banco"),
        ("noise.log", "banco"),
        ("out/x.rs", "banco"),
        ("src/b.rs", "banco"),
        ("src/deep/c.py", "banco"),
        ("src/deep/.gitignore", "# banco\nd.*\n"),
        ("src/deep/d.rs", "banco"),
        ("src/bad/.ignore", "[z-a]\n# banco\nnot-this.txt\n"),
        ("src/bad/not-this.txt", "banco"),
        ("src/bad/this.txt", "banco"),
        ("two words.txt", "banco"),
    ] {
        write(root, name, content);
    }
    write(root, "src/latin1.txt", b"banco caf\xe9");
    write(root, "src/zero.bin", b"banco\0banco");
    // Texts of two parts; the second is not UTF-8 at its end.
    let mut long = "hay ".repeat(300_000).into_bytes();
    long.extend_from_slice(b"banco");
    write(root, ".long/valid.txt", &long);
    long.push(0xff);
    write(root, ".long/latin1.txt", &long);
    symlink("../a.rs", root.join("src/link.rs")).unwrap();
    symlink("..", root.join("src/up")).unwrap();
    symlink("nowhere", root.join("src/broken.rs")).unwrap();
    write(root, "locked/e.rs", "banco");
    fs::set_permissions(root, fs::Permissions::from_mode(0o755)).unwrap();
    let locked = fs::Permissions::from_mode(0o000);
    fs::set_permissions(root.join("locked"), locked).unwrap();
    folder
}

/// Runs the program, not as root, who may read everything.
fn run(folder: &Path, command: &[&str], args: &[&str]) -> Answer {
    let call: Call = demo([command, args].concat()).current_dir(folder);
    let call = if fs::read_dir(folder.join("locked")).is_ok() {
        call.run_by_nobody()
    } else {
        call
    };
    call.stdin("banco").run()
}

/// The files that an answer in JSON has records of, each once, and its errors, in their order.
fn files_and_errors(stdout: &str) -> Vec<String> {
    let mut seen = records(stdout)
        .into_iter()
        .filter_map(|record| match record {
            Record::Count(count) => count.path,
            Record::Match(found) => found.path,
            Record::Error(error) => Some(format!("{:?} {}", error.path, error.message)),
            _ => None,
        })
        .collect::<Vec<_>>();
    seen.dedup();
    seen
}

#[test]
fn grep_and_count_visit_the_same_files_under_every_filter() {
    let folder = repository_of_all_sorts();
    let absolute = folder.path().canonicalize().unwrap();
    let absolute = absolute.to_str().unwrap();
    let mut visited = 0;
    for args in [
        &["."][..],
        &["src", "a.rs"],
        &[absolute],
        &[absolute, "-g", "src/*.rs"],
        &["src", "-", "a.rs"],
        &["-t", "rust", "."],
        &["-t", "rust", "--type", "py", "."],
        &["--type-not", "rust", "-T", "md", "."],
        &["-g", "*.rs", "."],
        &["-g", "*.rs", "-g", "!/src", "."],
        &["--glob", "!*.rs", "."],
        &["-g", "src/**/*.py", "."],
        &["--hidden", "."],
        &["--no-ignore", "."],
        &["--hidden", "--no-ignore", "."],
        &["-L", "."],
        &["--follow", "--hidden", "-t", "rust", "."],
        &["--lossy", "."],
        &["noise.log", "src", "-t", "py"],
        &["src/zero.bin", "src/latin1.txt", "src/broken.rs", "nowhere"],
        &[".long"],
        &[".long", "--lossy", "--threads", "4"],
        &[".long/latin1.txt"],
        &["locked"],
        &["-t", "rsut", "."],
        &["-g", "[a", "."],
        &["--threads", "1", "."],
        &["--threads", "3", "."],
    ] {
        let args = [args, &["--json"]].concat();
        let counted = run(folder.path(), &["count", "--no-special-tokens"], &args);
        let searched = run(folder.path(), &["grep", "--piece", TOKEN], &args);
        let files = files_and_errors(&searched.stdout);
        assert_eq!(files, files_and_errors(&counted.stdout), "{args:?}");
        assert_eq!(searched.stderr, counted.stderr, "{args:?}");
        assert_eq!(searched.code, counted.code, "{args:?}");
        visited += files.len();
    }
    assert!(visited > 100, "{visited}");
}

#[test]
fn a_file_with_more_matches_than_are_held_is_searched_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = "banco ".repeat(200_000).into_bytes();
    write(folder.path(), "a.txt", "banco");
    write(folder.path(), "b.txt", &text);
    text.push(0xff);
    // Nothing of a skipped file is printed, however late the invalid byte comes.
    write(folder.path(), "c.txt", &text);
    write(folder.path(), "d.txt", "banco");
    let answer = run(folder.path(), &["grep", "--piece", TOKEN], &["."]);
    assert_eq!(
        (answer.code, answer.stderr.as_str()),
        (
            0,
            "note: skipped ./c.txt: not UTF-8, the byte at offset 1200000 is invalid\n"
        )
    );
    let mut lines = answer.stdout.lines();
    assert_eq!(lines.next(), Some("./a.txt:1:1:banco"));
    assert_eq!(lines.next_back(), Some("./d.txt:1:1:banco"));
    assert_eq!(lines.clone().count(), 200_000);
    for (number, line) in lines.enumerate() {
        let place = format!("./b.txt:1:{}:", 1 + 6 * number);
        assert!(line.starts_with(&place), "{line} {place}");
    }
}

#[test]
fn every_note_and_error_of_a_walk_is_a_sentence_of_grep() {
    let folder = repository_of_all_sorts();
    let answer = run(folder.path(), &["grep", "--piece", TOKEN], &["-L", "."]);
    let bad_glob =
        "note: ./src/bad/.ignore: line 1: error parsing glob '[z-a]': invalid range; 'z' > 'a'\n";
    for sentence in [
        bad_glob,
        "note: skipped ./src/latin1.txt: not UTF-8, the byte at offset 9 is invalid\n",
        "note: skipped ./src/zero.bin: not text\n",
        "note: skipped ./src/up: it links to its own ancestor .\n",
        "error: cannot read ./locked: permission denied\n",
        "error: cannot read ./src/broken.rs: no such file or directory\n",
    ] {
        assert!(
            answer.stderr.contains(sentence),
            "{sentence}{}",
            answer.stderr
        );
    }
    assert_eq!(answer.code, 2);
    assert!(
        !answer.stdout.contains("latin1"),
        "a skipped file has matches"
    );
    let empty = run(
        folder.path(),
        &["grep", "--piece", TOKEN],
        &["-t", "java", "src/deep"],
    );
    assert_eq!(
        (empty.code, empty.stderr.as_str()),
        (1, "note: found no text files to search\n")
    );
}

#[test]
fn types_are_listed_by_grep_as_by_count() {
    let list = demo(["count", "--type-list"]).ok();
    assert_eq!(demo(["grep", "--type-list"]).ok(), list);
    assert!(list.lines().any(|line| line == "rust: *.rs"), "{list}");
    for command in ["count", "grep"] {
        demo([command, "--type-list", "--json"]).exit(2);
    }
}

#[test]
fn files_are_chosen_as_rg_chooses_them() {
    let folder = tree(&[
        (".git/HEAD", "ref: refs/heads/main\n"),
        (".gitignore", "*.log\n/out/\n"),
        (".ignore", "big.md\n"),
        ("a.rs", "a"),
        ("big.md", "a"),
        ("note.md", "a"),
        ("noise.log", "a"),
        ("out/x.rs", "a"),
        (".hidden/h.rs", "a"),
        ("src/b.rs", "a"),
        ("src/deep/c.py", "a"),
        ("src/deep/.gitignore", "d.*\n"),
        ("src/deep/d.rs", "a"),
    ]);
    let found = |args: &[&str]| {
        let args = [&[".", "--json"], args].concat();
        paths(&count(folder.path(), &args).ok())
            .iter()
            .map(|path| path.strip_prefix("./").unwrap().to_owned())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(found(&[]), "a.rs note.md src/b.rs src/deep/c.py");
    assert_eq!(found(&["-t", "rust"]), "a.rs src/b.rs");
    assert_eq!(
        found(&["-t", "rust", "--type", "py"]),
        "a.rs src/b.rs src/deep/c.py"
    );
    assert_eq!(found(&["--type-not", "rust", "-T", "md"]), "src/deep/c.py");
    // As in rg, a glob on the command line overrides ignore files.
    assert_eq!(found(&["-g", "*.rs"]), "a.rs src/b.rs src/deep/d.rs");
    assert_eq!(found(&["-g", "*.rs", "-g", "!/src"]), "a.rs");
    assert_eq!(found(&["--glob", "!*.rs"]), "note.md src/deep/c.py");
    assert_eq!(found(&["-g", "src/*.rs"]), "src/b.rs");
    assert_eq!(found(&["-g", "src/**/*.py"]), "src/deep/c.py");
    assert_eq!(
        found(&["--hidden", "-t", "rust"]),
        ".hidden/h.rs a.rs src/b.rs"
    );
    assert_eq!(
        found(&["--no-ignore"]),
        "a.rs big.md noise.log note.md out/x.rs src/b.rs src/deep/c.py src/deep/d.rs"
    );
    // The filters do not apply to a named file.
    let named = count(folder.path(), &["noise.log", "src", "-t", "py", "--json"]).ok();
    assert_eq!(paths(&named), ["noise.log", "src/deep/c.py"]);
    // Globs are matched relative to the current directory even if the path is absolute.
    let here = folder.path().canonicalize().unwrap();
    let absolute = here.display().to_string();
    let named = count(&here, &[&absolute, "-g", "src/*.rs", "--json"]).ok();
    assert_eq!(paths(&named), [here.join("src/b.rs").display().to_string()]);
}

#[test]
fn an_unknown_type_or_an_invalid_glob_is_refused() {
    let folder = tree(&[("a.rs", "a")]);
    for (args, error) in [
        (
            ["-t", "rsut"],
            "error: `rsut` is not a file type\n\nhint: did you mean `rust`?\n",
        ),
        (
            ["-T", "nothing-like-it"],
            "error: `nothing-like-it` is not a file type\n\nhint: `tokscope count --type-list` prints the file types\n",
        ),
        (
            ["-g", "[a"],
            "error: `[a` is not a glob: unclosed character class; missing ']'\n",
        ),
    ] {
        let answer = count(folder.path(), &[&["."][..], &args].concat()).exit(2);
        assert_eq!(
            (answer.stdout.as_str(), answer.stderr.as_str()),
            ("", error)
        );
    }
}

#[test]
fn filters_without_a_path_are_refused() {
    for command in [
        &["count"][..],
        &["count", "--text", "banco"],
        &["grep", "--id", "364"],
    ] {
        for (filter, flag) in [
            (&["-g", "*.md"][..], "--glob"),
            (&["-t", "rust"], "--type"),
            (&["--type-not", "rust"], "--type-not"),
        ] {
            let answer = demo([command, filter].concat()).stdin("banco").exit(2);
            let error = format!(
                "error: `{flag}` selects files in directories, but no path is given\n\n\
                 hint: name a directory: `.` is the current one\n"
            );
            assert_eq!(
                (answer.stdout.as_str(), answer.stderr.as_str()),
                ("", error.as_str())
            );
        }
        let more = [command, &["--hidden", "--no-ignore", "-L"]].concat();
        demo(more).stdin("banco").ok();
    }
}

#[test]
fn an_ignore_file_that_is_a_pipe_or_a_device_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir_all(at("b/.git/info")).unwrap();
    for path in ["a.txt", "b/b.txt", "c/c.txt", "d/d.txt"] {
        fs::create_dir_all(at(path).parent().unwrap()).unwrap();
        fs::write(at(path), TOKEN).unwrap();
    }
    make_pipe(&at("b/.git/info/exclude"));
    symlink("/dev/zero", at("c/.gitignore")).unwrap();
    symlink("/dev/null", at("d/.ignore")).unwrap();
    for command in [&["count"][..], &["grep", "--piece", TOKEN]] {
        let call = |more: &[&str]| {
            let args = [command, &["--json", "."], more].concat();
            demo(args).current_dir(folder.path()).run()
        };
        let answer = call(&[]);
        assert_eq!(answer.code, 2, "{}", answer.stdout);
        for text in [
            "./a.txt",
            "./d/d.txt",
            "cannot read ./b/.git/info/exclude: not a regular file",
            "cannot read ./c/.gitignore: not a regular file",
        ] {
            assert!(answer.stdout.contains(text), "{text}: {}", answer.stdout);
        }
        for text in ["b.txt", "c.txt"] {
            assert!(!answer.stdout.contains(text), "{text}: {}", answer.stdout);
            assert!(call(&["--no-ignore"]).stdout.contains(text));
        }
    }
    make_pipe(&at(".ignore"));
    let answer = demo(["count", "--json", "d"])
        .current_dir(folder.path())
        .exit(2);
    assert!(
        answer.stdout.contains("/.ignore: not a regular file"),
        "{}",
        answer.stdout
    );
}
