//! The configuration file of `count`, `tokscope.toml`: how it is found, what it sets, and its errors.

use std::fs;

use crate::files::prompts::{ci, configure, count, repository_of_prompts};
use crate::records::{Record, records};
use crate::support::{folder_without_checkpoint, tokscope};

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
    let model = folder_without_checkpoint();
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
