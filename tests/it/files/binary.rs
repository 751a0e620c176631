//! Compressed and other binary files in place of text.

use std::fs;

use crate::support::demo;

/// The beginnings of files that people have in place of text, with the names of their kinds.
const FILES: &[(&str, &[u8], &str)] = &[
    ("a.gz", b"\x1f\x8b\x08\x08\0\0\0\0\0\x03", "a gzip file"),
    (
        "a.zst",
        b"\x28\xb5\x2f\xfd\x04\x58\xa1\xff",
        "a Zstandard file",
    ),
    ("a.bz2", b"BZh91AY&SY\xa0\xff", "a bzip2 file"),
    ("a.xz", b"\xfd7zXZ\0\0\x04", "an xz file"),
    ("a.zip", b"PK\x03\x04\x14\0\x08\0", "a zip archive"),
    ("a.parquet", b"PAR1\x15\x04\x15\xa0\xff", "a Parquet file"),
    ("a.arrow", b"ARROW1\0\0\xff\xff\xff\xff", "an Arrow file"),
    ("a.pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "a PDF file"),
    (
        "a.safetensors",
        b"\x40\0\0\0\0\0\0\0{\"a\":{}}\xff\xff",
        "a safetensors file",
    ),
];

/// Returns the start of a file, followed by many lines of binary data.
fn content(start: &[u8]) -> Vec<u8> {
    let mut bytes = start.to_vec();
    for number in 0..20_000_u32 {
        bytes.extend((number.wrapping_mul(2_654_435_761)).to_le_bytes());
        bytes.extend(if number % 8 == 0 { b"\n" } else { b"\xff" });
    }
    bytes
}

#[test]
fn a_binary_file_is_one_error_that_names_its_kind() {
    let folder = tempfile::tempdir().unwrap();
    let commands: &[&[&str]] = &[
        &["tokenize", "-f"],
        &["tokenize", "--lines", "--ids", "-f"],
        &["tokenize", "--jsonl", "--json", "-f"],
        &["chunk", "--max-length", "9", "--lines", "-f"],
        &["tail", "-n", "9", "--lines", "-f"],
        &["count"],
        &["count", "--lines"],
        &["count", "--by", "line"],
        &["count", "--jsonl"],
        &["verify", "--lines"],
        &["grep", "--piece", "x"],
    ];
    for (name, start, kind) in FILES {
        let bytes = content(start);
        fs::write(folder.path().join(name), &bytes).unwrap();
        for command in commands {
            let args = [command, &[*name][..]].concat();
            let answer = demo(&args).current_dir(folder.path()).exit(2);
            let errors = format!("{}{}", answer.stdout, answer.stderr);
            let sentence = format!("{name} is {kind}, not UTF-8 text");
            assert_eq!(errors.matches(&sentence).count(), 1, "{args:?}: {errors}");
            assert_eq!(
                answer.stderr.matches("error:").count(),
                1,
                "{args:?}: {errors}"
            );
            assert!(!errors.contains("--lossy"), "{args:?}: {errors}");
        }
        for command in [
            &["tokenize"][..],
            &["tokenize", "--lines"],
            &["count"],
            &["count", "--lines"],
            &["verify", "--jsonl"],
            &["grep", "--piece", "x"],
            &["embed"],
            &["similarity"],
            &["decode", "--lines"],
        ] {
            let answer = demo(command).stdin(bytes.clone()).exit(2);
            let sentence = format!("error: standard input is {kind}, not UTF-8 text\n");
            assert!(
                answer.stderr.starts_with(&sentence),
                "{command:?}: {}",
                answer.stderr
            );
            assert_eq!(answer.stderr.matches("error:").count(), 1, "{command:?}");
        }
    }
}

#[test]
fn a_compressed_file_gets_the_command_that_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.gz"), content(FILES[0].1)).unwrap();
    let remedy = "pass its text through a pipe: `gzip -dc a.gz | tokscope …`\n";
    for (args, label) in [
        (&["tokenize", "-f", "a.gz"][..], "hint"),
        (&["count", "a.gz"], "note"),
        (&["grep", "--piece", "x", "a.gz"], "note"),
    ] {
        let answer = demo(args).current_dir(folder.path()).exit(2);
        let hint = format!("{label}: {remedy}");
        assert!(answer.stderr.ends_with(&hint), "{}", answer.stderr);
    }
}

#[test]
fn a_path_in_a_suggested_command_is_quoted_for_the_shell() {
    let folder = tempfile::tempdir().unwrap();
    for (name, word) in [
        ("my file.gz", "'my file.gz'"),
        ("it's.gz", r"'it'\''s.gz'"),
        ("$(x).gz", "'$(x).gz'"),
        ("-x.gz", "./-x.gz"),
    ] {
        fs::write(folder.path().join(name), content(FILES[0].1)).unwrap();
        let answer = demo(["count", "--", name])
            .current_dir(folder.path())
            .exit(2);
        let remedy = format!("pipe: `gzip -dc {word} | tokscope …`\n");
        assert!(answer.stderr.ends_with(&remedy), "{}", answer.stderr);
    }
}

#[test]
fn a_command_for_standard_input_reads_it() {
    for (start, remedy) in [
        (&b"\x1f\x8b\x08\0"[..], "pass it through `gzip -dc -` first"),
        (b"BZh91AY&SY\xa0", "pass it through `bzip2 -dc -` first"),
        (b"\xfd7zXZ\0\0", "pass it through `xz -dc -` first"),
        (b"\x28\xb5\x2f\xfd", "pass it through `zstd -dc -` first"),
        (b"%PDF-1.7\n\xe2", "pass it through `pdftotext - -` first"),
        (
            b"PK\x03\x04\x14\0\x08",
            "save it to a file, and pass its text through a pipe: `unzip -p FILE | tokscope …`",
        ),
        (
            b"7z\xbc\xaf\x27\x1c",
            "save it to a file, and pass its text through a pipe: `7z x -so FILE | tokscope …`",
        ),
    ] {
        let answer = demo(["count"]).stdin(content(start)).exit(2);
        let hint = format!("\nhint: {remedy}\n");
        assert!(answer.stderr.ends_with(&hint), "{}", answer.stderr);
    }
}

#[test]
fn binary_files_of_a_directory_are_skipped_with_their_kind() {
    let folder = tempfile::tempdir().unwrap();
    for (name, start, _) in FILES {
        fs::write(folder.path().join(name), content(start)).unwrap();
    }
    fs::write(folder.path().join("b.txt"), "banco").unwrap();
    for args in [
        &["count", "--total", "."][..],
        &["count", "--total", "--lines", "."],
    ] {
        let answer = demo(args).current_dir(folder.path()).exit(0);
        assert_eq!(answer.stdout, "3\n");
        for (name, _, kind) in FILES {
            let note = format!("note: skipped ./{name}: {kind}\n");
            assert!(answer.stderr.contains(&note), "{note} in {}", answer.stderr);
        }
        assert_eq!(answer.stderr.lines().count(), FILES.len());
    }
}

#[test]
fn a_binary_file_is_read_if_its_bytes_are_to_be_replaced() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.gz"), FILES[0].1).unwrap();
    for args in [
        &["count", "--lossy", "a.gz"][..],
        &["tokenize", "--ids", "--lossy", "--lines", "-f", "a.gz"],
        &["tokenize", "--ids", "--lossy", "-f", "a.gz"],
    ] {
        demo(args).current_dir(folder.path()).ok();
    }
}
