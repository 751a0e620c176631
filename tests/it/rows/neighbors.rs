//! `neighbors`: queries, candidates, and the order of results.

use std::fs;

use crate::records::{Neighbor, Record, records};
use crate::support::{demo, on, repository, tiny_model};

fn neighbors(args: &[&str]) -> Vec<Neighbor> {
    let out = demo([&["neighbors", "--json"], args].concat()).ok();
    records(&out).into_iter().map(Record::neighbor).collect()
}

#[test]
fn a_mean_of_rows_is_a_query() {
    let out = demo([
        "neighbors",
        "donde",
        "--plus",
        "dinero",
        "--mean",
        "-k",
        "50",
        "--json",
    ])
    .ok();
    let found: Vec<_> = records(&out)
        .into_iter()
        .map(|record| record.neighbor())
        .collect();
    assert_eq!(found[0].query_name, "mean(▁do nd e) + ▁dinero");
    assert_eq!(found[0].means, Some(vec![vec![787, 324, 271]]));
    // Neither the rows of the mean nor the added row are answers.
    let own = [787, 324, 271, 588];
    assert!(found.iter().all(|neighbor| !own.contains(&neighbor.id)));
    let plain = demo(["neighbors", "dinero", "--mean", "-k", "1", "--json"]).ok();
    assert_eq!(
        plain,
        demo(["neighbors", "dinero", "-k", "1", "--json"]).ok()
    );
    // The nearest to the mean of `a` and `b` by distance is nearest to half their sum.
    let rows =
        |id: &str| crate::records::values(demo(["embed", "--id", id, "--json"]).ok().trim_end());
    let mean = ["787", "324", "271"].map(rows);
    let best = demo([
        "neighbors",
        "donde",
        "--mean",
        "-k",
        "1",
        "--metric",
        "l2",
        "--json",
    ])
    .ok();
    let best = records(&best).remove(0).neighbor();
    let row = rows(&best.id.to_string());
    let distance = (0..row.len()).map(|column| {
        let sum: f64 = mean.iter().map(|row| f64::from(row[column])).sum();
        (sum / 3.0 - f64::from(row[column])).powi(2)
    });
    assert!((distance.sum::<f64>().sqrt() - f64::from(best.score)).abs() < 1e-6);
}

#[test]
fn related_words_are_near() {
    let found = neighbors(&["dinero"]);
    assert_eq!(found.len(), 10);
    assert_eq!(found[0].piece.as_deref(), Some("▁money"));
    assert!(
        found.iter().all(|neighbor| neighbor.id != 588),
        "the token itself is no neighbour"
    );
    let pieces: Vec<&str> = found
        .iter()
        .filter_map(|neighbor| neighbor.piece.as_deref())
        .collect();
    assert!(
        pieces.contains(&"▁wallet") && pieces.contains(&"▁deuda"),
        "{pieces:?}"
    );
    for (metric, rising) in [("cosine", false), ("dot", false), ("l2", true)] {
        let found = neighbors(&["--id", "588", "-k", "4", "--metric", metric]);
        assert_eq!(found.len(), 4);
        assert!(found.iter().all(|neighbor| neighbor.metric == metric));
        assert!(found.is_sorted_by(|a, b| if rising {
            a.score <= b.score
        } else {
            a.score >= b.score
        }));
    }
    let sum = neighbors(&["--plus", "dinero", "--minus", "money", "-k", "2000"]);
    assert!(
        sum.iter()
            .all(|neighbor| ![588, 607].contains(&neighbor.id) && neighbor.id <= 2000)
    );
    assert_eq!(neighbors(&["--piece", "▁dinero", "-k", "1"])[0].id, 607);
    demo(["neighbors"]).exit(2);
}

#[test]
fn ties_are_ordered_by_id() {
    // The dot product with the zero row of [PAD] is 0 for every row.
    let found = neighbors(&["--id", "0", "--metric", "dot", "-k", "5"]);
    let ids: Vec<u32> = found.iter().map(|neighbor| neighbor.id).collect();
    assert_eq!(ids, [1, 2, 3, 4, 5]);
    // The cosine of a zero row is undefined.
    demo(["neighbors", "--id", "0"]).exit(2);
}

fn ids(found: &[Neighbor]) -> Vec<u32> {
    found.iter().map(|neighbor| neighbor.id).collect()
}

#[test]
fn several_queries_give_the_same_results_as_one_by_one() {
    let together = neighbors(&[
        "dinero", "money", "--id", "364", "--piece", "▁wood", "-k", "3",
    ]);
    assert_eq!(together.len(), 12);
    let alone = [
        (&["dinero"][..], "▁dinero"),
        (&["money"], "▁money"),
        (&["--id", "364"], "▁banco"),
        (&["--piece", "▁wood"], "▁wood"),
    ];
    for (index, (args, name)) in alone.into_iter().enumerate() {
        let found = neighbors(&[args, &["-k", "3"]].concat());
        let part = &together[3 * index..3 * index + 3];
        assert_eq!(ids(&found), ids(part));
        for (one, other) in found.iter().zip(part) {
            assert_eq!(one.score.to_bits(), other.score.to_bits());
            assert_eq!((one.query, other.query), (1, index + 1));
            assert_eq!((&*one.query_name, &*other.query_name), (name, name));
        }
    }
    let table = demo(["neighbors", "dinero", "money", "-k", "1"]).ok();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!((lines[0], lines[3], lines[4]), ("▁dinero", "", "▁money"));
    assert_eq!(lines.len(), 7);
}

#[test]
fn plus_and_minus_apply_to_every_query() {
    let sum =
        |args: &[&str]| neighbors(&[args, &["--plus", "madre", "--minus", "mother"]].concat());
    let found = sum(&["father", "tree", "-k", "1"]);
    assert_eq!(found[0].query_name, "▁father + ▁madre - ▁mother");
    assert_eq!(found[1].query_name, "▁tree + ▁madre - ▁mother");
    let alone = sum(&["-k", "1"]);
    assert_eq!(alone[0].query_name, "▁madre - ▁mother");
    let minus = neighbors(&["--minus", "madre", "-k", "1"]);
    assert_eq!(minus[0].query_name, "- ▁madre");
}

#[test]
fn vectors_of_a_file_are_queries() {
    let folder = tempfile::tempdir().unwrap();
    let here = |args: &[&str]| demo([&["--json"], args].concat()).current_dir(folder.path());
    here(&["embed", "--id", "588", "--id", "607", "-q", "-o", "q.npy"]).ok();
    let found = here(&["neighbors", "--vector", "q.npy", "-k", "4"]).ok();
    let found: Vec<Neighbor> = records(&found).into_iter().map(Record::neighbor).collect();
    // A vector has no id, so the row it was copied from is the nearest.
    assert_eq!((found[0].id, found[4].id), (588, 607));
    assert!(found[0].score > 0.999_999);
    assert_eq!(
        (&*found[0].query_name, &*found[4].query_name),
        ("q.npy[0]", "q.npy[1]")
    );
    let by_token = neighbors(&["dinero", "-k", "3"]);
    assert_eq!(ids(&found[1..4]), ids(&by_token));
    let wrong = tempfile::tempdir().unwrap();
    let wrong = wrong.path().join("wrong.npy");
    let header = |text: &str| {
        let length = (text.len() as u16).to_le_bytes();
        [b"\x93NUMPY\x01\x00", &length[..], text.as_bytes()].concat()
    };
    let array = "{'descr': '<f2', 'fortran_order': False, 'shape': (64,), }";
    let cases: [(Vec<u8>, &str); 5] = [
        (Vec::new(), "does not begin like an .npy file"),
        (header("{'descr': '|O'"), "expected `}`"),
        (
            [header(array), vec![0; 126]].concat(),
            "does not match its 126 bytes",
        ),
        (
            [header(array), [0, 0x7c].repeat(64)].concat(),
            "vector 0 has a value that is not a finite float32",
        ),
        (
            [
                header("{'descr': '<f2', 'fortran_order': False, 'shape': (2,)}"),
                vec![0; 4],
            ]
            .concat(),
            "its vectors have 2 values, but the rows of the matrix have 64",
        ),
    ];
    for (bytes, problem) in cases {
        fs::write(&wrong, bytes).unwrap();
        let args = ["neighbors", "--vector", wrong.to_str().unwrap()];
        let answer = demo(args).exit(2);
        assert!(
            answer
                .stderr
                .contains("wrong.npy is not an array of vectors")
                && answer.stderr.contains(problem),
            "{}",
            answer.stderr
        );
    }
    fs::write(&wrong, [header(array), vec![0; 128]].concat()).unwrap();
    let args = ["neighbors", "--vector", wrong.to_str().unwrap()];
    assert!(demo(args).exit(2).stderr.contains("wrong.npy[0] is zero"));
    demo([&args[..], &["--metric", "l2"]].concat()).ok();
    demo(["neighbors", "--vector", "nowhere.npy"]).exit(2);
}

#[test]
fn a_search_can_be_limited_to_some_pieces() {
    let among = neighbors(&["dinero", "--among", "wood tree money tree", "-k", "20"]);
    let pieces: Vec<&str> = among
        .iter()
        .filter_map(|found| found.piece.as_deref())
        .collect();
    assert_eq!(pieces[0], "▁money");
    assert!(pieces.contains(&"▁wood") && pieces.len() < 10, "{pieces:?}");
    let all = neighbors(&["dinero", "-k", "5000"]);
    // Few candidates and many: both ways to search agree with a search of all rows.
    for pattern in ["^▁mon", "e"] {
        let found = neighbors(&["dinero", "--grep", pattern, "-k", "5000"]);
        let pattern = regex::Regex::new(pattern).unwrap();
        let expected: Vec<u32> = all
            .iter()
            .filter(|neighbor| pattern.is_match(neighbor.piece.as_deref().unwrap()))
            .map(|neighbor| neighbor.id)
            .collect();
        assert_eq!(ids(&found), expected);
        assert!(!found.is_empty());
    }
    let both = neighbors(&["dinero", "--among", "money tree", "--grep", "▁m"]);
    assert_eq!(ids(&both), [607]);
    assert_eq!(neighbors(&["dinero", "--grep", "^no such piece$"]).len(), 0);
    demo(["neighbors", "dinero", "--grep", "("]).exit(2);
}

#[test]
fn rows_without_a_token_are_searched_on_request() {
    // The last rows of the built-in model have no token.
    assert!(
        ids(&neighbors(&["--id", "2050", "-k", "5000"]))
            .iter()
            .all(|id| *id <= 2000)
    );
    let all = neighbors(&["--id", "2050", "-k", "5000", "--all-rows"]);
    let spare = all.iter().find(|found| found.id > 2000).unwrap();
    assert_eq!(
        (spare.piece.as_deref(), &*all[0].query_name),
        (None, "id 2050")
    );
    // All rows except that of the query and zero rows.
    assert_eq!(all.len(), 2062);
    assert_eq!(neighbors(&["--id", "2050", "-k", "0"]).len(), 0);
}

#[test]
fn every_container_has_the_same_neighbors() {
    let folder = fs::read_dir(repository("tests/fixtures/tiny")).unwrap();
    let mut answers = Vec::new();
    for entry in folder {
        let name = entry.unwrap().file_name().into_string().unwrap();
        // Only the float16 checkpoints, since other types round differently.
        if name.contains("f16") && !name.contains("bf16") || name.starts_with("sharded") {
            let model = tiny_model(&name);
            let args = [
                "neighbors",
                "--id",
                "7",
                "--id",
                "90",
                "--json",
                "-k",
                "300",
            ];
            answers.push((on(model.path(), args).ok(), name));
        }
    }
    assert!(answers.len() > 8);
    for (answer, name) in &answers {
        assert_eq!(answer, &answers[0].0, "{name}");
        assert!(answer.lines().count() > 500);
    }
}

#[test]
fn the_number_of_threads_does_not_change_the_results() {
    let found = |threads| {
        demo([
            "neighbors",
            "dinero",
            "money",
            "--json",
            "--threads",
            threads,
        ])
        .ok()
    };
    assert_eq!(found("1"), found("3"));
}
