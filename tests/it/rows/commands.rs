//! `embed` and `diff`: naming, comparing, and exporting rows.

use std::fs;
use std::path::Path;

use crate::records::{records, values};
use crate::support::{demo, on, tiny_model};

/// Returns the ids of the rows that `embed` shows.
fn ids(args: &[&str]) -> Vec<u32> {
    let out = demo([&["embed", "--json", "--stats"], args].concat()).ok();
    records(&out)
        .into_iter()
        .map(|record| record.row().id)
        .collect()
}

#[test]
fn rows_are_named_by_text_position_id_and_piece() {
    assert_eq!(ids(&["banco money"]), [1, 364, 607, 2]);
    assert_eq!(ids(&["banco money", "--no-special-tokens"]), [364, 607]);
    assert_eq!(ids(&["banco money", "--at", "2", "--at", "0"]), [607, 1]);
    assert_eq!(ids(&["--id", "2063", "--piece", "▁dinero"]), [2063, 588]);
    let out = demo(["embed", "banco"]).ok();
    assert!(out.ends_with("shape [3, 64], F16\n") && out.contains(" …\n"));
    let out = demo(["embed", "--id", "588", "--full"]).ok();
    assert_eq!(out.lines().count(), 2 + 64_usize.div_ceil(6) + 1);
    demo(["embed", "--id", "1", "--at", "0"]).exit(2);
    demo(["embed", "a", "--at", "3"]).exit(2);
}

#[test]
fn several_rows_are_selected_with_one_flag() {
    assert_eq!(ids(&["--id", "7,3"]), [7, 3]);
    assert_eq!(ids(&["--id", "[7, 3]", "--id", "5-8"]), [7, 3, 5, 6, 7, 8]);
    let text = ["banco money"];
    assert_eq!(ids(&[&text[..], &["--at", "1-2"]].concat()), [364, 607]);
    assert_eq!(ids(&[&text[..], &["--at", "-1,0"]].concat()), [2, 1]);
    assert_eq!(ids(&[&text[..], &["--at", "1--2"]].concat()), [364, 607]);
    assert_eq!(
        ids(&[&text[..], &["--at", "-2--1", "--at", "0"]].concat()),
        [607, 2, 1]
    );
    for (args, sentence) in [
        (
            &["--id", "2060-2070"][..],
            "id 2064 has no row: the embedding matrix has rows 0 to 2063",
        ),
        (
            &["--id", "0-18446744073709551615"],
            "id 2064 has no row: the embedding matrix has rows 0 to 2063",
        ),
        (
            &["banco", "--at", "-4"],
            "position -4 is outside the text, which has tokens 0 to 2",
        ),
        (
            &["banco", "--at", "1-7"],
            "position 7 is outside the text, which has tokens 0 to 2",
        ),
        (
            &["--id", "9-5"],
            "invalid value '9-5' for '--id <N>': expected a whole number, 0 or greater, or several, such as 1,2 or 5-9",
        ),
        (
            &["banco", "--at", "x"],
            "invalid value 'x' for '--at <POSITION>': expected a position from 0, or from the end such as -1, or several, such as 1,3 or 1-7",
        ),
    ] {
        let answer = demo([&["embed"], args].concat()).exit(2);
        assert!(answer.stderr.contains(sentence), "{}", answer.stderr);
    }
    demo(["diff", "--text", "banco banco", "--at", "1,2"]).exit(0);
    demo(["diff", "--text", "banco banco", "--at", "1--2"]).exit(0);
    demo(["diff", "--id", "588,588"]).exit(0);
    for (args, found) in [
        (&["--id", "1-3"][..], 3),
        (&["--text", "banco", "--at", "0--1"], 3),
    ] {
        let answer = demo([&["diff"], args].concat()).exit(2);
        let sentence = format!("error: expected two rows, found {found}\n");
        assert!(answer.stderr.starts_with(&sentence), "{}", answer.stderr);
    }
    assert_eq!(
        demo(["vocab", "--id", "3-5", "--json"])
            .ok()
            .lines()
            .count(),
        3
    );
    let found = demo(["grep", "--id", "588,607", "-"]).stdin("un dinero y money\n");
    assert_eq!(found.ok().lines().count(), 2);
}

#[test]
fn a_word_of_several_tokens_is_the_mean_of_its_rows() {
    let row =
        |id: &str| -> Vec<f32> { values(demo(["embed", "--id", id, "--json"]).ok().trim_end()) };
    let rows = ["787", "324", "271"].map(row);
    let other = row("588");
    let answer = demo(["diff", "donde", "dinero", "--mean", "--json"]).exit(1);
    let diff = crate::records::one(&answer.stdout).diff();
    assert_eq!(diff.a.mean_of.as_deref(), Some(&[787, 324, 271][..]));
    assert_eq!((diff.a.id, diff.a.text.as_deref()), (None, Some("donde")));
    assert_eq!((diff.b.id, diff.b.mean_of), (Some(588), None));
    for (column, found) in diff.values.unwrap().into_iter().enumerate() {
        let sum: f64 = rows.iter().map(|row| f64::from(row[column])).sum();
        assert_eq!(found, (sum / 3.0) as f32 - other[column]);
    }
    assert!(
        demo(["diff", "donde", "donde", "--mean"])
            .exit(0)
            .stdout
            .starts_with("a  mean of ids 787, 324, 271  donde\n")
    );
    let answer = demo(["diff", "donde", "dinero"]).exit(2);
    assert!(
        answer
            .stderr
            .contains("hint: use `--mean` for the mean of their rows")
    );
}

#[test]
fn exported_rows_are_bit_identical() {
    let folder = tempfile::tempdir().unwrap();
    let write = |model: &Path, name: &str| {
        let path = folder.path().join(name);
        let args = ["embed", "--id", "299", "--id", "1", "-o"];
        let args: Vec<&std::ffi::OsStr> = args
            .iter()
            .map(std::ffi::OsStr::new)
            .chain([path.as_os_str()])
            .collect();
        let answer = on(model, args).exit(0);
        let note = format!("note: wrote 2 rows of 8 values to {}\n", path.display());
        assert_eq!((answer.stdout.as_str(), answer.stderr), ("", note));
        fs::read(path).unwrap()
    };
    for (fixture, descr, dtype) in [
        ("zip_f16.bin", "'<f2'", safetensors::Dtype::F16),
        ("bf16.safetensors", "'<f4'", safetensors::Dtype::BF16),
        ("f32.safetensors", "'<f4'", safetensors::Dtype::F32),
        ("zip_f64.bin", "'<f8'", safetensors::Dtype::F64),
    ] {
        let model = tiny_model(fixture);
        let json = on(
            model.path(),
            ["embed", "--id", "299", "--id", "1", "--json"],
        )
        .ok();
        let expected: Vec<f32> = json.lines().flat_map(values).collect();

        let npy = write(model.path(), "rows.npy");
        assert_eq!(npy[..8], *b"\x93NUMPY\x01\x00");
        let length = usize::from(u16::from_le_bytes([npy[8], npy[9]]));
        let head = std::str::from_utf8(&npy[10..10 + length]).unwrap();
        assert!(
            head.contains(descr) && head.contains("(2, 8") && head.contains("False"),
            "{head}"
        );
        assert_eq!((10 + length) % 16, 0);
        let read = match descr {
            "'<f2'" => floats(safetensors::Dtype::F16, &npy[10 + length..]),
            "'<f8'" => floats(safetensors::Dtype::F64, &npy[10 + length..]),
            _ => floats(safetensors::Dtype::F32, &npy[10 + length..]),
        };
        assert_eq!(read, expected, "{fixture}");

        let bytes = write(model.path(), "rows.safetensors");
        let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let rows = tensors.tensor("rows").unwrap();
        assert_eq!((rows.dtype(), rows.shape()), (dtype, &[2, 8][..]));
        assert_eq!(floats(dtype, rows.data()), expected, "{fixture}");
        let ids = tensors.tensor("ids").unwrap();
        assert_eq!(
            ids.data(),
            [299_i64.to_le_bytes(), 1_i64.to_le_bytes()].concat()
        );

        assert_eq!(write(model.path(), "rows.jsonl"), json.as_bytes());
        for (format, name) in [("csv", "rows.csv"), ("tsv", "rows.TSV")] {
            let args = ["embed", "--id", "299", "--id", "1", "--format", format];
            assert_eq!(
                write(model.path(), name),
                on(model.path(), args).ok().as_bytes()
            );
        }
    }
    let names = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(names, 5, "no temporary file is left");
}

fn floats(dtype: safetensors::Dtype, bytes: &[u8]) -> Vec<f32> {
    let half = |chunk: &[u8]| [chunk[0], chunk[1]];
    match dtype {
        safetensors::Dtype::F16 => bytes
            .chunks(2)
            .map(|two| half::f16::from_le_bytes(half(two)).to_f32())
            .collect(),
        safetensors::Dtype::BF16 => bytes
            .chunks(2)
            .map(|two| half::bf16::from_le_bytes(half(two)).to_f32())
            .collect(),
        safetensors::Dtype::F32 => bytes
            .chunks(4)
            .map(|four| f32::from_le_bytes(four.try_into().unwrap()))
            .collect(),
        _ => bytes
            .chunks(8)
            .map(|eight| f64::from_le_bytes(eight.try_into().unwrap()) as f32)
            .collect(),
    }
}

#[test]
fn the_exit_code_of_diff_tells_whether_rows_are_identical() {
    let same = demo(["diff", "--text", "banco banco", "--at", "1", "--at", "2"]).ok();
    assert!(same.contains("identical, bit for bit\n"));
    demo(["diff", "--id", "588", "--piece", "▁dinero"]).exit(0);
    assert!(
        demo(["diff", "dinero", "money"])
            .exit(1)
            .stdout
            .contains("\ndifferent\n")
    );
    demo(["diff", "--id", "2000", "--id", "2063"]).exit(1);
    for args in [
        &["diff", "dinero"][..],
        &["diff", "a", "b", "--id", "3"],
        &["diff", "--text", "a", "--at", "1"],
        &["diff", "--at", "1"],
    ] {
        demo(args).exit(2);
    }
}

#[cfg(unix)]
#[test]
fn an_exported_file_has_the_permissions_of_any_new_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let mode = |name: &str| {
        let path = folder.path().join(name);
        path.metadata().unwrap().permissions().mode() & 0o777
    };
    fs::write(folder.path().join("plain"), "").unwrap();
    for name in ["x.npy", "x.safetensors", "x.csv", "x.jsonl"] {
        let call = demo(["embed", "banco", "-q", "-o", name]).current_dir(folder.path());
        assert_eq!(call.ok(), "");
        assert_eq!(mode(name), mode("plain"), "{name}");
    }
}
