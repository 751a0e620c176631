//! `similarity`: the matrix of cosines in every output format.

use std::fs;

use crate::records::{Record, Similarity, one, records};
use crate::support::demo;

fn similarity(args: &[&str]) -> Vec<Similarity> {
    let out = demo([&["similarity", "--json"], args].concat()).ok();
    records(&out).into_iter().map(Record::similarity).collect()
}

#[test]
fn cosines_are_those_of_diff_and_the_matrix_is_symmetric() {
    let rows = similarity(&["banco de madera", "--id", "386"]);
    let ids: Vec<u32> = rows.iter().map(|row| row.id.unwrap()).collect();
    assert_eq!(ids, [1, 364, 276, 361, 2, 386]);
    for (index, row) in rows.iter().enumerate() {
        assert_eq!((row.position, row.cosines.len()), (index, 6));
        assert_eq!(row.cosines[index], Some(1.0));
        for (other, column) in rows.iter().zip(&row.cosines) {
            assert_eq!(other.cosines[index], *column);
            let pair = [row.id, other.id].map(|id| id.unwrap().to_string());
            let args = [
                "diff", "--json", "--stats", "--id", &pair[0], "--id", &pair[1],
            ];
            let diff = one(&demo(args).run().stdout).diff();
            assert!((diff.cosine.unwrap() - column.unwrap()).abs() < 1e-6);
        }
    }
    assert_eq!(rows[1].piece.as_deref(), Some("▁banco"));
    assert_eq!(similarity(&["banco", "--no-special-tokens"]).len(), 1);
    assert_eq!(
        similarity(&["--piece", "▁banco", "--id", "2063"])[1].id,
        Some(364)
    );
}

#[test]
fn words_are_compared_with_each_other() {
    let rows = similarity(&["dinero", "money", "--id", "364"]);
    let ids: Vec<Option<u32>> = rows.iter().map(|row| row.id).collect();
    assert_eq!(ids, [Some(588), Some(607), Some(364)]);
    assert_eq!(rows[0].cosines[1], Some(0.958_968_34));
    // One text is its tokens, as before.
    assert_eq!(similarity(&["dinero money"]).len(), 4);
    let answer = demo(["similarity", "dinero", "donde"]).exit(2);
    assert_eq!(
        answer.stderr,
        "error: expected one token, but `donde` is 3: ▁do nd e\n\n\
         hint: use `--mean` for the mean of their rows, or name one of them with `--piece PIECE` or `--id N`\n"
    );
    // Standard input is one of the words.
    let from_stdin = demo(["similarity", "dinero", "-", "--json"])
        .stdin("money")
        .ok();
    assert_eq!(
        records(&from_stdin).pop().unwrap().similarity().id,
        Some(607)
    );
    // A number beside an id was probably meant as an id.
    let answer = demo(["similarity", "--id", "588", "607", "--json"]).exit(0);
    assert_eq!(
        answer.stderr,
        "note: `607` is a text here: to select several ids, separate them by commas, as in `--id 1,607`\n"
    );
}

#[test]
fn a_mean_is_compared_like_a_row() {
    let rows = similarity(&["donde", "dinero", "--mean"]);
    let mean = &rows[0];
    assert_eq!((mean.id, mean.piece.as_deref()), (None, None));
    assert_eq!(mean.text.as_deref(), Some("donde"));
    assert_eq!(mean.mean_of.as_deref(), Some(&[787, 324, 271][..]));
    assert_eq!(rows[1].id, Some(588));
    assert_eq!(
        (rows[1].text.as_ref(), rows[1].mean_of.as_ref()),
        (None, None)
    );
    let diff = demo(["diff", "donde", "dinero", "--mean", "--json"]).exit(1);
    let cosine = one(&diff.stdout).diff().cosine.unwrap();
    assert!((rows[0].cosines[1].unwrap() - cosine).abs() < 1e-6);
    // Under `--mean`, one text is one vector too.
    let rows = similarity(&["donde", "--mean", "--id", "787"]);
    assert_eq!((rows.len(), rows[1].id), (2, Some(787)));
    let table = demo(["similarity", "donde", "--mean"]).ok();
    assert!(table.ends_with("    0  donde         1.00\n"), "{table}");
    let csv = demo(["similarity", "donde", "--mean", "--format", "csv"]).ok();
    assert_eq!(
        csv,
        "position,id,piece,text,mean_of,c0\n0,,,donde,787 324 271,1.0\n"
    );
}

#[test]
fn a_row_of_zeros_has_no_cosine() {
    let rows = similarity(&["--id", "0", "--id", "364"]);
    assert_eq!(rows[0].cosines, [None, None]);
    assert_eq!(rows[1].cosines, [None, Some(1.0)]);
    let table = demo(["similarity", "--id", "0", "--id", "364"]).ok();
    assert!(
        table.ends_with("    1  ▁banco           -  1.00\n"),
        "{table}"
    );
    let csv = demo(["similarity", "--id", "0", "--id", "364", "--format", "csv"]).ok();
    assert_eq!(
        csv,
        "position,id,piece,text,mean_of,c0,c1\n0,0,[PAD],,,,\n1,364,▁banco,,,,1.0\n"
    );
}

#[test]
fn a_wide_table_says_how_many_columns_it_omits() {
    let text = ["banco"; 40].join(" ");
    let table = demo(["similarity", &text]).ok();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 12);
    assert!(lines.iter().all(|line| line.chars().count() <= 80));
    assert_eq!(
        lines[11],
        "the first 10 of 42 rows and columns; `--full` shows all"
    );
    let full = demo(["similarity", &text, "--full"]).ok();
    assert_eq!(full.lines().count(), 43);
    // Other formats always have all columns.
    assert_eq!(similarity(&[&text])[41].cosines.len(), 42);
}

#[test]
fn shades_are_shown_only_with_color() {
    let plain = demo(["similarity", "banco"]).ok();
    assert!(!plain.contains('\u{1b}') && plain.contains("  1.00"));
    let shaded = demo(["similarity", "banco", "--color", "always"]).ok();
    assert!(shaded.contains("\u{1b}[48;5;"));
    let mut stripped = String::new();
    for (index, part) in shaded.split('\u{1b}').enumerate() {
        let rest = if index == 0 {
            part
        } else {
            part.split_once('m').unwrap().1
        };
        stripped.push_str(rest);
    }
    assert_eq!(stripped, plain);
}

#[test]
fn the_matrix_is_exported_to_files() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str| {
        let call = demo(["similarity", "banco de madera", "--id", "0", "-o", name]);
        let answer = call.current_dir(folder.path()).exit(0);
        let note = format!("note: wrote 6 x 6 cosines to {name}\n");
        assert_eq!((answer.stdout.as_str(), answer.stderr), ("", note));
        fs::read(folder.path().join(name)).unwrap()
    };
    let rows = similarity(&["banco de madera", "--id", "0"]);
    let npy = write("c.npy");
    let length = 10 + usize::from(u16::from_le_bytes([npy[8], npy[9]]));
    let head = std::str::from_utf8(&npy[10..length]).unwrap();
    assert!(head.contains("'<f4'") && head.contains("(6, 6)"), "{head}");
    let values: Vec<f32> = npy[length..]
        .chunks(4)
        .map(|four| f32::from_le_bytes(four.try_into().unwrap()))
        .collect();
    let expected: Vec<Option<f32>> = rows.iter().flat_map(|row| row.cosines.clone()).collect();
    assert_eq!(values.len(), expected.len());
    for (value, expected) in values.iter().zip(expected) {
        match expected {
            Some(expected) => assert_eq!(*value, expected),
            None => assert!(value.is_nan()),
        }
    }
    for (name, format) in [("c.jsonl", "json"), ("c.csv", "csv"), ("c.tsv", "tsv")] {
        let args = [
            "similarity",
            "banco de madera",
            "--id",
            "0",
            "--format",
            format,
        ];
        assert_eq!(write(name), demo(args).ok().as_bytes());
    }
    demo(["similarity", "banco", "-o", "c.safetensors"]).exit(2);
    demo(["similarity", "banco", "-o", "c.xls"]).exit(2);
    demo(["similarity", "--id", "5000"]).exit(2);
    assert_eq!(demo(["similarity"]).stdin("banco").ok().lines().count(), 4);
}
