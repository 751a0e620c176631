//! Checkpoints and shard indexes made to attack the program, each with the error it must cause.

use tokscope::formats::checkpoint::{Checkpoint, ShardIndex};
use tokscope::source::MemoryFile;

use crate::TOO_MUCH;
use crate::memory::{MAX_SMALL, with_peak};
use crate::targets::archive;

/// Opens a checkpoint and checks that this takes less than `limit` bytes of memory. Returns the error message.
fn checkpoint_sentence(bytes: Vec<u8>, limit: usize) -> String {
    let file = MemoryFile::new("checkpoint", bytes);
    let (outcome, held) = with_peak(|| Checkpoint::open(&file).map(drop));
    assert!(held < limit, "{held} bytes");
    outcome.map_or_else(|error| error.to_string(), |()| "it opens".to_owned())
}

/// Opens a torch checkpoint with this pickle in a valid archive. Returns the error message.
fn pickle_sentence(pickle: &[u8]) -> String {
    let bytes = archive(&[("a/data.pkl", pickle), ("a/data/0", &[0; 64])]);
    checkpoint_sentence(bytes, TOO_MUCH)
}

/// Opens a safetensors file with this header and no data. Returns the error message.
pub fn header_sentence(header: &str) -> String {
    let bytes = [&(header.len() as u64).to_le_bytes(), header.as_bytes()].concat();
    checkpoint_sentence(bytes, TOO_MUCH)
}

#[test]
fn a_pickle_with_a_memo_bomb_is_refused() {
    // `q` memoizes a value, `h` pushes it again: lists of lists of lists, each a hundred times as large if it were copied.
    let mut pickle = b"\x80\x02]q\x00".to_vec();
    for level in 0..250_u8 {
        pickle.extend([b']', b'q', level + 1, b'(']);
        pickle.extend([b'h', level].repeat(100));
        pickle.push(b'e');
    }
    pickle.push(b'.');
    assert!(pickle_sentence(&pickle).ends_with("holds a list, not a dictionary of tensors"));
    // Values that are memoized and never used.
    let mut pickle = b"\x80\x02N".to_vec();
    for index in 0..=1_u32 << 20 {
        pickle.push(b'r');
        pickle.extend(index.to_le_bytes());
    }
    assert!(pickle_sentence(&pickle).ends_with("has more than 1048576 memoized values"));
}

#[test]
fn a_pickle_with_a_mark_bomb_is_refused() {
    let marks = [b"\x80\x02".to_vec(), vec![b'('; 1 << 20]].concat();
    assert!(pickle_sentence(&marks).ends_with("has more than 1000 open marks"));
    let values = [b"\x80\x02(".to_vec(), vec![b'N'; 1 << 20], b"t.".to_vec()].concat();
    assert!(pickle_sentence(&values).contains("has more than 131072 values"));
}

#[test]
fn a_pickle_of_millions_of_containers_is_refused() {
    for container in [&b"]0"[..], b"}0", b"N\x850", b")0"] {
        let pickle = [
            b"\x80\x02".to_vec(),
            container.repeat(1 << 20),
            b"N.".to_vec(),
        ]
        .concat();
        let sentence = pickle_sentence(&pickle);
        let known = [
            "has more than 1048576 containers",
            "has more than 2097152 opcodes",
        ];
        let refused = known.iter().any(|known| sentence.ends_with(known));
        assert!(refused || sentence.contains("holds None"), "{sentence}");
    }
    let nested = [
        b"\x80\x02N".to_vec(),
        vec![0x85; (1 << 21) - 3],
        b".".to_vec(),
    ]
    .concat();
    assert!(pickle_sentence(&nested).ends_with("has more than 1048576 containers"));
}

#[test]
fn a_zip_bomb_is_not_unpacked() {
    let mut bytes = archive(&[("a/data.pkl", b"\x80\x02}."), ("a/data/0", &[0; 64])]);
    // Sets the method in both headers of the entry to 8, deflate.
    bytes[8] = 8;
    let at = bytes
        .windows(4)
        .position(|part| part == b"PK\x01\x02")
        .unwrap();
    bytes[at + 10] = 8;
    let sentence = checkpoint_sentence(bytes, MAX_SMALL);
    assert!(
        sentence.contains("is compressed (zip method 8), but torch does not"),
        "{sentence}"
    );
}

#[test]
fn zip_entries_that_overlap_are_refused() {
    let mut bytes = archive(&[("a/data.pkl", b"\x80\x02}."), ("a/data/0", &[0; 64])]);
    let first = bytes
        .windows(4)
        .position(|part| part == b"PK\x01\x02")
        .unwrap();
    let second = first + 46 + "a/data.pkl".len();
    // Makes the second entry start where the first one does.
    bytes[second + 42..second + 46].fill(0);
    let sentence = checkpoint_sentence(bytes, MAX_SMALL);
    assert!(sentence.contains("must end before byte 0"), "{sentence}");
}

#[test]
fn a_zip_directory_that_claims_gigabytes_is_refused() {
    let mut bytes = archive(&[("a/data.pkl", b"\x80\x02}."), ("a/data/0", &[0; 64])]);
    let end = bytes.len() - 22;
    bytes[end + 12..end + 16].fill(0xff);
    let sentence = checkpoint_sentence(bytes, MAX_SMALL);
    assert!(
        sentence.contains("its zip directory has 4294967295 bytes"),
        "{sentence}"
    );
}

#[test]
fn a_safetensors_header_of_a_million_tensors_is_refused() {
    let entry = |name| format!(r#""{name}":{{"dtype":"F16","shape":[],"data_offsets":[0,0]}}"#);
    let entries: Vec<String> = (0..1 << 20).map(entry).collect();
    let sentence = header_sentence(&format!("{{{}}}", entries.join(",")));
    assert!(
        sentence.contains("its header: it has more than 524288 names"),
        "{sentence}"
    );
}

#[test]
fn a_contradictory_safetensors_header_is_refused() {
    for (header, problem) in [
        (
            r#"{"a":{"dtype":"F16","shape":[4294967296,4294967296,2],"data_offsets":[0,0]}}"#,
            "too large for 64-bit sizes",
        ),
        (
            r#"{"a":{"dtype":"F16","shape":[18446744073709551616],"data_offsets":[0,0]}}"#,
            "invalid",
        ),
        (
            r#"{"a":{"dtype":"F16","shape":[-1],"data_offsets":[0,0]}}"#,
            "invalid value",
        ),
        (
            r#"{"a":{"dtype":"F16","shape":[1e3],"data_offsets":[0,0]}}"#,
            "invalid type",
        ),
        (
            r#"{"a":{"dtype":"F16","shape":[NaN],"data_offsets":[0,0]}}"#,
            "expected value",
        ),
        (
            r#"{"a":{"dtype":"F16","shape":[],"data_offsets":[0,18446744073709551615]}}"#,
            "is at bytes 0 to",
        ),
        (
            r#"{"a":{"dtype":"F16","shape":[],"data_offsets":[0,0]},"a":{}}"#,
            "missing field `dtype`",
        ),
    ] {
        let sentence = header_sentence(header);
        assert!(sentence.contains(problem), "{sentence}");
    }
    let deep = format!(
        r#"{{"__metadata__":{}{}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert!(header_sentence(&deep).contains("invalid type: sequence"));
    let name = [&7_u64.to_le_bytes()[..], b"{\"\xff\":0}"].concat();
    assert!(checkpoint_sentence(name, MAX_SMALL).contains("its header: "));
}

#[test]
fn an_index_of_a_million_tensors_is_refused() {
    let entries: Vec<String> = (0..1 << 20)
        .map(|name| format!(r#""{name}":"b""#))
        .collect();
    let json = format!(r#"{{"weight_map":{{{}}}}}"#, entries.join(","));
    let (error, held) = with_peak(|| ShardIndex::parse("index", json.as_bytes()).unwrap_err());
    assert!(
        error.to_string().contains("it has more than 524288 names"),
        "{error}"
    );
    assert!(held < TOO_MUCH, "{held} bytes");
}
