//! Rows of GGUF files: the values that the Python package `gguf` computes, from files that it wrote.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::records::{one, records, values};
use crate::support::checkpoints::{F32, gguf_header};
use crate::support::gguf_writer::GgufWriter;
use crate::support::{Answer, on, repository, tiny_model, tokscope};

/// Every element type that rows can have, with the number of columns of its fixture.
const TYPES: &[(&str, usize)] = &[
    ("F32", 64),
    ("F16", 64),
    ("BF16", 64),
    ("Q4_0", 64),
    ("Q4_1", 64),
    ("Q5_0", 64),
    ("Q5_1", 64),
    ("Q8_0", 64),
    ("Q2_K", 256),
    ("Q3_K", 256),
    ("Q4_K", 256),
    ("Q5_K", 256),
    ("Q6_K", 256),
    ("IQ4_NL", 64),
    ("IQ4_XS", 256),
    ("MXFP4", 64),
];
const ROWS: usize = 6;
/// The number of Q8_0 in ggml, and its bytes per 32 elements.
const Q8_0: u32 = 8;
const Q8_0_BYTES: usize = 34;

fn fixture(dtype: &str, extension: &str) -> PathBuf {
    let name = format!("tests/fixtures/gguf/{}.{extension}", dtype.to_lowercase());
    repository(&name)
}

/// Returns the bits of the values that the package computes, row by row.
fn expected(dtype: &str, columns: usize) -> Vec<Vec<u32>> {
    let bytes = fs::read(fixture(dtype, "f32")).unwrap();
    let bits: Vec<u32> = (bytes.as_chunks().0.iter())
        .map(|bytes| u32::from_le_bytes(*bytes))
        .collect();
    bits.chunks(columns).map(<[u32]>::to_vec).collect()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

fn call(file: &Path, args: &[&str]) -> Answer {
    tokscope([&["-m", file.to_str().unwrap()], args].concat()).run()
}

#[track_caller]
fn ok(file: &Path, args: &[&str]) -> String {
    let answer = call(file, args);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    answer.stdout
}

#[test]
fn rows_of_every_gguf_type_have_the_values_of_the_reference() {
    let folder = tempfile::tempdir().unwrap();
    for &(dtype, columns) in TYPES {
        let file = fixture(dtype, "gguf");
        let expected = expected(dtype, columns);
        assert_eq!(expected.len(), ROWS);
        let answer = ok(&file, &["embed", "--id", "0-5", "--json"]);
        let rows: Vec<Vec<u32>> = answer.lines().map(|line| bits(&values(line))).collect();
        assert_eq!(rows, expected, "{dtype}");

        let safetensors = folder.path().join(format!("{dtype}.safetensors"));
        let output = safetensors.to_str().unwrap();
        ok(&file, &["embed", "--all", "--dtype", "f32", "-o", output]);
        let written = fs::read(&safetensors).unwrap();
        let reference = fs::read(fixture(dtype, "f32")).unwrap();
        assert!(written.ends_with(&reference), "{dtype}");
    }
}

#[test]
fn records_say_the_stored_type_and_whether_values_are_dequantized() {
    for &(dtype, columns) in TYPES {
        let file = fixture(dtype, "gguf");
        let quantized = !["F32", "F16", "BF16"].contains(&dtype);
        let row = one(&ok(&file, &["embed", "--id", "3", "--json"])).row();
        assert_eq!((row.dtype.as_str(), row.dequantized), (dtype, quantized));
        assert_eq!(row.piece.as_deref(), Some("t3"));
        let info = one(&ok(&file, &["info", "--json"])).info();
        let matrix = info.embedding.unwrap();
        assert_eq!(
            (matrix.dtype.as_str(), matrix.dequantized),
            (dtype, quantized)
        );
        assert_eq!((matrix.rows, matrix.columns), (ROWS as u64, columns as u64));
        assert_eq!(matrix.container, "gguf");
        assert_eq!(matrix.tensor, "token_embd.weight");
        let stats = one(&ok(&file, &["stats", "--json"])).stats();
        assert_eq!(
            (stats.dtype.as_str(), stats.dequantized),
            (dtype, quantized)
        );
        assert_eq!(stats.rows_without_token, []);
    }
}

#[test]
fn info_shows_the_metadata() {
    let file = fixture("Q4_K", "gguf");
    let info = one(&ok(&file, &["info", "--json"])).info();
    let config = info.config.unwrap();
    assert_eq!(config.model_type.as_deref(), Some("llama"));
    assert_eq!(
        (config.vocab_size, config.hidden_size),
        (Some(6), Some(256))
    );
    assert_eq!(config.max_position_embeddings, Some(2048));
    assert_eq!(config.quantization.as_deref(), Some("Q4_K_M"));
    assert_eq!(info.context_window, Some(2048));
    let source = info.context_window_source.unwrap();
    assert_eq!(source, "q4_k.gguf: llama.context_length");
    assert_eq!(info.embedding.unwrap().padding_idx, Some(1));
    let files: Vec<&str> = info.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(files, ["q4_k.gguf"]);
    assert_eq!(
        ok(&file, &["info", "--get", "config.quantization"]),
        "Q4_K_M\n"
    );
}

#[test]
fn every_row_command_reads_a_gguf_file() {
    let file = fixture("Q6_K", "gguf");
    let answer = call(&file, &["diff", "--id", "4,5", "--json"]);
    assert_eq!(answer.code, 1, "{}", answer.stderr);
    let diff = one(&answer.stdout).diff();
    let expected = expected("Q6_K", 256);
    let difference =
        |column: usize| f32::from_bits(expected[4][column]) - f32::from_bits(expected[5][column]);
    let values: Vec<f32> = (0..256).map(difference).collect();
    assert_eq!(bits(&diff.values.unwrap()), bits(&values));
    assert_eq!(call(&file, &["diff", "--id", "4,4"]).code, 0);

    // Without a vocabulary, every row is a neighbor.
    let distance = |id: usize| {
        let pairs = expected[4].iter().zip(&expected[id]);
        let wide = |bits: &u32| f64::from(f32::from_bits(*bits));
        let squares = pairs.map(|(a, b)| (wide(a) - wide(b)).powi(2));
        squares.sum::<f64>().sqrt()
    };
    let mut nearest: Vec<usize> = (0..ROWS).filter(|id| *id != 4).collect();
    nearest.sort_by(|a, b| distance(*a).total_cmp(&distance(*b)));
    let answer = ok(
        &file,
        &["neighbors", "--id", "4", "--metric", "l2", "--json"],
    );
    let found: Vec<usize> = records(&answer)
        .into_iter()
        .map(|record| record.neighbor())
        .inspect(|row| {
            assert!((f64::from(row.score) / distance(row.id as usize) - 1.0).abs() < 1e-6)
        })
        .map(|row| row.id as usize)
        .collect();
    assert_eq!(found, nearest);
    let cosines = one(&ok(&file, &["similarity", "--id", "4", "--json"])).similarity();
    assert_eq!(cosines.cosines, [Some(1.0)]);
}

#[test]
fn a_text_needs_a_whole_vocabulary_and_an_id_does_not() {
    let file = fixture("Q8_0", "gguf");
    for args in [
        &["embed", "a"][..],
        &["embed", "--piece", "a"],
        &["neighbors", "a"],
    ] {
        let answer = call(&file, args);
        assert_eq!(answer.code, 4, "{args:?}: {}", answer.stderr);
        let problem = "is damaged: its metadata has no array `tokenizer.ggml.merges`";
        assert!(answer.stderr.contains(problem), "{}", answer.stderr);
    }
    assert_eq!(call(&file, &["tokenize", "a"]).code, 4);
    let info = one(&ok(&file, &["info", "--json"])).info();
    let codes: Vec<&str> = info.findings.iter().map(|f| f.code.as_str()).collect();
    assert_eq!(codes, ["unusable-tokenizer"]);
    assert!(info.tokenizer.is_none());

    // Beside another tokenizer, a text works too.
    let model = tiny_model("f16.gguf");
    assert_eq!(
        on(model.path(), ["embed", "--piece", "[CLS]", "--json"])
            .ok()
            .lines()
            .count(),
        1
    );
}

#[test]
fn the_gguf_file_of_a_directory_is_found_or_must_be_named() {
    let folder = tempfile::tempdir().unwrap();
    let add = |from: &str, name: &str| {
        fs::copy(fixture(from, "gguf"), folder.path().join(name)).unwrap();
    };
    add("Q8_0", "m-q8_0.gguf");
    add("F16", "mmproj-m-f16.gguf");
    let dtype = |model: &Path| ok(model, &["info", "--get", "embedding.dtype"]);
    assert_eq!(dtype(folder.path()), "Q8_0\n");
    add("Q4_K", "m-q4_k.gguf");
    let answer = call(folder.path(), &["embed", "--id", "1"]);
    assert_eq!(answer.code, 2, "{}", answer.stderr);
    assert!(
        answer
            .stderr
            .contains("has 2 GGUF files, and no other checkpoint")
    );
    let info = one(&ok(folder.path(), &["info", "--json"])).info();
    let findings: Vec<&str> = info.findings.iter().map(|f| f.code.as_str()).collect();
    assert_eq!(findings, ["no-tokenizer", "no-matrix"]);
    assert!(info.findings[1].message.contains("has 2 GGUF files"));
    let named = folder.path().join("m-q4_k.gguf");
    let hint = format!(
        "name one of the GGUF files, as in `--model {}`",
        named.display()
    );
    assert!(answer.stderr.contains(&hint), "{}", answer.stderr);
    assert_eq!(dtype(&named), "Q4_K\n");
    let text = call(folder.path(), &["tokenize", "a"]);
    assert_eq!(text.code, 2);
    let hint = format!(
        "hint: it has m-q4_k.gguf: name that file, as in `--model {}`",
        named.display()
    );
    assert!(text.stderr.contains(&hint), "{}", text.stderr);
    let missing = call(&folder.path().join("m-q5_k.gguf"), &["embed", "--id", "1"]);
    assert_eq!(missing.code, 2);
    assert!(
        missing
            .stderr
            .contains("is not a model: there is no such file")
    );
}

#[test]
fn a_matrix_in_another_shard_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let name = |number: usize| folder.path().join(format!("m-0000{number}-of-00003.gguf"));
    fs::write(name(1), gguf_header(&[])).unwrap();
    fs::write(name(3), gguf_header(&[])).unwrap();
    let answer = call(&name(1), &["embed", "--id", "1"]);
    assert_eq!(answer.code, 4, "{}", answer.stderr);
    let problem = "it has no word-embedding matrix, and its shard m-00002-of-00003.gguf is missing";
    assert!(answer.stderr.contains(problem), "{}", answer.stderr);
    fs::copy(fixture("Q8_0", "gguf"), name(2)).unwrap();
    for model in [name(1), name(2), name(3), folder.path().to_owned()] {
        let answer = ok(&model, &["embed", "--id", "1", "--json"]);
        assert_eq!(bits(&values(&answer)), expected("Q8_0", 64)[1]);
        let file = ok(&model, &["info", "--get", "embedding.file"]);
        assert_eq!(file, "m-00002-of-00003.gguf\n");
    }
}

#[test]
fn a_model_in_the_store_of_ollama_is_read() {
    let store = tempfile::tempdir().unwrap();
    let digest = "5".repeat(64);
    let manifests = store.path().join("manifests/registry.ollama.ai/library/m");
    fs::create_dir_all(&manifests).unwrap();
    fs::create_dir(store.path().join("blobs")).unwrap();
    let blob = store.path().join(format!("blobs/sha256-{digest}"));
    let size = fs::copy(fixture("Q4_K", "gguf"), blob).unwrap();
    let layer = format!(
        r#"{{"mediaType":"application/vnd.ollama.image.model","digest":"sha256:{digest}","size":{size}}}"#
    );
    fs::write(manifests.join("1b"), format!(r#"{{"layers":[{layer}]}}"#)).unwrap();
    let call = |model: &str, args: &[&str]| {
        let call = tokscope([&["-m", model], args].concat());
        call.env("OLLAMA_MODELS", store.path()).run()
    };
    let row = call("ollama:m:1b", &["embed", "--id", "4", "--json"]);
    assert_eq!(row.code, 0, "{}", row.stderr);
    assert_eq!(bits(&values(&row.stdout)), expected("Q4_K", 256)[4]);
    let info = one(&call("ollama:m:1b", &["info", "--json"]).stdout).info();
    assert_eq!(info.model, "ollama:m:1b");
    assert_eq!(info.files.len(), 1);
    assert_eq!(info.config.unwrap().quantization.as_deref(), Some("Q4_K_M"));
    // The same store, with a file that has a whole vocabulary.
    let file = GgufWriter::default()
        .text("model", "gpt2")
        .text("pre", "gpt-2")
        .texts("tokens", &["a", "b", "ab"])
        .texts("merges", &["a b"]);
    let file = file.finish(3);
    fs::write(store.path().join(format!("blobs/sha256-{digest}")), &file).unwrap();
    let manifest = format!(r#"{{"layers":[{layer}]}}"#);
    let manifest = manifest.replace(&format!(":{size}}}"), &format!(":{}}}", file.len()));
    fs::write(manifests.join("1b"), manifest).unwrap();
    let ids = call("ollama:m:1b", &["tokenize", "--ids", "abba"]);
    assert_eq!(ids.stdout, "2 1 0\n", "{}", ids.stderr);
    let row = one(&call("ollama:m:1b", &["embed", "ab", "--json"]).stdout).row();
    assert_eq!((row.id, row.piece.as_deref()), (2, Some("ab")));
    let missing = call("ollama:m", &["embed", "--id", "4"]);
    assert_eq!(missing.code, 2);
    let problem = "`ollama:m:latest` is not a model: Ollama's store at";
    assert!(missing.stderr.contains(problem), "{}", missing.stderr);
}

#[test]
fn other_gguf_types_and_files_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("m.gguf");
    let refused = |tensors: &[(&str, &[u64], u32, u64)]| {
        fs::write(&file, gguf_header(tensors)).unwrap();
        let answer = call(&file, &["embed", "--id", "0"]);
        assert_eq!(answer.code, 4, "{}", answer.stderr);
        answer.stderr
    };
    let sentence = refused(&[("token_embd.weight", &[256, 2], 16, 0)]);
    assert!(
        sentence.contains("tensor token_embd.weight is of the type `IQ2_XXS`"),
        "{sentence}"
    );
    let sentence = refused(&[("token_embd.weight", &[256, 2], 26, 0)]);
    assert!(
        sentence.contains("is at bytes 96 to 2144 of a file of 96"),
        "{sentence}"
    );
    let sentence = refused(&[("output.weight", &[0, 0], F32, 0)]);
    assert!(
        sentence.contains("it has no word-embedding matrix"),
        "{sentence}"
    );
}

#[test]
fn a_gguf_file_without_tensors_is_described() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("vocabulary.gguf");
    fs::write(&file, gguf_header(&[])).unwrap();
    let info = one(&ok(&file, &["info", "--json"])).info();
    assert!(info.embedding.is_none() && info.config.is_some());
    assert_eq!(call(&file, &["embed", "--id", "0"]).code, 2);
}

#[test]
fn a_row_of_a_large_gguf_file_is_read_alone() {
    const COLUMNS: usize = 4096;
    const COUNT: usize = 1_000_000;
    let width = COLUMNS / 32 * Q8_0_BYTES;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.gguf");
    let dimensions = [COLUMNS as u64, COUNT as u64];
    let header = gguf_header(&[("token_embd.weight", &dimensions, Q8_0, 0)]);
    let mut file = File::create(&path).unwrap();
    file.write_all(&header).unwrap();
    // The file is sparse: only the last row has bytes.
    let last = header.len() + (COUNT - 1) * width;
    file.set_len((last + width) as u64).unwrap();
    file.seek(SeekFrom::Start(last as u64)).unwrap();
    let one = half::f16::from_f32(0.5).to_le_bytes();
    file.write_all(&[&one[..], &[2; 32]].concat()).unwrap();
    drop(file);
    assert!(path.metadata().unwrap().len() > 4 << 30);
    let answer = tokscope([
        "-m",
        path.to_str().unwrap(),
        "embed",
        "--id",
        "999999",
        "--json",
    ]);
    let row = values(&answer.limited("--rss=100000000").run().stdout);
    assert_eq!(row[..32], [1.0; 32]);
    assert_eq!(row[32..], [0.0; COLUMNS - 32]);
}
