//! The vocabularies of GGUF files: the ids of the `tokenizer.json` that each was made from.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use serde::Deserialize;
use serde_json::Value;
use tokscope::model_ref::ModelRef;
use tokscope::tokenizer::{EncodeOptions, EngineChoice, Tokenizer};

use crate::records::one;
use crate::support::gguf_writer::{BYTE, CONTROL, GgufWriter, NORMAL, UNKNOWN, USER_DEFINED};
use crate::support::{file_tokenizer, files, json_lines, shared, tokscope};

#[derive(Deserialize)]
struct Golden {
    text: String,
    ids: Vec<u32>,
}

/// A tokenizer, its tokens by id, and their types.
struct Json {
    json: Value,
    tokens: Vec<String>,
    types: Vec<i32>,
}

impl Json {
    fn read(model: &Path) -> Self {
        let json: Value =
            serde_json::from_slice(&fs::read(model.join("tokenizer.json")).unwrap()).unwrap();
        let vocab = &json["model"]["vocab"];
        let mut pieces: HashMap<usize, (String, i32)> = match vocab {
            Value::Object(vocab) => (vocab.iter())
                .map(|(piece, id)| (id.as_u64().unwrap() as usize, (piece.clone(), NORMAL)))
                .collect(),
            list => (list.as_array().unwrap().iter().enumerate())
                .map(|(id, pair)| (id, (pair[0].as_str().unwrap().to_owned(), NORMAL)))
                .collect(),
        };
        for token in json["added_tokens"].as_array().unwrap() {
            let kind = match token["special"].as_bool().unwrap() {
                true => CONTROL,
                false => USER_DEFINED,
            };
            let text = token["content"].as_str().unwrap().to_owned();
            pieces.insert(token["id"].as_u64().unwrap() as usize, (text, kind));
        }
        let size = pieces.keys().max().unwrap() + 1;
        let named = |id| {
            let piece = pieces.get(&id).cloned();
            piece.unwrap_or_else(|| (format!("[PAD{id}]"), 5))
        };
        let (tokens, types) = (0..size).map(named).unzip();
        Self {
            json,
            tokens,
            types,
        }
    }

    fn id(&self, token: &str) -> u32 {
        self.tokens.iter().position(|other| other == token).unwrap() as u32
    }

    fn merges(&self) -> Vec<String> {
        let merges = self.json["model"]["merges"].as_array().unwrap().iter();
        merges
            .map(|merge| match merge {
                Value::String(line) => line.clone(),
                pair => format!(
                    "{} {}",
                    pair[0].as_str().unwrap(),
                    pair[1].as_str().unwrap()
                ),
            })
            .collect()
    }

    /// Returns a file of the kind `model`, without settings.
    fn gguf(&self, model: &str) -> GgufWriter {
        GgufWriter::default()
            .text("general.architecture", "llama")
            .text("model", model)
            .texts("tokens", &self.tokens)
            .types(&self.types)
    }

    fn byte_level(&self, pre: &str) -> GgufWriter {
        self.gguf("gpt2")
            .text("pre", pre)
            .texts("merges", &self.merges())
    }
}

/// Writes a file to a folder.
fn write(folder: &Path, name: &str, file: &GgufWriter) -> PathBuf {
    let path = folder.join(format!("{name}.gguf"));
    fs::write(&path, file.finish(0)).unwrap();
    path
}

/// Asserts that both engines encode the golden texts of a model as recorded, and decode them as the model does.
fn assert_golden(shared: &Path, folder: &Path, name: &str, file: &GgufWriter) {
    let path = write(folder, name, file);
    // The file of the older T5 model also splits texts at white space that is no space.
    let recorded = if name == "t5-small" {
        "t5-base.auto"
    } else {
        name
    };
    let golden: Vec<Golden> = json_lines(&shared.join(format!("golden/{recorded}.jsonl")));
    assert!(golden.len() >= 500);
    let options = EncodeOptions::default();
    for engine in [EngineChoice::Native, EngineChoice::Reference] {
        let tokenizer = file_tokenizer(&path).with_engine(engine);
        for Golden { text, ids } in &golden {
            let encoded = tokenizer.encode(text, None, &options).unwrap().into_first();
            assert_eq!(encoded.ids, *ids, "{name}: {text:?}");
        }
    }
    let own = ModelRef::Directory(shared.join("models").join(name));
    let own = Tokenizer::open(&files(&own).as_is()).unwrap();
    let decode = |tokenizer: &Tokenizer, ids: &[u32]| tokenizer.decode(ids, false).unwrap();
    let tokenizer = file_tokenizer(&path);
    for Golden { ids, .. } in &golden {
        assert_eq!(
            decode(&tokenizer, ids),
            decode(&own, ids),
            "{name}: {ids:?}"
        );
    }
}

#[test]
fn byte_level_vocabularies_have_the_ids_of_their_tokenizer_json() {
    let name = "byte_level_vocabularies_have_the_ids_of_their_tokenizer_json";
    let Some(shared) = shared(name) else { return };
    let folder = tempfile::tempdir().unwrap();
    for (model, pre) in [
        ("gpt2", "gpt-2"),
        ("llama3", "llama-bpe"),
        ("qwen3", "qwen2"),
        ("phi-2", "phi-2"),
        ("gpt-4o", "gpt-4o"),
        ("modernbert", "modern-bert"),
        ("roberta-base", "roberta-bpe"),
    ] {
        let json = Json::read(&shared.join("models").join(model));
        let mut file = json.byte_level(pre);
        for (model_of, first, last) in [
            ("modernbert", "[CLS]", "[SEP]"),
            ("roberta-base", "<s>", "</s>"),
        ] {
            if model == model_of {
                file = file.id("bos", json.id(first)).id("eos", json.id(last));
                file = file.flag("add_bos_token", true).flag("add_eos_token", true);
            }
        }
        assert_golden(&shared, folder.path(), model, &file);
    }
}

#[test]
fn the_published_vocabulary_of_gpt_2_is_that_of_its_tokenizer_json() {
    let name = "the_published_vocabulary_of_gpt_2_is_that_of_its_tokenizer_json";
    let Some(shared) = shared(name) else { return };
    let tokenizer = file_tokenizer(&shared.join("models/gguf/ggml-vocab-gpt-2.gguf"));
    let golden: Vec<Golden> = json_lines(&shared.join("golden/gpt2.jsonl"));
    for Golden { text, ids } in golden {
        let encoded = tokenizer.encode(&text, None, &EncodeOptions::default());
        assert_eq!(encoded.unwrap().into_first().ids, ids, "{text:?}");
    }
}

#[test]
fn scored_vocabularies_have_the_ids_of_their_tokenizer_json() {
    let name = "scored_vocabularies_have_the_ids_of_their_tokenizer_json";
    let Some(shared) = shared(name) else { return };
    let folder = tempfile::tempdir().unwrap();
    for (model, prefixed) in [("llama2", true), ("gemma3", false)] {
        let mut json = Json::read(&shared.join("models").join(model));
        // The rank of the first merge into a piece is its score, as in the SentencePiece file.
        let mut ranks: HashMap<String, f32> = HashMap::new();
        for (rank, merge) in json.merges().iter().enumerate() {
            let piece = merge.replacen(' ', "", 1);
            ranks.entry(piece).or_insert(-(rank as f32));
        }
        for (token, kind) in json.tokens.iter().zip(&mut json.types) {
            match token.as_str() {
                "<unk>" => *kind = UNKNOWN,
                token if token.len() == 6 && token.starts_with("<0x") => *kind = BYTE,
                _ => {}
            }
        }
        let scores: Vec<f32> = (json.tokens.iter().zip(&json.types))
            .map(|(token, kind)| match (ranks.get(token), *kind) {
                (Some(score), _) => *score,
                (None, NORMAL) => -1e9,
                _ => 0.0,
            })
            .collect();
        let first = if prefixed { "<s>" } else { "<bos>" };
        let file = json
            .gguf("llama")
            .scores(&scores)
            .id("bos", json.id(first))
            .id("unknown", json.id("<unk>"))
            .flag("add_space_prefix", prefixed);
        assert_golden(&shared, folder.path(), model, &file);
    }

    let json = Json::read(&shared.join("models/t5-small"));
    let scores = json.json["model"]["vocab"].as_array().unwrap().iter();
    let scores: Vec<f32> = scores
        .map(|pair| pair[1].as_f64().unwrap() as f32)
        .collect();
    let charsmap = json.json["normalizer"]["precompiled_charsmap"].as_str();
    let charsmap = base64::engine::general_purpose::STANDARD.decode(charsmap.unwrap());
    let file = json
        .gguf("t5")
        .scores(&scores)
        .bytes("precompiled_charsmap", &charsmap.unwrap())
        .flag("add_space_prefix", true)
        .flag("remove_extra_whitespaces", true);
    assert_golden(&shared, folder.path(), "t5-small", &file);
}

#[test]
fn word_piece_vocabularies_have_the_ids_of_their_tokenizer_json() {
    let name = "word_piece_vocabularies_have_the_ids_of_their_tokenizer_json";
    let Some(shared) = shared(name) else { return };
    let folder = tempfile::tempdir().unwrap();
    for model in ["gte", "chinese-roberta-wwm"] {
        let json = Json::read(&shared.join("models").join(model));
        let tokens: Vec<String> = (json.tokens.iter().zip(&json.types))
            .map(|(token, kind)| match token.strip_prefix("##") {
                _ if *kind == CONTROL => token.clone(),
                Some(rest) => rest.to_owned(),
                None => format!("▁{token}"),
            })
            .collect();
        let file = json.gguf("bert").texts("tokens", &tokens);
        let path = write(folder.path(), model, &file);
        let golden: Vec<Golden> = json_lines(&shared.join(format!("golden/{model}.jsonl")));
        let tokenizer = file_tokenizer(&path);
        for Golden { text, ids } in golden {
            let encoded = tokenizer.encode(&text, None, &EncodeOptions::default());
            assert_eq!(encoded.unwrap().into_first().ids, ids, "{model}: {text:?}");
        }
        for (id, piece) in (0..).zip(&json.tokens) {
            assert_eq!(tokenizer.piece(id), Some(piece.as_str()), "{model}");
        }
    }
}

/// A small vocabulary of each kind, and the ids and pieces of a text with it.
fn small() -> [(&'static str, GgufWriter, &'static str, &'static str); 4] {
    let bytes = ["a", "b", "c", "Ġ", "ab", "Ġab", "<|x|>", "<u>"];
    let scored = [
        "<unk>", "<s>", "</s>", "a", "b", "▁", "ab", "▁ab", "<0x63>", "<u>",
    ];
    let scores = [0.0, 0.0, 0.0, -9.0, -9.0, -9.0, -1.0, -2.0, 0.0, 0.0];
    let words = ["[PAD]", "▁ab", "c", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
    let file = |model: &str| GgufWriter::default().text("model", model);
    [
        (
            "gpt2",
            file("gpt2")
                .text("pre", "gpt-2")
                .texts("tokens", &bytes)
                .types(&[1, 1, 1, 1, 1, 1, 3, 4])
                .texts("merges", &["a b", "Ġ ab"])
                .id("bos", 6)
                .flag("add_bos_token", true),
            "6 4 5 6 7 2",
            "<|x|> ab Ġab <|x|> <u> c",
        ),
        (
            "llama",
            file("llama")
                .texts("tokens", &scored)
                .types(&[2, 3, 3, 1, 1, 1, 1, 1, 6, 4])
                .scores(&scores),
            "1 7 7 9 5 8",
            "<s> ▁ab ▁ab <u> ▁ <0x63>",
        ),
        (
            "bert",
            file("bert")
                .texts("tokens", &words)
                .types(&[3, 1, 1, 3, 3, 3, 3])
                .id("cls", 4)
                .id("unknown", 3)
                .id("seperator", 5)
                .id("mask", 6),
            "4 1 1 3 5",
            "[CLS] ab ab [UNK] [SEP]",
        ),
        (
            "t5",
            file("t5")
                .texts("tokens", &["<pad>", "</s>", "<unk>", "▁ab", "c", "▁"])
                .types(&[3, 3, 2, 1, 1, 1])
                .scores(&[0.0, 0.0, 0.0, -1.0, -2.0, -3.0])
                .flag("remove_extra_whitespaces", true)
                .flag("add_space_prefix", true),
            "3 3 5 4 1",
            "▁ab ▁ab ▁ c </s>",
        ),
    ]
}

#[test]
fn every_kind_of_vocabulary_is_a_tokenizer() {
    let folder = tempfile::tempdir().unwrap();
    let texts = ["ab ab<|x|><u>c", "ab ab<u>c", "ab AB x", "ab  ab c"];
    for ((kind, file, ids, pieces), text) in small().into_iter().zip(texts) {
        let path = write(folder.path(), kind, &file);
        let call = |args: &[&str]| {
            let answer = tokscope([&["-m", path.to_str().unwrap()], args].concat()).run();
            assert_eq!(answer.code, 0, "{kind}: {}", answer.stderr);
            answer.stdout.trim_end().to_owned()
        };
        for engine in ["native", "reference"] {
            let call = |of| call(&["--engine", engine, "tokenize", of, text]);
            assert_eq!(call("--ids"), ids, "{kind} {engine}");
            assert_eq!(call("--pieces"), pieces, "{kind} {engine}");
        }
        let file = folder.path().join("text");
        fs::write(&file, text).unwrap();
        let count = call(&["count", file.to_str().unwrap(), "--json"]);
        let tokens = format!(r#""tokens":{}"#, ids.split(' ').count());
        assert!(count.contains(&tokens), "{kind}: {count}");
        assert!(call(&["info", "--json"]).contains(&format!("{kind}.gguf")));
    }
}

#[test]
fn a_row_is_labeled_by_the_vocabulary_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    for (kind, file, ..) in small() {
        let path = folder.path().join(format!("{kind}.gguf"));
        fs::write(&path, file.finish(9)).unwrap();
        let pieces = match kind {
            "gpt2" => ["Ġab", "<|x|>"],
            "llama" => ["▁", "ab"],
            "bert" => ["[SEP]", "[MASK]"],
            _ => ["▁", "(none)"],
        };
        let call = |args: &[&str]| {
            let answer = tokscope([&["-m", path.to_str().unwrap()], args].concat()).run();
            assert_eq!(answer.code, 0, "{kind}: {}", answer.stderr);
            answer.stdout
        };
        let rows = call(&["embed", "--id", "5,6", "--json"]);
        for (row, piece) in rows.lines().zip(pieces) {
            let row: Value = serde_json::from_str(row).unwrap();
            assert_eq!(row["piece"].as_str().unwrap_or("(none)"), piece, "{kind}");
            assert_eq!(row["values"][0], row["id"].as_f64().unwrap(), "{kind}");
        }
        let word = call(&["embed", "ab", "--no-special-tokens", "--json"]);
        assert!(word.contains("ab\""), "{word}");
        let near = call(&["neighbors", "ab", "-k", "3", "--json"]);
        assert_eq!(near.lines().count(), 3, "{near}");
    }
}

#[test]
fn vocabularies_that_cannot_be_reproduced_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let [(_, gpt2, ..), (_, llama, ..), ..] = small();
    for (file, problem) in [
        (
            gpt2.clone().text("pre", "superbpe"),
            "its pre-tokenizer is `superbpe`, which is not supported",
        ),
        (
            gpt2.clone().text("model", "rwkv"),
            "its vocabulary is of the kind `rwkv`, but only",
        ),
        (
            gpt2.clone().without("merges"),
            "no array `tokenizer.ggml.merges`",
        ),
        (
            llama.clone().without("scores"),
            "no array `tokenizer.ggml.scores`",
        ),
        (
            gpt2.clone().without("tokens"),
            "no array `tokenizer.ggml.tokens`",
        ),
        (
            gpt2.clone().texts("tokens", &["a", "b", "a"]),
            "tokens 0 and 2 are both `a`",
        ),
        (
            gpt2.clone().types(&[1; 7]),
            "has 7 elements, but there are 8 tokens",
        ),
        (
            gpt2.clone().texts("merges", &["ab"]),
            "merge 0 is `ab`, not two pieces with a space between them",
        ),
        (
            llama.clone().scores(&[f32::NAN; 10]),
            "the score of token 0 is NaN",
        ),
        (
            gpt2.clone().text("add_bos_token", "yes"),
            "`tokenizer.ggml.add_bos_token` in its metadata has the wrong type",
        ),
    ] {
        let path = folder.path().join("m.gguf");
        fs::write(&path, file.finish(8)).unwrap();
        let call = |args: &[&str]| tokscope([&["-m", path.to_str().unwrap()], args].concat()).run();
        let answer = call(&["tokenize", "a"]);
        assert_eq!(answer.code, 4, "{problem}: {}", answer.stderr);
        assert!(
            answer.stderr.contains(problem),
            "{problem}: {}",
            answer.stderr
        );
        if !problem.contains("wrong type") {
            // Rows need no tokenizer.
            assert_eq!(call(&["embed", "--id", "1"]).code, 0, "{problem}");
        }
    }
}

#[test]
fn a_directory_without_another_vocabulary_has_that_of_its_gguf_file() {
    let folder = tempfile::tempdir().unwrap();
    let [(_, gpt2, ..), ..] = small();
    fs::write(folder.path().join("m.gguf"), gpt2.finish(8)).unwrap();
    let call = |args: &[&str]| {
        let answer = tokscope([&["-m", folder.path().to_str().unwrap()], args].concat()).run();
        assert_eq!(answer.code, 0, "{}", answer.stderr);
        answer.stdout
    };
    for config in [
        None,
        Some(r#"{"model_type": "llama"}"#),
        Some(r#"{"model_type": "x"}"#),
    ] {
        if let Some(config) = config {
            fs::write(folder.path().join("config.json"), config).unwrap();
        }
        assert_eq!(
            call(&["tokenize", "--ids", "ab ab"]),
            "6 4 5\n",
            "{config:?}"
        );
        assert!(call(&["embed", "--id", "5", "--json"]).contains("Ġab"));
    }
}

#[test]
fn a_vocabulary_truncated_at_any_percent_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (kind, file, ..) in small() {
        let path = folder.path().join("m.gguf");
        let whole = file.finish(0);
        for percent in 0..100 {
            fs::write(&path, &whole[..whole.len() * percent / 100]).unwrap();
            let opened = Tokenizer::open(&files(&ModelRef::File(path.clone())));
            let error = opened.expect_err(kind);
            assert_eq!(error.exit() as u8, 4, "{kind} {percent} %: {error}");
        }
        fs::write(&path, &whole).unwrap();
        assert!(Tokenizer::open(&files(&ModelRef::File(path.clone()))).is_ok());
    }
}

#[test]
fn tokens_that_are_not_utf_8_or_too_long_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.gguf");
    let [(_, gpt2, ..), (_, llama, ..), ..] = small();
    let bytes = |bytes: &[u8]| {
        let text = [&8_u32.to_le_bytes()[..], &1_u64.to_le_bytes()].concat();
        let text = [&text[..], &(bytes.len() as u64).to_le_bytes(), bytes].concat();
        gpt2.clone().without("token_type").value("tokens", 9, &text)
    };
    let long: Vec<String> = (0..20).map(|n| format!("{n}").repeat(8_000)).collect();
    for (file, problem) in [
        (bytes(b"a\xff"), "token 0 is not UTF-8"),
        (
            bytes(&[b'a'; 20_000]),
            "token 0 has 20000 bytes, but the limit is 16384",
        ),
        (
            llama
                .without("token_type")
                .texts("tokens", &long)
                .scores(&[0.0; 20]),
            "its tokens are too long for a SentencePiece vocabulary",
        ),
    ] {
        fs::write(&path, file.finish(0)).unwrap();
        let opened = Tokenizer::open(&files(&ModelRef::File(path.clone())));
        let error = opened.expect_err(problem).to_string();
        assert!(error.contains(problem), "{error}");
    }
}

#[test]
fn info_describes_the_vocabulary_of_a_gguf_file() {
    let folder = tempfile::tempdir().unwrap();
    let [(_, gpt2, ..), (_, llama, ..), ..] = small();
    let gpt2 = gpt2
        .id("eot", 6)
        .text("tokenizer.chat_template", "{{ messages }}");
    let info = |name: &str, file: &GgufWriter, args: &[&str]| {
        let path = write(folder.path(), name, file);
        let answer = tokscope([&["-m", path.to_str().unwrap(), "info"], args].concat()).run();
        assert_eq!(answer.code, 0, "{}", answer.stderr);
        answer.stdout
    };
    let tokenizer = |name, file| {
        one(&info(name, file, &["--json"]))
            .info()
            .tokenizer
            .unwrap()
    };
    let gguf = tokenizer("gpt2", &gpt2).gguf.unwrap();
    assert_eq!(
        (gguf.model.as_str(), gguf.pre.as_deref()),
        ("gpt2", Some("gpt-2"))
    );
    assert_eq!(gguf.eot_token.unwrap().token, "<|x|>");
    assert!(gguf.chat_template);
    let shown = info("gpt2", &gpt2, &[]);
    let line = "gpt2, pre-tokenizer gpt-2, with a chat template";
    assert!(shown.contains(line), "{shown}");
    assert!(shown.contains("eot <|x|> 6"), "{shown}");
    let llama = tokenizer("llama", &llama);
    assert!(!llama.gguf.unwrap().chat_template);
    let ids = ["bos_token", "eos_token", "unk_token"].map(|role| llama.special_tokens[role].id);
    assert_eq!(ids, [Some(1), Some(2), Some(0)]);
}
