//! Where untrusted bytes enter: one function for each kind of file, and one for a text that both engines encode.
//!
//! Each takes any bytes at all and does with them what the program does with such a file. It returns if they are
//! refused or read; a panic is a bug of the program. `cargo test` runs them on changed seeds (`main.rs`), and
//! `fuzz/` has them for cargo-fuzz.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use tokscope::formats::checkpoint::{Checkpoint, ShardIndex};
use tokscope::formats::config::{
    ModelConfig, SpecialTokensMap, TokenizerConfig, parse_added_tokens,
};
use tokscope::formats::json;
use tokscope::formats::npy::Vectors;
use tokscope::formats::sentencepiece::SentencePieceModel;
use tokscope::model_ref::ModelRef;
use tokscope::source::{
    HubSettings, MappedFile, MemoryFile, ModelFiles, OwnCache, SourceOptions, Unobserved,
};
use tokscope::tokenizer::native::compiled::{CompiledVocabulary, Contents};
use tokscope::tokenizer::{EncodeOptions, EngineChoice, Tokenizer, Truncation};

/// A place where untrusted bytes enter.
pub struct Target {
    /// Also the name of its folder in `fuzz/seeds`, and of its file in `fuzz/fuzz_targets`.
    pub name: &'static str,
    pub enter: fn(&[u8]),
    /// Executions of an ordinary test run: fewer where one costs files, or whole tokenizers.
    pub usually: usize,
}

/// All of them.
pub const TARGETS: &[Target] = &[
    target("spm", spm, 3_000),
    target("spm_tokenizer", spm_tokenizer, 500),
    target("tokenizer_json", tokenizer_json, 1_500),
    target("config", config, 5_000),
    target("token_files", token_files, 5_000),
    target("safetensors", checkpoint, 4_000),
    target("shard_index", shard_index, 5_000),
    target("torch_zip", checkpoint, 4_000),
    target("torch_legacy", checkpoint, 4_000),
    target("pickle", pickle, 4_000),
    target("npy", npy, 5_000),
    target("compiled", compiled, 1_500),
    target("ranges", ranges, 1_500),
    target("engines", engines, 1_000),
];

/// Leaves out of the reports of panics those of the library that the program expects and catches. libFuzzer, which ends
/// at any panic that is reported, needs this as much as a reader.
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

const fn target(name: &'static str, enter: fn(&[u8]), usually: usize) -> Target {
    Target {
        name,
        enter,
        usually,
    }
}

/// `spm.model`: read, and compiled as it is when it is opened.
pub fn spm(bytes: &[u8]) {
    if let Ok(model) = SentencePieceModel::parse("spm.model", bytes) {
        let compiled = CompiledVocabulary::new(&Contents::from(&model), [0; 32]);
        look_at(&compiled);
    }
}

/// `spm.model` of a whole model: opened, and a text encoded by both engines.
pub fn spm_tokenizer(bytes: &[u8]) {
    let config = br#"{"tokenizer_class": "DebertaV2Tokenizer"}"#;
    use_model(&[("tokenizer_config.json", config), ("spm.model", bytes)]);
}

/// `tokenizer.json` of a whole model: opened, and a text encoded and decoded by both engines.
pub fn tokenizer_json(bytes: &[u8]) {
    use_model(&[("tokenizer.json", bytes)]);
}

/// `config.json` and `tokenizer_config.json`.
pub fn config(bytes: &[u8]) {
    let _ = ModelConfig::parse("config.json", bytes);
    if let Ok(config) = json::parse_settings::<TokenizerConfig>("tokenizer_config.json", bytes) {
        let _ = config.max_length();
    }
}

/// `special_tokens_map.json` and `added_tokens.json`.
pub fn token_files(bytes: &[u8]) {
    if let Ok(map) = json::parse_settings::<SpecialTokensMap>("special_tokens_map.json", bytes) {
        let _ = map.named();
    }
    let _ = parse_added_tokens("added_tokens.json", bytes);
}

/// A checkpoint of any container: its list of tensors, and the place of each.
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

/// The pickle of a torch checkpoint, in an archive that is sound.
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

/// A NumPy array, as `neighbors` takes it.
pub fn npy(bytes: &[u8]) {
    if let Ok(vectors) = Vectors::parse("vectors.npy", bytes) {
        for row in [0, vectors.rows() - 1] {
            let row = vectors.row(row).map(|row| row.len());
            assert_eq!(row, Some(vectors.columns()));
        }
        assert_eq!(vectors.row(vectors.rows()), None);
    }
}

/// A compiled vocabulary of the own cache: as it is, and with a checksum that is right.
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

/// The digest and size, in bytes, of the remote file that [`ranges`] has pieces of.
pub const ETAG: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
pub const SIZE: u64 = 1_000_000;

/// A file of the range cache: as it is, and with a checksum of its header that is right. Read as the program does
/// without a network.
pub fn ranges(bytes: &[u8]) {
    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
    let home = SCRATCH.with(|folder| folder.path().to_owned());
    let note = format!("{ETAG} {SIZE}");
    let note = format!("{note} {:08x}\n", crc32fast::hash(note.as_bytes()));
    let model = home.join("own/ranges/models--o--n");
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
            (name == "HF_HUB_CACHE").then(|| home.join("hub").display().to_string())
        });
        let options = SourceOptions {
            offline: true,
            hub: hub.unwrap(),
            cache: OwnCache::in_folder(home.join("own")),
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

/// A text that both engines encode with the built-in model; bytes that are not UTF-8 are replaced.
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
    // The reference is slow where it is not optimised; what differs, differs in a short text.
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4096)]);
    let truncation = Truncation {
        max_length: 8,
        stride: 2,
    };
    for (special, truncation) in [(true, None), (false, None), (true, Some(truncation))] {
        let options = EncodeOptions {
            special_tokens: special,
            parse_special: special,
            truncation,
        };
        let ours = native.encode(&text, None, &options).unwrap();
        let theirs = reference.encode(&text, None, &options).unwrap();
        assert_eq!(ours, theirs, "{text:?} {options:?}");
        let ids = native.ids(&text, &options).unwrap();
        assert_eq!(ids, theirs.windows[0].ids, "{text:?} {options:?}");
    }
}

thread_local! {
    /// Where a target puts files that are opened by their path.
    static SCRATCH: tempfile::TempDir = tempfile::tempdir().unwrap();
}

/// Writes a file anew: one that is cut short while it is mapped would end the process.
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
        hub: HubSettings::from_env(|_| None).unwrap(),
        cache: OwnCache::none(),
        observer: Arc::new(Unobserved),
    };
    ModelFiles::open(model, options).unwrap()
}

/// Opens the tokenizer of a directory that has these files and no others.
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

/// Uses the tokenizer of a directory that has these files. The engines need not agree: a file may be right for one.
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

/// A zip archive of stored entries.
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
