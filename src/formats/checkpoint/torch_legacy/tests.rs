use super::*;
use crate::formats::checkpoint::dtype::Dtype;
use crate::formats::checkpoint::open::Checkpoint;
use crate::formats::checkpoint::tensor::TensorInfo;
use crate::formats::checkpoint::torch_object::pickled::{MATRIX, Pickled, dict, pickle, string};
use crate::source::MemoryFile;

const SYSTEM: &[u8] = b"}(\x8c\x0dlittle_endian\x88\x8c\x0atype_sizes}u";

/// The parts of a file that holds [`MATRIX`] as "w", with elements 0, 1, 2, …, after another storage "1".
struct Parts {
    magic: Vec<u8>,
    protocol: Vec<u8>,
    system: Vec<u8>,
    object: Vec<u8>,
    keys: Vec<u8>,
    payload: Vec<u8>,
}

fn parts() -> Parts {
    let other = Pickled {
        key: "1",
        elements: 1,
        shape: &[],
        strides: &[],
        ..MATRIX
    };
    let keys = [b"](".as_slice(), &string("1"), &string("0"), b"e"].concat();
    let mut payload = 1_i64.to_le_bytes().to_vec();
    payload.extend(b"\xff\xff");
    payload.extend(6_i64.to_le_bytes());
    payload.extend((0..6_u16).flat_map(u16::to_le_bytes));
    Parts {
        magic: [MAGIC, b"."].concat(),
        protocol: pickle(b"M\xe9\x03"),
        system: pickle(SYSTEM),
        object: pickle(&dict(&[("w", MATRIX.opcodes()), ("x", other.opcodes())])),
        keys: pickle(&keys),
        payload,
    }
}

fn file(change: impl FnOnce(&mut Parts)) -> MemoryFile {
    let mut parts = parts();
    change(&mut parts);
    let bytes = [
        parts.magic,
        parts.protocol,
        parts.system,
        parts.object,
        parts.keys,
        parts.payload,
    ];
    MemoryFile::new("m.bin", bytes.concat())
}

fn locate(file: &MemoryFile) -> Result<TensorInfo> {
    Checkpoint::open(file)?.find("w").unwrap().locate(file)
}

fn refused(change: impl FnOnce(&mut Parts)) -> String {
    locate(&file(change)).unwrap_err().to_string()
}

#[test]
fn a_tensor_is_found_after_the_other_storages() {
    let file = file(|_| ());
    let tensor = locate(&file).unwrap();
    assert_eq!((tensor.dtype, tensor.shape), (Dtype::F16, vec![3, 2]));
    let bytes = file.read(tensor.byte_range).unwrap();
    assert_eq!(*bytes, [0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0]);
    let checkpoint = Checkpoint::open(&file).unwrap();
    let scalar = checkpoint.find("x").unwrap().locate(&file).unwrap();
    assert_eq!(*file.read(scalar.byte_range).unwrap(), [0xff, 0xff]);
}

#[test]
fn pickles_longer_than_the_first_read_are_read() {
    let file = file(|parts| {
        let note = string(&"x".repeat(3 * FIRST_READ as usize));
        parts.object = pickle(&dict(&[
            ("note", note),
            ("w", MATRIX.opcodes()),
            (
                "x",
                Pickled {
                    key: "1",
                    elements: 1,
                    shape: &[],
                    strides: &[],
                    ..MATRIX
                }
                .opcodes(),
            ),
        ]));
    });
    assert_eq!(locate(&file).unwrap().shape, [3, 2]);
}

#[test]
fn unsupported_headers_are_refused() {
    assert_eq!(
        refused(|parts| parts.magic = [MAGIC, b"0N."].concat()),
        "m.bin is damaged: its magic number is not the one that torch writes"
    );
    assert_eq!(
        refused(|parts| parts.protocol = pickle(b"K\x01")),
        "m.bin is not supported: its protocol is not torch's 1001"
    );
    assert_eq!(
        refused(|parts| parts.system = pickle(b"}\x8c\x0dlittle_endian\x89s")),
        "m.bin is not supported: its elements are big-endian, but only little-endian elements are supported"
    );
    assert_eq!(
        refused(|parts| parts.system = pickle(b"N")),
        "m.bin is damaged: it does not give its byte order"
    );
}

#[test]
fn contradictory_storages_are_refused() {
    let keys = |keys: &[&str]| {
        let opcodes: Vec<u8> = keys.iter().flat_map(|key| string(key)).collect();
        pickle(&[b"](", opcodes.as_slice(), b"e"].concat())
    };
    assert_eq!(
        refused(|parts| parts.keys = keys(&["0"])),
        "m.bin is damaged: tensor `x` has no storage in the file"
    );
    assert_eq!(
        refused(|parts| parts.keys = keys(&["1", "2", "0"])),
        "m.bin is damaged: no tensor uses the storage `2`"
    );
    assert_eq!(
        refused(|parts| parts.keys = keys(&["1", "1", "0"])),
        "m.bin is damaged: the storage `1` is listed twice"
    );
    assert_eq!(
        refused(|parts| parts.keys = pickle(b"]K\x01a")),
        "m.bin is damaged: the key of a storage must be a string, not an integer"
    );
    assert_eq!(
        refused(|parts| parts.keys = pickle(b"N")),
        "m.bin is damaged: it has no list of storages"
    );
    // A wrong order, revealed by the element counts before the storages.
    assert!(refused(|parts| parts.keys = keys(&["0", "1"])).starts_with(
        "m.bin is damaged: the storage `0` has 6 elements according to the pickle, and 1 according to its header"
    ));
    assert_eq!(
        refused(|parts| parts.payload[10..18].fill(0xff)),
        "m.bin is damaged: the storage `0` has 6 elements according to the pickle, and -1 according to its header"
    );
    let error = refused(|parts| parts.payload.truncate(29));
    assert!(
        error.starts_with("m.bin is damaged: the storage `0` of 6 elements extends beyond the "),
        "{error}"
    );
}

#[test]
fn a_truncated_file_is_refused() {
    let file = file(|_| ());
    let bytes = file.read_all().unwrap();
    for length in 0..bytes.len() {
        let truncated = MemoryFile::new("m.bin", bytes[..length].to_vec());
        assert!(Checkpoint::open(&truncated).is_err(), "{length}");
    }
    let truncated = MemoryFile::new("m.bin", bytes[..100].to_vec());
    assert!(
        Checkpoint::open(&truncated)
            .unwrap_err()
            .to_string()
            .starts_with("m.bin is damaged: its pickle ends early")
    );
}
