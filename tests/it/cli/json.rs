//! The JSON of every command on the built-in model, read back into the types of [`records`](crate::records).

use serde_json::Value;

use crate::records::*;
use crate::support::{demo, folder_without_checkpoint, on, tiny_model};

/// Returns the keys of the only object, in order.
fn keys(stdout: &str) -> Vec<String> {
    let object: serde_json::Map<String, Value> = serde_json::from_str(stdout).unwrap();
    object.keys().cloned().collect()
}

#[test]
fn the_tokenize_record_holds_the_whole_encoding() {
    let out = demo(["tokenize", "dinero para el banco", "--json"]).ok();
    assert_eq!(
        keys(&out),
        [
            "type",
            "model",
            "text",
            "ids",
            "tokens",
            "offsets",
            "offset_unit",
            "type_ids",
            "special_tokens_mask",
            "word_ids",
            "count",
            "words",
            "context_window",
            "truncated"
        ]
    );
    let record = one(&out).tokenize();
    assert_eq!((record.count, record.words), (record.ids.len(), 4));
    assert_eq!(record.ids[..2], [1, 588]);
    assert_eq!(record.tokens[..2], ["[CLS]", "▁dinero"]);
    assert_eq!(record.offsets[..2], [(0, 0), (0, 6)]);
    assert_eq!(record.word_ids[..2], [None, Some(0)]);
    assert_eq!(record.word_ids.last(), Some(&None));
    assert_eq!(record.special_tokens_mask.iter().sum::<u32>(), 2);
    assert!(record.type_ids.iter().all(|id| *id == 0));
    assert_eq!(
        (record.model.as_str(), record.commit, record.context_window),
        ("demo", None, Some(512))
    );
    for length in [
        record.tokens.len(),
        record.offsets.len(),
        record.type_ids.len(),
        record.special_tokens_mask.len(),
        record.word_ids.len(),
    ] {
        assert_eq!(length, record.count);
    }
}

#[test]
fn pairs_and_windows_add_fields() {
    let args = ["tokenize", "banco", "--pair", "money", "--json"];
    let record = one(&demo(args).ok()).tokenize();
    assert_eq!(record.pair.as_deref(), Some("money"));
    assert_eq!(record.type_ids, [0, 0, 0, 1, 1]);
    assert_eq!(
        record.sequence_ids.unwrap(),
        [None, Some(0), None, Some(1), None]
    );
    assert_eq!(record.words, 2);

    let text = "money money money";
    let args = [
        "tokenize",
        text,
        "--max-length",
        "4",
        "--stride",
        "1",
        "--json",
    ];
    let windows: Vec<Tokenize> = records(&demo(args).ok())
        .into_iter()
        .map(Record::tokenize)
        .collect();
    let facts: Vec<_> = windows
        .iter()
        .map(|record| (record.window, record.truncated, record.truncated_tokens))
        .collect();
    assert_eq!(facts, [(None, true, Some(1)), (Some(1), true, None)]);
    assert!(windows.iter().all(|record| record.text == text));
}

#[test]
fn decode_and_count_records_are_complete() {
    let record = one(&demo(["decode", "1", "588", "2", "--json"]).ok()).decode();
    assert_eq!(record.ids, [1, 588, 2]);
    assert_eq!(record.tokens, ["[CLS]", "▁dinero", "[SEP]"]);
    assert_eq!(
        (record.text.as_str(), record.line),
        ("[CLS] dinero[SEP]", None)
    );

    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.txt"), "dinero\n¡money!\n").unwrap();
    std::fs::write(folder.path().join("b.txt"), "banco").unwrap();
    let args = ["count", "a.txt", "b.txt", "--json", "--budget", "1k"];
    let out = demo([&args[..], &["--budget-per-file", "4"]].concat())
        .current_dir(folder.path())
        .exit(1);
    let [a, b, total] = <[Record; 3]>::try_from(records(&out.stdout)).unwrap();
    let (a, b, total) = (a.count(), b.count(), total.total());
    assert_eq!(a.path.as_deref(), Some("a.txt"));
    assert_eq!((a.words, a.chars, a.bytes, a.lines), (2, 15, 16, 2));
    assert_eq!((a.budget, a.within_budget), (Some(4), Some(false)));
    assert_eq!((b.tokens, b.lines, b.within_budget), (3, 0, Some(true)));
    assert_eq!((total.files, total.tokens), (2, a.tokens + b.tokens));
    assert_eq!(
        (total.words, total.chars, total.bytes, total.lines),
        (3, 20, 21, 2)
    );
    assert_eq!(
        (total.budget, total.within_budget),
        (Some(1000), Some(true))
    );
    assert!(
        !demo(["count", "--text", "a", "--json"])
            .ok()
            .contains("budget")
    );
}

#[test]
fn info_describes_the_built_in_model() {
    let info = one(&demo(["info", "--json"]).ok()).info();
    let tokenizer = info.tokenizer.unwrap();
    assert_eq!(
        (tokenizer.model.as_str(), tokenizer.vocabulary_size),
        ("Unigram", 2001)
    );
    let cls = SpecialToken {
        token: "[CLS]".to_owned(),
        id: Some(1),
    };
    assert_eq!(tokenizer.special_tokens["cls_token"], cls);
    assert!(tokenizer.added_tokens.contains(&cls));
    let embedding = info.embedding.unwrap();
    assert_eq!(
        embedding.tensor,
        "deberta.embeddings.word_embeddings.weight"
    );
    assert_eq!((embedding.rows, embedding.columns), (2064, 64));
    assert_eq!(
        (embedding.dtype.as_str(), embedding.padding_idx),
        ("F16", Some(0))
    );
    assert_eq!(
        (embedding.file.as_str(), embedding.container.as_str()),
        ("pytorch_model.bin", "torch-zip")
    );
    assert_eq!(embedding.rows_without_token, [(2001, 2063)]);
    let config = info.config.unwrap();
    assert_eq!(
        (config.vocab_size, config.hidden_size),
        (Some(2064), Some(64))
    );
    assert_eq!(config.max_position_embeddings, Some(512));
    assert_eq!(info.context_window, Some(512));
    assert_eq!(info.files.len(), 4);
    assert!(
        info.files
            .iter()
            .all(|file| file.cached && file.size.is_some())
    );
    let spare = info
        .findings
        .iter()
        .find(|finding| finding.code == "spare-rows");
    assert_eq!(spare.unwrap().level, "note");
}

#[test]
fn info_omits_unknown_fields() {
    let folder = folder_without_checkpoint();
    let info = one(&on(folder.path(), ["info", "--json"]).ok()).info();
    assert!(info.embedding.is_none() && info.tokenizer.is_some());
    assert!(
        info.findings
            .iter()
            .any(|finding| finding.code == "no-matrix")
    );

    let folder = tempfile::tempdir().unwrap();
    let info = one(&on(folder.path(), ["info", "--json"]).ok()).info();
    assert!(info.tokenizer.is_none() && info.config.is_none() && info.context_window.is_none());
    assert_eq!(info.findings[0].code, "no-tokenizer");

    // 300 rows of 8 values under a tokenizer of 2001 ids and a config that declares 2064 x 64.
    let folder = tiny_model("f16.safetensors");
    let info = one(&on(folder.path(), ["info", "--json"]).ok()).info();
    let warnings: Vec<&str> = info
        .findings
        .iter()
        .filter(|finding| finding.level == "warning")
        .map(|finding| finding.code.as_str())
        .collect();
    assert_eq!(warnings, ["ids-without-row", "vocab-size", "hidden-size"]);
}

#[test]
fn a_piece_has_a_score_if_the_model_has_scores() {
    let out = demo([
        "vocab", "--id", "588", "--id", "2000", "--id", "4", "--json",
    ])
    .ok();
    let pieces: Vec<Piece> = records(&out).into_iter().map(Record::piece).collect();
    assert_eq!(
        (pieces[0].piece.as_str(), pieces[0].kind.as_str()),
        ("▁dinero", "normal")
    );
    assert!(pieces[0].score.unwrap() < 0.0 && !pieces[0].special && !pieces[0].added);
    assert_eq!(
        (pieces[1].piece.as_str(), pieces[1].score),
        ("[MASK]", None)
    );
    assert!(pieces[1].special && pieces[1].added);
    assert_eq!(
        (pieces[2].piece.as_str(), pieces[2].kind.as_str()),
        ("<0x00>", "byte")
    );
}

#[test]
fn a_row_has_all_values_unless_they_are_omitted() {
    let row = one(&demo(["embed", "--id", "588", "--json"]).ok()).row();
    let values = row.values.unwrap();
    assert_eq!(
        (row.position, row.piece.as_deref()),
        (None, Some("▁dinero"))
    );
    assert_eq!((values.len(), row.dtype.as_str()), (64, "F16"));
    let norm = values
        .iter()
        .map(|value| f64::from(*value).powi(2))
        .sum::<f64>()
        .sqrt();
    assert!((norm - f64::from(row.norm)).abs() < 1e-6);
    let mean = values.iter().map(|value| f64::from(*value)).sum::<f64>() / 64.0;
    assert!((mean - f64::from(row.mean)).abs() < 1e-7);
    assert_eq!(values.iter().copied().fold(f32::MAX, f32::min), row.min);
    assert_eq!(values.iter().copied().fold(f32::MIN, f32::max), row.max);

    let row = one(&demo(["embed", "--id", "2063", "--stats", "--json"]).ok()).row();
    assert!(row.values.is_none() && row.piece.is_none());
    let out = demo(["embed", "money", "--json"]).ok();
    let positions: Vec<_> = records(&out)
        .into_iter()
        .map(|record| record.row().position)
        .collect();
    assert_eq!(positions, [Some(0), Some(1), Some(2)]);
}

#[test]
fn values_are_the_shortest_decimals_that_read_back() {
    let out = demo(["embed", "--id", "588", "--json"]).ok();
    let values = values(&out);
    for value in &values {
        assert_eq!(
            half::f16::from_f32(*value).to_f32().to_bits(),
            value.to_bits()
        );
    }
    let shortest: Vec<String> = values
        .iter()
        .map(|value| serde_json::to_string(value).unwrap())
        .collect();
    assert!(out.contains(&format!("\"values\":[{}]", shortest.join(","))));
}

#[test]
fn a_diff_names_both_rows() {
    let args = [
        "diff",
        "--text",
        "banco banco",
        "--at",
        "1",
        "--at",
        "2",
        "--json",
    ];
    let diff = one(&demo(args).ok()).diff();
    assert_eq!((diff.a.id, diff.a.position), (Some(364), Some(1)));
    assert_eq!(
        (diff.b.piece.as_deref(), diff.b.position),
        (Some("▁banco"), Some(2))
    );
    assert!(diff.identical && diff.max_abs == 0.0 && diff.l2 == 0.0);
    assert_eq!(diff.cosine, Some(1.0));
    assert_eq!(diff.values.unwrap(), [0.0; 64]);

    let out = demo(["diff", "dinero", "money", "--json"]).exit(1).stdout;
    let diff = one(&out).diff();
    let values = diff.values.unwrap();
    let largest = values
        .iter()
        .fold(0.0_f32, |largest, value| largest.max(value.abs()));
    assert!(!diff.identical && diff.max_abs == largest && diff.a.position.is_none());

    // Row 0 is zero, and a row without a token has no piece.
    let args = ["diff", "--id", "0", "--id", "2063", "--stats", "--json"];
    let diff = one(&demo(args).exit(1).stdout).diff();
    assert!(diff.cosine.is_none() && diff.values.is_none() && diff.b.piece.is_none());
}

#[test]
fn neighbor_and_file_records_are_complete() {
    let out = demo(["neighbors", "dinero", "-k", "3", "--json"]).ok();
    let found: Vec<Neighbor> = records(&out).into_iter().map(Record::neighbor).collect();
    let ranks: Vec<usize> = found.iter().map(|neighbor| neighbor.rank).collect();
    assert_eq!(ranks, [1, 2, 3]);
    assert!(
        found
            .iter()
            .all(|neighbor| neighbor.metric == "cosine" && neighbor.piece.is_some())
    );
    assert!(found.is_sorted_by(|a, b| a.score >= b.score));

    let out = demo(["pull", "--weights", "--json"]).ok();
    let files: Vec<File> = records(&out).into_iter().map(Record::file).collect();
    assert!(
        files
            .iter()
            .all(|file| file.cached && file.model == "demo" && file.commit.is_none())
    );
    assert!(
        files
            .iter()
            .any(|file| file.name == "pytorch_model.bin" && file.size == 266_711)
    );
}

#[test]
fn a_bad_line_becomes_an_error_record_in_its_place() {
    let answer = demo(["tokenize", "--lines", "--json"])
        .stdin(&b"banco\nba\xffd\nmoney"[..])
        .exit(2);
    assert_eq!(answer.stderr, "");
    let [first, bad, last] = <[Record; 3]>::try_from(records(&answer.stdout)).unwrap();
    assert_eq!(
        (first.tokenize().line, last.tokenize().line),
        (Some(1), Some(3))
    );
    let bad = bad.error();
    assert_eq!((bad.line, bad.code.as_str()), (Some(2), "not-utf8"));
    assert_eq!(
        bad.message,
        "standard input is not UTF-8: the byte at offset 8 is invalid"
    );
}
