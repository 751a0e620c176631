//! Commands on the built-in model: the output and exit code of each form of a command.

use crate::records::{Record, one, records};
use crate::support::{Call, demo, tokscope};

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
    let names = |call: Call| -> Vec<String> {
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
