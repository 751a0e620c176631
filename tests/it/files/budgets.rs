//! Budgets of `count`: verdicts, notes, and exit codes.

use std::fs;

use crate::files::prompts::{ci, configure, count, repository_of_prompts};
use crate::records::{Record, records};

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
