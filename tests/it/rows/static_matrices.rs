//! Static matrices of model2vec and sentence-transformers, folders of sentence-transformers, and adapters of PEFT.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::records::values;
use crate::support::checkpoints::float_tensors;
use crate::support::{folder_without_checkpoint, on, repository, tiny_model};

const FIXTURES: &str = "tests/fixtures/matrices";

/// Returns the bits of the rows that model2vec computes, by folder.
fn expected() -> BTreeMap<String, Vec<Vec<u32>>> {
    let json = fs::read(repository(FIXTURES).join("expected.json")).unwrap();
    let all: BTreeMap<String, Value> = serde_json::from_slice(&json).unwrap();
    let is_static = |name: &String| name.starts_with("model2vec_") || name == "static_embedding";
    let folders = all.into_iter().filter(|(name, _)| is_static(name));
    folders
        .map(|(name, rows)| (name, serde_json::from_value(rows).unwrap()))
        .collect()
}

fn bits(line: &str) -> Vec<u32> {
    values(line).iter().map(|value| value.to_bits()).collect()
}

/// Writes a safetensors file of float32 tensors.
fn write_safetensors(path: &Path, tensors: &[(&str, &[usize], &[f32])]) {
    fs::write(path, float_tensors(tensors)).unwrap();
}

#[test]
fn rows_are_those_of_static_models_of_model2vec() {
    let expected = expected();
    assert_eq!(expected.len(), 9);
    for (name, rows) in expected {
        let folder = repository(FIXTURES).join(&name);
        let args = ["embed", "--all", "--json"];
        let answer = on(&folder, args).ok();
        let found: Vec<_> = answer.lines().map(bits).collect();
        assert_eq!(found, rows, "{name}");
        let one = on(&folder, ["embed", "--id", "4", "--json"]).ok();
        assert_eq!(bits(&one), rows[4], "{name}");
        let piece: Value = serde_json::from_str(&one).unwrap();
        assert_eq!(piece["piece"], "dinero", "{name}");
        let stored = name
            .split('_')
            .find(|part| ["f16", "f32", "f64", "i8"].contains(part));
        let stored = stored.unwrap_or("f32").to_uppercase();
        assert_eq!(piece["dtype"], stored, "{name}");
        let info: Value = serde_json::from_str(&on(&folder, ["info", "--json"]).ok()).unwrap();
        assert_eq!(info["embedding"]["rows"], rows.len(), "{name}");
        assert_eq!(info["embedding"]["dtype"], stored, "{name}");
    }
}

#[test]
fn a_mapping_that_leaves_the_matrix_is_refused() {
    let from = repository(FIXTURES).join("model2vec_mapped_i8");
    let bytes = fs::read(from.join("model.safetensors")).unwrap();
    let folder = TempDir::new().unwrap();
    for name in ["tokenizer.json", "config.json"] {
        fs::copy(from.join(name), folder.path().join(name)).unwrap();
    }
    // The elements of `mapping` are I64, and the first is 2.
    let at = bytes
        .windows(16)
        .position(|bytes| bytes[..] == [2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    for (row, shown) in [(3_i64, "3"), (-1, "-1"), (i64::MAX, "9223372036854775807")] {
        let mut bytes = bytes.clone();
        bytes[at.unwrap()..at.unwrap() + 8].copy_from_slice(&row.to_le_bytes());
        fs::write(folder.path().join("model.safetensors"), bytes).unwrap();
        let answer = on(folder.path(), ["embed", "--id", "0"]).exit(4);
        let sentence = format!("mapping gives id 0 the row {shown} of 3");
        assert!(answer.stderr.contains(&sentence), "{}", answer.stderr);
    }
}

#[test]
fn a_mapping_to_rows_of_another_type_is_refused() {
    let from = repository(FIXTURES).join("model2vec_mapped_i8");
    let bytes = fs::read(from.join("model.safetensors")).unwrap();
    let folder = TempDir::new().unwrap();
    fs::copy(
        from.join("tokenizer.json"),
        folder.path().join("tokenizer.json"),
    )
    .unwrap();
    let at = bytes.windows(4).position(|bytes| bytes == b"\"I8\"");
    let mut bytes = bytes;
    bytes[at.unwrap()..at.unwrap() + 4].copy_from_slice(b"\"U8\"");
    fs::write(folder.path().join("model.safetensors"), bytes).unwrap();
    let answer = on(folder.path(), ["embed", "--id", "0"]).exit(4);
    let sentence = "embeddings has the type U8";
    assert!(answer.stderr.contains(sentence), "{}", answer.stderr);
}

/// Moves the files of the tiny model to the folder that `modules.json` names.
fn sentence_transformer(inner: &str) -> TempDir {
    let model = tiny_model("f32.safetensors");
    let folder = TempDir::new().unwrap();
    let target = folder.path().join(inner);
    fs::create_dir_all(&target).unwrap();
    for entry in model.path().read_dir().unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), target.join(entry.file_name())).unwrap();
    }
    let modules = json!([{"idx": 0, "name": "0", "path": inner, "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]);
    fs::write(folder.path().join("modules.json"), modules.to_string()).unwrap();
    // As old versions wrote it: not the configuration of the transformer.
    fs::write(
        folder.path().join("config.json"),
        r#"{"__version__": "0.2.0"}"#,
    )
    .unwrap();
    folder
}

#[test]
fn the_transformer_is_found_in_the_folder_that_modules_json_names() {
    let plain = tiny_model("f32.safetensors");
    for inner in ["0_Transformer", "models/text"] {
        let folder = sentence_transformer(inner);
        for args in [
            &["embed", "--json", "banco", "rey"][..2],
            &["embed", "--json", "--id", "3"],
            &["tokenize", "--json", "el banco"],
            &["count", "--text", "el banco"],
        ] {
            let args = args.iter().copied();
            let args: Vec<&str> = args.collect();
            let of = |folder: &Path| {
                let answer = on(folder, &args).stdin("el banco de la reina").run().stdout;
                answer.replace(&folder.display().to_string(), "FOLDER")
            };
            assert_eq!(of(folder.path()), of(plain.path()), "{inner} {args:?}");
        }
        let info: Value =
            serde_json::from_str(&on(folder.path(), ["info", "--json"]).ok()).unwrap();
        assert_eq!(
            info["embedding"]["file"],
            format!("{inner}/model.safetensors")
        );
        let plain: Value =
            serde_json::from_str(&on(plain.path(), ["info", "--json"]).ok()).unwrap();
        assert_eq!(info["config"], plain["config"]);
        assert_eq!(info["tokenizer"], plain["tokenizer"]);
    }
}

/// Makes a folder with an adapter that has these tensors.
fn adapter(base: &str, tensors: &[(&str, &[usize], &[f32])]) -> TempDir {
    let folder = TempDir::new().unwrap();
    write_safetensors(&folder.path().join("adapter_model.safetensors"), tensors);
    let config = json!({"base_model_name_or_path": base, "peft_type": "LORA"});
    fs::write(
        folder.path().join("adapter_config.json"),
        config.to_string(),
    )
    .unwrap();
    folder
}

#[test]
fn the_matrix_that_an_adapter_trained_is_its_own() {
    let lora: (&str, &[usize], &[f32]) = (
        "base_model.model.model.layers.0.q_proj.lora_A.weight",
        &[1, 2],
        &[7.0; 2],
    );
    let old: (&str, &[usize], &[f32]) = (
        "base_model.model.model.embed_tokens.original_module.weight",
        &[2, 2],
        &[9.0; 4],
    );
    for name in [
        "base_model.model.model.embed_tokens.weight",
        "base_model.model.model.embed_tokens.modules_to_save.weight",
        "base_model.model.model.embed_tokens.modules_to_save.default.weight",
        "module.base_model.model.transformer.wte.modules_to_save.default.weight",
    ] {
        let folder = adapter(
            "o/base",
            &[old, lora, (name, &[2, 2], &[1.0, 2.0, 3.0, 4.0])],
        );
        let row = on(folder.path(), ["embed", "--id", "1", "--json"]).ok();
        assert_eq!(values(&row), [3.0, 4.0], "{name}");
    }
}

#[test]
fn an_adapter_without_a_matrix_names_its_base_model() {
    let refused = |tensor: &str| {
        let folder = adapter("o/base", &[(tensor, &[1, 2], &[7.0; 2])]);
        on(folder.path(), ["embed", "--id", "1"]).exit(4).stderr
    };
    let plain = refused("base_model.model.model.layers.0.q_proj.lora_A.weight");
    assert!(
        plain.contains("an adapter of `o/base` without a word-embedding matrix"),
        "{plain}"
    );
    assert!(plain.contains("use `--model o/base`"), "{plain}");
    for (tensor, method) in [
        (
            "base_model.model.model.embed_tokens.lora_embedding_A",
            "LoRA",
        ),
        (
            "base_model.model.model.embed_tokens.token_adapter.trainable_tokens_delta",
            "trainable tokens",
        ),
    ] {
        let changed = refused(tensor);
        assert!(
            changed.contains(&format!("by {method} (`{tensor}`)")),
            "{changed}"
        );
        assert!(changed.contains("merge_and_unload"), "{changed}");
    }
}

#[test]
fn the_prefixes_of_wrappers_do_not_hide_the_matrix() {
    for name in [
        "module.bert.embeddings.word_embeddings.weight",
        "model.transformer.wte.weight",
        "_orig_mod.model.embed_tokens.weight",
        "_forward_module.model.embed_tokens.weight",
        "module.embedding.weight",
    ] {
        let folder = TempDir::new().unwrap();
        let tensors: &[(&str, &[usize], &[f32])] = &[(name, &[2, 2], &[1.0, 2.0, 3.0, 4.0])];
        write_safetensors(&folder.path().join("model.safetensors"), tensors);
        let row = on(folder.path(), ["embed", "--id", "1", "--json"]).ok();
        assert_eq!(values(&row), [3.0, 4.0], "{name}");
    }
}

/// Copies a file of the fixtures into a folder as its checkpoint.
fn with_checkpoint(bytes: &[u8]) -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("model.safetensors"), bytes).unwrap();
    folder
}

#[test]
fn rows_with_the_scales_of_compressed_tensors_are_dequantized() {
    let json = fs::read(repository(FIXTURES).join("expected.json")).unwrap();
    let expected: BTreeMap<String, Value> = serde_json::from_slice(&json).unwrap();
    for (name, dtype) in [
        ("f8_tensor", "F8_E4M3"),
        ("f8_rows_bf16", "F8_E4M3"),
        ("i8_rows_bf16", "I8"),
        ("i8_groups_f32", "I8"),
    ] {
        let file = repository(FIXTURES).join(format!("{name}.safetensors"));
        let folder = with_checkpoint(&fs::read(file).unwrap());
        let answer = on(folder.path(), ["embed", "--all", "--json"]).ok();
        let rows: Vec<Vec<u32>> = serde_json::from_value(expected[name].clone()).unwrap();
        let found: Vec<_> = answer.lines().map(bits).collect();
        assert_eq!(found, rows, "{name}");
        let row: Value = serde_json::from_str(answer.lines().next().unwrap()).unwrap();
        assert_eq!(
            (&row["dtype"], &row["dequantized"]),
            (&dtype.into(), &true.into())
        );
        let near = on(
            folder.path(),
            ["neighbors", "--id", "1", "-k", "2", "--json"],
        )
        .ok();
        assert_eq!(near.lines().count(), 2);
    }
}

#[test]
fn floats_of_8_bits_are_values_by_themselves_and_other_scales_are_refused() {
    let file = repository(FIXTURES).join("f8_rows_bf16.safetensors");
    let bytes = fs::read(file).unwrap();
    let renamed = |from: &str, to: &str| {
        let to = format!("{to:<width$}", width = from.len());
        assert_eq!(from.len(), to.len());
        let at = bytes
            .windows(from.len())
            .position(|part| part == from.as_bytes());
        let mut bytes = bytes.clone();
        bytes[at.unwrap()..at.unwrap() + to.len()].copy_from_slice(to.as_bytes());
        with_checkpoint(&bytes)
    };
    let plain = renamed("weight_scale", "other__scale");
    let row = on(plain.path(), ["embed", "--id", "1", "--json"]).ok();
    assert!(
        row.contains(r#""dtype":"F8_E4M3""#) && !row.contains("dequantized"),
        "{row}"
    );
    let written = plain.path().join("rows.npy");
    on(
        plain.path(),
        ["embed", "--all", "-o", written.to_str().unwrap()],
    )
    .exit(0);
    let refused = |folder: &TempDir, sentence: &str| {
        let stderr = on(folder.path(), ["embed", "--id", "1"]).exit(4).stderr;
        assert!(stderr.contains(sentence), "{stderr}");
    };
    refused(
        &renamed("embed_tokens.weight_scale\"", "embed_tokens.SCB\"        "),
        "whose form is not supported",
    );
    refused(
        &renamed("[7, 1]", "[1, 7]"),
        "has the shape [1, 7], which does not fit a matrix of [7, 4]",
    );
    refused(
        &renamed("\"F8_E4M3\"", "\"U8\"     "),
        "are U8, not floating-point numbers of 8, 16, 32 or 64 bits",
    );
}

#[test]
fn a_checkpoint_of_lightning_is_read_if_it_is_named() {
    let folder = folder_without_checkpoint();
    let file = folder.path().join("epoch=3.ckpt");
    let nested = repository("tests/fixtures/tiny/zip_f16_nested.bin");
    fs::copy(nested, &file).unwrap();
    let args = ["embed", "--id", "1", "--json"];
    let stderr = on(folder.path(), args).exit(2).stderr;
    assert!(
        stderr.contains(&format!("`--model {}`", file.display())),
        "{stderr}"
    );
    let plain = tiny_model("f16.safetensors");
    assert_eq!(
        values(&on(&file, args).ok()),
        values(&on(plain.path(), args).ok())
    );
}
