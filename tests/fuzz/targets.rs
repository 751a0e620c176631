//! The entry points for untrusted bytes: one function for each kind of file, and one for a text that both engines encode.
//!
//! Each takes arbitrary bytes and does with them what the program does with such a file. It returns if they are read or
//! refused; a panic is a bug in the program. `cargo test` runs them on mutated seeds (`main.rs`), and `fuzz/` has them for
//! cargo-fuzz.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use tokscope::formats::checkpoint::{Checkpoint, ShardIndex};
use tokscope::formats::config::{OwnTokens, SpecialTokensMap, TokenizerConfig, parse_added_tokens};
use tokscope::formats::context_window::sentence_bert_limit;
use tokscope::formats::gguf::Gguf;
use tokscope::formats::json;
use tokscope::formats::model_config::ModelConfig;
use tokscope::formats::npy::Vectors;
use tokscope::formats::ranked_tokens::RankedTokens;
use tokscope::formats::rwkv;
use tokscope::formats::sentencepiece::SentencePieceModel;
use tokscope::formats::tekken::Tekken;
use tokscope::formats::vectors::{VectorFile, WordIndex};
use tokscope::model_ref::ModelRef;
use tokscope::source::{
    AppCache, HubSettings, MappedFile, MemoryFile, ModelFiles, SourceOptions, Unobserved,
};
use tokscope::tokenizer::native::compiled::{CompiledVocabulary, Contents};
use tokscope::tokenizer::{EncodeOptions, EngineChoice, Tokenizer, Truncation};

/// An entry point for untrusted bytes.
pub struct Target {
    /// Also the name of its folder in `fuzz/seeds`, and of its file in `fuzz/fuzz_targets`.
    pub name: &'static str,
    pub enter: fn(&[u8]),
    /// Executions in an ordinary test run. Fewer for targets that write files or open whole tokenizers.
    pub executions: usize,
}

/// All entry points.
pub const TARGETS: &[Target] = &[
    target("spm", spm, 3_000),
    target("spm_tokenizer", spm_tokenizer, 500),
    target("slow_spm", slow_spm, 400),
    target("slow_text", slow_text, 1_000),
    target("ranks", ranks, 600),
    target("tokenizer_json", tokenizer_json, 1_500),
    target("config", config, 5_000),
    target("token_files", token_files, 5_000),
    target("safetensors", checkpoint, 4_000),
    target("shard_index", shard_index, 5_000),
    target("torch_zip", checkpoint, 4_000),
    target("torch_legacy", checkpoint, 4_000),
    target("gguf", gguf, 4_000),
    target("gguf_vocabulary", gguf_vocabulary, 1_000),
    target("pickle", pickle, 4_000),
    target("npy", npy, 5_000),
    target("vectors", vectors, 3_000),
    target("compiled", compiled, 1_500),
    target("ranges", ranges, 1_500),
    target("engines", engines, 1_000),
];

/// Silences the reports of panics in the `tokenizers` crate that the program expects and catches. libFuzzer stops at any
/// panic that is reported.
pub fn report_only_bugs() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !tokscope::tokenizer::is_guarded() {
                report(panic);
            }
        }));
    });
}

const fn target(name: &'static str, enter: fn(&[u8]), executions: usize) -> Target {
    Target {
        name,
        enter,
        executions,
    }
}

/// Reads and compiles an `spm.model`.
pub fn spm(bytes: &[u8]) {
    if let Ok(model) = SentencePieceModel::parse("spm.model", bytes) {
        let compiled = CompiledVocabulary::new(&Contents::from(&model), [0; 32]);
        look_at(&compiled);
    }
}

/// Opens a model with this `spm.model`, and encodes a text with both engines.
pub fn spm_tokenizer(bytes: &[u8]) {
    let config = br#"{"tokenizer_class": "DebertaV2Tokenizer"}"#;
    use_model(&[("tokenizer_config.json", config), ("spm.model", bytes)]);
}

/// Opens a model of a slow class with this SentencePiece file, which its length chooses.
pub fn slow_spm(bytes: &[u8]) {
    let classes = [
        ("T5Tokenizer", "spiece.model"),
        ("LlamaTokenizer", "tokenizer.model"),
        ("PegasusTokenizer", "spiece.model"),
        ("GemmaTokenizer", "tokenizer.model"),
        ("MBartTokenizer", "sentencepiece.bpe.model"),
    ];
    let (class, name) = classes[bytes.len() % classes.len()];
    let config = format!(r#"{{"tokenizer_class": "{class}"}}"#);
    use_model(&[("tokenizer_config.json", config.as_bytes()), (name, bytes)]);
    lone_spm(name, bytes);
    let marian = br#"{"tokenizer_class": "MarianTokenizer"}"#;
    let vocabulary = r#"{"</s>": 0, "<unk>": 1, "<pad>": 2, "▁": 3, "a": 4}"#;
    use_model(&[
        ("tokenizer_config.json", marian),
        ("vocab.json", vocabulary.as_bytes()),
        ("source.spm", bytes),
        ("target.spm", bytes),
    ]);
}

/// Opens a model of a SentencePiece file without a class, which is run as SentencePiece runs it. Answers without an
/// encoding must agree with the encoding, and a text of several parts must not stop the program.
fn lone_spm(name: &str, bytes: &[u8]) {
    use_model(&[(name, bytes)]);
    let Ok(tokenizer) = open_model(&[(name, bytes)]) else {
        return;
    };
    let options = EncodeOptions::default();
    let text = "the bank ab▁▁ab  <sep>字\u{3000}ﬁ e\u{301}…\t\0<0x41></s> aaaaaa x ";
    let long = text.repeat(if bytes.len().is_multiple_of(64) {
        1_200
    } else {
        1
    });
    let Ok(encoded) = tokenizer.encode(&long, None, &options) else {
        return;
    };
    let encoding = encoded.into_first();
    assert_eq!(tokenizer.ids(&long, &options).unwrap(), encoding.ids);
    assert_eq!(tokenizer.count(&long, &options).unwrap(), encoding.len());
    if let Some(id) = encoding.ids.first() {
        let found = tokenizer.find(&long, &[*id], &options).unwrap();
        let places = encoding.ids.iter().copied().zip(encoding.offsets);
        assert_eq!(
            found,
            places.filter(|(other, _)| other == id).collect::<Vec<_>>()
        );
    }
}

/// Opens models of slow classes with this `vocab.txt`, and with a `vocab.json` and a `merges.txt` that a NUL separates.
pub fn slow_text(bytes: &[u8]) {
    let bert = br#"{"tokenizer_class": "BertTokenizer"}"#;
    use_model(&[("tokenizer_config.json", bert), ("vocab.txt", bytes)]);
    let mut parts = bytes.splitn(2, |byte| *byte == 0);
    let vocabulary = parts.next().unwrap_or_default();
    let merges = parts.next().unwrap_or_default();
    for class in ["GPT2Tokenizer", "CLIPTokenizer", "Qwen2Tokenizer"] {
        let config = format!(r#"{{"tokenizer_class": "{class}"}}"#);
        use_model(&[
            ("tokenizer_config.json", config.as_bytes()),
            ("vocab.json", vocabulary),
            ("merges.txt", merges),
        ]);
    }
}

/// Opens a `tekken.json`, a vocabulary of RWKV, a file of an encoding of OpenAI, and the list of merges of GPT-2.
pub fn ranks(bytes: &[u8]) {
    use_model(&[("tekken.json", bytes)]);
    let _ = Tekken::parse("tekken.json", bytes);
    let _ = RankedTokens::parse_merges("vocab.bpe", bytes, 0..=u8::MAX, |c| u8::try_from(c).ok());
    let folder = SCRATCH.with(|folder| folder.path().to_owned());
    if rwkv::parse("f", bytes).is_ok() {
        let path = folder.join("rwkv_vocab_f.txt");
        replace(&path, bytes);
        if let Ok(tokenizer) = Tokenizer::open(&local(&ModelRef::File(path))) {
            let text = "aaa abab  <|endoftext|>\n日本 a\u{301}";
            let ids = tokenizer.ids(text, &EncodeOptions::default()).unwrap();
            assert_eq!(tokenizer.decode(&ids, false).unwrap(), text);
        }
    }
    if RankedTokens::parse("f", bytes).is_err() {
        return;
    }
    for name in ["r50k_base", "cl100k_base", "o200k_harmony"] {
        let path = folder.join(format!("{name}.tiktoken"));
        replace(&path, bytes);
        if let Ok(tokenizer) = Tokenizer::open(&local(&ModelRef::File(path))) {
            let options = EncodeOptions::default();
            let text = "aaa abab  <|endoftext|>\n日本 a\u{301}";
            let ids = tokenizer.ids(text, &options).unwrap();
            assert_eq!(tokenizer.decode(&ids, false).unwrap(), text);
        }
    }
}

/// Opens a model with this `tokenizer.json`, and encodes and decodes a text with both engines.
pub fn tokenizer_json(bytes: &[u8]) {
    use_model(&[("tokenizer.json", bytes)]);
}

/// Reads a `config.json` and a `tokenizer_config.json`.
pub fn config(bytes: &[u8]) {
    let _ = ModelConfig::parse("config.json", bytes);
    let _ = sentence_bert_limit("sentence_bert_config.json", bytes);
    let own = OwnTokens::default();
    if let Ok(config) = TokenizerConfig::parse("tokenizer_config.json", bytes, own) {
        let _ = config.max_length();
    }
}

/// Reads a `special_tokens_map.json` and an `added_tokens.json`.
pub fn token_files(bytes: &[u8]) {
    if let Ok(map) = json::parse_settings::<SpecialTokensMap>("special_tokens_map.json", bytes) {
        let _ = map.named();
    }
    let _ = parse_added_tokens("added_tokens.json", bytes);
}

/// Lists and locates the tensors of a checkpoint in any container.
pub fn checkpoint(bytes: &[u8]) {
    let file = MemoryFile::new("checkpoint", bytes.to_vec());
    let Ok(checkpoint) = Checkpoint::open(&file) else {
        return;
    };
    for tensor in &checkpoint.tensors {
        if let Ok(info) = tensor.locate(&file) {
            assert!(
                info.byte_range.end <= bytes.len() as u64,
                "{info:?} is not within the file"
            );
        }
    }
}

/// Lists the tensors of a GGUF file, and reads its metadata.
pub fn gguf(bytes: &[u8]) {
    checkpoint(bytes);
    let file = MemoryFile::new("m.gguf", bytes.to_vec());
    if let Ok(gguf) = Gguf::read(&file) {
        let _ = gguf.config(&file, "m.gguf");
    }
}

/// Reads single tokens of a GGUF file, opens a model with its vocabulary, and encodes a text with both engines.
pub fn gguf_vocabulary(bytes: &[u8]) {
    let file = MemoryFile::new("m.gguf", bytes.to_vec());
    let Ok(gguf) = Gguf::read(&file) else {
        return;
    };
    let ids = [0, 1, 5, 5, u32::MAX];
    if let Ok(tokens) = gguf.tokens(&file, &ids) {
        assert_eq!(tokens.len(), ids.len());
    }
    let _ = gguf.token_kind(&file, 3);
    if let Ok(Some(vocabulary)) = gguf.vocabulary(&file) {
        assert_eq!(vocabulary.tokens.len(), gguf.token_count());
    }
    use_model(&[("m.gguf", bytes)]);
}

/// Reads a checkpoint with this pickle in a valid zip archive.
pub fn pickle(bytes: &[u8]) {
    checkpoint(&archive(&[("a/data.pkl", bytes), ("a/data/0", &[0; 64])]));
}

pub fn shard_index(bytes: &[u8]) {
    if let Ok(index) = ShardIndex::parse("model.safetensors.index.json", bytes) {
        for (tensor, file) in index.tensors() {
            assert_eq!(index.file_of(tensor), Some(file));
            assert!(file.split('/').all(|part| part != ".."), "{file}");
        }
    }
}

/// Reads the words and the rows of a file of vectors.
pub fn vectors(bytes: &[u8]) {
    let file = Arc::new(MemoryFile::new("vectors", bytes.to_vec()));
    let Ok(vectors) = VectorFile::open(file, None, |index| {
        let stored = index.to_bytes("proof");
        assert_eq!(
            WordIndex::from_bytes(&stored, "proof").as_ref(),
            Some(index)
        );
    }) else {
        return;
    };
    let mut values = Vec::new();
    for row in [0, vectors.rows() / 2, vectors.rows() - 1] {
        let word = vectors.word(row).unwrap();
        if let Ok(word) = str::from_utf8(&word) {
            assert!(vectors.find(word).unwrap().unwrap() <= row);
        }
        values.clear();
        if vectors.append(row..row + 1, &mut values).is_ok() {
            assert_eq!(values.len() as u64, vectors.columns());
        }
    }
}

/// Reads a NumPy array, as `neighbors` does.
pub fn npy(bytes: &[u8]) {
    if let Ok(vectors) = Vectors::parse("vectors.npy", bytes) {
        for row in [0, vectors.rows() - 1] {
            let row = vectors.row(row).map(|row| row.len());
            assert_eq!(row, Some(vectors.columns()));
        }
        assert_eq!(vectors.row(vectors.rows()), None);
    }
}

/// Reads a compiled vocabulary of the app cache, both unchanged and with a correct checksum.
pub fn compiled(bytes: &[u8]) {
    let path = SCRATCH.with(|folder| folder.path().join("compiled"));
    let mut fitting = bytes.to_vec();
    if bytes.len() > 48 {
        let mut sum = crc32fast::Hasher::new();
        sum.update(&bytes[..44]);
        sum.update(&bytes[48..]);
        fitting[44..48].copy_from_slice(&sum.finalize().to_le_bytes());
    }
    for bytes in [bytes, &fitting] {
        replace(&path, bytes);
        if let Ok(file) = MappedFile::open(&path, "compiled")
            && let Some(compiled) = CompiledVocabulary::open(file, [0; 32])
        {
            look_at(&compiled);
        }
    }
}

/// The digest and the size in bytes of the remote file whose extents are in the input of [`ranges`].
pub const ETAG: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
pub const SIZE: u64 = 1_000_000;

/// Reads a file of the range cache, both unchanged and with a correct checksum of its header, as the program does without
/// a network.
pub fn ranges(bytes: &[u8]) {
    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
    let home = SCRATCH.with(|folder| folder.path().to_owned());
    let note = format!("{ETAG} {SIZE}");
    let note = format!("{note} {:08x}\n", crc32fast::hash(note.as_bytes()));
    // Named by the digest of `https://huggingface.co`.
    let model = home.join("own/ranges/03a89053f2f115c3/models--o--n");
    let content = model.join("content").join(ETAG);
    let mut fitting = bytes.to_vec();
    if let Some(length) = bytes.get(12..16) {
        let length = u32::from_le_bytes(length.try_into().unwrap_or_default()) as usize;
        if let Some(covered) = bytes.get(12..length) {
            let mut sum = crc32fast::Hasher::new();
            sum.update(ETAG.as_bytes());
            sum.update(covered);
            fitting[8..12].copy_from_slice(&sum.finalize().to_le_bytes());
        }
    }
    let hub = home.join("hub/models--o--n");
    if !content.is_dir() {
        fs::create_dir_all(&content).unwrap();
        fs::create_dir_all(model.join("commits").join(COMMIT)).unwrap();
        fs::create_dir_all(hub.join("refs")).unwrap();
        fs::create_dir_all(hub.join("snapshots").join(COMMIT)).unwrap();
        fs::write(hub.join("refs/main"), COMMIT).unwrap();
        fs::write(hub.join("snapshots").join(COMMIT).join("config.json"), "{}").unwrap();
        let path = model.join("commits").join(COMMIT).join("model.safetensors");
        fs::write(path, note).unwrap();
    }
    for bytes in [bytes, &fitting] {
        replace(&content.join("rows-x"), bytes);
        let hub = HubSettings::from_env(|name| {
            (name == "HF_HUB_CACHE").then(|| home.join("hub").into_os_string())
        });
        let options = SourceOptions {
            offline: true,
            hub,
            cache: AppCache::in_folder(home.join("own")),
            observer: Arc::new(Unobserved),
        };
        let files = ModelFiles::open(&"o/n".parse().unwrap(), options).unwrap();
        let file = files.find_ranged("model.safetensors").unwrap();
        let file = file.expect("the size of the file is known");
        for range in [0..8, 0..40, 100_000..170_000, SIZE - 1..SIZE] {
            let length = range.end - range.start;
            if let Ok(read) = file.read(range) {
                assert_eq!(read.len() as u64, length);
            }
        }
    }
}

/// Compares the encodings of a text by both engines with the built-in model. Bytes that are not UTF-8 are replaced.
pub fn engines(bytes: &[u8]) {
    struct Engines([Tokenizer; 2]);
    static ENGINES: LazyLock<Engines> = LazyLock::new(|| {
        Engines(
            [EngineChoice::Native, EngineChoice::Reference].map(|choice| {
                let tokenizer = Tokenizer::open(&local(&ModelRef::Demo)).unwrap();
                tokenizer.with_engine(choice)
            }),
        )
    });
    let Engines([native, reference]) = &*ENGINES;
    // The `tokenizers` crate is slow in a debug build, and a difference shows in a short text as well.
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4096)]);
    let truncation = Truncation {
        max_length: 8,
        stride: 2,
    };
    for (special, truncation) in [(true, None), (false, None), (true, Some(truncation))] {
        let mut options = EncodeOptions::default()
            .special_tokens(special)
            .parse_special(special);
        options.truncation = truncation;
        let ours = native.encode(&text, None, &options).unwrap();
        let theirs = reference.encode(&text, None, &options).unwrap();
        assert_eq!(ours, theirs, "{text:?} {options:?}");
        let ids = native.ids(&text, &options).unwrap();
        assert_eq!(ids, theirs.windows[0].ids, "{text:?} {options:?}");
    }
}

thread_local! {
    /// The folder for files that a target opens by their path.
    static SCRATCH: tempfile::TempDir = tempfile::tempdir().unwrap();
}

/// Replaces a file. Truncating it while it is mapped would end the process.
fn replace(path: &PathBuf, bytes: &[u8]) {
    let _ = fs::remove_file(path);
    fs::write(path, bytes).unwrap();
}

fn look_at(compiled: &CompiledVocabulary) {
    let _ = (compiled.scores(), compiled.charsmap(), compiled.rest());
    compiled.cache_text();
    for id in [0, compiled.size() as u32 / 2, compiled.size() as u32] {
        if let Some(piece) = compiled.piece(id) {
            let _ = compiled.find(piece);
        }
    }
    let _ = (compiled.kinds().count(), compiled.find("a"));
}

fn local(model: &ModelRef) -> ModelFiles {
    let options = SourceOptions {
        offline: true,
        hub: HubSettings::from_env(|_| None),
        cache: AppCache::disabled(),
        observer: Arc::new(Unobserved),
    };
    ModelFiles::open(model, options).unwrap()
}

/// Opens the tokenizer of a directory with exactly these files.
pub fn open_model(files: &[(&str, &[u8])]) -> tokscope::error::Result<Tokenizer> {
    let folder = SCRATCH.with(|folder| folder.path().join("model"));
    fs::create_dir_all(&folder).unwrap();
    for entry in fs::read_dir(&folder).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    for (name, bytes) in files {
        fs::write(folder.join(name), bytes).unwrap();
    }
    Tokenizer::open(&local(&ModelRef::Directory(folder)))
}

/// Uses the tokenizer of a directory with exactly these files. The engines may disagree, since a file may be valid for only
/// one of them.
pub fn use_model(files: &[(&str, &[u8])]) {
    const TEXT: &str = "Il a ﬁni, dinero  ＡＢ [MASK]\n日本 a\u{301}";
    for choice in [EngineChoice::Auto, EngineChoice::Reference] {
        let Ok(tokenizer) = open_model(files) else {
            return;
        };
        let tokenizer = tokenizer.with_engine(choice);
        let options = EncodeOptions::default();
        if let Ok(encoded) = tokenizer.encode(TEXT, Some("a b"), &options) {
            let ids = encoded.into_first().ids;
            let _ = tokenizer.decode(&ids, false);
        }
        let _ = tokenizer.count(TEXT, &options);
        let _ = tokenizer.special_tokens();
        let _ = tokenizer.id_of("dinero");
    }
}

/// Returns a zip archive of uncompressed entries.
pub fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in entries {
        let offset = bytes.len() as u32;
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        common.extend(crc32fast::hash(content).to_le_bytes());
        common.extend((content.len() as u32).to_le_bytes());
        common.extend((content.len() as u32).to_le_bytes());
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        bytes.extend(b"PK\x03\x04");
        bytes.extend(&common);
        bytes.extend(name.as_bytes());
        bytes.extend(*content);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let start = bytes.len() as u32;
    bytes.extend(&directory);
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend((entries.len() as u16).to_le_bytes());
    bytes.extend((entries.len() as u16).to_le_bytes());
    bytes.extend((directory.len() as u32).to_le_bytes());
    bytes.extend(start.to_le_bytes());
    bytes.extend([0, 0]);
    bytes
}
