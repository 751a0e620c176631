use super::*;
use crate::formats::checkpoint::open::Checkpoint;
use crate::source::MemoryFile;

fn file(header: &str, data: usize) -> MemoryFile {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(vec![7; data]);
    MemoryFile::new("m.safetensors", bytes)
}

fn refused(header: &str, data: usize) -> String {
    let error = Checkpoint::open(&file(header, data)).unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }), "{error}");
    error.to_string()
}

fn entry(dtype: &str, shape: &str, begin: u64, end: u64) -> String {
    format!(r#"{{"dtype":"{dtype}","shape":{shape},"data_offsets":[{begin},{end}]}}"#)
}

#[test]
fn tensors_are_listed_in_the_order_of_the_header() {
    let header = format!(
        r#"{{"__metadata__":{{"format":"pt","dtype":"any"}},"b":{},"a":{},"none":{}}}  "#,
        entry("F16", "[2,3]", 4, 16),
        entry("I32", "[]", 0, 4),
        entry("F32", "[0,5]", 4, 4),
    );
    let file = file(&header, 16);
    let checkpoint = Checkpoint::open(&file).unwrap();
    let names: Vec<&str> = checkpoint
        .tensors
        .iter()
        .map(|tensor| tensor.name.as_str())
        .collect();
    assert_eq!(names, ["b", "a", "none"]);
    let tensor = checkpoint.tensors[0].locate(&file).unwrap();
    let start = 8 + header.len() as u64 + 4;
    assert_eq!(tensor.dtype, Dtype::F16);
    assert_eq!((tensor.shape, tensor.strides), (vec![2, 3], vec![3, 1]));
    assert_eq!(tensor.byte_range, start..start + 12);
    assert_eq!(
        checkpoint.tensors[2].locate(&file).unwrap().byte_range,
        start..start
    );
}

#[test]
fn a_tensor_of_an_unknown_type_is_skipped() {
    let header = format!(
        r#"{{"scale":{},"w":{}}}"#,
        entry("F4", "[3]", 0, 2),
        entry("BF16", "[1]", 2, 4)
    );
    let checkpoint = Checkpoint::open(&file(&header, 4)).unwrap();
    assert_eq!(checkpoint.tensors.len(), 1);
    assert_eq!(
        checkpoint.skipped,
        [SkippedTensor {
            name: "scale".to_owned(),
            reason: "is of the type `F4`".to_owned()
        }]
    );
}

#[test]
fn holes_and_trailing_bytes_are_refused_as_by_the_library() {
    let header = |offsets: &[(u64, u64)]| {
        let entries = (0..).zip(offsets).map(|(number, &(begin, end))| {
            let elements = end - begin;
            format!(
                "\"t{number}\":{}",
                entry("U8", &format!("[{elements}]"), begin, end)
            )
        });
        format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
    };
    for (offsets, data, problem) in [
        (
            &[(2, 4)][..],
            4,
            "tensor `t0` is at bytes 2 to 4, but the tensors before it end at byte 0 (`InvalidOffset`",
        ),
        (
            &[(0, 2), (3, 4)],
            4,
            "tensor `t1` is at bytes 3 to 4, but the tensors before it end at byte 2 (`InvalidOffset`",
        ),
        (
            &[(0, 4)],
            5,
            "its tensors end at byte 4 of 5 (`MetadataIncompleteBuffer`",
        ),
        (
            &[],
            1,
            "its tensors end at byte 0 of 1 (`MetadataIncompleteBuffer`",
        ),
    ] {
        let expected = format!("m.safetensors is damaged: {problem} of safetensors)");
        assert_eq!(refused(&header(offsets), data), expected);
        let bytes = file(&header(offsets), data)
            .read_all()
            .unwrap()
            .into_owned();
        assert!(safetensors::SafeTensors::deserialize(&bytes).is_err());
    }
    for (offsets, data) in [(&[][..], 0), (&[(2, 4), (0, 2), (2, 2)], 4)] {
        let file = file(&header(offsets), data);
        assert!(Checkpoint::open(&file).is_ok());
        assert!(safetensors::SafeTensors::deserialize(&file.read_all().unwrap()).is_ok());
    }
}

#[test]
fn metadata_must_be_strings() {
    for (metadata, is_read) in [
        (r#"{"format": "pt"}"#, true),
        ("null", true),
        ("{}", true),
        (r#"{"format": 1}"#, false),
        (r#"["pt"]"#, false),
        (r#""pt""#, false),
        (r#"{}, "__metadata__": {}"#, false),
    ] {
        let file = file(&format!("{{\"__metadata__\": {metadata}}}"), 0);
        assert_eq!(Checkpoint::open(&file).is_ok(), is_read, "{metadata}");
        let bytes = file.read_all().unwrap();
        assert_eq!(
            safetensors::SafeTensors::deserialize(&bytes).is_ok(),
            is_read,
            "{metadata}"
        );
    }
}

#[test]
fn malformed_headers_are_refused() {
    let length = |length: u64| {
        let bytes = [length.to_le_bytes().as_slice(), b"{}"].concat();
        let file = MemoryFile::new("m.safetensors", bytes);
        Checkpoint::open(&file)
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    assert_eq!(length(2), Ok(()));
    assert_eq!(
        length(3),
        Err("m.safetensors is damaged: its header claims 3 bytes, and the file has 10".to_owned())
    );
    assert_eq!(
        length(u64::MAX),
        Err(
            "m.safetensors is damaged: its header claims 18446744073709551615 bytes, but at most 100000000 are allowed"
                .to_owned()
        )
    );
    assert_eq!(
        refused("{", 0),
        "m.safetensors is damaged: its header: EOF while parsing an object at line 1 column 1"
    );
    assert!(refused("{} x", 0).contains("trailing characters"));
    assert!(
        refused(&format!(r#"{{"a":{}"#, "[".repeat(100_000)), 0)
            .starts_with("m.safetensors is damaged")
    );
    assert!(refused(r#"{"a":{"dtype":"F16"}}"#, 0).contains("missing field `shape`"));
    let bytes = [8_u64.to_le_bytes().as_slice(), b"{\"\xff\":{}}"].concat();
    assert!(Checkpoint::open(&MemoryFile::new("m.safetensors", bytes)).is_err());
}

#[test]
fn contradictory_tensors_are_refused() {
    let refused_of = |entry: String, data| refused(&format!(r#"{{"w":{entry}}}"#), data);
    let refused = |entry: String| refused_of(entry, 8);
    assert_eq!(
        refused(entry("F16", "[2]", 0, 9)),
        "m.safetensors is damaged: tensor `w` is at bytes 0 to 9 of 8"
    );
    assert_eq!(
        refused(entry("F16", "[2]", 4, 0)),
        "m.safetensors is damaged: tensor `w` is at bytes 4 to 0 of 8"
    );
    assert_eq!(
        refused(entry("F16", "[2]", u64::MAX - 3, u64::MAX)),
        "m.safetensors is damaged: tensor `w` is at bytes 18446744073709551612 to 18446744073709551615 of 8"
    );
    let refused = |entry: String| refused_of(entry, 4);
    assert_eq!(
        refused(entry("F16", "[3]", 0, 4)),
        "m.safetensors is damaged: tensor `w` reaches to byte 6 of a storage of 4 bytes"
    );
    assert_eq!(
        refused(entry("F16", "[1]", 0, 4)),
        "m.safetensors is damaged: tensor `w` of shape [1] has 2 bytes, and `data_offsets` gives it 4 \
         (`TensorInvalidInfo` of safetensors)"
    );
    for shape in [
        "[4294967296,4294967296]",
        "[18446744073709551615]",
        "[4611686018427387904,2,0,4]",
    ] {
        let error = refused(entry("F16", shape, 0, 4));
        assert!(
            error.starts_with("m.safetensors is damaged: tensor `w` of shape ["),
            "{error}"
        );
    }
    for shape in ["[-1]", "[1.5]", "[18446744073709551616]", "7", "[[1]]"] {
        assert!(
            refused(entry("F16", shape, 0, 4))
                .starts_with("m.safetensors is damaged: its header: ")
        );
    }
    assert!(
        refused(entry("F16", &format!("[1{}]", ",1".repeat(64)), 0, 2))
            .contains("a shape has more than 64 sizes")
    );
}

#[test]
fn two_tensors_never_share_bytes() {
    let w = entry("F16", "[2]", 0, 4);
    assert_eq!(
        refused(
            &format!(r#"{{"v":{},"w":{w}}}"#, entry("F16", "[2]", 2, 6)),
            8
        ),
        "m.safetensors is damaged: tensor `v` is at bytes 2 to 6, but the tensors before it end at byte 4 \
         (`InvalidOffset` of safetensors)"
    );
}

#[test]
fn of_two_tensors_with_one_name_the_last_counts_as_in_the_library() {
    let twice = |last: String| format!(r#"{{"w":{},"w":{last}}}"#, entry("F16", "[2]", 0, 4));
    let same = file(&twice(entry("BF16", "[2]", 0, 4)), 4);
    assert_eq!(
        Checkpoint::open(&same).unwrap().find("w").unwrap().dtype,
        Dtype::BF16
    );
    assert!(refused(&twice(entry("F16", "[2]", 4, 8)), 8).contains("`InvalidOffset`"));
}

#[test]
fn a_truncated_file_is_refused() {
    let header = format!(r#"{{"w":{}}}"#, entry("F16", "[2]", 0, 4));
    let file = file(&header, 4);
    let bytes = file.read_all().unwrap();
    for length in 0..bytes.len() {
        let truncated = MemoryFile::new("m.safetensors", bytes[..length].to_vec());
        assert!(Checkpoint::open(&truncated).is_err(), "{length}");
    }
}
