//! `stats`, compared with figures computed from the rows one by one.

use std::fs;

use safetensors::tensor::{Dtype, TensorView, serialize};

use crate::records::{Record, Row, Stats, one, records};
use crate::support::{demo, folder_without_checkpoint, on, repository, tiny_model};

fn stats(args: &[&str]) -> Stats {
    one(&demo([&["stats", "--json"], args].concat()).ok()).stats()
}

#[test]
fn figures_equal_those_computed_from_the_rows() {
    let rows = demo(["embed", "--all", "--json"]).ok();
    let rows: Vec<Row> = records(&rows).into_iter().map(Record::row).collect();
    let found = stats(&["-k", "7", "--bins", "11"]);
    assert_eq!((found.rows, found.columns), (2064, 64));
    assert_eq!(rows.len(), 2064);
    let values: Vec<f64> = rows
        .iter()
        .flat_map(|row| row.values.as_ref().unwrap())
        .map(|value| f64::from(*value))
        .collect();
    assert_eq!(found.values, values.len() as u64);
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
    assert!((found.mean.unwrap() - mean).abs() < 1e-12);
    assert!((found.std.unwrap() - variance.sqrt()).abs() < 1e-12);
    let extreme = |pick: fn(f64, f64) -> f64| values.iter().copied().reduce(pick).unwrap() as f32;
    assert_eq!(found.min.unwrap(), extreme(f64::min));
    assert_eq!(found.max.unwrap(), extreme(f64::max));
    assert_eq!(
        (found.within_one, found.share_within_one),
        (found.values, Some(1.0))
    );
    assert_eq!((found.nan, found.infinite), (0, 0));

    let mut by_norm: Vec<(u64, f32)> = (0..).zip(rows.iter().map(|row| row.norm)).collect();
    by_norm.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    let shown = |list: &[crate::records::RowNorm]| -> Vec<(u64, f32)> {
        list.iter().map(|row| (row.id, row.norm)).collect()
    };
    assert_eq!(shown(&found.smallest), by_norm[..7]);
    by_norm.reverse();
    assert_eq!(shown(&found.largest), by_norm[..7]);
    assert_eq!(found.smallest[0].piece.as_deref(), Some("[PAD]"));
    let norms = found.norms.unwrap();
    assert_eq!(norms.histogram.len(), 11);
    assert_eq!(
        norms.histogram.iter().map(|bin| bin.rows).sum::<u64>(),
        2064
    );
    for pair in norms.histogram.windows(2) {
        assert_eq!(pair[0].to, pair[1].from);
    }
    assert_eq!(
        (norms.histogram[0].from, norms.histogram[10].to),
        (norms.min, norms.max)
    );
    assert_eq!(found.zero_rows, [(0, 0)]);
    assert_eq!(found.rows_without_token, [(2001, 2063)]);
    assert!(found.duplicate_rows.is_empty());
}

#[test]
fn values_that_are_not_finite_are_counted_and_left_out() {
    let folder = folder_without_checkpoint();
    let rows: [[f32; 2]; 7] = [
        [3.0, 4.0],
        [f32::NAN, 1.0],
        [0.0, 0.0],
        [3.0, 4.0],
        [f32::INFINITY, f32::NEG_INFINITY],
        [0.0, 0.0],
        [0.5, -1.0],
    ];
    let bytes: Vec<u8> = rows
        .iter()
        .flatten()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    let view = TensorView::new(Dtype::F32, vec![7, 2], &bytes).unwrap();
    let file = serialize([("word_embeddings.weight", view)], None).unwrap();
    fs::write(folder.path().join("model.safetensors"), file).unwrap();
    let found = one(&on(folder.path(), ["stats", "--json"]).ok()).stats();
    assert_eq!((found.values, found.nan, found.infinite), (11, 1, 2));
    assert_eq!(
        (found.within_one, found.min, found.max),
        (7, Some(-1.0), Some(4.0))
    );
    assert_eq!(found.duplicate_rows, [[0, 3], [2, 5]]);
    assert_eq!(found.zero_rows, [(2, 2), (5, 5)]);
    let norms = found.norms.unwrap();
    assert_eq!((norms.min, norms.max), (0.0, 5.0));
    assert_eq!(norms.histogram.iter().map(|bin| bin.rows).sum::<u64>(), 5);
    let table = on(folder.path(), ["stats"]).ok();
    for line in [
        "values           11 finite, 1 NaN, 2 infinite",
        "in [-1, 1]       63.6363 %, all but 4",
        "rows of zeros    2: 2, 5",
        "equal rows       4 in 2 groups: 0 = 3, 2 = 5",
    ] {
        assert!(table.lines().any(|found| found == line), "{line}\n{table}");
    }
}

#[test]
fn containers_and_threads_do_not_change_the_figures() {
    let mut answers = Vec::new();
    for entry in fs::read_dir(repository("tests/fixtures/tiny")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.contains("f16") && !name.contains("bf16") {
            let model = tiny_model(&name);
            let found = one(&on(model.path(), ["stats", "--json"]).ok()).stats();
            answers.push((
                format!("{:?} {:?} {:?}", found.mean, found.std, found.norms),
                name,
            ));
        }
    }
    assert!(answers.len() > 6);
    for (answer, name) in &answers {
        assert_eq!(answer, &answers[0].0, "{name}");
    }
    let threads = |threads| demo(["stats", "--json", "--threads", threads]).ok();
    assert_eq!(threads("1"), threads("3"));
}

#[test]
fn the_histogram_has_the_requested_bins() {
    for bins in ["0", "1001", "-1", "x"] {
        demo(["stats", "--bins", bins]).exit(2);
    }
    assert_eq!(stats(&["-k", "0"]).smallest.len(), 0);
    let csv = demo(["stats", "--format", "csv", "-k", "1"]).ok();
    assert!(csv.starts_with("field,value\n"));
    assert!(
        csv.contains("\nrows,2064\n") && csv.contains("\nmax,0.28271484\n"),
        "{csv}"
    );
}

#[test]
fn norms_and_distances_have_the_range_of_float64() {
    const LARGE: f32 = 3e38;
    let folder = folder_without_checkpoint();
    let mut values = vec![1.0_f32; 2064 * 8];
    values[8..16].fill(LARGE);
    values[16..24].fill(-LARGE);
    let bytes: Vec<u8> = values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    let view = TensorView::new(Dtype::F32, vec![2064, 8], &bytes).unwrap();
    let file = serialize([("wte.weight", view)], None).unwrap();
    fs::write(folder.path().join("model.safetensors"), file).unwrap();

    let wide = f64::from(LARGE);
    let near =
        |found: f64, exact: f64| assert!((found / exact - 1.0).abs() < 1e-12, "{found} {exact}");
    let answer = |args: &[&str]| -> serde_json::Value {
        let out = on(folder.path(), [args, &["--json"]].concat()).run().stdout;
        serde_json::from_str(out.lines().next().unwrap()).unwrap()
    };
    let norm = wide * 8_f64.sqrt();
    near(
        answer(&["embed", "--id", "1"])["norm"].as_f64().unwrap(),
        norm,
    );
    near(
        answer(&["stats"])["largest"][0]["norm"].as_f64().unwrap(),
        norm,
    );
    let diff = answer(&["diff", "--id", "1", "--id", "2"]);
    near(diff["l2"].as_f64().unwrap(), 2.0 * norm);
    near(diff["max_abs"].as_f64().unwrap(), 2.0 * wide);
    assert_eq!(diff["cosine"].as_f64(), Some(-1.0));
    for (metric, exact) in [("dot", -8.0 * wide * wide), ("l2", 2.0 * norm)] {
        let args = [
            "neighbors",
            "--id",
            "1",
            "--metric",
            metric,
            "-k",
            "5000",
            "--all-rows",
            "--format",
            "csv",
        ];
        let table = on(folder.path(), args).ok();
        let score: Vec<&str> = table.lines().last().unwrap().split(',').collect();
        assert_eq!(score[1], "2", "{table}");
        near(score[3].parse().unwrap(), exact);
    }
    let table = on(folder.path(), ["embed", "--id", "1"]).ok();
    assert!(table.contains("8.4853e38"), "{table}");
    // Within the range of float32, its shortest decimals.
    assert_eq!(
        answer(&["embed", "--id", "0"])["norm"].to_string(),
        "2.828427"
    );
}
