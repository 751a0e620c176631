#![allow(
    clippy::single_range_in_vec_init,
    reason = "a list of one range is meant"
)]

use super::*;

const ETAG: &str = "e1";
const SIZE: u64 = 1_000_000;

fn content(range: Range<u64>) -> Vec<u8> {
    range.map(|at| (at % 251) as u8).collect()
}

fn extents(ranges: &[Range<u64>]) -> Extents {
    let parts = ranges.iter().map(|r| (r.start, content(r.clone())));
    Extents::new(ETAG, SIZE, parts.collect())
}

fn mapped(bytes: &[u8], etag: &str, size: u64) -> Option<Extents> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    Extents::open(MappedFile::open(file.path(), "f").unwrap(), etag, size)
}

#[test]
fn ranges_within_extents_are_found() {
    // Touching, overlapping, disjoint, empty, and in any order.
    let fetched = extents(&[400_000..600_000, 0..10, 5..20, 20..30, 90..90]);
    let stored = mapped(fetched.bytes(), ETAG, SIZE).unwrap();
    for extents in [&fetched, &stored] {
        for range in [
            0..30,
            7..9,
            400_000..600_000,
            465_535..465_537,
            599_999..600_000,
        ] {
            assert_eq!(extents.slice(&range), Some(&content(range)[..]));
        }
        let backwards = Range { start: 9, end: 7 };
        for range in [
            29..31,
            31..32,
            399_999..400_001,
            600_000..600_001,
            backwards,
        ] {
            assert_eq!(extents.slice(&range), None, "{range:?}");
        }
        assert_eq!(extents.parts(&(10..500_000)), [10..30, 400_000..500_000]);
        assert_eq!(extents.all().len(), 2);
    }
}

#[test]
fn other_contents_and_truncated_files_are_refused() {
    let bytes = extents(&[0..10, 70_000..80_000]).bytes().to_vec();
    assert!(mapped(&bytes, ETAG, SIZE).is_some());
    assert!(mapped(&bytes, "e2", SIZE).is_none());
    assert!(mapped(&bytes, ETAG, SIZE - 1).is_none());
    for length in (0..100).chain([bytes.len() - 1]) {
        assert!(mapped(&bytes[..length], ETAG, SIZE).is_none(), "{length}");
    }
    let header = bytes.len() - 10_010;
    for at in 0..header {
        let mut damaged = bytes.clone();
        damaged[at] ^= 4;
        assert!(mapped(&damaged, ETAG, SIZE).is_none(), "byte {at}");
    }
    assert!(mapped(b"", ETAG, SIZE).is_none());
}

#[test]
fn a_false_header_is_refused() {
    let encode = |extents: Vec<Range<u64>>, sums: usize| {
        let sums = vec![0; sums];
        Header { extents, sums }.encode(ETAG, SIZE)
    };
    for (extents, sums) in [
        (vec![0..10, 5..20], 2),
        (vec![10..20, 0..10], 2),
        (vec![5..5], 0),
        (vec![0..SIZE + 1], 16),
        (vec![0..10], 0),
        (vec![0..10], 2),
        (vec![0..BLOCK + 1], 1),
    ] {
        let bytes = encode(extents.clone(), sums);
        assert!(Header::decode(&bytes, ETAG, SIZE).is_none(), "{extents:?}");
    }
    let overflow = Header {
        extents: vec![],
        sums: vec![],
    };
    let mut bytes = overflow.encode(ETAG, SIZE);
    bytes[24..32].copy_from_slice(&u64::MAX.to_le_bytes());
    let sum = checksum(ETAG, &bytes[12..]).to_le_bytes();
    bytes[8..12].copy_from_slice(&sum);
    assert!(Header::decode(&bytes, ETAG, SIZE).is_none());
}

#[test]
fn only_a_damaged_block_counts_as_missing() {
    let mut bytes = extents(&[100..300_000]).bytes().to_vec();
    let data = bytes.len() - 299_900;
    bytes[data + BLOCK as usize + 7] ^= 1;
    let stored = mapped(&bytes, ETAG, SIZE).unwrap();
    let second = 100 + BLOCK..100 + 2 * BLOCK;
    assert_eq!(stored.slice(&(100..101)), Some(&content(100..101)[..]));
    assert_eq!(stored.slice(&(second.start..second.start + 1)), None);
    assert_eq!(stored.slice(&(100..300_000)), None);
    assert_eq!(
        stored.parts(&(0..SIZE)),
        [100..second.start, second.end..300_000]
    );
}

#[test]
fn an_extent_is_filled_block_by_block() {
    let extent = 10..10 + 2 * BLOCK + 5;
    let mut header = Header::empty(extent.clone());
    let data = content(extent.clone());
    header.set_sums(1, &data[BLOCK as usize..]);
    let mut bytes = header.encode(ETAG, SIZE);
    bytes.extend(vec![0; data.len()]);
    let offset = header.length() + BLOCK as usize;
    bytes[offset..].copy_from_slice(&data[BLOCK as usize..]);
    let stored = mapped(&bytes, ETAG, SIZE).unwrap();
    assert_eq!(stored.parts(&extent), [10 + BLOCK..extent.end]);
}
