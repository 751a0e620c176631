//! The lesson on tokens and embeddings: the values its cells print, from a full-size model in a directory and on a Hub.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use half::f16;
use serde::Deserialize;

use crate::loopback_hub::{Access, Hub};
use crate::records::{Record, one, records, values};
use crate::support::standin::{CONTAINERS, MODEL_FILES, standin};
use crate::support::{Answer, Call, on, repository, tokscope};

/// The printed values of the lesson.
#[derive(Deserialize)]
struct Facts {
    text: String,
    words: usize,
    tokens: usize,
    ids: Vec<u32>,
    decoded_each: Vec<String>,
    tokenizer_length: usize,
    embedding_matrix: MatrixFacts,
    embeddings_shape: (usize, usize),
    max_position_embeddings: u64,
    rows_known: BTreeMap<u32, KnownRow>,
}

#[derive(Deserialize)]
struct MatrixFacts {
    rows: u64,
    columns: u64,
    padding_idx: u64,
}

#[derive(Deserialize)]
struct KnownRow {
    first_values: Vec<f32>,
    f16_bits: Vec<u16>,
}

fn facts() -> Facts {
    let json = fs::read(repository("tests/fixtures/lesson/facts.json")).unwrap();
    serde_json::from_slice(&json).unwrap()
}

fn joined(ids: &[u32]) -> String {
    let ids: Vec<String> = ids.iter().map(u32::to_string).collect();
    ids.join(" ")
}

/// Checks every cell of the lesson with the model that `call` names.
fn teaches_the_lesson(call: impl Fn(&[&str]) -> Call) {
    let facts = facts();
    let text = facts.text.as_str();

    // [6] and [7]: words, tokens, ids.
    let record = one(&call(&["tokenize", text, "--json"]).ok()).tokenize();
    assert_eq!((record.words, record.count), (facts.words, facts.tokens));
    assert_eq!(record.ids, facts.ids);
    assert_eq!(record.context_window, Some(facts.max_position_embeddings));
    assert_eq!(
        call(&["tokenize", text, "--ids"]).ok(),
        format!("{}\n", joined(&facts.ids))
    );
    assert_eq!(
        call(&["count", "--text", text]).ok(),
        format!("{}\n", facts.tokens)
    );

    // [8] and [9]: each token decoded.
    let each = call(&["decode", "--each", "--json", &joined(&facts.ids)]).ok();
    let texts: Vec<String> = records(&each)
        .into_iter()
        .map(|record| record.decode().text)
        .collect();
    assert_eq!(texts, facts.decoded_each);

    // [10], [11], [24]: sizes.
    let info = one(&call(&["info", "--json"]).ok()).info();
    assert_eq!(
        info.tokenizer.unwrap().vocabulary_size,
        facts.tokenizer_length
    );
    assert_eq!(info.context_window, Some(facts.max_position_embeddings));
    let matrix = info.embedding.unwrap();
    let expected = &facts.embedding_matrix;
    assert_eq!(
        (matrix.rows, matrix.columns),
        (expected.rows, expected.columns)
    );
    assert_eq!(matrix.padding_idx, Some(expected.padding_idx));
    assert_eq!(matrix.dtype, "F16");
    assert_eq!(matrix.tensor, "deberta.embeddings.word_embeddings.weight");
    assert_eq!(matrix.rows_without_token, [(128_001, 128_099)]);
    let window = format!("{}\n", facts.max_position_embeddings);
    assert_eq!(call(&["info", "--get", "context_window"]).ok(), window);
    assert_eq!(call(&["info", "--get", "vocabulary_size"]).ok(), "128001\n");

    // [14] to [22]: rows.
    let lines = call(&["embed", text, "--json"]).ok();
    let rows: Vec<(u32, Vec<f32>)> = records(&lines)
        .into_iter()
        .map(|record| record.row().id)
        .zip(lines.lines().map(values))
        .collect();
    assert_eq!((rows.len(), rows[0].1.len()), facts.embeddings_shape);
    assert!(
        call(&["embed", text])
            .ok()
            .ends_with("shape [13, 384], F16\n")
    );
    for (id, known) in &facts.rows_known {
        let row = &rows.iter().find(|(other, _)| other == id).unwrap().1;
        same_beginning(row, known);
        let line = call(&["embed", "--id", &id.to_string(), "--json"]).ok();
        assert_eq!(&values(&line), row);
    }

    // [23]: "ban" and "ban" are the same row; other words are not.
    let same = call(&["diff", "--text", text, "--at", "1", "--at", "7", "--json"]).ok();
    let same = one(&same).diff();
    assert!(same.identical && same.max_abs == 0.0);
    assert_eq!(same.values.unwrap(), [0.0; 384]);
    let other = one(&call(&["diff", "ban", "dinero", "--json"]).exit(1).stdout).diff();
    assert_eq!(
        (other.a.id, other.b.id, other.identical),
        (Some(4797), Some(107_725), false)
    );
}

/// The values that the lesson prints: float16 by its bits, and as printed with five significant digits.
fn same_beginning(row: &[f32], known: &KnownRow) {
    assert_eq!(known.f16_bits.len(), 68);
    for (index, bits) in known.f16_bits.iter().enumerate() {
        assert_eq!(f16::from_f32(row[index]).to_bits(), *bits, "value {index}");
        assert_eq!(
            f16::from_bits(*bits).to_f32().to_bits(),
            row[index].to_bits()
        );
        let printed = known.first_values[index];
        assert!(
            (row[index] - printed).abs() <= printed.abs() * 5.1e-5,
            "{} and {printed}",
            row[index]
        );
    }
}

#[test]
fn a_directory_teaches_the_lesson() {
    let Some(standin) = standin("a_directory_teaches_the_lesson") else {
        return;
    };
    let folder = standin.as_on_the_hub();
    teaches_the_lesson(|args| on(&folder, args));
}

#[test]
fn a_hub_teaches_the_lesson() {
    let Some(standin) = standin("a_hub_teaches_the_lesson") else {
        return;
    };
    const ID: &str = "microsoft/deberta-v3-xsmall";
    let folder = standin.as_on_the_hub();
    let mut contents: Vec<_> = MODEL_FILES
        .iter()
        .map(|name| (*name, fs::read(folder.join(name)).unwrap()))
        .collect();
    contents.push((
        "pytorch_model.bin",
        fs::read(folder.join("pytorch_model.bin")).unwrap(),
    ));
    let files: Vec<_> = contents
        .iter()
        .map(|(name, content)| (*name, content.as_slice()))
        .collect();
    let mut hub = Hub::start();
    let commit = hub.publish(ID, Access::Public, &files);
    let home = tempfile::tempdir().unwrap();
    // Without a model argument, the default model is used.
    let endpoint = hub.endpoint();
    let call = |args: &[&str]| {
        tokscope(args)
            .env("HF_ENDPOINT", &endpoint)
            .env("HF_HOME", home.path())
            .env("XDG_CACHE_HOME", home.path().join("own"))
    };

    // Commands that need only the tokenizer fetch nothing of the checkpoint.
    let record = one(&call(&["tokenize", "banco", "--json"]).ok()).tokenize();
    assert_eq!(
        (record.model.as_str(), record.commit.as_deref()),
        (ID, Some(commit.as_str()))
    );
    let info = one(&call(&["info", "--json"]).ok()).info();
    assert_eq!(info.embedding.map(|matrix| matrix.rows), Some(128_100));
    assert!(
        info.files
            .iter()
            .any(|file| file.name == "pytorch_model.bin" && !file.cached)
    );
    let headers: usize = hub
        .served()
        .iter()
        .filter(|one| one.cdn)
        .map(|one| one.bytes)
        .sum();
    assert!(
        headers < 2_700_000,
        "spm.model, and headers of the checkpoint"
    );

    // Only the few rows that the lesson needs are fetched.
    teaches_the_lesson(call);
    let rows: usize = hub.served().iter().map(|one| one.bytes).sum();
    assert!((10_000..500_000).contains(&rows), "{rows}");

    let pulled: Vec<_> = records(&call(&["pull", "--weights", "--json"]).ok())
        .into_iter()
        .map(Record::file)
        .collect();
    assert!(
        pulled.iter().any(|file| file.name == "pytorch_model.bin"
            && !file.cached
            && file.size > 241_000_000)
    );
    let asked = hub.served();
    assert_eq!(
        asked
            .iter()
            .filter(|served| served.cdn && served.method == "GET")
            .count(),
        1
    );

    // With the model in the cache, everything works the same without a network.
    hub.stop();
    teaches_the_lesson(|args| call(args).env("HF_HUB_OFFLINE", "1"));
}

#[test]
fn every_container_holds_the_same_rows() {
    let Some(standin) = standin("every_container_holds_the_same_rows") else {
        return;
    };
    let facts = facts();
    let ids = [0, 1, 2, 261, 4797, 64_000, 128_000, 128_001, 128_099].map(|id: u32| id.to_string());
    let mut args = vec!["embed", "--json"];
    args.extend(ids.iter().flat_map(|id| ["--id", id.as_str()]));
    let mut seen: Option<String> = None;
    for (container, file) in CONTAINERS {
        let folder = standin.folder(container);
        let rows = on(&folder, &args).ok();
        let known = values(rows.lines().nth(4).unwrap());
        same_beginning(&known, &facts.rows_known[&4797]);
        assert!(
            values(rows.lines().next().unwrap())
                .iter()
                .all(|value| *value == 0.0)
        );
        assert_eq!(
            seen.get_or_insert_with(|| rows.clone()),
            &rows,
            "{container}"
        );

        let matrix = one(&on(&folder, ["info", "--json"]).ok())
            .info()
            .embedding
            .unwrap();
        assert_eq!(
            (matrix.container.as_str(), matrix.file.as_str()),
            (container, file)
        );
        // The checkpoint also holds `word_embeddings._weight`, of the same shape.
        assert_eq!(matrix.tensor, "deberta.embeddings.word_embeddings.weight");
    }
}

#[test]
fn the_training_delta_alone_is_not_the_matrix() {
    let Some(standin) = standin("the_training_delta_alone_is_not_the_matrix") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    for name in MODEL_FILES {
        fs::copy(standin.as_on_the_hub().join(name), folder.path().join(name)).unwrap();
    }
    let tensor =
        safetensors::tensor::TensorView::new(safetensors::Dtype::F16, vec![4, 2], &[0; 16])
            .unwrap();
    let tensors = [("deberta.embeddings.word_embeddings._weight", tensor)];
    safetensors::serialize_to_file(tensors, None, &folder.path().join("model.safetensors"))
        .unwrap();
    let Answer { stderr, .. } = on(folder.path(), ["embed", "--id", "1"]).exit(4);
    assert!(
        stderr.contains("it has no word-embedding matrix"),
        "{stderr}"
    );
}

#[test]
fn neighbors_scan_the_whole_matrix() {
    let Some(standin) = standin("neighbors_scan_the_whole_matrix") else {
        return;
    };
    let search =
        |folder: &Path| on(folder, ["neighbors", "--id", "4797", "-k", "3", "--json"]).ok();
    let found = search(&standin.folder("torch-zip"));
    let neighbors: Vec<_> = records(&found).into_iter().map(Record::neighbor).collect();
    assert_eq!(neighbors.len(), 3);
    assert!(
        neighbors
            .iter()
            .all(|neighbor| neighbor.id != 4797 && neighbor.id <= 128_000)
    );
    assert_eq!(search(&standin.folder("safetensors")), found);
}
