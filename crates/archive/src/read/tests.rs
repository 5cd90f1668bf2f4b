use tar::{EntryType, GnuExtSparseHeader};

use super::*;
use crate::testing::{Tar, header};

/// Path, kind, size and data.
type Summary = (String, Kind, u64, Vec<u8>);

fn read_all(bytes: &[u8]) -> Result<Vec<Summary>, Error> {
    let mut archive = Archive::new(bytes);
    let mut all = Vec::new();
    while let Some(entry) = archive.next()? {
        let mut data = Vec::new();
        archive.read_to_end(&mut data).map_err(Error::Read)?;
        all.push((shown(&entry.path), entry.kind, entry.size, data));
    }
    Ok(all)
}

fn only(bytes: &[u8]) -> Entry {
    let mut archive = Archive::new(bytes);
    let entry = archive.next().unwrap().expect("an entry");
    assert!(archive.next().unwrap().is_none(), "one entry only");
    entry
}

#[test]
fn numbers_are_octal_or_base_256() {
    let cases: [(&[u8], Option<i64>); 12] = [
        (b"0000644\0", Some(0o644)),
        (b"   644 \0", Some(0o644)),
        (b"00000000", Some(0)),
        (b"        ", Some(0)),
        (b"\0\0\0\0\0\0\0\0", Some(0)),
        (b"\0  644 \0", Some(0o644)),
        (b"777\0junk", Some(0o777)),
        (b"0000689\0", None),
        (b"0x1\0\0\0\0\0", None),
        (b"\x80\0\0\0\0\0\0\0\0\0\x10\0", Some(4096)),
        (
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
            Some(-1),
        ),
        (b"\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", None),
    ];
    for (field, expected) in cases {
        assert_eq!(
            number(field),
            expected,
            "{:?}",
            field.escape_ascii().to_string()
        );
    }
}

#[test]
fn pax_times_have_fractions_and_signs() {
    let time = |text: &str| numbers::time(text.as_bytes()).map(|t| (t.seconds, t.nanos));
    assert_eq!(time("1350244992.023960108"), Some((1350244992, 23_960_108)));
    assert_eq!(
        time("1350244992.0239601089"),
        Some((1350244992, 23_960_108))
    );
    assert_eq!(time("5"), Some((5, 0)));
    assert_eq!(time("5.5"), Some((5, 500_000_000)));
    assert_eq!(time("-1.5"), Some((-2, 500_000_000)));
    assert_eq!(time("-0.25"), Some((-1, 750_000_000)));
    for bad in [
        "",
        "x",
        "1.x",
        "1.-5",
        ".5",
        "9223372036854775808",
        "-9223372036854775808.5",
    ] {
        assert_eq!(time(bad), None, "{bad}");
    }
}

#[test]
fn pax_values_may_hold_newlines_and_zeros() {
    let value: &[u8] = b"\x01\0\0\x02\n9 a=b\n\0";
    let bytes = Tar::new()
        .pax(&[
            ("SCHILY.xattr.security.capability", value),
            ("path", "ü/λ".as_bytes()),
        ])
        .file("short", b"x")
        .finish();
    let entry = only(&bytes);
    assert_eq!(
        entry.xattrs,
        [(b"security.capability".to_vec(), value.to_vec())]
    );
    assert_eq!(entry.path, "ü/λ".as_bytes());
}

#[test]
fn malformed_pax_headers_are_errors() {
    for records in [
        "5 a=b",
        "x a=b\n",
        "7 a=b\n",
        "0 a=b\n",
        "2 a=b\n",
        "99 a=b\n",
        "6 ab=\n6 ab\n",
        "-6 a=b\n",
        "18446744073709551616 a=b\n",
        "13 mtime=abc\n",
        "10 size=-1\n",
        "\n",
    ] {
        let header = header(EntryType::XHeader, b"pax", b"", records.len() as u64);
        let bytes = Tar::new()
            .raw(&header, records.as_bytes())
            .file("f", b"")
            .finish();
        let result = read_all(&bytes);
        assert!(
            matches!(result, Err(Error::Pax(_))),
            "{records:?}: {result:?}"
        );
    }
}

#[test]
fn long_names_come_from_gnu_headers_and_ustar_prefixes() {
    let long = format!("{}/{}", "d".repeat(120), "f".repeat(130));
    let mut builder = tar::Builder::new(Vec::new());
    let mut file = Header::new_gnu();
    file.set_size(1);
    builder.append_data(&mut file, &long, &b"1"[..]).unwrap();
    let mut link = Header::new_gnu();
    link.set_entry_type(EntryType::Symlink);
    builder.append_link(&mut link, "link", &long).unwrap();
    let bytes = builder.into_inner().unwrap();
    let mut archive = Archive::new(&bytes[..]);
    assert_eq!(archive.next().unwrap().unwrap().path, long.as_bytes());
    assert_eq!(archive.next().unwrap().unwrap().link, long.as_bytes());

    // The version of a ustar header is "00", or blank with careless writers.
    for version in [b"00", b"\0\0"] {
        let mut ustar = Header::new_ustar();
        ustar
            .set_path(format!("{}/{}", "d".repeat(100), "f".repeat(90)))
            .unwrap();
        ustar.set_size(0);
        ustar.as_ustar_mut().unwrap().version = *version;
        ustar.set_cksum();
        let entry = only(&Tar::new().raw(&ustar, b"").finish());
        assert_eq!(entry.path.len(), 191, "{version:?}");
    }
}

#[test]
fn global_headers_are_ignored() {
    let records = b"14 path=other\n";
    let global = header(EntryType::XGlobalHeader, b"pax", b"", records.len() as u64);
    let bytes = Tar::new().raw(&global, records).file("f", b"1").finish();
    assert_eq!(
        read_all(&bytes).unwrap(),
        [("f".into(), Kind::File, 1, b"1".to_vec())]
    );
}

#[test]
fn only_files_have_data_whatever_the_size_says() {
    let mut bytes = Vec::new();
    for kind in [
        EntryType::Symlink,
        EntryType::Link,
        EntryType::Directory,
        EntryType::Fifo,
    ] {
        bytes.extend_from_slice(header(kind, b"x", b"y", 4096).as_bytes());
    }
    bytes.extend_from_slice(&Tar::new().file("f", b"data").finish());
    let all = read_all(&bytes).unwrap();
    assert_eq!(all.len(), 5);
    assert_eq!(all[4], ("f".into(), Kind::File, 4, b"data".to_vec()));
}

#[test]
fn old_archives_mark_directories_by_a_slash() {
    let entry = |path: &[u8]| {
        let mut header = header(EntryType::Regular, path, b"", 0);
        header.as_old_mut().linkflag = [0];
        header.set_cksum();
        only(&Tar::new().raw(&header, b"").finish()).kind
    };
    assert_eq!(entry(b"d/"), Kind::Directory);
    assert_eq!(entry(b"f"), Kind::File);
}

#[test]
fn sizes_beyond_eight_gib_are_read_from_base_256_and_pax() {
    let ten = 10u64 << 30;
    let mut large = header(EntryType::Regular, b"f", b"", 0);
    large.set_size(ten);
    large.set_cksum();
    let mut archive = Archive::new(&large.as_bytes()[..]);
    assert_eq!(archive.next().unwrap().unwrap().size, ten);
    assert!(matches!(archive.next(), Err(Error::Truncated(_))));

    let size = ten.to_string();
    let bytes = Tar::new()
        .pax(&[("size", size.as_bytes())])
        .file("f", b"")
        .finish();
    let mut archive = Archive::new(&bytes[..]);
    assert_eq!(archive.next().unwrap().unwrap().size, ten);
    assert!(matches!(archive.next(), Err(Error::Truncated(_))));
}

#[test]
fn absurd_sizes_are_errors() {
    for field in [
        *b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        [0x80; 12],
        [b'9'; 12],
    ] {
        let mut bad = header(EntryType::Regular, b"f", b"", 0);
        bad.as_old_mut().size = field;
        bad.set_cksum();
        assert!(read_all(bad.as_bytes()).is_err());
    }
    let mut most = header(EntryType::Regular, b"f", b"", 0);
    most.as_old_mut().size = *b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff";
    most.set_cksum();
    assert!(matches!(read_all(most.as_bytes()), Err(Error::Read(_))));
}

#[test]
fn extension_headers_are_bounded() {
    for kind in [
        EntryType::XHeader,
        EntryType::GNULongName,
        EntryType::XGlobalHeader,
    ] {
        let long = header(kind, b"x", b"", (1 << 20) + 1);
        assert!(matches!(
            read_all(long.as_bytes()),
            Err(Error::SpecialTooLong(_))
        ));
    }
}

#[test]
fn the_end_marker_is_seen_or_missed() {
    let marked = Tar::new().file("f", b"1").finish();
    let cut = Tar::new().file("f", b"1").cut();
    for (bytes, expected) in [
        (&marked[..], true),
        (&marked[..marked.len() - 512], true),
        (&cut, false),
    ] {
        let mut archive = Archive::new(bytes);
        while archive.next().unwrap().is_some() {}
        assert_eq!(archive.has_end_marker(), expected);
    }
    let mut continued = Tar::new().file("f", b"1").cut();
    continued.extend_from_slice(&[0; 512]);
    continued.extend_from_slice(&marked);
    assert!(matches!(read_all(&continued), Err(Error::Checksum(_))));
}

#[test]
fn an_archive_cut_anywhere_is_an_error_or_ends_between_entries() {
    let bytes = Tar::new()
        .pax(&[("path", b"long")])
        .file("f", &[7; 700])
        .dir("d", 0o755)
        .file("g", b"1")
        .finish();
    let whole = read_all(&bytes).unwrap();
    for length in 0..bytes.len() {
        if let Ok(entries) = read_all(&bytes[..length]) {
            assert!(length.is_multiple_of(512), "cut at {length}");
            assert_eq!(entries, whole[..entries.len()], "cut at {length}");
        }
    }
}

#[test]
fn garbage_is_no_archive() {
    for bytes in [&b"#!/bin/sh\n".repeat(100)[..], &[0xff; 1024], b"x"] {
        let error = read_all(bytes).unwrap_err();
        assert!(
            matches!(error, Error::Checksum(_) | Error::Truncated(_)),
            "{error}"
        );
    }
    let mut unknown = header(EntryType::Regular, b"f", b"", 0);
    unknown.as_old_mut().linkflag = [b'Q'];
    unknown.set_cksum();
    assert!(matches!(
        read_all(unknown.as_bytes()),
        Err(Error::UnknownType { kind: 'Q', .. })
    ));
}

/// The file `__DATA____DATA__` of 16384 bytes: four bytes at 4096, four at 12288.
fn check_sparse(bytes: &[u8]) {
    let mut archive = Archive::new(bytes);
    let entry = archive.next().unwrap().expect("an entry");
    assert_eq!((shown(&entry.path).as_str(), entry.size), ("sparse", 16384));
    let expected = [
        Chunk {
            offset: 4096,
            length: 4,
        },
        Chunk {
            offset: 12288,
            length: 4,
        },
    ];
    assert_eq!(entry.sparse.as_deref(), Some(&expected[..]));
    let mut data = Vec::new();
    archive.read_to_end(&mut data).unwrap();
    assert_eq!(data, b"AAAABBBB");
    assert_eq!(
        archive.next().unwrap().map(|e| e.path),
        Some(b"next".to_vec())
    );
}

#[test]
fn sparse_files_of_all_formats_are_read() {
    let mut old = header(EntryType::GNUSparse, b"sparse", b"", 8);
    let gnu = old.as_gnu_mut().unwrap();
    gnu.set_real_size(16384);
    gnu.sparse[0].set_offset(4096);
    gnu.sparse[0].set_length(4);
    gnu.set_is_extended(true);
    old.set_cksum();
    // The fields of the header that are not needed end its list; the rest is in a block of its own.
    let mut more = GnuExtSparseHeader::new();
    more.sparse_mut()[0].set_offset(12288);
    more.sparse_mut()[0].set_length(4);
    let mut bytes = old.as_bytes().to_vec();
    bytes.extend_from_slice(more.as_bytes());
    bytes.extend_from_slice(&padded(b"AAAABBBB"));
    bytes.extend_from_slice(&Tar::new().file("next", b"").finish());
    check_sparse(&bytes);

    let plain = |records: &[(&str, &[u8])], name: &str, data: &[u8]| {
        Tar::new()
            .pax(records)
            .file(name, data)
            .file("next", b"")
            .finish()
    };
    check_sparse(&plain(
        &[
            ("GNU.sparse.size", b"16384"),
            ("GNU.sparse.numblocks", b"2"),
            ("GNU.sparse.offset", b"4096"),
            ("GNU.sparse.numbytes", b"4"),
            ("GNU.sparse.offset", b"12288"),
            ("GNU.sparse.numbytes", b"4"),
        ],
        "sparse",
        b"AAAABBBB",
    ));
    check_sparse(&plain(
        &[
            ("GNU.sparse.size", b"16384"),
            ("GNU.sparse.numblocks", b"2"),
            ("GNU.sparse.map", b"4096,4,12288,4"),
            ("GNU.sparse.name", b"sparse"),
        ],
        "GNUSparseFile.1/sparse",
        b"AAAABBBB",
    ));
    let mut data = padded(b"2\n4096\n4\n12288\n4\n");
    data.extend_from_slice(b"AAAABBBB");
    check_sparse(&plain(
        &[
            ("GNU.sparse.major", b"1"),
            ("GNU.sparse.minor", b"0"),
            ("GNU.sparse.name", b"sparse"),
            ("GNU.sparse.realsize", b"16384"),
        ],
        "GNUSparseFile.1/sparse",
        &data,
    ));
}

#[test]
fn sparse_maps_that_lie_are_errors() {
    for (map, data) in [
        ("0,4,2,4", &b"AAAABBBB"[..]),
        ("4,4,0,4", b"AAAABBBB"),
        ("0,4", b"AAAABBBB"),
        ("0,8,8", b"AAAABBBB"),
        ("16380,8", b"AAAABBBB"),
        ("9223372036854775807,8", b"AAAABBBB"),
        ("-1,8", b"AAAABBBB"),
        ("0,x", b""),
    ] {
        let records: [(&str, &[u8]); 2] = [
            ("GNU.sparse.size", b"16384"),
            ("GNU.sparse.map", map.as_bytes()),
        ];
        let bytes = Tar::new().pax(&records).file("f", data).finish();
        assert!(matches!(read_all(&bytes), Err(Error::Sparse(_))), "{map}");
    }
    for data in [
        "99999999999999999999\n",
        "9223372036854775807\n",
        "2\n1\n",
        "x",
        "-1\n",
    ] {
        let records: [(&str, &[u8]); 3] = [
            ("GNU.sparse.major", b"1"),
            ("GNU.sparse.minor", b"0"),
            ("GNU.sparse.realsize", b"16384"),
        ];
        let bytes = Tar::new()
            .pax(&records)
            .file("f", &padded(data.as_bytes()))
            .finish();
        assert!(matches!(read_all(&bytes), Err(Error::Sparse(_))), "{data}");
    }
    let records: [(&str, &[u8]); 2] = [("GNU.sparse.major", b"2"), ("GNU.sparse.minor", b"0")];
    let bytes = Tar::new().pax(&records).file("f", b"").finish();
    assert!(matches!(read_all(&bytes), Err(Error::Sparse(_))));
}

fn padded(data: &[u8]) -> Vec<u8> {
    let mut padded = data.to_vec();
    padded.resize(data.len().next_multiple_of(BLOCK), 0);
    padded
}
