//! CSV and TSV: the same values as the JSON, one record per line.

use crate::records::{one, values};
use crate::support::demo;

/// Splits comma- or tab-separated output into header and rows.
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

/// Returns the table of a command on the built-in model, which must be the same in both formats.
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

#[test]
fn token_tables_equal_the_record() {
    let (head, rows) = separated(&["tokenize", "banco, \"dinero\""]);
    assert_eq!(
        head,
        [
            "path",
            "line",
            "window",
            "position",
            "id",
            "piece",
            "start",
            "end",
            "type_id",
            "special",
            "word_id",
            "message",
            "generated"
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
        assert_eq!(row[3..11], expected);
        // Text of no conversation has neither messages nor generated parts.
        assert_eq!(row[11..], ["", ""]);
    }
}

#[test]
fn row_and_diff_tables_hold_all_values() {
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
    assert_eq!(head[6..10], ["identical", "max_abs", "l2", "cosine"]);
    assert_eq!(
        head[10..15],
        ["a.text", "a.mean_of", "b.text", "b.mean_of", "d0"]
    );
    let json = demo(["diff", "dinero", "money", "--json"]).exit(1).stdout;
    let read: Vec<f32> = rows[0][14..]
        .iter()
        .map(|value| value.parse().unwrap())
        .collect();
    assert_eq!((rows[0][6].as_str(), read), ("false", values(&json)));
}

#[test]
fn other_commands_have_tables() {
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
    let (head, rows) = separated(&["count", "--text", "banco", "--budget-per-file", "2"]);
    assert_eq!(head[7..], ["budget", "within_budget", "model"]);
    assert_eq!(rows[0][7..], ["2", "false", "demo"]);
    let (head, rows) = separated(&["count", "--text", "banco", "--total"]);
    assert_eq!(head[..2], ["files", "tokens"]);
    assert_eq!(rows[0][..2], ["1", "3"]);
    let (head, rows) = separated(&["neighbors", "dinero", "-k", "1"]);
    assert_eq!(head[..5], ["rank", "id", "piece", "score", "metric"]);
    assert_eq!(head[5..], ["query", "query_name"]);
    assert_eq!(rows[0][..3], ["1", "607", "▁money"]);
    assert_eq!(rows[0][5..], ["1", "▁dinero"]);
    let (head, rows) = separated(&["info"]);
    assert_eq!(head, ["field", "value"]);
    assert!(rows.contains(&vec!["embedding.rows".to_owned(), "2064".to_owned()]));
    let (head, rows) = separated(&["pull"]);
    assert_eq!(
        head,
        ["model", "commit", "name", "size", "cached", "tensor"]
    );
    assert_eq!(rows.len(), 3);
}
