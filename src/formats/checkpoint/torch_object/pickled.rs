//! Pickled tensors, written opcode by opcode, for the tests of all torch containers.

/// A tensor to be pickled.
pub struct Pickled<'a> {
    pub class: &'a str,
    pub key: &'a str,
    pub elements: u32,
    pub offset: i32,
    pub shape: &'a [i32],
    pub strides: &'a [i32],
}

pub const MATRIX: Pickled<'_> = Pickled {
    class: "HalfStorage",
    key: "0",
    elements: 6,
    offset: 0,
    shape: &[3, 2],
    strides: &[2, 1],
};

pub fn string(text: &str) -> Vec<u8> {
    let mut opcodes = vec![b'X'];
    opcodes.extend((text.len() as u32).to_le_bytes());
    opcodes.extend(text.as_bytes());
    opcodes
}

fn int(int: i32) -> Vec<u8> {
    [b"J".as_slice(), &int.to_le_bytes()].concat()
}

fn ints(ints: &[i32]) -> Vec<u8> {
    let items: Vec<u8> = ints.iter().flat_map(|&value| int(value)).collect();
    [b"(", items.as_slice(), b"t"].concat()
}

impl Pickled<'_> {
    /// Returns the opcodes of the storage. `view` has those after the number of elements in the persistent id.
    pub fn storage(&self, view: &[u8]) -> Vec<u8> {
        let class = match self.class.split_once('.') {
            Some(_) => "ctorch.storage\nUntypedStorage\n".to_owned(),
            None => format!("ctorch\n{}\n", self.class),
        };
        [
            b"(".as_slice(),
            &string("storage"),
            class.as_bytes(),
            &string(self.key),
            &string("cpu"),
            &int(self.elements as i32),
            view,
            b"tQ",
        ]
        .concat()
    }

    /// Returns the opcodes of a call of `function`, with `options` after storage, offset, size and strides.
    pub fn call(&self, function: &str, view: &[u8], options: &[u8]) -> Vec<u8> {
        [
            format!("ctorch._utils\n{function}\n(").as_bytes(),
            &self.storage(view),
            &int(self.offset),
            &ints(self.shape),
            &ints(self.strides),
            options,
            b"tR",
        ]
        .concat()
    }

    pub fn opcodes(&self) -> Vec<u8> {
        self.call(
            "_rebuild_tensor_v2",
            b"",
            b"\x89ccollections\nOrderedDict\n)R",
        )
    }
}

/// Returns the opcodes of a dictionary.
pub fn dict(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut opcodes = b"}(".to_vec();
    for (key, value) in entries {
        opcodes.extend(string(key));
        opcodes.extend(value);
    }
    opcodes.push(b'u');
    opcodes
}

pub fn pickle(opcodes: &[u8]) -> Vec<u8> {
    [b"\x80\x02", opcodes, b"."].concat()
}
