//! UTF-16 and UTF-32 with a byte order mark, as Windows programs write text: read like the same text in UTF-8.

use std::fs;
use std::path::Path;

use crate::records::records;
use crate::support::{Call, demo};

const TEXT: &str = "¿Dónde está el banco?\r\ndinero 🙂 y madera\n\nbanco de madera";
const JSONL: &str = "{\"text\": \"banco de madera\"}\n{\"text\": \"¿dinero?\"}\n";
const ENCODINGS: [&str; 4] = ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"];

/// Encodes a text with a byte order mark.
fn encoded(text: &str, encoding: &str) -> Vec<u8> {
    let text = format!("\u{feff}{text}");
    let utf16 = || text.encode_utf16();
    let utf32 = || text.chars().map(u32::from);
    match encoding {
        "utf-16-le" => utf16().flat_map(u16::to_le_bytes).collect(),
        "utf-16-be" => utf16().flat_map(u16::to_be_bytes).collect(),
        "utf-32-le" => utf32().flat_map(u32::to_le_bytes).collect(),
        _ => utf32().flat_map(u32::to_be_bytes).collect(),
    }
}

fn call(folder: &Path, args: &[&str]) -> Call {
    demo(args).current_dir(folder)
}

#[test]
fn a_text_with_a_byte_order_mark_is_read_in_its_encoding() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::create_dir(here.join("tree")).unwrap();
    let files: &[&[&str]] = &[
        &["tokenize", "-f", "text"],
        &["tokenize", "--lines", "--json", "-f", "text"],
        &["tokenize", "--jsonl", "--ids", "-f", "jsonl"],
        &["count", "text", "--json"],
        &["count", "tree", "--json"],
        &["count", "--lines", "text"],
        &["count", "--jsonl", "jsonl"],
        &["grep", "--piece", "▁banco", "text"],
        &["grep", "--piece", "▁banco", "tree", "--json"],
        &["verify", "--lines", "text"],
        &["chunk", "--max-length", "9", "-f", "text", "--json"],
        &["head", "-n", "3", "-f", "text"],
    ];
    let streams: &[(&[&str], &str)] = &[
        (&["tokenize", "--ids"], TEXT),
        (&["tokenize", "--lines", "--ids"], TEXT),
        (&["count"], TEXT),
        (&["count", "--jsonl"], JSONL),
        (&["grep", "--piece", "▁banco"], TEXT),
        (&["embed", "--json"], TEXT),
        (&["similarity", "--json"], "banco dinero"),
        (&["decode"], "1 364 2\r\n"),
        (&["decode", "--lines"], "1 364 2\r\n[1, 364]\r\n"),
    ];
    let answers = |encode: &dyn Fn(&str) -> Vec<u8>| {
        for (name, text) in [("text", TEXT), ("jsonl", JSONL), ("tree/text", TEXT)] {
            fs::write(here.join(name), encode(text)).unwrap();
        }
        let of_files = files.iter().map(|args| call(here, args).ok());
        let of_streams = streams
            .iter()
            .map(|(args, text)| call(here, args).stdin(encode(text)).ok());
        of_files.chain(of_streams).collect::<Vec<String>>()
    };
    let right = answers(&|text| text.as_bytes().to_vec());
    assert!(right[4].contains("tree/text"), "{}", right[4]);
    for encoding in ENCODINGS {
        let found = answers(&|text| encoded(text, encoding));
        assert_eq!(found, right, "{encoding}");
    }
}

#[test]
fn a_large_text_with_a_byte_order_mark_is_read_in_parts() {
    let folder = tempfile::tempdir().unwrap();
    let text = "banco de madera, ¿dinero? 🙂\n".repeat(20_000);
    fs::write(folder.path().join("utf8"), &text).unwrap();
    let count = |args: &[&str]| call(folder.path(), args).ok();
    for encoding in ENCODINGS {
        fs::write(folder.path().join("other"), encoded(&text, encoding)).unwrap();
        for flags in [&["count"][..], &["count", "--lines", "--total"]] {
            let other = count(&[flags, &["other"]].concat());
            assert_eq!(
                other.replace("other", "utf8").split_whitespace().next(),
                count(&[flags, &["utf8"]].concat())
                    .split_whitespace()
                    .next(),
                "{encoding}"
            );
        }
    }
}

#[test]
fn half_of_a_pair_is_an_error_or_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = [0xff, 0xfe, b'a', 0, 0x3d, 0xd8, b'b', 0, b'\n', 0, b'c', 0];
    fs::write(folder.path().join("f"), bytes).unwrap();
    let answer = call(folder.path(), &["tokenize", "-f", "f"]).exit(2);
    let sentence = "error: f is not UTF-8: the byte at offset 1 is invalid\n";
    assert!(answer.stderr.starts_with(sentence), "{}", answer.stderr);
    let args = ["tokenize", "--lines", "--json", "-f", "f"];
    let lines = records(&call(folder.path(), &args).exit(2).stdout);
    assert_eq!(lines.len(), 2, "{lines:?}");
    let lossy = call(folder.path(), &["tokenize", "--lossy", "--json", "-f", "f"]).ok();
    let right = demo(["tokenize", "--json", "a\u{fffd}b\nc"]).ok();
    assert_eq!(lossy.replace("\"path\":\"f\",", ""), right);
}
