use super::text_places::TextPlaces;
use super::*;
use crate::error::Error;
use crate::source::{ByteSource, MemoryFile};

/// A file under construction.
struct File(Vec<u8>);

impl File {
    fn new(tensors: u64, entries: u64) -> Self {
        let file = Self(b"GGUF".to_vec());
        file.u32(3).u64(tensors).u64(entries)
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    fn u32(self, number: u32) -> Self {
        self.bytes(&number.to_le_bytes())
    }

    fn u64(self, number: u64) -> Self {
        self.bytes(&number.to_le_bytes())
    }

    fn text(self, text: &str) -> Self {
        self.u64(text.len() as u64).bytes(text.as_bytes())
    }

    fn entry(self, name: &str, kind: u32, value: &[u8]) -> Self {
        self.text(name).u32(kind).bytes(value)
    }

    fn tensor(self, name: &str, dimensions: &[u64], kind: u32, offset: u64) -> Self {
        let mut file = self.text(name).u32(dimensions.len() as u32);
        for size in dimensions {
            file = file.u64(*size);
        }
        file.u32(kind).u64(offset)
    }

    fn read(self) -> Result<Gguf, Error> {
        Gguf::read(&MemoryFile::new("m.gguf", self.0))
    }

    #[track_caller]
    fn refused(self) -> String {
        self.read().expect_err("refused").to_string()
    }
}

fn array(element: u32, length: u64, elements: &[u8]) -> Vec<u8> {
    [&element.to_le_bytes()[..], &length.to_le_bytes(), elements].concat()
}

#[test]
fn values_of_every_type_are_read_or_located() {
    let number = 0x0102_0304_0506_0708_u64.to_le_bytes();
    let strings = array(
        8,
        2,
        &[&2_u64.to_le_bytes()[..], b"ab", &0_u64.to_le_bytes()].concat(),
    );
    let nested = array(9, 2, &[array(0, 3, &[1, 2, 3]), array(7, 1, &[1])].concat());
    let file = File::new(0, 15)
        .entry("u8", 0, &[255])
        .entry("i8", 1, &[255])
        .entry("u16", 2, &number[..2])
        .entry("i16", 3, &[0, 128])
        .entry("u32", 4, &number[..4])
        .entry("i32", 5, &[255; 4])
        .entry("f32", 6, &1.5_f32.to_le_bytes())
        .entry("bool", 7, &[1])
        .entry("text", 8, b"\x02\0\0\0\0\0\0\0hi")
        .entry("strings", 9, &strings)
        .entry("nested", 9, &nested)
        .entry("floats", 9, &array(6, 3, &[0; 12]))
        .entry("u64", 10, &number)
        .entry("i64", 11, &[255; 8])
        .entry("f64", 12, &2.5_f64.to_le_bytes());
    let source = MemoryFile::new("m.gguf", file.0);
    let gguf = Gguf::read(&source).unwrap();
    assert_eq!(gguf.value("u8"), Some(&Value::Unsigned(255)));
    assert_eq!(gguf.value("i8"), Some(&Value::Signed(-1)));
    assert_eq!(gguf.value("i16"), Some(&Value::Signed(-32768)));
    assert_eq!(gguf.value("f32"), Some(&Value::Float(1.5)));
    assert_eq!(gguf.value("bool"), Some(&Value::Bool(true)));
    assert_eq!(gguf.value("f64"), Some(&Value::Float(2.5)));
    assert_eq!(gguf.size("u32"), Some(0x0506_0708));
    assert_eq!(gguf.size("u64"), Some(0x0102_0304_0506_0708));
    assert_eq!(gguf.size("i64"), None);
    assert_eq!(gguf.text(&source, "text").unwrap().as_deref(), Some("hi"));
    assert_eq!(gguf.array_length("strings"), Some(2));
    assert_eq!(gguf.array_length("nested"), Some(2));
    let Some(Value::Array(floats)) = gguf.value("floats") else {
        panic!("no array");
    };
    assert_eq!((floats.element, floats.length), (6, 3));
    assert_eq!(source.read(floats.bytes.clone()).unwrap().as_ref(), [0; 12]);
    assert_eq!(gguf.data_start % 32, 0);
    assert!(gguf.value("other").is_none());
}

#[test]
fn tensors_are_listed_and_the_alignment_is_read() {
    let gguf = File::new(2, 1)
        .entry("general.alignment", 4, &64_u32.to_le_bytes())
        .tensor("a", &[4, 3], 0, 0)
        .tensor("b", &[], 99, 64)
        .read()
        .unwrap();
    assert_eq!(gguf.alignment, 64);
    assert_eq!(gguf.data_start, 128);
    let tensors: Vec<_> = gguf
        .tensors
        .iter()
        .map(|t| (t.name.as_str(), t.kind))
        .collect();
    assert_eq!(tensors, [("a", 0), ("b", 99)]);
    assert_eq!(gguf.tensors[0].dimensions, [4, 3]);
}

#[test]
fn other_versions_and_byte_orders_are_refused() {
    let version = |bytes: [u8; 4]| File(b"GGUF".to_vec()).bytes(&bytes).u64(0).u64(0).refused();
    let refused = version(1_u32.to_le_bytes());
    assert!(refused.contains("it has version 1 of GGUF"), "{refused}");
    let refused = version(4_u32.to_le_bytes());
    assert!(refused.contains("it has version 4 of GGUF"), "{refused}");
    let refused = version(3_u32.to_be_bytes());
    assert!(refused.contains("it is big-endian"), "{refused}");
}

#[test]
fn a_count_that_lies_is_refused() {
    for huge in [1 << 63, u64::MAX, 1 << 32] {
        let refused = File::new(huge, 0).refused();
        assert!(refused.contains("tensors, but at most 262144"), "{refused}");
        let refused = File::new(0, huge).refused();
        assert!(
            refused.contains("entries of metadata, but at most 65536"),
            "{refused}"
        );
        let refused = File::new(0, 1).u64(huge).refused();
        assert!(refused.contains("has a name of"), "{refused}");
        let text = huge.to_le_bytes();
        let refused = File::new(0, 1).entry("text", 8, &text).refused();
        assert!(refused.contains("its header claims"), "{refused}");
        for element in [0, 3, 6, 8, 9, 12] {
            let array = array(element, huge, &[0; 40]);
            let refused = File::new(0, 1).entry("array", 9, &array).refused();
            assert!(refused.contains("m.gguf is damaged: its "), "{refused}");
        }
    }
    let refused = File::new(1, 0).text("a").u32(u32::MAX).refused();
    assert!(refused.contains("has 4294967295 dimensions"), "{refused}");
    // The limits are within those of the format, so a full count of nothing ends with the file.
    assert!(
        File::new(1 << 18, 0)
            .refused()
            .contains("its header claims 8 bytes at byte 24")
    );
}

#[test]
fn names_and_types_are_checked() {
    let refused = File::new(0, 2)
        .entry("a", 7, &[1])
        .entry("a", 7, &[1])
        .refused();
    assert!(refused.contains("its metadata has `a` twice"), "{refused}");
    let refused = File::new(2, 0)
        .tensor("a", &[], 0, 0)
        .tensor("a", &[], 0, 0)
        .refused();
    assert!(
        refused.contains("it has two tensors named `a`"),
        "{refused}"
    );
    let refused = File::new(0, 1).entry("a", 13, &[0; 8]).refused();
    assert!(
        refused.contains("a value of the unknown type 13"),
        "{refused}"
    );
    let refused = File::new(0, 1)
        .entry("a", 9, &array(77, 1, &[0; 8]))
        .refused();
    assert!(
        refused.contains("a value of the unknown type 77"),
        "{refused}"
    );
    let refused = File::new(0, 1).u64(2).bytes(b"\xff\xfe").u32(7).refused();
    assert!(refused.contains("a name that is not UTF-8"), "{refused}");
}

#[test]
fn an_alignment_that_is_not_a_power_of_two_is_refused() {
    for alignment in [0_u32, 3, 48] {
        let value = alignment.to_le_bytes();
        let refused = File::new(0, 1)
            .entry("general.alignment", 4, &value)
            .refused();
        assert!(
            refused.contains("its alignment must be a power of two"),
            "{refused}"
        );
    }
    let refused = File::new(0, 1)
        .entry("general.alignment", 7, &[1])
        .refused();
    assert!(
        refused.contains("its alignment is not a number"),
        "{refused}"
    );
}

#[test]
fn deeply_nested_arrays_are_refused() {
    let nested = |depth| {
        let mut value = array(0, 0, &[]);
        for _ in 1..depth {
            value = array(9, 1, &value);
        }
        File::new(0, 1).entry("a", 9, &value)
    };
    assert!(nested(8).read().is_ok());
    let refused = nested(1_000).refused();
    assert!(
        refused.contains("arrays nested more than 8 deep"),
        "{refused}"
    );
}

#[test]
fn a_truncated_header_is_refused() {
    let whole = File::new(1, 3)
        .entry("general.alignment", 4, &32_u32.to_le_bytes())
        .entry("list", 9, &array(8, 2, &[0; 16]))
        .entry("name", 8, b"\x03\0\0\0\0\0\0\0abc")
        .tensor("a", &[4, 3], 0, 0)
        .0;
    assert!(File(whole.clone()).read().is_ok());
    for length in 0..whole.len() {
        let refused = File(whole[..length].to_vec()).refused();
        assert!(refused.contains("is damaged"), "{length}: {refused}");
    }
}

#[test]
fn the_sizes_of_the_model_are_read() {
    let file = File::new(0, 6)
        .entry("general.architecture", 8, b"\x05\0\0\0\0\0\0\0llama")
        .entry("llama.context_length", 4, &4096_u32.to_le_bytes())
        .entry("llama.embedding_length", 10, &64_u64.to_le_bytes())
        .entry("general.file_type", 4, &15_u32.to_le_bytes())
        .entry("tokenizer.ggml.tokens", 9, &array(8, 2, &[0; 16]))
        .entry("tokenizer.ggml.padding_token_id", 4, &[1, 0, 0, 0]);
    let source = MemoryFile::new("m.gguf of `o/n`", file.0);
    let config = Gguf::read(&source)
        .unwrap()
        .config(&source, "m.gguf")
        .unwrap();
    assert_eq!(config.model_type.as_deref(), Some("llama"));
    assert_eq!(config.vocab_size, Some(2));
    assert_eq!(config.hidden_size, Some(64));
    assert_eq!(config.max_position_embeddings, Some(4096));
    assert_eq!(config.pad_token_id, Some(1));
    assert_eq!(config.quantization.as_deref(), Some("Q4_K_M"));
    let window = config.context_window.as_ref().unwrap();
    assert_eq!(window.source.to_string(), "m.gguf: llama.context_length");
    assert_eq!(config.file(), "m.gguf");
}

/// A file that counts the bytes that are read.
#[derive(Debug)]
struct Counting(MemoryFile, std::sync::atomic::AtomicU64);

impl ByteSource for Counting {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn len(&self) -> u64 {
        self.0.len()
    }

    fn read(
        &self,
        range: std::ops::Range<u64>,
    ) -> crate::error::Result<std::borrow::Cow<'_, [u8]>> {
        let count = range.end - range.start;
        self.1
            .fetch_add(count, std::sync::atomic::Ordering::Relaxed);
        self.0.read(range)
    }
}

#[test]
fn a_header_with_known_places_is_not_read_as_a_whole() {
    const COUNT: u64 = 200_000;
    let texts = (0..COUNT).flat_map(|id| {
        let text = format!("<token {id}>");
        [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat()
    });
    let texts = array(8, COUNT, &texts.collect::<Vec<u8>>());
    let model = [&4_u64.to_le_bytes()[..], b"gpt2"].concat();
    let file = File::new(1, 3)
        .entry("tokenizer.ggml.tokens", 9, &texts)
        .entry("short", 9, &array(8, 1, &model))
        .entry("tokenizer.ggml.model", 8, &model)
        .tensor("a", &[1], 0, 0);
    let file = Counting(MemoryFile::new("m.gguf", file.0), 0.into());
    let read = |places| {
        let before = file.1.load(std::sync::atomic::Ordering::Relaxed);
        let header = Gguf::read_with(&file, places).unwrap();
        let ids = [0, 1023, 1024, 1025, 3000, 150_000, 199_999, 200_000];
        let tokens = header.tokens(&file, &ids).unwrap();
        let expected = ids.map(|id| (id < 200_000).then(|| format!("<token {id}>")));
        assert_eq!(tokens, expected);
        assert_eq!(header.tensors[0].name, "a");
        assert_eq!(
            header
                .text(&file, "tokenizer.ggml.model")
                .unwrap()
                .as_deref(),
            Some("gpt2")
        );
        let bytes = file.1.load(std::sync::atomic::Ordering::Relaxed) - before;
        (header, bytes)
    };
    let (header, all) = read(TextPlaces::default());
    assert!(all > 4_000_000, "{all}");
    let places = TextPlaces::parse(&header.places.to_text()).unwrap();
    let (again, few) = read(places);
    assert!(few < 1_500_000, "{few}");
    assert_eq!(
        (again.data_start, &again.places),
        (header.data_start, &header.places)
    );
}
