//! Files of word vectors: the rows that gensim reads from them, and the words as names of rows.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::records::values;
use crate::support::{Answer, repository, tokscope};

const FIXTURES: &str = "tests/fixtures/matrices";
const WORDS: [&str; 5] = ["rey", "reina", "0.5", "ñandú", "</s>"];
/// Every form of the same five vectors, with the name of its format.
const FORMS: [(&str, &str); 5] = [
    ("glove.txt", "vectors-text"),
    ("word2vec.txt", "vectors-text"),
    ("fasttext.vec", "vectors-text"),
    ("word2vec.bin", "word2vec"),
    ("word2vec_lines.bin", "word2vec"),
];

fn fixture(name: &str) -> PathBuf {
    repository(FIXTURES).join(name)
}

fn expected() -> BTreeMap<String, Value> {
    let json = fs::read(fixture("expected.json")).unwrap();
    serde_json::from_slice(&json).unwrap()
}

fn call(file: &Path, args: &[&str]) -> Answer {
    tokscope([&["-m", file.to_str().unwrap()], args].concat()).run()
}

#[track_caller]
fn ok(file: &Path, args: &[&str]) -> String {
    let answer = call(file, args);
    assert_eq!(answer.code, 0, "{args:?}: {}", answer.stderr);
    answer.stdout
}

#[track_caller]
fn refused(file: &Path, args: &[&str], code: i32) -> String {
    let answer = call(file, args);
    assert_eq!(answer.code, code, "{args:?}: {}", answer.stderr);
    answer.stderr
}

fn rows(file: &Path) -> Vec<Vec<u32>> {
    let rows = ok(file, &["embed", "--all", "--json"]);
    rows.lines().map(bits).collect()
}

fn bits(line: &str) -> Vec<u32> {
    values(line).iter().map(|value| value.to_bits()).collect()
}

fn field(line: &str, name: &str) -> Value {
    serde_json::from_str::<Value>(line).unwrap()[name].clone()
}

/// Writes a file into a folder of its own.
fn made(name: &str, bytes: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    (folder, path)
}

#[test]
fn rows_are_those_that_gensim_reads() {
    let expected: Vec<Vec<u32>> = serde_json::from_value(expected()["vectors"].clone()).unwrap();
    for (name, format) in FORMS {
        let file = fixture(name);
        assert_eq!(rows(&file), expected, "{name}");
        let one = ok(&file, &["embed", "ñandú", "--json"]);
        assert_eq!(bits(&one), expected[3], "{name}");
        assert_eq!(
            (field(&one, "id"), field(&one, "piece")),
            (3.into(), "ñandú".into())
        );
        let info = ok(&file, &["info", "--json"]);
        let matrix = field(&info, "embedding");
        assert_eq!(
            (&matrix["container"], &matrix["rows"], &matrix["columns"]),
            (&format.into(), &5.into(), &4.into())
        );
    }
    for (name, shown) in [("vectors.npy", "embed"), ("vectors_fortran.npy", "embed")] {
        assert_eq!(rows(&fixture(name)), expected, "{name} {shown}");
    }
    let big = refused(
        &fixture("vectors_big_endian.npy"),
        &["embed", "--id", "0"],
        4,
    );
    assert!(big.contains("its elements are big-endian"), "{big}");
}

#[test]
fn rows_of_fasttext_models_are_the_means_that_gensim_computes() {
    for name in ["fasttext", "fasttext_words"] {
        let model = &expected()[name];
        let words: Vec<String> = serde_json::from_value(model["words"].clone()).unwrap();
        let expected: Vec<Vec<u32>> = serde_json::from_value(model["bits"].clone()).unwrap();
        let file = fixture(&format!("{name}.bin"));
        assert_eq!(rows(&file), expected, "{name}");
        for (id, word) in words.iter().enumerate() {
            let row = ok(&file, &["embed", "--piece", word, "--json"]);
            assert_eq!(field(&row, "id"), id, "{word}");
        }
    }
}

#[test]
fn words_name_rows_in_every_command() {
    for (name, _) in FORMS {
        let file = fixture(name);
        let listed = ok(&file, &["vocab", "--json"]);
        let words: Vec<Value> = listed.lines().map(|line| field(line, "piece")).collect();
        assert_eq!(words, WORDS, "{name}");
        let near = ok(&file, &["neighbors", "rey", "-k", "2", "--json"]);
        assert_eq!(near.lines().count(), 2);
        assert!(
            near.lines().all(|line| field(line, "query_name") == "rey"),
            "{near}"
        );
        let cosines = ok(&file, &["similarity", "rey reina", "--json"]);
        assert_eq!(cosines.lines().count(), 2);
        let pair = ok(&file, &["similarity", "rey", "reina", "--json"]);
        assert_eq!(
            pair.lines().next().map(|line| field(line, "piece")),
            Some("rey".into())
        );
        let stats = ok(&file, &["stats", "--json"]);
        assert_eq!(field(&stats, "rows"), 5);
        let among = ok(
            &file,
            &["neighbors", "rey", "--among", "reina </s>", "--json"],
        );
        assert_eq!(among.lines().count(), 2, "{among}");
        let matching = ok(&file, &["vocab", "--grep", "^rei", "--json"]);
        assert_eq!(field(&matching, "id"), 1);
        let longest = ok(&file, &["vocab", "--sort", "length", "-k", "1", "--json"]);
        assert_eq!(field(&longest, "piece"), "reina");
        let stderr = refused(&file, &["neighbors", "Rey"], 2);
        assert!(stderr.contains("`rey`"), "{stderr}");
        for command in ["tokenize", "count", "decode"] {
            let stderr = refused(&file, &[command, "1"], 2);
            assert!(
                stderr.contains("has no tokenizer: it is a file of vectors"),
                "{stderr}"
            );
            assert!(stderr.contains("`neighbors`"), "{stderr}");
        }
    }
}

#[test]
fn words_may_have_spaces_occur_twice_or_not_be_utf_8() {
    let (_folder, file) = made(
        "v.txt",
        b"rey 1 2\nde la casa 3 4\n\xff\xfe 5 6\nrey 7 8\n\xc2\xa0 9 10\r\n\n".as_slice(),
    );
    let all = ok(&file, &["embed", "--all", "--json"]);
    let found: Vec<Value> = all.lines().map(|line| field(line, "piece")).collect();
    assert_eq!(
        found,
        ["rey", "de la casa", "\u{fffd}\u{fffd}", "rey", "\u{a0}"]
    );
    let row = |word: &str| values(&ok(&file, &["embed", "--piece", word, "--json"]));
    assert_eq!(row("rey"), [1.0, 2.0]);
    assert_eq!(row("de la casa"), [3.0, 4.0]);
    assert_eq!(row("\u{a0}"), [9.0, 10.0]);
    assert_eq!(
        values(&ok(&file, &["embed", "de la casa", "--json"])),
        [3.0, 4.0]
    );
    assert_eq!(
        values(&ok(&file, &["embed", "--id", "3", "--json"])),
        [7.0, 8.0]
    );
    let (_folder, tabs) = made("v.tsv", "\u{feff}de la\t1\t2\nrey\t3\t4");
    assert_eq!(values(&ok(&tabs, &["embed", "rey", "--json"])), [3.0, 4.0]);
    assert_eq!(
        values(&ok(&tabs, &["embed", "--piece", "de la", "--json"])),
        [1.0, 2.0]
    );
}

#[test]
fn contradictory_files_of_vectors_are_refused_with_the_line() {
    let counts = "download the file again or, if it is complete, correct line 1";
    let line = "download the file again, or remove the line";
    for (content, sentence, hint) in [
        (
            "2 2\na 1 2\n",
            "line 1 claims 2 vectors, but it has 1",
            counts,
        ),
        (
            "1 2\na 1 2\nb 3 4\n",
            "line 1 claims 1 vector, but it has 2",
            counts,
        ),
        (
            "2 3\na 1 2\nb 3 4\n",
            "line 2, `a 1 2`, has 2 values, but line 1 claims 3",
            counts,
        ),
        (
            "2 1\na 1 2\nb 3 4\n",
            "line 2, `a 1 2`, has 2 values, but line 1 claims 1",
            counts,
        ),
        (
            "2 2\na 1 2\nb 3 4 5e-1\n",
            "line 3, `b 3 4 5e-1`, has 3 values, but line 1 claims 2",
            counts,
        ),
        (
            "a 1 2\nb 3\nc 4 5\n",
            "line 2, `b 3`, has 1 value, but line 1 has 2",
            line,
        ),
        (
            "a 1 2\nb 3 4 5\nc 4 5\n",
            "line 2, `b 3 4 5`, has 3 values, but line 1 has 2",
            line,
        ),
        (
            "a\t1\t2\nb\t3\t4\t5\n",
            "line 2, `b\\t3\\t4\\t5`, has 3 values, but line 1 has 2",
            line,
        ),
        (
            "a 1 2\n\nb 3 4\n",
            "line 2 is blank, and not the last one",
            "",
        ),
        ("0 2\n", "it has no vectors", ""),
        ("", "it is empty", ""),
        (
            "a 1 2\nb 3 x\n",
            "line 2 has `x`, which is not a number",
            "",
        ),
        (
            "2 2\na 1 2\nb 3 x\n",
            "line 3 has `x`, which is not a number",
            "",
        ),
        (
            "99999999 2\na 1 2\n",
            "it claims 99999999 vectors, but at most 33554432 are read",
            "",
        ),
        (
            "1 70000\na 1 2\n",
            "its vectors have 70000 values, but 1 to 65536 are read",
            "",
        ),
    ] {
        let (_folder, file) = made("v.vec", content);
        let stderr = refused(&file, &["stats"], 4);
        assert!(stderr.contains(sentence), "{content:?}: {stderr}");
        assert!(stderr.contains(hint), "{content:?}: {stderr}");
    }
}

#[test]
fn counts_of_binary_files_that_lie_are_refused() {
    let vectors = [&b"a "[..], &[1; 12], b"\nb ", &[2; 12], b"\n"].concat();
    for (counts, problem) in [
        (
            "3 3",
            "line 1 claims 3 vectors of 3 values, but vector 2 is cut off or has no word",
        ),
        (
            "1 3",
            "line 1 claims 1 vector of 3 values, but they end at byte 18 of 34",
        ),
        (
            "2 4",
            "line 1 claims 2 vectors of 4 values, but vector 1 is cut off or has no word",
        ),
        (
            "2 2",
            "line 1 claims 2 vectors of 2 values, but they end at byte 29 of 34",
        ),
        (
            "2 1",
            "line 1 claims 2 vectors of 1 value, but they end at byte 25 of 34",
        ),
    ] {
        let content = [counts.as_bytes(), b"\n", &vectors].concat();
        let (_folder, file) = made("v.bin", &content);
        let stderr = refused(&file, &["stats"], 4);
        assert!(stderr.contains(problem), "{counts}: {stderr}");
        assert!(stderr.contains("correct line 1"), "{counts}: {stderr}");
    }
}

#[test]
fn a_file_of_vectors_truncated_at_any_percent_is_refused_or_shorter() {
    for name in [
        "glove.txt",
        "fasttext.vec",
        "word2vec.bin",
        "fasttext.bin",
        "vectors.npy",
    ] {
        let bytes = fs::read(fixture(name)).unwrap();
        for percent in 0..100 {
            let (_folder, file) = made(name, &bytes[..bytes.len() * percent / 100]);
            let answer = call(&file, &["stats", "--json"]);
            // The hidden layer of fastText comes after the matrix; text without a first line may end anywhere.
            let may_pass = ["glove.txt", "fasttext.bin", "fasttext.vec"].contains(&name);
            assert!(
                answer.code == 4 || answer.code == 2 || may_pass && answer.code == 0,
                "{name} {percent}: {}",
                answer.stderr
            );
            if name.starts_with("word2vec") || name == "vectors.npy" {
                assert_ne!(answer.code, 0, "{name} {percent}");
            }
        }
    }
}

#[test]
fn a_finalfusion_file_is_refused_by_name() {
    let header = [&b"FiFu"[..], &0_u32.to_le_bytes(), &2_u32.to_le_bytes()].concat();
    for name in ["vectors.fifu", "vectors.bin"] {
        let (_folder, file) = made(name, &header);
        let problem = refused(&file, &["embed", "--id", "0"], 4);
        let sentence = "is not supported: it is a finalfusion file";
        assert!(problem.contains(sentence), "{problem}");
        let hint = "convert it with `ffp-convert -f finalfusion -t word2vec`";
        assert!(problem.contains(hint), "{problem}");
    }
}
