//! Every family of tokenizers on white space that it joins, and on characters that offsets divide.

use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use tokscope::tokenizer::EncodeOptions;

use super::chunk::{Engines, PREFERENCES};
use crate::records::{Record, records};
use crate::support::families::{real_families, small_families};
use crate::support::{on, repository, shared, tokenizer};

/// A text is cut in much less time.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// Returns generated texts of spaces, line ends, marks, and few letters. They are the same in every run.
fn texts(number: usize, line_end: &'static str) -> Vec<String> {
    let part = prop::sample::select(vec![
        " ", "  ", line_end, line_end, "\t", "\u{a0}", "\u{3000}", "\u{2028}", "a", "b", ".", "!",
        "。", "é", "e\u{301}", "\u{300}", "🙂", "\u{200d}", "<mask>", "\0",
    ]);
    let run = (part, prop_oneof![4 => 1_usize..3, 1 => 3_usize..40]);
    let run = run.prop_map(|(part, times)| {
        let is_space = part.trim().is_empty();
        part.repeat(if is_space { times } else { 1 })
    });
    let text = vec(run, 0..16).prop_map(|parts| parts.concat());
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let texts = (0..number).map(|_| text.new_tree(&mut runner).unwrap().current());
    texts.collect()
}

/// Asserts that the texts are cut without loss and in time.
fn assert_cuts(folder: &Path, texts: Vec<String>) {
    let (sender, ended) = mpsc::channel();
    let texts_of_worker = texts.clone();
    let name = folder.display().to_string();
    let folder = folder.to_owned();
    let worker = thread::spawn(move || {
        let engines = Engines::in_folder(&folder);
        let options = EncodeOptions::default();
        let special = engines.used.count("", &options).unwrap();
        sender.send(()).unwrap();
        for text in texts_of_worker {
            for room in [1, 2, 4, 9] {
                for prefer in PREFERENCES {
                    engines.assert_chunks(&text, special + room, 0, prefer);
                    engines.assert_chunks(&text, special + room, room / 2, prefer);
                }
                engines.assert_ends(&text, special + room);
            }
            sender.send(()).unwrap();
        }
    });
    let started = ["the start of the tokenizer".to_owned()];
    for text in started.iter().chain(&texts) {
        match ended.recv_timeout(TIME_LIMIT) {
            Ok(()) => {}
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("{name} does not end: {text:?}"),
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
        }
    }
    if let Err(panic) = worker.join() {
        eprintln!("the tokenizer is {name}");
        std::panic::resume_unwind(panic);
    }
}

/// Texts on which `chunk --prefer line` or `sentence` did not end.
fn joined_white_space() -> Vec<String> {
    vec![
        format!("a{}b", "\n".repeat(300)),
        format!("{}\n", " ".repeat(100)),
        "\n\n a\n \n  b\n\n".to_owned(),
    ]
}

/// Calls `check` with the demo model and with a small model of every family.
fn for_each_small_model(check: impl Fn(&Path)) {
    for (_, folder) in small_families() {
        check(folder.path());
    }
    check(&repository("demo/model"));
}

#[test]
fn chunks_end_at_white_space_that_a_model_joins() {
    for_each_small_model(|folder| {
        assert_cuts(folder, [joined_white_space(), texts(120, "\n")].concat());
    });
}

#[test]
fn chunks_end_at_white_space_that_a_real_model_joins() {
    let Some(shared) = shared("chunks_end_at_white_space_that_a_real_model_joins") else {
        return;
    };
    for folder in real_families(&shared) {
        assert_cuts(&folder, [joined_white_space(), texts(5, "\n")].concat());
    }
}

/// Asserts that the commands that show parts of a text by offsets show whole characters.
fn assert_shown(folder: &Path, texts: &[String], units: &[&str]) {
    let input = texts.join("\n");
    let call = |args: &[&str]| on(folder, args).stdin(&*input).ok();
    for unit in units {
        let shown = call(&["tokenize", "--lines", "--offset-unit", unit]);
        assert!(!shown.contains('\u{fffd}'), "{}", folder.display());
    }
    // This tool replaces incomplete characters.
    let lines = call(&["tokenize", "--lines", "--as", "tei"]);
    assert_eq!(lines.lines().count(), texts.len());

    let options = EncodeOptions::default().special_tokens(false);
    let mut ids = tokenizer(folder).ids(&input, &options).unwrap();
    ids.sort_unstable();
    ids.dedup();
    let mut args = vec!["grep".to_owned(), "--json".to_owned()];
    args.extend(
        ids.iter()
            .flat_map(|id| ["--id".to_owned(), id.to_string()]),
    );
    let found = records(&on(folder, &args).stdin(&*input).ok());
    assert!(found.len() >= texts.len());
    for found in found.into_iter().map(Record::found) {
        if found.text.contains('\n') {
            continue;
        }
        let line = &texts[found.line - 1];
        assert!(
            line[found.column - 1..].starts_with(&found.text),
            "{found:?} of {line:?}"
        );
        // The line is cut after 60 characters on either side.
        let shown = [found.before.as_str(), &found.text, &found.after].concat();
        assert!(line.contains(&shown), "{found:?} of {line:?}");
        let is_cut = shown.chars().count() >= 60;
        assert!(is_cut || shown == *line, "{found:?} of {line:?}");
    }
}

#[test]
fn text_is_shown_in_whole_characters() {
    for_each_small_model(|folder| {
        assert_shown(folder, &texts(100, " "), &["byte", "char", "utf16"]);
    });
}

#[test]
fn text_is_shown_in_whole_characters_by_real_models() {
    let Some(shared) = shared("text_is_shown_in_whole_characters_by_real_models") else {
        return;
    };
    // The program reads a tokenizer several times, and the largest are of the same families as others.
    let is_large = |folder: &Path| {
        let json = folder.join("tokenizer.json").metadata();
        json.is_ok_and(|json| json.len() > 5_000_000)
    };
    for folder in real_families(&shared) {
        if is_large(&folder) {
            continue;
        }
        assert_shown(&folder, &texts(40, " "), &["byte"]);
    }
}

#[test]
fn grep_shows_a_token_without_the_wide_space_before_it() {
    let text = "x\u{a0}<mask> y";
    let (_, folder) = &small_families()[0];
    let call = |args: &[&str]| on(folder.path(), args).stdin(text).ok();
    assert_eq!(
        call(&["grep", "--piece", "<mask>"]),
        "1:4:x\u{a0}<mask> y\n"
    );
    let found = records(&call(&["grep", "--piece", "<mask>", "--json"]));
    let found = found.into_iter().next().unwrap().found();
    assert_eq!((found.start, found.end), (3, 9));
    assert_eq!((found.column, found.text.as_str()), (4, "<mask>"));
    assert_eq!(
        (found.before.as_str(), found.after.as_str()),
        ("x\u{a0}", " y")
    );
    let table = call(&["tokenize"]);
    assert!(table.contains("<mask>  3..9"), "{table}");
}
