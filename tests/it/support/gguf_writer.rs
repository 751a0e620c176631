//! Writes GGUF files with a vocabulary.

/// The metadata of a file, in order.
#[derive(Clone, Default)]
pub struct GgufWriter {
    entries: Vec<(String, Vec<u8>)>,
}

/// The numbers of token types in llama.cpp.
pub const NORMAL: i32 = 1;
pub const UNKNOWN: i32 = 2;
pub const CONTROL: i32 = 3;
pub const USER_DEFINED: i32 = 4;
pub const BYTE: i32 = 6;

fn text(value: &str) -> Vec<u8> {
    [&(value.len() as u64).to_le_bytes()[..], value.as_bytes()].concat()
}

impl GgufWriter {
    /// Adds a value: the number of its type, and its bytes.
    pub fn value(mut self, name: &str, kind: u32, bytes: &[u8]) -> Self {
        let name = match name.contains('.') {
            true => name.to_owned(),
            false => format!("tokenizer.ggml.{name}"),
        };
        self.entries.retain(|(other, _)| *other != name);
        let value = [&kind.to_le_bytes()[..], bytes].concat();
        self.entries.push((name, value));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.entries.retain(|(other, _)| !other.ends_with(name));
        self
    }

    pub fn text(self, name: &str, value: &str) -> Self {
        self.value(name, 8, &text(value))
    }

    pub fn id(self, name: &str, id: u32) -> Self {
        self.value(&format!("{name}_token_id"), 4, &id.to_le_bytes())
    }

    pub fn flag(self, name: &str, flag: bool) -> Self {
        self.value(name, 7, &[u8::from(flag)])
    }

    fn array(self, name: &str, element: u32, length: usize, bytes: &[u8]) -> Self {
        let head = [&element.to_le_bytes()[..], &(length as u64).to_le_bytes()].concat();
        self.value(name, 9, &[&head, bytes].concat())
    }

    pub fn texts<S: AsRef<str>>(self, name: &str, texts: &[S]) -> Self {
        let bytes: Vec<u8> = texts.iter().flat_map(|one| text(one.as_ref())).collect();
        self.array(name, 8, texts.len(), &bytes)
    }

    pub fn scores(self, scores: &[f32]) -> Self {
        let bytes: Vec<u8> = scores.iter().flat_map(|one| one.to_le_bytes()).collect();
        self.array("scores", 6, scores.len(), &bytes)
    }

    pub fn types(self, types: &[i32]) -> Self {
        let bytes: Vec<u8> = types.iter().flat_map(|one| one.to_le_bytes()).collect();
        self.array("token_type", 5, types.len(), &bytes)
    }

    pub fn bytes(self, name: &str, bytes: &[u8]) -> Self {
        self.array(name, 0, bytes.len(), bytes)
    }

    /// Returns the file, with a matrix of float32 of `rows` rows and 32 columns if there are any. Every value of a row is
    /// its id.
    pub fn finish(&self, rows: usize) -> Vec<u8> {
        match rows {
            0 => self.with_matrices(&[]),
            _ => self.with_matrices(&[("token_embd.weight", rows, 0)]),
        }
    }

    /// Returns the file, with matrices of float32 of 32 columns. Each has a name, a number of rows, and a number to which
    /// the number of a row is added, for every value of the row.
    pub fn with_matrices(&self, matrices: &[(&str, usize, usize)]) -> Vec<u8> {
        const COLUMNS: usize = 32;
        let mut file = b"GGUF\x03\0\0\0".to_vec();
        file.extend((matrices.len() as u64).to_le_bytes());
        file.extend((self.entries.len() as u64).to_le_bytes());
        for (name, value) in &self.entries {
            file.extend(text(name));
            file.extend(value);
        }
        let mut offset = 0_u64;
        for (name, rows, _) in matrices {
            file.extend(text(name));
            file.extend(2_u32.to_le_bytes());
            file.extend((COLUMNS as u64).to_le_bytes());
            file.extend((*rows as u64).to_le_bytes());
            file.extend([0; 4]);
            file.extend(offset.to_le_bytes());
            offset += (rows * COLUMNS * 4) as u64;
        }
        if matrices.is_empty() {
            return file;
        }
        file.resize(file.len().next_multiple_of(32), 0);
        for (_, rows, first) in matrices {
            for row in *first..first + rows {
                file.extend((row as f32).to_le_bytes().repeat(COLUMNS));
            }
        }
        file
    }
}
