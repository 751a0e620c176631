//! Export of whole matrices and of the embedding projector's folder, read back by independent code.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use half::bf16;
use safetensors::tensor::{TensorView, serialize};
use safetensors::{Dtype, SafeTensors};
use serde_json::{Value, json};

use crate::records::{Record, Row, records};
use crate::support::{Answer, demo, folder_without_checkpoint, on, tiny_model};

fn embed(model: &Path, folder: &Path, args: &[&str]) -> Answer {
    let args = ["embed", "-q"].iter().chain(args).map(OsStr::new);
    on(model, args).current_dir(folder).run()
}

/// Returns the header and the elements of an array file.
fn array(path: &Path) -> (String, Vec<u8>) {
    let bytes = fs::read(path).unwrap();
    assert_eq!(bytes[..8], *b"\x93NUMPY\x01\x00");
    let end = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    assert_eq!((end % 64, bytes[end - 1]), (0, b'\n'));
    let head = String::from_utf8(bytes[10..end].to_vec()).unwrap();
    (head, bytes[end..].to_vec())
}

#[test]
fn an_exported_matrix_is_bit_identical() {
    let folder = tempfile::tempdir().unwrap();
    for (fixture, descr, dtype) in [
        ("f16.safetensors", "<f2", Dtype::F16),
        ("zip_f16_transposed.bin", "<f2", Dtype::F16),
        ("f32.safetensors", "<f4", Dtype::F32),
        ("zip_f64.bin", "<f8", Dtype::F64),
        ("bf16.safetensors", "<f4", Dtype::BF16),
    ] {
        let model = tiny_model(fixture);
        let write = |args: &[&str]| {
            let answer = embed(model.path(), folder.path(), &[&["--all"], args].concat());
            assert_eq!(
                (answer.code, answer.stdout, answer.stderr.as_str()),
                (0, String::new(), "")
            );
        };
        write(&["-o", "all.safetensors"]);
        let bytes = fs::read(folder.path().join("all.safetensors")).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let stored = tensors.tensor("rows").unwrap();
        assert_eq!((stored.dtype(), stored.shape()), (dtype, &[300, 8][..]));
        let ids: Vec<u8> = (0..300_i64).flat_map(i64::to_le_bytes).collect();
        assert_eq!(tensors.tensor("ids").unwrap().data(), ids);
        // The same rows, read one by one.
        let named: Vec<String> = (0..300).map(|id| id.to_string()).collect();
        let named: Vec<&str> = named.iter().flat_map(|id| ["--id", id]).collect();
        let answer = embed(
            model.path(),
            folder.path(),
            &[&named[..], &["-o", "named.safetensors"]].concat(),
        );
        assert_eq!(answer.code, 0);
        assert_eq!(
            fs::read(folder.path().join("named.safetensors")).unwrap(),
            bytes
        );

        write(&["-o", "all.npy"]);
        let (head, elements) = array(&folder.path().join("all.npy"));
        assert_eq!(
            head.trim_end(),
            format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': (300, 8), }}")
        );
        let widened = |bytes: &[u8]| -> Vec<u8> {
            let halves = bytes
                .chunks(2)
                .map(|two| bf16::from_le_bytes([two[0], two[1]]));
            halves
                .flat_map(|half| half.to_f32().to_le_bytes())
                .collect()
        };
        if dtype == Dtype::BF16 {
            assert_eq!(elements, widened(stored.data()));
        } else {
            assert_eq!(elements, stored.data());
        }
        write(&["-o", "stored.npy", "--dtype", "stored"]);
        assert_eq!(array(&folder.path().join("stored.npy")), (head, elements));

        write(&["-o", "wide.npy", "--dtype", "f32"]);
        let (head, wide) = array(&folder.path().join("wide.npy"));
        assert!(head.contains("'<f4'"));
        let rows = embed(model.path(), folder.path(), &["--all", "--json"]).stdout;
        let rows: Vec<Row> = records(&rows).into_iter().map(Record::row).collect();
        let values = rows.iter().flat_map(|row| row.values.as_ref().unwrap());
        let expected: Vec<u8> = values.flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!(wide, expected);
        write(&["-o", "wide.safetensors", "--dtype", "f32"]);
        let bytes = fs::read(folder.path().join("wide.safetensors")).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let rows = tensors.tensor("rows").unwrap();
        assert_eq!(
            (rows.dtype(), rows.data()),
            (Dtype::F32, expected.as_slice())
        );
    }
}

#[test]
fn all_rows_as_text_are_the_records_of_all_ids() {
    let folder = tempfile::tempdir().unwrap();
    let all = demo(["embed", "--all", "--json", "--stats"]).ok();
    let all: Vec<Row> = records(&all).into_iter().map(Record::row).collect();
    assert_eq!(all.len(), 2064);
    assert!(all.iter().map(|row| row.id).eq(0..2064));
    assert_eq!(
        (all[588].piece.as_deref(), all[2063].piece.as_deref()),
        (Some("▁dinero"), None)
    );
    assert!(
        demo(["embed", "--all"])
            .ok()
            .ends_with("\nshape [2064, 64], F16\n")
    );
    for (name, format) in [
        ("all.jsonl", "json"),
        ("all.csv", "csv"),
        ("all.tsv", "tsv"),
    ] {
        demo(["embed", "-q", "--all", "-o", name])
            .current_dir(folder.path())
            .ok();
        let printed = demo(["embed", "--all", "--format", format]).ok();
        assert_eq!(
            fs::read(folder.path().join(name)).unwrap(),
            printed.as_bytes()
        );
    }
}

#[test]
fn the_projector_folder_is_complete() {
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| demo([&["embed"], args].concat()).current_dir(folder.path());
    let answer = run(&["--all", "--projector", "a/b"]).exit(0);
    let note = "note: wrote 2,064 rows of 64 values to a/b\n";
    assert_eq!((answer.stdout.as_str(), answer.stderr.as_str()), ("", note));
    let at = |name: &str| fs::read_to_string(folder.path().join("a/b").join(name)).unwrap();
    let rows = demo(["embed", "--all", "--json"]).ok();
    let rows: Vec<Row> = records(&rows).into_iter().map(Record::row).collect();
    let tensors = at("tensors.tsv");
    assert_eq!(tensors.lines().count(), 2064);
    for (line, row) in tensors.lines().zip(&rows) {
        let values: Vec<f32> = line
            .split('\t')
            .map(|value| value.parse().unwrap())
            .collect();
        assert_eq!(Some(values), row.values);
    }
    let metadata = at("metadata.tsv");
    let lines: Vec<Vec<&str>> = metadata
        .lines()
        .map(|line| line.split('\t').collect())
        .collect();
    assert_eq!((lines.len(), &lines[0][..]), (2065, &["piece", "id"][..]));
    assert!(lines.iter().all(|cells| cells.len() == 2));
    assert_eq!(lines[589], ["▁dinero", "588"]);
    assert_eq!(lines[2064], ["(no token)", "2063"]);
    let config: Value = serde_json::from_str(&at("projector_config.json")).unwrap();
    let expected = json!({"embeddings": [{
        "tensorName": "deberta.embeddings.word_embeddings.weight",
        "tensorShape": [2064, 64],
        "tensorPath": "tensors.tsv",
        "metadataPath": "metadata.tsv",
    }]});
    assert_eq!(config, expected);
    assert!(at("projector_config.pbtxt").contains("tensor_path: \"tensors.tsv\"\n"));
    // Some rows, into a folder that exists.
    run(&["-q", "banco", "--projector", "a/b"]).ok();
    assert_eq!(at("tensors.tsv").lines().count(), 3);
    assert_eq!(
        at("metadata.tsv"),
        "piece\tid\n[CLS]\t1\n▁banco\t364\n[SEP]\t2\n"
    );
    assert_eq!(fs::read_dir(folder.path().join("a/b")).unwrap().count(), 4);
}

#[test]
fn a_piece_with_a_tab_stays_in_one_cell() {
    let model = folder_without_checkpoint();
    let bytes = vec![0; 2010 * 4];
    let view = TensorView::new(Dtype::F32, vec![2010, 1], &bytes).unwrap();
    let file = serialize([("word_embeddings.weight", view)], None).unwrap();
    fs::write(model.path().join("model.safetensors"), file).unwrap();
    let tokens = json!({"a\tb\nc\\": 2001});
    fs::write(model.path().join("added_tokens.json"), tokens.to_string()).unwrap();
    let out = tempfile::tempdir().unwrap();
    let answer = embed(model.path(), out.path(), &["--all", "--projector", "p"]);
    assert_eq!((answer.code, answer.stderr.as_str()), (0, ""));
    let metadata = fs::read_to_string(out.path().join("p/metadata.tsv")).unwrap();
    assert_eq!(metadata.lines().count(), 2011);
    assert!(
        metadata.contains("\na\\tb\\nc\\\\\t"),
        "{}",
        &metadata[metadata.len() - 200..]
    );
}

#[test]
fn a_failed_export_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    for args in [
        &["--all", "banco"][..],
        &["--all", "--id", "3"],
        &["--all", "--at", "0"],
        &["banco", "--dtype", "f32"],
        &["banco", "-o", "x.csv", "--dtype", "f32"],
        &["banco", "-o", "x.npy", "--dtype", "i8"],
        &["banco", "-o", "x.npy", "--projector", "p"],
        &["banco", "--projector", "file"],
        &["--id", "5000", "--projector", "p"],
        &["--id", "1", "--id", "5000"],
        &["", "--no-special-tokens", "--projector", "p"],
        &["--all", "-o", "nowhere/x.npy"],
    ] {
        let call = demo([&["embed"], args].concat()).current_dir(folder.path());
        let answer = call.exit(2);
        assert_eq!(answer.stdout, "", "{args:?}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}
