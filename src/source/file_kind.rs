//! The kinds of files that are models by themselves, found by content and name.
//!
//! A new kind needs a variant of [`FileKind`], its row in [`KINDS`], and its mark in [`FileKind::of`].

/// The most bytes of a file that its kind is found from.
pub(crate) const HEAD: u64 = 4096;

/// The kind of a file that is a model by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    TokenizerJson,
    SentencePiece,
    VocabTxt,
    /// A `vocab.json`, whose merges are beside it.
    VocabJson,
    /// A file of OpenAI's tiktoken: base64 and rank in every line.
    Tiktoken,
    /// Mistral's `tekken.json`.
    Tekken,
    /// A vocabulary of RWKV: id, Python literal and length in every line.
    Rwkv,
    Gguf,
    /// A checkpoint of torch or safetensors.
    Checkpoint,
    /// Vectors with their words, or without: word2vec, GloVe, fastText, finalfusion, NumPy.
    Vectors,
    /// A file that is no model by itself.
    Other,
}

/// What belongs to a model that is one file.
struct Row {
    kind: FileKind,
    /// The noun for it, with its article.
    what: &'static str,
    /// The ends of names that say the kind if the content does not.
    ends: &'static [&'static str],
    /// The names under which a model's directory has such a file.
    names: &'static [&'static str],
    beside: Beside,
}

/// The other files in its folder that belong to the model.
enum Beside {
    None,
    /// The settings of the tokenizer, which name its class.
    Settings,
    /// The settings of the model, and its tokenizer.
    Model,
}

/// The names of settings files.
const SETTINGS: &[&str] = &[
    "tokenizer_config.json",
    "config.json",
    "special_tokens_map.json",
    "added_tokens.json",
];

/// The names of further files of a model, besides its checkpoints.
const OTHERS: &[&str] = &[
    "merges.txt",
    "source.spm",
    "target.spm",
    "sentence_bert_config.json",
    "adapter_config.json",
];

/// The keys of a `tokenizer.json`.
const TOKENIZER_KEYS: &[&str] = &[
    "version",
    "truncation",
    "padding",
    "added_tokens",
    "normalizer",
    "pre_tokenizer",
    "post_processor",
    "decoder",
    "model",
];

const KINDS: &[Row] = &[
    Row {
        kind: FileKind::TokenizerJson,
        what: "a tokenizer.json",
        ends: &["tokenizer.json"],
        names: &["tokenizer.json"],
        beside: Beside::Settings,
    },
    Row {
        kind: FileKind::SentencePiece,
        what: "a SentencePiece model",
        ends: &[".model", ".spm"],
        names: &[
            "spm.model",
            "spiece.model",
            "tokenizer.model",
            "sentencepiece.bpe.model",
            "sentencepiece.model",
        ],
        beside: Beside::Settings,
    },
    Row {
        kind: FileKind::VocabTxt,
        what: "a vocab.txt",
        ends: &["vocab.txt", ".txt"],
        names: &["vocab.txt"],
        beside: Beside::Settings,
    },
    Row {
        kind: FileKind::VocabJson,
        what: "a vocab.json",
        ends: &["vocab.json"],
        names: &["vocab.json"],
        beside: Beside::Settings,
    },
    Row {
        kind: FileKind::Tiktoken,
        what: "a file of tiktoken",
        ends: &[".tiktoken"],
        names: &[],
        beside: Beside::None,
    },
    Row {
        kind: FileKind::Tekken,
        what: "a tekken.json",
        ends: &["tekken.json"],
        names: &["tekken.json"],
        beside: Beside::None,
    },
    Row {
        kind: FileKind::Rwkv,
        what: "a vocabulary of RWKV",
        ends: &[],
        names: &[],
        beside: Beside::None,
    },
    Row {
        kind: FileKind::Gguf,
        what: "a GGUF file",
        ends: &[".gguf"],
        names: &[],
        beside: Beside::None,
    },
    Row {
        kind: FileKind::Checkpoint,
        what: "a checkpoint",
        ends: &[".safetensors", ".bin", ".pt", ".pth", ".ckpt"],
        names: &[],
        beside: Beside::Model,
    },
    Row {
        kind: FileKind::Vectors,
        what: "a file of vectors",
        ends: &[".npy", ".vec", ".fifu"],
        names: &[],
        beside: Beside::None,
    },
    Row {
        kind: FileKind::Other,
        what: "no model",
        ends: &[],
        names: &[],
        beside: Beside::None,
    },
];

impl FileKind {
    /// Finds the kind of a file from its name and its first [`HEAD`] bytes.
    pub(crate) fn of(name: &str, head: &[u8]) -> Self {
        let by_content = of_bytes(head).or_else(|| of_text(name, head));
        by_content
            .or_else(|| Self::of_name(name))
            .unwrap_or(Self::Other)
    }

    /// Finds the kind of a file from its name alone; `None` if that does not say it.
    pub fn of_name(name: &str) -> Option<Self> {
        // A model in Ollama's store.
        if name.starts_with("sha256-") {
            return Some(Self::Gguf);
        }
        let name = name.to_ascii_lowercase();
        let file = name.rsplit('/').next().unwrap_or(&name);
        if file.starts_with("rwkv_vocab_") && file.ends_with(".txt") {
            return Some(Self::Rwkv);
        }
        let row = (KINDS.iter()).find(|row| row.ends.iter().any(|end| name.ends_with(end)));
        row.map(|row| row.kind)
    }

    /// Returns a noun for the kind, with its article.
    pub fn what(self) -> &'static str {
        self.row().map_or("a file", |row| row.what)
    }

    /// Returns true if a file of this kind is read as a tokenizer if it is named.
    pub fn is_tokenizer(self) -> bool {
        matches!(
            self,
            Self::TokenizerJson
                | Self::SentencePiece
                | Self::VocabTxt
                | Self::VocabJson
                | Self::Tiktoken
                | Self::Tekken
                | Self::Rwkv
        )
    }

    /// Returns true if a model's directory may have such a file under this name.
    pub fn is_named(self, name: &str) -> bool {
        self.row().is_some_and(|row| row.names.contains(&name))
    }

    /// Returns true if another file in the folder of `only`, a file of this kind, belongs to the model.
    pub(crate) fn has_beside(self, only: &str, name: &str) -> bool {
        let Some(row) = self.row() else {
            return false;
        };
        match row.beside {
            Beside::None => false,
            Beside::Settings => {
                SETTINGS.contains(&name) || self.merges(only).as_deref() == Some(name)
            }
            Beside::Model => {
                let is_vocabulary = KINDS.iter().any(|row| row.names.contains(&name));
                is_vocabulary || SETTINGS.contains(&name) || OTHERS.contains(&name)
            }
        }
    }

    /// Returns the name of the file with the merges of a `vocab.json`: `merges.txt`, or `m-merges.txt` for
    /// `m-vocab.json`.
    pub fn merges(self, only: &str) -> Option<String> {
        let stem = only.strip_suffix("vocab.json");
        (self == Self::VocabJson).then(|| format!("{}merges.txt", stem.unwrap_or_default()))
    }

    fn row(self) -> Option<&'static Row> {
        KINDS.iter().find(|row| row.kind == self)
    }
}

/// Finds the kind of a binary file.
fn of_bytes(head: &[u8]) -> Option<FileKind> {
    let is_safetensors = || {
        let length = u64::from_le_bytes(*head.first_chunk::<8>()?);
        Some(length < 1 << 32 && head.get(8) == Some(&b'{'))
    };
    // The first piece of a `ModelProto`, and its text.
    let is_sentencepiece = || {
        let [b'\n', length, b'\n', text, ..] = head else {
            return false;
        };
        text < length && *length < 0x80
    };
    let marks: [(&[u8], FileKind); 7] = [
        (b"GGUF", FileKind::Gguf),
        (b"PK\x03\x04", FileKind::Checkpoint),
        (b"\x80\x02", FileKind::Checkpoint),
        (b"\x80\x04", FileKind::Checkpoint),
        (b"\x93NUMPY", FileKind::Vectors),
        (b"FiFu", FileKind::Vectors),
        // fastText.
        (b"\xba\x16\x4f\x2f", FileKind::Vectors),
    ];
    let marked = marks.into_iter().find(|(mark, _)| head.starts_with(mark));
    match marked {
        Some((_, kind)) => Some(kind),
        None if is_safetensors() == Some(true) => Some(FileKind::Checkpoint),
        None if is_sentencepiece() => Some(FileKind::SentencePiece),
        None => None,
    }
}

/// Finds the kind of a text file; `None` if its content may be of several kinds.
fn of_text(name: &str, head: &[u8]) -> Option<FileKind> {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(head.get(..error.valid_up_to())?).ok()?,
    };
    let text = text.trim_start_matches(['\u{feff}', ' ', '\t', '\n', '\r']);
    if let Some(object) = text.strip_prefix('{') {
        return Some(of_object(name, object));
    }
    let line = text.lines().next()?;
    let mut words: Vec<&str> = line.trim_end().split([' ', '\t']).collect();
    if line.len() == text.len() && head.len() as u64 >= HEAD && words.len() > 2 {
        // The last number may be cut off.
        words.pop();
    }
    // A word may have spaces of its own.
    let is_vector = |words: &[&str]| {
        let last = words
            .iter()
            .rev()
            .skip(usize::from(words.last() == Some(&"")));
        let numbers = last.take_while(|word| word.parse::<f32>().is_ok()).count();
        numbers >= 2 && numbers * 2 >= words.len()
    };
    match words.as_slice() {
        [bytes, "0"] if bytes.ends_with('=') => Some(FileKind::Tiktoken),
        [_, literal, length] if literal.ends_with(['\'', '"']) && is_number(length) => {
            Some(FileKind::Rwkv)
        }
        [rows, columns] if is_number(rows) && is_number(columns) => Some(FileKind::Vectors),
        words if is_vector(words) => Some(FileKind::Vectors),
        _ if name.ends_with("vocab.bpe") => Some(FileKind::Tiktoken),
        _ if text.starts_with("#version") || name.ends_with("merges.txt") => Some(FileKind::Other),
        _ => None,
    }
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// Finds the kind of a JSON object from what follows its brace: a piece with its id, or a key of a known file.
fn of_object(name: &str, object: &str) -> FileKind {
    let file = name.rsplit('/').next().unwrap_or(name);
    if SETTINGS.contains(&file) || file.ends_with(".index.json") {
        return FileKind::Other;
    }
    let object = object.trim_start();
    let value = object.strip_prefix('"').and_then(|text| {
        let end = text.replace("\\\\", "__").replace("\\\"", "__").find('"')?;
        let (key, rest) = text.split_at_checked(end)?;
        Some((
            key,
            rest.strip_prefix('"')?
                .trim_start()
                .strip_prefix(':')?
                .trim_start(),
        ))
    });
    match value {
        Some(("config", value)) if value.starts_with('{') => FileKind::Tekken,
        Some((_, value)) if value.starts_with(|c: char| c.is_ascii_digit()) => FileKind::VocabJson,
        Some((key, _)) if TOKENIZER_KEYS.contains(&key) => FileKind::TokenizerJson,
        _ => FileKind::of_name(name).unwrap_or(FileKind::Other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_row() {
        for row in KINDS {
            assert_eq!(row.kind.row().map(|row| row.what), Some(row.what));
        }
    }

    #[test]
    fn the_content_decides_before_the_name() {
        for (name, head, kind) in [
            (
                "x.json",
                &b"{\n \"version\": \"1.0\", \"model\": {"[..],
                FileKind::TokenizerJson,
            ),
            ("x.json", b"{\"!\": 0, \"a\": 1}", FileKind::VocabJson),
            ("x.json", b"{\"\\\"\": 0}", FileKind::VocabJson),
            (
                "tokenizer.json",
                b"{\"config\": {\"pattern\": \"x\"}, \"vocab\": [",
                FileKind::Tekken,
            ),
            ("config.json", b"{\"vocab_size\": 3}", FileKind::Other),
            ("x.json", b"{\"vocab_size\": null}", FileKind::Other),
            (
                "model.safetensors.index.json",
                b"{\"metadata\": {}}",
                FileKind::Other,
            ),
            ("x.bin", b"GGUF\x03\0\0\0", FileKind::Gguf),
            ("x", b"PK\x03\x04", FileKind::Checkpoint),
            ("x", b"\x08\0\0\0\0\0\0\0{\"a\": 1}", FileKind::Checkpoint),
            (
                "x",
                b"\n\x0e\n\x05<unk>\x15\0\0\0\0\x18\x02",
                FileKind::SentencePiece,
            ),
            ("x.txt", b"IQ== 0\nIg== 1\n", FileKind::Tiktoken),
            ("x.txt", b"1 '\\x00' 1\n2 b'\\x01' 1\n", FileKind::Rwkv),
            ("x.txt", b"400000 50\nthe 0.1 0.2", FileKind::Vectors),
            ("x.txt", b"the 0.1 -2e-3\nof 1 2\n", FileKind::Vectors),
            ("x.tsv", b"de la\t0.1\t-2e-3\n", FileKind::Vectors),
            ("x.txt", b"el perro come\n", FileKind::VocabTxt),
            ("x.bin", b"\xba\x16\x4f\x2f\x0c\0\0\0", FileKind::Vectors),
            ("x.npy", b"\x93NUMPY\x01\0", FileKind::Vectors),
            ("merges.txt", b"#version: 0.2\na b\n", FileKind::Other),
            (
                "bert-uncased.txt",
                b"[PAD]\n[unused0]\n",
                FileKind::VocabTxt,
            ),
            (
                "m.model",
                b"version https://git-lfs.github.com",
                FileKind::SentencePiece,
            ),
            ("m.model", b"", FileKind::SentencePiece),
            ("m.png", b"\x89PNG", FileKind::Other),
        ] {
            assert_eq!(FileKind::of(name, head), kind, "{name} {head:?}");
        }
    }

    #[test]
    fn the_files_beside_a_file_depend_on_its_kind() {
        let has = |kind: FileKind, only: &str, name: &str| kind.has_beside(only, name);
        assert!(has(FileKind::SentencePiece, "m.model", "config.json"));
        assert!(!has(FileKind::SentencePiece, "m.model", "tokenizer.json"));
        assert!(has(FileKind::VocabJson, "vocab.json", "merges.txt"));
        assert!(has(FileKind::VocabJson, "m-vocab.json", "m-merges.txt"));
        assert!(!has(FileKind::VocabTxt, "vocab.txt", "merges.txt"));
        assert!(has(FileKind::Checkpoint, "m.pt", "tokenizer.json"));
        assert!(!has(FileKind::Checkpoint, "m.pt", "model.safetensors"));
        assert!(!has(FileKind::Gguf, "m.gguf", "config.json"));
    }
}
