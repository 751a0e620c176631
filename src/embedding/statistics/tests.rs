use std::sync::Arc;

use safetensors::tensor::{Dtype, TensorView, serialize};

use super::*;
use crate::embedding::choice::MatrixChoice;
use crate::embedding::test_data::RandomNumbers;
use crate::source::MemoryFile;

fn matrix(rows: &[Vec<f32>]) -> EmbeddingMatrix {
    let bytes: Vec<u8> = rows
        .iter()
        .flatten()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    let view = TensorView::new(Dtype::F32, vec![rows.len(), rows[0].len()], &bytes).unwrap();
    let file = serialize([("wte.weight", view)], None).unwrap();
    let file = Arc::new(MemoryFile::new("model.safetensors", file));
    EmbeddingMatrix::in_file(file, "model.safetensors", MatrixChoice::WordEmbeddings).unwrap()
}

#[test]
fn merged_blocks_give_the_statistics_of_the_whole() {
    let mut numbers = RandomNumbers::new(5);
    // More rows than a block holds.
    let rows: Vec<Vec<f32>> = (0..9000)
        .map(|_| (0..37).map(|_| 3.0 + 1.5 * numbers.next()).collect())
        .collect();
    let found = statistics(&matrix(&rows)).unwrap();
    assert!(matrix(&rows).blocks().unwrap().len() > 1);
    let all: Vec<f64> = rows.iter().flatten().copied().map(f64::from).collect();
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    let variance = all.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / all.len() as f64;
    let near = |a: f64, b: f64| (a - b).abs() < 1e-9 * b.abs();
    assert!(near(found.values.mean, mean));
    assert!(near(found.values.deviation(), variance.sqrt()));
    let extreme = |pick: fn(f64, f64) -> f64| all.iter().copied().reduce(pick).unwrap() as f32;
    assert_eq!(found.values.min, extreme(f64::min));
    assert_eq!(found.values.max, extreme(f64::max));
    let within = all.iter().filter(|x| x.abs() <= 1.0).count();
    assert_eq!(found.values.within_one, within as u64);
    assert_eq!(found.values.finite, 9000 * 37);
    assert_eq!(found.norms.len(), 9000);
    for (norm, row) in found.norms.iter().zip(&rows) {
        let squares: f64 = row.iter().map(|x| f64::from(*x).powi(2)).sum();
        assert!(near(*norm, squares.sqrt()));
    }
    assert!(found.zero_rows.is_empty() && found.duplicates.is_empty());
}

#[test]
fn values_that_are_not_finite_are_counted_and_left_out() {
    let rows = vec![
        vec![1.0, -1.0, 2.0],
        vec![f32::NAN, 0.5, f32::INFINITY],
        vec![f32::NEG_INFINITY; 3],
        vec![0.0, -0.0, 0.0],
        vec![f32::MAX, f32::MAX, f32::MIN],
    ];
    let found = statistics(&matrix(&rows)).unwrap();
    assert_eq!(
        (found.values.finite, found.values.nan, found.values.infinite),
        (10, 1, 4)
    );
    assert_eq!(found.values.within_one, 6);
    assert_eq!((found.values.min, found.values.max), (f32::MIN, f32::MAX));
    assert!(found.norms[1].is_nan() && found.norms[2].is_nan());
    assert!((found.norms[4] / (3_f64.sqrt() * f64::from(f32::MAX)) - 1.0).abs() < 1e-12);
    assert_eq!(found.zero_rows, [3]);
    let nothing = statistics(&matrix(&[vec![f32::NAN; 2]])).unwrap();
    assert_eq!(nothing.values.finite, 0);
    assert_eq!(
        (nothing.values.mean, nothing.values.deviation()),
        (0.0, 0.0)
    );
}

#[test]
fn rows_are_duplicates_only_if_all_bits_are_equal() {
    let mut rows: Vec<Vec<f32>> = (0..100).map(|row| vec![row as f32, 1.0]).collect();
    for (to, from) in [(90, 3), (50, 3), (7, 60)] {
        rows[to] = rows[from].clone();
    }
    // Row 21 equals rows 0 and 20 as numbers, but not bit for bit.
    rows[20] = vec![0.0, 1.0];
    rows[21] = vec![-0.0, 1.0];
    let found = statistics(&matrix(&rows)).unwrap();
    assert_eq!(
        found.duplicates,
        [vec![0, 20], vec![3, 50, 90], vec![7, 60]]
    );
}

#[test]
fn rows_with_colliding_hashes_are_distinguished() {
    let rows = vec![
        vec![1.0, 2.0],
        vec![3.0, 4.0],
        vec![1.0, 2.0],
        vec![3.0, 4.5],
    ];
    let collided = (0..4).map(|id| (7, id)).collect();
    assert_eq!(duplicates(&matrix(&rows), collided).unwrap(), [[0, 2]]);
}

#[test]
fn the_deviation_keeps_its_digits_where_the_mean_is_large() {
    let mut numbers = RandomNumbers::new(7);
    // Whole numbers, so that float32 holds them exactly.
    let noise: Vec<Vec<f32>> = (0..600)
        .map(|_| (0..37).map(|_| (100.0 * numbers.next()).round()).collect())
        .collect();
    let deviation = statistics(&matrix(&noise)).unwrap().values.deviation();
    for mean in [1e4_f32, 1e6, 16_000_000.0, -16_000_000.0] {
        let rows: Vec<Vec<f32>> = noise
            .iter()
            .map(|row| row.iter().map(|value| value + mean).collect())
            .collect();
        let found = statistics(&matrix(&rows)).unwrap().values.deviation();
        assert!(
            (found / deviation - 1.0).abs() < 1e-9,
            "{mean}: {found} {deviation}"
        );
    }
    let equal = statistics(&matrix(&vec![vec![16_777_215.0; 37]; 600])).unwrap();
    assert_eq!(equal.values.deviation(), 0.0);
}
