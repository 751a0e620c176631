//! Invalid input: the error message, the hint if there is one, the exit code, and nothing on stdout.

use std::fs;

use crate::support::{Answer, Call, demo, folder_without_checkpoint, on, tiny_model, tokscope};

const NAME_ONE: &str =
    "use `--mean` for the mean of their rows, or name one of them with `--piece PIECE` or `--id N`";
const TWO_ROWS: &str = "use `tokscope diff TOKEN TOKEN`, `--id N,M`, `--piece P --piece Q` or \
                        `--text TEXT --at I,J`";
const GREP: &str = "search the vocabulary with `tokscope vocab --grep REGEX`";

/// Returns the expected content of stderr for an error: the sentence and, after a blank line, the hint.
pub fn failure(sentence: &str, hint: &str) -> String {
    match hint {
        "" => format!("error: {sentence}\n"),
        hint => format!("error: {sentence}\n\nhint: {hint}\n"),
    }
}

/// Runs a call that must fail with exactly this error.
#[track_caller]
pub fn fails(call: Call, code: i32, sentence: &str, hint: &str) {
    let Answer { stdout, stderr, .. } = call.exit(code);
    assert_eq!(stderr, failure(sentence, hint));
    assert_eq!(stdout, "");
}

#[test]
fn unknown_ids_pieces_and_texts_are_refused() {
    let no_piece = |piece: &str| format!("`{piece}` is not a piece of the vocabulary");
    let no_id = |id: &str| format!("id {id} is not in the vocabulary, whose ids are 0 to 2000");
    let no_row = |id: &str| format!("id {id} has no row: the embedding matrix has rows 0 to 2063");
    let two = "expected one token, but `a b` is 2: ▁a ▁b";
    let cases: &[(&[&str], String, &str)] = &[
        (&["decode", "2001"], no_id("2001"), ""),
        (&["decode", "1", "4294967296"], no_id("4294967296"), ""),
        (&["decode", "--", "-1"], "`-1` is not a token id".into(), ""),
        (&["decode", "1.5"], "`1.5` is not a token id".into(), ""),
        (&["decode", "banco"], "`banco` is not a token id".into(), ""),
        (&["vocab", "--id", "2001"], no_id("2001"), ""),
        (
            &["vocab", "--piece", "dinero"],
            no_piece("dinero"),
            "did you mean `▁dinero`?",
        ),
        (&["vocab", "--piece", "zzzz"], no_piece("zzzz"), GREP),
        (&["embed", "--id", "2064"], no_row("2064"), ""),
        (
            &["embed", "--id", "1", "--id", "99999999999"],
            no_row("99999999999"),
            "",
        ),
        (
            &["embed", "--piece", "dinero"],
            no_piece("dinero"),
            "did you mean `▁dinero`?",
        ),
        (
            &["embed", "a", "--at", "3"],
            "position 3 is outside the text, which has tokens 0 to 2".into(),
            "",
        ),
        (&["diff", "--id", "0", "--id", "2064"], no_row("2064"), ""),
        (&["diff", "a b", "a"], two.into(), NAME_ONE),
        (&["diff", "", "a"], "the text `` has no tokens".into(), ""),
        (
            &["diff", "--piece", "zzzz", "--piece", "a"],
            no_piece("zzzz"),
            GREP,
        ),
        (&["neighbors", "a b"], two.into(), NAME_ONE),
        (
            &["neighbors", "--plus", "a", "--minus", "a b"],
            two.into(),
            NAME_ONE,
        ),
        (&["neighbors", ""], "the text `` has no tokens".into(), ""),
        (
            &["neighbors", "--id", "0"],
            "the row of id 0 is zero, so its cosine is undefined".into(),
            "use `--metric l2` to find the rows near it",
        ),
        (
            &["diff", "a"],
            "expected two rows, found 1".into(),
            TWO_ROWS,
        ),
        (
            &["diff", "a\nb", "a"],
            two.replace("`a b`", "`a↵b`"),
            NAME_ONE,
        ),
        (&["neighbors", "--id", "2064"], no_row("2064"), ""),
        (
            &["neighbors", "--piece", "money"],
            no_piece("money"),
            "did you mean `▁money`?",
        ),
        (
            &["tokenize", "a", "--max-length", "1"],
            "a length of 1 leaves no room for the 2 special tokens that the model adds".into(),
            "",
        ),
        (
            &["tokenize", "a b c", "--max-length", "4", "--stride", "2"],
            "a stride of 2 tokens must be less than the 2 tokens of text in a window".into(),
            "",
        ),
        (
            &["embed", "", "--no-special-tokens", "-o", "x.npy"],
            "the text has no tokens, so there are no rows to write".into(),
            "",
        ),
    ];
    for (args, sentence, hint) in cases {
        fails(demo(*args), 2, sentence, hint);
    }
}

#[test]
fn bytes_that_are_not_utf8_are_refused() {
    let lossy = "use `--lossy` to replace invalid bytes with U+FFFD";
    let stdin = |offset: u32| {
        format!("standard input is not UTF-8: the byte at offset {offset} is invalid")
    };
    for (bytes, offset) in [
        (&b"\xff"[..], 0),
        (b"a\xc3(", 1),
        (b"ab\xed\xa0\x80", 2),
        (b"abc\xf0\x9f", 3),
    ] {
        fails(demo(["tokenize"]).stdin(bytes), 2, &stdin(offset), lossy);
        fails(demo(["count"]).stdin(bytes), 2, &stdin(offset), lossy);
        fails(demo(["embed"]).stdin(bytes), 2, &stdin(offset), lossy);
        demo(["tokenize", "--lossy"]).stdin(bytes).exit(0);
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.txt"), b"a\xff").unwrap();
    let sentence = "a.txt is not UTF-8: the byte at offset 1 is invalid";
    fails(
        demo(["tokenize", "-f", "a.txt"]).current_dir(folder.path()),
        2,
        sentence,
        lossy,
    );
    let answer = demo(["decode"]).stdin(&b"1 \xff"[..]).exit(2);
    assert!(answer.stderr.starts_with("error: "), "{}", answer.stderr);
}

#[test]
fn an_empty_text_is_a_text() {
    assert_eq!(demo(["tokenize", "", "--ids"]).ok(), "1 2\n");
    assert_eq!(demo(["tokenize", "--ids"]).ok(), "1 2\n");
    assert_eq!(demo(["tokenize", "\n", "--ids"]).ok(), "1 2\n");
    assert_eq!(demo(["count"]).ok(), "2\n");
    assert_eq!(demo(["count", "--no-special-tokens"]).ok(), "0\n");
    assert_eq!(
        demo(["embed", "", "--no-special-tokens", "--json"]).ok(),
        ""
    );
}

#[test]
fn files_that_cannot_be_read_or_written_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let here = |args: &[&str]| demo(args).current_dir(folder.path());
    let missing = "cannot read nowhere.txt: no such file or directory";
    fails(here(&["tokenize", "-f", "nowhere.txt"]), 2, missing, "");
    fails(
        here(&["tokenize", "--lines", "-f", "nowhere.txt"]),
        2,
        missing,
        "",
    );
    fails(
        here(&["tokenize", "-f", "."]),
        2,
        "cannot read .: is a directory",
        "",
    );
    for name in [
        "nowhere/x.npy",
        "nowhere/x.safetensors",
        "nowhere/x.csv",
        "nowhere/x.jsonl",
    ] {
        let sentence = format!("cannot write {name}: no such file or directory");
        fails(here(&["embed", "a", "-o", name]), 2, &sentence, "");
    }
    let unknown = "use a name that ends in .npy, .safetensors, .csv, .tsv or .jsonl";
    let stdout = "for standard output, use `--format csv`, `tsv` or `jsonl` instead of `--output`";
    for (name, hint) in [
        ("rows", unknown),
        ("rows.txt", unknown),
        ("-", stdout),
        ("/dev/stdout", stdout),
    ] {
        let sentence = format!("cannot tell the output format from the name of {name}");
        for command in ["embed", "similarity"] {
            fails(here(&[command, "a", "-o", name]), 2, &sentence, hint);
        }
    }
    fs::create_dir(folder.path().join("x.npy")).unwrap();
    let answer = here(&["embed", "a", "-o", "x.npy"]).exit(2);
    assert!(
        answer.stderr.starts_with("error: cannot write x.npy: "),
        "{}",
        answer.stderr
    );
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "nothing is left behind"
    );
}

#[test]
fn names_that_are_not_models_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let model = |name: &str| tokscope(["-m", name, "tokenize", "a"]).current_dir(folder.path());
    for (name, problem) in [
        ("", "it is empty"),
        ("./nowhere", "there is no such directory"),
        ("a/b/c", "there is no such directory"),
        ("./nowhere.model", "there is no such file"),
    ] {
        fails(
            model(name),
            2,
            &format!("`{name}` is not a model: {problem}"),
            "",
        );
    }
    let answer = model("a b").exit(2);
    assert!(answer.stderr.starts_with("error: `a b` is not a model: "));
    let revision = demo(["info", "--revision", "v1"]);
    fails(
        revision,
        2,
        "`--revision` cannot be used with the built-in model, which has no revisions",
        "",
    );
}

#[test]
fn directories_without_a_tokenizer_or_checkpoint_are_refused() {
    let empty = tempfile::tempdir().unwrap();
    let place = format!("directory {}", empty.path().display());
    let sentence = format!("{place} has no tokenizer.json and no other vocabulary");
    let hint = "a model needs a tokenizer.json, a SentencePiece file, a vocab.txt, a vocab.json with a merges.txt, a \
                tekken.json, or a GGUF file";
    for command in ["tokenize", "count", "vocab", "embed", "neighbors"] {
        let args = if command == "count" {
            vec![command]
        } else {
            vec![command, "--id", "1"]
        };
        let args = if command == "tokenize" {
            vec![command, "a"]
        } else {
            args
        };
        fails(on(empty.path(), args), 2, &sentence, hint);
    }
    fs::write(empty.path().join("vocab.txt"), "[UNK]\n").unwrap();
    let problem = "vocab.txt is not supported: no file names the class of the tokenizer";
    let hint = r#"name it in tokenizer_config.json, as in `{"tokenizer_class": "BertTokenizer"}`"#;
    fails(on(empty.path(), ["tokenize", "a"]), 4, problem, hint);

    let folder = folder_without_checkpoint();
    let named = folder.path().join("spm.model");
    let sentence = format!(
        "{} has no embedding matrix: it is the file of a tokenizer",
        named.display()
    );
    let hint = "name the directory with the checkpoint, or the checkpoint itself";
    fails(on(&named, ["embed", "a"]), 2, &sentence, hint);
    on(folder.path(), ["tokenize", "a"]).ok();
    let place = format!("directory {}", folder.path().display());
    for args in [
        &["embed", "a"][..],
        &["diff", "a", "b"],
        &["neighbors", "a"],
    ] {
        let sentence = format!(
            "{place} has no checkpoint (model.safetensors or pytorch_model.bin, whole or in shards)"
        );
        fails(on(folder.path(), args), 2, &sentence, "");
    }
}

#[test]
fn rows_beyond_a_small_matrix_say_which_rows_exist() {
    let model = tiny_model("f16.safetensors");
    let sentence = "id 300 has no row: the embedding matrix has rows 0 to 299";
    fails(on(model.path(), ["embed", "--id", "300"]), 2, sentence, "");
    let sentence = "id 588 has no row: the embedding matrix has rows 0 to 299";
    fails(on(model.path(), ["embed", "dinero"]), 2, sentence, "");
}

#[test]
fn zero_rows_have_no_cosine() {
    let no_direction = "the row of id 0 is zero, so its cosine is undefined";
    let cancels = "the sum of the added and subtracted rows is zero, so its cosine is undefined";
    for (args, sentence) in [
        (&["neighbors", "--id", "0"][..], no_direction),
        (
            &["neighbors", "--plus", "banco", "--minus", "banco"],
            cancels,
        ),
    ] {
        let answer = demo(args).exit(2);
        assert!(answer.stderr.contains(sentence), "{}", answer.stderr);
        assert!(answer.stderr.contains("`--metric l2`"), "{}", answer.stderr);
    }
}

#[test]
fn control_characters_in_arguments_are_escaped() {
    for args in [
        &["tokenize", "--max-length", "\u{1b}[31m"][..],
        &["--format", "\u{1b}]0;x\u{7}", "info"],
    ] {
        let answer = demo(args).exit(2);
        assert!(!answer.stderr.contains('\u{1b}'), "{:?}", answer.stderr);
    }
}

#[test]
fn an_argument_too_many_gets_a_tip() {
    for (args, tip) in [
        (&["info", "gpt2"][..], "the model is named with '--model'"),
        (&["check", "gpt2"], "the model is named with '--model'"),
        (
            &["vocab", "banco"],
            "a piece is named with '--piece', an id with '--id', the model with '--model'",
        ),
        (
            &["embed", "un banco", "--id", "3", "5"],
            "several ids are separated by commas, as in '--id 1,2'",
        ),
    ] {
        let answer = demo(args).exit(2);
        let tip = format!("tip: {tip}\n");
        assert!(answer.stderr.contains(&tip), "{}", answer.stderr);
    }
    let answer = demo(["man", "count", "grep"]).exit(2);
    assert!(!answer.stderr.contains("tip:"), "{}", answer.stderr);
}

#[test]
fn tips_never_name_what_a_command_lacks() {
    let folder = tempfile::tempdir().unwrap();
    for command in [
        "count",
        "embed",
        "similarity",
        "verify",
        "grep",
        "diff",
        "neighbors",
        "info",
    ] {
        for flag in ["-f", "--file", "-f=x", "--file=x"] {
            let answer = demo([command, flag, "x"]).current_dir(folder.path());
            let stderr = answer.exit(2).stderr;
            for wrong in ["as a value", "--field", "use '--"] {
                assert!(!stderr.contains(wrong), "{command} {flag}: {stderr}");
            }
            let right = match command {
                "count" | "verify" | "grep" => "tip: files are named without a flag\n",
                "embed" | "similarity" => "tip: a file is read from standard input: '< PATH'\n",
                _ => "unexpected argument",
            };
            assert!(stderr.contains(right), "{command} {flag}: {stderr}");
        }
    }
    for (command, flag, similar) in [
        ("count", "--topp", "--top"),
        ("count", "--top-k", "--top"),
        ("count", "--quite", "--quiet"),
        ("tokenize", "--max-lenght", "--max-length"),
        ("tokenize", "--special", "--no-special-tokens"),
    ] {
        let stderr = demo([command, flag]).exit(2).stderr;
        let tip = format!("tip: a similar argument exists: '{similar}'\n");
        assert!(stderr.contains(&tip), "{stderr}");
    }
}

#[test]
fn a_flag_that_is_not_similar_is_not_suggested() {
    for command in ["count", "embed", "tokenize"] {
        let stderr = demo([command, "--token", "a"]).exit(2).stderr;
        assert_eq!(
            stderr,
            "error: unexpected argument '--token' found\n\nFor more information, try '--help'.\n"
        );
    }
    let stderr = demo(["tokenize", "-x"]).exit(2).stderr;
    assert!(!stderr.contains("tip:"), "{stderr}");
}

#[cfg(unix)]
#[test]
fn a_missing_text_is_asked_for_in_ways_that_the_command_has() {
    for (args, ways) in [
        (
            &["tokenize"][..],
            "pass text as an argument, with `--file PATH`, or through a pipe",
        ),
        (&["embed"], "pass text as an argument, or through a pipe"),
        (
            &["similarity"],
            "pass text as an argument, or through a pipe",
        ),
        (
            &["count"],
            "name files or directories, pass text with `--text TEXT`, or through a pipe",
        ),
        (&["verify"], "name a file, or pass text through a pipe"),
    ] {
        let (code, shown) = demo(args).run_at_terminal();
        assert_eq!(code, 2, "{args:?}: {shown}");
        assert!(
            shown.ends_with(&format!("hint: {ways}\n")),
            "{args:?}: {shown}"
        );
    }
}

#[test]
fn names_of_other_programs_never_lead_to_the_opposite_command() {
    for (name, other, text) in [
        ("encode", "tokenize", "banco"),
        ("detokenize", "decode", "364"),
        ("neighbours", "neighbors", "banco"),
    ] {
        assert_eq!(demo([name, text]).ok(), demo([other, text]).ok());
    }
    let stderr = demo(["compare", "a", "b"]).exit(2).stderr;
    let tip = "tip: 'diff' compares two rows, 'similarity' several, 'verify' the two engines\n";
    assert!(
        stderr.contains(tip) && !stderr.contains("completions"),
        "{stderr}"
    );
}
