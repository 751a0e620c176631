use std::sync::Arc;

use half::{bf16, f16};
use safetensors::tensor::{Dtype as StDtype, TensorView, serialize};

use super::*;
use crate::embedding::choice::MatrixChoice;
use crate::embedding::metric::Metric;
use crate::embedding::query::{Sign, Term};
use crate::embedding::test_data::RandomNumbers;
use crate::formats::checkpoint::Dtype;
use crate::source::MemoryFile;

const COLUMNS: usize = 19;

fn matrix(dtype: Dtype, values: &[f32]) -> EmbeddingMatrix {
    let (name, bytes): (_, Vec<u8>) = match dtype {
        Dtype::F16 => {
            let halves = values.iter().map(|value| f16::from_f32(*value));
            (StDtype::F16, halves.flat_map(f16::to_le_bytes).collect())
        }
        Dtype::BF16 => {
            let halves = values.iter().map(|value| bf16::from_f32(*value));
            (StDtype::BF16, halves.flat_map(bf16::to_le_bytes).collect())
        }
        Dtype::F32 => (
            StDtype::F32,
            values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
        ),
        Dtype::F64 => {
            let wide = values.iter().map(|value| f64::from(*value));
            (StDtype::F64, wide.flat_map(f64::to_le_bytes).collect())
        }
        other => panic!("write the elements of {other} here"),
    };
    let shape = vec![values.len() / COLUMNS, COLUMNS];
    let view = TensorView::new(name, shape, &bytes).unwrap();
    let file = serialize([("wte.weight", view)], None).unwrap();
    let file = Arc::new(MemoryFile::new("model.safetensors", file));
    EmbeddingMatrix::in_file(file, "model.safetensors", MatrixChoice::WordEmbeddings).unwrap()
}

/// Random rows with difficult ones among them: copies, near copies, zeros, and values that are not finite.
fn awkward(rows: usize) -> Vec<f32> {
    let mut numbers = RandomNumbers::new(3);
    let mut values: Vec<f32> = (0..rows * COLUMNS).map(|_| numbers.next()).collect();
    let copy = |values: &mut Vec<f32>, from: usize, to: usize, scale: f32| {
        for column in 0..COLUMNS {
            values[to * COLUMNS + column] = values[from * COLUMNS + column] * scale;
        }
    };
    for to in (7..rows).step_by(5) {
        copy(&mut values, 3, to, 1.0);
    }
    // The same direction, so cosines differ only by rounding.
    for to in (8..rows).step_by(50) {
        copy(&mut values, 3, to, 0.9);
    }
    for (row, scale) in [
        (11, 0.0),
        (16, -0.0),
        (21, 1e-30),
        (26, 1e-42),
        (31, 2e38),
        (36, 1e4),
    ] {
        copy(&mut values, 3, row, scale);
    }
    for (row, special) in [(41, f32::NAN), (46, f32::INFINITY), (51, f32::NEG_INFINITY)] {
        values[row * COLUMNS + row % COLUMNS] = special;
    }
    for column in 0..COLUMNS {
        // One bit away from the row before.
        let value = values[3 * COLUMNS + column];
        values[4 * COLUMNS + column] = f32::from_bits(value.to_bits() + 1);
    }
    values
}

fn query_of(matrix: &EmbeddingMatrix, id: u32, metric: Metric) -> Query {
    let term = Term {
        vector: matrix.row(u64::from(id)).unwrap(),
        ids: vec![id],
        sign: Sign::Plus,
        name: format!("the row of id {id}"),
    };
    Query::new(&[term], metric).unwrap()
}

/// Scores every row in float64 and sorts them all.
fn reference(matrix: &EmbeddingMatrix, query: &Query, options: &SearchOptions) -> Vec<(u32, u64)> {
    let mut scored: Vec<(u32, f64)> = (0..matrix.rows() as u32)
        .filter(|id| options.candidates.is_none_or(|ids| ids.contains(id)))
        .filter(|id| !query.is_built_from(*id) && (options.accepts)(*id))
        .map(|id| {
            let row = matrix.row(u64::from(id)).unwrap();
            (id, options.metric.score(query.vector(), query.norm(), &row))
        })
        .filter(|(_, score)| !score.is_nan())
        .collect();
    scored.sort_by(|a, b| {
        let by_score = match options.metric {
            Metric::L2 => a.1.partial_cmp(&b.1),
            _ => b.1.partial_cmp(&a.1),
        };
        by_score.unwrap().then(a.0.cmp(&b.0))
    });
    scored.truncate(options.k);
    bits(scored)
}

fn bits(ranked: impl IntoIterator<Item = (u32, f64)>) -> Vec<(u32, u64)> {
    // -0.0 and 0.0 are the same score.
    ranked
        .into_iter()
        .map(|(id, score)| (id, (score + 0.0).to_bits()))
        .collect()
}

fn check(matrix: &EmbeddingMatrix, ids: &[u32], options: &SearchOptions) {
    let queries: Vec<Query> = ids
        .iter()
        .map(|id| query_of(matrix, *id, options.metric))
        .collect();
    for kernels in [Kernels::Portable, Kernels::detect()] {
        let answers = nearest_with(kernels, matrix, &queries, options).unwrap();
        assert_eq!(answers.len(), queries.len());
        for ((id, query), answer) in ids.iter().zip(&queries).zip(answers) {
            assert_eq!(
                bits(answer),
                reference(matrix, query, options),
                "{kernels:?} {} {:?} k {} of {id}",
                matrix.dtype(),
                options.metric,
                options.k
            );
        }
    }
}

#[test]
fn the_nearest_rows_are_those_of_float64_ties_included() {
    let values = awkward(700);
    for dtype in Dtype::readable().filter(|dtype| !dtype.is_quantized()) {
        let matrix = matrix(dtype, &values);
        for &metric in Metric::ALL {
            for k in [0, 1, 10, 150, 5000] {
                let options = SearchOptions {
                    metric,
                    k,
                    accepts: &|_| true,
                    candidates: None,
                };
                check(&matrix, &[3], &options);
                check(&matrix, &[5, 0, 3, 690, 699], &options);
            }
        }
    }
}

#[test]
fn queries_beyond_one_pass_are_answered() {
    let matrix = matrix(Dtype::F16, &awkward(90));
    // Only rows that have a cosine, and enough of them for two passes.
    let ids: Vec<u32> = (52..90).chain(0..10).chain(52..90).collect();
    for &metric in Metric::ALL {
        let options = SearchOptions {
            metric,
            k: 4,
            accepts: &|_| true,
            candidates: None,
        };
        check(&matrix, &ids, &options);
    }
}

#[test]
fn only_accepted_candidates_are_found() {
    let matrix = matrix(Dtype::BF16, &awkward(320));
    let few = [2, 4, 9, 57, 62];
    let many: Vec<u32> = (0..320).filter(|id| id % 2 == 1).collect();
    for &metric in Metric::ALL {
        for candidates in [None, Some(&[][..]), Some(&few), Some(&many)] {
            let accepts =
                |id: u32| !id.is_multiple_of(3) && candidates.is_none_or(|ids| ids.contains(&id));
            let options = SearchOptions {
                metric,
                k: 6,
                accepts: &accepts,
                candidates,
            };
            check(&matrix, &[3, 4], &options);
        }
    }
}

#[test]
fn rows_of_nan_are_never_found() {
    let matrix = matrix(Dtype::F32, &[f32::NAN; 4 * COLUMNS]);
    let query = Query::new(
        &[Term {
            vector: vec![1.0; COLUMNS],
            ids: Vec::new(),
            sign: Sign::Plus,
            name: String::new(),
        }],
        Metric::Dot,
    );
    let options = SearchOptions {
        metric: Metric::Dot,
        k: 3,
        accepts: &|_| true,
        candidates: None,
    };
    assert_eq!(
        nearest(&matrix, &[query.unwrap()], &options).unwrap(),
        [vec![]]
    );
}

#[test]
fn rows_that_differ_only_by_float32_rounding_are_ties() {
    // One row in many orders: its sums are exact, hence equal, in float64; in float32 they are rounded.
    let mut numbers = RandomNumbers::new(4);
    let mut row: Vec<f32> = (0..COLUMNS)
        .map(|_| (numbers.bits() >> 8) as f32 / 1024.0 - 8192.0)
        .collect();
    let mut values = Vec::new();
    for number in 0..600 {
        if number == 25 {
            // The rows before are less near, but by less than float32 rounding.
            row[0] += 1.0 / 1024.0;
        }
        for column in (1..COLUMNS).rev() {
            row.swap(column, numbers.bits() as usize % (column + 1));
        }
        values.extend_from_slice(&row);
    }
    let matrix = matrix(Dtype::F32, &values);
    for &metric in Metric::ALL {
        let ones = Term {
            vector: vec![1.0; COLUMNS],
            ids: Vec::new(),
            sign: Sign::Plus,
            name: String::new(),
        };
        let queries = vec![Query::new(&[ones], metric).unwrap(); 5];
        let options = SearchOptions {
            metric,
            k: 20,
            accepts: &|_| true,
            candidates: None,
        };
        for kernels in [Kernels::Portable, Kernels::detect()] {
            for queries in [&queries[..1], &queries] {
                for answer in nearest_with(kernels, &matrix, queries, &options).unwrap() {
                    if metric != Metric::Cosine {
                        // A query scaled to length 1 has no exact sums.
                        let first = if metric == Metric::L2 { 0 } else { 25 };
                        let ids = answer.iter().map(|(id, _)| *id);
                        assert!(ids.eq(first..first + 20), "{kernels:?} {metric:?}");
                    }
                    assert_eq!(bits(answer), reference(&matrix, &queries[0], &options));
                }
            }
        }
    }
}

#[test]
fn rows_whose_squares_underflow_are_still_compared() {
    let mut numbers = RandomNumbers::new(6);
    let values: Vec<f32> = (0..400 * COLUMNS).map(|_| numbers.next() * 8e-23).collect();
    let matrix = matrix(Dtype::F32, &values);
    for &metric in Metric::ALL {
        let options = SearchOptions {
            metric,
            k: 8,
            accepts: &|_| true,
            candidates: None,
        };
        check(&matrix, &[0], &options);
        check(&matrix, &[0, 1, 2], &options);
    }
}
