//! The records, read back into types of their own: the contract as a script sees it.
//!
//! Every type here denies fields it does not know, so a field that is added is added here too.

#![allow(
    dead_code,
    reason = "a field that no test looks at is tested all the same: it must be there, and of its type"
)]

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::support::{demo, folder_without_checkpoint, on, tiny_model};

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Record {
    Tokenize(Tokenize),
    Decode(Decode),
    Count(Count),
    Total(Total),
    Info(Info),
    Piece(Piece),
    Row(Row),
    Diff(Diff),
    Neighbor(Neighbor),
    File(File),
    Error(Error),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokenize {
    pub model: String,
    pub commit: Option<String>,
    pub line: Option<u64>,
    pub path: Option<String>,
    pub text: String,
    pub pair: Option<String>,
    pub ids: Vec<u32>,
    pub tokens: Vec<String>,
    pub offsets: Vec<(usize, usize)>,
    pub offset_unit: String,
    pub type_ids: Vec<u32>,
    pub special_tokens_mask: Vec<u32>,
    pub word_ids: Vec<Option<u32>>,
    pub sequence_ids: Option<Vec<Option<u32>>>,
    pub count: usize,
    pub words: usize,
    pub context_window: Option<u64>,
    pub truncated: bool,
    pub truncated_tokens: Option<usize>,
    pub window: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decode {
    pub line: Option<u64>,
    pub ids: Vec<u32>,
    pub tokens: Vec<String>,
    pub text: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Count {
    pub path: Option<String>,
    pub line: Option<u64>,
    pub tokens: usize,
    pub words: usize,
    pub chars: usize,
    pub bytes: usize,
    pub lines: usize,
    pub budget: Option<u64>,
    pub within_budget: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Total {
    pub files: usize,
    pub tokens: usize,
    pub words: usize,
    pub chars: usize,
    pub bytes: usize,
    pub lines: usize,
    pub budget: Option<u64>,
    pub within_budget: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Info {
    pub model: String,
    pub commit: Option<String>,
    pub files: Vec<FileEntry>,
    pub tokenizer: Option<TokenizerInfo>,
    pub embedding: Option<EmbeddingInfo>,
    pub config: Option<ConfigInfo>,
    pub context_window: Option<u64>,
    pub findings: Vec<Finding>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    pub name: String,
    pub size: Option<u64>,
    pub cached: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenizerInfo {
    pub model: String,
    pub class: Option<String>,
    pub file: String,
    pub vocabulary_size: usize,
    pub special_tokens: BTreeMap<String, SpecialToken>,
    pub added_tokens: Vec<SpecialToken>,
    pub model_max_length: Option<u64>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpecialToken {
    pub token: String,
    pub id: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbeddingInfo {
    pub tensor: String,
    pub file: String,
    pub container: String,
    pub rows: u64,
    pub columns: u64,
    pub dtype: String,
    pub padding_idx: Option<u64>,
    pub rows_without_token: Vec<(u64, u64)>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigInfo {
    pub model_type: Option<String>,
    pub vocab_size: Option<u64>,
    pub hidden_size: Option<u64>,
    pub max_position_embeddings: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    pub level: String,
    pub code: String,
    pub message: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Piece {
    pub id: u32,
    pub piece: String,
    pub kind: String,
    pub score: Option<f64>,
    pub special: bool,
    pub added: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    pub position: Option<usize>,
    pub id: u32,
    pub piece: Option<String>,
    pub dtype: String,
    pub norm: f32,
    pub min: f32,
    pub max: f32,
    pub mean: f32,
    pub values: Option<Vec<f32>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Diff {
    pub a: RowName,
    pub b: RowName,
    pub identical: bool,
    pub max_abs: f32,
    pub l2: f32,
    pub cosine: Option<f32>,
    pub values: Option<Vec<f32>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowName {
    pub id: u32,
    pub piece: Option<String>,
    pub position: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Neighbor {
    pub rank: usize,
    pub id: u32,
    pub piece: Option<String>,
    pub score: f32,
    pub metric: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    pub model: String,
    pub commit: Option<String>,
    pub name: String,
    pub size: u64,
    pub cached: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Error {
    pub line: Option<u64>,
    pub path: Option<String>,
    pub code: String,
    pub message: String,
}

macro_rules! expect_kind {
    ($($name:ident: $kind:ident,)*) => {
        impl Record {
            $(pub fn $name(self) -> $kind {
                match self {
                    Self::$kind(record) => record,
                    other => panic!("not of kind {}: {other:?}", stringify!($kind)),
                }
            })*
        }
    };
}

expect_kind! {
    tokenize: Tokenize,
    decode: Decode,
    count: Count,
    total: Total,
    info: Info,
    piece: Piece,
    row: Row,
    diff: Diff,
    neighbor: Neighbor,
    file: File,
    error: Error,
}

/// The records of JSON Lines: an object a line, every line ended, and no null but where the contract has one.
pub fn records(stdout: &str) -> Vec<Record> {
    assert!(stdout.is_empty() || stdout.ends_with('\n'), "{stdout:?}");
    stdout
        .lines()
        .map(|line| {
            let value: Value = serde_json::from_str(line).unwrap();
            for (field, value) in value.as_object().unwrap() {
                let may_be_null = ["word_ids", "sequence_ids"].contains(&field.as_str());
                assert!(may_be_null || !holds_null(value), "{field} in {line}");
            }
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
        })
        .collect()
}

/// The only record of JSON Lines.
pub fn one(stdout: &str) -> Record {
    let mut records = records(stdout);
    assert_eq!(records.len(), 1, "{stdout}");
    records.remove(0)
}

fn holds_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(holds_null),
        Value::Object(fields) => fields.values().any(holds_null),
        _ => false,
    }
}

/// The numbers of a row's `values`, each read as a float32 from its decimal.
pub fn values(line: &str) -> Vec<f32> {
    let (_, rest) = line.split_once("\"values\":[").unwrap();
    let (numbers, _) = rest.split_once(']').unwrap();
    numbers
        .split(',')
        .map(|number| number.parse().unwrap())
        .collect()
}

/// Head and rows of comma- or tab-separated output.
fn table(stdout: &str, delimiter: u8) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .from_reader(stdout.as_bytes());
    let fields =
        |record: &csv::StringRecord| record.iter().map(str::to_owned).collect::<Vec<String>>();
    let head = fields(reader.headers().unwrap());
    let rows = reader
        .records()
        .map(|record| fields(&record.unwrap()))
        .collect();
    (head, rows)
}

/// The table of a command on the built-in model, the same in both formats.
fn separated(args: &[&str]) -> (Vec<String>, Vec<Vec<String>>) {
    let run = |format| {
        demo([args, &["--format", format]].concat())
            .run()
            .stdout
            .clone()
    };
    let tables = [table(&run("csv"), b','), table(&run("tsv"), b'\t')];
    assert_eq!(tables[0], tables[1]);
    let [table, _] = tables;
    table
}

/// The keys of the only object, in their order.
fn keys(stdout: &str) -> Vec<String> {
    let object: serde_json::Map<String, Value> = serde_json::from_str(stdout).unwrap();
    object.keys().cloned().collect()
}

#[test]
fn tokenize_gives_a_record_with_everything_of_the_encoding() {
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
fn a_pair_and_a_window_add_their_fields() {
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
fn decode_and_count_give_their_records() {
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
fn info_leaves_out_what_a_model_does_not_have() {
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
fn a_piece_has_a_score_where_the_model_has_one() {
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
fn a_row_has_all_its_values_unless_they_are_left_out() {
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
fn values_are_the_shortest_decimals_of_the_stored_numbers() {
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
    assert_eq!((diff.a.id, diff.a.position), (364, Some(1)));
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

    // Row 0 is zero, and a row without token has no piece.
    let args = ["diff", "--id", "0", "--id", "2063", "--stats", "--json"];
    let diff = one(&demo(args).exit(1).stdout).diff();
    assert!(diff.cosine.is_none() && diff.values.is_none() && diff.b.piece.is_none());
}

#[test]
fn neighbors_and_files_give_their_records() {
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
fn a_bad_record_of_a_stream_stands_in_its_place() {
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

#[test]
fn separated_tokens_are_those_of_the_record() {
    let (head, rows) = separated(&["tokenize", "banco, \"dinero\""]);
    assert_eq!(
        head,
        [
            "path", "line", "window", "position", "id", "piece", "start", "end", "type_id",
            "special", "word_id"
        ]
    );
    let record = one(&demo(["tokenize", "banco, \"dinero\"", "--json"]).ok()).tokenize();
    assert_eq!(rows.len(), record.count);
    for (position, row) in rows.iter().enumerate() {
        let (start, end) = record.offsets[position];
        let expected = [
            position.to_string(),
            record.ids[position].to_string(),
            record.tokens[position].clone(),
            start.to_string(),
            end.to_string(),
            record.type_ids[position].to_string(),
            record.special_tokens_mask[position].to_string(),
            record.word_ids[position].map_or_else(String::new, |id| id.to_string()),
        ];
        assert_eq!(row[3..], expected);
    }
}

#[test]
fn separated_rows_and_differences_hold_all_values() {
    let (head, rows) = separated(&["embed", "money"]);
    assert_eq!(
        head[..9],
        [
            "position", "id", "piece", "dtype", "norm", "min", "max", "mean", "v0"
        ]
    );
    assert_eq!((head.len(), rows.len()), (72, 3));
    let json = demo(["embed", "money", "--json"]).ok();
    for (row, line) in rows.iter().zip(json.lines()) {
        let read: Vec<f32> = row[8..]
            .iter()
            .map(|value| value.parse().unwrap())
            .collect();
        assert_eq!(read, values(line));
    }
    let (head, rows) = separated(&["embed", "money", "--stats"]);
    assert_eq!((head.len(), rows[1][1].as_str()), (8, "607"));

    let (head, rows) = separated(&["diff", "dinero", "money"]);
    assert_eq!(head[..3], ["a.id", "a.piece", "a.position"]);
    assert_eq!(head[6..11], ["identical", "max_abs", "l2", "cosine", "d0"]);
    let json = demo(["diff", "dinero", "money", "--json"]).exit(1).stdout;
    let read: Vec<f32> = rows[0][10..]
        .iter()
        .map(|value| value.parse().unwrap())
        .collect();
    assert_eq!((rows[0][6].as_str(), read), ("false", values(&json)));
}

#[test]
fn the_other_commands_have_separated_tables_too() {
    let (head, rows) = separated(&["decode", "588", "607"]);
    assert_eq!(head, ["line", "ids", "pieces", "text"]);
    assert_eq!(rows, [["", "588 607", "▁dinero ▁money", "dinero money"]]);
    let (head, rows) = separated(&["vocab", "--id", "2000"]);
    assert_eq!(head, ["id", "piece", "kind", "score", "special", "added"]);
    assert_eq!(rows, [["2000", "[MASK]", "added", "", "true", "true"]]);
    let (head, rows) = separated(&["count", "--text", "banco"]);
    assert_eq!(
        head[..7],
        ["path", "line", "tokens", "words", "chars", "bytes", "lines"]
    );
    assert_eq!(rows[0][..7], ["", "", "3", "1", "5", "5", "0"]);
    let (head, rows) = separated(&["count", "--text", "banco", "--total"]);
    assert_eq!(head[..2], ["files", "tokens"]);
    assert_eq!(rows[0][..2], ["1", "3"]);
    let (head, rows) = separated(&["neighbors", "dinero", "-k", "1"]);
    assert_eq!(head, ["rank", "id", "piece", "score", "metric"]);
    assert_eq!(rows[0][..3], ["1", "607", "▁money"]);
    let (head, rows) = separated(&["info"]);
    assert_eq!(head, ["field", "value"]);
    assert!(rows.contains(&vec!["embedding.rows".to_owned(), "2064".to_owned()]));
    let (head, rows) = separated(&["pull"]);
    assert_eq!(head, ["model", "commit", "name", "size", "cached"]);
    assert_eq!(rows.len(), 3);
}
