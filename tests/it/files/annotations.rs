//! The annotations of `count` in the log of a CI system.

use std::fs;

use crate::files::prompts::{count, repository_of_prompts};
use crate::records::records;
use crate::support::Call;

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
