//! Generates checkpoints in every container. Each holds a float32 matrix that is large enough to be read in parts.
//!
//! All elements differ, so that a read at a wrong offset is noticed.

use serde_json::json;

/// The number of rows of the matrix, the same as in the built-in model.
pub const ROWS: usize = 2064;
pub const COLUMNS: usize = 256;
/// The size of a row, in bytes.
pub const WIDTH: usize = COLUMNS * 4;
/// The size of the matrix, in bytes.
pub const SIZE: usize = ROWS * WIDTH;

/// The containers, with the name of the checkpoint file of each.
pub const CONTAINERS: [(&str, &str); 4] = [
    ("safetensors", "model.safetensors"),
    ("torch-zip", "pytorch_model.bin"),
    ("torch-legacy", "pytorch_model.bin"),
    ("gguf", "model.gguf"),
];

/// Returns the bytes of the matrix in row-major order.
pub fn matrix() -> Vec<u8> {
    let elements = (0..ROWS * COLUMNS).map(|n| n as f32 / 1024.0 + 1.0);
    elements.flat_map(f32::to_le_bytes).collect()
}

/// Returns a checkpoint in the given container that holds the matrix as `tensor`.
pub fn checkpoint(container: &str, tensor: &str) -> Vec<u8> {
    match container {
        "safetensors" => safetensors(tensor),
        "torch-zip" => torch_zip(tensor),
        "torch-legacy" => torch_legacy(tensor),
        "gguf" => gguf(tensor),
        other => panic!("no container {other}"),
    }
}

/// Returns a safetensors file of float32 tensors, each with its name, shape and elements.
pub fn float_tensors(tensors: &[(&str, &[usize], &[f32])]) -> Vec<u8> {
    let mut header = serde_json::Map::new();
    let mut data = Vec::new();
    for (name, shape, elements) in tensors {
        let start = data.len();
        data.extend(elements.iter().flat_map(|value| value.to_le_bytes()));
        let entry = json!({"dtype": "F32", "shape": shape, "data_offsets": [start, data.len()]});
        header.insert((*name).to_owned(), entry);
    }
    let header = serde_json::to_vec(&header).unwrap();
    let length = (header.len() as u64).to_le_bytes();
    [&length[..], &header, &data].concat()
}

/// The size, in bytes, of the tensors before and after the matrix. They are there so that reading too much is noticed.
const OTHER: usize = 300_000;

fn safetensors(tensor: &str) -> Vec<u8> {
    let header = json!({
        "a": { "dtype": "U8", "shape": [OTHER], "data_offsets": [0, OTHER] },
        tensor: { "dtype": "F32", "shape": [ROWS, COLUMNS], "data_offsets": [OTHER, OTHER + SIZE] },
        "z": { "dtype": "U8", "shape": [OTHER], "data_offsets": [OTHER + SIZE, 2 * OTHER + SIZE] },
    });
    let header = header.to_string();
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(vec![0xaa; OTHER]);
    bytes.extend(matrix());
    bytes.extend(vec![0xaa; OTHER]);
    bytes
}

fn text(value: &str) -> Vec<u8> {
    let mut bytes = vec![b'X'];
    bytes.extend((value.len() as u32).to_le_bytes());
    bytes.extend(value.as_bytes());
    bytes
}

fn number(value: usize) -> Vec<u8> {
    let mut bytes = vec![b'J'];
    bytes.extend((value as i32).to_le_bytes());
    bytes
}

/// Returns the pickle of `{tensor: matrix}` as torch writes it. `view` is the last item of the storage's persistent id,
/// which exists only in the legacy container.
fn pickle(tensor: &str, view: &[u8]) -> Vec<u8> {
    let storage = [
        b"((".to_vec(),
        text("storage"),
        b"ctorch\nFloatStorage\n".to_vec(),
        text("0"),
        text("cpu"),
        number(ROWS * COLUMNS),
        view.to_vec(),
        b"tQ".to_vec(),
    ];
    let place = [
        number(0),
        number(ROWS),
        number(COLUMNS),
        b"\x86".to_vec(),
        number(COLUMNS),
        number(1),
        b"\x86".to_vec(),
        b"\x89ccollections\nOrderedDict\n)RtR".to_vec(),
    ];
    [
        b"\x80\x02}(".to_vec(),
        text(tensor),
        b"ctorch._utils\n_rebuild_tensor_v2\n".to_vec(),
        storage.concat(),
        place.concat(),
        b"u.".to_vec(),
    ]
    .concat()
}

fn torch_zip(tensor: &str) -> Vec<u8> {
    let entries = [
        ("m/data.pkl", pickle(tensor, b"")),
        ("m/byteorder", b"little".to_vec()),
        ("m/other", vec![0xaa; OTHER]),
        ("m/data/0", matrix()),
        ("m/another", vec![0xaa; OTHER]),
        ("m/version", b"3\n".to_vec()),
    ];
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in &entries {
        let at = bytes.len() as u32;
        let length = (content.len() as u32).to_le_bytes();
        // Version, flags, method, time, date, checksum (which is not checked), sizes, length of the name.
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        common.extend(length);
        common.extend(length);
        common.extend((name.len() as u16).to_le_bytes());
        bytes.extend(b"PK\x03\x04");
        bytes.extend(&common);
        bytes.extend([0, 0]);
        bytes.extend(name.as_bytes());
        bytes.extend(content);
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend(&common);
        directory.extend([0; 12]);
        directory.extend(at.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (at, length) = (bytes.len() as u32, directory.len() as u32);
    let count = (entries.len() as u16).to_le_bytes();
    bytes.extend(directory);
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend([count, count].concat());
    bytes.extend(length.to_le_bytes());
    bytes.extend(at.to_le_bytes());
    bytes.extend([0, 0]);
    bytes
}

fn torch_legacy(tensor: &str) -> Vec<u8> {
    let system = [
        b"\x80\x02}(".to_vec(),
        text("little_endian"),
        b"\x88u.".to_vec(),
    ];
    [
        b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.".to_vec(),
        b"\x80\x02M\xe9\x03.".to_vec(),
        system.concat(),
        pickle(tensor, b"N"),
        [b"\x80\x02](".to_vec(), text("0"), b"e.".to_vec()].concat(),
        ((ROWS * COLUMNS) as u64).to_le_bytes().to_vec(),
        matrix(),
    ]
    .concat()
}

/// The alignment of tensors in GGUF files.
const ALIGNMENT: usize = 32;

fn gguf(tensor: &str) -> Vec<u8> {
    let before = OTHER.next_multiple_of(ALIGNMENT);
    let mut bytes = gguf_header(&[
        ("a", &[OTHER as u64], I8, 0),
        (tensor, &[COLUMNS as u64, ROWS as u64], F32, before as u64),
        ("z", &[OTHER as u64], I8, (before + SIZE) as u64),
    ]);
    bytes.resize(bytes.len() + before, 0xaa);
    bytes.extend(matrix());
    bytes.resize(bytes.len() + OTHER, 0xaa);
    bytes
}

/// The numbers of element types in ggml.
pub const F32: u32 = 0;
pub const F16: u32 = 1;
const I8: u32 = 24;

/// Returns the padded header of a GGUF file without metadata. Each tensor has a name, its dimensions with the innermost
/// first, an element type, and an offset.
pub fn gguf_header(tensors: &[(&str, &[u64], u32, u64)]) -> Vec<u8> {
    let mut bytes = b"GGUF\x03\0\0\0".to_vec();
    bytes.extend((tensors.len() as u64).to_le_bytes());
    bytes.extend(0_u64.to_le_bytes());
    for (name, dimensions, kind, offset) in tensors {
        bytes.extend((name.len() as u64).to_le_bytes());
        bytes.extend(name.as_bytes());
        bytes.extend((dimensions.len() as u32).to_le_bytes());
        bytes.extend(dimensions.iter().flat_map(|size| size.to_le_bytes()));
        bytes.extend(kind.to_le_bytes());
        bytes.extend(offset.to_le_bytes());
    }
    bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
    bytes
}
