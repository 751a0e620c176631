use super::*;
use crate::formats::checkpoint::dtype::Dtype;
use crate::formats::checkpoint::open::Checkpoint;
use crate::formats::checkpoint::tensor::TensorInfo;
use crate::formats::checkpoint::torch_object::tests::{MATRIX, Pickled, dict, pickle};
use crate::source::bytes::MemoryFile;

/// One entry as it is written; the defaults are those of a sound archive.
#[derive(Clone)]
struct Part {
    name: String,
    local_name: String,
    data: Vec<u8>,
    method: u16,
    flags: u16,
    /// Written in the local header and the directory instead of the data's length.
    local_size: u32,
    size: u32,
    /// Padding in the local header's extra field.
    padding: u16,
    /// Added to the length of that field.
    overlong: u16,
    extra: Vec<u8>,
    /// Written in the directory instead of the true place.
    header_at: Option<u32>,
}

impl Part {
    fn new(name: &str, data: &[u8]) -> Self {
        Self {
            name: name.to_owned(),
            local_name: name.to_owned(),
            data: data.to_vec(),
            method: 0,
            flags: 0,
            local_size: data.len() as u32,
            size: data.len() as u32,
            padding: 0,
            overlong: 0,
            extra: Vec::new(),
            header_at: None,
        }
    }
}

/// The parts of a checkpoint that holds [`MATRIX`] as "w", its elements 0, 1, 2, ….
fn parts() -> Vec<Part> {
    let data: Vec<u8> = (0..6_u16).flat_map(u16::to_le_bytes).collect();
    let mut storage = Part::new("a/data/0", &data);
    storage.padding = 9;
    vec![
        Part::new("a/data.pkl", &pickle(&dict(&[("w", MATRIX.opcodes())]))),
        Part::new("a/byteorder", b"little"),
        storage,
        Part::new("a/version", b"3\n"),
    ]
}

#[derive(Default)]
struct Ending {
    comment: Vec<u8>,
    zip64: bool,
    /// Added to the number of entries.
    miscount: u16,
    /// Added to the directory's length.
    overlong: u32,
}

fn archive(parts: &[Part], ending: &Ending) -> MemoryFile {
    let mut file = Vec::new();
    let mut directory = Vec::new();
    for part in parts {
        let at = part.header_at.unwrap_or(file.len() as u32);
        file.extend(b"PK\x03\x04\0\0");
        file.extend(part.flags.to_le_bytes());
        file.extend(part.method.to_le_bytes());
        file.extend([0; 8]);
        file.extend(part.local_size.to_le_bytes());
        file.extend(part.local_size.to_le_bytes());
        file.extend((part.local_name.len() as u16).to_le_bytes());
        file.extend((part.padding + part.overlong).to_le_bytes());
        file.extend(part.local_name.as_bytes());
        file.extend(vec![b'Z'; part.padding.into()]);
        file.extend(&part.data);

        directory.extend(b"PK\x01\x02\0\0\0\0");
        directory.extend(part.flags.to_le_bytes());
        directory.extend(part.method.to_le_bytes());
        directory.extend([0; 8]);
        directory.extend(part.size.to_le_bytes());
        directory.extend(part.size.to_le_bytes());
        directory.extend((part.name.len() as u16).to_le_bytes());
        directory.extend((part.extra.len() as u16).to_le_bytes());
        directory.extend([0; 10]);
        directory.extend(at.to_le_bytes());
        directory.extend(part.name.as_bytes());
        directory.extend(&part.extra);
    }
    let start = file.len();
    let count = parts.len() as u16 + ending.miscount;
    let length = directory.len() as u32 + ending.overlong;
    file.extend(directory);
    if ending.zip64 {
        let at = file.len() as u64;
        file.extend(b"PK\x06\x06");
        file.extend([0; 20]);
        file.extend(u64::from(count).to_le_bytes());
        file.extend(u64::from(count).to_le_bytes());
        file.extend(u64::from(length).to_le_bytes());
        file.extend((start as u64).to_le_bytes());
        file.extend(b"PK\x06\x07\0\0\0\0");
        file.extend(at.to_le_bytes());
        file.extend([1, 0, 0, 0]);
        file.extend(b"PK\x05\x06");
        file.extend([0xff; 16]);
    } else {
        file.extend(b"PK\x05\x06\0\0\0\0");
        file.extend(count.to_le_bytes());
        file.extend(count.to_le_bytes());
        file.extend(length.to_le_bytes());
        file.extend((start as u32).to_le_bytes());
    }
    file.extend((ending.comment.len() as u16).to_le_bytes());
    file.extend(&ending.comment);
    MemoryFile::new("m.bin", file)
}

fn locate(file: &MemoryFile) -> Result<TensorInfo> {
    Checkpoint::open(file)?.find("w").unwrap().locate(file)
}

#[track_caller]
fn is_read(file: &MemoryFile) {
    let tensor = locate(file).unwrap();
    assert_eq!((tensor.dtype, tensor.shape), (Dtype::F16, vec![3, 2]));
    let bytes = file.read(tensor.byte_range).unwrap();
    assert_eq!(*bytes, [0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0]);
}

/// The error for an archive of which `change` changed the part of that name.
fn refused(name: &str, change: impl FnOnce(&mut Part)) -> String {
    let mut parts = parts();
    change(parts.iter_mut().find(|part| part.name == name).unwrap());
    locate(&archive(&parts, &Ending::default()))
        .unwrap_err()
        .to_string()
}

#[test]
fn archives_that_torch_and_zip_tools_write() {
    is_read(&archive(&parts(), &Ending::default()));
    is_read(&archive(
        &parts(),
        &Ending {
            zip64: true,
            ..Ending::default()
        },
    ));
    // A comment that holds the signature of the record it belongs to.
    let comment = [b"note PK\x05\x06".as_slice(), &[0; 40]].concat();
    is_read(&archive(
        &parts(),
        &Ending {
            comment,
            ..Ending::default()
        },
    ));
    let comment = vec![b'x'; 0xffff];
    is_read(&archive(
        &parts(),
        &Ending {
            comment,
            ..Ending::default()
        },
    ));
    // Without a byte order, as before torch 2.1.
    let mut old = parts();
    old.remove(1);
    is_read(&archive(&old, &Ending::default()));
    // Sizes that follow the data, and sizes and places in the zip64 field.
    let mut late = parts();
    late[2].flags = 8;
    late[2].local_size = 0;
    is_read(&archive(&late, &Ending::default()));
    let mut wide = parts();
    let at = archive(&parts()[..2], &Ending::default());
    let at = find_directory_start(&at);
    wide[2].size = u32::MAX;
    wide[2].local_size = u32::MAX;
    wide[2].header_at = Some(u32::MAX);
    wide[2].extra = [
        b"FB\x01\x00x\x01\x00\x18\x00".as_slice(),
        &12_u64.to_le_bytes(),
        &12_u64.to_le_bytes(),
        &at.to_le_bytes(),
    ]
    .concat();
    is_read(&archive(&wide, &Ending::default()));
}

/// Where the directory of an archive starts, which is where a further part would.
fn find_directory_start(file: &MemoryFile) -> u64 {
    let bytes = file.read_all().unwrap();
    let record = &bytes[bytes.len() - 22..];
    u32::from_le_bytes(record[16..20].try_into().unwrap()).into()
}

#[test]
fn only_the_wanted_storage_is_touched() {
    // The second storage has no local header at all: nobody looks as long as only the first is wanted.
    let mut parts = parts();
    parts[0] = Part::new(
        "a/data.pkl",
        &pickle(&dict(&[
            ("w", MATRIX.opcodes()),
            ("x", Pickled { key: "1", ..MATRIX }.opcodes()),
        ])),
    );
    parts.push(Part::new("a/data/1", &[0; 12]));
    parts[4].local_name = "a/data/2".to_owned();
    let file = archive(&parts, &Ending::default());
    is_read(&file);
    let checkpoint = Checkpoint::open(&file).unwrap();
    assert_eq!(checkpoint.tensors.len(), 2);
    assert_eq!(
        checkpoint
            .find("x")
            .unwrap()
            .locate(&file)
            .unwrap_err()
            .to_string(),
        "m.bin is damaged: the local header of `a/data/1` has a different name"
    );
}

#[test]
fn kinds_of_archives_that_are_not_read() {
    assert_eq!(
        refused("a/data/0", |part| part.method = 8),
        "m.bin is not supported: `a/data/0` is compressed (zip method 8), but torch does not compress entries"
    );
    assert_eq!(
        refused("a/data.pkl", |part| part.flags = 1),
        "m.bin is not supported: `a/data.pkl` is encrypted"
    );
    assert_eq!(
        refused("a/byteorder", |part| *part =
            Part::new("a/byteorder", b"big")),
        "m.bin is not supported: its elements are big-endian, and only little-endian elements are supported"
    );
    assert_eq!(
        refused("a/byteorder", |part| *part =
            Part::new("a/byteorder", b"\xff")),
        "m.bin is damaged: its byte order must be `little` or `big`, not `\u{fffd}`"
    );
    assert_eq!(
        refused("a/data.pkl", |part| *part = Part::new("a/weights.npy", b"")),
        "m.bin is not supported: it is a zip archive without a `data.pkl`, so it is not a torch checkpoint"
    );
    assert_eq!(
        refused("a/version", |part| *part = Part::new("b/data.pkl", b"")),
        "m.bin is damaged: it has more than one `data.pkl`"
    );
}

#[test]
fn lies_about_sizes_and_places() {
    assert_eq!(
        refused("a/data/0", |part| part.size = 10),
        "m.bin is damaged: `a/data/0` has 10 bytes, and its storage has 6 elements of 2"
    );
    assert_eq!(
        refused("a/data/0", |part| part.local_size = 10),
        "m.bin is damaged: the local header of `a/data/0` gives a size of 10 bytes, and the directory 12"
    );
    let error = refused("a/data/0", |part| part.overlong = 1);
    assert!(
        error.starts_with(
            "m.bin is damaged: the local header of `a/data/0` leaves no room for 12 bytes before byte "
        ),
        "{error}"
    );
    // More bytes than there are up to the next entry.
    let error = refused("a/data/0", |part| part.size = 1 << 30);
    assert!(
        error.starts_with("m.bin is damaged: `a/data/0` has 1073741824 bytes from byte "),
        "{error}"
    );
    // A header inside another entry, in the directory, beyond the file.
    for at in [0, 10, 400, 600, u32::MAX - 1] {
        let error = refused("a/data/0", |part| part.header_at = Some(at));
        assert!(error.starts_with("m.bin is damaged: "), "{at}: {error}");
    }
    // Sizes that are said to be in a zip64 field which is not there, or too short.
    for extra in [
        b"".as_slice(),
        b"\x01\x00\x08\x00\x0c\0\0\0\0\0\0\0",
        b"\x01\x00\xff\xff\0",
    ] {
        let error = refused("a/data/0", |part| {
            part.size = u32::MAX;
            part.extra = extra.to_vec();
        });
        assert_eq!(
            error,
            "m.bin is damaged: entry 2 of its zip directory is malformed"
        );
    }
    assert_eq!(
        refused("a/version", |part| part.name = "a/data/0".to_owned()),
        "m.bin is damaged: two entries have the name `a/data/0`"
    );
    assert_eq!(
        refused("a/data/0", |part| part.name = "a/data/1".to_owned()),
        "m.bin is damaged: it has no entry for the storage `0`"
    );
}

#[test]
fn lies_about_the_directory() {
    let refused = |ending: Ending| locate(&archive(&parts(), &ending)).unwrap_err().to_string();
    for zip64 in [false, true] {
        assert_eq!(
            refused(Ending {
                miscount: 1,
                zip64,
                ..Ending::default()
            }),
            "m.bin is damaged: its zip directory has 4 entries, and claims 5"
        );
        assert_eq!(
            refused(Ending {
                overlong: 1,
                zip64,
                ..Ending::default()
            }),
            "m.bin is damaged: its zip directory overlaps the records after it"
        );
        let huge = refused(Ending {
            overlong: 1 << 27,
            zip64,
            ..Ending::default()
        });
        assert!(
            huge.ends_with(" bytes, and at most 67108864 are allowed"),
            "{huge}"
        );
    }
    // Each byte of the records at the end, set to each extreme: an error or the right tensor, never a panic.
    let file = archive(
        &parts(),
        &Ending {
            zip64: true,
            ..Ending::default()
        },
    );
    let bytes = file.read_all().unwrap().into_owned();
    for at in bytes.len() - 98..bytes.len() {
        for value in [0, 1, 0x7f, 0x80, 0xff] {
            let mut changed = bytes.clone();
            changed[at] = value;
            let file = MemoryFile::new("m.bin", changed);
            if locate(&file).is_ok() {
                is_read(&file);
            }
        }
    }
}

#[test]
fn a_part_of_an_archive_says_so() {
    let file = archive(&parts(), &Ending::default());
    let bytes = file.read_all().unwrap();
    for length in 0..bytes.len() {
        let part = MemoryFile::new("m.bin", bytes[..length].to_vec());
        assert!(Checkpoint::open(&part).is_err(), "{length}");
    }
    let half = MemoryFile::new("m.bin", bytes[..bytes.len() / 2].to_vec());
    assert_eq!(
        Checkpoint::open(&half).unwrap_err().to_string(),
        "m.bin is damaged: it is a zip archive without a directory at its end, like an incomplete download"
    );
}
