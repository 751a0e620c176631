use super::*;
use crate::formats::checkpoint::dtype::Dtype;
use crate::formats::checkpoint::open::Checkpoint;
use crate::formats::checkpoint::tensor::TensorInfo;
use crate::formats::checkpoint::torch_object::pickled::{MATRIX, Pickled, dict, pickle};
use crate::source::MemoryFile;

/// An entry to be written. The defaults make a valid archive.
#[derive(Clone)]
struct EntryParts {
    name: String,
    local_name: String,
    data: Vec<u8>,
    method: u16,
    flags: u16,
    /// The size in the local header.
    local_size: u32,
    /// The size in the directory.
    size: u32,
    /// Bytes of padding in the extra field of the local header.
    padding: u16,
    /// Added to the length of the extra field.
    overlong: u16,
    extra: Vec<u8>,
    /// The offset in the directory, instead of the true one.
    header_at: Option<u32>,
}

impl EntryParts {
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

/// Returns the entries of a checkpoint that holds [`MATRIX`] as "w", with elements 0, 1, 2, ….
fn entries() -> Vec<EntryParts> {
    let data: Vec<u8> = (0..6_u16).flat_map(u16::to_le_bytes).collect();
    let mut storage = EntryParts::new("a/data/0", &data);
    storage.padding = 9;
    vec![
        EntryParts::new("a/data.pkl", &pickle(&dict(&[("w", MATRIX.opcodes())]))),
        EntryParts::new("a/byteorder", b"little"),
        storage,
        EntryParts::new("a/version", b"3\n"),
    ]
}

/// The records at the end of an archive. The defaults make a valid archive.
#[derive(Default)]
struct Ending {
    comment: Vec<u8>,
    zip64: bool,
    /// Added to the number of entries.
    miscount: u16,
    /// Added to the length of the directory.
    overlong: u32,
}

fn archive(entries: &[EntryParts], ending: &Ending) -> MemoryFile {
    let mut file = Vec::new();
    let mut directory = Vec::new();
    for part in entries {
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
    let count = entries.len() as u16 + ending.miscount;
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
fn assert_is_read(file: &MemoryFile) {
    let tensor = locate(file).unwrap();
    assert_eq!((tensor.dtype, tensor.shape), (Dtype::F16, vec![3, 2]));
    let bytes = file.read(tensor.byte_range).unwrap();
    assert_eq!(*bytes, [0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0]);
}

/// Returns the error for an archive in which `change` was applied to the entry with this name.
fn refused(name: &str, change: impl FnOnce(&mut EntryParts)) -> String {
    let mut entries = entries();
    change(entries.iter_mut().find(|part| part.name == name).unwrap());
    locate(&archive(&entries, &Ending::default()))
        .unwrap_err()
        .to_string()
}

#[test]
fn archives_from_torch_and_zip_tools_are_read() {
    assert_is_read(&archive(&entries(), &Ending::default()));
    assert_is_read(&archive(
        &entries(),
        &Ending {
            zip64: true,
            ..Ending::default()
        },
    ));
    // A comment that contains the signature of the record before it.
    let comment = [b"note PK\x05\x06".as_slice(), &[0; 40]].concat();
    assert_is_read(&archive(
        &entries(),
        &Ending {
            comment,
            ..Ending::default()
        },
    ));
    let comment = vec![b'x'; 0xffff];
    assert_is_read(&archive(
        &entries(),
        &Ending {
            comment,
            ..Ending::default()
        },
    ));
    // Without a byte order, as before torch 2.1.
    let mut old = entries();
    old.remove(1);
    assert_is_read(&archive(&old, &Ending::default()));
    // Sizes that follow the data, and sizes and offsets in the zip64 field.
    let mut late = entries();
    late[2].flags = 8;
    late[2].local_size = 0;
    assert_is_read(&archive(&late, &Ending::default()));
    let mut wide = entries();
    let at = archive(&entries()[..2], &Ending::default());
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
    assert_is_read(&archive(&wide, &Ending::default()));
}

/// Returns the offset of the directory, where a further entry would start.
fn find_directory_start(file: &MemoryFile) -> u64 {
    let bytes = file.read_all().unwrap();
    let record = &bytes[bytes.len() - 22..];
    u32::from_le_bytes(record[16..20].try_into().unwrap()).into()
}

#[test]
fn only_the_located_storage_is_read() {
    // The second storage has a wrong local header, which is not read when the first tensor is located.
    let mut entries = entries();
    entries[0] = EntryParts::new(
        "a/data.pkl",
        &pickle(&dict(&[
            ("w", MATRIX.opcodes()),
            ("x", Pickled { key: "1", ..MATRIX }.opcodes()),
        ])),
    );
    entries.push(EntryParts::new("a/data/1", &[0; 12]));
    entries[4].local_name = "a/data/2".to_owned();
    let file = archive(&entries, &Ending::default());
    assert_is_read(&file);
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
fn unsupported_archives_are_refused() {
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
            EntryParts::new("a/byteorder", b"big")),
        "m.bin is not supported: its elements are big-endian, but only little-endian elements are supported"
    );
    assert_eq!(
        refused("a/byteorder", |part| *part =
            EntryParts::new("a/byteorder", b"\xff")),
        "m.bin is damaged: its byte order must be `little` or `big`, not `\u{fffd}`"
    );
    assert_eq!(
        refused("a/data.pkl", |part| *part =
            EntryParts::new("a/weights.npy", b"")),
        "m.bin is not supported: it is a zip archive without a `data.pkl`, so it is not a torch checkpoint"
    );
    assert_eq!(
        refused("a/version", |part| *part =
            EntryParts::new("b/data.pkl", b"")),
        "m.bin is damaged: it has more than one `data.pkl`"
    );
}

#[test]
fn wrong_sizes_and_offsets_are_refused() {
    assert_eq!(
        refused("a/data/0", |part| part.size = 10),
        "m.bin is damaged: `a/data/0` has 10 bytes, and its storage has 6 elements of 2"
    );
    assert_eq!(
        refused("a/data/0", |part| part.local_size = 10),
        "m.bin is damaged: the local header of `a/data/0` gives a size of 10 bytes, but the directory gives 12"
    );
    let error = refused("a/data/0", |part| part.overlong = 1);
    assert!(
        error.starts_with(
            "m.bin is damaged: the local header of `a/data/0` leaves no room for 12 bytes before byte "
        ),
        "{error}"
    );
    // More bytes than fit before the next entry.
    let error = refused("a/data/0", |part| part.size = 1 << 30);
    assert!(
        error.starts_with("m.bin is damaged: `a/data/0` has 1073741824 bytes from byte "),
        "{error}"
    );
    // A header inside another entry, in the directory, or beyond the end of the file.
    for at in [0, 10, 400, 600, u32::MAX - 1] {
        let error = refused("a/data/0", |part| part.header_at = Some(at));
        assert!(error.starts_with("m.bin is damaged: "), "{at}: {error}");
    }
    // Sizes that are in a zip64 field, which is missing or too short.
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
fn a_wrong_directory_is_refused() {
    let refused = |ending: Ending| {
        locate(&archive(&entries(), &ending))
            .unwrap_err()
            .to_string()
    };
    for zip64 in [false, true] {
        assert_eq!(
            refused(Ending {
                miscount: 1,
                zip64,
                ..Ending::default()
            }),
            "m.bin is damaged: its zip directory has 4 entries, but claims 5"
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
            huge.ends_with(" bytes, but at most 67108864 are allowed"),
            "{huge}"
        );
    }
    // Sets each byte of the records at the end to extreme values: the result is an error or the right tensor.
    let file = archive(
        &entries(),
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
                assert_is_read(&file);
            }
        }
    }
}

#[test]
fn a_truncated_archive_is_refused() {
    let file = archive(&entries(), &Ending::default());
    let bytes = file.read_all().unwrap();
    for length in 0..bytes.len() {
        let truncated = MemoryFile::new("m.bin", bytes[..length].to_vec());
        assert!(Checkpoint::open(&truncated).is_err(), "{length}");
    }
    let half = MemoryFile::new("m.bin", bytes[..bytes.len() / 2].to_vec());
    assert_eq!(
        Checkpoint::open(&half).unwrap_err().to_string(),
        "m.bin is damaged: it is a zip archive without a directory at its end, like an incomplete download"
    );
}
