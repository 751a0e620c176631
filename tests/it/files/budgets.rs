//! Budgets of `count`: notes, exit codes, configuration files, and annotations in the log of a CI system.

use std::fs;
use std::path::Path;

use crate::records::{Record, records};
use crate::support::{Call, demo, tokscope};

/// A repository with four prompts, of 3, 4, 5 and 6 tokens.
fn repository_of_prompts() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, words) in [
        ("a/one.md", 1),
        ("a/two.txt", 2),
        ("b/three.md", 3),
        ("b/four.md", 4),
    ] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "banco ".repeat(words)).unwrap();
    }
    fs::create_dir(folder.path().join(".git")).unwrap();
    folder
}

fn count(folder: &Path, args: &[&str]) -> Call {
    demo([&["count"], args].concat()).current_dir(folder)
}

/// Runs `count --ci` without a model from the environment, so that the configuration file must name it.
fn ci(folder: &Path, args: &[&str]) -> Call {
    tokscope([&["count", "--ci"], args].concat()).current_dir(folder)
}

fn configure(folder: &Path, text: &str) {
    fs::write(folder.join("tokscope.toml"), text).unwrap();
}

#[test]
fn every_form_of_budget_has_its_exit_code() {
    let folder = repository_of_prompts();
    for (args, code) in [
        (&["--budget", "18"][..], 0),
        (&["--budget", "17"], 1),
        (&["--budget", "0.017k"], 1),
        (&["--budget", "1m"], 0),
        (&["--budget-per-file", "6"], 0),
        (&["--budget-per-file", "5"], 1),
        (&["--budget-per-file", "6", "--budget", "17"], 1),
        (&["--budget-per-file", "5", "--budget", "18"], 1),
        (&["--budget-per-file", "4", "--lines"], 1),
        (&["--budget-per-file", "0"], 1),
    ] {
        for format in [
            &[][..],
            &["--json"],
            &["--format", "csv"],
            &["--summary"],
            &["--by", "dir"],
            &["--top", "1"],
        ] {
            if args.contains(&"--lines") && format.contains(&"dir") {
                continue;
            }
            count(folder.path(), &[&["a", "b"], args, format].concat()).exit(code);
        }
    }
    for text in [
        "lots",
        "",
        "-1",
        "8kb",
        "1.5",
        "1e3",
        "99999999999999999999k",
    ] {
        let budget = format!("--budget={text}");
        let answer = count(folder.path(), &["a", &budget]).exit(2);
        assert_eq!(
            answer.stderr,
            format!(
                "error: invalid value '{text}' for '--budget <N>': expected a number of tokens such as 8000, 8k \
                 or 1.5m\n\nFor more information, try '--help'.\n"
            )
        );
    }
}

#[test]
fn an_exceeded_budget_is_noted_if_its_row_is_not_shown() {
    let folder = repository_of_prompts();
    let over = |args: &[&str]| {
        let args = [
            &["a", "b", "--budget-per-file", "4", "--budget", "10"],
            args,
        ]
        .concat();
        count(folder.path(), &args).exit(1)
    };
    let four = "note: b/four.md is over its budget of 4 tokens by 2\n";
    let three = "note: b/three.md is over its budget of 4 tokens by 1\n";
    let total = "note: over the budget of 10 tokens by 8\n";

    let rows = over(&[]);
    assert_eq!(rows.stderr, "");
    assert_eq!(
        rows.stdout,
        "       3 a/one.md\n       4 a/two.txt\n       6 b/four.md  over 4 by 2\n       5 b/three.md  over 4 by 1\n      \
         18 total  over 10 by 8\n"
    );
    let bare = over(&["--total"]);
    assert_eq!(
        (bare.stdout.as_str(), bare.stderr),
        ("18\n", format!("{total}{four}{three}"))
    );
    assert_eq!(over(&["--summary"]).stderr, format!("{four}{three}"));
    assert_eq!(over(&["--by", "dir"]).stderr, format!("{four}{three}"));
    assert_eq!(over(&["--by", "dir", "-q"]).stderr, "");
    assert_eq!(over(&["--top", "4"]).stderr, "");
    assert_eq!(
        over(&["--top", "1", "--json"]).stderr,
        format!("{four}{three}")
    );
    // CSV has no total after the rows.
    assert_eq!(over(&["--format", "csv"]).stderr, total);
    assert_eq!(over(&["--json"]).stderr, "");

    let records = records(&over(&["--json"]).stdout);
    let Some(Record::Total(sum)) = records.last() else {
        panic!("{records:?}")
    };
    assert_eq!(
        (sum.over_budget, sum.budget, sum.within_budget),
        (Some(2), Some(10), Some(false))
    );
}

#[test]
fn a_configuration_file_replaces_all_options() {
    let folder = repository_of_prompts();
    configure(
        folder.path(),
        r#"
        model = "demo"
        [count]
        glob = "*.md"
        budget = "1k"
        budget-per-file = 5
        [[count.budgets]]
        glob = "b/**"
        budget = 10
        [[count.budgets]]
        glob = ["one.md", "three.md"]
        budget-per-file = 4
        "#,
    );
    let log = "       6 ./b/four.md  over 5 by 1\n       5 ./b/three.md  over 4 by 1\n      \
               11 b/** in 2 files  over 10 by 1\n      14 total of 3 files, 2 over budget  within 1,000\n";
    let answer = ci(folder.path(), &[]).exit(1);
    assert_eq!((answer.stdout.as_str(), answer.stderr.as_str()), (log, ""));

    // In a subdirectory, the same files are counted.
    let below = ci(&folder.path().join("a"), &[]).exit(1);
    assert_eq!(below.stdout, log.replace("./b/", "../b/"));
    // Machine-readable output has every record.
    let all = records(&ci(folder.path(), &["--json"]).exit(1).stdout);
    let [
        Record::Count(_),
        Record::Count(_),
        Record::Count(_),
        Record::Group(group),
        Record::Total(_),
    ] = &all[..]
    else {
        panic!("{all:?}")
    };
    assert_eq!(
        (group.by.as_str(), group.name.as_str(), group.tokens),
        ("glob", "b/**", 11)
    );
    assert_eq!((group.budget, group.within_budget), (Some(10), Some(false)));

    // The command line takes precedence over the file.
    let kept = ci(folder.path(), &["--budget-per-file", "6", "a"])
        .exit(0)
        .stdout;
    assert_eq!(
        kept,
        "       0 b/** in 0 files\n       3 total of 1 file, none over its budget  within 1,000\n"
    );
    let others = ci(folder.path(), &["-g", "*.txt", "--budget", "3"])
        .exit(1)
        .stdout;
    assert!(
        others.ends_with("       4 total of 1 file, none over its budget  over 3 by 1\n"),
        "{others}"
    );
    let absolute = folder.path().canonicalize().unwrap().join("b/four.md");
    let named = ci(folder.path(), &[absolute.to_str().unwrap()])
        .exit(1)
        .stdout;
    assert!(
        named.contains("four.md  over 5 by 1\n       6 b/** in 1 file  within 10\n"),
        "{named}"
    );
    // The environment variable for the model takes precedence over the file.
    let other = ci(folder.path(), &[])
        .env("TOKSCOPE_MODEL", "./nowhere")
        .exit(2);
    assert!(other.stderr.contains("nowhere"), "{}", other.stderr);

    // Without --ci the file is read only if --config names it.
    let plain = count(folder.path(), &["."]).ok();
    assert!(plain.contains("./a/two.txt"), "{plain}");
    let named = tokscope(["count", "--config", "tokscope.toml"]).current_dir(folder.path());
    let named = named.exit(1).stdout;
    assert!(
        named.starts_with("       3 ./a/one.md\n") && !named.contains("two.txt"),
        "{named}"
    );
}

#[test]
fn a_configuration_file_is_found_up_to_the_root_of_the_repository() {
    let folder = repository_of_prompts();
    let inner = folder.path().join("inner");
    fs::create_dir_all(inner.join("deep/.git")).unwrap();
    let missing = "error: found no tokscope.toml in this directory or above it in the repository, and no budget is given\n\n\
                   hint: name a file with `--config FILE`, or set a budget with `--budget N` or `--budget-per-file N`\n";
    assert_eq!(ci(folder.path(), &[]).exit(2).stderr, missing);
    configure(
        folder.path(),
        "model = \"demo\"\n[count]\ntype-not = \"toml\"\nbudget = 18\n",
    );
    ci(&inner, &[]).exit(0);
    // The search stops at the root of an inner repository.
    assert_eq!(ci(&inner.join("deep"), &[]).exit(2).stderr, missing);
    ci(&inner.join("deep"), &["--config", "../../tokscope.toml"]).exit(0);
    // Outside a repository, directories above are not searched.
    fs::remove_dir(folder.path().join(".git")).unwrap();
    assert_eq!(ci(&inner, &[]).exit(2).stderr, missing);
    ci(folder.path(), &[]).exit(0);
    // A budget on the command line makes the file unnecessary.
    let given = ci(&inner, &["-m", "demo", "--budget", "1", "../a"]).exit(1);
    assert_eq!(given.stdout, "       7 total of 2 files  over 1 by 6\n");
}

#[test]
fn a_model_directory_is_relative_to_the_configuration_file() {
    let folder = repository_of_prompts();
    let model = crate::support::folder_without_checkpoint();
    fs::rename(model.path(), folder.path().join("model")).unwrap();
    configure(
        folder.path(),
        "model = \"model\"\n[count]\npaths = [\"a\", \"b/four.md\"]\nbudget = 13\n",
    );
    for place in ["", "a"] {
        let place = folder.path().join(place);
        let shown = ci(&place, &[]).exit(0).stdout;
        assert_eq!(shown, "      13 total of 3 files  within 13\n");
    }
}

#[test]
fn an_invalid_configuration_file_is_reported_with_its_line() {
    let folder = repository_of_prompts();
    for (text, error) in [
        (
            &b"[count]\nbudgte = 7\n"[..],
            "error: line 2 of tokscope.toml: `budgte` is not a key of [count]\n\nhint: did you mean `budget`?\n",
        ),
        (
            b"[count]\nbudget = \"lots\"\n",
            "error: line 2 of tokscope.toml: `budget` is `lots`: expected a number of tokens such as 8000, 8k or 1.5m\n",
        ),
        (
            b"[count\n",
            "error: line 1 of tokscope.toml: unclosed table, expected `]`\n",
        ),
        (
            b"model = \"demo\"\n# \xff\n",
            "error: line 2 of tokscope.toml: it is not UTF-8\n",
        ),
        (
            b"[count]\nglob = \"[\"\n",
            "error: line 2 of tokscope.toml: `[` is not a glob: unclosed character class; missing ']'\n",
        ),
        (
            b"[count]\ntype = \"rsut\"\n",
            "error: line 2 of tokscope.toml: `rsut` is not a file type\n\nhint: did you mean `rust`?\n",
        ),
    ] {
        fs::write(folder.path().join("tokscope.toml"), text).unwrap();
        let answer = ci(folder.path(), &[]).exit(2);
        assert_eq!(
            (answer.stdout.as_str(), answer.stderr.as_str()),
            ("", error)
        );
    }
    let answer = ci(folder.path(), &["--config", "nowhere.toml"]).exit(2);
    assert_eq!(
        answer.stderr,
        "error: cannot read nowhere.toml: no such file or directory\n"
    );
    let answer = ci(folder.path(), &["--config", "a"]).exit(2);
    assert_eq!(answer.stderr, "error: cannot read a: is a directory\n");
}

#[test]
fn annotations_are_written_where_github_reads_them() {
    let folder = repository_of_prompts();
    fs::write(folder.path().join("a/x,y%:\n.md"), "banco ".repeat(9)).unwrap();
    fs::write(folder.path().join("b/bad.md"), b"\xff").unwrap();
    let args = [
        "x",
        "../b",
        "../b/bad.md",
        "--budget-per-file",
        "4",
        "--budget",
        "1",
    ];
    fs::create_dir(folder.path().join("a/x")).unwrap();
    let run = |args: &[&str]| count(&folder.path().join("a"), args);
    let annotations = "::error file=b/bad.md,title=Not counted::../b/bad.md is not UTF-8: the byte at offset 0 is invalid\n\
                       ::error title=Token budget::11 tokens in 2 files: over the budget of 1 token by 10\n\
                       ::error file=b/four.md,title=Token budget::6 tokens, 2 over the budget of 4\n\
                       ::error file=b/three.md,title=Token budget::5 tokens, 1 over the budget of 4\n";
    // On stdout in human format, on stderr otherwise: GitHub reads both, programs read stdout.
    let human = run(&[&args[..], &["--annotate", "github"]].concat()).exit(2);
    assert!(
        human
            .stdout
            .ends_with(&format!("over 1 by 10\n{annotations}")),
        "{}",
        human.stdout
    );
    let json = run(&[&args[..], &["--annotate", "github", "--json", "-q"]].concat()).exit(2);
    assert_eq!(json.stderr, annotations);
    assert_eq!(records(&json.stdout).len(), 4);
    let csv = run(&[
        &args[..],
        &["--annotate", "github", "--format", "csv", "-q"],
    ]
    .concat())
    .exit(2);
    assert!(csv.stderr.ends_with(annotations), "{}", csv.stderr);

    // With --ci they are the default in GitHub Actions.
    let shown = |call: Call| call.run().stdout.contains("::error ");
    let ci = [&args[..], &["--ci"]].concat();
    assert!(!shown(run(&ci)));
    assert!(shown(run(&ci).env("GITHUB_ACTIONS", "true")));
    assert!(!shown(run(&args).env("GITHUB_ACTIONS", "true")));
    let off = [&ci[..], &["--annotate", "none"]].concat();
    assert!(!shown(run(&off).env("GITHUB_ACTIONS", "true")));

    // Names are escaped; paths are relative to the workspace if GitHub names it.
    let odd = run(&[
        "x,y%:\n.md",
        "--budget-per-file",
        "4",
        "--annotate",
        "github",
    ]);
    let odd = odd
        .env("GITHUB_WORKSPACE", folder.path().join("a"))
        .exit(1)
        .stdout;
    assert!(
        odd.ends_with("\n::error file=x%2Cy%25%3A%0A.md,title=Token budget::11 tokens, 7 over the budget of 4\n"),
        "{odd}"
    );
    // The annotation of a line has its number.
    fs::write(
        folder.path().join("a/data.jsonl"),
        "\"banco\"\n7\n\"banco banco banco\"\n",
    )
    .unwrap();
    let lines = run(&[
        "data.jsonl",
        "--jsonl",
        "--budget-per-file",
        "4",
        "--annotate",
        "github",
        "--json",
    ])
    .exit(2);
    assert_eq!(
        lines.stderr,
        "::error file=a/data.jsonl,line=2,title=Not counted::line 2 of data.jsonl: a number, neither an object nor a string\n\
         ::error file=a/data.jsonl,line=3,title=Token budget::5 tokens, 1 over the budget of 4\n"
    );
}

#[test]
fn nothing_to_count_is_not_within_a_budget() {
    let empty = "found no text to count, so no budget was checked";
    let folder = repository_of_prompts();
    fs::write(folder.path().join("empty.md"), "").unwrap();
    // Special tokens are counted; the note is all that changes.
    for args in [
        &["--budget", "5"][..],
        &["--budget-per-file", "5"],
        &["--budget", "5", "--text", ""],
        &["--budget", "5", "empty.md"],
        &["--budget", "5", "--total", "empty.md"],
        &["--budget", "5", "--lines"],
        &["--budget", "5", "--json"],
    ] {
        let answer = count(folder.path(), args).exit(0);
        assert_eq!(answer.stderr, format!("note: {empty}\n"), "{args:?}");
        let stderr = count(folder.path(), &[args, &["--ci"]].concat())
            .exit(2)
            .stderr;
        assert!(
            stderr.contains(&format!("error: {empty}\n")),
            "{args:?}: {stderr}"
        );
    }
    assert_eq!(count(folder.path(), &["--budget", "5"]).run().stdout, "2\n");
    // A budget that was not checked has no verdict, whatever it is.
    for (args, human) in [
        (&["--budget", "0"][..], "2\n"),
        (&["--budget", "9"], "2\n"),
        (&["--budget-per-file", "0"], "2\n"),
        (&["--budget-per-file", "9"], "2\n"),
        (
            &["--budget", "0", "--budget-per-file", "0", "--total"],
            "2\n",
        ),
        (
            &["--budget", "0", "--budget-per-file", "0", "empty.md"],
            "       2 empty.md\n       2 total\n",
        ),
    ] {
        let answer = count(folder.path(), args).exit(0);
        let note = format!("note: {empty}\n");
        assert_eq!((answer.stdout.as_str(), answer.stderr), (human, note));
        for format in [&["--json"][..], &["--json", "--ci"]] {
            let answer = count(folder.path(), &[args, format].concat());
            let ci = format.contains(&"--ci");
            let answer = answer.exit(if ci { 2 } else { 0 }).stdout;
            assert!(answer.contains("\"tokens\":2"), "{args:?}: {answer}");
            assert!(!answer.contains("budget"), "{args:?}: {answer}");
        }
        let annotated = count(
            folder.path(),
            &[args, &["--ci", "--annotate", "github"]].concat(),
        );
        let annotated = annotated.exit(2).stdout;
        assert!(!annotated.contains("Token budget"), "{annotated}");
    }
    assert_eq!(count(folder.path(), &[]).ok(), "2\n");
    let blank = count(folder.path(), &["--budget", "5", "--ci", "--text", " "]);
    blank.exit(0);
}

#[test]
fn a_glob_of_a_budget_that_matches_nothing_is_reported() {
    let folder = repository_of_prompts();
    let unmatched = "no counted file matches `a/sytem.md`, so its budget was not checked";
    configure(
        folder.path(),
        "model = \"demo\"\n[[count.budgets]]\nglob = \"a/*.md\"\nbudget = \"1k\"\n[[count.budgets]]\nglob = \"a/sytem.md\"\nbudget-per-file = 9\n",
    );
    for args in [&[][..], &["."], &["--json"], &["--total"]] {
        let stderr = ci(folder.path(), args).exit(2).stderr;
        assert!(
            stderr.contains(&format!("error: {unmatched}\n")),
            "{args:?}: {stderr}"
        );
        let args = [&["--config", "tokscope.toml"], args].concat();
        let stderr = count(folder.path(), &args).exit(0).stderr;
        assert_eq!(stderr, format!("note: {unmatched}\n"), "{args:?}");
    }
    // The row of such a glob has no verdict.
    configure(
        folder.path(),
        "model = \"demo\"\n[[count.budgets]]\nglob = \"a/*.md\"\nbudget = \"1k\"\n[[count.budgets]]\nglob = \"a/sytem.md\"\nbudget = 9\n",
    );
    let shown = ci(folder.path(), &[]).exit(2).stdout;
    assert!(
        shown.contains(" a/*.md in 1 file  within 1,000\n       0 a/sytem.md in 0 files\n"),
        "{shown}"
    );
    let all = records(&ci(folder.path(), &["--json"]).exit(2).stdout);
    let groups = all.iter().filter_map(|record| match record {
        Record::Group(group) => Some((group.files, group.budget, group.within_budget)),
        _ => None,
    });
    let expected = [(1, Some(1000), Some(true)), (0, None, None)];
    assert_eq!(groups.collect::<Vec<_>>(), expected);
    let annotated = ci(folder.path(), &["--annotate", "github"]).exit(2).stdout;
    assert!(
        annotated.contains("::error title=Not counted::no counted file matches"),
        "{annotated}"
    );
    // Over budget elsewhere, it is still an error.
    ci(folder.path(), &["--budget", "1"]).exit(2);
    // Other budgets of a selection of files need not match.
    for args in [&["a"][..], &["--glob", "a/*"], &["a/one.md"]] {
        let stderr = ci(folder.path(), args).exit(0).stderr;
        assert_eq!(stderr, format!("note: {unmatched}\n"), "{args:?}");
    }
}
