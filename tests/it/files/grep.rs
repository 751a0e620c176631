//! `grep`: finds every occurrence of a token and no other, with the exit codes of grep.

use std::fs;

use tokscope::model_ref::ModelRef;
use tokscope::tokenizer::{EncodeOptions, Tokenizer};

use crate::records::{Match, Record, records};
use crate::support::{demo, files, repository};

fn found(stdout: &str) -> Vec<Match> {
    records(stdout).into_iter().map(Record::found).collect()
}

#[test]
fn every_occurrence_is_found_and_no_other() {
    let path = repository("demo/corpus/money.txt");
    let text = fs::read_to_string(&path).unwrap();
    let tokenizer = Tokenizer::open(&files(&ModelRef::Demo)).unwrap();
    let banco = tokenizer.id_of("▁banco").unwrap();
    let encoded = tokenizer.encode(&text, None, &EncodeOptions::default());
    let encoding = encoded.unwrap().into_first();
    let tokens = encoding.ids.iter().zip(&encoding.offsets);
    let expected: Vec<_> = tokens.filter(|(id, _)| **id == banco).collect();
    let args = [
        "grep",
        "--piece",
        "▁banco",
        "--json",
        path.to_str().unwrap(),
    ];
    let matches = found(&demo(args).ok());
    assert!(matches.len() > 3);
    assert_eq!(matches.len(), expected.len());
    let lines: Vec<&str> = text.split('\n').collect();
    for (found, (_, &(start, end))) in matches.iter().zip(expected) {
        assert_eq!((found.id, found.piece.as_str()), (banco, "▁banco"));
        assert_eq!((found.start, found.end), (start, end));
        assert_eq!(text[start..end].trim_start(), found.text);
        let line = lines[found.line - 1];
        assert!(line[found.column - 1..].starts_with(&found.text));
        assert!(line[..found.column - 1].ends_with(&found.before));
        assert!(line[found.column - 1 + found.text.len()..].starts_with(&found.after));
    }
}

#[test]
fn a_long_text_is_searched_in_parts_as_if_it_were_whole() {
    // A token after a newline begins with it; its text is on the next line.
    let text = "hay dinero\nbanco 🙂\n".repeat(80_000);
    let stdout = demo(["grep", "--piece", "▁banco", "--unknown", "--json"])
        .stdin(&*text)
        .ok();
    let matches = found(&stdout);
    assert_eq!(matches.len(), 160_000);
    for (index, found) in matches.iter().enumerate() {
        let (line, column) = (index / 2 * 2 + 2, [1, 7][index % 2]);
        assert_eq!((found.line, found.column), (line, column));
        assert_eq!(found.text, ["banco", "🙂"][index % 2]);
        assert_eq!(found.before, ["", "banco "][index % 2]);
        // The ranges repeat with the lines of the text, 22 bytes a pair.
        let (like, moved) = (&matches[2 + index % 2], index / 2 * 22);
        let range = (like.start + moved, like.end + moved);
        assert_eq!((found.start + 22, found.end + 22), range, "match {index}");
    }
}

#[test]
fn exit_codes_are_those_of_grep() {
    let corpus = repository("demo/corpus");
    let corpus = corpus.to_str().unwrap();
    let answer = demo(["grep", "--id", "2000", corpus]).exit(1);
    assert_eq!((answer.stdout.as_str(), answer.stderr.as_str()), ("", ""));
    demo(["grep", "--unknown"]).stdin("").exit(1);
    demo(["grep", "--unknown"]).stdin("🙂").exit(0);
    demo(["grep", "--piece", "▁dinero", corpus, "nowhere.txt"]).exit(2);
    for args in [
        &["grep", corpus][..],
        &["grep", "--id", "2001", corpus],
        &["grep", "--id", "99999999999", corpus],
        &["grep", "--piece", "banco", corpus],
    ] {
        let answer = demo(args).exit(2);
        assert_eq!(answer.stdout, "");
        assert_eq!(answer.stderr.matches("error: ").count(), 1);
    }
}

#[test]
fn a_file_of_a_directory_that_is_not_text_is_skipped_with_a_note() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir_all(at("t/sub")).unwrap();
    fs::write(at("t/sub/a.txt"), "[MASK] hay").unwrap();
    fs::write(at("t/b.bin"), b"\0 hay").unwrap();
    fs::write(at("t/c.txt"), b"hay \xff").unwrap();
    fs::write(at("t/.hidden"), "[MASK]").unwrap();
    let call = |args: &[&str]| demo(args).current_dir(folder.path());
    let answer = call(&["grep", "--piece", "[MASK]", "t"]).exit(0);
    assert_eq!(answer.stdout, "t/sub/a.txt:1:1:[MASK] hay\n");
    assert_eq!(
        answer.stderr,
        "note: skipped t/b.bin: not text\n\
         note: skipped t/c.txt: not UTF-8, the byte at offset 4 is invalid\n"
    );
    call(&["grep", "--piece", "[MASK]", "--no-parse-special", "t", "-q"]).exit(1);
    call(&["grep", "--piece", "▁ha", "t/c.txt"]).exit(2);
    call(&["grep", "--piece", "▁ha", "t/c.txt", "--lossy"]).exit(0);
    let answer = call(&["grep", "--piece", "[MASK]", "-", "--color", "always"]);
    let stdout = answer.stdin("a \u{1b}[31m [MASK]").ok();
    assert_eq!(stdout.matches('\u{1b}').count(), 2 + 3, "{stdout:?}");
    assert!(stdout.contains("␛[31m"), "{stdout:?}");
}
