//! `embed` and `diff`: naming, comparing, and exporting rows.

use std::fs;
use std::path::Path;

use crate::records::{records, values};
use crate::support::{demo, on, tiny_model};

#[test]
fn rows_are_named_by_text_position_id_and_piece() {
    let ids = |args: &[&str]| -> Vec<u32> {
        let out = demo([&["embed", "--json", "--stats"], args].concat()).ok();
        records(&out)
            .into_iter()
            .map(|record| record.row().id)
            .collect()
    };
    assert_eq!(ids(&["banco money"]), [1, 364, 607, 2]);
    assert_eq!(ids(&["banco money", "--no-special-tokens"]), [364, 607]);
    assert_eq!(ids(&["banco money", "--at", "2", "--at", "0"]), [607, 1]);
    assert_eq!(ids(&["--id", "2063", "--piece", "▁dinero"]), [2063, 588]);
    let out = demo(["embed", "banco"]).ok();
    assert!(out.ends_with("shape [3, 64], F16\n") && out.contains(" …\n"));
    let out = demo(["embed", "--id", "588", "--full"]).ok();
    assert_eq!(out.lines().count(), 1 + 64 / 8 + 1);
    demo(["embed", "--id", "1", "--at", "0"]).exit(2);
    demo(["embed", "a", "--at", "3"]).exit(2);
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
