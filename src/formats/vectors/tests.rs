use super::limits::MAX_WORD;
use super::*;
use crate::source::MemoryFile;

fn open(bytes: impl Into<Vec<u8>>) -> Result<VectorFile> {
    let file = Arc::new(MemoryFile::new("v", bytes.into()));
    VectorFile::open(file, None, |_| {})
}

fn problem(bytes: impl Into<Vec<u8>>) -> String {
    open(bytes).expect_err("it is refused").to_string()
}

#[test]
fn an_index_is_stored_and_damage_is_noticed() {
    let mut stored = Vec::new();
    let text = b"b 1 2\na 3 4\nb 5 6\n".to_vec();
    let file = Arc::new(MemoryFile::new("v", text));
    let store = |index: &WordIndex| stored = index.to_bytes("p");
    VectorFile::open(Arc::<MemoryFile>::clone(&file), None, store).unwrap();
    let index = WordIndex::from_bytes(&stored, "p").unwrap();
    let again = VectorFile::open(file, Some(index), |_| panic!("it is stored already")).unwrap();
    assert_eq!(
        (
            again.rows(),
            again.find("b").unwrap(),
            again.find("a").unwrap()
        ),
        (3, Some(0), Some(1))
    );
    assert_eq!(again.find("c").unwrap(), None);
    let mut values = Vec::new();
    again.append(1..3, &mut values).unwrap();
    assert_eq!(values, [3.0, 4.0, 5.0, 6.0]);
    assert_eq!(WordIndex::from_bytes(&stored, "q"), None);
    for at in 0..stored.len() {
        let mut flipped = stored.clone();
        flipped[at] ^= 1;
        assert_eq!(WordIndex::from_bytes(&flipped, "p"), None, "{at}");
        assert_eq!(WordIndex::from_bytes(&stored[..at], "p"), None, "{at}");
    }
}

#[test]
fn an_index_of_another_file_is_an_error_and_no_panic() {
    let long = "x 1 2\n".repeat(50);
    let mut stored = WordIndex::default();
    let file = Arc::new(MemoryFile::new("v", long.into_bytes()));
    VectorFile::open(file, None, |index| stored = index.clone()).unwrap();
    let short = Arc::new(MemoryFile::new("v", b"x 1 2\ny 3 4\n".to_vec()));
    let vectors = VectorFile::open(short, Some(stored), |_| {}).unwrap();
    assert!(vectors.word(40).is_err());
    assert!(vectors.append(0..50, &mut Vec::new()).is_err());
    assert!(vectors.find("y").is_err() || vectors.find("y").unwrap().is_none());
}

#[test]
fn lines_without_end_are_refused() {
    let mut text = b"a 1 2\nb ".to_vec();
    text.resize(text.len() + text::MAX_LINE as usize + 1, b'1');
    assert!(problem(text).contains("line 2 has more than 2097152 bytes"));
    let mut word = b"1 2\n".to_vec();
    word.resize(word.len() + 3 * MAX_WORD, b'\x01');
    assert!(problem(word).contains("vector 0 is cut off or has no word"));
    // A line longer than the part that is read at a time.
    let mut long = b"a 1 2\n".to_vec();
    long.resize(long.len() + MAX_WORD, b'x');
    long.extend(b" 3 4");
    let vectors = open(long).unwrap();
    assert_eq!(vectors.word(1).unwrap().len(), MAX_WORD);
}

#[test]
fn files_larger_than_the_window_are_read_completely() {
    let mut text = String::new();
    for row in 0..400_000 {
        text.push_str(&format!("w{row} {row} 0.5\n"));
    }
    assert!(text.len() > 6 << 20);
    let vectors = open(text).unwrap();
    assert_eq!(vectors.rows(), 400_000);
    for row in [0, 1, 123_456, 250_000, 399_999] {
        let mut values = Vec::new();
        vectors.append(row..row + 1, &mut values).unwrap();
        assert_eq!(values, [row as f32, 0.5]);
        assert_eq!(vectors.find(&format!("w{row}")).unwrap(), Some(row));
    }
}

#[test]
fn lies_of_fasttext_models_are_refused() {
    let bytes = include_bytes!("../../../tests/fixtures/matrices/fasttext.bin").to_vec();
    assert!(open(bytes.clone()).is_ok());
    let with = |field: usize, value: i32| {
        let mut bytes = bytes.clone();
        bytes[field * 4..field * 4 + 4].copy_from_slice(&value.to_le_bytes());
        problem(bytes)
    };
    assert!(with(1, 11).contains("it has version 11"));
    assert!(with(2, -1).contains("its dimension is -1"));
    assert!(with(2, 5).contains("its matrix has the shape"));
    assert!(with(10, 31).contains("its matrix has the shape"));
    assert!(with(10, i32::MAX).contains("its matrix has the shape"));
    assert!(with(16, i32::MAX).contains("words of 2147483647 entries"));
    assert!(with(17, 0).contains("it claims 0 words"));
    let columns = with(2, 70_000);
    assert!(
        columns.contains("matrix") || columns.contains("70000"),
        "{columns}"
    );
}

#[test]
fn quantized_fasttext_models_are_refused_by_name() {
    let bytes = include_bytes!("../../../tests/fixtures/matrices/fasttext.bin").to_vec();
    let mut pruned = bytes.clone();
    pruned[22 * 4..24 * 4].copy_from_slice(&0_i64.to_le_bytes());
    let index = open(bytes.clone()).unwrap().index;
    let words = index.entry(index.rows() - 1).unwrap().end as usize;
    let mut quantized = bytes;
    quantized[words] = 1;
    for (bytes, reason) in [
        (pruned, "its dictionary is pruned"),
        (quantized, "its matrix is quantized"),
    ] {
        let error = open(bytes).expect_err("it is refused");
        let sentence =
            format!("v is not supported: it is a quantized model of fastText (.ftz): {reason}");
        assert_eq!(error.to_string(), sentence);
        let hint = error.hint().unwrap();
        assert!(hint.contains("(.bin)"), "{hint}");
    }
}
