use proptest::prelude::*;

use super::*;

#[test]
fn fields_are_read_as_the_rfc_says() {
    let parts = |ranges: &[(u64, u64)]| {
        Ranges::Parts(ranges.iter().map(|(start, end)| *start..*end).collect())
    };
    for (field, size, expected) in [
        ("bytes=0-0", 10, parts(&[(0, 1)])),
        ("bytes=0-", 10, parts(&[(0, 10)])),
        ("bytes=5-99", 10, parts(&[(5, 10)])),
        ("bytes=-3", 10, parts(&[(7, 10)])),
        ("bytes=-99", 10, parts(&[(0, 10)])),
        ("Bytes=0-0", 10, parts(&[(0, 1)])),
        ("bytes= 0-0 ,\t-1 ,", 10, parts(&[(0, 1), (9, 10)])),
        ("bytes=20-30,0-0", 10, parts(&[(0, 1)])),
        ("bytes=0-18446744073709551615", 10, parts(&[(0, 10)])),
        ("bytes=0-99999999999999999999999", 10, parts(&[(0, 10)])),
        ("bytes=99999999999999999999999-", 10, Ranges::Unsatisfiable),
        ("bytes=10-", 10, Ranges::Unsatisfiable),
        ("bytes=-0", 10, Ranges::Unsatisfiable),
        ("bytes=0-", 0, Ranges::Unsatisfiable),
        ("bytes=-5", 0, Ranges::Whole),
        ("bytes=5-4", 10, Ranges::Whole),
        ("bytes=0-0,5-4", 10, Ranges::Whole),
        ("bytes=", 10, Ranges::Whole),
        ("bytes=,", 10, Ranges::Whole),
        ("bytes=-", 10, Ranges::Whole),
        ("bytes=+1-2", 10, Ranges::Whole),
        ("bytes=1 - 2", 10, Ranges::Whole),
        ("bytes=1-2-3", 10, Ranges::Whole),
        ("bytes=0x1-2", 10, Ranges::Whole),
        ("bytes 0-1", 10, Ranges::Whole),
        ("items=0-1", 10, Ranges::Whole),
        ("", 10, Ranges::Whole),
        // More than the whole, or in too many pieces.
        ("bytes=0-9,0-0", 10, Ranges::Whole),
        ("bytes=0-,0-,0-,0-", 10, Ranges::Whole),
    ] {
        assert_eq!(read(field.as_bytes(), size), expected, "{field} of {size}");
    }
    let many = |count: usize| format!("bytes={}", vec!["0-0"; count].join(","));
    assert_eq!(read(many(MOST_PARTS + 1).as_bytes(), 1000), Ranges::Whole);
    let most = Ranges::Parts(vec![0..1; MOST_PARTS]);
    assert_eq!(read(many(MOST_PARTS).as_bytes(), 1000), most);
}

/// A range as a client means it: both ends, from one on, the last ones.
fn meant() -> impl Strategy<Value = (Option<u64>, Option<u64>)> {
    let number = || 0..40_u64;
    prop_oneof![
        (number(), number()).prop_map(|(first, more)| (Some(first), Some(first + more))),
        number().prop_map(|first| (Some(first), None)),
        number().prop_map(|last| (None, Some(last))),
    ]
}

proptest! {
    /// Byte by byte: which of them each range means.
    #[test]
    fn parts_are_what_is_meant(meant in proptest::collection::vec(meant(), 1..6), size in 1..30_u64) {
        let text = |end: &Option<u64>| end.map_or(String::new(), |end| end.to_string());
        let set: Vec<String> = meant.iter().map(|(first, last)| format!("{}-{}", text(first), text(last))).collect();
        let bytes = |(first, last): &(Option<u64>, Option<u64>)| -> Vec<u64> {
            (0..size).filter(|at| match (first, last) {
                (Some(first), Some(last)) => first <= at && at <= last,
                (Some(first), None) => first <= at,
                (None, last) => *at + last.unwrap() >= size,
            }).collect()
        };
        let expected: Vec<Vec<u64>> = meant.iter().map(bytes).filter(|bytes| !bytes.is_empty()).collect();
        let total: usize = expected.iter().map(Vec::len).sum();
        let got = read(format!("bytes={}", set.join(",")).as_bytes(), size);
        if total as u64 > size {
            prop_assert_eq!(got, Ranges::Whole);
        } else if expected.is_empty() {
            prop_assert_eq!(got, Ranges::Unsatisfiable);
        } else {
            let Ranges::Parts(parts) = got else { panic!("{got:?}") };
            let got: Vec<Vec<u64>> = parts.into_iter().map(Iterator::collect).collect();
            prop_assert_eq!(got, expected);
        }
    }

    #[test]
    fn anything_can_be_read(field in "(bytes=)?[-0-9, a]{0,40}", size: u64) {
        if let Ranges::Parts(parts) = read(field.as_bytes(), size) {
            prop_assert!(parts.len() <= MOST_PARTS);
            prop_assert!(parts.iter().all(|part| part.start < part.end && part.end <= size));
        }
    }
}
