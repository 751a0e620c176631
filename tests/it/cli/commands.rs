//! The command line on the built-in model: the output, streams, and exit code of each form of a command.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use tokscope::cli::command;

use crate::records::{Record, one, records};
use crate::support::{demo, on, tiny_model, tokscope};

#[test]
fn tokenize_omits_special_tokens_on_request() {
    let pieces = |args: &[&str]| demo([&["tokenize", "--pieces"], args].concat()).ok();
    assert_eq!(pieces(&["banco"]), "[CLS] ▁banco [SEP]\n");
    assert_eq!(pieces(&["banco", "--no-special-tokens"]), "▁banco\n");
    assert_eq!(
        pieces(&["banco", "--pair", "money"]),
        "[CLS] ▁banco [SEP] ▁money [SEP]\n"
    );
    assert_eq!(pieces(&["banco", "--pair", ""]), "[CLS] ▁banco [SEP]\n");
    assert_eq!(pieces(&["a [MASK]"]), "[CLS] ▁a [MASK] [SEP]\n");
    assert!(!pieces(&["a [MASK]", "--no-parse-special"]).contains("[MASK]"));
    assert_eq!(pieces(&[""]), "[CLS] [SEP]\n");
    assert_eq!(pieces(&["", "--no-special-tokens"]), "\n");
    demo(["tokenize", "a", "--ids", "--pieces"]).exit(2);
    demo(["tokenize", "a", "--ids", "--json"]).exit(2);
}

#[test]
fn a_long_text_is_cut_into_windows() {
    let args = ["tokenize", "uno dos tres", "--max-length", "4"];
    assert_eq!(
        demo([&args[..], &["--pieces"]].concat()).ok(),
        "[CLS] ▁un o [SEP]\n"
    );
    let args = [&args[..], &["--stride", "1"]].concat();
    assert_eq!(
        demo([&args[..], &["--pieces"]].concat()).ok(),
        "[CLS] ▁un o [SEP]\n[CLS] o ▁dos [SEP]\n[CLS] ▁dos ▁tres [SEP]\n"
    );
    let out = demo(&args).ok();
    assert!(
        out.contains("window 1\n")
            && out.contains("window 2\n")
            && out.contains(", 2 tokens cut off\n")
    );
    demo(["tokenize", "a", "--stride", "1"]).exit(2);
}

#[test]
fn offsets_count_bytes_characters_or_utf16_units() {
    let text = "💰 año";
    for (unit, end) in [("byte", 9), ("char", 5), ("utf16", 6)] {
        let out = demo(["tokenize", text, "--offset-unit", unit, "--json"]).ok();
        let record = one(&out).tokenize();
        assert_eq!(record.offset_unit, unit);
        let ends = record.offsets.iter().map(|offset| offset.1);
        assert_eq!(ends.max(), Some(end));
    }
    demo(["tokenize", text, "--offset-unit", "word"]).exit(2);
}

#[test]
fn ids_are_read_in_every_notation() {
    let text = "[CLS] dinero[SEP]\n";
    for args in [
        &["1", "588", "2"][..],
        &["1,588,2"],
        &["1,", "588", ",2"],
        &["[1, 588, 2]"],
    ] {
        assert_eq!(demo([&["decode"], args].concat()).ok(), text, "{args:?}");
    }
    for input in ["1 588 2", "1,588,2\n", "[1, 588, 2]\n", "1\n588\n2\n"] {
        assert_eq!(demo(["decode"]).stdin(input).ok(), text, "{input:?}");
    }
    let lines = demo(["decode", "--lines"]).stdin("[1,588]\n607 2\n").ok();
    assert_eq!(lines, "[CLS] dinero\nmoney[SEP]\n");
    assert_eq!(
        demo(["decode", "1", "588", "--skip-special-tokens"]).ok(),
        "dinero\n"
    );
    assert_eq!(
        demo(["decode", "588", "2", "--each"]).ok(),
        "     id  piece             text\n    588  ▁dinero           dinero\n      2  [SEP]             [SEP]\n"
    );
    let ids = demo(["tokenize", "banco money", "--ids"]).ok();
    assert_eq!(
        demo(["decode", "--skip-special-tokens"]).stdin(ids).ok(),
        "banco money\n"
    );
}

#[test]
fn a_bad_line_of_ids_does_not_stop_the_rest() {
    let answer = demo(["decode", "--lines", "--json"])
        .stdin("588\nx\n2001\n607\n")
        .exit(2);
    let codes: Vec<_> = records(&answer.stdout)
        .into_iter()
        .map(|record| match record {
            Record::Error(error) => error.code,
            other => other.decode().text,
        })
        .collect();
    assert_eq!(codes, ["dinero", "not-an-id", "unknown-id", "money"]);
}

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

#[test]
fn info_get_prints_one_bare_value() {
    for (field, value) in [
        ("vocabulary_size", "2001"),
        ("rows", "2064"),
        ("columns", "64"),
        ("context_window", "512"),
        ("model", "demo"),
        ("config.vocab_size", "2064"),
        ("embedding.dtype", "F16"),
        ("embedding.rows_without_token", "[[2001,2063]]"),
        ("embedding.rows_without_token.0.1", "2063"),
        ("tokenizer.special_tokens.cls_token.id", "1"),
    ] {
        assert_eq!(
            demo(["info", "--get", field]).ok(),
            format!("{value}\n"),
            "{field}"
        );
    }
    let answer = demo(["info", "--get", "commit"]).exit(2);
    assert!(
        answer
            .stderr
            .starts_with("error: the info of demo has no field `commit`\n")
    );
    assert_eq!(
        demo(["info"]).ok(),
        demo(["info", "--strict"]).exit(1).stdout
    );
}

#[test]
fn vocab_lists_named_and_matching_pieces() {
    let ids = |args: &[&str]| -> Vec<u32> {
        let out = demo([&["vocab", "--json"], args].concat()).ok();
        records(&out)
            .into_iter()
            .map(|record| record.piece().id)
            .collect()
    };
    assert_eq!(ids(&[]), (0..=2000).collect::<Vec<u32>>());
    assert_eq!(
        ids(&["--id", "7", "--id", "3", "--piece", "▁dinero"]),
        [7, 3, 588]
    );
    assert_eq!(ids(&["--grep", "^▁money$"]), [607]);
    let none = demo(["vocab", "--grep", "no such piece"]).exit(1);
    assert_eq!((none.stdout, none.stderr), (String::new(), String::new()));
    demo(["vocab", "--grep", "no such piece", "--id", "7"]).exit(0);
    demo(["vocab", "--grep", "("]).exit(2);
}

#[test]
fn vocab_is_sorted_and_limited_on_request() {
    let pieces = |args: &[&str]| -> Vec<String> {
        let out = demo([&["vocab", "--json"], args].concat()).ok();
        let pieces = records(&out).into_iter().map(Record::piece);
        pieces.map(|piece| piece.piece).collect()
    };
    let all = pieces(&[]);
    assert_eq!(pieces(&["-k", "3"]), all[..3]);
    assert_eq!(pieces(&["--sort", "id"]), all);
    assert_eq!(pieces(&["--limit", "5000"]), all);
    let by_length = pieces(&["--sort", "length"]);
    assert_eq!(by_length.len(), all.len());
    let lengths: Vec<usize> = by_length
        .iter()
        .map(|piece| piece.chars().count())
        .collect();
    assert!(lengths.is_sorted_by(|a, b| a >= b) && lengths[0] > lengths[100]);
    assert!(pieces(&["--sort", "piece"]).is_sorted());
    let scores = demo(["vocab", "--sort", "score", "--json"]).ok();
    let scores = records(&scores)
        .into_iter()
        .map(|record| record.piece().score);
    let scores: Vec<f64> = scores.map(Option::unwrap_or_default).collect();
    let normal = scores.iter().filter(|score| **score < 0.0);
    assert!(normal.clone().count() > 1000 && normal.is_sorted_by(|a, b| a >= b));
    // Without a limit of 0 there is something to show, so the answer is not negative.
    assert_eq!(demo(["vocab", "--grep", "banco", "-k", "0"]).ok(), "");
    assert_eq!(
        pieces(&["--id", "7", "--id", "3", "--sort", "id", "-k", "1"]),
        all[3..4]
    );
}

#[test]
fn pull_takes_the_model_as_hf_download_does() {
    let names = |call: crate::support::Call| -> Vec<String> {
        let out = call.ok();
        records(&out)
            .into_iter()
            .map(|record| record.file().model)
            .collect()
    };
    let by_argument = names(tokscope(["pull", "demo", "--json"]));
    assert!(!by_argument.is_empty() && by_argument.iter().all(|name| name == "demo"));
    assert_eq!(by_argument, names(demo(["pull", "--json"])));
    // The argument takes precedence over the environment, but must not contradict the flag.
    let variable = tokscope(["pull", "demo", "--json"]).env("TOKSCOPE_MODEL", "other/model");
    assert_eq!(names(variable), by_argument);
    assert_eq!(
        names(tokscope(["pull", "demo", "-m", "demo", "--json"])),
        by_argument
    );
    let two = tokscope(["pull", "demo", "-m", "other/model"]).exit(2);
    assert_eq!(
        two.stderr,
        "error: two models are named: `demo`, and `other/model` with `--model`\n"
    );
}

#[test]
fn completions_and_the_manual_are_generated() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = tokscope(["completions", shell]).ok();
        let (asks, lists) = (
            script.contains(" __complete "),
            script.contains("neighbors"),
        );
        assert!(script.contains("tokscope") && asks != lists, "{shell}");
        assert_eq!(asks, ["bash", "zsh", "fish"].contains(&shell), "{shell}");
    }
    assert!(tokscope(["man"]).ok().contains(".TH"));
    assert!(tokscope(["man", "tokenize"]).ok().contains("offset\\-unit"));
    tokscope(["man", "nothing"]).exit(2);
    tokscope(["completions", "dash"]).exit(2);
    // Neither reads a model, so an invalid one is ignored.
    let out = tokscope(["--model", "", "completions", "bash"]);
    assert!(out.env("HF_ENDPOINT", "nowhere").ok().contains("tokscope"));
}

#[test]
fn help_and_version_succeed_and_no_command_fails() {
    assert_eq!(
        tokscope(["--version"]).ok(),
        format!("tokscope {}\n", env!("CARGO_PKG_VERSION"))
    );
    for command in [
        "tokenize",
        "decode",
        "count",
        "info",
        "vocab",
        "embed",
        "diff",
        "neighbors",
        "pull",
    ] {
        assert!(
            tokscope([command, "--help"])
                .ok()
                .contains("Global options"),
            "{command}"
        );
    }
    assert_eq!(tokscope([] as [&str; 0]).exit(2).stdout, "");
    tokscope(["nothing"]).exit(2);
    tokscope(["--format", "yaml", "info"]).exit(2);
    tokscope(["--json", "--format", "csv", "info"]).exit(2);
}

#[test]
fn the_model_comes_from_the_option_or_the_environment() {
    let folder = tiny_model("f16.safetensors");
    let rows = ["info", "--get", "rows"];
    assert_eq!(on(folder.path(), rows).ok(), "300\n");
    assert_eq!(
        tokscope(["-m", "demo", "info", "--get", "rows"])
            .env("TOKSCOPE_MODEL", folder.path())
            .ok(),
        "2064\n"
    );
    let answer = tokscope(["info"]).exit(3);
    assert!(
        answer.stderr.contains("`microsoft/deberta-v3-xsmall`"),
        "{}",
        answer.stderr
    );
}

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
    let is_colored = |call: crate::support::Call| call.run().stdout.contains('\x1b');
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

#[test]
fn a_flag_of_one_name_means_the_same_in_every_command() {
    let mut command = command();
    command.build();
    let mut flags: BTreeMap<String, (String, String)> = BTreeMap::new();
    let mut checked = 0;
    for command in command.get_subcommands() {
        let name = command.get_name();
        // clap adds `help`, whose arguments are names of commands.
        for flag in command.get_arguments().filter(|flag| !flag.is_positional()) {
            let long = flag.get_long();
            let long = long.unwrap_or_else(|| panic!("`{name}` has a flag without a long form"));
            let meaning = format!(
                "-{:?} {:?} {:?} {}",
                flag.get_short(),
                flag.get_value_names(),
                flag.get_action(),
                flag.get_help().map(ToString::to_string).unwrap_or_default()
            );
            let (first, expected) = flags
                .entry(long.to_owned())
                .or_insert_with(|| (name.to_owned(), meaning.clone()));
            assert_eq!(
                meaning, *expected,
                "--{long} differs between `{first}` and `{name}`"
            );
            checked += 1;
        }
    }
    assert!(checked > 100, "only {checked} flags were checked");
}

#[test]
fn help_texts_have_no_final_period() {
    let mut command = command();
    command.build();
    for command in command.get_subcommands() {
        let name = command.get_name();
        let about = command.get_about().map(ToString::to_string);
        let helps = command
            .get_arguments()
            .filter_map(|argument| argument.get_help());
        for help in helps.map(ToString::to_string).chain(about) {
            assert!(!help.ends_with('.'), "`{name}`: {help}");
        }
    }
}

#[test]
fn a_negative_id_is_refused_alike_by_every_command() {
    let commands: [&[&str]; 6] = [
        &["embed"],
        &["diff", "a"],
        &["neighbors"],
        &["similarity"],
        &["vocab"],
        &["grep", "."],
    ];
    for args in commands {
        let answer = demo([args, &["--id", "-1"]].concat()).run();
        let stderr = answer.stderr;
        assert_eq!(answer.code, 2, "{args:?}");
        assert!(
            stderr.contains(
                "invalid value '-1' for '--id <N>': expected a whole number, 0 or greater"
            ),
            "{args:?}: {stderr}"
        );
    }
}
