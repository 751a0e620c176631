use super::*;

fn file(version: [u8; 2], header: &str, elements: &[u8]) -> Vec<u8> {
    let mut bytes = [MAGIC, &version].concat();
    match version[0] {
        1 => bytes.extend((header.len() as u16).to_le_bytes()),
        _ => bytes.extend((header.len() as u32).to_le_bytes()),
    }
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend_from_slice(elements);
    bytes
}

fn array(header: &str, elements: &[u8]) -> Result<Vec<Vec<f32>>, String> {
    let bytes = file([1, 0], header, elements);
    let vectors = Vectors::parse("q.npy", &bytes).map_err(|error| error.to_string())?;
    Ok((0..vectors.rows())
        .map(|row| vectors.row(row).unwrap())
        .collect())
}

fn floats(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

#[test]
fn arrays_in_every_order_and_width_are_read() {
    let six = floats(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let c = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }      \n";
    assert_eq!(
        array(c, &six).unwrap(),
        [vec![1.0, 2.0, 3.0], vec![4.0, 5.0, 6.0]]
    );
    let fortran = "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }";
    assert_eq!(
        array(fortran, &six).unwrap(),
        [vec![1.0, 3.0, 5.0], vec![2.0, 4.0, 6.0]]
    );
    let swapped = "{\"shape\": (6L,), \"fortran_order\": False, \"descr\": \">f4\"}";
    let mut big = six.clone();
    big.chunks_mut(4).for_each(<[u8]>::reverse);
    assert_eq!(
        array(swapped, &big).unwrap(),
        [[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]]
    );
    let half = "{'descr': '<f2', 'fortran_order': False, 'shape': (1, 1)}";
    assert_eq!(
        array(half, &f16::from_f32(1.5).to_le_bytes()).unwrap(),
        [[1.5]]
    );
    let double = "{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}";
    assert_eq!(array(double, &1.5_f64.to_le_bytes()).unwrap(), [[1.5]]);
    for version in [[2, 0], [3, 0]] {
        assert_eq!(
            Vectors::parse("q", &file(version, c, &six)).unwrap().rows(),
            2
        );
    }
}

#[test]
fn a_written_header_is_read_back() {
    for shape in [&[3_u64][..], &[128_100, 384], &[1, u64::MAX]] {
        let bytes = header(Dtype::F32, shape).unwrap();
        assert_eq!(bytes.len() % ALIGNMENT, 0);
        assert_eq!(bytes.last(), Some(&b'\n'));
        let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        assert_eq!(bytes.len(), 10 + length);
        let text = std::str::from_utf8(&bytes[10..]).unwrap();
        let shape: Vec<usize> = shape.iter().map(|size| *size as usize).collect();
        assert_eq!(Header::parse(text).unwrap().shape, shape);
    }
    assert_eq!(header(Dtype::BF16, &[1]), None);
}

#[test]
fn malformed_arrays_are_refused_with_the_reason() {
    let ok = |shape: &str| format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}");
    let descr =
        |descr: &str| format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (1,)}}");
    let refused: Vec<(String, &str)> = vec![
        (String::new(), "expected `{`"),
        ("{".to_owned(), "expected a string"),
        ("{}".to_owned(), "lacks the key `descr`"),
        (ok("(1,)") + "x", "expected the end"),
        (ok("1"), "expected `(`"),
        (ok("(-1,)"), "expected a size"),
        (ok("(99999999999999999999,)"), "expected a size"),
        (ok("(1 1)"), "expected `)`"),
        (ok("()"), "not 0"),
        (ok("(1, 1, 1)"), "not 3"),
        (ok("(2,)"), "does not match its 4 bytes"),
        (ok("(0,)"), "it is empty"),
        (ok("(18446744073709551615, 0)"), "it is empty"),
        (
            ok("(18446744073709551615, 18446744073709551615)"),
            "does not match",
        ),
        (ok("(4611686018427387905, 4)"), "does not match"),
        (ok("(1,), 'shape': (1,)"), "`shape` twice"),
        (ok("(1,), 'more': 1"), "the key `more`"),
        (
            descr("'<i4'"),
            "its elements must be f2, f4 or f8, not `<i4`",
        ),
        (
            descr("'|V2'"),
            "its elements must be f2, f4 or f8, not `|V2`",
        ),
        (descr("'é'"), "its elements must be"),
        (descr("''"), "its elements must be"),
        (descr("[('a', '<f4')]"), "expected a string"),
        (descr("'<f4"), "expected"),
        ("{'fortran_order': 0}".to_owned(), "expected True or False"),
    ];
    for (header, problem) in refused {
        let error = array(&header, &[0; 4]).unwrap_err();
        assert!(
            error.starts_with("q.npy is not an array of vectors: ") && error.contains(problem),
            "{header}: {error}"
        );
    }
    let whole = file([1, 0], &ok("(1,)"), &[0; 4]);
    for length in 0..whole.len() {
        assert!(Vectors::parse("q", &whole[..length]).is_err(), "{length}");
    }
    let long = [MAGIC, &[2, 0], &u32::MAX.to_le_bytes()].concat();
    for bytes in [
        long,
        [MAGIC, &[1, 1, 0, 0]].concat(),
        b"PK\x03\x04".to_vec(),
    ] {
        assert_eq!(Vectors::parse("q", &bytes).unwrap_err().exit() as u8, 2);
    }
}
